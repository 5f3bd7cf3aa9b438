using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>
/// A command under way. It is complete at once, or later when a lock, a secondary's hardening, a majority or a time-out decides.
/// Touch it only where the engine may be touched (under the host's gate).
/// </summary>
public sealed class Operation
{
    private readonly List<SqlError> _messages = [];
    private Action<Operation>? _completed;

    /// <summary>Whether the outcome is known.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>The error, or null after success.</summary>
    public SqlError? Error { get; private set; }

    /// <summary>Rows affected, where the command counts rows.</summary>
    public long? RowCount { get; internal set; }

    /// <summary>Last identity value of an insert, or another result of the command.</summary>
    public object? Value { get; internal set; }

    /// <summary>Rows that an INSERT, UPDATE or DELETE changed: before, if they were there, and after, if they still are.</summary>
    public IReadOnlyList<(object?[]? Before, object?[]? After)> Rows { get; internal set; } = [];

    /// <summary>Informational messages (severity 10 and below), in order.</summary>
    public IReadOnlyList<SqlError> Messages => _messages;

    /// <summary>What the client's attention does to a waiting command, beyond ending its wait.</summary>
    internal Action? Cancelled { get; set; }

    /// <summary>Calls back when complete; at once if it already is.</summary>
    public void OnCompleted(Action<Operation> callback)
    {
        if (IsCompleted)
        {
            callback(this);
        }
        else
        {
            _completed += callback;
        }
    }

    /// <summary>
    /// Ends the wait on the client's behalf. Effects that have been logged or proposed may still happen, as in the real engine.
    /// </summary>
    public void Cancel()
    {
        if (!IsCompleted)
        {
            Cancelled?.Invoke();
            Fail(Errors.Cancelled);
        }
    }

    internal void Inform(SqlError message) => _messages.Add(message);

    internal void Succeed() => Complete(null);

    internal void Fail(SqlError error) => Complete(error);

    private void Complete(SqlError? error)
    {
        if (IsCompleted)
        {
            return;
        }

        IsCompleted = true;
        Error = error;
        Cancelled = null;
        var callback = _completed;
        _completed = null;
        callback?.Invoke(this);
    }
}
