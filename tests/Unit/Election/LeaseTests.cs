using Agents.Election;

namespace Unit.Election;

internal sealed class LeaseTests
{
    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Test]
    public void S2_the_count_starts_when_a_version_is_first_seen_and_anew_with_every_other()
    {
        var tracker = new LeaseTracker();
        Assert.That(tracker.View(At(1)), Is.Null);
        tracker.Saw("7", "a", null, At(1));
        tracker.Saw("7", "a", null, At(4));
        Assert.That(tracker.View(At(6))!.UnchangedFor, Is.EqualTo(At(5)));
        tracker.Saw("8", "a", null, At(6));
        Assert.That(tracker.View(At(6.5))!.UnchangedFor, Is.EqualTo(At(0.5)));
    }

    [Test]
    public void S2_an_echo_of_a_version_that_was_overtaken_is_ignored()
    {
        var tracker = new LeaseTracker();
        tracker.Saw("7", "a", null, At(1));
        tracker.Saw("8", "b", null, At(2));
        tracker.Saw("7", "a", null, At(3));
        Assert.That(tracker.View(At(4)), Is.EqualTo(new LeaseView("b", string.Empty, "8", At(2))));
    }

    [Test]
    public void S2_a_deleted_lease_is_gone_and_a_new_one_counts_from_its_first_sight()
    {
        var tracker = new LeaseTracker();
        tracker.Saw("7", "a", null, At(1));
        tracker.Saw(null, null, null, At(9));
        Assert.That(tracker.View(At(9)), Is.Null);
        tracker.Saw("12", "a", "c", At(10));
        Assert.That(tracker.View(At(11)), Is.EqualTo(new LeaseView("a", "c", "12", At(1))));
    }

    [TestCase(7, 1, 3)]
    [TestCase(10, 1, 4)]
    [TestCase(15, 2.5, 6)]
    public void Timings_that_fit(double lease, double renew, int write) => Assert.That(() => new LeaseTimings(At(lease), At(renew), write), Throws.Nothing);

    [TestCase(6, 1, 3, "twice the write lease")]
    [TestCase(7, 2, 3, "retry period")]
    [TestCase(7, 0, 3, "retry period")]
    [TestCase(7, 1, 0, "at least 1 s")]
    public void Timings_that_do_not_fit_are_refused_with_the_reason(double lease, double renew, int write, string reason) =>
        Assert.That(() => new LeaseTimings(At(lease), At(renew), write), Throws.ArgumentException.With.Message.Contains(reason));

    /// <summary>The arithmetic of S3, for every combination of clocks that are 5 % fast or slow.</summary>
    [Test]
    public void S3_a_write_lease_ends_before_the_lease_can_pass_to_another()
    {
        foreach (var timings in new[] { LeaseTimings.Default, new LeaseTimings(At(10), At(1), 4) })
            foreach (var engine in new[] { 0.95, 1, 1.05 })
                foreach (var watcher in new[] { 0.95, 1, 1.05 })
                {
                    // Real time at which a watcher counts L, from the moment the renewal began at the earliest.
                    var taken = timings.LeaseDuration.TotalSeconds / watcher;

                    // Set as late as the bound allows, and set as late as the one before it lasts.
                    var byBound = (timings.SetWithinTicks / 1000.0 / engine) + (timings.WriteLeaseSeconds / engine);
                    var byChain = 2 * timings.WriteLeaseSeconds / engine;
                    Assert.That(Math.Max(byBound, byChain), Is.LessThanOrEqualTo(taken + 0.01), $"{timings} engine {engine} watcher {watcher}");
                }
    }

    [Test]
    public void A_pod_made_anew_is_another_holder() =>
        Assert.That(new AgentIdentity("mssql1-0", "a").Holder, Is.Not.EqualTo(new AgentIdentity("mssql1-0", "b").Holder));

    [TestCase("mssql1-0_5c1f", "mssql1-0")]
    [TestCase("somebody", "somebody")]
    [TestCase("", "")]
    public void The_pod_of_a_holder(string holder, string pod) => Assert.That(AgentIdentity.PodOf(holder), Is.EqualTo(pod));
}
