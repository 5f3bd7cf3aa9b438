using System.Text.Json.Serialization;
using Sandbox.Steps;

namespace Sandbox.Output;

/// <summary>What <c>--json</c> writes.</summary>
internal sealed record DemoReport(IReadOnlyList<StepReport> Steps, bool Ok)
{
    public static DemoReport Of(IEnumerable<StepResult> results)
    {
        var steps = results.Select(StepReport.Of).ToList();
        return new DemoReport(steps, steps.Count > 0 && steps.TrueForAll(x => x.Ok));
    }
}

/// <summary>One step in the report; what a step did not come to is null.</summary>
internal sealed record StepReport(
    string Name,
    bool Ok,
    string? Primary,
    long? WriteGapMs,
    int? LostAcknowledgedWrites,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TrafficReport? Api)
{
    public static StepReport Of(StepResult result) => new(
        result.Name,
        result.Ok,
        result.Findings?.Primary,
        result.Findings?.WriteGap is { } gap ? (long)Math.Ceiling(gap.TotalMilliseconds) : null,
        result.Findings?.Lost,
        result.Reason,
        result.Findings?.Traffic is { } traffic
            ? new TrafficReport(traffic.Over.TotalSeconds, traffic.Requests.Values.Sum(), traffic.WatchedBytes, traffic.Requests)
            : null);
}

/// <summary>What pods asked of the API server during a step.</summary>
internal sealed record TrafficReport(double Seconds, long Requests, long WatchedBytes, IReadOnlyDictionary<string, long> ByKind);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DemoReport))]
internal sealed partial class DemoReportJson : JsonSerializerContext;
