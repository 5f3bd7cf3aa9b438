using Sandbox.Scenarios;
using Sandbox.Steps;

namespace Unit.Sandbox;

[TestFixture]
internal sealed class PlanTests
{
    [Test]
    public void The_representative_plan_has_every_scenario_and_every_disturbance([Range(1, 20)] int seed)
    {
        var plans = Plan.Representative(seed);
        Assert.Multiple(() =>
        {
            Assert.That(plans.Select(x => x.Scenario), Is.EqualTo(Catalog.Scenarios));
            Assert.That(plans.Select(x => x.Disturbance).Distinct(), Is.EquivalentTo(Catalog.Disturbances));
            Assert.That(Plan.Representative(seed).Select(x => x.Name), Is.EqualTo(plans.Select(x => x.Name)));
        });
    }

    [Test]
    public void Different_seeds_pair_differently() =>
        Assert.That(Plan.Representative(1).Select(x => x.Name), Is.Not.EqualTo(Plan.Representative(2).Select(x => x.Name)));

    [Test]
    public void Everything_is_each_scenario_alone_and_with_each_disturbance() =>
        Assert.That(Plan.All.Select(x => x.Name).Distinct().Count(), Is.EqualTo(Catalog.Scenarios.Count * (Catalog.Disturbances.Count + 1)));

    [TestCase("kill", "kill", null)]
    [TestCase("kill+api-outage", "kill", "api-outage")]
    public void A_name_is_a_scenario_and_perhaps_a_disturbance(string name, string scenario, string? disturbance)
    {
        var plan = Plan.Parse(name);
        Assert.That((plan.Scenario.Name, plan.Disturbance?.Name, plan.Name), Is.EqualTo((scenario, disturbance, name)));
    }

    [TestCase("kil", "unknown scenario 'kil'")]
    [TestCase("kill+rain", "unknown scenario 'rain'")]
    [TestCase("kill+api-outage+conflicts", "unknown scenario 'kill+api-outage+conflicts'")]
    public void A_name_that_nobody_knows_is_refused(string name, string why) =>
        Assert.That(() => Plan.Parse(name), Throws.TypeOf<StepFailedException>().With.Message.Contains(why));
}
