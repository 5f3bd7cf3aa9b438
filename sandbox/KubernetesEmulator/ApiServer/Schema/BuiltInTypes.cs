using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Schema;

/// <summary>
/// The types of the built-in kinds, read from <c>Types.txt</c> into schemas like those of custom resources. A <c>$ref</c> in them is the name of
/// another one; <see cref="OmitZero"/> marks fields that are not written when empty, zero or false.
/// </summary>
internal static class BuiltInTypes
{
    public const string OmitZero = "omitZero";

    public const string ObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

    private static readonly Dictionary<string, JsonObject> Types = new(StringComparer.Ordinal);
    private static readonly Dictionary<(string ApiVersion, string Kind), string> Kinds = [];

    static BuiltInTypes()
    {
        using var stream = typeof(BuiltInTypes).Assembly.GetManifestResourceStream("Types.txt")!;
        using var reader = new StreamReader(stream);
        Read(reader);
    }

    public static IReadOnlyDictionary<string, JsonObject> Definitions => Types;

    /// <summary>A reference to the definition of a kind; an empty schema for kinds that are not built in.</summary>
    public static JsonObject Of(string apiVersion, string kind) => Kinds.TryGetValue((apiVersion, kind), out var name) ? new JsonObject { ["$ref"] = name } : [];

    /// <summary>The schema itself, or the one that it refers to.</summary>
    public static JsonObject? Resolve(JsonObject? schema) => schema.Text("$ref") is { } name ? Types[name] : schema;

    private static void Read(TextReader reader)
    {
        var (package, apiVersion) = ("", "");
        var packages = new Dictionary<string, string>(StringComparer.Ordinal);
        var fields = new List<(JsonObject Type, string Package, string Line)>();
        JsonObject type = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] == ' ')
            {
                fields.Add((type, package, line.Trim()));
            }
            else if (line.StartsWith("package ", StringComparison.Ordinal))
            {
                (package, apiVersion) = line.Split(' ') is [_, var name, .. var rest] ? (name, rest.FirstOrDefault() ?? "") : throw new FormatException(line);
                packages[string.Join('.', package.Split('.')[^2..])] = package;
            }
            else
            {
                var (head, description) = Halves(line);
                var words = head.Split(' ');
                Types[$"{package}.{words[0]}"] = type = new JsonObject { ["description"] = description, ["type"] = "object" };
                if (words.Contains("atomic"))
                    type["x-kubernetes-map-type"] = "atomic";
                if (apiVersion.Length > 0)
                    Kinds[(apiVersion, words[0])] = $"{package}.{words[0]}";
            }
        }

        // Types are referred to before they are described.
        foreach (var (owner, home, line) in fields)
            Field(owner, line, name => name.LastIndexOf('.') is > 0 and var dot ? $"{packages[name[..dot]]}{name[dot..]}" : $"{home}.{name}");
    }

    private static void Field(JsonObject owner, string line, Func<string, string> qualify)
    {
        var (head, description) = Halves(line);
        var words = head.Split(' ');
        var name = words[0].TrimEnd('!', '?');
        var (schema, used) = Type(words.AsSpan(1), qualify);
        if (description.Length > 0)
            schema["description"] = description;
        if (words[0][^1] == '?')
            schema[OmitZero] = true;
        foreach (var flag in words[(1 + used)..])
            Flag(schema, flag);
        owner.Ensure("properties")[name] = schema;
        if (words[0][^1] != '!')
            return;
        if (owner["required"] is not JsonArray required)
            owner["required"] = required = [];
        required.Add(name);
    }

    private static (JsonObject Schema, int Words) Type(ReadOnlySpan<string> words, Func<string, string> qualify)
    {
        if (words[0].StartsWith("[]", StringComparison.Ordinal))
            return (new JsonObject { ["type"] = "array", ["items"] = Type([words[0][2..], .. words[1..]], qualify).Schema }, 1);
        if (words[0] == "map")
            return (new JsonObject { ["type"] = "object", ["additionalProperties"] = Type(words[1..], qualify).Schema }, 2);
        return (words[0] switch
        {
            "any" => new JsonObject { ["x-kubernetes-preserve-unknown-fields"] = true },
            "object" => new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
            "string" => Scalar("string"),
            "bool" => Scalar("boolean"),
            "int32" or "int64" => Scalar("integer", words[0]),
            "double" => Scalar("number", "double"),
            "bytes" => Scalar("string", "byte"),
            "time" => Scalar("string", "date-time"),
            "microtime" => Scalar("string", "micro-time"),
            "quantity" => Scalar("string", "quantity"),
            "intOrString" => Scalar("string", "int-or-string"),
            var other => new JsonObject { ["$ref"] = qualify(other) },
        }, 1);
    }

    private static JsonObject Scalar(string type, string? format = null)
    {
        var schema = new JsonObject { ["type"] = type };
        schema.Put("format", format);
        return schema;
    }

    private static void Flag(JsonObject schema, string flag)
    {
        var (name, arguments) = flag.Split('(', ')') is [var n, var a, ..] ? (n, a) : (flag, "");
        switch (name)
        {
            case "keys":
                schema["x-kubernetes-list-type"] = "map";
                schema["x-kubernetes-list-map-keys"] = Words(arguments);
                break;
            case "set":
                schema["x-kubernetes-list-type"] = "set";
                break;
            case "atomic":
                schema["x-kubernetes-map-type"] = "atomic";
                break;
            case "merge":
                schema["x-kubernetes-patch-strategy"] = schema.Text("x-kubernetes-patch-strategy") is { } before ? $"merge,{before}" : "merge";
                if (arguments.Length > 0)
                    schema["x-kubernetes-patch-merge-key"] = arguments;
                break;
            case "retainKeys":
                schema["x-kubernetes-patch-strategy"] = "retainKeys";
                break;
            case "enum":
                schema["enum"] = Words(arguments);
                break;
            case "default":
                schema["default"] = arguments;
                break;
            default:
                throw new FormatException($"Types.txt: '{flag}' is no flag.");
        }
    }

    private static JsonArray Words(string list) => [.. list.Split(',').Select(w => JsonValue.Create(w))];

    private static (string Head, string Description) Halves(string line) =>
        line.IndexOf(" -- ", StringComparison.Ordinal) is >= 0 and var at ? (line[..at], line[(at + 4)..]) : (line, "");
}
