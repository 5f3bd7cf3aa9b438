using System.Text.RegularExpressions;
using Clients.Cases;

namespace Clients.Drivers;

/// <summary>FreeTDS' <c>bsqldb</c>, on DB-Library. It leaves at the first error.</summary>
internal sealed partial class BsqldbClient(string encryption) : FreeTdsClient("bsqldb", encryption)
{
    public override Abilities Abilities => Abilities.LoginNumbers | Abilities.ReadOnlyIntent;

    protected override IEnumerable<string> Arguments => ["-h", "-t", $"{ColumnEnd}"];

    protected override Regex ErrorHeader => Header();

    protected override List<ResultSet> Sets(string output)
    {
        var sets = new List<ResultSet>();
        string? last = null;
        foreach (var line in output.Split('\n'))
        {
            if (Dashes().IsMatch(line))
            {
                sets.Add(new ResultSet { Columns = [.. last!.Split(ColumnEnd)] });
                last = null;
                continue;
            }

            if (last is not null && sets.Count > 0)
                sets[^1].Rows.Add(Cells(last));
            last = line;
        }

        return sets;
    }

    [GeneratedRegex(@"^Msg (?<number>\d+), Level (?<severity>\d+), State (?<state>\d+)")]
    private static partial Regex Header();

    [GeneratedRegex("^-+(\u2551-*)*$")]
    private static partial Regex Dashes();
}
