namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private static readonly string[] SynchronizationStates = ["NOT SYNCHRONIZING", "SYNCHRONIZING", "SYNCHRONIZED", "REVERTING", "INITIALIZING"];

    private static readonly string[] BackupPreferences = ["primary", "secondary_only", "secondary", "none"];

    private static readonly string[] HealthStates = ["NOT_HEALTHY", "PARTIALLY_HEALTHY", "HEALTHY"];

    private static void AddGroupViews()
    {
        Add("availability_groups", "group_id guid!, name sysname, resource_id nvarchar(40), resource_group_id nvarchar(40), failure_condition_level int, health_check_timeout int, automated_backup_preference tinyint, automated_backup_preference_desc nvarchar(60), version smallint, basic_features bit, dtc_support bit, db_failover bit, is_distributed bit, cluster_type tinyint, cluster_type_desc nvarchar(60), required_synchronized_secondaries_to_commit int, sequence_number bigint, is_contained bit", (instance, session) =>
            Visible(instance, session).Select(group =>
            {
                var configuration = group.Configuration;
                return new object?[]
                {
                    group.Id, group.Name, null, null, configuration.FailureConditionLevel, (int)Math.Min(configuration.HealthCheckTimeout, int.MaxValue),
                    configuration.AutomatedBackupPreference, BackupPreferences[configuration.AutomatedBackupPreference], (short)0,
                    configuration.Basic, configuration.DtcSupport, configuration.DbFailover, false, (byte)configuration.ClusterType, configuration.ClusterType == ClusterType.None ? "none" : "external", configuration.Required,
                    group.File.Accepted.Sequence, false,
                };
            }));
        Add("availability_replicas", "replica_id guid, group_id guid, replica_metadata_id int, replica_server_name nvarchar(256), owner_sid varbinary(85), endpoint_url nvarchar(256), availability_mode tinyint, availability_mode_desc nvarchar(60), failover_mode tinyint, failover_mode_desc nvarchar(60), session_timeout int, primary_role_allow_connections tinyint, primary_role_allow_connections_desc nvarchar(60), secondary_role_allow_connections tinyint, secondary_role_allow_connections_desc nvarchar(60), create_date datetime, modify_date datetime, backup_priority int, read_only_routing_url nvarchar(256), seeding_mode tinyint, seeding_mode_desc nvarchar(60), read_write_routing_url nvarchar(256)", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Replicas.Select(replica =>
            {
                var local = replica.Id == group.File.LocalReplica;
                return new object?[]
                {
                    replica.Id, group.Id, local ? instance.GroupNumber(group) : null, replica.Name, local ? new byte[] { 1 } : null, replica.EndpointUrl,
                    (byte)replica.Mode, Words(replica.Mode), (byte)replica.FailoverMode, Words(replica.FailoverMode), replica.SessionTimeout,
                    (byte)replica.PrimaryConnections, Words(replica.PrimaryConnections), (byte)replica.SecondaryConnections, Words(replica.SecondaryConnections),
                    local ? replica.Created : null, local ? replica.Created : null, replica.BackupPriority, replica.ReadOnlyRoutingUrl,
                    (byte)replica.SeedingMode, Words(replica.SeedingMode), replica.ReadWriteRoutingUrl,
                };
            })));
        Add("availability_read_only_routing_lists", "replica_id guid, routing_priority int, read_only_replica_id guid", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Replicas.SelectMany(replica => replica.ReadOnlyRoutingList.SelectMany((set, index) =>
                set.Select(name => new object?[] { replica.Id, index + 1, group.Configuration.Replica(name)?.Id })))));
        Add("availability_group_listeners", "group_id guid!, listener_id nvarchar(36), dns_name nvarchar(63), port int, is_conformant bit!, ip_configuration_string_from_cluster nvarchar(max), is_distributed_network_name bit!", (instance, session) =>
            Listeners(instance, session).Select(pair => new object?[] { pair.Group.Id, pair.Listener.Id.ToString(), pair.Listener.Name, pair.Listener.Port, true, null, false }));
        Add("availability_group_listener_ip_addresses", "listener_id nvarchar(36), ip_address nvarchar(48), ip_subnet_mask nvarchar(15), is_dhcp bit!, network_subnet_ip nvarchar(48), network_subnet_prefix_length int, network_subnet_ipv4_mask nvarchar(15), state tinyint, state_desc nvarchar(60)", (instance, session) =>
            Listeners(instance, session).SelectMany(pair => pair.Listener.Addresses.Select(address => new object?[]
            {
                pair.Listener.Id.ToString(), address.Address, address.Mask, false, null, null, null, (byte)0, "OFFLINE",
            })));
        Add("availability_databases_cluster", "group_id guid, group_database_id guid, database_name sysname, truncation_lsn lsn", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Databases.Select(database => new object?[] { group.Id, database.Id, database.Name, null })));
        AddState("dm_hadr_availability_replica_states", "replica_id guid, group_id guid, is_local bit, role tinyint, role_desc nvarchar(60), operational_state tinyint, operational_state_desc nvarchar(60), connected_state tinyint, connected_state_desc nvarchar(60), recovery_health tinyint, recovery_health_desc nvarchar(60), synchronization_health tinyint, synchronization_health_desc nvarchar(60), last_connect_error_number int, last_connect_error_description nvarchar(1024), last_connect_error_timestamp datetime, write_lease_remaining_ticks bigint, current_configuration_commit_start_time_utc datetime", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Replicas
                .Where(replica => group.Role == ReplicaRole.Primary || replica.Id == group.File.LocalReplica)
                .Select(replica => ReplicaState(group, replica, instance))));
        AddState("dm_hadr_availability_replica_cluster_states", "replica_id guid, replica_server_name nvarchar(256), group_id guid, join_state tinyint, join_state_desc nvarchar(60)", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Replicas.Select(replica =>
            {
                var joined = replica.Joined || replica.Id == group.File.LocalReplica;
                return new object?[] { replica.Id, replica.Name, group.Id, joined ? (byte)1 : (byte)0, joined ? "JOINED_STANDALONE_INSTANCE" : "NOT_JOINED" };
            })));
        AddState("dm_hadr_availability_replica_cluster_nodes", "group_name nvarchar(256), replica_server_name nvarchar(256), node_name nvarchar(256)", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Replicas.Select(replica => new object?[] { group.Name, replica.Name, replica.Name })));
        AddState("dm_hadr_availability_group_states", "group_id guid, primary_replica nvarchar(128), primary_recovery_health tinyint, primary_recovery_health_desc nvarchar(60), secondary_recovery_health tinyint, secondary_recovery_health_desc nvarchar(60), synchronization_health tinyint, synchronization_health_desc nvarchar(60)", (instance, session) =>
            Visible(instance, session).Select(group =>
            {
                var health = group.Role == ReplicaRole.Primary
                    ? group.Configuration.Replicas.Min(replica => ReplicaHealth(group, replica, instance))
                    : ReplicaHealth(group, group.Local, instance);
                var primary = group.Role == ReplicaRole.Resolving ? null : group.Configuration.Replica(group.KnownPrimary)?.Name;
                return new object?[]
                {
                    group.Id, primary ?? "", group.Role == ReplicaRole.Primary ? (byte)1 : null, group.Role == ReplicaRole.Primary ? "ONLINE" : null,
                    group.Role == ReplicaRole.Secondary ? (byte)1 : null, group.Role == ReplicaRole.Secondary ? "ONLINE" : null, health, HealthStates[health],
                };
            }));
        AddState("dm_hadr_database_replica_states", "database_id int, group_id guid, replica_id guid, group_database_id guid, is_local bit, is_primary_replica bit, synchronization_state tinyint, synchronization_state_desc nvarchar(60), is_commit_participant bit, synchronization_health tinyint, synchronization_health_desc nvarchar(60), database_state tinyint, database_state_desc nvarchar(60), is_suspended bit, suspend_reason tinyint, suspend_reason_desc nvarchar(60), recovery_lsn lsn, truncation_lsn lsn, last_sent_lsn lsn, last_sent_time datetime, last_received_lsn lsn, last_received_time datetime, last_hardened_lsn lsn, last_hardened_time datetime, last_redone_lsn lsn, last_redone_time datetime, log_send_queue_size bigint, log_send_rate bigint, redo_queue_size bigint, redo_rate bigint, filestream_send_rate bigint, end_of_log_lsn lsn, last_commit_lsn lsn, last_commit_time datetime, low_water_mark_for_ghosts bigint, secondary_lag_seconds bigint, quorum_commit_lsn lsn, quorum_commit_time datetime", (instance, session) =>
            Visible(instance, session).SelectMany(group => DatabaseStates(group, instance)));
        AddState("dm_hadr_database_replica_cluster_states", "replica_id guid, group_database_id guid, database_name sysname, is_failover_ready bit, is_pending_secondary_suspend bit, is_database_joined bit, recovery_lsn lsn, truncation_lsn lsn", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Configuration.Databases.SelectMany(database => group.Configuration.Replicas
                .Where(replica => replica.Mode != AvailabilityMode.ConfigurationOnly)
                .Select(replica => new object?[]
                {
                    replica.Id, database.Id, database.Name, IsFailoverReady(group, replica, database.Id, instance), false,
                    replica.Id == group.File.LocalReplica
                        ? group.Database(database.Id) is { Entry.Seeding: false }
                        : replica.Synchronized.Contains(database.Id) || group.Peers.GetValueOrDefault(replica.Id)?.Copy(database.Id) is { SeedingTarget: null },
                    null, null,
                }))));
        AddState("dm_hadr_automatic_seeding", "start_time datetime, completion_time datetime, ag_id guid, ag_db_id guid, ag_remote_replica_id guid, operation_id guid, is_source bit, current_state nvarchar(40), performed_seeding bit, failure_state int, failure_state_desc nvarchar(120), error_code int, number_of_attempts int", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Seedings.Select(seeding => new object?[]
            {
                seeding.Started, seeding.Completed, group.Id, seeding.Database, seeding.Remote, seeding.Operation, seeding.IsSource, seeding.State,
                seeding.State == SeedingRecord.Done, (int?)seeding.Failure, seeding.FailureText, seeding.Failure is null ? null : seeding.Error, seeding.Attempts,
            })));
        AddState("dm_hadr_physical_seeding_stats", "local_physical_seeding_id guid!, remote_physical_seeding_id guid, local_database_id int, local_database_name nvarchar(128), remote_machine_name nvarchar(256), role_desc nvarchar(60), internal_state_desc nvarchar(60), transfer_rate_bytes_per_second bigint, transferred_size_bytes bigint, database_size_bytes bigint, start_time_utc datetime, end_time_utc datetime, estimate_time_complete_utc datetime, total_disk_io_wait_time_ms bigint, total_network_wait_time_ms bigint, failure_code int, failure_message nvarchar(2048), failure_time_utc datetime, is_compression_enabled bit", (instance, session) =>
            Visible(instance, session).SelectMany(group => group.Seedings.Where(seeding => seeding is { IsRunning: true, Completed: null }).Select(seeding =>
                PhysicalSeeding(group, seeding, instance))));
        AddState("dm_hadr_cluster", "cluster_name nvarchar(128), quorum_type tinyint, quorum_type_desc nvarchar(50), quorum_state tinyint, quorum_state_desc nvarchar(50)", (_, _) => [["", (byte)0, "NODE_MAJORITY", (byte)1, "NORMAL_QUORUM"]]);
        AddState("dm_hadr_cluster_members", "member_name nvarchar(128), member_type tinyint, member_type_desc nvarchar(50), member_state tinyint, member_state_desc nvarchar(60), number_of_quorum_votes int", (_, _) => []);
    }

    private static object?[] PhysicalSeeding(Group group, SeedingRecord seeding, SqlInstance instance)
    {
        var database = group.Database(seeding.Database);
        var elapsed = instance.Now - seeding.StartedAt;
        var rate = elapsed > TimeSpan.Zero ? (long)(seeding.Transferred / elapsed.TotalSeconds) : 0;
        DateTime? end = rate > 0 ? seeding.Started + elapsed + TimeSpan.FromSeconds((double)Math.Max(0, seeding.Size - seeding.Transferred) / rate) : null;
        return
        [
            seeding.IsSource ? seeding.Operation : seeding.RemoteOperation, seeding.IsSource ? seeding.RemoteOperation : seeding.Operation,
            database?.Entry.Id, database?.Name, group.Configuration.Replica(seeding.Remote)?.Name, seeding.IsSource ? "Source" : "Destination",
            seeding.IsSource ? "ReadingAndSendingData" : "WritingData", rate, seeding.Transferred, seeding.Size, seeding.Started, null, end,
            0L, 0L, 0, null, null, false,
        ];
    }

    private static IEnumerable<(Group Group, GroupListener Listener)> Listeners(SqlInstance instance, EngineSession session) =>
        Visible(instance, session).Where(group => group.Configuration.Listener is not null).Select(group => (group, group.Configuration.Listener!));

    private static IEnumerable<Group> Visible(SqlInstance instance, EngineSession session) => instance.Groups.Values
        .OrderBy(group => group.Name, StringComparer.OrdinalIgnoreCase)
        .Where(group => instance.IsVisible(session, SecurableClass.AvailabilityGroup, group.Name));

    private static int GroupMetadataId(SqlInstance instance, string name) => instance.FindGroup(name) is { } group ? instance.GroupNumber(group) : 0;

    private static object?[] ReplicaState(Group group, ReplicaConfiguration replica, SqlInstance instance)
    {
        var local = replica.Id == group.File.LocalReplica;
        var peer = local ? null : group.Peers.GetValueOrDefault(replica.Id);
        var connected = local || peer is { Up: true, IsMember: true };
        ReplicaRole? role = local ? group.Role : connected ? peer!.Role : null;
        (byte?, string?) operational = !local
            ? (null, null)
            : group.Role switch
            {
                ReplicaRole.Resolving when group.IsFailoverPending => ((byte)0, "PENDING_FAILOVER"),
                ReplicaRole.Resolving => ((byte)3, "OFFLINE"),
                _ => ((byte)2, "ONLINE"),
            };
        var hasDatabases = group.Configuration.Databases.Count > 0;
        var recovering = local && group.Configuration.Databases.Any(database => group.Database(database.Id) is not { Recovered: true, Entry.Seeding: false });
        var health = ReplicaHealth(group, replica, instance);
        var connectedState = local ? group.Role == ReplicaRole.Primary || group.IsFollowing : connected;
        return
        [
            replica.Id, group.Id, local, (byte?)role, role is { } known ? Words(known) : null, operational.Item1, operational.Item2,
            connectedState ? (byte)1 : (byte)0, connectedState ? "CONNECTED" : "DISCONNECTED",
            !local || !hasDatabases ? null : recovering ? (byte)0 : (byte)1,
            !local || !hasDatabases ? null : recovering ? "ONLINE_IN_PROGRESS" : "ONLINE",
            health, HealthStates[health],
            peer?.LastErrorTime is null ? null : 10060, peer?.LastErrorTime is null ? null : peer.LastError, peer?.LastErrorTime,
            !local ? null : !group.File.Accepted.WriteLease ? long.MaxValue : LeaseTicks(group, instance),
            local && group.Role == ReplicaRole.Primary ? group.CommitStart : local && group.IsFailoverPending ? group.CommitStart : null,
        ];
    }

    private static long LeaseTicks(Group group, SqlInstance instance) =>
        group.LeaseRemaining.Ticks / (TimeSpan.TicksPerSecond / instance.Options.Facts.LeaseTicksPerSecond);

    private static byte ReplicaHealth(Group group, ReplicaConfiguration replica, SqlInstance instance)
    {
        if (replica.Mode == AvailabilityMode.ConfigurationOnly)
        {
            var connected = replica.Id == group.File.LocalReplica
                ? group.IsFollowing
                : group.Peers.GetValueOrDefault(replica.Id) is { Up: true, IsMember: true };
            return connected ? (byte)2 : (byte)0;
        }

        return group.Configuration.Databases.Count == 0
            ? (byte)0
            : group.Configuration.Databases.Min(database => Health(replica, Synchronization(group, replica, database.Id, instance)));
    }

    private static bool IsFailoverReady(Group group, ReplicaConfiguration replica, Guid database, SqlInstance instance) =>
        replica.Synchronized.Contains(database)
        && (instance.Options.Facts.FailoverReadyWithoutPrimary || group.Role == ReplicaRole.Primary || group.IsFollowing);

    private static byte Health(ReplicaConfiguration replica, byte state) => state switch
    {
        2 => 2,
        1 => replica.Mode == AvailabilityMode.AsynchronousCommit ? (byte)2 : (byte)1,
        _ => 0,
    };

    private static byte Synchronization(Group group, ReplicaConfiguration replica, Guid database, SqlInstance instance)
    {
        _ = instance;
        if (group.Role == ReplicaRole.Primary && group.Database(database) is { Damage: not Damage.None })
        {
            return 0;
        }

        if (replica.Id == group.File.LocalReplica)
        {
            if (group.Database(database) is not { Damage: Damage.None } copy || copy.Entry.Suspended || group.Role == ReplicaRole.Resolving)
            {
                return 0;
            }

            if (group.Role == ReplicaRole.Primary)
            {
                return replica.Mode == AvailabilityMode.SynchronousCommit ? (byte)2 : (byte)1;
            }

            return !group.IsFollowing
                ? (byte)0
                : copy.Entry.Seeding ? (byte)4
                : group.IsReverting(database) ? (byte)3
                : !copy.Recovered ? (byte)1
                : replica.Synchronized.Contains(database) ? (byte)2 : (byte)1;
        }

        return group.Peers.GetValueOrDefault(replica.Id)?.Copy(database) switch
        {
            { Streaming: true, SeedingTarget: not null } => 4,
            { Streaming: true } => group.IsSynchronized(replica, database) ? (byte)2 : (byte)1,
            _ => 0,
        };
    }

    private static IEnumerable<object?[]> DatabaseStates(Group group, SqlInstance instance)
    {
        foreach (var member in group.Configuration.Databases)
        {
            var own = group.Database(member.Id);
            foreach (var replica in group.Configuration.Replicas)
            {
                var local = replica.Id == group.File.LocalReplica;
                if (replica.Mode == AvailabilityMode.ConfigurationOnly || (local ? own is null : group.Role != ReplicaRole.Primary || !replica.Joined))
                {
                    continue;
                }

                var copy = local ? null : group.Peers.GetValueOrDefault(replica.Id)?.Copy(member.Id);
                var state = Synchronization(group, replica, member.Id, instance);
                var health = Health(replica, state);
                (byte, string)? databaseState = local ? State(instance, own!) : null;
                var suspended = local ? own!.Entry.Suspended : copy?.Suspended == true;
                byte? reason = suspended ? local ? own!.Entry.SuspendReason : (byte)1 : null;
                var hardened = local ? own!.End : copy?.Hardened;
                var end = own?.End;
                var remote = !local && copy is not null;
                yield return
                [
                    own?.Entry.Id, group.Id, replica.Id, member.Id, local, local && group.Role == ReplicaRole.Primary, state, SynchronizationStates[state],
                    local ? group.Role == ReplicaRole.Primary : group.MustHarden(replica.Id, member.Id), health, HealthStates[health],
                    databaseState?.Item1, databaseState?.Item2, suspended, reason, reason switch { 0 => "SUSPEND_FROM_USER", 1 => "SUSPEND_FROM_PARTNER", 3 => "SUSPEND_FROM_CAPTURE", _ => null },
                    Lsn(0), Lsn(0), remote ? Lsn(copy!.Sent) : null, remote ? copy!.LastSent : null,
                    remote || (local && group.Role == ReplicaRole.Secondary) ? Number(hardened) : null, remote ? copy!.LastHardened : null,
                    hardened is { } h ? Lsn(h + 1) : null, remote ? copy!.LastHardened : null,
                    remote || (local && group.Role == ReplicaRole.Secondary) ? Number(hardened) : null, remote ? copy!.LastHardened : null,
                    remote ? (end - copy!.Hardened) : null, null, 0L, null, null, Number(local ? end : hardened),
                    Number(local ? own!.Applied : hardened), local ? own!.LastCommit : copy?.LastHardened, null,
                    remote ? 0L : null, null, null,
                ];
            }
        }
    }

    private static System.Numerics.BigInteger? Number(long? lsn) => lsn is { } value ? Lsn(value) : null;
}
