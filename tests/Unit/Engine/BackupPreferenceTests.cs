using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Which of the replicas a (primary), b and c say that backups are theirs; x stands for one that is not connected.</summary>
public sealed class BackupPreferenceTests
{
    private const byte Primary = 0;
    private const byte SecondaryOnly = 1;
    private const byte Secondary = 2;
    private const byte None = 3;

    [TestCase(Primary, 50, 50, 50, "", "a")]
    [TestCase(Primary, 0, 90, 50, "", "a")]
    [TestCase(SecondaryOnly, 90, 50, 50, "", "b")]
    [TestCase(SecondaryOnly, 50, 50, 60, "", "c")]
    [TestCase(SecondaryOnly, 50, 0, 10, "", "c")]
    [TestCase(SecondaryOnly, 50, 0, 0, "", "")]
    [TestCase(SecondaryOnly, 50, 50, 50, "bc", "")]
    [TestCase(Secondary, 90, 50, 50, "", "b")]
    [TestCase(Secondary, 50, 50, 60, "", "c")]
    [TestCase(Secondary, 50, 0, 0, "", "a")]
    [TestCase(Secondary, 50, 50, 50, "bc", "a")]
    [TestCase(Secondary, 0, 50, 50, "bc", "")]
    [TestCase(Secondary, 50, 50, 60, "c", "", TestName = "A secondary does not know that another is gone")]
    [TestCase(Secondary, 50, 60, 50, "c", "b")]
    [TestCase(None, 50, 50, 50, "", "a")]
    [TestCase(None, 40, 50, 50, "", "b")]
    [TestCase(None, 50, 50, 90, "", "c")]
    [TestCase(None, 50, 50, 90, "bc", "a")]
    [TestCase(None, 0, 0, 0, "", "")]
    public void Preferred(byte preference, int a, int b, int c, string gone, string expected)
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new SetGroupOptions("ag1", new GroupOptions { AutomatedBackupPreference = preference }));
        foreach (var (name, priority) in new[] { ("a", a), ("b", b), ("c", c) })
        {
            ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec(name, new ReplicaOptions { BackupPriority = priority })));
        }

        ag.World.Run(1);
        foreach (var name in gone)
        {
            ag.World.Isolate($"{name}");
        }

        if (gone.Length > 0)
        {
            ag.World.Run(30);
        }

        Assert.That(string.Concat(new[] { ag.A, ag.B, ag.C }.Where(node => node.Instance.IsPreferredBackupReplica("db1") == true).Select(node => node.Name)), Is.EqualTo(expected));
    }

    [Test]
    public void A_database_of_no_group_is_backed_up_where_it_is()
    {
        var ag = new ThreeReplicas();
        ag.B.Do(new CreateDatabase("own"));
        Assert.That(
            new[] { "own", "master", "nowhere" }.Select(ag.B.Instance.IsPreferredBackupReplica), Is.EqualTo(new bool?[] { true, true, null }));
    }

    [Test]
    public void Nobody_is_preferred_without_a_role()
    {
        var ag = new ThreeReplicas();
        ag.B.Do(new TakeOffline("ag1"));
        Assert.That(ag.B.Instance.IsPreferredBackupReplica("db1"), Is.False);
    }
}
