using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>One client's session: what outlives a batch.</summary>
internal sealed class SqlSession : ISqlSession
{
    private bool _disposed;

    public SqlSession(SqlServer server, IInstanceGate gate, SqlInstance instance, EngineSession engine)
    {
        Server = server;
        Gate = gate;
        Instance = instance;
        Engine = engine;
        Ended = gate.Ended(engine);
    }

    public short SessionId => Engine.Id;

    public string Database => Engine.Database;

    public CancellationToken Ended { get; }

    public bool InTransaction => TransactionCount > 0 && Engine.InTransaction;

    internal SqlServer Server { get; }

    internal IInstanceGate Gate { get; }

    /// <summary>The engine; to be touched only under the gate.</summary>
    internal SqlInstance Instance { get; }

    internal EngineSession Engine { get; }

    internal TemporaryTables Temporary { get; } = new();

    internal PreparedStatements Prepared { get; } = new();

    /// <summary>@@TRANCOUNT.</summary>
    internal int TransactionCount { get; set; }

    /// <summary>The name that the outermost BEGIN TRANSACTION gave.</summary>
    internal string? TransactionName { get; set; }

    /// <summary>An error has made the transaction fit for nothing but ROLLBACK.</summary>
    internal bool Doomed { get; set; }

    internal bool NoCount { get; private set; }

    internal bool TransactionAbort { get; private set; }

    /// <summary>SET QUOTED_IDENTIFIER, as it is when a batch is parsed.</summary>
    internal bool QuotedIdentifier { get; private set; } = true;

    /// <summary>The table for which IDENTITY_INSERT is ON.</summary>
    internal TableName? IdentityInsert { get; set; }

    /// <summary>SET FMTONLY: queries tell their columns and return no row.</summary>
    internal bool FormatOnly { get; private set; }

    /// <summary>The INSERT BULK whose rows are to come.</summary>
    internal InsertBulkStatement? Loading { get; set; }

    internal long RowCount { get; set; }

    internal int LastError { get; set; }

    internal System.Numerics.BigInteger? Identity { get; set; }

    public async Task ExecuteBatchAsync(
        string text, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(attention, Ended);
        await new BatchRunner(this, output, both.Token).RunAsync(text, parameters);
    }

    public async Task<int?> ExecuteProcedureAsync(
        string name, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(attention, Ended);
        return await new BatchRunner(this, output, both.Token).RunProcedureAsync(name, parameters);
    }

    public async Task LoadAsync(
        IReadOnlyList<SqlColumn> columns, IReadOnlyList<object?[]> rows, IResultOutput output, CancellationToken attention)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(attention, Ended);
        await new BatchRunner(this, output, both.Token).RunLoadAsync(columns, rows);
    }

    public async Task TransactionAsync(TransactionRequest request, string? name, IResultOutput output, CancellationToken attention)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(attention, Ended);
        await new BatchRunner(this, output, both.Token).RunTransactionAsync(request, name);
    }

    public Task ResetAsync(bool keepTransaction = false)
    {
        Gate.Read(instance =>
        {
            instance.Reset(Engine, keepTransaction);
            return 0;
        });
        if (!keepTransaction && TransactionCount > 0) EndTransaction();
        NoCount = TransactionAbort = FormatOnly = false;
        Loading = null;
        QuotedIdentifier = true;
        IdentityInsert = null;
        RowCount = LastError = 0;
        Temporary.Clear();
        Prepared.Clear();
        Identity = null;
        Engine.LockTimeout = null;
        Server.Locks.ReleaseAll(this, transaction: false);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed) return ValueTask.CompletedTask;
        _disposed = true;
        Gate.Read(instance =>
        {
            instance.LogOut(Engine);
            return 0;
        });
        Server.Locks.ReleaseAll(this);
        return ValueTask.CompletedTask;
    }

    internal void SetOption(string option, string value)
    {
        switch (option)
        {
            case "NOCOUNT":
                NoCount = value == "ON";
                break;
            case "XACT_ABORT":
                TransactionAbort = value == "ON";
                break;
            case "FMTONLY":
                FormatOnly = value == "ON";
                break;
            case "QUOTED_IDENTIFIER":
                QuotedIdentifier = value == "ON";
                break;
            case "LOCK_TIMEOUT":
                var milliseconds = int.Parse(value, null);
                Engine.LockTimeout = milliseconds < 0 ? null : TimeSpan.FromMilliseconds(milliseconds);
                break;
        }
    }

    /// <summary>The engine may have ended the transaction on its own.</summary>
    /// <returns>True when it has.</returns>
    internal bool NoticeLostTransaction()
    {
        if (TransactionCount == 0 || Engine.InTransaction) return false;
        EndTransaction();
        return true;
    }

    internal void EndTransaction(bool committed = false)
    {
        if (committed) Temporary.Commit();
        else Temporary.RollBack();
        TransactionCount = 0;
        Doomed = false;
        Server.Locks.ReleaseAll(this, transaction: true);
    }
}
