namespace SqlServerSimulator.Engine;

/// <summary>States of a database, numbered as in sys.databases.</summary>
public enum DatabaseState : byte
{
    Online = 0,
    Restoring = 1,
    Recovering = 2,
    RecoveryPending = 3,
    Suspect = 4,
    Emergency = 5,
    Offline = 6,
}

/// <summary>Who may be in a database, numbered as in sys.databases.</summary>
public enum UserAccess : byte
{
    MultiUser = 0,
    SingleUser = 1,
    RestrictedUser = 2,
}

/// <summary>What ALTER DATABASE does about others in the database: it waits for them, gives up, or ends them, at once or after a while.</summary>
/// <param name="NoWait">NO_WAIT.</param>
/// <param name="RollbackAfter">ROLLBACK AFTER; zero is ROLLBACK IMMEDIATE.</param>
public sealed record Termination(bool NoWait = false, TimeSpan? RollbackAfter = null)
{
    public static Termination Wait { get; } = new();
}

/// <summary>A file of a database. It is a name only: content lies in the database's log.</summary>
public sealed record DatabaseFile(string Logical, string Physical, bool Log);

public sealed record CreateDatabase(string Name) : EngineCommand
{
    public string? Collation { get; init; }

    /// <summary>Files as written; what is missing gets the default.</summary>
    public IReadOnlyList<DatabaseFile> Files { get; init; } = [];
}

public sealed record DropDatabase(string Name) : EngineCommand;

/// <summary>Recovery models, numbered as in sys.databases.</summary>
public enum RecoveryModel : byte
{
    Full = 1,
    BulkLogged = 2,
    Simple = 3,
}

/// <summary>A form of ALTER DATABASE. An empty name is the session's database.</summary>
public abstract record AlterDatabase(string Database) : EngineCommand;

/// <summary>ALTER DATABASE ... SET RECOVERY.</summary>
public sealed record SetRecovery(string Database, RecoveryModel Model) : AlterDatabase(Database);

/// <summary>ALTER DATABASE ... SET READ_ONLY | READ_WRITE.</summary>
public sealed record SetReadOnly(string Database, bool ReadOnly) : AlterDatabase(Database)
{
    public Termination Termination { get; init; } = Termination.Wait;
}

/// <summary>ALTER DATABASE ... SET SINGLE_USER | RESTRICTED_USER | MULTI_USER.</summary>
public sealed record SetUserAccess(string Database, UserAccess Access) : AlterDatabase(Database)
{
    public Termination Termination { get; init; } = Termination.Wait;
}

/// <summary>ALTER DATABASE ... SET ONLINE | OFFLINE | EMERGENCY.</summary>
public sealed record SetDatabaseState(string Database, DatabaseState State) : AlterDatabase(Database)
{
    public Termination Termination { get; init; } = Termination.Wait;
}

/// <summary>ALTER DATABASE ... MODIFY NAME.</summary>
public sealed record RenameDatabase(string Database, string NewName) : AlterDatabase(Database);

/// <summary>ALTER DATABASE ... SET of an option that is kept and shown, and that changes nothing else.</summary>
public sealed record SetDatabaseOption(string Database, string Option, int Value) : AlterDatabase(Database)
{
    public Termination Termination { get; init; } = Termination.Wait;
}

/// <summary>What ALTER DATABASE ... SET HADR asks for.</summary>
public enum HadrAction
{
    Join,
    Off,
    Suspend,
    Resume,
}

/// <summary>ALTER DATABASE ... SET HADR.</summary>
public sealed record SetHadr(string Database, HadrAction Action, string? Group = null) : EngineCommand;
