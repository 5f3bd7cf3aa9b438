using Agents.AgSupervisor;

namespace Unit.AgSupervisor;

internal sealed class SupervisorDeciderTests
{
    private const string None = "";

    // State of the child, its age in seconds, its failures; whether it is wanted (null: not known); what is done; due in seconds.
    [TestCase(ChildState.Running, 5, 0, true, None, null)]
    [TestCase(ChildState.Running, 5, 0, false, None, null)]
    [TestCase(ChildState.Running, 5, 0, null, None, null)]
    [TestCase(ChildState.Ended, 0, 1, true, "StartChild", null)]
    [TestCase(ChildState.Ended, 0, 1, null, "StartChild", null)]
    [TestCase(ChildState.Ended, 0, 1, false, "StartChild", null)]
    [TestCase(ChildState.Ended, 0, 2, true, None, 1.0)]
    [TestCase(ChildState.Ended, 0, 2, false, None, 1.0)]
    [TestCase(ChildState.Ended, 1, 2, true, "StartChild", null)]
    [TestCase(ChildState.Ended, 5, 5, true, None, 3.0)]
    [TestCase(ChildState.Ended, 29, 99, true, None, 1.0)]
    [TestCase(ChildState.Ended, 30, 99, true, "StartChild", null)]
    [TestCase(ChildState.Left, 5, 1, true, "StartChild", null)]
    [TestCase(ChildState.Left, 0, 2, true, None, 1.0)]
    [TestCase(ChildState.Left, 99, 1, false, None, null)]
    [TestCase(ChildState.Left, 99, 1, null, None, null)]
    public void One_child(ChildState state, int age, int failures, bool? wanted, string expected, double? due)
    {
        var now = TimeSpan.FromSeconds(1000);
        var desired = wanted is { } yes ? Groups(yes ? ["ag1"] : []) : null;
        var plan = SupervisorDecider.Decide(
            new SupervisorFacts(now, desired, [new ChildFacts("ag1", state, now - TimeSpan.FromSeconds(age), failures)], null));
        Assert.That(string.Join(',', plan.Steps.Select(step => step.GetType().Name)), Is.EqualTo(expected));
        Assert.That(plan.LookAgainIn?.TotalSeconds, Is.EqualTo(due));
    }

    [Test]
    public void Every_listed_group_without_an_agent_gets_one_and_no_second()
    {
        var plan = SupervisorDecider.Decide(new SupervisorFacts(
            TimeSpan.Zero, Groups(["b", "a", "c"]), [new ChildFacts("c", ChildState.Running, TimeSpan.Zero, 0)], null));
        Assert.That(plan.Steps.OfType<StartChild>().Select(step => step.Group), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(plan.Steps, Has.Count.EqualTo(2));
    }

    [Test]
    public void While_the_SqlServer_is_not_known_nothing_is_stopped_started_or_labelled()
    {
        var plan = SupervisorDecider.Decide(new SupervisorFacts(
            TimeSpan.Zero, null, [new ChildFacts("ag1", ChildState.Running, TimeSpan.Zero, 0)],
            new Dictionary<string, string> { ["ag-service.mssql.microsoft.com/ag9"] = "" }));
        Assert.That(plan.Steps, Is.Empty);
        Assert.That(plan.LabelChanges, Is.Empty);
    }

    [Test]
    public void Labels_are_set_corrected_and_left_alone()
    {
        var plan = SupervisorDecider.Decide(new SupervisorFacts(
            TimeSpan.Zero, new Dictionary<string, string> { ["ag1"] = "synchronousCommit", ["ag2"] = "asynchronousCommit" }, [],
            new Dictionary<string, string>
            {
                ["name"] = "mssql1",
                ["ag-service.mssql.microsoft.com/ag1"] = "",
                ["mode.ag.mssql.microsoft.com/ag1"] = "configurationOnly",
                ["role.ag.mssql.microsoft.com/ag1"] = "primary",
            }));
        Assert.That(plan.LabelChanges, Is.EquivalentTo(new Dictionary<string, string?>
        {
            ["mode.ag.mssql.microsoft.com/ag1"] = "synchronousCommit",
            ["ag-service.mssql.microsoft.com/ag2"] = "",
            ["mode.ag.mssql.microsoft.com/ag2"] = "asynchronousCommit",
        }));
    }

    [TestCase(ChildState.Running, false)]
    [TestCase(ChildState.Ended, false)]
    [TestCase(ChildState.Left, true)]
    [TestCase(null, false)]
    public void S9_a_group_that_is_no_longer_listed_loses_its_labels_once_the_instance_has_left_it(ChildState? state, bool removed)
    {
        ChildFacts[] children = state is { } known ? [new ChildFacts("ag1", known, TimeSpan.Zero, 0)] : [];
        var plan = SupervisorDecider.Decide(new SupervisorFacts(TimeSpan.Zero, Groups([]), children, Labelled));
        Assert.That(plan.LabelChanges.Keys, removed ? Is.EquivalentTo(Labelled.Keys) : Is.Empty);
        Assert.That(plan.LabelChanges.Values, Is.All.Null);
    }

    [Test]
    public void A_label_of_a_group_that_is_no_longer_listed_brings_its_agent_back_to_leave_it()
    {
        var plan = SupervisorDecider.Decide(new SupervisorFacts(TimeSpan.Zero, Groups([]), [], Labelled));
        Assert.That(plan.Steps.OfType<StartChild>().Select(step => step.Group), Is.EqualTo(new[] { "ag1" }));
    }

    [Test]
    public void A_group_is_forgotten_when_it_was_left_and_its_labels_are_gone()
    {
        var facts = new SupervisorFacts(TimeSpan.Zero, Groups([]), [new ChildFacts("ag1", ChildState.Left, TimeSpan.Zero, 1)], new Dictionary<string, string>());
        Assert.That(SupervisorDecider.Decide(facts).Steps, Is.EqualTo(new[] { new ForgetChild("ag1", "the instance has left the group") }));
        Assert.That(SupervisorDecider.Decide(facts with { Labels = Labelled }).Steps, Is.Empty);
    }

    private static Dictionary<string, string> Labelled { get; } = new()
    {
        ["ag-service.mssql.microsoft.com/ag1"] = "",
        ["mode.ag.mssql.microsoft.com/ag1"] = "synchronousCommit",
        ["role.ag.mssql.microsoft.com/ag1"] = "primary",
    };

    private static Dictionary<string, string> Groups(string[] names) => names.ToDictionary(name => name, _ => "synchronousCommit");
}
