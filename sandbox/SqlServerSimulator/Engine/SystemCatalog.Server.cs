namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private static readonly string[] Waits = ["HADR_SYNC_COMMIT", "LCK_M_X", "WRITELOG"];

    private static void AddServerViews()
    {
        Add("servers", "server_id int!, name sysname!, product sysname!, provider sysname!, data_source nvarchar(4000), location nvarchar(4000), provider_string nvarchar(4000), catalog sysname, connect_timeout int, query_timeout int, is_linked bit!, is_remote_login_enabled bit!, is_rpc_out_enabled bit!, is_data_access_enabled bit!, is_collation_compatible bit!, uses_remote_collation bit!, collation_name sysname, lazy_schema_validation bit!, is_system bit!, is_publisher bit!, is_subscriber bit, is_distributor bit, is_nonsql_subscriber bit, is_remote_proc_transaction_promotion_enabled bit, modify_date datetime!, is_rda_server bit", (instance, _) =>
        {
            var local = instance.Master.RemoteServers.Contains("-local") ? null : instance.Master.NextServerName ?? instance.Master.ServerName;
            return instance.Master.RemoteServers.Where(name => name != "-local").Select((name, index) => (Id: index + 1, Name: name))
                .Concat(local is null ? [] : [(0, local)])
                .OrderBy(server => server.Item1)
                .Select(server => new object?[]
                {
                    server.Item1, server.Item2, "SQL Server", "SQLNCLI", server.Item2, null, null, null, 0, 0, false, true, true, false,
                    false, true, null, false, false, false, false, false, false, true, instance.Master.Created, false,
                });
        });
        Add("configurations", "configuration_id int!, name nvarchar(35)!, value variant, minimum variant, maximum variant, value_in_use variant, description nvarchar(255)!, is_dynamic bit!, is_advanced bit!", (instance, _) =>
            ServerOption.All.OrderBy(option => option.Id).Select(option =>
            {
                var (configured, inUse) = instance.Configured(option);
                return new object?[] { option.Id, option.Name, configured, option.Minimum, option.Maximum, inUse, option.Name, option.Dynamic, option.Advanced };
            }));
        AddState("dm_os_sys_info", "cpu_ticks bigint!, ms_ticks bigint!, cpu_count int!, hyperthread_ratio int!, physical_memory_kb bigint!, virtual_memory_kb bigint!, committed_kb bigint!, committed_target_kb bigint!, visible_target_kb bigint!, stack_size_in_bytes int!, os_quantum bigint!, os_error_mode int!, os_priority_class int, max_workers_count int!, scheduler_count int!, scheduler_total_count int!, deadlock_monitor_serial_number int!, sqlserver_start_time_ms_ticks bigint!, sqlserver_start_time datetime!, affinity_type int!, affinity_type_desc nvarchar(60)!, process_kernel_time_ms bigint!, process_user_time_ms bigint!, time_source int!, time_source_desc nvarchar(60)!, virtual_machine_type int!, virtual_machine_type_desc nvarchar(60)!, softnuma_configuration int!, softnuma_configuration_desc nvarchar(60)!, process_physical_affinity nvarchar(3072)!, sql_memory_model int!, sql_memory_model_desc nvarchar(60)!, socket_count int!, cores_per_socket int!, numa_node_count int!, container_type int!, container_type_desc nvarchar(60)!", (instance, _) =>
            [[
                (long)instance.Now.TotalMilliseconds * 1000000, (long)instance.Now.TotalMilliseconds, 2, 1, 4194304L, 8589934591L, 1048576L, 2097152L, 2097152L, 2093056, 4L, 5, 32, 512, 2, 11, 1,
                (long)instance.StartNow.TotalMilliseconds, instance.StartTime, 2, "AUTO", 0L, 0L, 0, "QUERY_PERFORMANCE_COUNTER", 0, "NONE", 0, "OFF", "", 1, "CONVENTIONAL", 1, 2, 1, 1, "LINUX CONTAINER",
            ]]);
        AddState("dm_server_services", "servicename nvarchar(256)!, startup_type int, startup_type_desc nvarchar(256)!, status int, status_desc nvarchar(256)!, process_id int, last_startup_time datetime, service_account nvarchar(256)!, filename nvarchar(256)!, is_clustered nvarchar(1)!, cluster_nodename nvarchar(256), instant_file_initialization_enabled nvarchar(1)!", (instance, _) =>
            [["SQL Server (MSSQLSERVER)", 2, "Automatic", 4, "Running", (int)instance.ServerProperty("ProcessId")!, instance.StartTime, "mssql", "/opt/mssql/bin/sqlservr", "N", null, "Y"]]);
        AddState("dm_tcp_listener_states", "listener_id int!, ip_address nvarchar(48)!, is_ipv4 bit!, port int!, type smallint!, type_desc nvarchar(20)!, state smallint!, state_desc nvarchar(16)!, start_time datetime!", (instance, _) =>
        [
            [1, "0.0.0.0", true, instance.Options.TcpPort, (short)0, "TSQL", (short)0, "ONLINE", instance.StartTime],
            .. instance.EndpointStarted
                ? new object?[][] { [2, "0.0.0.0", true, instance.Master.Endpoint!.Port, (short)2, "Database Mirroring", (short)0, "ONLINE", instance.StartTime] }
                : [],
        ]);
        AddState("dm_os_performance_counters", "object_name nchar(128)!, counter_name nchar(128)!, instance_name nchar(128), cntr_value bigint!, cntr_type int!", (instance, _) =>
        [
            Counter("SQLServer:General Statistics", "User Connections", "", instance.Sessions.Count),
            Counter("SQLServer:Databases", "Active Transactions", "_Total", instance.Sessions.Count(session => session.InTransaction)),
            Counter("SQLServer:Memory Manager", "Total Server Memory (KB)", "", 1048576),
            Counter("SQLServer:Memory Manager", "Target Server Memory (KB)", "", 2097152),
        ]);
        AddState("dm_os_wait_stats", "wait_type nvarchar(60)!, waiting_tasks_count bigint!, wait_time_ms bigint!, max_wait_time_ms bigint!, signal_wait_time_ms bigint!", (_, _) =>
            Waits.Select(wait => new object?[] { wait, 0L, 0L, 0L, 0L }));
    }

    private static object?[] Counter(string set, string name, string instance, long value) =>
        [set.PadRight(128), name.PadRight(128), instance.PadRight(128), value, 65792];
}
