using System.Net;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Execution;

namespace Unit.TSql;

/// <summary>An instance of its own with sa logged in.</summary>
internal sealed class SqlFixture : IAsyncDisposable
{
    public const string Password = "Str0ng!Passw0rd";

    private readonly string _directory;
    private readonly InstanceHost _host;
    private readonly SqlServer _server;
    private readonly List<ISqlSession> _sessions = [];

    private SqlFixture(string directory, InstanceHost host, SqlServer server, ISqlSession session)
    {
        _directory = directory;
        _host = host;
        _server = server;
        Session = session;
        _sessions.Add(session);
    }

    /// <summary>sa's session.</summary>
    public ISqlSession Session { get; }

    public ISqlServer Server => _server;

    /// <summary>Sessions that the engine knows, sa's own among them.</summary>
    public int SessionCount => _host.Read(instance => instance.Sessions.Count);

    public static async Task<SqlFixture> OpenAsync(SqlServerSettings? settings = null)
    {
        var directory = Directory.CreateTempSubdirectory("tsql-").FullName;
        var host = new InstanceHost(new InstanceOptions { MachineName = "mssql1-0", SaPassword = Password }, directory, IPAddress.Loopback, _ => { });
        var server = new SqlServer(host, settings);
        return new SqlFixture(directory, host, server, await LogInAsync(server, "sa", Password, ""));
    }

    /// <summary>Another client's session.</summary>
    public async Task<ISqlSession> LogInAsync(string user = "sa", string password = Password, string database = "")
    {
        var session = await LogInAsync(_server, user, password, database);
        _sessions.Add(session);
        return session;
    }

    public Task<LoginOutcome> TryLogInAsync(string user, string password, string database = "") =>
        _server.LoginAsync(new LoginRequest(user, password, database, false, "tests", "here"), CancellationToken.None);

    public Task<RecordingOutput> RunAsync(string batch) => RunAsync(Session, batch);

    public static async Task<RecordingOutput> RunAsync(ISqlSession session, string batch)
    {
        var output = new RecordingOutput();
        await session.ExecuteBatchAsync(batch, [], output, CancellationToken.None);
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _sessions) await session.DisposeAsync();
        await _host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static async Task<ISqlSession> LogInAsync(SqlServer server, string user, string password, string database)
    {
        var outcome = await server.LoginAsync(new LoginRequest(user, password, database, false, "tests", "here"), CancellationToken.None);
        return outcome.Session ?? throw new AssertionException($"Login failed: {string.Join(", ", outcome.Errors.Select(error => error.Message))}");
    }
}
