using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Execution;

namespace Unit.TSql;

internal sealed class SqlFixture : IAsyncDisposable
{
    public required SqlSession Session { get; init; }

    public static Task<SqlFixture> OpenAsync()
    {
        var instance = (SqlInstance)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(typeof(SqlInstance));
        var engine = (EngineSession)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(typeof(EngineSession));
        typeof(EngineSession).GetProperty("Database")!.SetValue(engine, "master");
        var gate = new Gate(instance);
        return Task.FromResult(new SqlFixture { Session = new SqlSession(new SqlServer(gate), gate, instance, engine) });
    }

    public async Task<RecordingOutput> RunAsync(string batch)
    {
        var output = new RecordingOutput();
        await Session.ExecuteBatchAsync(batch, [], output, CancellationToken.None);
        return output;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Gate(SqlInstance instance) : IInstanceGate
    {
        public CancellationToken Ended(EngineSession session) => default;
        public Task<Operation> ExecuteAsync(EngineSession session, EngineCommand command, CancellationToken attention) => throw new NotImplementedException();
        public T Read<T>(Func<SqlInstance, T> look) => look(instance);
    }
}
