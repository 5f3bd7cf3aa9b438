using System.Text.RegularExpressions;
using Clients.Cases;

namespace Clients.Drivers;

/// <summary>FreeTDS' <c>tsql</c>, which shows everything the library sees.</summary>
internal sealed partial class TsqlClient(string encryption) : FreeTdsClient("tsql", encryption)
{
    private const string RowEnd = "\u2563\n";

    public override Abilities Abilities =>
        Abilities.LoginNumbers | Abilities.LongText | Abilities.Notices | Abilities.AllErrors | Abilities.GoesOn | Abilities.ReadOnlyIntent;

    protected override IEnumerable<string> Arguments => ["-t", $"{ColumnEnd}", "-r", RowEnd];

    protected override Regex ErrorHeader => Header();

    /// <summary>A set is its names, its rows and a count; one without rows is its names alone, so it must be the last of its step.</summary>
    protected override List<ResultSet> Sets(string output)
    {
        var sets = new List<ResultSet>();
        var open = false;
        foreach (var part in Prompts().Replace(output, "\n\0").Split('\0').SelectMany(step => step.Split(RowEnd).Append("\0")))
        {
            var line = Footer().Replace(part, "");
            if (line.Length < part.Length || part == "\0")
                open = false;
            line = line.TrimStart('\n');
            if (line.Length == 0 || part == "\0" || Locale().IsMatch(line))
                continue;
            if (open)
            {
                sets[^1].Rows.Add(Cells(line));
            }
            else
            {
                sets.Add(new ResultSet { Columns = [.. line.Split(ColumnEnd)] });
                open = true;
            }
        }

        return sets;
    }

    [GeneratedRegex(@"^Msg (?<number>\d+) \(severity (?<severity>\d+), state (?<state>\d+)\)")]
    private static partial Regex Header();

    [GeneratedRegex(@"(^|\n)(\d+> )+")]
    private static partial Regex Prompts();

    [GeneratedRegex(@"^\(\d+ rows? affected\)\n?")]
    private static partial Regex Footer();

    [GeneratedRegex(@"^(locale |using default)")]
    private static partial Regex Locale();
}
