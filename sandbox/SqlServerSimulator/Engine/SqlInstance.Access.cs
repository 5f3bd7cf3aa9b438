using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Who gets into which database, and what stands in the way.</summary>
public sealed partial class SqlInstance
{
    /// <summary>Checks that a session may enter a database and returns its name as it is spelled.</summary>
    private string Open(EngineSession session, string name)
    {
        if (IsSystem(name))
        {
            return SystemDatabases.First(database => database.Equals(name, StringComparison.OrdinalIgnoreCase));
        }

        return OpenForReading(session, name).Name;
    }

    private Database OpenForReading(EngineSession session, string name)
    {
        var database = FindTables(name) ?? throw new SqlErrorException(Errors.NoDatabase(name));
        if (Obstacle(database) is { } obstacle)
        {
            throw new SqlErrorException(obstacle);
        }

        RequireRole(session, database);
        if (!HasInDatabase(session.Login, database.Name, "CONNECT"))
        {
            throw new SqlErrorException(Errors.NoAccess(session.LoginName, database.Name));
        }

        RequireUserAccess(session, database);
        return database;
    }

    private Database OpenForWriting(EngineSession session, string name, string? permission)
    {
        var database = OpenForReading(session, name);
        if (permission is not null)
        {
            RequireInDatabase(session, database, permission, null);
        }

        if (database.Entry.Emergency)
        {
            throw new SqlErrorException(
                3908, 16, $"Could not run BEGIN TRANSACTION in database '{database.Name}' because the database is in emergency mode or is damaged and must be restarted.");
        }

        if (database.Entry.ReadOnly)
        {
            throw new SqlErrorException(Errors.ReadOnlyDatabase(database.Name));
        }

        if (database.Entry.Group is { } id)
        {
            var group = Groups[id];
            if (group.Role != ReplicaRole.Primary)
            {
                throw new SqlErrorException(Errors.ReadOnlyDatabase(database.Name));
            }

            if (!group.IsLeaseValid)
            {
                throw new SqlErrorException(Errors.LeaseExpired(group.Name));
            }
        }

        RequireLogSpace(session, database);
        return database;
    }

    /// <summary>State of a database as sys.databases shows it.</summary>
    internal DatabaseState StateOf(Database database)
    {
        var entry = database.Entry;
        if (entry.Offline)
        {
            return DatabaseState.Offline;
        }

        if (entry.Emergency)
        {
            return DatabaseState.Emergency;
        }

        if (entry.Seeding || entry.Restoring)
        {
            return DatabaseState.Restoring;
        }

        if (database.Damage != Damage.None)
        {
            return database.Damage == Damage.Suspect ? DatabaseState.Suspect : DatabaseState.RecoveryPending;
        }

        if (database.IsRecovering)
        {
            return DatabaseState.Recovering;
        }

        if (entry.Group is { } id && (Groups.GetValueOrDefault(id) is not { } group || group.Role == ReplicaRole.Resolving))
        {
            return DatabaseState.RecoveryPending;
        }

        return database.Recovered ? DatabaseState.Online : DatabaseState.Recovering;
    }

    /// <summary>What keeps everybody out of a database, whoever asks; null when nothing does.</summary>
    private SqlError? Obstacle(Database database) => StateOf(database) switch
    {
        DatabaseState.Offline => Errors.Offline(database.Name),
        DatabaseState.Restoring => Errors.Restoring(database.Name),
        not DatabaseState.Emergency when Unusable(database) is { } unusable => unusable,
        _ when _transitions.Exists(transition => transition.Database == database) => Errors.InTransition(database.Name),
        _ => null,
    };

    /// <summary>What the role of the local replica and the client's intent allow.</summary>
    private void RequireRole(EngineSession session, Database database)
    {
        if (database.Entry.Group is not { } id)
        {
            return;
        }

        if (!Groups.TryGetValue(id, out var group) || group.Role == ReplicaRole.Resolving)
        {
            throw new SqlErrorException(Errors.NoRole(database.Name));
        }

        if (group.Role == ReplicaRole.Primary && group.Local.PrimaryConnections == PrimaryConnections.ReadWrite && session.ReadOnlyIntent)
        {
            throw new SqlErrorException(Errors.NoReadIntent(database.Name));
        }

        if (group.Role == ReplicaRole.Secondary)
        {
            switch (group.Local.SecondaryConnections)
            {
                case SecondaryConnections.No:
                    throw new SqlErrorException(Errors.NotAccessible(database.Name));
                case SecondaryConnections.ReadOnly when !session.ReadOnlyIntent:
                    throw new SqlErrorException(Errors.ReadIntentOnly(database.Name));
                default:
                    break;
            }
        }

        if (!database.Recovered)
        {
            throw new SqlErrorException(Errors.NotRecovered(database.Name));
        }
    }

    private void RequireUserAccess(EngineSession session, Database database)
    {
        var isAdministrator = session.Login.Roles.Contains("sysadmin");
        if (database.Entry.Emergency && !isAdministrator)
        {
            throw new SqlErrorException(Errors.NoAccess(session.LoginName, database.Name));
        }

        switch (database.Entry.UserAccess)
        {
            case UserAccess.SingleUser when OthersIn(database, session).Any():
                throw new SqlErrorException(
                    924, 14, $"Database '{database.Name}' is already open and can only have one user at a time.");
            case UserAccess.RestrictedUser when !Owns(session, database) && !session.Login.Roles.Contains("dbcreator"):
                throw new SqlErrorException(
                    923, 14, $"Database '{database.Name}' is in restricted mode. Only the database owner and members of the dbcreator and sysadmin roles can access it.");
            default:
                break;
        }
    }

    /// <summary>Sessions that use a database, but for one.</summary>
    private IEnumerable<EngineSession> OthersIn(Database database, EngineSession? except) => _sessions.Values.Where(session =>
        session != except
        && (session.Database.Equals(database.Name, StringComparison.OrdinalIgnoreCase) || session.Transaction?.Database == database));

    private static bool Owns(EngineSession session, Database database) =>
        session.Login.Roles.Contains("sysadmin") || database.Entry.Owner.Equals(session.LoginName, StringComparison.OrdinalIgnoreCase);

    private void RequireInDatabase(EngineSession session, Database database, string permission, Table? table)
    {
        if (table is null
            ? !HasInDatabase(session.Login, database.Name, permission)
            : !HasInDatabase(session.Login, database.Name, permission, SecurableClass.Object, $"{table.Schema}.{table.Name}"))
        {
            throw table is null
                ? new SqlErrorException(262, 14, $"{permission} permission denied in database '{database.Name}'.")
                : new SqlErrorException(
                    229, 14, $"The {permission} permission was denied on the object '{table.Name}', database '{database.Name}', schema '{table.Schema}'.");
        }
    }
}
