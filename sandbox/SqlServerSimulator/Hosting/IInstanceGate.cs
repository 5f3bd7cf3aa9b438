using SqlServerSimulator.Engine;

namespace SqlServerSimulator.Hosting;

/// <summary>The one gate to an instance. All use of the engine goes through it.</summary>
internal interface IInstanceGate
{
    /// <summary>Runs a command to its end. Cancellation ends the wait as an attention does; the operation then has failed.</summary>
    Task<Operation> ExecuteAsync(EngineSession session, EngineCommand command, CancellationToken attention);

    /// <summary>Begins something and waits for its end. Cancellation ends the wait; the operation then has failed.</summary>
    Task<Operation> AwaitAsync(Func<SqlInstance, Operation> begin, CancellationToken attention);

    /// <summary>Looks at the engine under the gate. Exceptions of the function come out.</summary>
    T Read<T>(Func<SqlInstance, T> look);

    /// <summary>Set when the server ends this session (KILL, role change, shutdown).</summary>
    CancellationToken Ended(EngineSession session);
}
