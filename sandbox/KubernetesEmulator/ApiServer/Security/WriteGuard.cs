using System.Text.Json.Nodes;
using KubernetesEmulator.Http;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Security;

/// <summary>
/// What can only be decided once the object to be written is known: a patch or update that makes an object needs the right to create, and nobody
/// grants what he does not hold.
/// </summary>
internal sealed class WriteGuard(RbacAuthorizer authorizer, Identity identity, AccessRequest request, Resource resource)
{
    private static readonly string[] CollectorsFields = ["ownerReferences", "finalizers", "managedFields"];

    /// <exception cref="ApiError">It is not allowed.</exception>
    public void Check(JsonObject? old, JsonObject now)
    {
        var name = now.Text("metadata", "name") ?? "";
        if (old is null && request.Verb != "create")
        {
            var create = authorizer.Authorize(identity, request with { Verb = "create", Name = name });
            if (!create.Allowed)
                throw ApiError.Forbidden(resource, name, create.Reason);
        }

        if (resource.Group != Catalog.Roles.Group || identity.IsMaster || (old is not null && OnlyForTheCollector(old, now)))
            return;
        if (now["roleRef"] is not JsonObject reference)
            Confirm(name, "escalate", resource, name, PolicyRule.Of(now));
        else if (authorizer.RoleOf(reference, request.Namespace) is { } role)
            Confirm(name, "bind", RbacAuthorizer.RoleResource(reference), role.Name, PolicyRule.Of(role.Json));
        else if (!Holds("bind", RbacAuthorizer.RoleResource(reference), reference.Text("name") ?? ""))
            throw ApiError.NotFound(RbacAuthorizer.RoleResource(reference), reference.Text("name") ?? "");
    }

    /// <summary>Changes that only let the garbage collector do its work grant nothing.</summary>
    private static bool OnlyForTheCollector(JsonObject old, JsonObject now)
    {
        var (a, b) = (old.Copy(), now.Copy());
        foreach (var field in CollectorsFields)
        {
            a.Ensure("metadata").Remove(field);
            b.Ensure("metadata").Remove(field);
        }

        return Document.Same(a, b);
    }

    /// <summary>Here the API server names what is missing by its resource, elsewhere by its kind.</summary>
    private static string Plural(string failure) => failure.Replace("role.", "roles.", StringComparison.Ordinal);

    private bool Holds(string verb, Resource role, string name) =>
        authorizer.Decide(identity, new AccessRequest(verb, role.Group, role.Plural, "", request.Namespace, name)).Allowed;

    private void Confirm(string name, string verb, Resource role, string roleName, IReadOnlyList<PolicyRule> rules)
    {
        if (Holds(verb, role, roleName))
            return;
        var failures = new List<string>();
        var missing = PolicyRule.Missing(authorizer.RulesOf(identity, request.Namespace, failures), rules);
        if (missing.Count == 0)
            return;
        var why = $"user \"{identity.Name}\" (groups={PolicyRule.Quote(identity.Groups)}) is attempting to grant RBAC permissions not currently held:\n"
            + string.Join('\n', missing);
        throw ApiError.Forbidden(resource, name, failures.Count == 0 ? why : $"{why}; resolution errors: [{string.Join(' ', failures.Select(Plural))}]");
    }
}
