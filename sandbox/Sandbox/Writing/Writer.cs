using System.Globalization;
using Microsoft.Data.SqlClient;

namespace Sandbox.Writing;

/// <summary>
/// A client that inserts one row after another and remembers which were acknowledged. After a failure it connects anew; a row whose
/// outcome it could not see is neither acknowledged nor sent again.
/// </summary>
internal sealed class Writer(Func<CancellationToken, Task<SqlConnection>> connect, WriteLog log, TimeProvider time) : IAsyncDisposable
{

    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Seconds that one connection attempt or one INSERT may take.</summary>
    public const int TimeoutSeconds = 2;

    /// <summary>The first key; two writers of one table must not come to the same ones.</summary>
    public long FirstKey { get; init; } = 1;

    public TimeSpan BetweenWrites { get; init; } = TimeSpan.FromMilliseconds(2);

    public TimeSpan AfterFailure { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>Why the last attempt failed, or null after a success.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Rows sent whose outcome is unknown, or known to be a refusal.</summary>
    public int Unacknowledged { get; private set; }

    public void Start() => _loop = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var key = FirstKey - 1;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await connect(_stop.Token);
                while (true)
                {
                    key++;
                    Unacknowledged++;
                    var server = await InsertAsync(connection, key);
                    log.Add(new AcknowledgedWrite(key, time.GetElapsedTime(0), server));
                    Unacknowledged--;
                    LastFailure = null;
                    await Task.Delay(BetweenWrites, time, _stop.Token);
                }
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever a connection can fail with while its server dies: note it and connect anew.
                LastFailure = Short(e.Message);
            }

            try
            {
                await Task.Delay(AfterFailure, time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>The first sentence: SqlClient follows it with advice that is of no use here.</summary>
    private static string Short(string message)
    {
        var line = message.ReplaceLineEndings(" ");
        var end = line.IndexOf(". ", StringComparison.Ordinal);
        return end > 0 ? line[..end] : line.TrimEnd('.');
    }

    private async Task<string> InsertAsync(SqlConnection connection, long key)
    {
        await using var command = connection.CreateCommand();
        command.CommandTimeout = TimeoutSeconds;
        command.CommandText = string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO dbo.writes (id) VALUES ({key}); IF @@ROWCOUNT = 1 SELECT CAST(@@SERVERNAME AS nvarchar(128));");
        return await command.ExecuteScalarAsync(_stop.Token) as string
            ?? throw new InvalidOperationException("The INSERT reported no row.");
    }
}
