namespace SqlServerSimulator.Engine;

/// <summary>Cluster types, numbered as in sys.availability_groups.</summary>
public enum ClusterType : byte
{
    Wsfc = 0,
    External = 1,
    None = 2,
}

/// <summary>Availability modes, numbered as in sys.availability_replicas.</summary>
public enum AvailabilityMode : byte
{
    AsynchronousCommit = 0,
    SynchronousCommit = 1,
    ConfigurationOnly = 4,
}

/// <summary>Failover modes, numbered as in sys.availability_replicas.</summary>
public enum FailoverMode : byte
{
    Automatic = 0,
    Manual = 1,
    External = 2,
}

/// <summary>Seeding modes, numbered as in sys.availability_replicas.</summary>
public enum SeedingMode : byte
{
    Automatic = 0,
    Manual = 1,
}

/// <summary>Who may connect to a secondary's databases.</summary>
public enum SecondaryConnections : byte
{
    No = 0,
    ReadOnly = 1,
    All = 2,
}

/// <summary>Who may connect to the primary's databases.</summary>
public enum PrimaryConnections : byte
{
    All = 2,
    ReadWrite = 3,
}

/// <summary>Options of a group as written; null means not written.</summary>
public sealed record GroupOptions
{
    public ClusterType? ClusterType { get; init; }

    public byte? AutomatedBackupPreference { get; init; }

    public int? FailureConditionLevel { get; init; }

    public long? HealthCheckTimeout { get; init; }

    public bool? DbFailover { get; init; }

    public bool? DtcSupport { get; init; }

    public int? RequiredSynchronizedSecondariesToCommit { get; init; }

    /// <summary>WRITE_LEASE_VALIDITY in seconds.</summary>
    public long? WriteLeaseValidity { get; init; }

    public bool Basic { get; init; }

    public bool Contained { get; init; }

    public bool Distributed { get; init; }
}

/// <summary>Options of a replica as written; null means not written.</summary>
public sealed record ReplicaOptions
{
    public string? EndpointUrl { get; init; }

    public AvailabilityMode? AvailabilityMode { get; init; }

    public FailoverMode? FailoverMode { get; init; }

    public SeedingMode? SeedingMode { get; init; }

    public int? BackupPriority { get; init; }

    public SecondaryConnections? SecondaryConnections { get; init; }

    public PrimaryConnections? PrimaryConnections { get; init; }

    public string? ReadOnlyRoutingUrl { get; init; }

    public string? ReadWriteRoutingUrl { get; init; }

    /// <summary>Routing list; each inner list is one load-balanced set.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? ReadOnlyRoutingList { get; init; }

    public int? SessionTimeout { get; init; }
}

/// <summary>A replica as written.</summary>
public sealed record ReplicaSpec(string Name, ReplicaOptions Options);

/// <summary>CREATE AVAILABILITY GROUP.</summary>
public sealed record CreateGroup(string Name, GroupOptions Options, IReadOnlyList<string> Databases, IReadOnlyList<ReplicaSpec> Replicas)
    : EngineCommand
{
    /// <summary>LISTENER, if written.</summary>
    public ListenerSpec? Listener { get; init; }
}

/// <summary>DROP AVAILABILITY GROUP.</summary>
public sealed record DropGroup(string Name) : EngineCommand;

/// <summary>A form of ALTER AVAILABILITY GROUP.</summary>
public abstract record AlterGroup(string Name) : EngineCommand;

/// <summary>SET of stored options, not of ROLE and WRITE_LEASE_VALIDITY.</summary>
public sealed record SetGroupOptions(string Name, GroupOptions Options) : AlterGroup(Name);

/// <summary>SET (ROLE = SECONDARY).</summary>
public sealed record SetRoleSecondary(string Name) : AlterGroup(Name);

/// <summary>SET (WRITE_LEASE_VALIDITY = seconds).</summary>
public sealed record SetWriteLease(string Name, long Seconds) : AlterGroup(Name);

public sealed record AddReplicas(string Name, IReadOnlyList<ReplicaSpec> Replicas) : AlterGroup(Name);

public sealed record ModifyReplica(string Name, ReplicaSpec Replica) : AlterGroup(Name);

public sealed record RemoveReplicas(string Name, IReadOnlyList<string> Replicas) : AlterGroup(Name);

public sealed record AddGroupDatabases(string Name, IReadOnlyList<string> Databases) : AlterGroup(Name);

public sealed record RemoveGroupDatabases(string Name, IReadOnlyList<string> Databases) : AlterGroup(Name);

/// <summary>JOIN [WITH (CLUSTER_TYPE = ...)].</summary>
public sealed record JoinGroup(string Name, ClusterType? ClusterType) : AlterGroup(Name);

/// <summary>FAILOVER or FORCE_FAILOVER_ALLOW_DATA_LOSS.</summary>
public sealed record FailOver(string Name, bool Force) : AlterGroup(Name);

/// <summary>OFFLINE.</summary>
public sealed record TakeOffline(string Name) : AlterGroup(Name);

/// <summary>GRANT or DENY CREATE ANY DATABASE.</summary>
public sealed record GrantCreateAnyDatabase(string Name, bool Deny = false) : AlterGroup(Name);
