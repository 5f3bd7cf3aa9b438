using System.Text.Json;
using Sandbox.Output;
using Sandbox.Playground;
using Sandbox.Scenarios;
using Sandbox.Steps;

namespace Sandbox;

/// <summary>Named scenarios, one after another, on one cluster for as long as each leaves it calm.</summary>
internal sealed class ScenarioCommand(Backend backend, IScreen screen, TimeProvider time)
{
    public static int List(TextWriter output)
    {
        output.WriteLine("scenarios:");
        foreach (var scenario in Catalog.Scenarios.Append(Catalog.Namespaced).Append(Catalog.Idle))
            output.WriteLine($"  {scenario.Name,-18} {scenario.Title}");
        output.WriteLine("scenarios for --private-network or --control-plane:");
        foreach (var scenario in Catalog.Cuts)
            output.WriteLine($"  {scenario.Name,-18} {scenario.Title}");
        output.WriteLine("disturbances, in the middle of any of them (kill+api-restart):");
        foreach (var disturbance in Catalog.Disturbances)
            output.WriteLine($"  {disturbance.Name,-18} {disturbance.Title}");
        output.WriteLine("and: representative (each scenario, with one disturbance each), all (each with each)");
        return 0;
    }

    public async Task<int> RunAsync(IReadOnlyList<string> names, int seed, string? json, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        var plans = Plan.ParseAll(names, seed);
        screen.Line($"seed {seed}: {string.Join(' ', plans.Select(x => x.Name))}");
        var results = new List<StepResult>();
        Trial? trial = null;
        var spoiled = false;
        try
        {
            foreach (var plan in plans)
            {
                if (trial is not null && (plan.Scenario.Forms || (spoiled && !plan.Scenario.Ends)))
                    await EndAsync();
                trial ??= await StartAsync(plan, seed, results, cancellationToken);
                if (trial is null)
                    continue;
                var result = await RunAsync(new ScenarioStep(plan, trial), cancellationToken);
                results.Add(result);
                if (!result.Ok)
                    await TellAsync(trial);
                if (!result.Ok || plan.Scenario.Ends)
                    await EndAsync();
                spoiled = plan.Scenario.Spoils;
                if (json is not null)
                    await WriteAsync(json, DemoReport.Of(results));
            }
        }
        finally
        {
            await EndAsync();
        }

        var report = DemoReport.Of(results);
        screen.Summary(report, time.GetElapsedTime(begun));
        return report.Ok ? 0 : 1;

        async Task EndAsync()
        {
            if (trial is not null)
                await trial.DisposeAsync();
            trial = null;
        }
    }

    /// <summary>Starts a cluster, with a formed group where the scenario needs one.</summary>
    /// <returns>Null when the group did not form, which is the scenario's result then.</returns>
    private async Task<Trial?> StartAsync(Plan plan, int seed, List<StepResult> results, CancellationToken cancellationToken)
    {
        var trial = await Trial.StartAsync(backend, plan.Scenario, seed, screen, time, cancellationToken);
        if (plan.Scenario.Forms)
            return trial;
        var formed = await RunAsync(new ScenarioStep(Plan.Parse("form"), trial), cancellationToken);
        if (formed.Ok)
            return trial;
        results.Add(formed with { Name = plan.Name, Reason = $"the group did not form: {formed.Reason}" });
        await TellAsync(trial);
        await trial.DisposeAsync();
        return null;
    }

    private async Task<StepResult> RunAsync(IStep step, CancellationToken cancellationToken) =>
        (await new StepRunner(screen, time).RunAsync([step], static _ => { }, cancellationToken))[0];

    private async Task TellAsync(Trial trial)
    {
        await Diagnosis.TellAsync(trial.Cluster, screen);
        trial.Cluster.KeepFiles();
        screen.Warning($"Logs and volumes are kept in {trial.Cluster.Directory}");
    }

    private static async Task WriteAsync(string path, DemoReport report)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(report, DemoReportJson.Default.DemoReport) + "\n");
    }
}
