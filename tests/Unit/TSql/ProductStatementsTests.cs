using Agents.Groups;
using Agents.InitSql;
using Agents.Sql;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;

namespace Unit.TSql;

/// <summary>Every statement that the product sends is one that the documented grammar has.</summary>
public sealed class ProductStatementsTests
{
    private static IEnumerable<TestCaseData> Statements()
    {
        const string group = "ag-1]";
        foreach (var mode in Enum.GetValues<AvailabilityMode>())
        {
            var member = new GroupMember("mssql'1-0", "mssql1", mode, "TCP://mssql1-0.mssql1-internal.ag1.svc.cluster.local:5022");
            yield return Case($"Create {mode}", GroupStatements.Create(group, member, 5), 1);
            yield return Case($"AddReplica {mode}", GroupStatements.AddReplica(group, member), 1);
            if (mode != AvailabilityMode.ConfigurationOnly)
                yield return Case($"ModifyMode {mode}", GroupStatements.ModifyMode(group, member), 1);
            yield return Case($"ModifyEndpoint {mode}", GroupStatements.ModifyEndpoint(group, member), 1);
        }

        yield return Case("GrantCreateDatabase", GroupStatements.GrantCreateDatabase(group), 1);
        yield return Case("SetRequiredSecondaries", GroupStatements.SetRequiredSecondaries(group, 1), 1);
        yield return Case("RemoveReplica", GroupStatements.RemoveReplica(group, "mssql'1-0"), 1);
        yield return Case("Drop", GroupStatements.Drop(group), 1);
        yield return Case("JoinDatabase", GroupStatements.JoinDatabase(group, "sales]"), 1);
        yield return Case("Join", GroupStatements.Join(group), 1);
        yield return Case("BecomeSecondary", GroupStatements.BecomeSecondary(group), 1);
        yield return Case("Offline", GroupStatements.Offline(group), 1);
        yield return Case("ExtendWriteLease", GroupStatements.ExtendWriteLease(group, 3, 123456789012345), 2);
        yield return Case("Failover", GroupStatements.Failover(group, 3, 123456789012345), 6);
        yield return Case("Local", GroupQueries.Local(group), 5);
        yield return Case("Peer", GroupQueries.Peer(group), 2);
        yield return Case("Role", GroupQueries.Role(group), 1);

        var desired = new DesiredInstance(
            "mssql1-0", new SqlLogin("agent", new SqlSecret("p'w")), [0x30, 0x82], new SqlSecretBytes([0x1E, 0xF1]), new SqlSecret("a"), new SqlSecret("b"));
        var plan = InstancePlanner.Plan(desired, new InstanceFacts
        {
            ServerName = "mssql1-0", HadrEnabled = true, AgentLogin = LoginState.Absent, HasMasterKey = false,
        });
        foreach (var step in plan.Steps) yield return Case(step.What, step.Batch, 1);
        var repair = InstancePlanner.Plan(desired, new InstanceFacts
        {
            ServerName = "mssql1-0", HadrEnabled = true, AgentLogin = LoginState.Disabled, HasMasterKey = true,
            Certificate = new CertificateFacts([0x30, 0x82], true), Endpoint = new EndpointFacts("e", 5022, false, "other"),
        });
        foreach (var step in repair.Steps) yield return Case($"repair: {step.What}", step.Batch, 1);

        static TestCaseData Case(string name, SqlText batch, int count) => new TestCaseData(batch, count).SetArgDisplayNames(name);
    }

    /// <summary>The texts alone.</summary>
    public static IEnumerable<string> Batches() => Statements().Select(test => ((SqlText)test.Arguments[0]!).Text);

    [TestCaseSource(nameof(Statements))]
    public void Parses(object batch, int count)
    {
        var statements = Parser.Parse(((SqlText)batch).Text, []);
        Assert.That(statements, Has.Count.EqualTo(count));
    }

    [Test]
    public void A_late_extension_of_the_write_lease_raises_instead_of_extending()
    {
        var choice = (IfStatement)Parser.Parse(GroupStatements.ExtendWriteLease("ag", 3, 1).Text, [])[1];
        Assert.That(choice.Then, Is.TypeOf<RaiseErrorStatement>());
        Assert.That(choice.Else, Is.TypeOf<EngineStatement>());
    }
}
