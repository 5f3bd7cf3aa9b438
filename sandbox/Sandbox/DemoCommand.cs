using System.Text.Json;
using Sandbox.Output;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox;

/// <summary>The demonstration: five steps, each with its own bound, under a writer that never stops.</summary>
internal sealed class DemoCommand(Backend backend, IScreen screen, TimeProvider time)
{
    private static readonly string[] Names = ["form-ag", "kill-sqlservr", "planned-failover", "lose-node", "rejoin"];

    public async Task<int> RunAsync(string? json, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        var results = new List<StepResult>();
        var reason = "stopped";
        try
        {
            await using var playground = await Cluster.StartAsync(backend, screen, cancellationToken);
            try
            {
                await RunAsync(playground, results, cancellationToken);
            }
            finally
            {
                if (results.Exists(x => x.End == StepEnd.Failed))
                {
                    await Diagnosis.TellAsync(playground, screen);
                    playground.KeepFiles();
                    screen.Warning($"Logs and volumes are kept in {playground.Directory}");
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            reason = e.Message;
            throw;
        }
        finally
        {
            results.AddRange(Names.Skip(results.Count).Select(x => new StepResult(x, StepEnd.NotRun, null, TimeSpan.Zero, reason)));
            if (json is not null)
                await WriteAsync(json, DemoReport.Of(results));
        }

        var report = DemoReport.Of(results);
        screen.Summary(report, time.GetElapsedTime(begun));
        return report.Ok ? 0 : 1;
    }

    private async Task RunAsync(Cluster playground, List<StepResult> results, CancellationToken cancellationToken)
    {
        await using var scene = new Scene(playground.Group, time);
        IStep[] steps =
        [
            new FormAg(scene, playground.ApplyGroupAsync),
            new KillSqlServr(scene, playground.KillSqlServerAsync),
            new PlannedFailover(scene, playground.RunFailoverJobAsync),
            new LoseNode(scene, playground.LoseNodeOfAsync),
            new Rejoin(scene, playground.BringNodeBackAsync),
        ];
        await new StepRunner(screen, time).RunAsync(steps, results.Add, cancellationToken);
    }

    private static async Task WriteAsync(string path, DemoReport report)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(report, DemoReportJson.Default.DemoReport) + "\n");
    }
}
