namespace Agents.Groups;

/// <summary>What the agent's own instance says of itself.</summary>
/// <param name="ServerName">SERVERPROPERTY('ServerName').</param>
/// <param name="Ticks">
/// The instance's own monotonic clock, <c>sys.dm_os_sys_info.ms_ticks</c>, in milliseconds. It was read before the turn's decision, which lets a
/// statement carry a bound that the instance checks by itself (rules S3 and S6).
/// </param>
/// <param name="UpFor">How long its process has run, by its own clock.</param>
/// <param name="Group">The replica of this availability group; null when the group is not in the catalog.</param>
public sealed record LocalReplica(string ServerName, long Ticks, TimeSpan UpFor, ReplicaState? Group);

/// <summary>The local replica of an availability group, from catalog views and DMVs.</summary>
/// <param name="Role">Its role.</param>
/// <param name="Mode">Its availability mode in the catalog.</param>
/// <param name="SequenceNumber">Version of its configuration (<c>sys.availability_groups.sequence_number</c>).</param>
/// <param name="RequiredSecondaries">REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT.</param>
/// <param name="PrimaryName">Server name of the primary as this replica knows it; null when it knows none. Not a proof that it lives.</param>
/// <param name="Connected">Whether this replica is connected to its primary (of a primary: true).</param>
/// <param name="CommitPendingFor">Age of a configuration change that no majority has confirmed yet; null when there is none.</param>
/// <param name="Replicas">All replicas of the catalog; states of remote ones are known on a primary only.</param>
/// <param name="Databases">The group's databases as the local replica sees them.</param>
public sealed record ReplicaState(
    ReplicaRole Role,
    AvailabilityMode Mode,
    long SequenceNumber,
    int RequiredSecondaries,
    string? PrimaryName,
    bool Connected,
    TimeSpan? CommitPendingFor,
    IReadOnlyList<ReplicaRow> Replicas,
    IReadOnlyList<DatabaseRow> Databases)
{
    /// <summary>Id of the local replica. A replica that was removed and added again has another one in the primary's catalog.</summary>
    public string ReplicaId { get; init; } = string.Empty;

    /// <summary>The catalog's replica of that server name, or null.</summary>
    public ReplicaRow? Replica(string name) => Replicas.FirstOrDefault(replica => GroupDirectory.Same(replica.Name, name));

    /// <summary>Number of synchronous-commit replicas, the primary included.</summary>
    public int SynchronousReplicas => Replicas.Count(replica => replica.Mode == AvailabilityMode.SynchronousCommit);
}

/// <summary>One replica in the catalog.</summary>
/// <param name="Name">Server name.</param>
/// <param name="Mode">Availability mode.</param>
/// <param name="Endpoint">Mirroring endpoint URL.</param>
/// <param name="Connected">Whether the primary is connected to it; null when not known here.</param>
/// <param name="Synchronized">
/// Whether every database of the group is SYNCHRONIZED there, by the primary's view; null when not known here. A group without databases counts as
/// synchronized when connected.
/// </param>
public sealed record ReplicaRow(string Name, AvailabilityMode Mode, string Endpoint, bool? Connected, bool? Synchronized)
{
    /// <summary>Whether its instance has joined the group. Before it has, it has no vote.</summary>
    public bool Joined { get; init; } = true;
}

/// <summary>One database of the group on the local replica.</summary>
/// <param name="Name">Database name.</param>
/// <param name="Present">Whether it exists on this instance; false while it waits for seeding.</param>
/// <param name="SynchronizationState">synchronization_state_desc, such as <c>SYNCHRONIZED</c>; empty when there is no row.</param>
/// <param name="Suspended">is_suspended.</param>
public sealed record DatabaseRow(string Name, bool Present, string SynchronizationState, bool Suspended)
{
    /// <summary>True for a copy that this instance kept from when it left the group: it exists and is in no group, so that nothing seeds over it.</summary>
    public bool LeftOver { get; init; }
}

/// <summary>What a peer's instance says of its replica.</summary>
/// <param name="Role">Its role; null when the group is not in its catalog.</param>
/// <param name="Mode">Its own availability mode by its own catalog; null when the group is not in its catalog.</param>
/// <param name="SequenceNumber">Version of its configuration; 0 when the group is not in its catalog.</param>
/// <param name="ReplicaNames">Replicas in its catalog.</param>
public sealed record PeerReplica(ReplicaRole? Role, AvailabilityMode? Mode, long SequenceNumber, IReadOnlyList<string> ReplicaNames)
{
    /// <summary>Ids of the replicas in its catalog.</summary>
    public IReadOnlyList<string> ReplicaIds { get; init; } = [];
}
