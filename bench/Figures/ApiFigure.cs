using System.Runtime.CompilerServices;
using System.Text.Json;
using Bench.Machinery;

namespace Bench.Figures;

/// <summary>Something about the requests that the pods of a healthy group of three make to the API server, the operator's among them.</summary>
internal abstract class ApiFigure : Figure
{
    /// <summary>The sandbox's scenario during which they are counted.</summary>
    protected abstract string Scenario { get; }

    /// <param name="seconds">How long they were counted.</param>
    /// <param name="requests">All requests, the starts of watches among them.</param>
    /// <param name="watchedBytes">Bytes in the streams of watches.</param>
    protected abstract double Of(double seconds, double requests, double watchedBytes);

    public override async IAsyncEnumerable<double> MeasureAsync(int runs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var report = await SandboxRun.ScenariosAsync(Enumerable.Repeat(Scenario, runs), cancellationToken);
        foreach (var step in report.GetProperty("steps").EnumerateArray())
        {
            if (!step.GetProperty("ok").GetBoolean())
                throw new InvalidOperationException($"{Scenario} did not hold: {step.GetProperty("reason")}");
            var api = step.GetProperty("api");
            yield return Of(Number(api, "seconds"), Number(api, "requests"), Number(api, "watchedBytes"));
        }
    }

    private static double Number(JsonElement from, string name) => from.GetProperty(name).GetDouble();
}
