using System.Text.Json.Nodes;

namespace Scenarios.Rights;

/// <summary>One verb on one resource, and, where a rule names objects, on one of them.</summary>
internal sealed record Right(string Verb, string Group, string Resource, string? Name = null)
{
    /// <summary>All that the rules of a role give.</summary>
    public static IEnumerable<Right> Of(JsonObject role) => role["rules"]!.AsArray().SelectMany(x => Of(x!));

    /// <summary>All that one rule gives.</summary>
    public static IEnumerable<Right> Of(JsonNode rule) =>
        from resource in Texts(rule, "resources")
        from @group in Texts(rule, "apiGroups")
        from verb in Texts(rule, "verbs")
        from name in Texts(rule, "resourceNames").DefaultIfEmpty()
        select new Right(verb, @group, resource, name);

    public override string ToString() =>
        $"{Verb} {Resource}{(Group.Length == 0 ? "" : $".{Group}")}{(Name is null ? "" : $" \"{Name}\"")}";

    private static IEnumerable<string> Texts(JsonNode rule, string field) => rule[field]?.AsArray().Select(x => x!.GetValue<string>()) ?? [];
}
