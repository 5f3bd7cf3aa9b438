using Agents.Health;
using Agents.Observation;
using Agents.Sql;
using Microsoft.Extensions.Logging;

namespace Agents.HealthAgent;

/// <summary>
/// Holds the end of SQL Server up while the agents of an ending pod hand its primary roles over: the kubelet asks before it ends the server's container
/// and waits for the answer. A replica has been handed over when it is SECONDARY: until the new primary is there, the majority that it needs may
/// depend on this instance (rule S4).
/// </summary>
internal sealed partial class HandOverWatch(ISqlInstance instance, Func<HealthVerdict> judge, TimeProvider time, ILogger logger)
{
    /// <summary>A little longer than an AG agent tries.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    /// <summary>The kubelet signals this container and asks about the other at the same time, more or less.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan QueryTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private int open;
    private TimeSpan? answeredAt;

    /// <summary>Waits until no replica of the instance is waiting to be handed over, or waiting is of no use.</summary>
    /// <returns>Why the wait is over.</returns>
    public async Task<string> WaitAsync(CancellationToken cancellationToken)
    {
        lock (gate)
            open++;
        try
        {
            var until = time.Monotonic() + Bound;
            string? over;
            while ((over = await OverAsync(cancellationToken).ConfigureAwait(false)) is null && time.Monotonic() < until)
                await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
            over ??= $"a replica was not handed over within {Bound.TotalSeconds:0} s";
            LogOver(over);
            return over;
        }
        finally
        {
            lock (gate)
            {
                open--;
                answeredAt = time.Monotonic();
            }
        }
    }

    /// <summary>Waits, once this process is to end, until the question that belongs to the same end has come and is answered.</summary>
    public async Task FinishAsync()
    {
        var from = time.Monotonic();
        while (IsExpected(from))
            await Task.Delay(Poll, time, CancellationToken.None).ConfigureAwait(false);
    }

    private bool IsExpected(TimeSpan from)
    {
        lock (gate)
            return open > 0 || (!(answeredAt > from - Slack) && time.Monotonic() < from + Slack);
    }

    private async Task<string?> OverAsync(CancellationToken cancellationToken)
    {
        // The container of an unhealthy instance is restarted alone; nobody hands over then, the agents see it end.
        if (judge() is { IsAlive: false } verdict)
            return $"the instance is {verdict.State}: {verdict.Because}";
        try
        {
            var sets = await instance.QueryAsync(
                SqlText.Of($"""
                    SELECT COUNT(*) AS [open] FROM sys.dm_hadr_availability_replica_states AS rs
                    JOIN sys.availability_groups AS ag ON ag.group_id = rs.group_id
                    WHERE rs.is_local = 1 AND rs.role <> 2 AND ag.is_distributed = 0;
                    """),
                QueryTimeout,
                cancellationToken).ConfigureAwait(false);
            return sets is [{ Rows: [var row] }] && row.Number("open") == 0 ? "no replica of the instance is to be handed over" : null;
        }
        catch (SqlInstanceException error)
        {
            return error.Failure == SqlFailure.Timeout ? null : $"the instance cannot be asked: {error.Message}";
        }
    }

    [LoggerMessage(LogLevel.Information, "The server may end: {Over}")]
    private partial void LogOver(string over);
}
