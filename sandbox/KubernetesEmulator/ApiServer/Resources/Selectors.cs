using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;

namespace KubernetesEmulator.Resources;

/// <summary>Label and field selectors of a list, watch or collection deletion.</summary>
internal sealed partial class Selectors
{
    private readonly List<Func<JsonObject, bool>> _tests = [];

    public static Selectors Parse(Resource resource, string? labels, string? fields)
    {
        var selectors = new Selectors();
        foreach (var term in SplitTerms(labels))
            selectors._tests.Add(LabelTerm(term));
        foreach (var term in (fields ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            selectors._tests.Add(FieldTerm(resource, term));
        return selectors;
    }

    public bool Match(JsonObject o)
    {
        foreach (var test in _tests)
        {
            if (!test(o))
                return false;
        }

        return true;
    }

    private static IEnumerable<string> SplitTerms(string? text)
    {
        var depth = 0;
        var start = 0;
        text ??= "";
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] == '(')
                depth++;
            else if (i < text.Length && text[i] == ')')
                depth--;
            if (i < text.Length && (text[i] != ',' || depth > 0))
                continue;
            if (text[start..i].Trim() is { Length: > 0 } term)
                yield return term;
            start = i + 1;
        }
    }

    private static Func<JsonObject, bool> LabelTerm(string term)
    {
        if (Set().Match(term) is { Success: true } set)
        {
            var key = set.Groups["key"].Value;
            var values = set.Groups["values"].Value.Split(',', StringSplitOptions.TrimEntries);
            return set.Groups["not"].Success
                ? o => Label(o, key) is not { } v || !values.Contains(v)
                : o => Label(o, key) is { } v && values.Contains(v);
        }

        if (Equality().Match(term) is { Success: true } equality)
        {
            var key = equality.Groups["key"].Value;
            var value = equality.Groups["value"].Value;
            return equality.Groups["op"].Value == "!=" ? o => Label(o, key) != value : o => Label(o, key) == value;
        }

        if (Existence().Match(term) is { Success: true } existence)
        {
            var key = existence.Groups["key"].Value;
            return existence.Groups["not"].Success ? o => Label(o, key) is null : o => Label(o, key) is not null;
        }

        throw ApiError.BadRequest($"unable to parse requirement: {term}");
    }

    private static Func<JsonObject, bool> FieldTerm(Resource resource, string term)
    {
        var match = FieldTermPattern().Match(term);
        if (!match.Success)
            throw ApiError.BadRequest($"invalid field selector: \"{term}\"; can't understand '{term}'");
        var field = match.Groups["key"].Value;
        if (field != "metadata.name" && field != "metadata.namespace" && !resource.FieldLabels.Contains(field))
            throw ApiError.BadRequest($"Unable to find \"{resource.ApiVersion}, Resource={resource.Plural}\" that match label selector \"\", "
                + $"field selector \"{term}\": field label not supported: {field}");
        var path = field.Split('.');
        var value = match.Groups["value"].Value;
        if (resource.Plural == "events" && field == "source")
            path = ["source", "component"];
        return match.Groups["op"].Value == "!=" ? o => Field(o, path) != value : o => Field(o, path) == value;
    }

    private static string? Label(JsonObject o, string key) => o.Text("metadata", "labels", key);

    private static string Field(JsonObject o, string[] path) =>
        o.At(path) is { } node ? node.Text() ?? Document.Show(node) : path is ["spec", "unschedulable"] or ["spec", "hostNetwork"] ? "false" : "";

    private const string KeyPattern = @"(?<key>([A-Za-z0-9][A-Za-z0-9.\-]*/)?[A-Za-z0-9]([A-Za-z0-9_.\-]*[A-Za-z0-9])?)";

    [GeneratedRegex("^" + KeyPattern + @"\s+(?<not>not)?in\s*\((?<values>[^()]*)\)$")]
    private static partial Regex Set();

    [GeneratedRegex("^" + KeyPattern + @"\s*(?<op>==|!=|=)\s*(?<value>[A-Za-z0-9_.\-]*)$")]
    private static partial Regex Equality();

    [GeneratedRegex(@"^(?<not>!)?\s*" + KeyPattern + "$")]
    private static partial Regex Existence();

    [GeneratedRegex(@"^(?<key>[A-Za-z0-9_.\-/]+?)(?<op>==|!=|=)(?<value>.*)$")]
    private static partial Regex FieldTermPattern();
}
