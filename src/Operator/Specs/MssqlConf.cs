using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agents.Operator.Specs;

/// <summary>
/// Settings as the tool <c>mssql-conf</c> names them, <c>section.setting</c>, and the file that the engine reads at start. In the image the
/// file is not there; a mounted one is read just as if the tool had written it.
/// </summary>
internal static partial class MssqlConf
{
    /// <summary>Settings that have a field of their own, or that agents and probes rely on.</summary>
    private static readonly Dictionary<string, string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        ["EULA.accepteula"] = "use spec.acceptEula",
        ["memory.memorylimitmb"] = "use spec.memoryLimitMB",
        ["hadr.hadrenabled"] = "is always on",
        ["network.tcpport"] = "is always 1433: agents, probes and Services use that port",
        ["network.ipaddress"] = "is every address of the pod: agents and replicas reach it by its address",
        ["language.lcid"] = "use spec.collation",
    };

    /// <returns>The file, or null when there are no settings.</returns>
    public static string? Read(FieldReader reader, JsonObject spec)
    {
        const string path = "spec.mssqlConf";
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, node) in reader.Texts(spec, "spec", "mssqlConf"))
        {
            var value = FieldReader.TextOf(node);
            if (!Setting().IsMatch(name))
                reader.Mistake($"{path}[{name}]", "must be a section and a setting of mssql.conf with a dot between them");
            else if (Reserved.TryGetValue(name, out var why))
                reader.Mistake($"{path}[{name}]", why);
            else if (value is not null && value.AsSpan().ContainsAny('\n', '\r'))
                reader.Mistake($"{path}[{name}]", "must be one line", value);
            else if (value is not null)
                settings[name] = value;
        }

        if (settings.Count == 0)
            return null;
        var text = new StringBuilder();
        foreach (var section in settings.GroupBy(setting => setting.Key.Split('.')[0], StringComparer.Ordinal))
        {
            text.Append('[').Append(section.Key).Append("]\n");
            foreach (var (name, value) in section)
                text.Append(name.AsSpan(section.Key.Length + 1)).Append(" = ").Append(value).Append('\n');
        }

        return text.ToString();
    }

    [GeneratedRegex("^[A-Za-z]+\\.[A-Za-z][A-Za-z0-9]*$")]
    private static partial Regex Setting();
}
