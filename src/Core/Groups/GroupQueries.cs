using Agents.Sql;

namespace Agents.Groups;

/// <summary>Reads the state of an availability group from catalog views and DMVs.</summary>
public static class GroupQueries
{
    /// <summary>The batch for <see cref="ReadLocal"/>.</summary>
    public static SqlText Local(string group) => SqlText.Of($"""
        SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name, ms_ticks,
            DATEDIFF(second, sqlserver_start_time, GETDATE()) AS up_seconds FROM sys.dm_os_sys_info;
        SELECT ar.replica_id, ag.sequence_number, ag.required_synchronized_secondaries_to_commit, rs.role, ar.availability_mode, rs.connected_state,
            gs.primary_replica, DATEDIFF(second, rs.current_configuration_commit_start_time_utc, GETUTCDATE()) AS commit_pending_seconds
        FROM sys.availability_groups AS ag
        JOIN sys.dm_hadr_availability_replica_states AS rs ON rs.group_id = ag.group_id AND rs.is_local = 1
        JOIN sys.availability_replicas AS ar ON ar.replica_id = rs.replica_id
        LEFT JOIN sys.dm_hadr_availability_group_states AS gs ON gs.group_id = ag.group_id
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        SELECT ar.replica_server_name, ar.availability_mode, ar.endpoint_url, rs.connected_state, cs.join_state
        FROM sys.availability_groups AS ag
        JOIN sys.availability_replicas AS ar ON ar.group_id = ag.group_id
        LEFT JOIN sys.dm_hadr_availability_replica_states AS rs ON rs.replica_id = ar.replica_id AND rs.group_id = ag.group_id
        LEFT JOIN sys.dm_hadr_availability_replica_cluster_states AS cs ON cs.replica_id = ar.replica_id AND cs.group_id = ag.group_id
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        SELECT ar.replica_server_name, ds.group_database_id, ds.is_local, ds.synchronization_state, ds.synchronization_state_desc, ds.is_suspended
        FROM sys.availability_groups AS ag
        JOIN sys.dm_hadr_database_replica_states AS ds ON ds.group_id = ag.group_id
        JOIN sys.availability_replicas AS ar ON ar.replica_id = ds.replica_id
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        SELECT cs.database_name, cs.group_database_id, cs.is_database_joined, d.database_id, d.replica_id
        FROM sys.availability_groups AS ag
        JOIN sys.dm_hadr_availability_replica_states AS rs ON rs.group_id = ag.group_id AND rs.is_local = 1
        JOIN sys.dm_hadr_database_replica_cluster_states AS cs ON cs.replica_id = rs.replica_id
        LEFT JOIN sys.databases AS d ON d.name = cs.database_name
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        """);

    /// <summary>The batch for <see cref="ReadPeer"/>.</summary>
    public static SqlText Peer(string group) => SqlText.Of($"""
        SELECT ag.sequence_number, rs.role, ar.availability_mode
        FROM sys.availability_groups AS ag
        JOIN sys.dm_hadr_availability_replica_states AS rs ON rs.group_id = ag.group_id AND rs.is_local = 1
        JOIN sys.availability_replicas AS ar ON ar.replica_id = rs.replica_id
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        SELECT ar.replica_server_name, ar.replica_id
        FROM sys.availability_groups AS ag
        JOIN sys.availability_replicas AS ar ON ar.group_id = ag.group_id
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        """);

    /// <summary>The batch that waits for a role: one row with the local role, or none.</summary>
    public static SqlText Role(string group) => SqlText.Of($"""
        SELECT rs.role FROM sys.availability_groups AS ag
        JOIN sys.dm_hadr_availability_replica_states AS rs ON rs.group_id = ag.group_id AND rs.is_local = 1
        WHERE ag.name = {group} AND ag.is_distributed = 0;
        """);

    /// <summary>Reads what <see cref="Local"/> returned.</summary>
    /// <exception cref="InvalidDataException">The result does not have the shape asked for.</exception>
    public static LocalReplica ReadLocal(IReadOnlyList<SqlResultSet> sets)
    {
        Expect(sets, 5);
        var server = sets[0].Rows.Count == 1 ? sets[0].Rows[0] : throw new InvalidDataException("sys.dm_os_sys_info has no row.");
        var name = server.Text("server_name");
        var ticks = server.Number("ms_ticks");
        var up = TimeSpan.FromSeconds(Math.Max(0, server.Number("up_seconds")));
        if (sets[1].Rows.Count == 0)
            return new LocalReplica(name, ticks, up, null);

        var group = sets[1].Rows[0];
        var role = (ReplicaRole)group.Number("role");
        var isPrimary = role == ReplicaRole.Primary;
        var states = sets[3].Rows;
        var databases = new List<DatabaseRow>();
        var ids = new List<string>();
        foreach (var row in sets[4].Rows)
        {
            var id = row.Text("group_database_id");
            var state = states.FirstOrDefault(state => state.Flag("is_local") && state.Text("group_database_id") == id);
            ids.Add(id);
            databases.Add(new DatabaseRow(
                row.Text("database_name"),
                row.NumberOrNull("database_id") is not null,
                state?.TextOrNull("synchronization_state_desc") ?? string.Empty,
                state?.NumberOrNull("is_suspended") == 1)
            {
                LeftOver = !row.Flag("is_database_joined") && row.NumberOrNull("database_id") is not null && row["replica_id"] is null,
            });
        }

        var replicas = sets[2].Rows.Select(row =>
        {
            var replica = row.Text("replica_server_name");
            bool? connected = isPrimary ? row.NumberOrNull("connected_state") == 1 : null;
            bool? synchronized = isPrimary
                ? connected == true && ids.All(id => states.Any(state =>
                    GroupDirectory.Same(state.Text("replica_server_name"), replica) && state.Text("group_database_id") == id
                    && state.NumberOrNull("synchronization_state") == 2 && state.NumberOrNull("is_suspended") != 1))
                : null;
            return new ReplicaRow(replica, (AvailabilityMode)row.Number("availability_mode"), row.TextOrNull("endpoint_url") ?? string.Empty, connected, synchronized)
            {
                Joined = row.NumberOrNull("join_state") != 0,
            };
        }).ToArray();

        return new LocalReplica(name, ticks, up, new ReplicaState(
            role,
            (AvailabilityMode)group.Number("availability_mode"),
            group.Number("sequence_number"),
            (int)group.Number("required_synchronized_secondaries_to_commit"),
            group.TextOrNull("primary_replica") is { Length: > 0 } primary ? primary : null,
            isPrimary || group.NumberOrNull("connected_state") == 1,
            group.NumberOrNull("commit_pending_seconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            replicas,
            databases)
        {
            ReplicaId = group.Text("replica_id"),
        });
    }

    /// <summary>Reads what <see cref="Peer"/> returned.</summary>
    /// <exception cref="InvalidDataException">The result does not have the shape asked for.</exception>
    public static PeerReplica ReadPeer(IReadOnlyList<SqlResultSet> sets)
    {
        Expect(sets, 2);
        if (sets[0].Rows.Count == 0)
            return new PeerReplica(null, null, 0, []);
        var row = sets[0].Rows[0];
        return new PeerReplica(
            (ReplicaRole)row.Number("role"),
            (AvailabilityMode)row.Number("availability_mode"),
            row.Number("sequence_number"),
            [.. sets[1].Rows.Select(replica => replica.Text("replica_server_name"))])
        {
            ReplicaIds = [.. sets[1].Rows.Select(replica => replica.Text("replica_id"))],
        };
    }

    private static void Expect(IReadOnlyList<SqlResultSet> sets, int count)
    {
        if (sets.Count != count)
            throw new InvalidDataException($"Expected {count} result sets, not {sets.Count}.");
    }
}
