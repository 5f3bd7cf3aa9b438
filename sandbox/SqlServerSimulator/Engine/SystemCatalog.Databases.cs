namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private static void AddDatabaseViews()
    {
        Add("databases", DatabaseColumns, (instance, _) => SystemDatabaseRows(instance)
            .Concat(instance.Databases.Values.OrderBy(database => database.Entry.Id).Select(database => DatabaseRow(instance, database))));
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
        Add("database_principals", "name sysname, principal_id int, type char(1), type_desc nvarchar(60), default_schema_name sysname, create_date datetime, modify_date datetime, owning_principal_id int, sid varbinary(85), is_fixed_role bit, authentication_type int, authentication_type_desc nvarchar(60)", (instance, session) =>
        {
            var users = instance.FindDatabase(session.Database) is { } database ? database.Users.Values.AsEnumerable() : instance.Master.Users;
            var created = instance.Master.Created;
            return users.Select(user => new object?[]
            {
                user.Name, user.PrincipalId, "S", "SQL_USER", "dbo", created, created, null, user.Sid, false, user.Sid is null ? 0 : 1, user.Sid is null ? "NONE" : "INSTANCE",
            }).Prepend(["dbo", 1, "S", "SQL_USER", "dbo", created, created, null, new byte[] { 1 }, false, 1, "INSTANCE"]);
        });
        Add("objects", "name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), type_desc nvarchar(60), create_date datetime, modify_date datetime, is_ms_shipped bit", (instance, session) =>
            Tables(instance, session).Select(table => ObjectRow(table)));
        Add("tables", "name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), type_desc nvarchar(60), create_date datetime, modify_date datetime, is_ms_shipped bit", (instance, session) =>
            Tables(instance, session).Select(table => ObjectRow(table)));
        Add("columns", "object_id int, name sysname, column_id int, is_nullable bit, is_identity bit", (instance, session) =>
            Tables(instance, session).SelectMany(table => table.Columns.Select((column, index) =>
                new object?[] { table.Id, column.Name, index + 1, column.Type.Nullable, column.Identity })));
        Add("schemas", "name sysname, schema_id int, principal_id int", (_, _) => [["dbo", 1, 1], ["sys", 4, 4]]);
    }

    internal static (byte State, string Description) State(SqlInstance instance, Database database)
    {
        var state = instance.StateOf(database);
        return ((byte)state, Words(state));
    }

    private static IEnumerable<Table> Tables(SqlInstance instance, EngineSession session) =>
        instance.FindDatabase(session.Database) is { } database ? database.Tables.Values.OrderBy(table => table.Id) : [];

    private static object?[] ObjectRow(Table table) =>
        [table.Name, table.Id, null, 1, 0, "U ", "USER_TABLE", table.Created, table.Created, false];
}
