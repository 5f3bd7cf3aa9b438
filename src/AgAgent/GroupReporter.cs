using Agents.Groups;
using Agents.Kubernetes;
using Agents.Observation;
using Microsoft.Extensions.Logging;

namespace Agents.AgAgent;

/// <summary>Keeps the primary's <see cref="GroupReport"/> in ConfigMap <c>&lt;ag&gt;</c> current, one patch at a time, without holding up the caller.</summary>
internal sealed partial class GroupReporter(GroupSettings settings, GroupStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan AfterSuccess = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(2);

    private Task writing = Task.CompletedTask;
    private TimeSpan notBefore;

    /// <summary>Starts a patch when the facts say something else than the ConfigMap, unless one is under way or was made a moment ago.</summary>
    public void Note(GroupFacts facts, CancellationToken cancellationToken)
    {
        if (!writing.IsCompleted || time.Monotonic() < notBefore || !facts.Directory.TryGet(out var directory)
            || GroupReport.Of(settings, facts) is not { } report)
            return;
        var text = GroupDocuments.WriteReport(report);
        if (text != directory.Report)
            writing = WriteAsync(text, cancellationToken);
    }

    private async Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            await store.ReportAsync(text, cancellationToken).ConfigureAwait(false);
            notBefore = time.Monotonic() + AfterSuccess;
        }
        catch (KubernetesException error)
        {
            LogFailed(error.Failure, error.Message);
            notBefore = time.Monotonic() + AfterFailure;
        }
        catch (OperationCanceledException)
        {
            // The agent ends.
        }
    }

    [LoggerMessage(LogLevel.Debug, "The states of the replicas were not written: {Failure}: {Message}")]
    private partial void LogFailed(KubernetesFailure failure, string message);
}
