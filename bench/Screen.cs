using System.Globalization;
using Spectre.Console;

namespace Bench;

/// <summary>What a person sees.</summary>
internal static class Screen
{
    public static void List(IEnumerable<Figure> figures)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("figure", "unit", "goal", "what is measured");
        foreach (var figure in figures)
            table.AddRow(figure.Name, figure.Unit, figure.Goal?.ToString() ?? "", Markup.Escape(figure.Description));
        AnsiConsole.Write(table);
    }

    public static void Begin(Figure figure) => AnsiConsole.WriteLine($"{figure.Name}: {figure.Description}");

    public static void Show(IEnumerable<Result> results)
    {
        AnsiConsole.WriteLine();
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("figure").NoWrap()).AddColumn(new TableColumn("unit").NoWrap());
        foreach (var heading in new[] { "median", "min", "max", "p95", "samples", "goal" })
            table.AddColumn(new TableColumn(heading).RightAligned().NoWrap());
        table.AddColumn("met");
        foreach (var result in results)
        {
            table.AddRow(
                result.Name, result.Unit, Number(result.Median), Number(result.Min), Number(result.Max), Number(result.P95),
                result.Runs.ToString(CultureInfo.InvariantCulture), result.Goal ?? "",
                result.Met switch { true => "[green]yes[/]", false => "[red]no[/]", null => "" });
        }

        AnsiConsole.Write(table);
    }

    /// <summary>Where no terminal tells its width, lines may be as long as they are.</summary>
    public static void Prepare()
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 160;
    }

    private static string Number(double value) => value.ToString(value >= 100 ? "#,0" : "0.##", CultureInfo.InvariantCulture);
}
