using Clients.Drivers;
using Microsoft.Data.SqlClient;

namespace Clients;

/// <summary>Who gets in, and what everybody else is told, through every client.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class LoginTests
{
    private const string Refused = "18456/14/1 Login failed for user '{user}'.";

    private SimulatorProcess _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await SimulatorProcess.StartAsync("door");
        var replies = await new SqlClientClient(SqlConnectionEncryptOption.Optional).RunAsync(_server.Login, [
            $"CREATE LOGIN guest1 WITH PASSWORD = '{SimulatorProcess.Password}'",
            $"CREATE LOGIN locked WITH PASSWORD = '{SimulatorProcess.Password}'",
            "ALTER LOGIN locked DISABLE",
            "CREATE DATABASE play"]);
        Assert.That(replies.SelectMany(reply => reply.Lines(notices: false)), Is.Empty);
    }

    [OneTimeTearDown]
    public void Stop() => _server?.Dispose();

    [TestCaseSource(nameof(Table))]
    public async Task Login_through_client(object client, string user, string password, string database, string expected)
    {
        var driver = (Client)client;
        AllClients.Require(driver);
        var login = _server.Login with { User = user, Password = password, Database = database };
        var replies = await driver.RunAsync(login, ["SELECT SUSER_SNAME() AS s, DB_NAME() AS d"]);
        var all = expected.Replace("{user}", user, StringComparison.Ordinal).Split('\n');
        var lines = replies.SelectMany(reply => reply.Lines(notices: false)).ToList();
        if (driver.Abilities.HasFlag(Abilities.AllErrors | Abilities.LoginNumbers) || expected.StartsWith('['))
        {
            Assert.That(lines, Is.EqualTo(all));
        }
        else if (driver.Abilities.HasFlag(Abilities.LoginNumbers))
        {
            Assert.That(lines, Has.Count.EqualTo(1));
            Assert.That(lines, Is.SubsetOf(all), "one error of several");
        }
        else
        {
            Assert.That(replies, Has.Count.EqualTo(1), "no session");
            Assert.That(expected.Replace("{user}", user, StringComparison.Ordinal), Does.Contain(replies[0].Messages.Single().Text));
        }
    }

    private static IEnumerable<TestCaseData> Table() =>
        from client in AllClients.List
        from row in new (string Name, string User, string Password, string Database, string Expected)[]
        {
            ("sa", "sa", SimulatorProcess.Password, "", "[s, d]\nsa | master"),
            ("another login", "guest1", SimulatorProcess.Password, "", "[s, d]\nguest1 | master"),
            ("into a database", "sa", SimulatorProcess.Password, "play", "[s, d]\nsa | play"),
            ("wrong password", "sa", "no", "", Refused),
            ("unknown login", "nobody", SimulatorProcess.Password, "", Refused),
            ("disabled login", "locked", SimulatorProcess.Password, "", "18470/14/1 Login failed for user 'locked'. Reason: The account is disabled."),
            ("unknown database", "sa", SimulatorProcess.Password, "nowhere", "4060/11/1 Cannot open database \"nowhere\" requested by the login. The login failed.\n" + Refused),
            ("no user in the database", "guest1", SimulatorProcess.Password, "play", "4060/11/1 Cannot open database \"play\" requested by the login. The login failed.\n" + Refused),
        }
        select new TestCaseData(client, row.User, row.Password, row.Database, row.Expected).SetArgDisplayNames(client.Name, row.Name);
}
