using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agents.Operator.Specs;

/// <summary>Reads fields of a document by type and notes what is wrong with them: path, rule and, where it is no secret, value.</summary>
internal sealed class FieldReader
{
    private const int MaxShown = 60;
    private readonly List<string> mistakes = [];

    public IReadOnlyList<string> Mistakes => mistakes;

    public static string? TextOf(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    public void Mistake(string path, string rule) => mistakes.Add($"{path}: {rule}");

    /// <summary>For a field that is there and says the wrong thing.</summary>
    public void Mistake(string path, string rule, JsonNode? found)
    {
        var text = found?.ToJsonString() ?? "null";
        Mistake(path, $"{rule}, not {(text.Length <= MaxShown ? text : text[..MaxShown] + "…")}");
    }

    /// <summary>What a node is, for a field of the wrong type: its value may be a secret in the wrong place.</summary>
    public static string Kind(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };

    public JsonObject? Object(JsonObject parent, string path, string key, bool required = false)
    {
        if (parent[key] is JsonObject found)
            return found;
        if (parent[key] is { } other)
            Mistake($"{path}.{key}", $"must be an object, not {Kind(other)}");
        else if (required)
            Mistake($"{path}.{key}", "is required");
        return null;
    }

    /// <param name="parent">The object that holds the field.</param>
    /// <param name="path">Path of the object.</param>
    /// <param name="key">The field: a list of objects.</param>
    /// <param name="expected">The field that each of them must have, or null for none.</param>
    public JsonArray? Objects(JsonObject parent, string path, string key, string? expected = null)
    {
        if (parent[key] is not { } node)
            return null;
        if (node is JsonArray list && list.All(item => item is JsonObject entry && (expected is null || entry[expected] is not null)))
            return list;
        Mistake($"{path}.{key}", expected is null ? "must be a list of objects" : $"must be a list of objects with {expected}");
        return null;
    }

    public JsonObject Texts(JsonObject parent, string path, string key)
    {
        if (Object(parent, path, key) is not { } map)
            return [];
        foreach (var (name, value) in map)
            if (TextOf(value) is null)
                Mistake($"{path}.{key}[{name}]", $"must be a string, not {Kind(value)}");
        return map;
    }

    public string? Text(JsonObject parent, string path, string key, bool required = false)
    {
        var text = TextOf(parent[key]);
        if (parent[key] is { } other && text is null)
            Mistake($"{path}.{key}", $"must be a string, not {Kind(other)}");
        else if (required && string.IsNullOrEmpty(text))
            Mistake($"{path}.{key}", "is required");
        return text;
    }

    /// <param name="parent">The object that holds the field.</param>
    /// <param name="path">Path of the object.</param>
    /// <param name="key">The field.</param>
    /// <param name="pattern">What its text must match.</param>
    /// <param name="rule">The same in words.</param>
    public string? Text(JsonObject parent, string path, string key, Regex pattern, string rule)
    {
        var text = Text(parent, path, key);
        if (text is not null && !pattern.IsMatch(text))
            Mistake($"{path}.{key}", rule, text);
        return text;
    }

    public string? Choice(JsonObject parent, string path, string key, params string[] choices)
    {
        var text = Text(parent, path, key);
        if (text is not null && !choices.Contains(text))
            Mistake($"{path}.{key}", $"must be one of {string.Join(", ", choices)}", text);
        return text;
    }

    public int? Number(JsonObject parent, string path, string key, int least, int most)
    {
        if (parent[key] is not { } node)
            return null;
        if (node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue<int>(out var number) && number >= least && number <= most)
            return number;
        var rule = most == int.MaxValue ? $"must be a whole number of at least {least}" : $"must be a whole number from {least} to {most}";
        Mistake($"{path}.{key}", rule, node);
        return null;
    }

    public bool Flag(JsonObject parent, string path, string key)
    {
        var kind = parent[key]?.GetValueKind();
        if (kind is not (null or JsonValueKind.True or JsonValueKind.False))
            Mistake($"{path}.{key}", "must be true or false", parent[key]);
        return kind == JsonValueKind.True;
    }

    public SecretKey? Secret(JsonObject parent, string path, string key, bool required = false)
    {
        if (Object(parent, path, key, required) is not { } source || Object(source, $"{path}.{key}", "secretKeyRef", required: true) is not { } reference)
            return null;
        var name = Text(reference, $"{path}.{key}.secretKeyRef", "name", required: true);
        var entry = Text(reference, $"{path}.{key}.secretKeyRef", "key", required: true);
        return name is null || entry is null ? null : new SecretKey(name, entry);
    }
}
