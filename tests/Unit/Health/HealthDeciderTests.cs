using Agents.Health;

namespace Unit.Health;

internal sealed class HealthDeciderTests
{
    private static readonly string[] Watched = ["system", "resource", "query_processing"];

    // What is wrong, and the lowest policy at which that counts.
    private static IEnumerable<TestCaseData> Ills()
    {
        yield return new TestCaseData(new HealthFacts(new Lost("refused", Seconds(30)), null, Seconds(10)), 1).SetArgDisplayNames("lost for long");
        yield return new TestCaseData(new HealthFacts(new Lost("refused", Seconds(5)), null, Seconds(30)), 2).SetArgDisplayNames("lost, and silent for long");
        yield return new TestCaseData(new HealthFacts(new Connected(), null, Seconds(30)), 2).SetArgDisplayNames("silent from the start");
        yield return new TestCaseData(new HealthFacts(new Connected(), All(ComponentState.Clean), Seconds(30)), 2).SetArgDisplayNames("silent since");
        foreach (var state in new[] { ComponentState.Error, ComponentState.Missing })
            for (var i = 0; i < Watched.Length; i++)
                yield return new TestCaseData(new HealthFacts(new Connected(), With(Watched[i], state), Seconds(5)), 3 + i)
                    .SetArgDisplayNames($"{Watched[i]} {state}");
    }

    [TestCaseSource(nameof(Ills))]
    public void An_ill_counts_from_its_level_on(HealthFacts facts, int lowest)
    {
        for (var level = 0; level <= 5; level++)
        {
            var verdict = HealthDecider.Decide(facts, Policy(level));
            Assert.That(verdict.State == HealthState.Unhealthy, Is.EqualTo(level >= lowest), $"policy {level}: {verdict}");
            Assert.That(verdict.IsAlive, Is.EqualTo(level < lowest), $"policy {level}: {verdict}");
            if (level >= lowest)
                Assert.That(verdict.Because, Does.Contain($"level {lowest}"));
        }
    }

    [Test]
    public void Everything_but_an_error_is_well_and_other_components_do_not_count()
    {
        foreach (var state in new[] { ComponentState.Unknown, ComponentState.Clean, ComponentState.Warning })
            for (var level = 0; level <= 5; level++)
                Assert.That(
                    HealthDecider.Decide(new HealthFacts(new Connected(), All(state, ("io_subsystem", ComponentState.Error)), Seconds(5)), Policy(level)).State,
                    Is.EqualTo(HealthState.Healthy));
    }

    [Test]
    public void The_lowest_level_is_named_when_several_are_ill()
    {
        var verdict = HealthDecider.Decide(new HealthFacts(new Connected(), All(ComponentState.Error), Seconds(5)), Policy(5));
        Assert.That(verdict.Because, Does.StartWith("level 3: system"));
    }

    [Test]
    public void An_error_that_is_not_counted_is_still_told()
    {
        var verdict = HealthDecider.Decide(new HealthFacts(new Connected(), With("query_processing", ComponentState.Error), Seconds(5)), Policy(3));
        Assert.That(verdict.State, Is.EqualTo(HealthState.Healthy));
        Assert.That(verdict.Because, Does.Contain("query_processing"));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(5)]
    public void What_is_not_known_is_never_called_healthy(int level)
    {
        (HealthFacts Facts, bool Alive)[] cases =
        [
            (new HealthFacts(new NeverReached("refused"), null, null), false),
            (new HealthFacts(new Lost("refused", Seconds(29)), null, Seconds(29)), true),
            (new HealthFacts(new Connected(), null, Seconds(4)), true),

            // S12: a restart cures neither a wrong password nor a missing permission.
            (new HealthFacts(new Declined("Login failed"), null, null), true),
        ];
        foreach (var (facts, alive) in cases)
        {
            var verdict = HealthDecider.Decide(facts, Policy(level));
            Assert.That(verdict.State, Is.EqualTo(HealthState.Unknown), facts.ToString());
            Assert.That(verdict.IsAlive, Is.EqualTo(alive), facts.ToString());
        }
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private static HealthPolicy Policy(int level) => new(level, Seconds(30), Seconds(30));

    private static DiagnosticsReport All(ComponentState state, params (string Name, ComponentState State)[] others) => new(
        Watched.Select(name => (Name: name, State: state)).Concat(others).ToDictionary(c => c.Name, c => c.State));

    private static DiagnosticsReport With(string component, ComponentState state) => new(
        Watched.ToDictionary(name => name, name => name == component ? state : ComponentState.Clean));
}
