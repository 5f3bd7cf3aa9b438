using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>Identity and rights of the agents of one instance.</summary>
internal static class AccessManifests
{
    public static JsonObject ServiceAccount(InstanceSpec spec) =>
        Metadata.Document("v1", "ServiceAccount", Metadata.OfInstance(spec, Names.Agents(spec.Name)));

    /// <param name="spec">The instance.</param>
    /// <param name="peers">Names of all instances that share an availability group with it.</param>
    public static JsonObject Role(InstanceSpec spec, IEnumerable<string> peers)
    {
        var role = Metadata.Document("rbac.authorization.k8s.io/v1", "Role", Metadata.OfInstance(spec, Names.Agents(spec.Name)));
        var secrets = Rule(string.Empty, "secrets", "get");
        secrets["resourceNames"] = Json.Strings(
            peers.Append(spec.Name).Distinct(StringComparer.Ordinal).Select(Names.AgentLogin).Order(StringComparer.Ordinal));
        role["rules"] = Json.List(
            Rule(string.Empty, "pods", "get", "list", "watch", "patch", "update"),
            Rule(string.Empty, "configmaps", "get", "list", "watch", "create", "update", "patch"),
            Rule("coordination.k8s.io", "leases", "get", "list", "watch", "create", "update", "patch"),
            Rule("mssql.microsoft.com", "sqlservers", "get", "list", "watch"),
            Rule(string.Empty, "events", "create", "patch"),
            secrets);
        return role;
    }

    public static JsonObject RoleBinding(InstanceSpec spec)
    {
        var name = Names.Agents(spec.Name);
        var binding = Metadata.Document("rbac.authorization.k8s.io/v1", "RoleBinding", Metadata.OfInstance(spec, name));
        binding["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "Role", ["name"] = name };
        binding["subjects"] = Json.List(new JsonObject { ["kind"] = "ServiceAccount", ["name"] = name, ["namespace"] = spec.Namespace });
        return binding;
    }

    private static JsonObject Rule(string group, string resource, params string[] verbs) => new()
    {
        ["apiGroups"] = Json.Strings(group),
        ["resources"] = Json.Strings(resource),
        ["verbs"] = Json.Strings(verbs),
    };
}
