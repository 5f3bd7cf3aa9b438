using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Who gets into a group's database on which replica: by USE, by a name of three parts and at login, the same answer; 0 is success.</summary>
public sealed class ReplicaAccessTests
{
    [TestCase(SecondaryConnections.No, false, 976, 976)]
    [TestCase(SecondaryConnections.No, true, 976, 976)]
    [TestCase(SecondaryConnections.ReadOnly, false, 978, 978)]
    [TestCase(SecondaryConnections.ReadOnly, true, 0, 3906)]
    [TestCase(SecondaryConnections.All, false, 0, 3906)]
    [TestCase(SecondaryConnections.All, true, 0, 3906)]
    public void On_a_secondary(SecondaryConnections allowed, bool readOnly, int enter, int write)
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("b", new ReplicaOptions { SecondaryConnections = allowed })));
        ag.World.Until(() => ag.B.Group.Local.SecondaryConnections == allowed, "b knows");
        Expect(ag.B, readOnly, enter, write);
    }

    [TestCase(PrimaryConnections.All, false, 0)]
    [TestCase(PrimaryConnections.All, true, 0)]
    [TestCase(PrimaryConnections.ReadWrite, false, 0)]
    [TestCase(PrimaryConnections.ReadWrite, true, 979)]
    public void On_the_primary(PrimaryConnections allowed, bool readOnly, int enter)
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("a", new ReplicaOptions { PrimaryConnections = allowed })));
        Expect(ag.A, readOnly, enter, enter);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void While_resolving(bool readOnly)
    {
        var ag = new ThreeReplicas();
        ag.B.Do(new TakeOffline("ag1"));
        Expect(ag.B, readOnly, 983, 983);
    }

    /// <summary>Each change of role ends the sessions in the group's databases, and the transactions that touch them, and no others.</summary>
    [TestCase("offline", "a")]
    [TestCase("offline", "b")]
    [TestCase("failover", "b")]
    [TestCase("replaced", "a")]
    [TestCase("lease", "a")]
    [TestCase("set role", "b", false)]
    public void A_change_of_role_ends_sessions(string change, string on, bool ends = true)
    {
        var ag = new ThreeReplicas(lease: 60);
        ag.A.Do(new SetWriteLease("ag1", 60));
        var node = ag.World.Nodes[on];
        var inside = node.LogIn("db1", readOnly: true);
        var outside = node.LogIn();
        EngineSession? writer = null;
        if (on == "a")
        {
            writer = node.LogIn();
            node.Do(new BeginTransaction(), writer);
            node.Do(ThreeReplicas.Row(1), writer);
        }

        switch (change)
        {
            case "offline":
                node.Do(new TakeOffline("ag1"));
                break;
            case "failover":
                node.Do(new SetWriteLease("ag1", 60));
                node.FailOver();
                break;
            case "replaced":
                ag.B.Do(new SetWriteLease("ag1", 60));
                ag.B.FailOver();
                ag.World.Until(() => node.Role == ReplicaRole.Resolving, "fenced");
                break;
            case "lease":
                ag.World.Run(61);
                break;
            default:
                node.Do(new SetRoleSecondary("ag1"));
                break;
        }

        Assert.That(node.Ended.Contains(inside), Is.EqualTo(ends), "in the database");
        Assert.That(node.Ended, Does.Not.Contain(outside), "in master");
        if (writer is not null)
        {
            Assert.That(node.Ended, Does.Contain(writer), "a transaction from master");
        }
    }

    private static void Expect(World.Node node, bool readOnly, int enter, int write)
    {
        var session = node.LogIn(readOnly: readOnly);
        Assert.That(node.Try(ThreeReplicas.Row(1), session), Is.EqualTo(write), "write by a name of three parts");
        Assert.That(NumberOf(() => node.Instance.Read(session, new TableName("db1", "dbo", "t"))), Is.EqualTo(enter), "read by a name of three parts");
        Assert.That(node.Try(new UseDatabase("db1"), session), Is.EqualTo(enter), "USE");
        Assert.That(NumberOf(() => node.LogIn("db1", readOnly)), Is.EqualTo(enter), "login");
    }

    private static int NumberOf(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (SqlErrorException error)
        {
            return error.Error.Number;
        }
    }
}
