using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>What a process that ended leaves half written is cut off; what somebody else has changed makes the database SUSPECT.</summary>
public sealed class DamagedLogTests
{
    private static readonly TableName Numbers = new("db1", "dbo", "t");

    [Test]
    public void A_log_that_is_damaged_anywhere_before_its_last_record_makes_its_database_SUSPECT_and_is_left_as_it_is()
    {
        var node = WithRows(out var last);
        for (var at = 0; at < last; at++)
        {
            RequireSuspect(node, at);
        }
    }

    [Test]
    public void A_damaged_image_makes_its_database_SUSPECT_though_nothing_follows_it()
    {
        var node = WithRows(out _);
        node.Do(new UseDatabase("db1"));
        node.Do(new Checkpoint());
        Assert.That(node.Instance.Databases["db1"].End, Is.EqualTo(node.Instance.Databases["db1"].Base), "an image alone");
        for (var at = 0; at < node.Bytes(File(node)).Length; at++)
        {
            RequireSuspect(node, at);
        }
    }

    [Test]
    public void A_log_that_ends_within_its_last_record_loses_that_one_and_goes_on()
    {
        var node = WithRows(out var last);
        var torn = node.Bytes(File(node)).Length - last;
        for (var missing = 1; missing <= torn; missing++)
        {
            node = WithRows(out _);
            node.Kill();
            node.TearTail(File(node), missing);
            RequireRowsAndMore(node);
        }
    }

    [TestCase((byte)0)]
    [TestCase((byte)0xFF)]
    public void A_last_record_that_is_not_what_was_written_is_cut_off(byte content)
    {
        var node = WithRows(out var last);
        node.Kill();
        node.Bytes(File(node))[last..].Fill(content);
        RequireRowsAndMore(node);
    }

    [Test]
    public void A_damaged_copy_of_a_secondary_keeps_out_of_the_commit_until_it_is_seeded_anew()
    {
        var group = new ThreeReplicas(required: 1);
        group.A.Do(ThreeReplicas.Row(1));
        group.A.Do(ThreeReplicas.Row(2));
        group.World.Run(1);
        group.B.Kill();
        group.B.Bytes(File(group.B))[20] ^= 0x40;
        group.B.Start();
        group.World.Until(() => group.B.Try(new SetRoleSecondary("ag1")) == 0, "b follows");
        group.A.Do(ThreeReplicas.Row(3));
        group.World.Run(30);
        Assert.That(group.B.View("databases").Single(row => (string)row["name"]! == "db1")["state_desc"], Is.EqualTo("SUSPECT"));
        Assert.That(ThreeReplicas.Synchronized(group.A, group.B), Is.False);
        Assert.That(group.B.TryFailOver(), Is.EqualTo(41142));

        group.A.Do(new RemoveReplicas("ag1", ["b"]));
        group.World.Until(() => group.B.Instance.Groups.Count == 0, "b hears that it is removed");
        group.B.Do(new DropDatabase("db1"));
        group.A.Do(new AddReplicas("ag1", [ThreeReplicas.Spec("b")]));
        group.B.Do(new JoinGroup("ag1", ClusterType.External));
        group.B.Do(new GrantCreateAnyDatabase("ag1"));
        group.Rejoin(group.A, group.B);
        Assert.That(group.B.Values(), Is.EqualTo(new object[] { 1, 2, 3 }));
    }

    /// <summary>Restarts with one byte changed, and puts it back.</summary>
    private static void RequireSuspect(World.Node node, int at)
    {
        node.Kill();
        node.Bytes(File(node))[at] ^= 0xFF;
        var damaged = node.Bytes(File(node)).ToArray();
        var logged = node.ErrorLog.Count;
        node.Start();
        Assert.That(node.Try(new InsertRows(Numbers, [[100, 0]])), Is.EqualTo(926), $"byte {at}");
        Assert.That(node.Try(new UseDatabase("db1")), Is.EqualTo(926), $"byte {at}");
        Assert.That(node.View("databases").Single(row => (string)row["name"]! == "db1")["state_desc"], Is.EqualTo("SUSPECT"));
        Assert.That(node.ErrorLog.Skip(logged), Has.Some.StartsWith("Error: 9004, Severity: 21").And.Some.StartsWith("Error: 3414, Severity: 21"));
        node.Restart();
        Assert.That(node.Try(new UseDatabase("db1")), Is.EqualTo(926), $"byte {at}, once more");
        Assert.That(node.Bytes(File(node)).SequenceEqual(damaged), $"byte {at}: the log has changed");
        node.Kill();
        node.Bytes(File(node))[at] ^= 0xFF;
        node.Start();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1, 2, 3 }));
    }

    private static void RequireRowsAndMore(World.Node node)
    {
        node.Start();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1, 2 }));
        node.Do(ThreeReplicas.Row(4));
        node.Restart();
        Assert.That(node.Values(), Is.EqualTo(new object[] { 1, 2, 4 }));
    }

    private static string File(World.Node node) => node.Files.Single(file => file.StartsWith("db-", StringComparison.Ordinal));

    /// <summary>An instance with three rows, each a commit.</summary>
    /// <param name="last">Where the record of the last one begins.</param>
    private static World.Node WithRows(out int last)
    {
        var node = new World().Add("a");
        node.Do(new CreateDatabase("db1"));
        node.Do(new CreateTable(
            Numbers, [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.Int))], ["id"]));
        node.Do(ThreeReplicas.Row(1));
        node.Do(ThreeReplicas.Row(2));
        last = (int)node.Instance.Databases["db1"].Bytes;
        node.Do(ThreeReplicas.Row(3));
        return node;
    }
}
