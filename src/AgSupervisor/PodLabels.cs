using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Observation;
using Microsoft.Extensions.Logging;

namespace Agents.AgSupervisor;

/// <summary>Writes labels of the own pod, one patch at a time, without holding up the caller.</summary>
internal sealed partial class PodLabels
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(2);

    private readonly IKubernetesApi api;
    private readonly SupervisorOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private Task writing = Task.CompletedTask;
    private TimeSpan notBefore;

    public PodLabels(IKubernetesApi api, SupervisorOptions options, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.options = options;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Starts a patch unless one is under way or has just failed; the caller asks again on its next turn.</summary>
    public void Write(IReadOnlyDictionary<string, string?> changes, Action done, CancellationToken cancellationToken)
    {
        if (changes.Count == 0 || !writing.IsCompleted || time.Monotonic() < notBefore)
            return;
        writing = WriteAsync(changes, done, cancellationToken);
    }

    /// <summary>Waits for the patch that is under way, if any.</summary>
    public Task FinishAsync() => writing;

    private async Task WriteAsync(IReadOnlyDictionary<string, string?> changes, Action done, CancellationToken cancellationToken)
    {
        var labels = new JsonObject();
        foreach (var (label, value) in changes)
            labels[label] = value;

        // With its uid, because a pod of this name may by now be another one.
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = options.PodUid, ["labels"] = labels } };
        try
        {
            await api.MergePatchAsync(KubernetesTypes.Pods, options.Namespace, options.PodName, patch, cancellationToken).ConfigureAwait(false);
            LogWritten(string.Join(", ", changes.Select(change => change.Value is null ? $"-{change.Key}" : $"{change.Key}={change.Value}")));

            // The copy of the pod follows soon.
            notBefore = time.Monotonic() + TimeSpan.FromMilliseconds(500);
        }
        catch (KubernetesException error)
        {
            LogFailed(error.Failure, error.Message);
            notBefore = time.Monotonic() + AfterFailure;
        }
        catch (OperationCanceledException)
        {
            return;
        }

        done();
    }

    [LoggerMessage(LogLevel.Information, "Labels of the pod: {Changes}")]
    private partial void LogWritten(string changes);

    [LoggerMessage(LogLevel.Warning, "Labels of the pod were not written: {Failure}: {Message}")]
    private partial void LogFailed(KubernetesFailure failure, string message);
}
