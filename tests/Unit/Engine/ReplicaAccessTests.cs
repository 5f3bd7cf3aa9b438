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
