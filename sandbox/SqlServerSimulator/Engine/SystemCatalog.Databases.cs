namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private static void AddDatabaseViews()
    {
        Add("databases", DatabaseColumns, (instance, session) => SystemDatabaseRows(instance)
            .Concat(instance.Databases.Values.OrderBy(database => database.Entry.Id).Where(database => IsDatabaseVisible(instance, session, database)).Select(database => DatabaseRow(instance, database))));
        const string files = "file_id int, file_guid guid, type tinyint, type_desc nvarchar(60), data_space_id int, name sysname, physical_name nvarchar(260), state tinyint, state_desc nvarchar(60), size int, max_size int, growth int, is_media_read_only bit, is_read_only bit, is_sparse bit, is_percent_growth bit, is_name_reserved bit, is_persistent_log_buffer bit, create_lsn lsn, drop_lsn lsn, read_only_lsn lsn, read_write_lsn lsn, differential_base_lsn lsn, differential_base_guid guid, differential_base_time datetime, redo_start_lsn lsn, redo_start_fork_guid guid, redo_target_lsn lsn, redo_target_fork_guid guid, backup_lsn lsn";
        Add("database_files", files, (instance, session) => Files(instance)
            .Where(file => file.Database == instance.DatabaseId(session.Database)).Select(file => file.Row));
        Add("master_files", "database_id int, " + files + ", credential_id int", (instance, session) => instance.HasPermission(session, "VIEW ANY DEFINITION")
            ? Files(instance).Select(file => (object?[])[file.Database, .. file.Row, null])
            : []);
        Add("database_recovery_status", "database_id int, database_guid guid, family_guid guid, last_log_backup_lsn lsn, recovery_fork_guid guid, first_recovery_fork_guid guid, fork_point_lsn lsn", (instance, _) =>
            instance.Databases.Values.Select(database => new object?[]
            {
                database.Entry.Id, database.Entry.File, database.Entry.Family,
                database.Entry is { BackedUp: true, Recovery: not RecoveryModel.Simple } ? Lsn(database.Entry.LogBackup) : null, database.Entry.Fork, database.Entry.Family, null,
            }));
    }

    internal static (byte State, string Description) State(SqlInstance instance, Database database)
    {
        var state = instance.StateOf(database);
        return ((byte)state, Words(state));
    }

    private static bool IsDatabaseVisible(SqlInstance instance, EngineSession session, Database database) =>
        instance.HasPermission(session, "VIEW ANY DATABASE") || instance.AccessOf(session.Login, database.Name)?.IsDbo == true;
}
