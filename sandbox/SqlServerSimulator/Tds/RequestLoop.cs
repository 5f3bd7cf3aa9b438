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
    private readonly ResponseWriter writer = new(packets, server, closing);
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
                await session.ResetAsync(keepTransaction: (status & PacketStatus.ResetConnection) == 0);
                writer.ResetAcknowledged();
                Compare();
            }
            else RequireTransaction(request);

            switch (request)
            {
                case TdsRequest.Batch batch:
                    await session.ExecuteBatchAsync(batch.Text, [], writer, attention);
                    break;
                case TdsRequest.Calls calls:
                    foreach (var call in calls.List)
                    {
                        attention.ThrowIfCancellationRequested();
                        writer.EndProcedure(await session.ExecuteProcedureAsync(call.Procedure, call.Parameters, writer, attention));
                    }

                    break;
                case TdsRequest.Load load:
                    await session.LoadAsync(load.Columns, load.Rows, writer, attention);
                    break;
                case TdsRequest.TransactionManager first:
                    for (var manager = first; manager is not null; manager = manager.Next)
                    {
                        await session.TransactionAsync(manager.Request, manager.Name, writer, attention);
                        Compare(manager.Request == TransactionRequest.Commit ? TransactionChange.Committed : TransactionChange.RolledBack);
                    }

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

        Compare();
    }

    /// <summary>A client that is in another transaction than its session, or in none, is mistaken about what its request would do.</summary>
    private void RequireTransaction(TdsRequest request)
    {
        if (request is TdsRequest.Refused or TdsRequest.Load || request.Transaction == writer.Transaction) return;
        throw request.Transaction == 0
            ? new SqlErrorException(3989, 16, "New request is not allowed to start because it should come with valid transaction descriptor.")
            : new SqlErrorException(3971, 16, $"The server failed to resume the transaction. Desc:{request.Transaction:x}.");
    }

    /// <summary>Tells the client of a transaction that the session has begun or ended without saying so.</summary>
    private void Compare(TransactionChange ended = TransactionChange.RolledBack) =>
        writer.TransactionChanged(session.InTransaction ? TransactionChange.Begun : ended);
}
