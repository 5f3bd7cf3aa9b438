using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Tables;

/// <summary>The JSONPath that printer columns use: fields, indices, <c>[*]</c> and <c>[?(@.field=="value")]</c>.</summary>
internal static partial class JsonPath
{
    public static Func<JsonNode?, IEnumerable<JsonNode?>> Parse(string path)
    {
        var steps = Step().Matches(path).Select<Match, Func<JsonNode?, IEnumerable<JsonNode?>>>(m =>
        {
            if (m.Groups["filter"].Success)
            {
                var (field, value) = (m.Groups["field"].Value.Split('.'), m.Groups["value"].Value);
                return n => n is JsonArray a ? a.Where(i => (i.At(field).Text() ?? Document.Show(i.At(field))) == value) : [];
            }

            if (m.Groups["all"].Success)
                return n => n is JsonArray a ? a : n is JsonObject o ? o.Select(p => p.Value) : [];
            if (m.Groups["index"].Success)
            {
                var index = int.Parse(m.Groups["index"].Value, CultureInfo.InvariantCulture);
                return n => n is JsonArray a && index < a.Count ? [a[index]] : [];
            }

            var name = (m.Groups["quoted"].Success ? m.Groups["quoted"] : m.Groups["name"]).Value.Replace("\\.", ".", StringComparison.Ordinal);
            return n => n is JsonObject o && o.TryGetPropertyValue(name, out var child) && child is not null ? [child] : [];
        }).ToArray();
        return root => steps.Aggregate<Func<JsonNode?, IEnumerable<JsonNode?>>, IEnumerable<JsonNode?>>([root], (nodes, step) => nodes.SelectMany(step));
    }

    [GeneratedRegex("""\[\?\(@\.(?<field>[A-Za-z0-9_.]+)(?<filter>\s*==\s*)(["']?)(?<value>[^"')]*)\1\)\]|(?<all>\[\*\])|\[(?<index>\d+)\]|\['(?<quoted>[^']+)'\]|\.(?<name>(\\.|[^.\[\\])+)""")]
    private static partial Regex Step();
}
