using Agents.Groups;

namespace Unit.Groups;

internal sealed class GroupStatementsTests
{
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
