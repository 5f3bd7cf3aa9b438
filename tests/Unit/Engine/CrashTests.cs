using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>The process ends at every write of a workload, before it, after it and within it; what comes back must be what was acknowledged.</summary>
public sealed class CrashTests
{
    private static readonly double[] Parts = [0, 0.02, 0.5, 0.98, 1];

    private static readonly TableName Name = new("db1", "dbo", "t");

    [Test]
    public void An_instance_that_ends_at_any_write_keeps_what_it_acknowledged_and_nothing_by_halves()
    {
        var writes = 0;
        foreach (var part in Parts)
        {
            var write = 0;
            while (RunAlone(new PowerCut(write, part), out var violation))
            {
                Assert.That(violation, Is.Null, $"write {write}, part {part}");
                write++;
            }

            writes = write;
        }

        Assert.That(writes, Is.GreaterThan(30), "the workload must write enough to be cut");
    }

    [Test]
    public void A_disk_that_lies_is_noticed()
    {
        List<string> violations = [];
        for (var write = 0; RunAlone(new PowerCut(write, 0) { Behind = true }, out var violation); write++)
        {
            if (violation is not null)
            {
                violations.Add(violation);
            }
        }

        Assert.That(violations, Is.Not.Empty);
    }

    [TestCase("a")]
    [TestCase("b")]
    public void A_group_loses_no_acknowledged_commit_when_a_replica_ends_at_any_write(string victim)
    {
        foreach (var part in Parts)
        {
            var write = 0;
            while (RunGroup(victim, new PowerCut(write, part), $"{victim} at write {write}, part {part}"))
            {
                write++;
            }

            Assert.That(write, Is.GreaterThan(20), "the workload must write enough to be cut");
        }
    }

    [Test]
    public void A_checkpoint_bounds_the_log_and_keeps_identity_values_and_what_was_undone_undone()
    {
        var world = new World();
        var node = world.Add("a", node => node.Options = node.Options with { CheckpointBytes = 2000 });
        node.Do(new CreateDatabase("db1"));
        node.Do(new CreateTable(
            Name, [new ColumnDefinition("id", new SqlType(SqlKind.Int)) { Identity = true, IdentitySeed = 1, IdentityIncrement = 1 }], ["id"]));
        for (var index = 0; index < 500; index++)
        {
            node.Do(new InsertRows(Name, [[null]]));
            node.Do(new DeleteRows(Name, _ => true));
        }

        Assert.That(node.Instance.Databases["db1"].Bytes, Is.LessThan(6000), "a thousand commits");
        node.Restart();
        node.Do(new InsertRows(Name, [[null]]));
        Assert.That(node.Values(), Is.EqualTo(new object[] { 501 }));
        node.Do(new UseDatabase("db1"));
        node.Do(new Checkpoint());
        Assert.That(node.Instance.Databases["db1"].Base, Is.EqualTo(node.Instance.Databases["db1"].End));
    }

    [Test]
    public void The_log_is_kept_for_a_replica_that_is_away_and_truncated_when_it_is_back()
    {
        var group = new ThreeReplicas(configure: node => node.Options = node.Options with { CheckpointBytes = 1 });
        var database = group.A.Instance.Databases["db1"];
        group.A.Do(ThreeReplicas.Row(1));
        group.World.Until(() => database.Base > 0, "a checkpoint");
        group.C.Kill();
        group.World.Until(() => !ThreeReplicas.Synchronized(group.A, group.C), "the loss of c is noticed");
        var kept = database.Base;
        for (var id = 2; id < 20; id++)
        {
            group.A.Do(ThreeReplicas.Row(id));
        }

        Assert.That(database.Base, Is.EqualTo(kept));
        group.C.Start();
        group.Rejoin(group.A, group.C);
        group.A.Do(ThreeReplicas.Row(20));
        group.World.Until(() => database.Base > kept, "the log is truncated again");
        group.World.Run(5);
        foreach (var node in new[] { group.A, group.B, group.C })
        {
            Assert.That(node.Values(), Is.EqualTo(Enumerable.Range(1, 20).Cast<object>()), node.Name);
            Assert.That(node.Instance.Databases["db1"].Base, Is.GreaterThan(kept), node.Name);
        }
    }

    [Test]
    public void A_new_replica_is_seeded_from_the_image()
    {
        var group = new ThreeReplicas(configure: node => node.Options = node.Options with { CheckpointBytes = 1 });
        for (var id = 1; id < 10; id++)
        {
            group.A.Do(ThreeReplicas.Row(id));
        }

        group.World.Until(() => group.A.Instance.Databases["db1"].Base > 5, "a checkpoint");
        group.A.Do(new RemoveReplicas("ag1", ["c"]));
        group.World.Until(() => group.C.Instance.Groups.Count == 0, "c hears that it is removed");
        group.C.Do(new DropDatabase("db1"));
        group.A.Do(new AddReplicas("ag1", [ThreeReplicas.Spec("c")]));
        group.C.Do(new JoinGroup("ag1", ClusterType.External));
        group.C.Do(new GrantCreateAnyDatabase("ag1"));
        group.Rejoin(group.A, group.C);
        Assert.That(group.C.Values(), Is.EqualTo(Enumerable.Range(1, 9).Cast<object>()));
    }

    /// <summary>One instance, one client.</summary>
    /// <returns>False when the workload ended before the cut.</returns>
    private static bool RunAlone(PowerCut cut, out string? violation)
    {
        var world = new World();
        var node = world.Add("a", node => node.Options = node.Options with { CheckpointBytes = 300 });
        node.Cut = cut;
        SortedDictionary<int, int> acknowledged = [];
        SortedDictionary<int, int> attempted = [];
        foreach (var (commands, effect) in Workload())
        {
            attempted = new(acknowledged);
            effect(attempted);
            foreach (var command in commands)
            {
                if (node.IsRunning)
                {
                    var operation = node.Begin(command);
                    Assert.That(operation?.Error, Is.Null, $"{command}");
                }
            }

            if (!node.IsRunning)
            {
                break;
            }

            acknowledged = attempted;
        }

        var reached = cut.IsReached;
        node.Cut = null;
        if (node.IsRunning)
        {
            node.Kill();
        }

        node.Start();
        violation = Compare(node, acknowledged, attempted);
        if (violation is null && node.Instance.Databases.TryGetValue("db1", out var database) && database.Find("dbo", "t") is not null)
        {
            // What was cut off must not stand in the way of what comes next.
            node.Do(new InsertRows(Name, [[1000, 1]]));
            var now = Content(node);
            node.Restart();
            violation = Content(node).SequenceEqual(now) ? null : "a second restart differs from the first";
        }

        return reached;
    }

    private static string? Compare(World.Node node, SortedDictionary<int, int> acknowledged, SortedDictionary<int, int> attempted)
    {
        var found = Content(node);
        return found.SequenceEqual(acknowledged) || found.SequenceEqual(attempted)
            ? null
            : $"found {string.Join(' ', found)}, acknowledged {string.Join(' ', acknowledged)}, attempted {string.Join(' ', attempted)}";
    }

    private static IEnumerable<KeyValuePair<int, int>> Content(World.Node node) =>
        node.Instance.Databases.TryGetValue("db1", out var database) && database.Find("dbo", "t") is { } table
            ? table.Rows.Values.Select(row => new KeyValuePair<int, int>((int)row[0]!, (int)row[1]!)).OrderBy(pair => pair.Key)
            : [];

    private static IEnumerable<(EngineCommand[] Commands, Action<SortedDictionary<int, int>> Effect)> Workload()
    {
        yield return ([new CreateDatabase("db1")], _ => { });
        yield return (
            [new CreateTable(Name, [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.Int))], ["id"])],
            _ => { });
        for (var round = 0; round < 6; round++)
        {
            var id = round * 10;
            yield return ([new InsertRows(Name, [[id, 0]])], rows => rows[id] = 0);
            yield return (
                [new BeginTransaction(), new InsertRows(Name, [[id + 1, 0], [id + 2, 0]]), new InsertRows(Name, [[id + 3, 0]]), new CommitTransaction()],
                rows =>
                {
                    for (var more = 1; more < 4; more++)
                    {
                        rows[id + more] = 0;
                    }
                });
            yield return (
                [new UpdateRows(Name, row => (int)row[0]! % 10 == 1, row => [row[0], (int)row[1]! + 1])],
                rows =>
                {
                    foreach (var key in rows.Keys.Where(key => key % 10 == 1).ToList())
                    {
                        rows[key]++;
                    }
                });
            yield return ([new DeleteRows(Name, row => (int)row[0]! == id + 2)], rows => rows.Remove(id + 2));
            yield return ([new CreateLogin($"login{round}", "L0gin!Passw0rd")], _ => { });
            yield return ([new UseDatabase("db1"), new Checkpoint(), new UseDatabase("master")], _ => { });
        }
    }

    /// <summary>Three replicas, of which one ends at a write; after that the group must work again and agree.</summary>
    private static bool RunGroup(string victim, PowerCut cut, string what)
    {
        var group = new ThreeReplicas(required: 1, configure: node => node.Options = node.Options with { CheckpointBytes = 200 });
        var node = group.World.Nodes[victim];
        node.Cut = cut;
        List<Operation> operations = [];
        for (var id = 1; id <= 24 && node.IsRunning; id++)
        {
            if (group.A.Begin(ThreeReplicas.Row(id)) is { } operation)
            {
                operations.Add(operation);
            }

            group.World.Run(0.01);
        }

        group.World.Run(0.05);
        var acknowledged = Enumerable.Range(1, operations.Count).Where(id => operations[id - 1] is { IsCompleted: true, Error: null }).ToList();
        var reached = cut.IsReached;
        node.Cut = null;
        if (reached)
        {
            node.Start();
            if (victim == "a")
            {
                group.B.Do(new SetSessionContext("external_cluster", "yes"));
                group.World.Until(() => group.B.Try(new FailOver("ag1", false)) == 0, $"{what}: b takes over");
                group.World.Until(() => group.B.Role == ReplicaRole.Primary, $"{what}: b is primary");
                group.Rejoin(group.B, group.C);
            }

            group.Rejoin(victim == "a" ? group.B : group.A, node);
        }

        var primary = victim == "a" && reached ? group.B : group.A;
        primary.Do(ThreeReplicas.Row(1000));
        group.World.Run(5);
        var rows = primary.Values();
        Assert.That(acknowledged.Cast<object>().Except(rows!), Is.Empty, $"{what}: lost");
        foreach (var copy in group.World.Nodes.Values)
        {
            Assert.That(copy.Values(), Is.EqualTo(rows), $"{what}: {copy.Name}");
        }

        return reached;
    }
}
