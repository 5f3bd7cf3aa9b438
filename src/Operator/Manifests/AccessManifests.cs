using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>Identity and rights of the agents of one instance.</summary>
internal static class AccessManifests
{
    public static JsonObject ServiceAccount(InstanceSpec spec) =>
        Metadata.Document("v1", "ServiceAccount", Metadata.OfInstance(spec, Names.Agents(spec.Name)));

    /// <param name="spec">The instance.</param>
    /// <param name="peers">Names of the instances that share an availability group with it; its own does not matter.</param>
    public static JsonObject Role(InstanceSpec spec, IEnumerable<string> peers)
    {
        var role = Metadata.Document("rbac.authorization.k8s.io/v1", "Role", Metadata.OfInstance(spec, Names.Agents(spec.Name)));
        var rules = new List<JsonObject>
        {
            Rule(string.Empty, "pods", "get", "list", "patch", "watch"),
            Rule(string.Empty, "configmaps", "get", "list", "patch", "watch"),
            Rule("coordination.k8s.io", "leases", "create", "get", "list", "patch", "watch"),
            Rule("mssql.microsoft.com", "sqlservers", "list", "watch"),
        };
        var logins = peers.Where(peer => peer != spec.Name).Distinct(StringComparer.Ordinal).Select(Names.AgentLogin).Order(StringComparer.Ordinal).ToList();

        // A rule without names would open every Secret. The own login is mounted.
        if (logins.Count > 0)
        {
            var secrets = Rule(string.Empty, "secrets", "get");
            secrets["resourceNames"] = Json.Strings(logins);
            rules.Add(secrets);
        }

        role["rules"] = Json.List(rules);
        return role;
    }

    public static JsonObject RoleBinding(InstanceSpec spec)
    {
        var name = Names.Agents(spec.Name);
        var binding = Metadata.Document("rbac.authorization.k8s.io/v1", "RoleBinding", Metadata.OfInstance(spec, name));
        binding["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "Role", ["name"] = name };
        binding["subjects"] = Json.List(new JsonObject { ["kind"] = "ServiceAccount", ["name"] = Names.Account(spec), ["namespace"] = spec.Namespace });
        return binding;
    }

    private static JsonObject Rule(string group, string resource, params string[] verbs) => new()
    {
        ["apiGroups"] = Json.Strings(group),
        ["resources"] = Json.Strings(resource),
        ["verbs"] = Json.Strings(verbs),
    };
}
