using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace KubernetesEmulator.Wire;

/// <summary>
/// Reads the few kinds that <c>kubectl</c> sends in Kubernetes' protobuf encoding and in no other: reviews of rights, token requests and
/// what <c>kubectl create</c> makes of its arguments alone. Answers are JSON, which it takes too.
/// </summary>
internal static class Protobuf
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static readonly Field Text = new("");
    private static readonly Field Map = new("") { IsMap = true };
    private static readonly Field Metadata = new("metadata", new()
    {
        [1] = Text with { Name = "name" },
        [2] = Text with { Name = "generateName" },
        [3] = Text with { Name = "namespace" },
        [11] = Map with { Name = "labels" },
        [12] = Map with { Name = "annotations" },
    });

    private static readonly Field TypeMeta = new("", new() { [1] = Text with { Name = "apiVersion" }, [2] = Text with { Name = "kind" } });

    private static readonly Field ResourceAttributes = Strings("resourceAttributes", "namespace", "verb", "group", "version", "resource", "subresource", "name");
    private static readonly Field PathAttributes = Strings("nonResourceAttributes", "path", "verb");

    /// <summary>The fields of each kind but its metadata.</summary>
    private static readonly Dictionary<string, Dictionary<int, Field>> Kinds = new()
    {
        ["Namespace"] = [],
        ["ServiceAccount"] = [],
        ["ConfigMap"] = new() { [2] = Map with { Name = "data" }, [3] = Map with { Name = "binaryData", IsBinary = true } },
        ["Secret"] = new() { [2] = Map with { Name = "data", IsBinary = true }, [3] = Text with { Name = "type" } },
        ["SelfSubjectAccessReview"] = new() { [2] = new("spec", new() { [1] = ResourceAttributes, [2] = PathAttributes }) },
        ["SelfSubjectRulesReview"] = new() { [2] = Strings("spec", "namespace") },
        ["TokenRequest"] = new()
        {
            [2] = new("spec", new()
            {
                [1] = Text with { Name = "audiences", Repeated = true },
                [3] = Strings("boundObjectRef", "kind", "apiVersion", "name", "uid"),
                [4] = Text with { Name = "expirationSeconds" },
            }),
        },
    };

    /// <exception cref="FormatException">It is no such document.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith("k8s\0"u8))
            throw new FormatException("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        var document = new JsonObject();
        ReadOnlySpan<byte> raw = [];
        for (var envelope = new Reader(bytes[4..]); envelope.Next(out var number, out _, out var content);)
        {
            if (number == 1)
                document = Message(content, TypeMeta);
            else if (number == 2)
                raw = content;
        }

        var kind = document.Text("kind") ?? "";
        if (!Kinds.TryGetValue(kind, out var fields))
            throw new FormatException($"no protobuf encoding of kind \"{kind}\" is known here");
        foreach (var (name, value) in Message(raw, new("", new(fields) { [1] = Metadata })))
            document[name] = value?.DeepClone();
        return document;
    }

    private static Field Strings(string name, params string[] fields) =>
        new(name, fields.Select((field, i) => (field, i)).ToDictionary(x => x.i + 1, x => Text with { Name = x.field }));

    private static JsonObject Message(ReadOnlySpan<byte> bytes, Field message)
    {
        var json = new JsonObject();
        for (var reader = new Reader(bytes); reader.Next(out var number, out var integer, out var content);)
        {
            if (!message.Members!.TryGetValue(number, out var field))
                continue;
            if (field.IsMap)
            {
                var (key, entry) = Entry(content, field);
                json.Ensure(field.Name)[key] = entry;
                continue;
            }

            JsonNode value = integer is { } n ? n : field.Members is null ? Encoding.UTF8.GetString(content) : Message(content, field);
            if (!field.Repeated)
                json[field.Name] = value;
            else if (json[field.Name] is JsonArray list)
                list.Add(value);
            else
                json[field.Name] = new JsonArray(value);
        }

        return json;
    }

    private static (string Key, string Value) Entry(ReadOnlySpan<byte> bytes, Field map)
    {
        var (key, value) = ("", "");
        for (var reader = new Reader(bytes); reader.Next(out var number, out _, out var content);)
        {
            if (number == 1)
                key = Encoding.UTF8.GetString(content);
            else
                value = map.IsBinary ? Convert.ToBase64String(content) : Encoding.UTF8.GetString(content);
        }

        return (key, value);
    }

    /// <param name="Name">As in JSON.</param>
    /// <param name="Members">Fields by number, of a message.</param>
    private sealed record Field(string Name, Dictionary<int, Field>? Members = null)
    {
        public bool Repeated { get; init; }

        public bool IsMap { get; init; }

        /// <summary>Whether the values of a map are bytes, which are text in base 64 in JSON.</summary>
        public bool IsBinary { get; init; }
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public bool Next(out int number, out long? integer, out ReadOnlySpan<byte> content)
        {
            number = 0;
            integer = null;
            content = [];
            if (_rest.IsEmpty)
                return false;
            var tag = Varint();
            number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    integer = (long)Varint();
                    break;
                case 1:
                    integer = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
                    break;
                case 2:
                    content = Take(Varint());
                    break;
                default:
                    throw new FormatException("proto: illegal wireType");
            }

            return true;
        }

        private ReadOnlySpan<byte> Take(ulong length)
        {
            if (length > (ulong)_rest.Length)
                throw new FormatException("unexpected EOF");
            var taken = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return taken;
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var next = Take(1)[0];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return value;
            }

            throw new FormatException("proto: integer overflow");
        }
    }
}
