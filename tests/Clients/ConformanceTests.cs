using System.Text.RegularExpressions;
using Clients.Cases;
using Clients.Drivers;
using Microsoft.Data.SqlClient;

namespace Clients;

/// <summary>The same cases through every client.</summary>
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed partial class ConformanceTests
{
    private SimulatorProcess _server = null!;
    private int _tables;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await SimulatorProcess.StartAsync("alone");
        await new SqlClientClient(SqlConnectionEncryptOption.Optional).RunAsync(_server.Login, ["CREATE DATABASE play"]);
    }

    [OneTimeTearDown]
    public void Stop() => _server?.Dispose();

    [TestCaseSource(nameof(Table))]
    public async Task Case_through_client(object client, object what)
    {
        var (driver, given) = ((Client)client, (Case)what);
        AllClients.Require(driver);
        var table = $"t{Interlocked.Increment(ref _tables)}";
        var replies = await driver.RunAsync(_server.Login with { Database = "play" }, [.. given.Steps.Select(step => step.Step with { Sql = Named(step.Step.Sql) })]);
        Assert.That(replies[0].Lines(notices: false), Is.Empty, "login");
        var notices = driver.Abilities.HasFlag(Abilities.Notices);
        for (var i = 0; i < given.Steps.Count; i++)
        {
            Assert.That(replies, Has.Count.GreaterThan(i + 1), $"step {i + 1} had no reply");
            Assert.That(string.Join('\n', replies[i + 1].Lines(notices)), Is.EqualTo(Seen(Named(given.Steps[i].Expected), notices)), $"step {i + 1}: {given.Steps[i].Step.Sql}");
        }

        // A table of its own for each run.
        string Named(string text) => text.Replace("{t}", table, StringComparison.Ordinal);
    }

    private static IEnumerable<TestCaseData> Table() =>
        from given in SessionCases.All.Concat(ProbeCases.All)
        from client in AllClients.List
        where given.Fits(client)
        select new TestCaseData(client, given).SetArgDisplayNames(client.Name, given.Name);

    /// <summary>What is left of the expected lines for a client that shows errors only.</summary>
    private static string Seen(string expected, bool notices) => notices
        ? expected
        : string.Join('\n', expected.Split('\n').Where(line => !Notice().IsMatch(line)));

    [GeneratedRegex(@"^\d+/\d/\d+ ")]
    private static partial Regex Notice();
}
