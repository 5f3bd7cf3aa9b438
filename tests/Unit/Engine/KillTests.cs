using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;

namespace Unit.Engine;

/// <summary>Kills a real process at random moments while clients write; SQLSERVR_KILLS says how often (200 is the full proof).</summary>
public sealed class KillTests
{
    private const string Password = "Sa!Passw0rd";
    private const int Writers = 4;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Test]
    public async Task A_killed_process_keeps_every_acknowledged_commit_and_no_transaction_by_halves()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable("SQLSERVR_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 6;
        var seed = TestContext.CurrentContext.Random.Next();
        TestContext.Out.WriteLine($"{kills} kills, seed {seed}");
        var random = new Random(seed);
        var folder = Directory.CreateTempSubdirectory("killed").FullName;
        var ledger = new Ledger();
        try
        {
            var acknowledged = 0;
            for (var kill = 0; kill < kills; kill++)
            {
                await using var server = await Server.StartAsync(folder);
                if (kill == 0)
                {
                    await server.RunAsync("CREATE DATABASE db1;", "master");
                    await server.RunAsync("CREATE TABLE dbo.t (id bigint NOT NULL PRIMARY KEY, half int NOT NULL);", "db1");
                }
                else
                {
                    Assert.That(ledger.Judge(await server.ReadAsync()), Is.Null, $"after kill {kill} of seed {seed}");
                }

                var writing = Enumerable.Range(0, Writers).Select(_ => server.WriteAsync(ledger)).ToList();
                var enough = ledger.Acknowledged + random.Next(1, 120);
                await Condition(() => ledger.Acknowledged >= enough, "commits are acknowledged");
                server.Kill();
                await Task.WhenAll(writing);
                Assert.That(ledger.Acknowledged, Is.GreaterThan(acknowledged));
                acknowledged = ledger.Acknowledged;
            }

            await using var last = await Server.StartAsync(folder);
            Assert.That(ledger.Judge(await last.ReadAsync()), Is.Null, $"after the last kill of seed {seed}");
            Assert.That(new DirectoryInfo(folder).EnumerateFiles("db-*.log").Sum(file => file.Length), Is.LessThan(32 << 20));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void The_judge_notices_a_lost_commit_a_half_transaction_and_a_row_from_nowhere()
    {
        var ledger = new Ledger();
        foreach (var id in new[] { ledger.Begin(), ledger.Begin() })
        {
            ledger.Acknowledge(id);
        }

        ledger.Begin();
        Assert.Multiple(() =>
        {
            Assert.That(ledger.Judge([(1, 2), (2, 2)]), Is.Null);
            Assert.That(ledger.Judge([(1, 2), (2, 2), (3, 2)]), Is.Null, "what was under way may have happened");
            Assert.That(ledger.Judge([(1, 2)]), Does.Contain("lost"));
            Assert.That(ledger.Judge([(1, 2), (2, 1)]), Does.Contain("half"));
            Assert.That(ledger.Judge([(1, 2), (2, 2), (4, 2)]), Does.Contain("nowhere"));
        });
    }

    private static async Task Condition(Func<bool> holds, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Bound), $"Not in time: {what}");
            await Task.Delay(1, CancellationToken.None);
        }
    }

    /// <summary>What the clients know. Each transaction writes two rows.</summary>
    private sealed class Ledger
    {
        private readonly HashSet<long> _acknowledged = [];
        private long _last;

        public int Acknowledged
        {
            get
            {
                lock (_acknowledged)
                {
                    return _acknowledged.Count;
                }
            }
        }

        public long Begin() => Interlocked.Increment(ref _last);

        public void Acknowledge(long id)
        {
            lock (_acknowledged)
            {
                _acknowledged.Add(id);
            }
        }

        /// <returns>What is wrong, or null.</returns>
        public string? Judge(IReadOnlyCollection<(long Id, int Rows)> found)
        {
            var ids = found.Select(row => row.Id).ToHashSet();
            return _acknowledged.Except(ids).ToList() is { Count: > 0 } lost ? $"lost: {string.Join(' ', lost)}"
                : found.Where(row => row.Rows != 2).ToList() is { Count: > 0 } halves ? $"half there: {string.Join(' ', halves)}"
                : ids.Where(id => id > _last).ToList() is { Count: > 0 } strange ? $"from nowhere: {string.Join(' ', strange)}"
                : null;
        }
    }

    private sealed class Server : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly string _address;

        private Server(Process process, string address)
        {
            _process = process;
            _address = address;
        }

        public static async Task<Server> StartAsync(string folder)
        {
            var address = FreeAddress();
            var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sqlservr"))
            {
                ArgumentList = { "--listen", address, "--data", folder, "--name", "killed" },
                Environment = { ["ACCEPT_EULA"] = "Y", ["MSSQL_SA_PASSWORD"] = Password },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            var process = Process.Start(start)!;
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            process.OutputDataReceived += (_, line) =>
            {
                if (line.Data is null)
                {
                    ready.TrySetException(new InvalidOperationException("The server ended before it was ready."));
                }
                else if (line.Data.Contains("ready for client connections", StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            };
            process.ErrorDataReceived += (_, line) => TestContext.Progress.WriteLine(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var server = new Server(process, address);
            try
            {
                await ready.Task.WaitAsync(Bound);
                return server;
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }

        public void Kill() => _process.Kill();

        public async Task RunAsync(string text, string database)
        {
            await using var connection = await OpenAsync(database);
            await using var command = new SqlCommand(text, connection);
            await command.ExecuteNonQueryAsync();
        }

        /// <summary>Writes one transaction after the other until the server is gone.</summary>
        public async Task WriteAsync(Ledger ledger)
        {
            try
            {
                await using var connection = await OpenAsync("db1");
                while (true)
                {
                    var id = ledger.Begin();
                    await using var command = new SqlCommand(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"BEGIN TRANSACTION; INSERT INTO dbo.t VALUES ({2 * id}, 0); INSERT INTO dbo.t VALUES ({(2 * id) + 1}, 1); COMMIT;"),
                        connection);
                    await command.ExecuteNonQueryAsync();
                    ledger.Acknowledge(id);
                }
            }
            catch (Exception error) when (error is SqlException or InvalidOperationException)
            {
                await Condition(() => _process.HasExited, $"the server is gone after: {error.Message}");
            }
        }

        public async Task<IReadOnlyCollection<(long Id, int Rows)>> ReadAsync()
        {
            await using var connection = await OpenAsync("db1");
            await using var command = new SqlCommand("SELECT id FROM dbo.t;", connection);
            await using var reader = await command.ExecuteReaderAsync();
            List<long> ids = [];
            while (await reader.ReadAsync())
            {
                ids.Add(reader.GetInt64(0) / 2);
            }

            return [.. ids.GroupBy(id => id).Select(rows => (rows.Key, rows.Count()))];
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        private async Task<SqlConnection> OpenAsync(string database)
        {
            var connection = new SqlConnection(new SqlConnectionStringBuilder
            {
                DataSource = $"tcp:{_address.Replace(':', ',')}",
                InitialCatalog = database,
                UserID = "sa",
                Password = Password,
                Encrypt = SqlConnectionEncryptOption.Optional,
                TrustServerCertificate = true,
                Pooling = false,
                ConnectRetryCount = 0,
                ConnectTimeout = 30,
            }.ConnectionString);
            try
            {
                await connection.OpenAsync();
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }

        private static string FreeAddress()
        {
            using var listener = new TcpListener(IPAddress.Parse("127.0.10.1"), 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).ToString();
        }
    }
}
