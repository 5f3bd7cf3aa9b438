using Clients.Drivers;

namespace Clients;

/// <summary>
/// An availability group of three processes, and which statement answers with which number in which state of the local replica, through several
/// clients. Only statements that change nothing there are in the table; 0 is success.
/// </summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class GroupRefusalTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly string[] States = ["primary", "secondary", "resolving", "absent"];

    private static readonly (string Name, string Sql, int Primary, int Secondary, int Resolving, int Absent)[] Statements =
    [
        ("set option", "ALTER AVAILABILITY GROUP ag1 SET (DB_FAILOVER = OFF)", 0, 41140, 41140, 41100),
        ("required too many", "ALTER AVAILABILITY GROUP ag1 SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 3)", 35248, 41140, 41140, 41100),
        ("modify replica", "ALTER AVAILABILITY GROUP ag1 MODIFY REPLICA ON N'b' WITH (BACKUP_PRIORITY = 10)", 0, 41190, 41190, 41100),
        ("remove replica", "ALTER AVAILABILITY GROUP ag1 REMOVE REPLICA ON N'nobody'", -1, 41190, 41190, 41100),
        ("add database", "ALTER AVAILABILITY GROUP ag1 ADD DATABASE nodb", 35238, 41190, 41190, 41100),
        ("join", "ALTER AVAILABILITY GROUP ag1 JOIN WITH (CLUSTER_TYPE = EXTERNAL)", 41106, 41106, 41106, -1),
        ("failover without the key", "ALTER AVAILABILITY GROUP ag1 FAILOVER", -1, 47104, 47104, -1),
        ("forced failover without the key", "ALTER AVAILABILITY GROUP ag1 FORCE_FAILOVER_ALLOW_DATA_LOSS", -1, 47104, 47104, -1),
        ("failover", "EXEC sp_set_session_context N'external_cluster', N'yes' ALTER AVAILABILITY GROUP ag1 FAILOVER", 41122, -1, 41142, 41100),
        ("lease", "ALTER AVAILABILITY GROUP ag1 SET (WRITE_LEASE_VALIDITY = 600)", 47116, 47116, 47116, 41100),
        ("drop database", "DROP DATABASE db1", 3752, 3752, 3752, 3701),
        ("hadr off", "ALTER DATABASE db1 SET HADR OFF", 35240, -1, -1, -1),
        ("write", "INSERT db1.dbo.t VALUES (1)", 0, 978, 983, -1),
        ("read", "SELECT COUNT(*) AS n FROM db1.dbo.t", 0, 978, 983, -1),
        ("outside master", "USE tempdb ALTER AVAILABILITY GROUP ag1 FAILOVER", 35208, 35208, 35208, 35208),
        ("in a transaction", "BEGIN TRAN ALTER AVAILABILITY GROUP ag1 SET (DB_FAILOVER = OFF)", 574, 574, 574, 574),
    ];

    private readonly List<SimulatorProcess> _servers = [];

    [OneTimeSetUp]
    public async Task FormAsync()
    {
        var started = await Task.WhenAll("abcd".Select(name => SimulatorProcess.StartAsync($"{name}")));
        _servers.AddRange(started);
        await Form.GroupAsync([.. started.Take(3)], "ag1", "db1");
        await Form.RunAsync(started[0], "USE db1 CREATE TABLE t (id int)");
        await Form.RunAsync(started[2], "ALTER AVAILABILITY GROUP ag1 OFFLINE");
        await Form.UntilAsync(started[2], "SELECT role_desc FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1", "RESOLVING", Bound);
    }

    [OneTimeTearDown]
    public void Stop() => _servers.ForEach(server => server.Dispose());

    [TestCaseSource(nameof(Table))]
    public async Task Statement_by_state(object client, string state)
    {
        var driver = (Client)client;
        AllClients.Require(driver);
        var index = Array.IndexOf(States, state);
        var rows = Statements.Select(row => (row.Name, row.Sql, Number: new[] { row.Primary, row.Secondary, row.Resolving, row.Absent }[index]))
            .Where(row => row.Number >= 0).ToList();
        var found = new List<string>();
        foreach (var row in rows)
        {
            var replies = await driver.RunAsync(_servers[index].Login, [row.Sql]);
            var errors = replies.SelectMany(reply => reply.Messages).Where(message => message.Severity > 10).ToList();
            found.Add($"{row.Name}: {(errors.Count == 0 ? 0 : errors[0].Number)}");
        }

        Assert.That(found, Is.EqualTo(rows.Select(row => $"{row.Name}: {row.Number}")));
    }

    [Test]
    public async Task Read_intent_reads_on_the_secondary([ValueSource(typeof(AllClients), nameof(AllClients.List))] object client)
    {
        var driver = (Client)client;
        AllClients.Require(driver);
        var login = _servers[1].Login with { Database = "db1", ReadOnlyIntent = true };
        await Form.UntilAsync(_servers[1], "SELECT synchronization_state_desc FROM sys.dm_hadr_database_replica_states WHERE is_local = 1", "SYNCHRONIZED", Bound);
        var replies = await driver.RunAsync(login, ["SELECT COUNT(*) AS n FROM t WHERE id < 0", "INSERT t VALUES (1)"]);
        Assert.That(replies[0].Lines(notices: false), Is.Empty);
        Assert.That(replies[1].Lines(notices: false), Is.EqualTo(new[] { "[n]", "0" }));
        Assert.That(replies[2].Messages.Where(message => message.Severity > 10).Select(message => message.Number), Is.EqualTo(new[] { 3906 }));
        var without = await driver.RunAsync(login with { ReadOnlyIntent = false }, ["SELECT 1 AS a"]);
        Assert.That(without.SelectMany(reply => reply.Sets), Is.Empty, "the login into the secondary database is refused");
        if (driver.Abilities.HasFlag(Abilities.LoginNumbers))
            Assert.That(without.SelectMany(reply => reply.Messages).Select(message => message.Number), Has.Some.AnyOf(978, 4060, 18456));
    }

    private static IEnumerable<TestCaseData> Table() =>
        from client in AllClients.List
        where client is SqlClientClient { Encrypt: "optional" } or NodeClient { Package: "tedious" } or TsqlClient { Encryption: "off" }
        from state in States
        select new TestCaseData(client, state).SetArgDisplayNames(client.Name, state);
}
