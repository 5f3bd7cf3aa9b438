using Agents.Groups;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class RestartPlannerTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    /// <summary>One letter per pod a, b, c: p or s for its role, - for none; upper case when outdated; ! after it when not ready.</summary>
    [TestCase("pss", "")]
    [TestCase("PSS", "b")]
    [TestCase("PsS", "c")]
    [TestCase("Pss", "failover")]
    [TestCase("SpS", "a")]
    [TestCase("SPs", "a")]
    [TestCase("sPs", "failover")]
    [TestCase("PSs!", "")]
    [TestCase("PS-", "")]
    [TestCase("PSS!", "c")]
    [TestCase("P!SS", "a")]
    [TestCase("-!-!-!", "")]
    [TestCase("S!S!p", "a b")]
    public void One_at_a_time_secondaries_first_and_the_primary_after_a_failover(string pods, string steps) =>
        Assert.That(Steps(Plan(Pods(pods))), Is.EqualTo(steps));

    [TestCase("PSs", "a: current, b: current, c: current", "b")]
    [TestCase("PSs", "a: current, b: behind, c: current", "b")]
    [TestCase("PSs", "a: current, b: current, c: behind", "")]
    [TestCase("PSs", "a: current, b: current, c: away", "")]
    [TestCase("PSs", "a: current, b: current, c: asynchronous", "b")]
    [TestCase("PSs", "a: current, b: current", "")]
    [TestCase("PSs", "b: current, a: current, c: current", "")]
    [TestCase("PSs", "", "")]
    [TestCase("PSS", "a: current, b: current, c: behind", "c")]
    [TestCase("Pss", "a: current, b: current, c: behind", "")]
    [TestCase("Pss", "a: current, b: asynchronous, c: asynchronous", "a")]
    public void Only_while_all_other_replicas_are_current_by_the_report_of_the_present_primary(string pods, string report, string steps) =>
        Assert.That(Steps(Plan(Pods(pods), Group(report))), Is.EqualTo(steps));

    [TestCase(null, null, null, "WaitingForFailover", false, true)]
    [TestCase("restart-uid-a-NOW", null, null, "WaitingForFailover", false, false)]
    [TestCase("restart-uid-a-NOW", "restart-uid-a-NOW", FailoverState.Accepted, "WaitingForFailover", false, false)]
    [TestCase("restart-uid-a-NOW", "restart-uid-a-NOW", FailoverState.Succeeded, "WaitingForFailover", false, false)]
    [TestCase("restart-uid-a-NOW", "restart-uid-a-NOW", FailoverState.Refused, "FailoverRefused", true, false)]
    [TestCase("restart-uid-a-NOW", "restart-uid-a-NOW", FailoverState.Failed, "FailoverRefused", true, false)]
    [TestCase("restart-uid-a-NOW", "restart-uid-a-5", FailoverState.Refused, "FailoverRefused", true, false)]
    [TestCase("restart-uid-a-5", "restart-uid-a-5", FailoverState.Refused, "FailoverRefused", true, true)]
    [TestCase("restart-uid-a-5", "restart-uid-a-5", FailoverState.Succeeded, "WaitingForFailover", false, true)]
    [TestCase("restart-uid-a-5", null, null, "WaitingForFailover", true, false)]
    [TestCase("somebody", null, null, "WaitingForFailover", false, false)]
    [TestCase("somebody", "somebody", FailoverState.Refused, "WaitingForFailover", false, true)]
    public void The_failover_is_asked_for_and_its_answer_heard(
        string? request, string? answered, FailoverState? state, string reason, bool trouble, bool asks)
    {
        string? At(string? id) => id?.Replace("NOW", $"{Now.ToUnixTimeSeconds() / 30}", StringComparison.Ordinal);
        var group = Current with
        {
            Request = request is null ? null : new FailoverRequest(At(request)!, "!a", false),
            Result = state is { } known ? new FailoverResult(At(answered)!, known, "no replica is ready", null) : null,
        };
        var plan = Plan(Pods("Pss"), group);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((plan.Holds["a"].Reason, plan.Holds["a"].IsTrouble), Is.EqualTo((reason, trouble)));
            Assert.That(plan.Steps.OfType<Step.RestartPod>(), Is.Empty);
            Assert.That(plan.Steps.OfType<Step.RequestFailover>().Select(step => (step.Id, step.Target)), asks ? Is.EqualTo(new[] { (At("restart-uid-a-NOW")!, "!a") }) : Is.Empty);
        }
    }

    [Test]
    public void Trouble_of_a_peer_is_told_in_its_words()
    {
        var pods = Pods("PSs!");
        var hold = Plan([pods[0], pods[1], pods[2] with { Trouble = "container mssql-server is waiting: ImagePullBackOff" }]).Holds["b"];
        Assert.That(hold, Is.EqualTo(new RestartHold(
            "PodNotReady", "Pod b is not restarted while pod c is not ready: container mssql-server is waiting: ImagePullBackOff.", IsTrouble: true)));
    }

    [Test]
    public void Every_outdated_pod_has_a_reason() =>
        Assert.That(
            Plan(Pods("PSS")).Holds.Select(hold => $"{hold.Key} {hold.Value.Reason}"),
            Is.EquivalentTo(new[] { "a WaitingForTurn", "b Restarting", "c WaitingForTurn" }));

    [Test]
    public void Primaries_of_each_others_groups_do_not_hand_over_to_each_other_at_once()
    {
        RestartCandidate Both(string name, string one, string two) =>
            new(name, $"uid-{name}", true, true, new Dictionary<string, string> { ["ag1"] = one, ["ag2"] = two });
        var plan = Plan(
            [Both("a", "primary", "secondary"), Both("b", "secondary", "primary")], Group("a: current, b: current"), Group("b: current, a: current") with { Name = "ag2" });
        Assert.That(plan.Steps.OfType<Step.RequestFailover>().Select(step => step.Group), Is.EqualTo(new[] { "ag1" }));
        Assert.That(plan.Steps, Has.Count.EqualTo(1));
    }

    [Test]
    public void Instances_without_a_common_group_do_not_wait_for_each_other()
    {
        var other = new RestartCandidate("x", "uid-x", true, true, new Dictionary<string, string> { ["ag2"] = "primary" });
        var alone = new RestartCandidate("y", "uid-y", true, true, new Dictionary<string, string>());
        Assert.That(Steps(Plan([.. Pods("pSs"), other, alone])), Is.EqualTo("b y x"));
    }

    private static RestartGroup Current => Group("a: current, b: current, c: current");

    /// <summary>The first replica named is the primary that reports.</summary>
    private static RestartGroup Group(string report)
    {
        var replicas = report.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(replica => replica.Split(": ")).Select(parts => new ReplicaReport(
            parts[0], parts[1] == "asynchronous" ? AvailabilityMode.AsynchronousCommit : AvailabilityMode.SynchronousCommit,
            parts[1] != "away", parts[1] == "current")).ToList();
        return new RestartGroup("ag1", replicas.Count == 0 ? null : new GroupReport(replicas[0].Name, replicas));
    }

    private static RestartCandidate[] Pods(string text)
    {
        var pods = new List<RestartCandidate>();
        foreach (var letter in text)
        {
            if (letter == '!')
            {
                pods[^1] = pods[^1] with { Ready = false };
                continue;
            }

            var name = $"{(char)('a' + pods.Count)}";
            var role = char.ToLowerInvariant(letter) switch { 'p' => "primary", 's' => "secondary", _ => string.Empty };
            pods.Add(new RestartCandidate(name, $"uid-{name}", char.IsUpper(letter), true, new Dictionary<string, string> { ["ag1"] = role }));
        }

        return [.. pods];
    }

    private static RestartPlan Plan(params RestartCandidate[] pods)
    {
        var primary = pods.FirstOrDefault(pod => pod.Roles.GetValueOrDefault("ag1") == "primary")?.Name ?? "a";
        return Plan(pods, Current with { Report = Current.Report! with { Primary = primary } });
    }

    private static RestartPlan Plan(IReadOnlyList<RestartCandidate> pods, params RestartGroup[] groups) => RestartPlanner.Plan("ns", pods, groups, Now);

    private static string Steps(RestartPlan plan) => string.Join(' ', plan.Steps.Select(step => step is Step.RestartPod restart ? restart.Name : "failover"));
}
