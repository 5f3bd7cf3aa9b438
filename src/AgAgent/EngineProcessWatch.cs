using Agents.Groups;
using Agents.Kubernetes;
using Agents.Observation;

namespace Agents.AgAgent;

/// <summary>
/// Proves that the SQL Server process which the agent last talked to has ended (rule S8). The pod's status may lag behind: the container run that
/// is reported as terminated must be the one that was reported running when the process last answered, and it must have ended after that
/// process began.
/// </summary>
internal sealed class EngineProcessWatch(TimeProvider time)
{
    private string? talkedTo;
    private DateTimeOffset startedAt;

    /// <summary>Takes note of an answer of the process and of what the pod's status says at that time.</summary>
    public void Note(Sighting<LocalReplica> local, ContainerStatus? container)
    {
        if (!local.TryGet(out var replica))
            return;
        talkedTo = container?.State?.Running is null ? null : container.ContainerId;

        // Uptimes are whole seconds; the later start is the careful one.
        startedAt = time.GetUtcNow() - replica.UpFor + TimeSpan.FromSeconds(1);
    }

    /// <summary>What the pod's status proves.</summary>
    public EngineProcess Evidence(ContainerStatus? container)
    {
        if (container is null || talkedTo is null)
            return EngineProcess.Unknown;
        var ended = Ended(container.State?.Terminated) || Ended(container.LastState?.Terminated);
        return ended ? EngineProcess.Gone : container.State?.Running is not null ? EngineProcess.Running : EngineProcess.Unknown;
    }

    private bool Ended(ContainerStateTerminated? run) =>
        run is not null && run.ContainerId == talkedTo && run.FinishedAt >= startedAt;
}
