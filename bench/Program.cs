using System.CommandLine;
using System.Text.Json;
using Bench;
using Bench.Figures;

var names = new Argument<string[]>("figure")
{
    Description = "'list', 'all', or names of figures.", Arity = ArgumentArity.OneOrMore,
};
var runs = new Option<int>("--runs") { Description = "How often each figure is measured.", DefaultValueFactory = _ => 5 };
var json = new Option<FileInfo?>("--json") { Description = "File for the results as JSON." };
var root = new RootCommand("Measures the SQL Server simulator on this machine. Build with -c Release.") { names, runs, json };
root.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(names)!, Math.Max(1, parsed.GetValue(runs)), parsed.GetValue(json), cancellation));
return await root.Parse(args).InvokeAsync();

static async Task<int> RunAsync(string[] names, int runs, FileInfo? json, CancellationToken cancellation)
{
    Screen.Prepare();
    if (names is ["list"])
    {
        Screen.List(Catalog.Figures);
        return 0;
    }

    var unknown = names.Where(name => name != "all" && Catalog.Find(name) is null).ToList();
    if (unknown.Count > 0)
    {
        await Console.Error.WriteLineAsync(
            $"No such figure: {string.Join(", ", unknown)}. There are: all, {string.Join(", ", Catalog.Figures.Select(figure => figure.Name))}.");
        return 2;
    }

    List<Result> results = [];
    foreach (var figure in names.Contains("all") ? Catalog.Figures : names.Distinct().Select(name => Catalog.Find(name)!))
    {
        Screen.Begin(figure);
        List<double> samples = [];
        await foreach (var sample in figure.MeasureAsync(runs, cancellation))
            samples.Add(sample);
        results.Add(Result.Of(figure, samples));
    }

    Screen.Show(results);
    if (json is not null)
        await File.WriteAllTextAsync(json.FullName, JsonSerializer.Serialize(results, ResultJson.Default.IReadOnlyListResult), cancellation);
    return 0;
}
