using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KubernetesEmulator.Wire;

/// <summary>
/// Reads and writes JSON documents as fully built node trees: <see cref="JsonNode.Parse(string, JsonNodeOptions?, JsonDocumentOptions)"/>
/// builds its tree on first use, which two readers at once must not do.
/// </summary>
internal static class Document
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonNode? Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 256 });
        return Build(document.RootElement);
    }

    public static byte[] Write(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            node.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    public static JsonObject Copy(this JsonObject node) => (JsonObject)node.DeepClone();

    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var step in path)
        {
            if (node is not JsonObject o || !o.TryGetPropertyValue(step, out node))
                return null;
        }

        return node;
    }

    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    public static long? Number(this JsonNode? node, params ReadOnlySpan<string> path) => Integer(node.At(path));

    public static bool Flag(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue v && v.TryGetValue<bool>(out var b) && b;

    public static JsonObject? Child(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path) as JsonObject;

    public static IEnumerable<JsonObject> Objects(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonArray a ? a.OfType<JsonObject>() : [];

    public static IEnumerable<string> Texts(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonArray a ? a.Select(i => i.Text() ?? "") : [];

    /// <summary>The object at <paramref name="key"/>, made when absent or not an object.</summary>
    public static JsonObject Ensure(this JsonObject node, string key)
    {
        if (node[key] is JsonObject existing)
            return existing;
        var made = new JsonObject();
        node[key] = made;
        return made;
    }

    /// <summary>Sets <paramref name="key"/> unless it has a value.</summary>
    public static void Default(this JsonObject node, string key, JsonNode value)
    {
        if (node[key] is null)
            node[key] = value;
    }

    public static void Put(this JsonObject node, string key, JsonNode? value)
    {
        if (value is null)
            node.Remove(key);
        else
            node[key] = value.DeepClone();
    }

    public static long? Integer(JsonNode? node)
    {
        if (node is not JsonValue v)
            return null;
        if (v.TryGetValue<long>(out var l))
            return l;
        if (v.TryGetValue<int>(out var i))
            return i;
        return v.TryGetValue<double>(out var d) && d == Math.Floor(d) && Math.Abs(d) < 1e18 ? (long)d : null;
    }

    public static double? Real(JsonNode? node) =>
        Integer(node) is { } l ? l : node is JsonValue v && v.TryGetValue<double>(out var d) ? d : null;

    /// <summary>A value as the API server prints it in messages.</summary>
    public static string Show(JsonNode? node) => node is null ? "null" : System.Text.Encoding.UTF8.GetString(Write(node));

    public static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a, b);

    /// <summary>Removes null members everywhere, as decoding into a typed object would.</summary>
    public static void DropNulls(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (key, value) in o.ToArray())
                {
                    if (value is null)
                        o.Remove(key);
                    else
                        DropNulls(value);
                }

                break;
            case JsonArray a:
                foreach (var item in a)
                    DropNulls(item);
                break;
        }
    }

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string MicroTime(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? ParseTime(string? text) =>
        text is not null && text.Length >= 20 && text[10] is 'T' or 't'
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    /// <summary>A time with exactly six digits after the second: with more or fewer, it is none.</summary>
    public static DateTimeOffset? ParseMicroTime(string? text) => text is { Length: > 26 } && text[19] == '.' && text[26] is 'Z' or '+' or '-' ? ParseTime(text) : null;

    private static JsonNode? Build(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var o = new JsonObject();
                foreach (var property in element.EnumerateObject())
                    o[property.Name] = Build(property.Value);
                return o;
            case JsonValueKind.Array:
                var a = new JsonArray();
                foreach (var item in element.EnumerateArray())
                    a.Add(Build(item));
                return a;
            case JsonValueKind.String:
                return JsonValue.Create(element.GetString());
            case JsonValueKind.Number:
                return element.TryGetInt64(out var l) ? JsonValue.Create(l) : JsonValue.Create(element.GetDouble());
            case JsonValueKind.True:
                return JsonValue.Create(true);
            case JsonValueKind.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }
}
