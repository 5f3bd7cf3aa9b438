using Clients.Drivers;
using Microsoft.Data.SqlClient;

namespace Clients;

/// <summary>Clients that are sent to another replica at login, and clients whose replica changes its role under them.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[NonParallelizable]
internal sealed class RoutingTests
{
    private readonly List<SimulatorProcess> _servers = [];

    /// <summary>
    /// Who can say what it wants. A strict client pins the certificate of the server that it called. FreeTDS goes where it is sent without
    /// TLS only: with it, 1.3 says its PRELOGIN to the second server through the TLS session with the first.
    /// </summary>
    private static IEnumerable<Client> Routable => AllClients.List.Where(client =>
        client.Abilities.HasFlag(Abilities.ReadOnlyIntent) && client is not SqlClientClient { Encrypt: "strict" } && client.Name != "tsql require");

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _servers.AddRange(await Task.WhenAll(SimulatorProcess.StartAsync("one"), SimulatorProcess.StartAsync("two")));
        await Form.GroupAsync(_servers, "ag1", "db1");
        foreach (var option in (string[])[
            "N'two' WITH (SECONDARY_ROLE (ALLOW_CONNECTIONS = ALL))",
            $"N'two' WITH (SECONDARY_ROLE (READ_ONLY_ROUTING_URL = N'TCP://{_servers[1].Address}:{SimulatorProcess.Port}'))",
            "N'one' WITH (PRIMARY_ROLE (READ_ONLY_ROUTING_LIST = (N'two')))",
            $"N'one' WITH (PRIMARY_ROLE (READ_WRITE_ROUTING_URL = N'TCP://{_servers[0].Address}:{SimulatorProcess.Port}'))"])
        {
            await Form.RunAsync(_servers[0], $"ALTER AVAILABILITY GROUP ag1 MODIFY REPLICA ON {option}");
        }

        await Form.RunAsync(_servers[0], "ALTER AVAILABILITY GROUP ag1 ADD LISTENER N'ag1-listener' (WITH IP ((N'10.0.0.9', N'255.255.255.0')), PORT = 1433)");
        await Form.UntilAsync(_servers[1], "SELECT COUNT(*) FROM sys.availability_group_listeners", "1", TimeSpan.FromSeconds(60));
    }

    [OneTimeTearDown]
    public void Stop() => _servers.ForEach(server => server.Dispose());

    [Test]
    public async Task A_client_is_sent_where_it_belongs([ValueSource(nameof(Routable))] object client)
    {
        var driver = (Client)client;
        AllClients.Require(driver);
        Assert.That(await WhereAsync(0, readOnly: true), Is.EqualTo("two"), "a reader on the primary");
        Assert.That(await WhereAsync(1, readOnly: false), Is.EqualTo("one"), "a writer on the secondary");
        Assert.That(await WhereAsync(0, readOnly: false), Is.EqualTo("one"), "a writer on the primary");
        Assert.That(await WhereAsync(1, readOnly: true), Is.EqualTo("two"), "a reader on the secondary");

        async Task<string?> WhereAsync(int server, bool readOnly)
        {
            var replies = await driver.RunAsync(_servers[server].Login with { Database = "db1", ReadOnlyIntent = readOnly }, ["SELECT @@SERVERNAME AS s"]);
            Assert.That(replies, Has.Count.EqualTo(2), string.Join('\n', replies.SelectMany(reply => reply.Lines(notices: true))));
            return replies[1].Sets[0].Rows[0][0];
        }
    }

    [Test]
    public async Task A_change_of_role_breaks_the_connections_into_the_database()
    {
        using var inside = await OpenAsync("db1");
        using var outside = await OpenAsync("master");
        var closed = new TaskCompletionSource();
        inside.StateChange += (_, _) => closed.TrySetResult();
        await Form.RunAsync(_servers[1], "ALTER AVAILABILITY GROUP ag1 OFFLINE");
        try
        {
            await ServerAsync(inside);
            Assert.Fail("the connection goes on");
        }
        catch (SqlException e)
        {
            Assert.That(e.Class, Is.GreaterThanOrEqualTo(16), e.Message);
        }

        // The client closes what is broken a moment after it has said so.
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(inside.State, Is.Not.EqualTo(System.Data.ConnectionState.Open));
        Assert.That(await ServerAsync(outside), Is.EqualTo("two"));
        await Form.RunAsync(_servers[1], "ALTER AVAILABILITY GROUP ag1 SET (ROLE = SECONDARY)");
        await Form.UntilAsync(
            _servers[0], "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'", "2", TimeSpan.FromSeconds(60));
    }

    private static async Task<object?> ServerAsync(SqlConnection connection)
    {
        using var command = new SqlCommand("SELECT @@SERVERNAME", connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<SqlConnection> OpenAsync(string database)
    {
        var login = _servers[1].Login;
        var connection = new SqlConnection(new SqlConnectionStringBuilder
        {
            DataSource = $"tcp:{login.Host},{login.Port}",
            UserID = login.User,
            Password = login.Password,
            InitialCatalog = database,
            ApplicationIntent = ApplicationIntent.ReadOnly,
            Encrypt = SqlConnectionEncryptOption.Optional,
            TrustServerCertificate = true,
            Pooling = false,
            ConnectRetryCount = 0,
        }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
