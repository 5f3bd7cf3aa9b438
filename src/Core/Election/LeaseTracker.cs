namespace Agents.Election;

/// <summary>
/// Remembers since when the current version of the Lease has been watched. A version is first seen when its answer has arrived, which is never
/// earlier than it was written, so that the time counted is never too long (rule S2).
/// </summary>
public sealed class LeaseTracker
{
    private const int HistoryLength = 64;

    private readonly Queue<string> history = new();
    private string? version;
    private TimeSpan firstSeen;
    private string holder = string.Empty;
    private string successor = string.Empty;

    /// <summary>Takes note of the Lease. A version that was followed by another before is an echo of the past, and is ignored.</summary>
    /// <param name="resourceVersion">Its version; null when there is no Lease.</param>
    /// <param name="holderIdentity">Its holder.</param>
    /// <param name="successorPod">Its successor annotation.</param>
    /// <param name="now">Monotonic time after the answer arrived.</param>
    public void Saw(string? resourceVersion, string? holderIdentity, string? successorPod, TimeSpan now)
    {
        if (resourceVersion == version || (resourceVersion is not null && history.Contains(resourceVersion)))
            return;
        if (version is not null)
        {
            history.Enqueue(version);
            if (history.Count > HistoryLength)
                history.Dequeue();
        }

        version = resourceVersion;
        firstSeen = now;
        holder = holderIdentity ?? string.Empty;
        successor = successorPod ?? string.Empty;
    }

    /// <summary>The Lease as last seen; null when there is none.</summary>
    /// <param name="now">Monotonic time.</param>
    public LeaseView? View(TimeSpan now) => version is null ? null : new LeaseView(holder, successor, version, now - firstSeen);
}
