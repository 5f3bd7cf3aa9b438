using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Schema;

/// <summary>
/// What becomes of a document that is decoded into the types of its kind and encoded again: a value of another type is an error, unknown fields and zero
/// values that are not written are dropped, times and quantities get their usual form.
/// </summary>
internal sealed partial class Decoder
{
    private readonly List<string> _unknown = [];
    private readonly bool _byKey;

    private Decoder(bool byKey) => _byKey = byKey;

    /// <param name="r">The kind. Of a custom resource only the metadata has types; the rest is pruned by its schema.</param>
    /// <param name="o">The document, which is changed.</param>
    /// <param name="byKey">Whether paths name the items of keyed lists by their keys instead of their positions.</param>
    /// <returns>The paths of the fields that there are none of.</returns>
    /// <exception cref="FormatException">A value cannot be decoded; the message says which and why, in Go's words.</exception>
    public static List<string> Decode(Resource r, JsonObject o, bool byKey = false)
    {
        var decoder = new Decoder(byKey);
        if (!r.IsCustom)
        {
            decoder.Struct(o, r.Schema.Text("$ref")!, "");
            return decoder._unknown;
        }

        decoder.Struct(o.Ensure("metadata"), BuiltInTypes.ObjectMeta, "metadata");
        return [.. decoder._unknown, .. SchemaCheck.Prune(o, r.Schema)];
    }

    private void Struct(JsonObject o, string definition, string path)
    {
        var fields = BuiltInTypes.Definitions[definition].Child("properties") ?? [];
        foreach (var (name, value) in o.ToArray())
        {
            var here = path.Length == 0 ? name : $"{path}.{name}";
            if (fields[name] is not JsonObject field)
            {
                o.Remove(name);
                _unknown.Add(here);
                continue;
            }

            var decoded = value is null ? null : Value(value, field, new Place(definition, here));
            if (decoded is null || (field.Flag(BuiltInTypes.OmitZero) && IsZero(decoded)))
                o.Remove(name);
            else if (decoded != value)
                o[name] = decoded;
        }
    }

    private JsonNode Value(JsonNode value, JsonObject type, Place at)
    {
        if (type.Text("$ref") is { } definition)
        {
            Struct(value as JsonObject ?? throw at.Wrong(value, type), definition, at.Path);
            return value;
        }

        switch (type.Text("type"))
        {
            case "array":
                var items = value as JsonArray ?? throw at.Wrong(value, type);
                for (var i = 0; i < items.Count; i++)
                {
                    if (items[i] is { } item && Value(item, type.Child("items")!, at with { Path = $"{at.Path}[{Step(type, item, i)}]" }) is var decoded && decoded != item)
                        items[i] = decoded;
                }

                return items;
            case "object":
                var map = value as JsonObject ?? throw at.Wrong(value, type);
                if (type.Child("additionalProperties") is not { } element)
                    return map;
                foreach (var (key, entry) in map.ToArray())
                {
                    // Go decodes null to the zero value, which for text is the empty one.
                    var decoded = entry is null ? "" : Value(entry, element, at with { Path = $"{at.Path}[{key}]", InMap = true });
                    if (decoded != entry)
                        map[key] = decoded;
                }

                return map;
            case "string":
                return String(value, type, at);
            case "boolean":
                return value is JsonValue flag && flag.TryGetValue<bool>(out _) ? value : throw at.Wrong(value, type);
            case "integer":
                return Document.Integer(value) is { } number && (type.Text("format") != "int32" || number is >= int.MinValue and <= int.MaxValue) ? value : throw at.Wrong(value, type);
            case "number":
                return Document.Real(value) is not null ? value : throw at.Wrong(value, type);
            default:
                return value;
        }
    }

    private string Step(JsonObject list, JsonNode item, int index) => _byKey && list["x-kubernetes-list-map-keys"] is not null
        ? string.Join(',', list.Texts("x-kubernetes-list-map-keys").Select(k => $"{k}={Document.Show(item.At(k))}"))
        : index.ToString(CultureInfo.InvariantCulture);

    private static JsonNode String(JsonNode value, JsonObject type, Place at)
    {
        var format = type.Text("format");
        if (format == "quantity" && (value.Text() ?? (Document.Real(value) is null ? null : Document.Show(value))) is { } amount)
            return Quantity.Canonical(amount, at.InMap) is var canonical && canonical == value.Text() ? value : canonical;
        if (value.Text() is not { } text)
        {
            return format switch
            {
                "int-or-string" when Document.Integer(value) is not null => value,
                "int-or-string" => throw new FormatException($"json: cannot unmarshal {Place.Actual(value)} into Go value of type int32"),
                null => throw at.Wrong(value, type),
                _ => throw new FormatException($"json: cannot unmarshal {Place.Actual(value)} into Go value of type string"),
            };
        }

        switch (format)
        {
            case "byte" when !Convert.TryFromBase64String(text, new byte[text.Length], out _):
                throw new FormatException("illegal base64 data");
            case "date-time":
                return Document.ParseTime(text) is { } time ? Document.Time(time) : throw Unparsed(text, "2006-01-02T15:04:05Z07:00");
            case "micro-time":
                return Document.ParseMicroTime(text) is { } precise ? Document.MicroTime(precise) : throw Unparsed(text, "2006-01-02T15:04:05.000000Z07:00");
            default:
                return value;
        }
    }

    private static FormatException Unparsed(string time, string layout) => new($"parsing time \"{time}\" as \"{layout}\": cannot parse \"{time}\"");

    private static bool IsZero(JsonNode value) => value switch
    {
        JsonObject o => o.Count == 0,
        JsonArray a => a.Count == 0,
        _ when value.Text() is { } text => text.Length == 0,
        _ when Document.Real(value) is { } number => number == 0,
        _ => !value.Flag(),
    };

    /// <summary>Where a value stands: in which type, and at which path.</summary>
    private sealed partial record Place(string Definition, string Path)
    {
        public bool InMap { get; init; }

        public FormatException Wrong(JsonNode value, JsonObject type) =>
            new($"json: cannot unmarshal {Actual(value)} into Go struct field {Short(Definition)}.{Position().Replace(Path, "")} of type {GoType(type)}");

        public static string Actual(JsonNode value) => value switch
        {
            JsonObject => "object",
            JsonArray => "array",
            _ when value.Text() is not null => "string",
            _ when Document.Real(value) is not null => "number",
            _ => "bool",
        };

        private static string Short(string definition) => definition[(definition.LastIndexOf('.') + 1)..];

        private static string GoType(JsonObject type) => type.Text("$ref") is { } definition
            ? $"v1.{Short(definition)}"
            : type.Text("type") switch
            {
                "array" => "[]" + GoType(type.Child("items")!),
                "object" => type.Child("additionalProperties") is { } element ? "map[string]" + GoType(element) : "map[string]interface {}",
                "integer" => type.Text("format")!,
                "boolean" => "bool",
                "number" => "float64",
                _ => "string",
            };

        [GeneratedRegex(@"\[[^\]]*\]")]
        private static partial Regex Position();
    }
}
