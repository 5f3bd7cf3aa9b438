namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private static void AddDatabaseViews()
    {
        Add("databases", "name sysname, database_id int, source_database_id int, owner_sid varbinary(85), create_date datetime, compatibility_level tinyint, collation_name sysname, user_access tinyint, user_access_desc nvarchar(60), is_read_only bit, state tinyint, state_desc nvarchar(60), is_in_standby bit, recovery_model tinyint, recovery_model_desc nvarchar(60), is_encrypted bit, log_reuse_wait tinyint, log_reuse_wait_desc nvarchar(60), replica_id guid, group_database_id guid", (instance, session) =>
        {
            var rows = new[] { ("master", RecoveryModel.Simple), ("tempdb", RecoveryModel.Simple), ("model", RecoveryModel.Full), ("msdb", RecoveryModel.Simple) }
                .Select((system, index) => new object?[]
                {
                    system.Item1, index + 1, null, new byte[] { 1 }, instance.Master.Created, (byte)160, "SQL_Latin1_General_CP1_CI_AS", (byte)0, "MULTI_USER", false,
                    (byte)0, "ONLINE", false, (byte)system.Item2, Words(system.Item2), false, (byte)0, "NOTHING", null, null,
                });
            return rows.Concat(instance.Databases.Values.OrderBy(database => database.Entry.Id).Select(database =>
            {
                var state = State(instance, database);
                var entry = database.Entry;
                var group = entry.Group is { } id ? instance.Groups.GetValueOrDefault(id) : null;
                return new object?[]
                {
                    database.Name, entry.Id, null, instance.FindLogin(entry.Owner)?.Sid ?? [1], entry.Created, (byte)160, "SQL_Latin1_General_CP1_CI_AS", (byte)0, "MULTI_USER", entry.ReadOnly,
                    state.State, state.Description, false, (byte)entry.Recovery, Words(entry.Recovery), false, (byte)0, "NOTHING",
                    group?.File.LocalReplica, group is null ? null : entry.GroupDatabase,
                };
            }));
        });
        Add("database_recovery_status", "database_id int, database_guid guid, family_guid guid, last_log_backup_lsn lsn, recovery_fork_guid guid, first_recovery_fork_guid guid, fork_point_lsn lsn", (instance, _) =>
            instance.Databases.Values.Select(database => new object?[]
            {
                database.Entry.Id, database.Entry.File, database.Entry.GroupDatabase ?? database.Entry.File,
                database.Entry is { BackedUp: true, Recovery: not RecoveryModel.Simple } ? Lsn(0) : null, database.Entry.File, null, null,
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
        if (database.Entry.Seeding || database.Entry.Restoring)
        {
            return (1, "RESTORING");
        }

        if (database.Damage != Damage.None)
        {
            return database.Damage == Damage.Suspect ? ((byte)4, "SUSPECT") : ((byte)3, "RECOVERY_PENDING");
        }

        if (database.IsRecovering)
        {
            return (2, "RECOVERING");
        }

        if (database.Entry.Group is { } id)
        {
            if (instance.Groups.GetValueOrDefault(id) is not { } group || group.Role == ReplicaRole.Resolving)
            {
                return (3, "RECOVERY_PENDING");
            }

            if (!database.Recovered)
            {
                return (2, "RECOVERING");
            }
        }

        return (0, "ONLINE");
    }

    private static IEnumerable<Table> Tables(SqlInstance instance, EngineSession session) =>
        instance.FindDatabase(session.Database) is { } database ? database.Tables.Values.OrderBy(table => table.Id) : [];

    private static object?[] ObjectRow(Table table) =>
        [table.Name, table.Id, null, 1, 0, "U ", "USER_TABLE", table.Created, table.Created, false];
}
