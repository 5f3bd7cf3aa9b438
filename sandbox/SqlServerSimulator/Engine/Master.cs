using System.Text.Json.Serialization;

namespace SqlServerSimulator.Engine;

/// <summary>What master keeps: a file replaced as a whole on each change.</summary>
internal sealed class Master
{
    public string ServerName { get; set; } = "";

    /// <summary>Name given by sp_addserver, in force from the next start.</summary>
    public string? NextServerName { get; set; }

    public DateTime Created { get; set; }

    public int NextId { get; set; } = 300;

    public int NextDatabaseId { get; set; } = 5;

    public List<Login> Logins { get; set; } = [];

    /// <summary>User-defined server roles.</summary>
    public List<ServerRole> ServerRoles { get; set; } = [];

    /// <summary>Permissions on the server and what is in it, held by logins and server roles.</summary>
    public List<Permission> Permissions { get; set; } = [];

    /// <summary>Users and roles of master.</summary>
    public List<DatabaseUser> Users { get; set; } = [];

    /// <summary>Permissions in master, held by its users and roles.</summary>
    public List<Permission> DatabasePermissions { get; set; } = [];

    public MasterKey? MasterKey { get; set; }

    public List<Certificate> Certificates { get; set; } = [];

    public Endpoint? Endpoint { get; set; }

    public List<string> RemoteServers { get; set; } = [];

    public Dictionary<string, int> Configuration { get; set; } = [];

    public List<DatabaseEntry> Databases { get; set; } = [];

    /// <summary>Recovery model of model, which new databases take over.</summary>
    public RecoveryModel ModelRecovery { get; set; } = RecoveryModel.Full;

    public List<Guid> Groups { get; set; } = [];
}

internal sealed class Login
{
    public required string Name { get; set; }

    public int PrincipalId { get; set; }

    public byte[] Sid { get; set; } = [];

    public byte[]? PasswordHash { get; set; }

    public string? Certificate { get; set; }

    public bool Disabled { get; set; }

    public bool CheckPolicy { get; set; } = true;

    public bool CheckExpiration { get; set; }

    public bool MustChange { get; set; }

    public DateTime? LockedAt { get; set; }

    public DateTime? BadPasswordTime { get; set; }

    public string DefaultDatabase { get; set; } = "master";

    public DateTime Created { get; set; }

    public DateTime Modified { get; set; }

    public DateTime PasswordSet { get; set; }

    public int BadPasswords { get; set; }

    public HashSet<string> Roles { get; set; } = [];
}

internal sealed class ServerRole
{
    public required string Name { get; set; }

    public int PrincipalId { get; set; }

    public string Owner { get; set; } = "sa";

    public DateTime Created { get; set; }
}

/// <summary>A user or role of a database.</summary>
internal sealed record DatabaseUser
{
    public required string Name { get; init; }

    public int PrincipalId { get; init; }

    public bool IsRole { get; init; }

    /// <summary>SID of the login; null for a user without login and for roles.</summary>
    public byte[]? Sid { get; init; }

    public string DefaultSchema { get; init; } = "dbo";

    /// <summary>Owner of a role.</summary>
    public string Owner { get; init; } = "dbo";

    public DateTime Created { get; init; }

    /// <summary>Roles of which it is a direct member.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];
}

internal sealed record Permission(
    string Grantee, string Name, SecurableClass Class, string Securable, bool Denied, bool WithGrantOption)
{
    public string Grantor { get; init; } = "sa";
}

internal sealed class MasterKey
{
    public byte[] PasswordHash { get; set; } = [];

    /// <summary>Further passwords that open it.</summary>
    public List<byte[]> MorePasswords { get; set; } = [];

    /// <summary>The service master key opens it without being asked.</summary>
    public bool ByServiceMasterKey { get; set; } = true;

    /// <summary>Which key it is: a backup restores the key it was taken of.</summary>
    public Guid Key { get; set; }

    public DateTime Created { get; set; }

    public DateTime Modified { get; set; }
}

internal sealed class Certificate
{
    public required string Name { get; set; }

    public int Id { get; set; }

    public string Owner { get; set; } = "dbo";

    public byte[] Der { get; set; } = [];

    /// <summary>PKCS#8.</summary>
    public byte[]? PrivateKey { get; set; }

    /// <summary>The key is protected by a password, not by the master key.</summary>
    public bool ByPassword { get; set; }

    public byte[]? PasswordHash { get; set; }

    public DateTime? KeyBackedUp { get; set; }
}

internal sealed class Endpoint
{
    public required string Name { get; set; }

    public int Id { get; set; }

    public string Owner { get; set; } = "sa";

    public bool Started { get; set; }

    public bool Disabled { get; set; }

    public int Port { get; set; }

    public EndpointRole Role { get; set; }

    public string Certificate { get; set; } = "";

    public bool Encrypted { get; set; }

    public string? ListenerIp { get; set; }
}

/// <summary>A user database as master knows it; its content is its log.</summary>
internal sealed class DatabaseEntry
{
    public required string Name { get; set; }

    public int Id { get; set; }

    /// <summary>Names the log file.</summary>
    public Guid File { get; set; }

    public string Owner { get; set; } = "sa";

    public DateTime Created { get; set; }

    public RecoveryModel Recovery { get; set; } = RecoveryModel.Full;

    public bool ReadOnly { get; set; }

    public UserAccess UserAccess { get; set; }

    public bool Offline { get; set; }

    public bool Emergency { get; set; }

    public string Collation { get; set; } = SqlInstance.DefaultCollation;

    public List<DatabaseFile> Files { get; set; } = [];

    /// <summary>Options that are kept and shown, by their names in ALTER DATABASE.</summary>
    public Dictionary<string, int> Options { get; set; } = [];

    /// <summary>A full backup was taken since the database is in full recovery.</summary>
    public bool BackedUp { get; set; }

    /// <summary>The next backup of the log begins after this LSN.</summary>
    public long LogBackup { get; set; }

    /// <summary>The same in all restored and seeded copies of a database.</summary>
    public Guid Family { get; set; }

    /// <summary>New after each recovery from a backup: backups of the log fit only the course of history that they are from.</summary>
    public Guid Fork { get; set; }

    public Guid? Group { get; set; }

    public Guid? GroupDatabase { get; set; }

    /// <summary>Copy under way; worthless if the process ends before it is complete.</summary>
    public bool Seeding { get; set; }

    /// <summary>Left its group on a secondary, or was never recovered.</summary>
    public bool Restoring { get; set; }

    public bool Suspended { get; set; }

    /// <summary>0 user, 1 partner.</summary>
    public byte SuspendReason { get; set; }

    /// <summary>The latest forced failover that this copy has been resumed after.</summary>
    public long ResumedAfter { get; set; }
}

/// <summary>A replica's memory of a group: one file, replaced as a whole, before anything that depends on it is sent.</summary>
internal sealed class GroupFile
{
    public Guid LocalReplica { get; set; }

    /// <summary>The configuration last accepted; on a primary possibly not yet committed.</summary>
    public GroupConfiguration Accepted { get; set; } = null!;

    /// <summary>What the configuration said of this replica before it was left out of it.</summary>
    public ReplicaConfiguration? LeftOut { get; set; }

    /// <summary>No message of an earlier epoch is obeyed.</summary>
    public long Promised { get; set; }

    /// <summary>The only replica that may lead the promised epoch.</summary>
    public Guid PromisedTo { get; set; }

    public bool WasPrimary { get; set; }

    /// <summary>This replica was primary and has followed nobody since.</summary>
    public bool LedLast { get; set; }

    public bool MayCreateDatabases { get; set; }

    public string GrantedBy { get; set; } = "sa";
}

/// <summary>What a majority agrees on.</summary>
internal sealed record GroupConfiguration
{
    public Guid Id { get; init; }

    public string Name { get; init; } = "";

    public long Epoch { get; init; }

    /// <summary>Epoch in the high half, changes within the low half.</summary>
    public long Sequence { get; init; }

    public Guid Primary { get; init; }

    /// <summary>Epoch of the latest forced failover.</summary>
    public long Forced { get; init; }

    public ClusterType ClusterType { get; init; }

    public byte AutomatedBackupPreference { get; init; } = 2;

    public int FailureConditionLevel { get; init; } = 3;

    public long HealthCheckTimeout { get; init; } = 30000;

    public bool DbFailover { get; init; }

    public bool DtcSupport { get; init; }

    public int Required { get; init; }

    public bool WriteLease { get; init; }

    /// <summary>Basic functionality: two replicas, one database, nothing to read on the secondary.</summary>
    public bool Basic { get; init; }

    public GroupListener? Listener { get; init; }

    public IReadOnlyList<ReplicaConfiguration> Replicas { get; init; } = [];

    public IReadOnlyList<GroupDatabase> Databases { get; init; } = [];

    [JsonIgnore]
    public IEnumerable<ReplicaConfiguration> Voters =>
        Replicas.Where(replica => ClusterType == ClusterType.External && replica.Joined && replica.IsVoter);

    public ReplicaConfiguration? Replica(Guid id) => Replicas.FirstOrDefault(replica => replica.Id == id);

    public ReplicaConfiguration? Replica(string name) =>
        Replicas.FirstOrDefault(replica => replica.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public GroupConfiguration WithReplica(Guid id, Func<ReplicaConfiguration, ReplicaConfiguration> change) =>
        this with { Replicas = [.. Replicas.Select(replica => replica.Id == id ? change(replica) : replica)] };
}

internal sealed record GroupDatabase(Guid Id, string Name);

internal sealed record ReplicaConfiguration
{
    public Guid Id { get; init; }

    public string Name { get; init; } = "";

    public string EndpointUrl { get; init; } = "";

    public AvailabilityMode Mode { get; init; }

    public FailoverMode FailoverMode { get; init; } = FailoverMode.External;

    public SeedingMode SeedingMode { get; init; } = SeedingMode.Manual;

    public int BackupPriority { get; init; } = 50;

    public SecondaryConnections SecondaryConnections { get; init; }

    public PrimaryConnections PrimaryConnections { get; init; } = PrimaryConnections.All;

    public string? ReadOnlyRoutingUrl { get; init; }

    public string? ReadWriteRoutingUrl { get; init; }

    public IReadOnlyList<IReadOnlyList<string>> ReadOnlyRoutingList { get; init; } = [];

    public int SessionTimeout { get; init; } = 10;

    /// <summary>Keeps the configuration and so has a vote.</summary>
    public bool Joined { get; init; }

    public DateTime Created { get; init; }

    /// <summary>Databases that hold every acknowledged commit on this replica.</summary>
    public IReadOnlyList<Guid> Synchronized { get; init; } = [];

    [JsonIgnore]
    public bool IsVoter => Mode is AvailabilityMode.SynchronousCommit or AvailabilityMode.ConfigurationOnly;
}

[JsonSerializable(typeof(Master))]
[JsonSerializable(typeof(GroupFile))]
[JsonSerializable(typeof(PeerMessage))]
[JsonSerializable(typeof(BackupSet))]
[JsonSerializable(typeof(BackupHistory))]
internal sealed partial class EngineJson : JsonSerializerContext;
