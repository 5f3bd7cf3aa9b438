using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>
/// Reads the plain block YAML in which kubectl writes kubeconfig files: mappings, sequences, plain and quoted scalars, empty flow
/// collections, comments. Everything else is an error that names the line, never a guess.
/// </summary>
internal static class KubeconfigYaml
{
    public static JsonNode? Parse(string text)
    {
        var lines = new List<Line>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r', ' ');
            var content = line.TrimStart(' ');
            if (content.Length == 0 || content[0] == '#' || (content == "---" && lines.Count == 0))
                continue;
            if (content[0] == '\t')
                throw Wrong(number, "tabs do not indent");
            lines.Add(new Line(number, line.Length - content.Length, content));
        }

        var reader = new Reader(lines);
        var node = lines.Count == 0 ? null : reader.Block(lines[0].Indent);
        return reader.AtEnd ? node : throw Wrong(reader.Current.Number, "unexpected indentation");
    }

    private static FormatException Wrong(int line, string what) => new($"line {line}: {what}");

    private readonly record struct Line(int Number, int Indent, string Content);

    private sealed class Reader(List<Line> lines)
    {
        private const int DeepestNesting = 64;
        private int position;
        private int depth;

        public bool AtEnd => position >= lines.Count;

        public Line Current => lines[position];

        public JsonNode? Block(int indent)
        {
            if (++depth > DeepestNesting)
                throw Wrong(Current.Number, "nested too deeply");
            var node = IsItem(Current.Content) ? Sequence(indent) : KeyEnd(Current) > 0 ? Mapping(indent) : Lone();
            depth--;
            return node;
        }

        private static bool IsItem(string content) => content == "-" || content.StartsWith("- ", StringComparison.Ordinal);

        /// <summary>Index of the colon after the key, or -1 when the line is no entry of a mapping.</summary>
        private static int KeyEnd(Line line)
        {
            var text = line.Content;
            var from = 0;
            if (text[0] is '"' or '\'')
            {
                from = text.IndexOf(text[0], 1) + 1;
                if (from == 0)
                    throw Wrong(line.Number, "a quote is not closed");
                return from < text.Length && text[from] == ':' ? from : -1;
            }

            for (var i = from; i < text.Length; i++)
                if (text[i] == ':' && (i + 1 == text.Length || text[i + 1] == ' '))
                    return i;
            return -1;
        }

        private JsonNode? Lone() => Scalar(lines[position++]);

        private JsonArray Sequence(int indent)
        {
            var array = new JsonArray();
            while (!AtEnd && Current.Indent == indent && IsItem(Current.Content))
            {
                var line = Current;
                var rest = line.Content[1..].TrimStart(' ');
                if (rest.Length == 0 || rest[0] == '#')
                {
                    position++;
                    array.Add(!AtEnd && Current.Indent > indent ? Block(Current.Indent) : null);
                    continue;
                }

                // The item's first line becomes a line of its own, indented to where it begins.
                var inner = indent + line.Content.Length - rest.Length;
                lines[position] = new Line(line.Number, inner, rest);
                array.Add(Block(inner));
            }

            return array;
        }

        private JsonObject Mapping(int indent)
        {
            var mapping = new JsonObject();
            while (!AtEnd && Current.Indent == indent && !IsItem(Current.Content))
            {
                var line = Current;
                var end = KeyEnd(line);
                if (end <= 0)
                    throw Wrong(line.Number, "expected 'key: value'");
                var key = Scalar(line with { Content = line.Content[..end] })?.ToString() ?? "null";
                var rest = line.Content[(end + 1)..].TrimStart(' ');
                position++;
                JsonNode? value;
                if (rest.Length > 0 && rest[0] != '#')
                    value = Scalar(line with { Content = rest });
                else if (!AtEnd && (Current.Indent > indent || (Current.Indent == indent && IsItem(Current.Content))))
                    value = Block(Current.Indent);
                else
                    value = null;
                if (!mapping.TryAdd(key, value))
                    throw Wrong(line.Number, $"'{key}' comes twice");
            }

            return mapping;
        }

        private static JsonNode? Scalar(Line line)
        {
            var text = line.Content;
            switch (text[0])
            {
                case '"':
                    return DoubleQuoted(line);
                case '\'':
                    return SingleQuoted(line);
                case '|' or '>' or '&' or '*' or '!' or '%' or '@' or '`':
                    throw Wrong(line.Number, $"'{text[0]}' is YAML beyond what is read here; write the file with kubectl, or as JSON");
            }

            var comment = text.IndexOf(" #", StringComparison.Ordinal);
            if (comment >= 0)
                text = text[..comment].TrimEnd(' ');
            return text switch
            {
                "{}" => new JsonObject(),
                "[]" => new JsonArray(),
                "null" or "~" => null,
                _ when text[0] is '{' or '[' => throw Wrong(line.Number, "flow collections are not read here; write the file with kubectl, or as JSON"),
                _ => JsonValue.Create(text),
            };
        }

        private static JsonValue SingleQuoted(Line line)
        {
            var result = new StringBuilder();
            for (var i = 1; i < line.Content.Length; i++)
            {
                if (line.Content[i] != '\'')
                    result.Append(line.Content[i]);
                else if (i + 1 < line.Content.Length && line.Content[i + 1] == '\'')
                    result.Append(line.Content[i++]);
                else
                    return Closed(line, i, result);
            }

            throw Wrong(line.Number, "a quote is not closed");
        }

        private static JsonValue DoubleQuoted(Line line)
        {
            var text = line.Content;
            var result = new StringBuilder();
            for (var i = 1; i < text.Length; i++)
            {
                if (text[i] == '"')
                    return Closed(line, i, result);
                if (text[i] != '\\')
                {
                    result.Append(text[i]);
                    continue;
                }

                i++;
                switch (i < text.Length ? text[i] : '\0')
                {
                    case '"' or '\\' or '/':
                        result.Append(text[i]);
                        break;
                    case 'n':
                        result.Append('\n');
                        break;
                    case 't':
                        result.Append('\t');
                        break;
                    case 'u' when i + 4 < text.Length
                        && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code):
                        result.Append((char)code);
                        i += 4;
                        break;
                    default:
                        throw Wrong(line.Number, "an escape that is not read here");
                }
            }

            throw Wrong(line.Number, "a quote is not closed");
        }

        private static JsonValue Closed(Line line, int at, StringBuilder value)
        {
            var rest = line.Content[(at + 1)..].TrimStart(' ');
            return rest.Length == 0 || rest[0] == '#' ? JsonValue.Create(value.ToString()) : throw Wrong(line.Number, "text after a closing quote");
        }
    }
}
