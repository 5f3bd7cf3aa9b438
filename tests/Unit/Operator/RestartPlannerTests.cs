using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class RestartPlannerTests
{
    [Test]
    public void One_at_a_time_secondaries_first_the_primary_last()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Restarts(Pod("a", "primary", outdated: true), Pod("b", "secondary", outdated: true), Pod("c", "secondary", outdated: true)), Is.EqualTo(new[] { "b" }));
            Assert.That(Restarts(Pod("a", "primary", outdated: true), Pod("b", "secondary"), Pod("c", "secondary", outdated: true)), Is.EqualTo(new[] { "c" }));
            Assert.That(Restarts(Pod("a", "primary", outdated: true), Pod("b", "secondary"), Pod("c", "secondary")), Is.EqualTo(new[] { "a" }));
            Assert.That(Restarts(Pod("a", "primary"), Pod("b", "secondary")), Is.Empty);
        });
    }

    [Test]
    public void A_serving_pod_waits_while_a_peer_is_missing_not_ready_or_without_a_role()
    {
        var outdated = Pod("a", "secondary", outdated: true);
        Assert.Multiple(() =>
        {
            Assert.That(Restarts(outdated, Pod("b", "primary", ready: false)), Is.Empty);
            Assert.That(Restarts(outdated, Pod("b", "primary") with { Uid = "" }), Is.Empty);
            Assert.That(Restarts(outdated, Pod("b", "")), Is.Empty);
        });
    }

    [Test]
    public void A_pod_that_does_not_serve_is_restarted_at_once_whatever_its_peers_do() =>
        Assert.That(Restarts(Pod("a", "", outdated: true, ready: false), Pod("b", "", outdated: true, ready: false)), Is.EqualTo(new[] { "a", "b" }));

    [Test]
    public void A_serving_pod_waits_while_an_outdated_peer_that_does_not_serve_is_restarted() =>
        Assert.That(Restarts(Pod("a", "secondary", outdated: true), Pod("b", "", outdated: true, ready: false)), Is.EqualTo(new[] { "b" }));

    [Test]
    public void Instances_without_a_common_group_do_not_wait_for_each_other()
    {
        var other = new RestartCandidate("x", "uid-x", true, true, new Dictionary<string, string> { ["ag2"] = "primary" });
        var alone = new RestartCandidate("y", "uid-y", true, true, new Dictionary<string, string>());
        Assert.That(Restarts(Pod("a", "secondary", outdated: true), Pod("b", "primary"), other, alone), Is.EquivalentTo(new[] { "a", "x", "y" }));
    }

    private static RestartCandidate Pod(string name, string role, bool outdated = false, bool ready = true) =>
        new(name, $"uid-{name}", outdated, ready, new Dictionary<string, string> { ["ag1"] = role });

    private static string[] Restarts(params RestartCandidate[] pods) => [.. RestartPlanner.Plan("ns", pods).Select(step => step.Name)];
}
