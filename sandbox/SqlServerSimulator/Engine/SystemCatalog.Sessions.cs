namespace SqlServerSimulator.Engine;

/// <summary>Sessions, connections and requests. Without VIEW SERVER STATE a login sees its own session only.</summary>
public static partial class SystemCatalog
{
    private static void AddSessionViews()
    {
        Add("dm_exec_sessions", "session_id smallint!, login_time datetime!, host_name nvarchar(128), program_name nvarchar(128), host_process_id int, client_version int, client_interface_name nvarchar(32), security_id varbinary(85)!, login_name nvarchar(128)!, nt_domain nvarchar(128), nt_user_name nvarchar(128), status nvarchar(30)!, context_info varbinary(128), cpu_time int!, memory_usage int!, total_scheduled_time int!, total_elapsed_time int!, endpoint_id int!, last_request_start_time datetime!, last_request_end_time datetime, reads bigint!, writes bigint!, logical_reads bigint!, is_user_process bit!, text_size int!, language nvarchar(128), date_format nvarchar(3), date_first smallint!, quoted_identifier bit!, arithabort bit!, ansi_null_dflt_on bit!, ansi_defaults bit!, ansi_warnings bit!, ansi_padding bit!, ansi_nulls bit!, concat_null_yields_null bit!, transaction_isolation_level smallint!, lock_timeout int!, deadlock_priority int!, row_count bigint!, prev_error int!, original_security_id varbinary(85)!, original_login_name nvarchar(128)!, last_successful_logon datetime, last_unsuccessful_logon datetime, unsuccessful_logons bigint, group_id int!, database_id smallint!, authenticating_database_id int, open_transaction_count int!, page_server_reads bigint!, contained_availability_group_id guid", (instance, viewer) =>
            Seen(instance, viewer).Select(session => new object?[]
            {
                session.Id, session.LoginTime, session.HostName, session.ApplicationName, null, 7, "TDS", session.Login.Sid, session.LoginName, "", "",
                session == viewer ? "running" : "sleeping", Array.Empty<byte>(), 0, 4, 0, 0, 4, session.LoginTime, session.LoginTime, 0L, 0L, 0L, true, 2147483647,
                "us_english", "mdy", (short)7, true, false, true, false, true, true, true, true, (short)2,
                session.LockTimeout is { } wait ? (int)wait.TotalMilliseconds : -1, 0, 0L, 0, session.Login.Sid, session.LoginName, null, null, null, 2,
                (short)(instance.DatabaseId(session.Database) ?? 0), 1, session.InTransaction ? 1 : 0, 0L, null,
            }));
        Add("dm_exec_connections", "session_id int, most_recent_session_id int, connect_time datetime!, net_transport nvarchar(40)!, protocol_type nvarchar(40), protocol_version int, endpoint_id int, encrypt_option nvarchar(40)!, auth_scheme nvarchar(40)!, node_affinity smallint!, num_reads int, num_writes int, last_read datetime, last_write datetime, net_packet_size int, client_net_address nvarchar(48), client_tcp_port int, local_net_address nvarchar(48), local_tcp_port int, connection_id guid!, parent_connection_id guid, most_recent_sql_handle varbinary(64)", (instance, viewer) =>
            Seen(instance, viewer).Select(session => new object?[]
            {
                (int)session.Id, (int)session.Id, session.LoginTime, "TCP", "TSQL", 1946157060, 4, "FALSE", "SQL", (short)0, 0, 0, session.LoginTime, session.LoginTime, 4096,
                null, null, null, instance.Options.TcpPort, ConnectionId(session), null, null,
            }));
        Add("dm_exec_requests", "session_id smallint!, request_id int!, start_time datetime!, status nvarchar(30)!, command nvarchar(32)!, sql_handle varbinary(64), statement_start_offset int, statement_end_offset int, plan_handle varbinary(64), database_id smallint!, user_id int!, connection_id guid, blocking_session_id smallint, wait_type nvarchar(60), wait_time int!, last_wait_type nvarchar(60)!, wait_resource nvarchar(256)!, open_transaction_count int!, open_resultset_count int!, transaction_id bigint!, percent_complete float, cpu_time int!, total_elapsed_time int!", (instance, viewer) =>
            Seen(instance, viewer).Where(session => session == viewer || session.Transaction is { WaitsFor: not null }).Select(session =>
            {
                var waits = session.Transaction?.WaitsFor;
                var owner = waits is null ? null : instance.Sessions.FirstOrDefault(other => other.Transaction == waits);
                return new object?[]
                {
                    session.Id, 0, session.LoginTime, waits is null ? "running" : "suspended", "SELECT", null, null, null, null, (short)(instance.DatabaseId(session.Database) ?? 0), 1,
                    ConnectionId(session), owner?.Id ?? (short)0, waits is null ? null : "LCK_M_X", 0, waits is null ? "MISCELLANEOUS" : "LCK_M_X", "",
                    session.InTransaction ? 1 : 0, 1, 0L, 0d, 0, 0,
                };
            }));
    }

    private static IEnumerable<EngineSession> Seen(SqlInstance instance, EngineSession viewer) =>
        instance.HasPermission(viewer, "VIEW SERVER STATE") || instance.HasPermission(viewer, "VIEW SERVER PERFORMANCE STATE")
            ? instance.Sessions.OrderBy(session => session.Id)
            : instance.Sessions.Where(session => session == viewer);

    private static Guid ConnectionId(EngineSession session) => new(session.Id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
}
