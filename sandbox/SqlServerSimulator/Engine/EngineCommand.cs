namespace SqlServerSimulator.Engine;

/// <summary>Something a session asks the engine to do. Names are as written, without quotes.</summary>
public abstract record EngineCommand;

// Sessions

/// <summary>sp_set_session_context.</summary>
public sealed record SetSessionContext(string Key, object? Value, bool ReadOnly = false) : EngineCommand;

/// <summary>USE.</summary>
public sealed record UseDatabase(string Name) : EngineCommand;

/// <summary>KILL.</summary>
public sealed record KillSession(short SessionId) : EngineCommand;

/// <summary>SHUTDOWN.</summary>
public sealed record Shutdown(bool NoWait) : EngineCommand;

/// <summary>CHECKPOINT.</summary>
public sealed record Checkpoint : EngineCommand;

// Tables and rows

/// <summary>CREATE TABLE in the session's database (or <see cref="TableName.Database"/>).</summary>
public sealed record CreateTable(TableName Name, IReadOnlyList<ColumnDefinition> Columns, IReadOnlyList<string> PrimaryKey) : EngineCommand;

public sealed record DropTable(TableName Name) : EngineCommand;

/// <summary>Inserts whole rows; the identity column's place is filled by the engine. <see cref="Operation.Value"/> is the last identity.</summary>
public sealed record InsertRows(TableName Table, IReadOnlyList<object?[]> Rows) : EngineCommand
{
    /// <summary>SET IDENTITY_INSERT ON: identity values come with the rows.</summary>
    public bool IdentityInsert { get; init; }
}

/// <summary>
/// Changes the rows that match. The functions see current rows, may be called again after a wait for another transaction's lock, and may
/// throw <see cref="Contract.SqlErrorException"/>.
/// </summary>
public abstract record ModifyRows(TableName Table, Func<object?[], bool> Where) : EngineCommand
{
    /// <summary>How many rows at most.</summary>
    public long? Top { get; init; }

    /// <summary>Values of the whole primary key, where the condition cannot hold for a row with another one.</summary>
    public IReadOnlyList<object?>? Key { get; init; }
}

/// <summary>Updates the rows that match. <paramref name="Change"/> returns a new array.</summary>
public sealed record UpdateRows(TableName Table, Func<object?[], bool> Where, Func<object?[], object?[]> Change) : ModifyRows(Table, Where);

/// <summary>Deletes the rows that match.</summary>
public sealed record DeleteRows(TableName Table, Func<object?[], bool> Where) : ModifyRows(Table, Where);

public sealed record BeginTransaction : EngineCommand;

public sealed record CommitTransaction : EngineCommand;

public sealed record RollbackTransaction : EngineCommand;

/// <summary>SAVE TRANSACTION.</summary>
public sealed record SaveTransaction(string Name) : EngineCommand;

/// <summary>ROLLBACK TRANSACTION to a savepoint. Locks are kept.</summary>
public sealed record RollbackToSavepoint(string Name) : EngineCommand;

/// <summary>Name of a table; empty parts mean the session's database and dbo.</summary>
public sealed record TableName(string Database, string Schema, string Name)
{
    /// <summary>The name as it was written.</summary>
    public override string ToString() => Database.Length > 0 ? $"{Database}.{Schema}.{Name}" : Schema.Length > 0 ? $"{Schema}.{Name}" : Name;
}

/// <summary>A column of a user table.</summary>
public sealed record ColumnDefinition(string Name, Contract.SqlType Type)
{
    public bool Identity { get; init; }

    public long IdentitySeed { get; init; } = 1;

    public long IdentityIncrement { get; init; } = 1;

    /// <summary>Text of the DEFAULT expression, or null. The engine only keeps it; T-SQL computes it.</summary>
    public string? Default { get; init; }
}
