using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>
/// Serves the requests of a session, one after the other. While one runs, the next message is already awaited, because it may be the
/// attention that cancels it.
/// </summary>
internal sealed class RequestLoop(
    ISqlSession session,
    PacketStream packets,
    ServerIdentity server,
    TdsOptions options,
    Action<CancellationTokenSource?> announce,
    CancellationToken closing)
{
    private const int LargestPreparedCount = 4096;

    private readonly ResponseWriter writer = new(packets, server, closing);
    private readonly Dictionary<int, (string Declarations, string Text)> prepared = [];
    private int lastHandle;
    private bool broken;
    private bool attentionAnswered;

    /// <summary>Serves until the client leaves or the connection is closed.</summary>
    /// <returns>False when a cancelled request would not end, so that the session is still busy.</returns>
    public async Task<bool> RunAsync()
    {
        Task<TdsMessage?>? next = null;
        try
        {
            while (!broken)
            {
                next ??= packets.ReadAsync(closing).AsTask();
                if (await next is not { } message) return true;
                next = null;
                if (message.Type == PacketType.Attention)
                {
                    writer.AttentionAcknowledged();
                    await packets.FlushAsync(endOfMessage: true, closing);
                    continue;
                }

                if (await ParseAsync(message) is not { } request) return true;
                // The payload is read; its buffer may be filled again.
                next = packets.ReadAsync(closing).AsTask();
                if (!await RunAsync(request, message.Status, next)) return false;
                if (next.IsCompletedSuccessfully && next.Result is null) return true;
                if (attentionAnswered) next = null;
            }

            return true;
        }
        finally
        {
            // Nobody else looks at a read that is cut off.
            _ = next?.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    private async Task<TdsRequest?> ParseAsync(TdsMessage message)
    {
        try
        {
            return TdsRequest.Parse(message);
        }
        catch (Exception e) when (e is TdsProtocolException or OverflowException)
        {
            options.Log($"TDS: session {session.SessionId} sent a request that cannot be read: {e.Message}");
            writer.Failed([new SqlError(4002, 16, 1, "The incoming tabular data stream (TDS) protocol stream is incorrect. The stream ended unexpectedly.")]);
            await packets.FlushAsync(endOfMessage: true, closing);
            return null;
        }
    }

    /// <summary>Runs a request to its final DONE.</summary>
    private async Task<bool> RunAsync(TdsRequest request, PacketStatus status, Task<TdsMessage?> next)
    {
        attentionAnswered = false;
        var attention = new CancellationTokenSource();
        announce(attention);
        if (closing.IsCancellationRequested) await attention.CancelAsync();
        _ = WatchAsync(next, attention);
        var run = RespondAsync(request, status, attention.Token);
        if (!run.IsCompleted)
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = attention.Token.Register(cancelled.SetResult);
            if (await Task.WhenAny(run, cancelled.Task) != run)
            {
                try
                {
                    await ((Task)run).WaitAsync(options.CancelTimeout, options.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                catch (TimeoutException)
                {
                }

                if (!run.IsCompleted)
                {
                    _ = run.ContinueWith(Release, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                    return false;
                }
            }
        }

        announce(null);
        await run;
        if (closing.IsCancellationRequested || (next.IsCompletedSuccessfully && next.Result is null)) return true;
        attentionAnswered = next.IsCompletedSuccessfully && next.Result is { Type: PacketType.Attention };
        writer.End(cancelled: attentionAnswered);
        await packets.FlushAsync(endOfMessage: true, closing);
        if (attentionAnswered)
        {
            writer.AttentionAcknowledged();
            await packets.FlushAsync(endOfMessage: true, closing);
        }

        broken |= writer.IsFatal;
        return true;
    }

    /// <summary>A session that could not be disposed of in time is disposed of when its request has ended after all.</summary>
    private void Release(Task run)
    {
        _ = run.Exception;
        _ = session.DisposeAsync().AsTask();
    }

    private static async Task WatchAsync(Task<TdsMessage?> next, CancellationTokenSource attention)
    {
        try
        {
            // A request that comes before the answer to the last one waits its turn.
            if (await next is not { Type: not PacketType.Attention }) await attention.CancelAsync();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or TdsProtocolException)
        {
            await attention.CancelAsync();
        }
    }

    private async Task RespondAsync(TdsRequest request, PacketStatus status, CancellationToken attention)
    {
        writer.Begin(procedure: request is TdsRequest.Calls);
        try
        {
            if ((status & (PacketStatus.ResetConnection | PacketStatus.ResetConnectionSkipTransaction)) != 0)
            {
                await session.ResetAsync();
                prepared.Clear();
                writer.ResetAcknowledged();
                Compare(rolledBack: true);
            }

            switch (request)
            {
                case TdsRequest.Batch batch:
                    await session.ExecuteBatchAsync(batch.Text, [], writer, attention);
                    break;
                case TdsRequest.Calls calls:
                    foreach (var call in calls.List)
                    {
                        attention.ThrowIfCancellationRequested();
                        writer.EndProcedure(await CallAsync(call, attention), call.Parameters);
                    }

                    break;
                case TdsRequest.Transaction transaction:
                    await session.TransactionAsync(transaction.Request, writer, attention);
                    Compare(rolledBack: transaction.Request == TransactionRequest.Rollback);
                    if (transaction.ThenBegin) await session.TransactionAsync(TransactionRequest.Begin, writer, attention);
                    break;
                case TdsRequest.Refused refused:
                    writer.Message(refused.Error);
                    break;
            }
        }
        catch (OperationCanceledException) when (attention.IsCancellationRequested || closing.IsCancellationRequested)
        {
            // The last DONE tells the client.
        }
        catch (SqlErrorException e)
        {
            writer.Message(e.Error);
        }
#pragma warning disable CA1031 // A defect of the engine ends this connection, as a failed assertion does, and no other.
        catch (Exception e) when (e is not (IOException or ObjectDisposedException))
        {
            options.Log($"TDS: a request of session {session.SessionId} failed: {e}");
            writer.Message(new SqlError(3624, 20, 1, "A system assertion check has failed. Check the SQL Server error log for details."));
            broken = true;
        }
#pragma warning restore CA1031

        Compare(rolledBack: null);
    }

    /// <summary>Tells the client of a transaction that the session has begun or ended without saying so.</summary>
    private void Compare(bool? rolledBack)
    {
        if (rolledBack is { } known) writer.TransactionChanged(session.InTransaction, known);
        else writer.TransactionChanged(session.InTransaction);
    }

    private async Task<int> CallAsync(RpcCall call, CancellationToken attention)
    {
        var name = call.Procedure.Trim();
        if (name.StartsWith("sys.", StringComparison.OrdinalIgnoreCase)) name = name[4..];
        return name.ToUpperInvariant() switch
        {
            "SP_EXECUTESQL" => await ExecuteSqlAsync(call.Parameters, attention),
            "SP_PREPARE" => Prepare(call.Parameters, declarations: 1, text: 2, out _),
            "SP_PREPEXEC" => await PrepareAndExecuteAsync(call.Parameters, attention),
            "SP_EXECUTE" => await ExecutePreparedAsync(call.Parameters, attention),
            "SP_UNPREPARE" => Unprepare(call.Parameters),
            _ => await session.ExecuteProcedureAsync(call.Procedure, call.Parameters, writer, attention),
        };
    }

    private Task<int> ExecuteSqlAsync(IReadOnlyList<SqlParameterValue> parameters, CancellationToken attention)
    {
        if (parameters.Count == 0)
            throw new SqlErrorException(201, 16, "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.");
        var declarations = parameters.Count > 1 ? Text(parameters, 1) : "";
        return ExecuteAsync(declarations, Text(parameters, 0), [.. parameters.Skip(2)], attention);
    }

    private async Task<int> ExecuteAsync(string declarations, string text, IReadOnlyList<SqlParameterValue> values, CancellationToken attention)
    {
        var (bound, missing) = ParameterDeclarations.Bind(declarations, values);
        if (bound is null)
            throw new SqlErrorException(8178, 16, $"The parameterized query '({declarations}){text}' expects the parameter '{missing}', which was not supplied.");
        await session.ExecuteBatchAsync(text, bound, writer, attention);
        return 0;
    }

    private int Prepare(IReadOnlyList<SqlParameterValue> parameters, int declarations, int text, out (string Declarations, string Text) statement)
    {
        if (prepared.Count >= LargestPreparedCount) throw new SqlErrorException(701, 17, "There is insufficient system memory to prepare another statement.");
        statement = (Text(parameters, declarations), Text(parameters, text));
        prepared[++lastHandle] = statement;
        var handle = parameters.Count > 0 ? parameters[0] : new SqlParameterValue("", new SqlType(SqlKind.Int), null, true);
        writer.OutputValue(handle with { Type = new SqlType(SqlKind.Int), Value = lastHandle });
        return 0;
    }

    private Task<int> PrepareAndExecuteAsync(IReadOnlyList<SqlParameterValue> parameters, CancellationToken attention)
    {
        Prepare(parameters, declarations: 1, text: 2, out var statement);
        return ExecuteAsync(statement.Declarations, statement.Text, [.. parameters.Skip(3)], attention);
    }

    private Task<int> ExecutePreparedAsync(IReadOnlyList<SqlParameterValue> parameters, CancellationToken attention)
    {
        var handle = Handle(parameters);
        if (!prepared.TryGetValue(handle, out var statement)) throw new SqlErrorException(8179, 16, $"Could not find prepared statement with handle {handle}.");
        return ExecuteAsync(statement.Declarations, statement.Text, [.. parameters.Skip(1)], attention);
    }

    private int Unprepare(IReadOnlyList<SqlParameterValue> parameters)
    {
        var handle = Handle(parameters);
        return prepared.Remove(handle) ? 0 : throw new SqlErrorException(8179, 16, $"Could not find prepared statement with handle {handle}.");
    }

    private static int Handle(IReadOnlyList<SqlParameterValue> parameters) => parameters is [{ Value: int handle }, ..] ? handle : 0;

    private static string Text(IReadOnlyList<SqlParameterValue> parameters, int index) => index < parameters.Count
        ? parameters[index].Value switch
        {
            string text => text,
            null => "",
            _ => throw new SqlErrorException(214, 16, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'."),
        }
        : "";
}
