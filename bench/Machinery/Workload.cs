using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.SqlClient;

namespace Bench.Machinery;

/// <summary>Clients that insert one row per transaction, each over a connection of its own.</summary>
internal sealed class Workload(Instance instance) : IDisposable
{
    public const string CreateTable = "CREATE TABLE db1.dbo.t (id bigint NOT NULL PRIMARY KEY, payload nvarchar(100) NOT NULL);";

    private readonly CancellationTokenSource stop = new();
    private long lastKey;
    private long commits;

    /// <summary>Commits per second of many clients, one sample per run of two seconds.</summary>
    public async IAsyncEnumerable<double> CommitsPerSecondAsync(
        int clients, int runs, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var writing = Enumerable.Range(0, clients).Select(_ => Task.Run(() => WriteAsync(stop.Token), cancellationToken)).ToList();
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
        for (var run = 0; run < runs; run++)
        {
            var (before, start) = (Volatile.Read(ref commits), Stopwatch.GetTimestamp());
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(2), cancellationToken), Task.WhenAll(writing));
            yield return (Volatile.Read(ref commits) - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        await stop.CancelAsync();
        await Task.WhenAll(writing);
    }

    /// <summary>Milliseconds of each of many commits of one client, after a warm-up.</summary>
    public async IAsyncEnumerable<double> LatenciesAsync(
        int count, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await instance.OpenAsync("db1", cancellationToken);
        for (var index = -500; index < count; index++)
        {
            var start = Stopwatch.GetTimestamp();
            await InsertAsync(connection, cancellationToken);
            if (index >= 0)
                yield return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    public void Dispose() => stop.Dispose();

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await using var connection = await instance.OpenAsync("db1", CancellationToken.None);
        while (!cancellationToken.IsCancellationRequested)
        {
            await InsertAsync(connection, CancellationToken.None);
            Interlocked.Increment(ref commits);
        }
    }

    private async Task InsertAsync(SqlConnection connection, CancellationToken cancellationToken)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"INSERT INTO dbo.t (id, payload) VALUES ({Interlocked.Increment(ref lastKey)}, N'what a client has to say');");
        await using var command = new SqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
