using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Security;

/// <summary>One rule of a Role or ClusterRole.</summary>
internal sealed record PolicyRule(
    IReadOnlyList<string> Verbs, IReadOnlyList<string> ApiGroups, IReadOnlyList<string> Resources, IReadOnlyList<string> ResourceNames,
    IReadOnlyList<string> Paths)
{
    private const string All = "*";

    public static IReadOnlyList<PolicyRule> Of(JsonObject role) => [.. role.Objects("rules").Select(rule => new PolicyRule(
        [.. rule.Texts("verbs")], [.. rule.Texts("apiGroups")], [.. rule.Texts("resources")], [.. rule.Texts("resourceNames")],
        [.. rule.Texts("nonResourceURLs")]))];

    public bool Allows(AccessRequest request) => Has(Verbs, request.Verb) && (request.Path is { } path
        ? Paths.Any(rule => PathCovers(rule, path))
        : Has(ApiGroups, request.Group) && CoversResource(request.FullResource)
            && (ResourceNames.Count == 0 || ResourceNames.Contains(request.Name)));

    /// <summary>What <paramref name="wanted"/> grants and none of <paramref name="held"/> does, as the API server words it.</summary>
    public static IReadOnlyList<string> Missing(IReadOnlyCollection<PolicyRule> held, IEnumerable<PolicyRule> wanted)
    {
        var missing = wanted.SelectMany(rule => rule.Atoms()).Where(atom => !held.Any(rule => rule.Covers(atom)));
        return [.. missing.GroupBy(atom => atom with { Verbs = [] }, atom => atom.Verbs[0], Comparer.Instance)
            .Select(group => (group.Key with { Verbs = [.. group] }).ToString()).Distinct().Order(StringComparer.Ordinal)];
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["verbs"] = List(Verbs) };
        foreach (var (name, values) in new[] { ("apiGroups", ApiGroups), ("resources", Resources), ("resourceNames", ResourceNames), ("nonResourceURLs", Paths) })
        {
            if (values.Count > 0)
                json[name] = List(values);
        }

        return json;
    }

    public override string ToString()
    {
        var parts = new[] { ("APIGroups", ApiGroups), ("Resources", Resources), ("NonResourceURLs", Paths), ("ResourceNames", ResourceNames), ("Verbs", Verbs) };
        return $"{{{string.Join(", ", parts.Where(part => part.Item2.Count > 0).Select(part => $"{part.Item1}:{Quote(part.Item2)}"))}}}";
    }

    /// <summary>A list as Go's <c>%q</c> prints it.</summary>
    public static string Quote(IEnumerable<string> values) => $"[{string.Join(' ', values.Select(value => $"\"{value}\""))}]";

    private static JsonArray List(IReadOnlyList<string> values) => new([.. values.Select(value => (JsonNode)value)]);

    private static bool Has(IReadOnlyList<string> values, string value) => values.Contains(All) || values.Contains(value);

    private static bool PathCovers(string rule, string path) =>
        rule == All || rule == path || (rule.EndsWith('*') && path.StartsWith(rule.TrimEnd('*'), StringComparison.Ordinal));

    private bool CoversResource(string resource) =>
        Has(Resources, resource) || (resource.IndexOf('/') is var slash and > 0 && Resources.Contains($"*{resource[slash..]}"));

    /// <summary>The same rights, each with one verb, group, resource and name, or one verb and path.</summary>
    private IEnumerable<PolicyRule> Atoms()
    {
        foreach (var verb in Verbs)
        {
            foreach (var path in Paths)
                yield return new([verb], [], [], [], [path]);
            foreach (var group in ApiGroups)
            {
                foreach (var resource in Resources)
                {
                    if (ResourceNames.Count == 0)
                        yield return new([verb], [group], [resource], [], []);
                    foreach (var name in ResourceNames)
                        yield return new([verb], [group], [resource], [name], []);
                }
            }
        }
    }

    private bool Covers(PolicyRule atom) => Has(Verbs, atom.Verbs[0]) && (atom.Paths.Count > 0
        ? Paths.Any(rule => PathCovers(rule, atom.Paths[0]))
        : Has(ApiGroups, atom.ApiGroups[0]) && CoversResource(atom.Resources[0])
            && (ResourceNames.Count == 0 || (atom.ResourceNames.Count > 0 && ResourceNames.Contains(atom.ResourceNames[0]))));

    /// <summary>Rules are equal when they read the same.</summary>
    private sealed class Comparer : IEqualityComparer<PolicyRule>
    {
        public static readonly Comparer Instance = new();

        public bool Equals(PolicyRule? x, PolicyRule? y) => x?.ToString() == y?.ToString();

        public int GetHashCode(PolicyRule rule) => rule.ToString().GetHashCode(StringComparison.Ordinal);
    }
}
