using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;

namespace Bench.Machinery;

/// <summary>A process of the simulator, with a folder of its own, on an address of the loopback network.</summary>
internal sealed class Instance : IAsyncDisposable
{
    private const string Password = "B3nch!Passw0rd";

    private readonly Process process;
    private readonly string folder;

    private Instance(string name, string address, string folder, Process process)
    {
        Name = name;
        Address = address;
        this.folder = folder;
        this.process = process;
    }

    public string Name { get; }

    public string Address { get; }

    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>Starts the process over an empty folder and returns at once.</summary>
    public static Instance Start(string name, string address)
    {
        var folder = Directory.CreateTempSubdirectory("bench-").FullName;
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sqlservr"))
        {
            ArgumentList = { "--listen", $"{address}:1433", "--data", folder, "--name", name },
            Environment = { ["ACCEPT_EULA"] = "Y", ["MSSQL_SA_PASSWORD"] = Password, ["MSSQL_ENABLE_HADR"] = "1" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, line) =>
        {
            if (line.Data is not null)
                Console.Error.WriteLine(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Instance(name, address, folder, process);
    }

    public SqlConnection Connection(string database = "master", bool pooling = true) => new(new SqlConnectionStringBuilder
    {
        DataSource = $"tcp:{Address},1433",
        InitialCatalog = database,
        UserID = "sa",
        Password = Password,
        Encrypt = SqlConnectionEncryptOption.Optional,
        TrustServerCertificate = true,
        Pooling = pooling,
        MaxPoolSize = 1000,
        ConnectTimeout = 15,
        ConnectRetryCount = 0,
    }.ConnectionString);

    public async Task<SqlConnection> OpenAsync(string database, CancellationToken cancellationToken)
    {
        var connection = Connection(database);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    /// <summary>Logs in as soon as the port is open: the client itself would wait 100 ms after a first refusal, and longer after each more.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await IsListeningAsync(bound.Token))
        {
            if (process.HasExited)
                throw new InvalidOperationException("The instance has ended.");
            await Task.Delay(1, bound.Token);
        }

        await using var connection = Connection(pooling: false);
        await connection.OpenAsync(bound.Token);
    }

    private async Task<bool> IsListeningAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(Address, 1433, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async Task RunAsync(string text, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync("master", cancellationToken);
        await using var command = new SqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<T> ReadAsync<T>(string text, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync("master", cancellationToken);
        await using var command = new SqlCommand(text, connection);
        return (T)Convert.ChangeType((await command.ExecuteScalarAsync(cancellationToken))!, typeof(T), CultureInfo.InvariantCulture);
    }

    /// <summary>Runs a statement until it succeeds.</summary>
    public async Task EventuallyAsync(string text, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                await RunAsync(text, bound.Token);
                return;
            }
            catch (SqlException) when (!bound.IsCancellationRequested)
            {
                await Task.Delay(20, bound.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        SqlConnection.ClearAllPools();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
