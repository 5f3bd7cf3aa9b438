namespace SqlServerSimulator.Contract;

/// <summary>What the wire protocol needs of a server: it logs clients in.</summary>
public interface ISqlServer
{
    /// <summary>Product name, version and server name as the login acknowledgement and errors carry them.</summary>
    ServerIdentity Identity { get; }

    /// <summary>Checks a login.</summary>
    /// <returns>The session, or the errors to send before the connection closes.</returns>
    Task<LoginOutcome> LoginAsync(LoginRequest request, CancellationToken cancellationToken);
}

/// <summary>Who the server says it is.</summary>
/// <param name="ServerName">@@SERVERNAME, carried in each error.</param>
/// <param name="Major">Product major version, 16 for SQL Server 2022.</param>
/// <param name="Minor">Product minor version.</param>
/// <param name="Build">Product build.</param>
public sealed record ServerIdentity(string ServerName, byte Major, byte Minor, ushort Build);

/// <summary>A login as the client sent it.</summary>
/// <param name="User">Login name.</param>
/// <param name="Password">Password.</param>
/// <param name="Database">Database asked for; empty for the login's default.</param>
/// <param name="ReadOnlyIntent">ApplicationIntent=ReadOnly.</param>
/// <param name="ApplicationName">Application name.</param>
/// <param name="HostName">Client host name.</param>
public sealed record LoginRequest(string User, string Password, string Database, bool ReadOnlyIntent, string ApplicationName, string HostName);

/// <summary>Either a session or errors.</summary>
public sealed record LoginOutcome(ISqlSession? Session, IReadOnlyList<SqlError> Errors)
{
    /// <summary>Where a routed client must go instead, if anywhere; it then closes the connection.</summary>
    public (string Server, ushort Port)? Route { get; init; }
}

/// <summary>One client's session. Calls never overlap.</summary>
public interface ISqlSession : IAsyncDisposable
{
    /// <summary>Session id (@@SPID).</summary>
    short SessionId { get; }

    /// <summary>Current database.</summary>
    string Database { get; }

    /// <summary>
    /// Set when the server itself ends the session (KILL, role change, shutdown): the wire sends nothing more and closes the connection.
    /// </summary>
    CancellationToken Ended { get; }

    /// <summary>
    /// Runs a batch and writes what comes of it. Cancellation is the client's attention signal: it ends the statement and the method
    /// returns soon after, normally or by <see cref="OperationCanceledException"/>. Errors of T-SQL go to
    /// <paramref name="output"/>, never out of the method.
    /// </summary>
    Task ExecuteBatchAsync(string text, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention);

    /// <summary>Runs a procedure by name, as an RPC request asks.</summary>
    /// <returns>The return status; null when an error kept it from ending.</returns>
    Task<int?> ExecuteProcedureAsync(string name, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention);

    /// <summary>Takes the rows for which the INSERT BULK before has asked.</summary>
    Task LoadAsync(IReadOnlyList<SqlColumn> columns, IReadOnlyList<object?[]> rows, IResultOutput output, CancellationToken attention);

    /// <summary>Begins, commits, rolls back or saves on behalf of a transaction manager request.</summary>
    Task TransactionAsync(TransactionRequest request, string? name, IResultOutput output, CancellationToken attention);

    /// <summary>True while a user transaction is open.</summary>
    bool InTransaction { get; }

    /// <summary>Puts the session back as it was after login (pooled reset): SET options, variables, session context, open transaction.</summary>
    /// <param name="keepTransaction">Leaves an open transaction and its locks.</param>
    Task ResetAsync(bool keepTransaction = false);
}

/// <summary>A transaction manager request.</summary>
public enum TransactionRequest
{
    /// <summary>BEGIN TRANSACTION.</summary>
    Begin,

    /// <summary>COMMIT.</summary>
    Commit,

    /// <summary>ROLLBACK, of a save point when it has that one's name.</summary>
    Rollback,

    /// <summary>SAVE TRANSACTION.</summary>
    Save,
}

/// <summary>What has become of the session's transaction.</summary>
public enum TransactionChange
{
    /// <summary>It has begun.</summary>
    Begun,

    /// <summary>It is committed.</summary>
    Committed,

    /// <summary>It is rolled back, by whomever.</summary>
    RolledBack,
}

/// <summary>A parameter of a call.</summary>
/// <param name="Name">Name with its @; empty when positional.</param>
/// <param name="Type">Declared type.</param>
/// <param name="Value">Value by the carrier of its type, or null.</param>
/// <param name="Output">Whether the client wants it back.</param>
public sealed record SqlParameterValue(string Name, SqlType Type, object? Value, bool Output = false)
{
    /// <summary>Whether the client leaves the value to the procedure.</summary>
    public bool Default { get; init; }

    /// <summary>Position in the call, from 0.</summary>
    public int Ordinal { get; init; }
}

/// <summary>
/// Where a session writes results, in order. The wire turns these calls into tokens; it may buffer, and must flush when
/// <see cref="FlushAsync"/> is called (WAITFOR, repeating procedures) and at the end.
/// </summary>
public interface IResultOutput
{
    /// <summary>Begins a result set.</summary>
    void Columns(IReadOnlyList<SqlColumn> columns);

    /// <summary>A row of the current result set, one value a column.</summary>
    void Row(IReadOnlyList<object?> values);

    /// <summary>Ends one statement: DONE in a batch, DONEINPROC in a procedure. Null when no count applies.</summary>
    void StatementDone(long? rowCount);

    /// <summary>An error or message. The wire makes sure that a DONE follows.</summary>
    void Message(SqlError error);

    /// <summary>The current database has changed (with message 5701).</summary>
    void DatabaseChanged(string from, string to);

    /// <summary>The language was set (with message 5703).</summary>
    void LanguageChanged(string from, string to);

    /// <summary>A user transaction has begun or ended.</summary>
    void TransactionChanged(TransactionChange change);

    /// <summary>The value of an output parameter.</summary>
    void OutputValue(SqlParameterValue parameter);

    /// <summary>Sends what has been written so far.</summary>
    Task FlushAsync();
}
