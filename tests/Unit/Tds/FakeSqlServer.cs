using System.Collections.Concurrent;
using SqlServerSimulator.Contract;

namespace Unit.Tds;

/// <summary>A server whose statements are test code.</summary>
internal sealed class FakeSqlServer : ISqlServer
{
    public const string Password = "Correct-Horse-1 ß€";

    public delegate Task Batch(FakeSession session, string text, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention);

    private int lastSession = 50;

    public ServerIdentity Identity { get; } = new("fake", 16, 0, 4135);

    public Batch OnBatch { get; set; } = (_, _, _, _, _) => Task.CompletedTask;

    public Func<string, IReadOnlyList<SqlParameterValue>, IResultOutput, int> OnProcedure { get; set; } = (_, _, _) => 0;

    public Func<LoginRequest, LoginOutcome?> OnLogin { get; set; } = _ => null;

    public ConcurrentQueue<LoginRequest> Logins { get; } = new();

    public ConcurrentQueue<FakeSession> Sessions { get; } = new();

    public Task<LoginOutcome> LoginAsync(LoginRequest request, CancellationToken cancellationToken)
    {
        Logins.Enqueue(request);
        if (OnLogin(request) is { } outcome) return Task.FromResult(outcome);
        if (request.User != "sa" || request.Password != Password)
            return Task.FromResult(new LoginOutcome(null, [new SqlError(18456, 14, 8, $"Login failed for user '{request.User}'.")]));
        var session = new FakeSession(this, (short)Interlocked.Increment(ref lastSession), request.Database.Length == 0 ? "master" : request.Database);
        Sessions.Enqueue(session);
        return Task.FromResult(new LoginOutcome(session, []));
    }
}

internal sealed class FakeSession(FakeSqlServer server, short id, string database) : ISqlSession
{
    private readonly CancellationTokenSource ended = new();
    private int resets;

    public short SessionId => id;

    public string Database => database;

    public CancellationToken Ended => ended.Token;

    public bool InTransaction { get; set; }

    public int Resets => resets;

    public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Kill() => ended.Cancel();

    public Task ExecuteBatchAsync(string text, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention) =>
        server.OnBatch(this, text, parameters, output, attention);

    public async Task<int?> ExecuteProcedureAsync(string name, IReadOnlyList<SqlParameterValue> parameters, IResultOutput output, CancellationToken attention)
    {
        if (name != "sp_executesql") return server.OnProcedure(name, parameters, output);
        await server.OnBatch(this, (string)parameters[0].Value!, [.. parameters.Skip(2)], output, attention);
        return 0;
    }

    public Task LoadAsync(IReadOnlyList<SqlColumn> columns, IReadOnlyList<object?[]> rows, IResultOutput output, CancellationToken attention)
    {
        output.Columns(columns);
        foreach (var row in rows) output.Row(row);
        output.StatementDone(rows.Count);
        return Task.CompletedTask;
    }

    public Task TransactionAsync(TransactionRequest request, string? name, IResultOutput output, CancellationToken attention)
    {
        InTransaction = request is TransactionRequest.Begin or TransactionRequest.Save;
        return Task.CompletedTask;
    }

    public Task ResetAsync(bool keepTransaction = false)
    {
        InTransaction &= keepTransaction;
        Interlocked.Increment(ref resets);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
