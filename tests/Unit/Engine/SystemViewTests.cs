using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>What the documentation says about each view, written down a second time: names, order, types, lengths, NOT NULL (as !).</summary>
public sealed class SystemViewTests
{
    private const string Principal =
        "name sysname!, principal_id int!, sid varbinary(85), type char(1)!, type_desc nvarchar(60), is_disabled bit, create_date datetime!, modify_date datetime!, default_database_name sysname, default_language_name sysname, credential_id int, owning_principal_id int, is_fixed_role bit!";

    private const string Endpoint =
        "name sysname!, endpoint_id int!, principal_id int, protocol tinyint!, protocol_desc nvarchar(60), type tinyint!, type_desc nvarchar(60), state tinyint, state_desc nvarchar(60), is_admin_endpoint bit!";

    private const string Permission =
        "class tinyint!, class_desc nvarchar(60), major_id int!, minor_id int!, grantee_principal_id int!, grantor_principal_id int!, type char(4)!, permission_name nvarchar(128), state char(1)!, state_desc nvarchar(60)";

    private static readonly Dictionary<string, string> Exact = new()
    {
        ["availability_groups"] = "group_id uniqueidentifier!, name sysname, resource_id nvarchar(40), resource_group_id nvarchar(40), failure_condition_level int, health_check_timeout int, automated_backup_preference tinyint, automated_backup_preference_desc nvarchar(60), version smallint, basic_features bit, dtc_support bit, db_failover bit, is_distributed bit, cluster_type tinyint, cluster_type_desc nvarchar(60), required_synchronized_secondaries_to_commit int, sequence_number bigint, is_contained bit",
        ["availability_replicas"] = "replica_id uniqueidentifier, group_id uniqueidentifier, replica_metadata_id int, replica_server_name nvarchar(256), owner_sid varbinary(85), endpoint_url nvarchar(256), availability_mode tinyint, availability_mode_desc nvarchar(60), failover_mode tinyint, failover_mode_desc nvarchar(60), session_timeout int, primary_role_allow_connections tinyint, primary_role_allow_connections_desc nvarchar(60), secondary_role_allow_connections tinyint, secondary_role_allow_connections_desc nvarchar(60), create_date datetime, modify_date datetime, backup_priority int, read_only_routing_url nvarchar(256), seeding_mode tinyint, seeding_mode_desc nvarchar(60), read_write_routing_url nvarchar(256)",
        ["availability_read_only_routing_lists"] = "replica_id uniqueidentifier, routing_priority int, read_only_replica_id uniqueidentifier",
        ["availability_databases_cluster"] = "group_id uniqueidentifier, group_database_id uniqueidentifier, database_name sysname, truncation_lsn numeric(25,0)",
        ["dm_hadr_availability_replica_states"] = "replica_id uniqueidentifier, group_id uniqueidentifier, is_local bit, role tinyint, role_desc nvarchar(60), operational_state tinyint, operational_state_desc nvarchar(60), connected_state tinyint, connected_state_desc nvarchar(60), recovery_health tinyint, recovery_health_desc nvarchar(60), synchronization_health tinyint, synchronization_health_desc nvarchar(60), last_connect_error_number int, last_connect_error_description nvarchar(1024), last_connect_error_timestamp datetime, write_lease_remaining_ticks bigint, current_configuration_commit_start_time_utc datetime",
        ["dm_hadr_availability_replica_cluster_states"] = "replica_id uniqueidentifier, replica_server_name nvarchar(256), group_id uniqueidentifier, join_state tinyint, join_state_desc nvarchar(60)",
        ["dm_hadr_availability_group_states"] = "group_id uniqueidentifier, primary_replica nvarchar(128), primary_recovery_health tinyint, primary_recovery_health_desc nvarchar(60), secondary_recovery_health tinyint, secondary_recovery_health_desc nvarchar(60), synchronization_health tinyint, synchronization_health_desc nvarchar(60)",
        ["dm_hadr_database_replica_states"] = "database_id int, group_id uniqueidentifier, replica_id uniqueidentifier, group_database_id uniqueidentifier, is_local bit, is_primary_replica bit, synchronization_state tinyint, synchronization_state_desc nvarchar(60), is_commit_participant bit, synchronization_health tinyint, synchronization_health_desc nvarchar(60), database_state tinyint, database_state_desc nvarchar(60), is_suspended bit, suspend_reason tinyint, suspend_reason_desc nvarchar(60), recovery_lsn numeric(25,0), truncation_lsn numeric(25,0), last_sent_lsn numeric(25,0), last_sent_time datetime, last_received_lsn numeric(25,0), last_received_time datetime, last_hardened_lsn numeric(25,0), last_hardened_time datetime, last_redone_lsn numeric(25,0), last_redone_time datetime, log_send_queue_size bigint, log_send_rate bigint, redo_queue_size bigint, redo_rate bigint, filestream_send_rate bigint, end_of_log_lsn numeric(25,0), last_commit_lsn numeric(25,0), last_commit_time datetime, low_water_mark_for_ghosts bigint, secondary_lag_seconds bigint, quorum_commit_lsn numeric(25,0), quorum_commit_time datetime",
        ["dm_hadr_database_replica_cluster_states"] = "replica_id uniqueidentifier, group_database_id uniqueidentifier, database_name sysname, is_failover_ready bit, is_pending_secondary_suspend bit, is_database_joined bit, recovery_lsn numeric(25,0), truncation_lsn numeric(25,0)",
        ["database_mirroring_endpoints"] = $"{Endpoint}, role tinyint, role_desc nvarchar(60), is_encryption_enabled bit!, connection_auth tinyint!, connection_auth_desc nvarchar(60), certificate_id int!, encryption_algorithm tinyint!, encryption_algorithm_desc nvarchar(60)",
        ["endpoints"] = Endpoint,
        ["tcp_endpoints"] = $"{Endpoint}, port int!, is_dynamic_port bit!, ip_address nvarchar(45)",
        ["certificates"] = "name sysname!, certificate_id int!, principal_id int, pvt_key_encryption_type char(2)!, pvt_key_encryption_type_desc nvarchar(60), is_active_for_begin_dialog bit!, issuer_name nvarchar(442), cert_serial_number nvarchar(64), sid varbinary(85), string_sid nvarchar(128), subject nvarchar(4000), expiry_date datetime, start_date datetime, thumbprint varbinary(32)!, attested_by nvarchar(260), pvt_key_last_backup_date datetime, key_length int",
        ["server_principals"] = Principal,
        ["sql_logins"] = $"{Principal}, is_policy_checked bit, is_expiration_checked bit, password_hash varbinary(256)",
        ["server_role_members"] = "role_principal_id int!, member_principal_id int!",
        ["database_role_members"] = "role_principal_id int!, member_principal_id int!",
        ["server_permissions"] = Permission,
        ["database_permissions"] = Permission,
        ["configurations"] = "configuration_id int!, name nvarchar(35)!, value sql_variant, minimum sql_variant, maximum sql_variant, value_in_use sql_variant, description nvarchar(255)!, is_dynamic bit!, is_advanced bit!",
        ["schemas"] = "name sysname!, schema_id int!, principal_id int",
    };

    /// <summary>Of views with more columns than matter here: these, in this order.</summary>
    private static readonly Dictionary<string, string> Among = new()
    {
        ["availability_group_listeners"] = "group_id uniqueidentifier!, listener_id nvarchar(36), dns_name nvarchar(63), port int",
        ["availability_group_listener_ip_addresses"] = "listener_id nvarchar(36), ip_address nvarchar(48), ip_subnet_mask nvarchar(15), is_dhcp bit!, state tinyint, state_desc nvarchar(60)",
        ["dm_hadr_physical_seeding_stats"] = "local_physical_seeding_id uniqueidentifier!, remote_physical_seeding_id uniqueidentifier, local_database_id int, remote_machine_name nvarchar(256), role_desc nvarchar(60), transferred_size_bytes bigint, database_size_bytes bigint, failure_code int",
        ["dm_hadr_cluster"] = "cluster_name nvarchar(128), quorum_type tinyint",
        ["dm_hadr_cluster_members"] = "member_name nvarchar(128), member_type tinyint",
        ["dm_hadr_automatic_seeding"] = "start_time datetime, completion_time datetime, ag_id uniqueidentifier, ag_db_id uniqueidentifier, ag_remote_replica_id uniqueidentifier, operation_id uniqueidentifier, is_source bit, performed_seeding bit, failure_state int, error_code int, number_of_attempts int",
        ["databases"] = "name sysname!, database_id int!, create_date datetime!, is_read_only bit, state tinyint, state_desc nvarchar(60), recovery_model tinyint, replica_id uniqueidentifier, group_database_id uniqueidentifier, physical_database_name nvarchar(128)",
        ["database_principals"] = "name sysname!, principal_id int!, type char(1)!, default_schema_name sysname, sid varbinary(85), is_fixed_role bit!",
        ["symmetric_keys"] = "name sysname!, principal_id int, symmetric_key_id int!, key_algorithm char(2)!, create_date datetime!, key_guid uniqueidentifier",
        ["servers"] = "server_id int!, name sysname!, is_linked bit!, modify_date datetime!",
        ["dm_os_sys_info"] = "cpu_count int!, sqlserver_start_time datetime!, container_type int!",
        ["dm_server_services"] = "servicename nvarchar(256)!, status int",
        ["dm_tcp_listener_states"] = "listener_id int!, ip_address nvarchar(48)!, port int!, type_desc nvarchar(20)!, state smallint!",
        ["dm_exec_sessions"] = "session_id smallint!, login_time datetime!, host_name nvarchar(128), program_name nvarchar(128), login_name nvarchar(128)!, status nvarchar(30)!, is_user_process bit!, original_login_name nvarchar(128)!, database_id smallint!, open_transaction_count int!, contained_availability_group_id uniqueidentifier",
        ["dm_exec_connections"] = "session_id int, connect_time datetime!, net_transport nvarchar(40)!, encrypt_option nvarchar(40)!, auth_scheme nvarchar(40)!",
        ["dm_exec_requests"] = "session_id smallint!, start_time datetime!, status nvarchar(30)!, command nvarchar(32)!, blocking_session_id smallint, wait_type nvarchar(60)",
        ["dm_os_performance_counters"] = "object_name nchar(128)!, counter_name nchar(128)!, instance_name nchar(128), cntr_value bigint!",
        ["dm_os_wait_stats"] = "wait_type nvarchar(60)!, waiting_tasks_count bigint!",
        ["objects"] = "name sysname!, object_id int!, schema_id int!, type char(2), create_date datetime!, is_ms_shipped bit!",
        ["tables"] = "name sysname!, object_id int!, schema_id int!, type char(2), temporal_type tinyint",
        ["columns"] = "object_id int!, name sysname, column_id int!, system_type_id tinyint!, max_length smallint!, is_nullable bit, is_identity bit!",
        ["types"] = "name sysname!, system_type_id tinyint!, user_type_id int!, max_length smallint!, is_user_defined bit!",
        ["indexes"] = "object_id int!, name sysname, index_id int!, is_primary_key bit",
        ["INFORMATION_SCHEMA.TABLES"] = "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, TABLE_TYPE varchar(10)",
        ["INFORMATION_SCHEMA.COLUMNS"] = "TABLE_NAME sysname!, COLUMN_NAME sysname, ORDINAL_POSITION int, IS_NULLABLE varchar(3), DATA_TYPE nvarchar(128), CHARACTER_MAXIMUM_LENGTH int",
    };

    private static IEnumerable<string> ExactViews => Exact.Keys;

    private static IEnumerable<string> AmongViews => Among.Keys;

    [TestCaseSource(nameof(ExactViews))]
    public void Columns_are_as_documented(string view) =>
        Assert.That(string.Join(", ", Shown(view)), Is.EqualTo(Exact[view].Replace("sysname", "nvarchar(128)", StringComparison.Ordinal)));

    [TestCaseSource(nameof(AmongViews))]
    public void Documented_columns_are_there_in_order(string view)
    {
        var wanted = Among[view].Replace("sysname", "nvarchar(128)", StringComparison.Ordinal).Split(", ");
        Assert.That(Shown(view).Where(wanted.Contains), Is.EqualTo(wanted));
    }

    [Test]
    public void What_is_not_null_is_never_null()
    {
        var ag = new ThreeReplicas(lease: 60);
        foreach (var name in SystemCatalog.Names)
        {
            var view = Find(name);
            foreach (var row in view.Rows(ag.A.Instance, ag.A.Sa))
            {
                foreach (var (column, value) in view.Columns.Zip(row).Where(pair => !pair.First.Type.Nullable))
                {
                    Assert.That(value, Is.Not.Null, $"{name}.{column.Name}");
                }
            }
        }
    }

    /// <summary>Rows that each role sees, of a group of three replicas with one database.</summary>
    [TestCase("availability_groups", 1, 1, 1)]
    [TestCase("availability_replicas", 3, 3, 3)]
    [TestCase("availability_databases_cluster", 1, 1, 1)]
    [TestCase("dm_hadr_availability_replica_states", 3, 1, 1)]
    [TestCase("dm_hadr_availability_replica_cluster_states", 3, 3, 3)]
    [TestCase("dm_hadr_availability_group_states", 1, 1, 1)]
    [TestCase("dm_hadr_database_replica_states", 3, 1, 1)]
    [TestCase("dm_hadr_database_replica_cluster_states", 3, 3, 3)]
    public void Rows_by_role(string view, int primary, int secondary, int resolving)
    {
        var ag = new ThreeReplicas();
        ag.C.Do(new TakeOffline("ag1"));
        ag.World.Until(() => ag.C.Role == ReplicaRole.Resolving, "c resolves");
        Assert.That(
            new[] { ag.A, ag.B, ag.C }.Select(node => node.View(view).Count), Is.EqualTo(new[] { primary, secondary, resolving }));
    }

    /// <summary>What is NULL about another replica, and not about one's own.</summary>
    [TestCase("availability_replicas", "replica_metadata_id")]
    [TestCase("availability_replicas", "owner_sid")]
    [TestCase("availability_replicas", "create_date")]
    [TestCase("availability_replicas", "modify_date")]
    [TestCase("dm_hadr_availability_replica_states", "operational_state")]
    [TestCase("dm_hadr_availability_replica_states", "recovery_health")]
    [TestCase("dm_hadr_availability_replica_states", "write_lease_remaining_ticks")]
    [TestCase("dm_hadr_database_replica_states", "database_state")]
    public void Remote_values_are_null(string view, string column)
    {
        var ag = new ThreeReplicas();
        foreach (var row in ag.A.View(view))
        {
            var local = (Guid)row["replica_id"]! == ag.A.Group.File.LocalReplica;
            Assert.That(row[column] is not null, Is.EqualTo(local));
        }
    }

    /// <summary>A login without any right: an error from views over server state, no rows of what is not its own.</summary>
    [TestCase("availability_groups", 0)]
    [TestCase("availability_replicas", 0)]
    [TestCase("availability_databases_cluster", 0)]
    [TestCase("database_mirroring_endpoints", 0)]
    [TestCase("certificates", 0)]
    [TestCase("symmetric_keys", 0)]
    [TestCase("sql_logins", 2)]
    [TestCase("databases", 5)]
    [TestCase("dm_exec_sessions", 1)]
    [TestCase("dm_hadr_availability_replica_states", -300)]
    [TestCase("dm_hadr_availability_group_states", -300)]
    [TestCase("dm_hadr_database_replica_states", -300)]
    [TestCase("dm_hadr_database_replica_cluster_states", -300)]
    [TestCase("dm_hadr_automatic_seeding", -300)]
    [TestCase("dm_os_sys_info", -300)]
    [TestCase("dm_tcp_listener_states", -300)]
    public void Without_rights(string view, int outcome)
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new CreateLogin("low", "G00d!Passw"));
        var low = ag.A.LogIn(user: "low", password: "G00d!Passw");
        try
        {
            Assert.That(ag.A.View(view, low), Has.Count.EqualTo(outcome));
        }
        catch (SqlErrorException error)
        {
            Assert.That(-error.Error.Number, Is.EqualTo(outcome));
        }
    }

    [Test]
    public void A_permission_on_the_group_shows_the_group_and_nothing_else()
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new CreateLogin("low", "G00d!Passw"));
        var low = ag.A.LogIn(user: "low", password: "G00d!Passw");
        ag.A.Do(new ChangePermissions(GrantKind.Grant, ["VIEW DEFINITION"], SecurableClass.AvailabilityGroup, "ag1", "low"));
        Assert.That(ag.A.View("availability_groups", low), Has.Count.EqualTo(1));
        Assert.That(ag.A.View("database_mirroring_endpoints", low), Is.Empty);
        Assert.That(() => ag.A.View("dm_hadr_availability_replica_states", low), Throws.InstanceOf<SqlErrorException>());
        ag.A.Do(new ChangePermissions(GrantKind.Grant, ["VIEW SERVER PERFORMANCE STATE"], SecurableClass.Server, null, "low"));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states", low), Has.Count.EqualTo(3));
    }

    private static SystemView Find(string name) => name.Split('.') is [var schema, var view] ? SystemCatalog.Find(schema, view)! : SystemCatalog.Find("sys", name)!;

    private static IEnumerable<string> Shown(string view) => Find(view).Columns.Select(column => $"{column.Name} {Shown(column.Type)}{(column.Type.Nullable ? "" : "!")}");

    private static string Shown(SqlType type) => type.Kind switch
    {
        SqlKind.Numeric => $"numeric({type.Precision},{type.Scale})",
        SqlKind.Variant => "sql_variant",
        SqlKind.NVarChar or SqlKind.VarChar or SqlKind.Char or SqlKind.NChar or SqlKind.VarBinary => $"{type.Kind.ToString().ToLowerInvariant()}({(type.Length < 0 ? "max" : type.Length)})",
        _ => type.Kind.ToString().ToLowerInvariant(),
    };
}
