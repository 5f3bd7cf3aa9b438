namespace SqlServerSimulator.Engine;

/// <summary>Rows of sys.databases and of the views of files.</summary>
public static partial class SystemCatalog
{
    private const string DatabaseColumns =
        "name sysname!, database_id int!, source_database_id int, owner_sid varbinary(85), create_date datetime!, compatibility_level tinyint!, "
        + "collation_name sysname, user_access tinyint, user_access_desc nvarchar(60), is_read_only bit, is_auto_close_on bit, is_auto_shrink_on bit, "
        + "state tinyint, state_desc nvarchar(60), is_in_standby bit, is_cleanly_shutdown bit, is_supplemental_logging_enabled bit, "
        + "snapshot_isolation_state tinyint, snapshot_isolation_state_desc nvarchar(60), is_read_committed_snapshot_on bit, recovery_model tinyint, "
        + "recovery_model_desc nvarchar(60), page_verify_option tinyint, page_verify_option_desc nvarchar(60), is_auto_create_stats_on bit, "
        + "is_auto_create_stats_incremental_on bit, is_auto_update_stats_on bit, is_auto_update_stats_async_on bit, is_ansi_null_default_on bit, "
        + "is_ansi_nulls_on bit, is_ansi_padding_on bit, is_ansi_warnings_on bit, is_arithabort_on bit, is_concat_null_yields_null_on bit, "
        + "is_numeric_roundabort_on bit, is_quoted_identifier_on bit, is_recursive_triggers_on bit, is_cursor_close_on_commit_on bit, "
        + "is_local_cursor_default bit, is_fulltext_enabled bit, is_trustworthy_on bit, is_db_chaining_on bit, is_parameterization_forced bit, "
        + "is_master_key_encrypted_by_server bit, is_query_store_on bit, is_published bit, is_subscribed bit, is_merge_published bit, "
        + "is_distributor bit, is_sync_with_backup bit, service_broker_guid guid, is_broker_enabled bit, log_reuse_wait tinyint, "
        + "log_reuse_wait_desc nvarchar(60), is_date_correlation_on bit, is_cdc_enabled bit, is_encrypted bit, is_honor_broker_priority_on bit, "
        + "replica_id guid, group_database_id guid, resource_pool_id int, default_language_lcid smallint, default_language_name nvarchar(128), "
        + "default_fulltext_language_lcid int, default_fulltext_language_name nvarchar(128), is_nested_triggers_on bit, "
        + "is_transform_noise_words_on bit, two_digit_year_cutoff smallint, containment tinyint, containment_desc nvarchar(60), "
        + "target_recovery_time_in_seconds int, delayed_durability int, delayed_durability_desc nvarchar(60), "
        + "is_memory_optimized_elevate_to_snapshot_on bit, is_federation_member bit, is_remote_data_archive_enabled bit, "
        + "is_mixed_page_allocation_on bit, is_temporal_history_retention_enabled bit, catalog_collation_type int, "
        + "catalog_collation_type_desc nvarchar(60), physical_database_name nvarchar(128), is_result_set_caching_on bit, "
        + "is_accelerated_database_recovery_on bit, is_tempdb_spill_to_remote_store bit, is_stale_page_detection_on bit, "
        + "is_memory_optimized_enabled bit, is_data_retention_enabled bit, is_ledger_on bit, is_change_feed_enabled bit";

    private static readonly string[] PageVerifyOptions = ["NONE", "TORN_PAGE_DETECTION", "CHECKSUM"];

    private static IEnumerable<object?[]> SystemDatabaseRows(SqlInstance instance)
    {
        string[] names = ["master", "tempdb", "model", "msdb"];
        return names.Select((name, index) => Row(instance, new DatabaseEntry
        {
            Name = name,
            Id = index + 1,
            Created = name == "tempdb" ? instance.StartTime : instance.Master.Created,
            Recovery = name == "model" ? instance.Master.ModelRecovery : RecoveryModel.Simple,
            Options = name == "master" || name == "msdb" ? new() { ["ALLOW_SNAPSHOT_ISOLATION"] = 1 } : [],
        }, DatabaseState.Online, waitsForBackup: false));
    }

    private static object?[] DatabaseRow(SqlInstance instance, Database database) =>
        Row(instance, database.Entry, instance.StateOf(database), database.Entry is { BackedUp: true, Recovery: not RecoveryModel.Simple });

    private static object?[] Row(SqlInstance instance, DatabaseEntry entry, DatabaseState state, bool waitsForBackup)
    {
        int Option(string name, int initial = 0) => entry.Options.GetValueOrDefault(name, initial);
        bool On(string name, bool initial = false) => Option(name, initial ? 1 : 0) != 0;
        var group = entry.Group is { } id ? instance.Groups.GetValueOrDefault(id) : null;
        var seeding = group?.Seedings.Exists(seeding => seeding.IsSource && seeding.Database == entry.GroupDatabase && seeding.Completed is null) == true;
        var (wait, why) = seeding ? (13, "AVAILABILITY_REPLICA") : waitsForBackup ? (2, "LOG_BACKUP") : (0, "NOTHING");
        var verify = Option("PAGE_VERIFY", 2);
        var online = state == DatabaseState.Online;
        return
        [
            entry.Name, entry.Id, null, instance.FindLogin(entry.Owner)?.Sid ?? [1], entry.Created, (byte)Option("COMPATIBILITY_LEVEL", 160),
            online || state is DatabaseState.Restoring ? entry.Collation : null, (byte)entry.UserAccess, Words(entry.UserAccess), entry.ReadOnly, On("AUTO_CLOSE"), On("AUTO_SHRINK"),
            (byte)state, Words(state), false, false, false,
            (byte)Option("ALLOW_SNAPSHOT_ISOLATION"), On("ALLOW_SNAPSHOT_ISOLATION") ? "ON" : "OFF", On("READ_COMMITTED_SNAPSHOT"), (byte)entry.Recovery,
            Words(entry.Recovery), (byte)verify, PageVerifyOptions[verify], On("AUTO_CREATE_STATISTICS", true),
            false, On("AUTO_UPDATE_STATISTICS", true), On("AUTO_UPDATE_STATISTICS_ASYNC"), false,
            false, false, false, false, false,
            false, false, false, false,
            false, false, On("TRUSTWORTHY", entry.Name == "msdb"), On("DB_CHAINING", entry.Name is "master" or "tempdb" or "msdb"), false,
            entry.Id == 1 && instance.Master.MasterKey is not null, false, false, false, false,
            false, false, entry.File, false, (byte)wait,
            why, false, false, false, false,
            group?.File.LocalReplica, group is null ? null : entry.GroupDatabase, null, null, null,
            null, null, null,
            null, null, (byte)0, "NONE",
            Option("TARGET_RECOVERY_TIME", entry.Id is 1 or 2 or 4 ? 0 : 60), 0, "DISABLED",
            false, false, false,
            entry.Id is 1 or 3 or 4, true, 0,
            "DATABASE_DEFAULT", entry.Name, false,
            false, false, false,
            true, false, false, false,
        ];
    }

    private static IEnumerable<(int Database, object?[] Row)> Files(SqlInstance instance)
    {
        (string Name, string Data, string Log)[] system =
        [
            ("master", "master", "mastlog"), ("tempdb", "tempdev", "templog"), ("model", "modeldev", "modellog"), ("msdb", "MSDBData", "MSDBLog"),
        ];
        for (var index = 0; index < system.Length; index++)
        {
            var (name, data, log) = system[index];
            var file = name == "msdb" ? "MSDBData" : name == "tempdb" ? "tempdb" : name;
            yield return (index + 1, FileRow(new DatabaseFile(data, $"{SqlInstance.DataFolder}{file}.mdf", false), 1, DatabaseState.Online, 512, default));
            yield return (index + 1, FileRow(new DatabaseFile(log, $"{SqlInstance.DataFolder}{log}.ldf", true), 2, DatabaseState.Online, 128, default));
        }

        foreach (var database in instance.Databases.Values.OrderBy(database => database.Entry.Id))
        {
            var state = instance.StateOf(database);
            for (var index = 0; index < database.Entry.Files.Count; index++)
            {
                // The log is file 2, whatever the order in which files were given.
                var file = database.Entry.Files[index];
                var firstLog = database.Entry.Files.FindIndex(other => other.Log);
                var number = file.Log && index == firstLog ? 2 : index == 0 ? 1 : index < firstLog ? index + 2 : index + 1;
                yield return (database.Entry.Id, FileRow(file, number, state, (int)(1024 + (database.Bytes / 8192)), database.Entry.File));
            }
        }
    }

    private static object?[] FileRow(DatabaseFile file, int number, DatabaseState state, int pages, Guid guid) =>
    [
        number, guid == default ? null : guid, file.Log ? (byte)1 : (byte)0, file.Log ? "LOG" : "ROWS", file.Log ? 0 : 1, file.Logical, file.Physical,
        (byte)state, Words(state), pages, file.Log ? 268435456 : -1, 8192, false, false, false, false, false, false,
        null, null, null, null, null, null, null, null, null, null, null, null,
    ];
}
