using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Security;

/// <summary>
/// Allows what the stored roles and bindings allow, and everything to <c>system:masters</c>. <paramref name="audit"/> hears each decision.
/// </summary>
internal sealed class RbacAuthorizer(Store store, Action<Identity, AccessRequest, AccessDecision>? audit)
{
    /// <summary>Decides about a request.</summary>
    public AccessDecision Authorize(Identity identity, AccessRequest request)
    {
        var decision = Decide(identity, request);
        audit?.Invoke(identity, request, decision);
        return decision;
    }

    /// <summary>Decides about a request that nobody has made.</summary>
    public AccessDecision Decide(Identity identity, AccessRequest request)
    {
        if (identity.IsMaster)
            return new(true, "");
        var failures = new List<string>();
        foreach (var grant in Grants(identity, request.Namespace, failures))
        {
            if (grant.Rules.Any(rule => rule.Allows(request)))
                return new(true, $"RBAC: allowed by {grant.Source}");
        }

        return new(false, failures.Count == 0 ? "" : $"RBAC: {Aggregate(failures)}");
    }

    /// <summary>All that an identity holds in a namespace, or in none; <paramref name="failures"/> hears about roles that are not there.</summary>
    public IReadOnlyList<PolicyRule> RulesOf(Identity identity, string @namespace, List<string> failures) =>
        identity.IsMaster
            ? [new(["*"], ["*"], ["*"], [], []), new(["*"], [], [], [], ["*"])]
            : [.. Grants(identity, @namespace, failures).SelectMany(grant => grant.Rules)];

    public static string Aggregate(IReadOnlyCollection<string> failures) => failures.Count == 1 ? failures.First() : $"[{string.Join(", ", failures)}]";

    /// <summary>The role that a binding in <paramref name="namespace"/> names, or null.</summary>
    public StoredObject? RoleOf(JsonObject? reference, string @namespace)
    {
        var role = RoleResource(reference);
        return store.Get(role.Key, role.Namespaced ? @namespace : "", reference.Text("name") ?? "");
    }

    public static Resource RoleResource(JsonObject? reference) => reference.Text("kind") == "ClusterRole" ? Catalog.ClusterRoles : Catalog.Roles;

    private IEnumerable<Grant> Grants(Identity identity, string @namespace, List<string> failures)
    {
        var bindings = store.List(Catalog.ClusterRoleBindings.Key, null).Items.AsEnumerable();
        if (@namespace.Length > 0)
            bindings = bindings.Concat(store.List(Catalog.RoleBindings.Key, @namespace).Items);
        foreach (var binding in bindings)
        {
            if (binding.Json.Objects("subjects").FirstOrDefault(subject => Means(subject, identity, binding.Namespace)) is not { } subject)
                continue;
            var reference = binding.Json.Child("roleRef");
            var (kind, name) = (reference.Text("kind"), reference.Text("name"));
            if (RoleOf(reference, binding.Namespace) is not { } role)
            {
                failures.Add($"{kind?.ToLowerInvariant()}.rbac.authorization.k8s.io \"{name}\" not found");
                continue;
            }

            var place = binding.Namespace.Length == 0 ? "" : $"/{binding.Namespace}";
            yield return new Grant(
                PolicyRule.Of(role.Json),
                $"{(binding.Namespace.Length == 0 ? "ClusterRoleBinding" : "RoleBinding")} \"{binding.Name}{place}\" of {kind} \"{name}\" to {Describe(subject, binding.Namespace)}");
        }
    }

    private static bool Means(JsonObject subject, Identity identity, string @namespace)
    {
        var name = subject.Text("name") ?? "";
        return subject.Text("kind") switch
        {
            "User" => identity.Name == name,
            "Group" => identity.Groups.Contains(name),
            "ServiceAccount" => Place(subject, @namespace) is { Length: > 0 } place && identity.Name == $"system:serviceaccount:{place}:{name}",
            _ => false,
        };
    }

    private static string Place(JsonObject subject, string @namespace) => subject.Text("namespace") is { Length: > 0 } own ? own : @namespace;

    private static string Describe(JsonObject subject, string @namespace) => subject.Text("kind") == "ServiceAccount"
        ? $"ServiceAccount \"{subject.Text("name")}/{Place(subject, @namespace)}\""
        : $"{subject.Text("kind")} \"{subject.Text("name")}\"";

    private sealed record Grant(IReadOnlyList<PolicyRule> Rules, string Source);
}
