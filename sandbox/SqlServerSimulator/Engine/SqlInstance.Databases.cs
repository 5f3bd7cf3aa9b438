using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>CREATE, ALTER and DROP DATABASE.</summary>
public sealed partial class SqlInstance
{
    /// <summary>Collation of the instance and of databases that ask for none.</summary>
    public const string DefaultCollation = "SQL_Latin1_General_CP1_CI_AS";

    /// <summary>Where the real image keeps databases; only names begin with it here.</summary>
    internal const string DataFolder = "/var/opt/mssql/data/";

    private readonly List<Transition> _transitions = [];

    private void Create(EngineSession session, CreateDatabase create)
    {
        if (!Has(session.Login, "CREATE ANY DATABASE", SecurableClass.Server, ""))
        {
            throw new SqlErrorException(262, 14, "CREATE DATABASE permission denied in database 'master'.");
        }

        RequireFreeName(create.Name);
        var files = FilesOf(create.Name, create.Files);
        foreach (var file in files)
        {
            RequireFreeFile(file, null);
        }

        var entry = NewEntry(create.Name, session.LoginName);
        entry.Recovery = Master.ModelRecovery;
        entry.Collation = create.Collation ?? DefaultCollation;
        entry.Files = files;
        Add(entry).Recovered = true;
    }

    private void RequireFreeName(string name)
    {
        if (IsSystem(name) || FindDatabase(name) is not null)
        {
            throw new SqlErrorException(1801, 16, $"Database '{name}' already exists. Choose a different database name.");
        }
    }

    private void RequireFreeFile(DatabaseFile file, Database? except)
    {
        if (Databases.Values.Any(other => other != except && other.Entry.Files.Exists(used => used.Physical.Equals(file.Physical, StringComparison.Ordinal))))
        {
            throw new SqlErrorException(5170, 16, $"Cannot create file '{file.Physical}' because it already exists. Change the file path or the file name, and retry the operation.");
        }
    }

    /// <summary>A data file and a log file at least, each with a path.</summary>
    private static List<DatabaseFile> FilesOf(string database, IReadOnlyList<DatabaseFile> written)
    {
        var files = written.ToList();
        if (!files.Exists(file => !file.Log))
        {
            files.Insert(0, new DatabaseFile(database, $"{DataFolder}{database}.mdf", false));
        }

        if (!files.Exists(file => file.Log))
        {
            files.Add(new DatabaseFile($"{database}_log", $"{DataFolder}{database}_log.ldf", true));
        }

        return files.GroupBy(file => file.Logical, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new SqlErrorException(1828, 16, $"The logical file name \"{twice.Key}\" is already in use. Choose a different name.")
            : files;
    }

    private void Drop(EngineSession session, DropDatabase drop)
    {
        if (IsSystem(drop.Name))
        {
            throw new SqlErrorException(3708, 16, $"Cannot drop the database '{drop.Name}' because it is a system database.");
        }

        var database = FindDatabase(drop.Name);
        if (database is null || (!Owns(session, database) && !Has(session.Login, "ALTER ANY DATABASE", SecurableClass.Server, "")))
        {
            throw new SqlErrorException(
                3701, 11, $"Cannot drop the database '{drop.Name}', because it does not exist or you do not have permission.");
        }

        if (database.Entry.Group is not null)
        {
            throw new SqlErrorException(
                3752,
                16,
                $"The database '{database.Name}' is currently joined to an availability group.  Before you can drop the database, you need to remove it from the availability group.");
        }

        if (OthersIn(database, null).Any())
        {
            throw new SqlErrorException(3702, 16, $"Cannot drop database \"{database.Name}\" because it is currently in use.");
        }

        Discard(database);
    }

    private Database ForAlter(EngineSession session, string name)
    {
        name = name.Length > 0 ? name : session.Database;
        if (IsSystem(name))
        {
            throw new SqlErrorException(5058, 16, $"Option cannot be set in database '{name}'.");
        }

        var database = FindDatabase(name);
        return database is not null && (Owns(session, database) || Has(session.Login, "ALTER ANY DATABASE", SecurableClass.Server, ""))
            ? database
            : throw new SqlErrorException(
                5011, 14, $"User does not have permission to alter database '{name}', the database does not exist, or the database is not in a state that allows access checks.");
    }

    /// <returns>False when the statement waits for others to leave the database.</returns>
    private bool Alter(EngineSession session, AlterDatabase alter, Operation operation)
    {
        if (alter is SetRecovery { Database: var written, Model: var model } && IsModel(session, written))
        {
            RequireServer(session, "ALTER ANY DATABASE");
            Master.ModelRecovery = model;
            SaveMaster();
            return true;
        }

        var database = ForAlter(session, alter.Database);
        RequireAlterable(database, alter);
        switch (alter)
        {
            case SetRecovery set:
                SetRecoveryModel(database, set.Model);
                SaveMaster();
                return true;
            case RenameDatabase rename:
                Rename(session, database, rename.NewName);
                return true;
            case SetReadOnly set:
                return Alone(session, database, set.Termination, operation, () => database.Entry.ReadOnly = set.ReadOnly);
            case SetUserAccess { Access: UserAccess.MultiUser }:
                if (database.Entry.UserAccess == UserAccess.SingleUser && OthersIn(database, session).Any())
                {
                    throw new SqlErrorException(
                        5064, 16, $"Changes to the state or options of database '{database.Name}' cannot be made at this time. The database is in single-user mode, and a user is currently connected to it.");
                }

                database.Entry.UserAccess = UserAccess.MultiUser;
                SaveMaster();
                return true;
            case SetUserAccess set:
                return Alone(session, database, set.Termination, operation, () => database.Entry.UserAccess = set.Access);
            case SetDatabaseState { State: DatabaseState.Online }:
                database.Entry.Offline = database.Entry.Emergency = false;
                SaveMaster();
                return true;
            case SetDatabaseState set:
                return Alone(session, database, set.Termination, operation, () =>
                {
                    database.Entry.Offline = set.State == DatabaseState.Offline;
                    database.Entry.Emergency = set.State == DatabaseState.Emergency;
                });
            case SetDatabaseOption { Option: "READ_COMMITTED_SNAPSHOT" } set:
                return Alone(session, database, set.Termination, operation, () => database.Entry.Options[set.Option] = set.Value);
            case SetDatabaseOption set:
                database.Entry.Options[set.Option] = set.Value;
                SaveMaster();
                return true;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static bool IsModel(EngineSession session, string name) =>
        (name.Length > 0 ? name : session.Database).Equals("model", StringComparison.OrdinalIgnoreCase);

    /// <summary>Refuses what the group or the state of the database does not allow.</summary>
    private void RequireAlterable(Database database, AlterDatabase alter)
    {
        var harmless = alter switch
        {
            SetRecovery set => set.Model == database.Entry.Recovery,
            SetUserAccess set => set.Access == UserAccess.MultiUser,
            SetDatabaseState set => set.State == DatabaseState.Online,
            SetDatabaseOption set => set.Option != "AUTO_CLOSE" || set.Value == 0,
            _ => false,
        };
        if (database.Entry.Group is not null && !harmless)
        {
            throw new SqlErrorException(
                1468, 16, $"The operation cannot be performed on database \"{database.Name}\" because it is involved in a database mirroring session or an availability group.");
        }

        if (alter is SetDatabaseOption { Option: "COMPATIBILITY_LEVEL", Value: not (100 or 110 or 120 or 130 or 140 or 150 or 160) })
        {
            throw new SqlErrorException(15048, 16, "Valid values of the database compatibility level are 100, 110, 120, 130, 140, 150, or 160.");
        }

        switch (StateOf(database))
        {
            case DatabaseState.Restoring:
                throw new SqlErrorException(5052, 16, "ALTER DATABASE is not permitted while a database is in the Restoring state.");
            case DatabaseState.Recovering when database.IsRecovering:
                throw new SqlErrorException(5052, 16, "ALTER DATABASE is not permitted while a database is in the Recovering state.");
            case DatabaseState.Offline when alter is not SetDatabaseState and not RenameDatabase:
                throw new SqlErrorException(Errors.Offline(database.Name));
            case DatabaseState.Suspect when alter is not SetDatabaseState:
                throw new SqlErrorException(Unusable(database)!);
            default:
                break;
        }

        if (_transitions.Exists(transition => transition.Database == database))
        {
            throw new SqlErrorException(Errors.InTransition(database.Name));
        }
    }

    /// <summary>A log chain begins with a full backup in full or bulk-logged recovery and ends with SIMPLE.</summary>
    private static void SetRecoveryModel(Database database, RecoveryModel model)
    {
        if (database.Entry.Recovery != model)
        {
            database.Entry.BackedUp = database.Entry.BackedUp && model != RecoveryModel.Simple && database.Entry.Recovery != RecoveryModel.Simple;
            database.Entry.Recovery = model;
        }
    }

    private void Rename(EngineSession session, Database database, string name)
    {
        RequireFreeName(name);
        if (OthersIn(database, session).Any())
        {
            throw new SqlErrorException(5030, 16, "The database could not be exclusively locked to perform the operation.");
        }

        Databases.Remove(database.Name);
        if (session.Database.Equals(database.Name, StringComparison.OrdinalIgnoreCase))
        {
            session.Database = name;
        }

        database.Entry.Name = name;
        Databases.Add(name, database);
        SaveMaster();
    }

    /// <summary>What ADD DATABASE and CREATE AVAILABILITY GROUP ask of a database.</summary>
    private void RequireFitForGroup(Database database)
    {
        var entry = database.Entry;
        var state = StateOf(database);
        var error = (state, entry) switch
        {
            (DatabaseState.Emergency or DatabaseState.Suspect, _) => new SqlErrorException(
                1467, 16, $"Database mirroring cannot be enabled because the \"{entry.Name}\" database is in emergency or suspect mode."),
            (not DatabaseState.Online, _) => new SqlErrorException(Obstacle(database) ?? Errors.NotRecovered(entry.Name)),
            (_, { ReadOnly: true }) => new SqlErrorException(
                1466, 16, $"Database \"{entry.Name}\" is in read-only mode. It must be in read-write mode to be added."),
            (_, { UserAccess: UserAccess.SingleUser }) => new SqlErrorException(
                1488, 16, $"Database \"{entry.Name}\" is in single user mode which is incompatible with participating in database mirroring or in an availability group."),
            (_, { Recovery: not RecoveryModel.Full }) => new SqlErrorException(
                1465, 16, $"Database \"{entry.Name}\" database is not in full recovery mode on each of the server instances."),
            (_, { Options: var options }) when options.GetValueOrDefault("AUTO_CLOSE") != 0 => new SqlErrorException(
                1469, 16, $"Database mirroring cannot be enabled because the \"{entry.Name}\" database is an auto-close database on one of the partners."),
            (_, { BackedUp: false }) => new SqlErrorException(
                1475,
                16,
                $"Database \"{entry.Name}\" might contain bulk logged changes that have not been backed up. Take a log backup on the principal database or primary database."),
            _ => null,
        };
        if (error is not null)
        {
            throw error;
        }
    }

    // Exclusive access

    /// <summary>Changes a database when nobody else is in it; others are awaited or ended, as the statement says.</summary>
    /// <returns>False when it waits.</returns>
    private bool Alone(EngineSession session, Database database, Termination termination, Operation operation, Action change)
    {
        void Finish()
        {
            change();
            SaveMaster();
        }

        if (!OthersIn(database, session).Any())
        {
            Finish();
            return true;
        }

        if (termination.NoWait)
        {
            throw new SqlErrorException(5070, 16, $"Database state cannot be changed while other users are using the database '{database.Name}'");
        }

        if (termination.RollbackAfter <= TimeSpan.Zero)
        {
            EndOthers(session, database, operation);
            Finish();
            return true;
        }

        var transition = new Transition(database, session, operation, Finish, Environment.Now + termination.RollbackAfter);
        _transitions.Add(transition);
        operation.Cancelled = () => _transitions.Remove(transition);
        return false;
    }

    private void EndOthers(EngineSession session, Database database, Operation operation)
    {
        operation.Inform(Errors.Make(5060, 10, "Nonqualified transactions are being rolled back. Estimated rollback completion: 0%."));
        foreach (var other in OthersIn(database, session).ToList())
        {
            End(other);
        }

        operation.Inform(Errors.Make(5060, 10, "Nonqualified transactions are being rolled back. Estimated rollback completion: 100%."));
    }

    /// <summary>Somebody has left a database, or time has passed.</summary>
    private void CheckTransitions()
    {
        foreach (var transition in _transitions.ToList())
        {
            if (transition.Session.IsEnded)
            {
                _transitions.Remove(transition);
                transition.Operation.Fail(Errors.Cancelled);
                continue;
            }

            var isDue = transition.Deadline <= Environment.Now;
            if (!_transitions.Contains(transition) || (!isDue && OthersIn(transition.Database, transition.Session).Any()))
            {
                continue;
            }

            _transitions.Remove(transition);
            if (isDue)
            {
                EndOthers(transition.Session, transition.Database, transition.Operation);
            }

            transition.Finish();
            transition.Operation.Succeed();
        }
    }

    /// <summary>An ALTER DATABASE that waits for others to leave.</summary>
    private sealed record Transition(Database Database, EngineSession Session, Operation Operation, Action Finish, TimeSpan? Deadline);
}
