using System.Collections.Concurrent;
using KubernetesEmulator.Security;

namespace Scenarios.Rights;

/// <summary>Who asked the API server for what, and whether he got it.</summary>
internal sealed class AuditTrail
{
    private readonly ConcurrentDictionary<(string User, Right Right, bool Allowed), int> _seen = new();

    public void Note(Identity identity, AccessRequest request, AccessDecision decision)
    {
        if (request.Path is null && identity.Name.StartsWith("system:serviceaccount:", StringComparison.Ordinal))
            _seen.AddOrUpdate((identity.Name, new Right(request.Verb, request.Group, request.FullResource, request.Name), decision.Allowed), 1, static (_, n) => n + 1);
    }

    /// <summary>Whether somebody has made use of a right.</summary>
    public bool Uses(string user, Right right) => Has(user, right, allowed: true);

    /// <summary>Whether somebody has been refused for want of a right.</summary>
    public bool Misses(string user, Right right) => Has(user, right, allowed: false);

    /// <summary>All refusals, one line each.</summary>
    public IReadOnlyList<string> Refusals() => [.. _seen.Keys.Where(x => !x.Allowed).Select(x => $"{x.User}: {x.Right}").Order(StringComparer.Ordinal)];

    private bool Has(string user, Right right, bool allowed) => _seen.Keys.Any(
        x => x.Allowed == allowed && x.User == user && x.Right with { Name = null } == right with { Name = null } && (right.Name is null || x.Right.Name == right.Name));
}
