namespace Agents.Groups;

/// <summary>What a primary says of the replicas of its group. It is for people and for the operator; nothing about who may be primary follows from it.</summary>
/// <param name="Primary">Server name of the primary that says so.</param>
/// <param name="Replicas">All replicas of its catalog, sorted by name.</param>
public sealed record GroupReport(string Primary, IReadOnlyList<ReplicaReport> Replicas)
{
    /// <summary>The report that an agent can make now; null when it does not lead, or its replica is not primary.</summary>
    /// <param name="settings">What the agent was configured with.</param>
    /// <param name="facts">What it knows.</param>
    public static GroupReport? Of(GroupSettings settings, GroupFacts facts) =>
        facts.Lease.TryGet(out var lease) && lease?.Holder == settings.Identity.Holder
        && facts.Local.TryGet(out var local) && local.Group is { Role: ReplicaRole.Primary } primary
            ? new GroupReport(local.ServerName,
            [
                .. primary.Replicas.OrderBy(replica => replica.Name, StringComparer.Ordinal)
                    .Select(replica => new ReplicaReport(replica.Name, replica.Mode, replica.Connected == true, replica.Synchronized == true)),
            ])
            : null;
}

/// <summary>One replica as its primary sees it.</summary>
/// <param name="Name">Server name.</param>
/// <param name="Mode">Availability mode.</param>
/// <param name="Connected">Whether it is connected to the primary.</param>
/// <param name="Synchronized">Whether all databases of the group are SYNCHRONIZED there.</param>
public sealed record ReplicaReport(string Name, AvailabilityMode Mode, bool Connected, bool Synchronized)
{
    /// <summary>Whether it is as current as its mode lets it be.</summary>
    public bool IsCurrent => Connected && (Synchronized || Mode != AvailabilityMode.SynchronousCommit);
}
