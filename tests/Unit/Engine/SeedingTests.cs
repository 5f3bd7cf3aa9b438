using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Automatic seeding, as its views on both sides tell it.</summary>
public sealed class SeedingTests
{
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private static readonly AvailabilityMode[] Two = [Sync, Sync];

    [Test]
    public void Without_the_grant_it_silently_never_starts()
    {
        var ag = Group();
        ag.B.Do(new GrantCreateAnyDatabase("ag1", Deny: true));
        Fill(ag.A, "big", 1);
        ag.A.Do(new AddGroupDatabases("ag1", ["big"]));
        ag.World.Run(60);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        Assert.That(ag.A.View("dm_hadr_automatic_seeding").Concat(ag.B.View("dm_hadr_automatic_seeding")), Is.Empty, "nobody says a word");

        ag.B.Do(new GrantCreateAnyDatabase("ag1"));
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
    }

    [Test]
    public void Both_sides_show_it_while_it_runs_and_keep_its_history()
    {
        var ag = Group();
        var running = Begin(ag);
        ag.World.Until(() => Row(ag.A)["current_state"] is "SEEDING", "the target answers");
        var (source, target) = (Physical(ag.A).Single(), Physical(ag.B).Single());
        Assert.Multiple(() =>
        {
            Assert.That(Row(ag.A)["completion_time"], Is.Null);
            Assert.That((Row(ag.A)["is_source"], Row(ag.B)["is_source"]), Is.EqualTo((true, false)));
            Assert.That(Row(ag.A)["operation_id"], Is.EqualTo(Row(ag.B)["operation_id"]));
            Assert.That(ag.B.View("databases").Single(row => row["name"] is "big")["state_desc"], Is.EqualTo("RESTORING"));
            Assert.That(Synchronization(ag.A), Is.EqualTo("INITIALIZING"));
            Assert.That((source["role_desc"], target["role_desc"]), Is.EqualTo(("Source", "Destination")));
            Assert.That((source["remote_machine_name"], target["remote_machine_name"]), Is.EqualTo(("b", "a")));
            Assert.That((source["local_physical_seeding_id"], source["remote_physical_seeding_id"]),
                Is.EqualTo((target["remote_physical_seeding_id"], target["local_physical_seeding_id"])));
            Assert.That((long)source["transferred_size_bytes"]!, Is.Positive.And.LessThan((long)source["database_size_bytes"]!));
            Assert.That(ag.A.View("databases").Single(row => row["name"] is "big")["log_reuse_wait_desc"], Is.EqualTo("AVAILABILITY_REPLICA"));
        });

        ag.World.Until(() => running.IsCompleted && Has(ag.B, "big") && Row(ag.A)["current_state"] is "COMPLETED", "seeded");
        foreach (var node in ag.Nodes)
        {
            Assert.That(Physical(node), Is.Empty, node.Name);
            var row = Row(node);
            Assert.That((row["current_state"], row["performed_seeding"], row["failure_state"], row["number_of_attempts"]), Is.EqualTo(("COMPLETED", true, (object?)null, 1)), node.Name);
        }

        ag.World.Until(() => Synchronization(ag.A) == "SYNCHRONIZED", "synchronized");
    }

    [Test]
    public void A_large_image_goes_in_pieces_that_commits_pass_between()
    {
        var ag = Group(options => options with { CheckpointBytes = 1 << 20 });
        Replicas.CreateDatabase(ag.A, "db1");
        Table(ag.A, "db1");
        ag.A.Do(new AddGroupDatabases("ag1", ["db1"]));
        ag.World.Until(() => Has(ag.B, "db1"), "db1");
        Fill(ag.A, "big", 12);
        var source = ag.A.Instance.Databases["big"];
        Checkpoint(ag.A, "big");
        Assert.That(source.Base, Is.EqualTo(source.End), "the image is all there is");

        var longest = 0;
        ag.World.Witness = message => longest = Math.Max(longest, message.Length);
        Begin(ag, "big");
        ag.World.Until(() => Arriving(ag.B, "big"), "seeding");
        var started = ag.World.Now;
        ag.A.Do(new InsertRows(new TableName("db1", "dbo", "t"), [[1, "x"]]));
        ag.A.Do(new InsertRows(new TableName("big", "dbo", "t"), [[-1, "x"]]));
        Assert.That(ag.World.Now - started, Is.LessThan(TimeSpan.FromMilliseconds(50)), "commits wait for two pieces at most");
        Assert.That(Arriving(ag.B, "big"), Is.True, "both were acknowledged during the seeding");

        var image = source.Base;
        Checkpoint(ag.A, "big");
        Assert.That(source.Base, Is.EqualTo(image), "the log is kept for the copy");
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
        Assert.That(longest, Is.LessThan(1 << 20));
        ag.World.Until(() => Synchronization(ag.A, "big") == "SYNCHRONIZED", "synchronized");
        Assert.That(ag.B.Values(database: "big"), Is.EqualTo(ag.A.Values(database: "big")));
        Checkpoint(ag.A, "big");
        Assert.That(source.Base, Is.GreaterThan(image), "and then no longer");
    }

    [Test]
    public void The_copy_belongs_to_whoever_granted()
    {
        var ag = Group();
        ag.B.Do(new CreateLogin("granter", "Gr4nter!pass"));
        ag.B.Do(new ChangePermissions(GrantKind.Grant, ["CONTROL"], SecurableClass.AvailabilityGroup, "ag1", "granter"));
        ag.B.Do(new GrantCreateAnyDatabase("ag1"), ag.B.LogIn(user: "granter", password: "Gr4nter!pass"));
        ag.B.Do(new GrantCreateAnyDatabase("ag1", Deny: true));
        ag.B.Do(new GrantCreateAnyDatabase("ag1"), ag.B.LogIn(user: "granter", password: "Gr4nter!pass"));
        Fill(ag.A, "big", 1);
        ag.A.Do(new AddGroupDatabases("ag1", ["big"]));
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
        Assert.That(ag.B.Instance.Databases["big"].Entry.Owner, Is.EqualTo("granter"));
    }

    [Test]
    public void A_database_of_the_name_is_in_the_way_until_it_is_dropped_and_seeding_set_again([Values] bool byModify)
    {
        var ag = Group();
        ag.B.Do(new CreateDatabase("big"));
        Fill(ag.A, "big", 1);
        ag.A.Do(new AddGroupDatabases("ag1", ["big"]));
        ag.World.Until(() => Row(ag.A)["current_state"] is "FAILED", "refused");
        Assert.That((Row(ag.A)["failure_state"], Row(ag.A)["failure_state_desc"]), Is.EqualTo((23, "Database With Name Already Exists")));
        ag.B.Do(new DropDatabase("big"));
        ag.World.Run(60);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null, "it is not tried again by itself");
        if (byModify)
        {
            SetAutomatic(ag);
        }
        else
        {
            ag.A.Do(new RemoveGroupDatabases("ag1", ["big"]));
            ag.A.Do(new AddGroupDatabases("ag1", ["big"]));
        }

        ag.World.Until(() => Has(ag.B, "big"), "seeded");
    }

    [Test]
    public void A_broken_connection_fails_it_and_it_is_tried_again()
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        ag.B.Do(new AlterEndpoint("dbm") { Started = false });
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null, "half a copy is worth nothing");
        ag.World.Until(() => Row(ag.A)["current_state"] is "FAILED", "the primary notices");
        Assert.That(
            (Row(ag.A)["failure_state"], Row(ag.A)["failure_state_desc"], Row(ag.A)["error_code"]), Is.EqualTo((6, "Transport Failure", 10054)));
        ag.B.Do(new AlterEndpoint("dbm") { Started = true });
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
        Assert.That(Row(ag.A)["number_of_attempts"], Is.EqualTo(2));
    }

    [Test]
    public void A_target_that_dies_starts_over()
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        ag.B.Restart();
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        ag.Follow(ag.A, ag.B);
        Assert.That(ag.B.Values(database: "big"), Is.EqualTo(ag.A.Values(database: "big")));
    }

    [Test]
    public void After_some_failures_in_a_row_it_is_given_up_until_seeding_is_set_again()
    {
        var ag = Group(options => options with { SeedingAttempts = 3 });
        Begin(ag);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            ag.World.Until(() => Arriving(ag.B), $"attempt {attempt}");
            Assert.That(Row(ag.A)["number_of_attempts"], Is.EqualTo(attempt));
            ag.B.Do(new SetRoleSecondary("ag1"));
            ag.World.Until(() => ag.A.View("dm_hadr_automatic_seeding").Count(row => row["failure_state"] is 15) == attempt, "cancelled");
        }

        ag.World.Run(60);
        ag.B.Do(new SetRoleSecondary("ag1"));
        ag.World.Run(5);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        Assert.That(Row(ag.A)["current_state"], Is.EqualTo("FAILED"));

        SetAutomatic(ag);
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
        Assert.That(Row(ag.A)["number_of_attempts"], Is.EqualTo(1));
    }

    [Test]
    public void Deny_stops_it()
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        ag.B.Do(new GrantCreateAnyDatabase("ag1", Deny: true));
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        ag.World.Until(() => Row(ag.A)["current_state"] is "FAILED", "the primary notices");
        Assert.That((Row(ag.A)["failure_state"], Row(ag.A)["failure_state_desc"]), Is.EqualTo((3, "Seeding Request Denied")));
        ag.World.Run(60);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        ag.B.Do(new GrantCreateAnyDatabase("ag1"));
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
    }

    [Test]
    public void Manual_seeding_waits_for_somebody()
    {
        var ag = Group();
        ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("b", new ReplicaOptions { SeedingMode = SeedingMode.Manual })));
        Fill(ag.A, "big", 1);
        ag.A.Do(new AddGroupDatabases("ag1", ["big"]));
        ag.World.Run(60);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        SetAutomatic(ag);
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
    }

    /// <summary>What ends a seeding for good, and what is left of it.</summary>
    [TestCase("remove database")]
    [TestCase("remove replica")]
    [TestCase("drop on the secondary")]
    [TestCase("drop on the primary")]
    public void What_leaves_the_group_is_seeded_no_longer(string how)
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        switch (how)
        {
            case "remove database":
                ag.A.Do(new RemoveGroupDatabases("ag1", ["big"]));
                break;
            case "remove replica":
                ag.A.Do(new RemoveReplicas("ag1", ["b"]));
                break;
            case "drop on the secondary":
                ag.B.Do(new DropGroup("ag1"));
                break;
            default:
                ag.A.Do(new DropGroup("ag1"));
                break;
        }

        ag.World.Run(30);
        Assert.That(ag.B.Instance.FindDatabase("big"), Is.Null);
        Assert.That(ag.B.View("dm_hadr_automatic_seeding").Concat(ag.A.View("dm_hadr_automatic_seeding")).Select(row => row["current_state"]), Is.All.EqualTo("FAILED"));
        Assert.That(Physical(ag.A).Concat(Physical(ag.B)), Is.Empty);
        Assert.That(ag.A.Values(database: "big"), Is.Not.Empty, "the source is untouched");
    }

    [Test]
    public void Five_databases_go_at_a_time()
    {
        var ag = Group();
        string[] names = ["d1", "d2", "d3", "d4", "d5", "d6", "d7"];
        foreach (var name in names)
        {
            Fill(ag.A, name, 2);
        }

        ag.A.Begin(new AddGroupDatabases("ag1", names));
        var (most, waited) = (0, false);
        ag.World.Until(
            () =>
            {
                most = Math.Max(most, Physical(ag.A).Count);
                waited |= ag.A.View("dm_hadr_automatic_seeding").Any(row => row["current_state"] is "LIMIT_CONCURRENT_BACKUPS");
                return names.All(name => Has(ag.B, name));
            },
            "all seeded");
        Assert.That((most, waited), Is.EqualTo((5, true)));
    }

    [Test]
    public void Another_database_does_not_disturb_it()
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        Fill(ag.A, "small", 0);
        ag.A.Do(new AddGroupDatabases("ag1", ["small"]));
        ag.World.Until(() => Has(ag.B, "small"), "the small one");
        Assert.That(Arriving(ag.B), Is.True, "the big one goes on");
        ag.World.Until(() => Has(ag.B, "big"), "the big one");
        Assert.That(ag.A.View("dm_hadr_automatic_seeding").Select(row => row["number_of_attempts"]), Is.All.EqualTo(1));
    }

    [Test]
    public void A_full_disk_on_the_target_is_an_error_of_SQL()
    {
        var ag = Group();
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        ag.B.Inflict(new FullDisk(FullFile.Log));
        ag.World.Until(() => Row(ag.A)["current_state"] is "FAILED", "refused");
        Assert.That((Row(ag.A)["failure_state"], Row(ag.A)["error_code"]), Is.EqualTo((2, 9002)));
        ag.B.HealAll();
        SetAutomatic(ag);
        ag.World.Until(() => Has(ag.B, "big"), "seeded");
    }

    [Test]
    public void A_primary_that_steps_down_fails_it()
    {
        var ag = Group(lease: 30);
        ag.A.Do(new SetWriteLease("ag1", 30));
        ag.B.Inflict(new SlowDisk(TimeSpan.FromSeconds(12)));
        Begin(ag);
        ag.World.Until(() => Arriving(ag.B), "seeding");
        ag.World.Until(() => ag.A.Role == ReplicaRole.Resolving, "the lease ends");
        Assert.That((Row(ag.A)["failure_state"], Row(ag.A)["failure_state_desc"]), Is.EqualTo((5, "Primary Failure")));
        ag.World.Until(() => ag.B.Instance.FindDatabase("big") is null, "the target gives up its half");
    }

    private static Replicas Group(Func<InstanceOptions, InstanceOptions>? options = null, long? lease = null) =>
        new(Two, lease: lease, database: false, options: options);

    /// <summary>Adds a database of several megabytes to the group.</summary>
    private static Operation Begin(Replicas ag, string? existing = null)
    {
        if (existing is null)
        {
            Fill(ag.A, "big", 6);
        }

        return ag.A.Begin(new AddGroupDatabases("ag1", ["big"]));
    }

    private static void Fill(World.Node node, string name, int megabytes)
    {
        Replicas.CreateDatabase(node, name);
        Table(node, name);
        var id = 0;
        for (var megabyte = 0; megabyte < megabytes; megabyte++)
        {
            node.Do(new InsertRows(new TableName(name, "dbo", "t"), [.. Enumerable.Range(0, 128).Select(_ => new object?[] { ++id, new string('x', 4000) })]));
        }
    }

    private static void Table(World.Node node, string name) => node.Do(new CreateTable(
        new TableName(name, "dbo", "t"),
        [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.NVarChar, 4000))],
        ["id"]));

    private static void Checkpoint(World.Node node, string database)
    {
        node.Do(new Backup(database, Log: true));
        node.Do(new Checkpoint(), node.LogIn(database));
    }

    private static void SetAutomatic(Replicas ag) =>
        ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("b", new ReplicaOptions { SeedingMode = SeedingMode.Automatic })));

    private static bool Arriving(World.Node node, string name = "big") => node.Instance.FindDatabase(name) is { Entry.Seeding: true };

    private static bool Has(World.Node node, string name) => node.Instance.FindDatabase(name) is { Entry.Seeding: false };

    private static string? Synchronization(World.Node node, string database = "big") => (string?)node.View("dm_hadr_database_replica_states")
        .Single(row => row["is_local"] is false && Equals(row["group_database_id"], node.Instance.Databases[database].Entry.GroupDatabase))["synchronization_state_desc"];

    /// <summary>The latest attempt.</summary>
    private static Dictionary<string, object?> Row(World.Node node) =>
        node.View("dm_hadr_automatic_seeding") is [.., var last] ? last : new() { ["current_state"] = null };

    private static IReadOnlyList<Dictionary<string, object?>> Physical(World.Node node) => node.View("dm_hadr_physical_seeding_stats");
}
