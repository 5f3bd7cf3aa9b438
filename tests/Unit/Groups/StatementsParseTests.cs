using Agents.Groups;
using Agents.Sql;
using SqlServerSimulator.TSql.Parsing;

namespace Unit.Groups;

/// <summary>Every batch that the AG agent sends is T-SQL by the simulator's strict grammar, also with names that need quoting.</summary>
internal sealed class StatementsParseTests
{
    private const string Awkward = "a]'g; DROP";

    private static readonly GroupMember Member = new("mssql1-0", "mssql1", AvailabilityMode.SynchronousCommit, "TCP://one:5022");

    private static IEnumerable<TestCaseData<SqlText>> Batches() =>
    [
        new TestCaseData<SqlText>(GroupStatements.Create(Awkward, Member, 3)).SetName("create"),
        new TestCaseData<SqlText>(GroupStatements.GrantCreateDatabase(Awkward)).SetName("grant"),
        new TestCaseData<SqlText>(GroupStatements.AddReplica(Awkward, Member)).SetName("add replica"),
        new TestCaseData<SqlText>(GroupStatements.AddReplica(Awkward, Member with { Mode = AvailabilityMode.AsynchronousCommit })).SetName("add asynchronous replica"),
        new TestCaseData<SqlText>(GroupStatements.AddReplica(Awkward, Member with { Mode = AvailabilityMode.ConfigurationOnly })).SetName("add configuration-only replica"),
        new TestCaseData<SqlText>(GroupStatements.ModifyEndpoint(Awkward, Member)).SetName("modify endpoint"),
        new TestCaseData<SqlText>(GroupStatements.SetRequiredSecondaries(Awkward, 1)).SetName("required secondaries"),
        new TestCaseData<SqlText>(GroupStatements.Join(Awkward)).SetName("join"),
        new TestCaseData<SqlText>(GroupStatements.BecomeSecondary(Awkward)).SetName("become secondary"),
        new TestCaseData<SqlText>(GroupStatements.Offline(Awkward)).SetName("offline"),
        new TestCaseData<SqlText>(GroupStatements.ExtendWriteLease(Awkward, 3, 12345)).SetName("extend write lease"),
        new TestCaseData<SqlText>(GroupStatements.Failover(Awkward, 3, 12345)).SetName("failover"),
        new TestCaseData<SqlText>(GroupQueries.Local(Awkward)).SetName("query local"),
        new TestCaseData<SqlText>(GroupQueries.Peer(Awkward)).SetName("query peer"),
        new TestCaseData<SqlText>(GroupQueries.Role(Awkward)).SetName("query role"),
    ];

    [TestCaseSource(nameof(Batches))]
    public void Parses(SqlText batch) => Assert.That(() => Parser.Parse(batch.Text, []), Throws.Nothing, batch.ToString());

    /// <summary>S5, S6: the order in the batch is what makes it safe.</summary>
    [Test]
    public void S6_failover_sets_the_write_lease_then_looks_at_the_clock_then_fails_over()
    {
        var text = GroupStatements.Failover("ag1", 3, 12345).Text;
        var lease = text.IndexOf("WRITE_LEASE_VALIDITY", StringComparison.Ordinal);
        var clock = text.IndexOf("ms_ticks", StringComparison.Ordinal);
        var key = text.IndexOf("external_cluster", StringComparison.Ordinal);
        var failover = text.IndexOf(" FAILOVER", StringComparison.Ordinal);
        Assert.That(new[] { lease, clock, key, failover }, Is.Ordered.Ascending.And.All.Positive);
        Assert.That(text, Does.Not.Contain("FORCE"));
    }
}
