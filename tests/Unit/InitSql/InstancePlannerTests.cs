using Agents.InitSql;
using Agents.Sql;

namespace Unit.InitSql;

internal sealed class InstancePlannerTests
{
    private static readonly DesiredInstance Desired = new(
        "mssql1-0", new SqlLogin("agent", new SqlSecret("Agent-Pass1")), [1, 2, 3], new SqlSecretBytes([4, 5]), new SqlSecret("Pvk-Pass1"),
        new SqlSecret("Master-Pass1"));

    private static readonly InstanceFacts Configured = new()
    {
        ServerName = "mssql1-0",
        HadrEnabled = true,
        AgentLogin = LoginState.Works,
        Permissions = [.. DesiredInstance.Permissions.Select(permission => permission.Name)],
        HasMasterKey = true,
        Certificate = new CertificateFacts([1, 2, 3], true),
        Endpoint = new EndpointFacts("dbm_endpoint", 5022, true, "dbm_certificate"),
    };

    [Test]
    public void A_configured_instance_needs_nothing()
    {
        var plan = InstancePlanner.Plan(Desired, Configured);
        Assert.That(plan.Steps, Is.Empty);
        Assert.That(plan.Refusals, Is.Empty);
    }

    [Test]
    public void A_new_instance_gets_everything_in_an_order_that_works()
    {
        var plan = InstancePlanner.Plan(Desired, new InstanceFacts
        {
            ServerName = "MSSQL1-0", HadrEnabled = true, AgentLogin = LoginState.Absent, HasMasterKey = false,
        });
        var whats = plan.Steps.Select(step => step.What.Split(' ')[0] + " " + step.What.Split(' ')[1]).Distinct();
        Assert.That(plan.Refusals, Is.Empty, "server names differ in case only");
        Assert.That(whats.Where(what => !what.StartsWith("grant", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "create login", "create the", "create certificate", "create endpoint" }));
        Assert.That(plan.Steps.Count(step => step.What.StartsWith("grant", StringComparison.Ordinal)), Is.EqualTo(DesiredInstance.Permissions.Count));
        Assert.That(plan.Steps.FindIndex("create login"), Is.LessThan(plan.Steps.FindIndex("grant")));
    }

    [Test]
    public void Secrets_are_sent_and_never_shown()
    {
        var plan = InstancePlanner.Plan(Desired, new InstanceFacts
        {
            ServerName = "mssql1-0", HadrEnabled = true, AgentLogin = LoginState.Absent, HasMasterKey = false,
        });
        var sent = string.Concat(plan.Steps.Select(step => step.Batch.Text));
        var shown = string.Concat(plan.Steps.Select(step => step.What + step.Batch));
        Assert.Multiple(() =>
        {
            foreach (var secret in new[] { "Agent-Pass1", "Pvk-Pass1", "Master-Pass1", "0x0405" })
            {
                Assert.That(sent, Does.Contain(secret));
                Assert.That(shown, Does.Not.Contain(secret));
            }
        });
    }

    [Test]
    public void Only_what_differs_is_changed()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Steps(Configured with { AgentLogin = LoginState.WrongPassword }), Is.EqualTo(new[] { "set the password of login agent" }));
            Assert.That(Steps(Configured with { AgentLogin = LoginState.Disabled }), Is.EqualTo(new[] { "set the password of login agent", "enable login agent" }));
            Assert.That(Steps(Configured with { Permissions = [.. Configured.Permissions.Skip(1)] }), Is.EqualTo(new[] { "grant VIEW SERVER STATE to agent" }));
            Assert.That(Steps(Configured with { HasMasterKey = false }), Is.EqualTo(new[] { "create the master key of master" }));
            Assert.That(Steps(Configured with { Endpoint = Configured.Endpoint! with { Started = false } }), Is.EqualTo(new[] { "start endpoint dbm_endpoint" }));
            Assert.That(Steps(Configured with { Endpoint = Configured.Endpoint! with { Name = "mine", Certificate = "other" } }),
                Is.EqualTo(new[] { "let endpoint mine use certificate dbm_certificate" }));
        });
    }

    [TestCaseSource(nameof(Impossible))]
    public void What_cannot_be_mended_is_refused_and_then_nothing_is_changed(InstanceFacts facts, string expected)
    {
        var plan = InstancePlanner.Plan(Desired, facts with { AgentLogin = LoginState.Absent });
        Assert.That(plan.Steps, Is.Empty);
        Assert.That(plan.Refusals.Single(), Does.Contain(expected));
    }

    private static IEnumerable<TestCaseData> Impossible()
    {
        yield return new TestCaseData(Configured with { HadrEnabled = false }, "MSSQL_ENABLE_HADR=1").SetArgDisplayNames("hadr off");
        yield return new TestCaseData(Configured with { ServerName = "other" }, "'mssql1-0'").SetArgDisplayNames("other name");
        yield return new TestCaseData(Configured with { Certificate = new CertificateFacts([9], true) }, "is not the one of Secret").SetArgDisplayNames("other certificate");
        yield return new TestCaseData(Configured with { Certificate = new CertificateFacts(null, true) }, "is not the one of Secret").SetArgDisplayNames("unseen certificate");
        yield return new TestCaseData(Configured with { Certificate = new CertificateFacts([1, 2, 3], false) }, "no private key").SetArgDisplayNames("no key");
        yield return new TestCaseData(Configured with { Endpoint = Configured.Endpoint! with { Port = 5023 } }, "port 5023").SetArgDisplayNames("other port");
    }

    private static string[] Steps(InstanceFacts facts) => [.. InstancePlanner.Plan(Desired, facts).Steps.Select(step => step.What)];
}

internal static class StepListExtensions
{
    public static int FindIndex(this IReadOnlyList<InitStep> steps, string start) =>
        steps.ToList().FindIndex(step => step.What.StartsWith(start, StringComparison.Ordinal));
}
