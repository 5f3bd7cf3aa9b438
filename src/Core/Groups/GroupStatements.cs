using Agents.Sql;

namespace Agents.Groups;

/// <summary>Every statement that changes an availability group, as the engine takes it under CLUSTER_TYPE = EXTERNAL.</summary>
public static class GroupStatements
{
    /// <summary>Creates the group with the local replica alone; it becomes PRIMARY at once.</summary>
    public static SqlText Create(string group, GroupMember self, int writeLeaseSeconds) => SqlText.Of($"""
        CREATE AVAILABILITY GROUP {new SqlName(group)}
        WITH (DB_FAILOVER = ON, CLUSTER_TYPE = EXTERNAL, WRITE_LEASE_VALIDITY = {writeLeaseSeconds})
        FOR REPLICA ON {Replica(self)}
        """);

    /// <summary>Lets the group create databases by automatic seeding. To be run on every replica.</summary>
    public static SqlText GrantCreateDatabase(string group) =>
        SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} GRANT CREATE ANY DATABASE");

    /// <summary>Adds a replica; on the primary.</summary>
    public static SqlText AddReplica(string group, GroupMember member) =>
        SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} ADD REPLICA ON {Replica(member)}");

    /// <summary>Removes a replica; on the primary. Where it is connected, the group leaves that instance by itself.</summary>
    public static SqlText RemoveReplica(string group, string name) =>
        SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} REMOVE REPLICA ON {name}");

    /// <summary>
    /// Drops the group. On the primary it goes everywhere, and the primary's databases stay online; elsewhere only the local copy goes, and its
    /// databases stay RESTORING.
    /// </summary>
    public static SqlText Drop(string group) => SqlText.Of($"DROP AVAILABILITY GROUP {new SqlName(group)}");

    /// <summary>Points a replica to its endpoint; on the primary.</summary>
    public static SqlText ModifyEndpoint(string group, GroupMember member) => SqlText.Of(
        $"ALTER AVAILABILITY GROUP {new SqlName(group)} MODIFY REPLICA ON {member.Name} WITH (ENDPOINT_URL = {member.Endpoint})");

    /// <summary>Makes a replica synchronous or asynchronous; on the primary. The engine knows no other change of mode.</summary>
    public static SqlText ModifyMode(string group, GroupMember member) => SqlText.Of(
        $"ALTER AVAILABILITY GROUP {new SqlName(group)} MODIFY REPLICA ON {member.Name} WITH (AVAILABILITY_MODE = {Mode(member.Mode)})");

    /// <summary>Sets the number of secondaries a commit waits for (rule S10); on the primary.</summary>
    public static SqlText SetRequiredSecondaries(string group, int required) => SqlText.Of(
        $"ALTER AVAILABILITY GROUP {new SqlName(group)} SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = {required})");

    /// <summary>Joins the local instance; it is RESOLVING afterwards.</summary>
    public static SqlText Join(string group) =>
        SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} JOIN WITH (CLUSTER_TYPE = EXTERNAL)");

    /// <summary>Joins a copy that is RESTORING; on a secondary that is connected to the primary.</summary>
    public static SqlText JoinDatabase(string group, string database) =>
        SqlText.Of($"ALTER DATABASE {new SqlName(database)} SET HADR AVAILABILITY GROUP = {new SqlName(group)}");

    /// <summary>Makes the local replica a secondary of the primary that reaches it.</summary>
    public static SqlText BecomeSecondary(string group) =>
        SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} SET (ROLE = SECONDARY)");

    /// <summary>Takes the local primary offline; it is RESOLVING some time afterwards.</summary>
    public static SqlText Offline(string group) => SqlText.Of($"ALTER AVAILABILITY GROUP {new SqlName(group)} OFFLINE");

    /// <summary>
    /// Extends the write lease, unless the instance's own clock has passed <paramref name="notAfterTicks"/>: an agent that was paused, or a batch
    /// that was queued, must not extend it later than the Lease allows (rule S3).
    /// </summary>
    public static SqlText ExtendWriteLease(string group, int seconds, long notAfterTicks) => SqlText.Of($"""
        DECLARE @ticks bigint = (SELECT ms_ticks FROM sys.dm_os_sys_info)
        IF @ticks > {notAfterTicks}
            RAISERROR ({LateMessage}, 16, 1)
        ELSE
            ALTER AVAILABILITY GROUP {new SqlName(group)} SET (WRITE_LEASE_VALIDITY = {seconds})
        """);

    /// <summary>
    /// Makes the local replica primary. The write lease is set first, on the candidate, and the clock is looked at after that: whatever pause
    /// comes between any two of these statements, a FAILOVER that runs late finds the write lease ended (rules S5 and S6). The session key
    /// must stand in the same batch, because a pooled session may be reset between two.
    /// </summary>
    public static SqlText Failover(string group, int writeLeaseSeconds, long notAfterTicks) => SqlText.Of($"""
        ALTER AVAILABILITY GROUP {new SqlName(group)} SET (WRITE_LEASE_VALIDITY = {writeLeaseSeconds})
        IF @@ERROR <> 0
            RETURN
        DECLARE @ticks bigint = (SELECT ms_ticks FROM sys.dm_os_sys_info)
        IF @ticks > {notAfterTicks}
        BEGIN
            RAISERROR ({LateMessage}, 16, 1)
            RETURN
        END
        EXEC sp_set_session_context @key = N'external_cluster', @value = N'yes'
        ALTER AVAILABILITY GROUP {new SqlName(group)} FAILOVER
        """);

    private const string LateMessage = "Too late: the hold on the Kubernetes Lease may have ended.";

    private static SqlText Replica(GroupMember member) => member.Mode == AvailabilityMode.ConfigurationOnly
        ? SqlText.Of($"{member.Name} WITH (ENDPOINT_URL = {member.Endpoint}, AVAILABILITY_MODE = {Mode(member.Mode)})")
        : SqlText.Of($"{member.Name} WITH (ENDPOINT_URL = {member.Endpoint}, AVAILABILITY_MODE = {Mode(member.Mode)}, {DataReplica})");

    private static SqlText Mode(AvailabilityMode mode) => mode switch
    {
        AvailabilityMode.SynchronousCommit => SqlText.Of($"SYNCHRONOUS_COMMIT"),
        AvailabilityMode.AsynchronousCommit => SqlText.Of($"ASYNCHRONOUS_COMMIT"),
        AvailabilityMode.ConfigurationOnly => SqlText.Of($"CONFIGURATION_ONLY"),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such availability mode."),
    };

    private static SqlText DataReplica { get; } =
        SqlText.Of($"FAILOVER_MODE = EXTERNAL, SEEDING_MODE = AUTOMATIC, SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY)");
}
