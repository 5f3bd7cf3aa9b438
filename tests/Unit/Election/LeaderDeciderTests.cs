using Agents.Election;

namespace Unit.Election;

internal sealed class LeaderDeciderTests
{
    private static readonly TimeSpan Now = TimeSpan.FromSeconds(1000);

    /// <summary>Holder of the Lease (null: no Lease), for how long it is unchanged, how long ago this candidate renewed it (negative: never).</summary>
    [TestCase(null, 0, -1, LeaderAct.Acquire, false)]
    [TestCase("", 0, -1, LeaderAct.Acquire, false)]
    [TestCase("", 0, 1, LeaderAct.Acquire, false)]
    [TestCase("b", 14.9, -1, LeaderAct.Wait, false)]
    [TestCase("b", 15, -1, LeaderAct.Acquire, false)]
    [TestCase("b", 0, 1, LeaderAct.Wait, false)]
    [TestCase("a", 0, -1, LeaderAct.Renew, false)]
    [TestCase("a", 4.9, 4.9, LeaderAct.Wait, true)]
    [TestCase("a", 5, 5, LeaderAct.Renew, true)]
    [TestCase("a", 11.9, 11.9, LeaderAct.Renew, true)]
    [TestCase("a", 12, 12, LeaderAct.Renew, false)]
    public void One_leads_while_it_renews_in_time(string? holder, double unchanged, double renewed, LeaderAct act, bool leads)
    {
        var lease = holder is null ? null : new LeaseView(holder, string.Empty, "7", TimeSpan.FromSeconds(unchanged));
        var decision = LeaderDecider.Decide("a", known: true, lease, renewed < 0 ? null : Now - TimeSpan.FromSeconds(renewed), Now);
        Assert.That((decision.Act, decision.Leads), Is.EqualTo((act, leads)));
        Assert.That(decision.LookAgainIn, Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void A_lease_that_was_not_looked_at_is_left_alone() =>
        Assert.That(LeaderDecider.Decide("a", known: false, null, null, Now), Is.EqualTo(new LeaderDecision(LeaderAct.Wait, false, LeaderDecider.RetryPause)));

    [Test]
    public void A_leader_stops_before_another_can_begin_with_clocks_that_differ() =>
        Assert.That(LeaderDecider.Hold * (1 + LeaseTimings.ClockTolerance), Is.LessThan(LeaderDecider.LeaseDuration * (1 - LeaseTimings.ClockTolerance)));
}
