using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>How statements change a group, its replicas and their databases.</summary>
public sealed class GroupStateTests
{
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private const AvailabilityMode Async = AvailabilityMode.AsynchronousCommit;
    private const AvailabilityMode Only = AvailabilityMode.ConfigurationOnly;

    // REMOVE REPLICA and DROP

    [Test]
    public void A_removed_replica_forgets_the_group_and_keeps_its_database_as_RESTORING()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.A.Do(new RemoveReplicas("ag1", ["c"]));
        ag.World.Until(() => ag.C.Instance.Groups.Count == 0, "c left");
        Assert.That(StateOf(ag.C, "db1"), Is.EqualTo("RESTORING"));
        Assert.That(ag.A.View("availability_replicas").Select(row => row["replica_server_name"]), Is.EqualTo(new[] { "a", "b" }));
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.C.Values(), Is.Empty);
    }

    [Test]
    public void A_replica_that_is_removed_while_it_is_away_is_RESOLVING_when_it_returns_until_the_group_is_dropped_there()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.C.Kill();
        ag.A.Do(new RemoveReplicas("ag1", ["c"]));
        ag.World.Run(15);
        ag.C.Start();
        ag.World.Run(60);
        Assert.That(ag.C.Role, Is.EqualTo(ReplicaRole.Resolving));
        Assert.That(ag.C.Try(new SetRoleSecondary("ag1")), Is.EqualTo(41104));
        ag.A.Do(new AddReplicas("ag1", [ag.Spec("c", Sync)]));
        Assert.That(ag.C.Try(new JoinGroup("ag1", ClusterType.External)), Is.EqualTo(41106), "the stale copy is in the way");
        ag.C.Do(new DropGroup("ag1"));
        Assert.That(StateOf(ag.C, "db1"), Is.EqualTo("RESTORING"));
        ag.C.Do(new DropDatabase("db1"));
        ag.JoinOnly(ag.C, Sync);
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.C), "c is back");
    }

    [Test]
    public void A_replica_that_has_only_heard_of_its_removal_answers_as_before_and_takes_over_nothing()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.B.Kill();
        ag.A.Begin(new RemoveReplicas("ag1", ["c"]));
        ag.World.Until(() => ag.C.Group.File.LeftOut is not null, "c has heard");
        ag.A.Kill();
        ag.World.Run(15);
        Assert.That(ag.C.Try(ThreeReplicas.Row(1)), Is.EqualTo(978));
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
        ag.C.Restart();
        Assert.That(ag.C.Instance.Groups, Is.Empty);
        Assert.That(StateOf(ag.C, "db1"), Is.EqualTo("RESTORING"));
    }

    [Test]
    public void Removing_a_dead_replica_lets_the_rest_decide_again()
    {
        var ag = new Replicas([Sync, Sync]);
        ag.B.Kill();
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(30);
        Assert.That(write.IsCompleted, Is.False, "one of two");
        var remove = ag.A.Begin(new RemoveReplicas("ag1", ["b"]));
        ag.World.Run(30);
        Assert.That(remove.IsCompleted, Is.False, "leaving b out needs b, too: both the old and the new majority count");
        ag.B.Start();
        ag.World.Until(() => remove.IsCompleted && write.IsCompleted, "b agrees");
        Assert.That(write.Error, Is.Null);
    }

    [Test]
    public void A_drop_on_the_primary_reaches_everybody_and_leaves_its_databases_online()
    {
        var ag = new Replicas([Sync, Sync, Only]);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Do(new DropGroup("ag1"));
        ag.World.Until(() => ag.Nodes.All(node => node.Instance.Groups.Count == 0), "all left");
        Assert.That(StateOf(ag.A, "db1"), Is.EqualTo("ONLINE"));
        ag.A.Do(ThreeReplicas.Row(2));
        Assert.That(StateOf(ag.B, "db1"), Is.EqualTo("RESTORING"));
        Assert.That(ag.B.Try(ThreeReplicas.Row(3)), Is.EqualTo(927));
    }

    [Test]
    public void A_drop_on_a_secondary_is_its_own_affair()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.C.Do(new DropGroup("ag1"));
        Assert.That(StateOf(ag.C, "db1"), Is.EqualTo("RESTORING"));
        Assert.That(ag.A.View("availability_replicas"), Has.Count.EqualTo(3), "the primary still counts on it");
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Until(() => write.IsCompleted, "write without c");
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.C), Is.EqualTo("NOT SYNCHRONIZING"));
    }

    // MODIFY REPLICA

    [Test]
    public void A_replica_made_asynchronous_is_not_waited_for_and_has_no_vote()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        Modify(ag.A, "c", new ReplicaOptions { AvailabilityMode = Async });
        ag.World.Until(() => Replicas.SynchronizationOf(ag.A, ag.C) == "SYNCHRONIZING", "c is asynchronous");
        ag.World.Isolate("c");
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
        ag.B.Kill();
        var write = ag.A.Begin(ThreeReplicas.Row(2));
        ag.World.Heal();
        ag.World.Run(30);
        Assert.That(write.IsCompleted, Is.False, "c's vote would be needed to leave b out, and it has none");
    }

    [Test]
    public void A_replica_made_synchronous_is_ready_only_when_it_holds_everything()
    {
        var ag = new Replicas([Sync, Sync, Async]);
        ag.World.Isolate("c");
        for (var id = 1; id <= 5; id++)
        {
            ag.A.Do(ThreeReplicas.Row(id));
        }

        Modify(ag.A, "c", new ReplicaOptions { AvailabilityMode = Sync });
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
        ag.World.Heal();
        ag.Follow(ag.A, ag.C);
        ag.A.Do(ThreeReplicas.Row(6));
        ag.A.Kill();
        ag.World.Run(1);
        ag.Promote(ag.C);
        Assert.That(ag.C.Values(), Is.EqualTo(new object[] { 1, 2, 3, 4, 5, 6 }));
    }

    [Test]
    public void A_replica_that_was_asynchronous_for_a_while_is_not_trusted_for_that_while()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.A.Do(ThreeReplicas.Row(1));
        Modify(ag.A, "c", new ReplicaOptions { AvailabilityMode = Async });
        ag.World.Run(1);
        ag.World.Isolate("c");
        ag.A.Do(ThreeReplicas.Row(2));
        Modify(ag.A, "c", new ReplicaOptions { AvailabilityMode = Sync });
        ag.World.Run(1);
        Assert.That(ag.A.Group.Configuration.Replica("c")!.Synchronized, Is.Empty);
        ag.World.Heal();
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.C), "c synchronized again without a write");
        Assert.That(ag.C.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void With_an_asynchronous_primary_nobody_is_synchronized()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        Modify(ag.A, "a", new ReplicaOptions { AvailabilityMode = Async });
        ag.World.Until(() => Replicas.SynchronizationOf(ag.A, ag.B) == "SYNCHRONIZING", "b");
        ag.World.Isolate("a");
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.B.TryFailOver(), Is.EqualTo(41142));
        ag.World.Heal();
        Modify(ag.A, "a", new ReplicaOptions { AvailabilityMode = Sync });
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B) && Replicas.IsSettled(ag.A, ag.C), "synchronized again");
    }

    [Test]
    public void Every_change_of_the_configuration_counts()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        Replicas.CreateDatabase(ag.A, "db2");
        ag.World.Run(2);
        var number = Sequence(ag.A);
        void Counts(EngineCommand command)
        {
            ag.A.Do(command);
            ag.World.Run(3);
            Assert.That(Sequence(ag.A), Is.GreaterThan(number), command.ToString());
            Assert.That(Sequence(ag.B), Is.EqualTo(Sequence(ag.A)), command.ToString());
            number = Sequence(ag.A);
        }

        Counts(new SetGroupOptions("ag1", new GroupOptions { DbFailover = true }));
        Counts(new AddGroupDatabases("ag1", ["db2"]));
        Counts(new RemoveGroupDatabases("ag1", ["db2"]));
        Counts(new ModifyReplica("ag1", new ReplicaSpec("b", new ReplicaOptions { BackupPriority = 7 })));
        Counts(new AddReplicas("ag1", [ag.Spec("d", Sync)]));
        Counts(new RemoveReplicas("ag1", ["d"]));
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(Sequence(ag.A), Is.EqualTo(number), "a commit is no such change");
        ag.Promote(ag.B);
        Assert.That(Sequence(ag.B) >> 32, Is.GreaterThan(number >> 32), "a failover raises the high half");
    }

    // Databases

    [Test]
    public void A_database_taken_out_stays_online_on_the_primary_and_RESTORING_elsewhere()
    {
        var ag = new Replicas([Sync, Sync]);
        ag.A.Do(new RemoveGroupDatabases("ag1", ["db1"]));
        ag.World.Run(2);
        Assert.That(StateOf(ag.A, "db1"), Is.EqualTo("ONLINE"));
        Assert.That(StateOf(ag.B, "db1"), Is.EqualTo("RESTORING"));
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states").Select(row => row["synchronization_health_desc"]), Is.All.EqualTo("NOT_HEALTHY"), "an empty group is never healthy");
    }

    [Test]
    public void Movement_suspended_on_the_primary_stops_for_all_on_a_secondary_for_it_alone([Values("a", "b")] string where)
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        var node = ag.World.Nodes[where];
        node.Do(new SetHadr("db1", HadrAction.Suspend));
        ag.World.Run(3);
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.B.Values(), Is.Empty);
        Assert.That(ag.C.Values(), where == "a" ? Is.Empty : Is.EqualTo(new object[] { 1 }));
        var local = node.View("dm_hadr_database_replica_states").Single(row => row["is_local"] is true);
        Assert.That((local["is_suspended"], local["suspend_reason_desc"], local["synchronization_health_desc"]), Is.EqualTo((true, "SUSPEND_FROM_USER", "NOT_HEALTHY")));
        Assert.That(ag.B.TryFailOver(), Is.EqualTo(41142));
        node.Do(new SetHadr("db1", HadrAction.Resume));
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B) && Replicas.IsSettled(ag.A, ag.C), "all synchronized");
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 1 }));
    }

    [Test]
    public void Undoing_what_the_forced_primary_lacks_shows_as_REVERTING()
    {
        var ag = new Replicas([Sync, Sync, Async], options: options => options with { UndoTime = TimeSpan.FromSeconds(2) });
        ag.World.Isolate("c");
        ag.A.Do(ThreeReplicas.Row(1));
        var end = ag.B.Instance.Databases["db1"].End;
        ag.A.Kill();
        ag.B.Kill();
        ag.World.Heal();
        ag.World.Run(1);
        ag.C.FailOver(force: true);
        ag.C.Do(ThreeReplicas.Row(2));
        ag.B.Start();
        ag.World.Until(() => ag.B.Try(new SetRoleSecondary("ag1")) == 0, "b follows");
        ag.World.Run(5);
        Assert.That(Replicas.SynchronizationOf(ag.B, ag.B), Is.EqualTo("NOT SYNCHRONIZING"), "suspended");
        Assert.That(ag.B.Instance.Databases["db1"].End, Is.EqualTo(end), "nothing is undone before RESUME");
        ag.B.Do(new SetHadr("db1", HadrAction.Resume));
        ag.World.Until(() => Replicas.SynchronizationOf(ag.B, ag.B) == "REVERTING", "undo shows");
        Assert.That(Assert.Throws<SqlServerSimulator.Contract.SqlErrorException>(() => ag.B.LogIn("db1", readOnly: true))!.Error.Number, Is.EqualTo(921));
        ag.World.Until(() => Replicas.SynchronizationOf(ag.B, ag.B) == "SYNCHRONIZING", "undone");
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 2 }));
    }

    [Test]
    public void Undoing_that_is_interrupted_starts_again()
    {
        var ag = new Replicas([Sync, Sync, Sync], required: 1, options: options => options with { UndoTime = TimeSpan.FromSeconds(2) });
        ag.World.Isolate("a");
        ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(1);
        ag.Promote(ag.B);
        ag.World.Heal();
        ag.Follow(ag.B, ag.C);
        ag.B.Do(ThreeReplicas.Row(2));
        ag.World.Until(() => ag.A.Try(new SetRoleSecondary("ag1")) == 0, "a follows");
        ag.World.Until(() => Replicas.SynchronizationOf(ag.A, ag.A) == "REVERTING", "undo");
        ag.World.Run(1);
        ag.A.Restart();
        ag.Follow(ag.B, ag.A);
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 2 }));
    }

    // Roles

    [Test]
    public void A_candidate_sets_its_lease_before_it_fails_over()
    {
        var ag = new Replicas([Sync, Sync, Sync], lease: 60);
        ag.A.Do(new TakeOffline("ag1"));
        ag.B.Do(new SetWriteLease("ag1", 30));
        ag.Promote(ag.B);
        ag.World.Run(29);
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Primary));
        ag.World.Run(2);
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Resolving), "failing over did not extend it");
    }

    [Test]
    public void The_error_log_tells_each_change_of_role()
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        ag.B.ErrorLog.Clear();
        ag.A.Do(new TakeOffline("ag1"));
        ag.Promote(ag.B);
        Assert.That(
            ag.B.ErrorLog.Where(line => line.Contains("has changed from", StringComparison.Ordinal)).Select(line => line[line.IndexOf("from", StringComparison.Ordinal)..]),
            Is.EqualTo(new[] { "from 'SECONDARY_NORMAL' to 'RESOLVING_NORMAL'.", "from 'RESOLVING_PENDING_FAILOVER' to 'PRIMARY_NORMAL'." }));
        Assert.That(ag.A.ErrorLog[^1], Does.Contain("from 'PRIMARY_NORMAL' to 'RESOLVING_NORMAL'").Or.Contain("successfully established"));
    }

    [Test]
    public void The_error_log_tells_that_databases_wait_for_their_group()
    {
        var ag = new Replicas([Sync, Sync]);
        ag.B.Restart();
        Assert.That(ag.B.ErrorLog, Has.Some.StartsWith("Skipping the default startup of database 'db1' because the database belongs to an availability group (Group ID:  65537)"));
        Assert.That(Assert.Throws<SqlServerSimulator.Contract.SqlErrorException>(() => ag.B.LogIn("db1", readOnly: true))!.Error.Number, Is.EqualTo(983));
    }

    [Test]
    public void A_stopped_endpoint_disconnects_and_a_started_one_connects_again([Values("a", "b")] string where)
    {
        var ag = new Replicas([Sync, Sync, Sync]);
        var node = ag.World.Nodes[where];
        node.Do(new AlterEndpoint("dbm") { Started = false });
        ag.World.Run(5);
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.B), Is.EqualTo("NOT SYNCHRONIZING"));
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.C), Is.EqualTo(where == "a" ? "NOT SYNCHRONIZING" : "SYNCHRONIZED"), "a primary's endpoint is everybody's");
        Assert.That(ag.B.View("dm_hadr_availability_replica_states").Single() is { } row ? (row["role_desc"], row["connected_state_desc"]) : default, Is.EqualTo(("SECONDARY", "DISCONNECTED")));
        node.Do(new AlterEndpoint("dbm") { Started = true });
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B) && Replicas.IsSettled(ag.A, ag.C), "connected again without being told");
    }

    // CLUSTER_TYPE = NONE

    [Test]
    public void Without_a_cluster_manager_secondaries_follow_unasked_and_a_restarted_primary_goes_on()
    {
        var ag = new Replicas([Sync, Sync, Async], type: ClusterType.None);
        Assert.That(ag.A.View("availability_groups").Single()["cluster_type_desc"], Is.EqualTo("none"));
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Secondary));
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Restart();
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Primary));
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B), "b is back");
        ag.B.Restart();
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Secondary));
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B), "b is back again");
        Assert.That(ag.A.Try(new SetWriteLease("ag1", 10)), Is.EqualTo(47116));
    }

    [Test]
    public void Without_a_cluster_manager_a_failover_is_forced_and_needs_no_session_key()
    {
        var ag = new Replicas([Sync, Sync], type: ClusterType.None);
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.B.Try(new FailOver("ag1", false)), Is.EqualTo(47122));
        ag.A.Do(new SetRoleSecondary("ag1"));
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
        ag.B.Do(new FailOver("ag1", true));
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Primary));
        ag.World.Until(() => ag.A.Role == ReplicaRole.Secondary, "a follows unasked");
        ag.World.Run(1);
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.A), Is.EqualTo("NOT SYNCHRONIZING"), "suspended as after every forced failover");
        ag.A.Do(new SetHadr("db1", HadrAction.Resume));
        ag.World.Until(() => Replicas.IsSettled(ag.B, ag.A), "a synchronized");
        ag.B.Do(ThreeReplicas.Row(2));
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    // Editions

    [TestCase("Developer Edition (64-bit)", 9)]
    [TestCase("Enterprise Edition (64-bit)", 9)]
    [TestCase("Standard Edition (64-bit)", 3)]
    public void An_edition_has_its_number_of_replicas(string edition, int most)
    {
        var node = new World().Add("a", other => other.Options = other.Options with { Edition = edition });
        ReplicaSpec[] Specs(int count) => [.. Enumerable.Range(0, count).Select(index => ThreeReplicas.Spec(((char)('a' + index)).ToString(), index == 0 ? Sync : Async))];
        Assert.That(node.Try(new CreateGroup("g", External, [], Specs(most + 1))), Is.EqualTo(35233));
        Assert.That(node.Try(new CreateGroup("g", External, [], [.. Specs(most), ThreeReplicas.Spec("w", Only)])), Is.Zero, "a configuration-only replica does not count");
    }

    [Test]
    public void Express_creates_no_group_but_keeps_the_configuration_of_one()
    {
        var ag = new Replicas([Sync, Sync]);
        var express = ag.World.Add("x", other => other.Options = other.Options with { Edition = "Express Edition (64-bit)", JoinTimeout = TimeSpan.FromSeconds(5) });
        Assert.That(express.Try(new CreateGroup("g", External, [], [ThreeReplicas.Spec("x")])), Is.EqualTo(41199));
        ag.A.Do(new AddReplicas("ag1", [ag.Spec("x", Sync)]));
        Assert.That(express.Try(new JoinGroup("ag1", ClusterType.External)), Is.EqualTo(41158));
        ag.A.Do(new RemoveReplicas("ag1", ["x"]));
        ag.Join(ag.A, express, Only);
        ag.World.Run(2);
        ag.B.Kill();
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Until(() => write.IsCompleted, "its vote counts");
    }

    [Test]
    public void A_basic_group_has_two_replicas_one_database_and_nothing_to_read_elsewhere()
    {
        var basic = External with { Basic = true };
        var node = new World().Add("a");
        ReplicaSpec Closed(string name) => ThreeReplicas.Spec(name) is var spec ? spec with { Options = spec.Options with { SecondaryConnections = null } } : null!;
        Replicas.CreateDatabase(node, "one");
        Replicas.CreateDatabase(node, "two");
        Assert.That(node.Try(new CreateGroup("g", basic, [], [ThreeReplicas.Spec("a")])), Is.EqualTo(41199), "readable");
        Assert.That(node.Try(new CreateGroup("g", basic, [], [Closed("a"), Closed("b"), Closed("c")])), Is.EqualTo(35233));
        Assert.That(node.Try(new CreateGroup("g", basic, ["one", "two"], [Closed("a")])), Is.EqualTo(35200));
        node.Do(new CreateGroup("g", basic, ["one"], [Closed("a"), Closed("b")]));
        Assert.That(node.Try(new AddGroupDatabases("g", ["two"])), Is.EqualTo(35200));
        Assert.That(node.Try(new AddReplicas("g", [Closed("c")])), Is.EqualTo(35233));
        Assert.That(node.View("availability_groups").Single()["basic_features"], Is.True);
    }

    [Test]
    public void A_renamed_instance_loses_its_group()
    {
        var ag = new Replicas([Sync, Sync]);
        ag.B.Do(new DropServer("b"));
        ag.B.Do(new AddServer("other", Local: true));
        ag.B.Restart();
        Assert.That(ag.B.Instance.Groups, Is.Empty);
        Assert.That(ag.B.ErrorLog, Has.Some.Contains("error 41041"));
        Assert.That(StateOf(ag.B, "db1"), Is.EqualTo("RESTORING"));
    }

    [Test]
    public void A_name_has_at_most_64_characters([Values(64, 65)] int length) => Assert.That(
        new World().Add("a").Try(new CreateGroup(new string('g', length), External, [], [ThreeReplicas.Spec("a")])), Is.EqualTo(length > 64 ? 19544 : 0));

    [Test]
    public void A_database_joins_only_while_the_primary_is_there()
    {
        var ag = new Replicas([Sync, Sync]);
        ag.B.Do(new SetHadr("db1", HadrAction.Off));
        Assert.That(StateOf(ag.B, "db1"), Is.EqualTo("RESTORING"));
        ag.A.Kill();
        ag.World.Run(15);
        Assert.That(ag.B.Try(new SetHadr("db1", HadrAction.Join, "ag1")), Is.EqualTo(35250));
        ag.A.Start();
        ag.Promote(ag.A);
        ag.World.Until(() => ag.B.Try(new SetRoleSecondary("ag1")) == 0, "b follows");
        ag.World.Run(1);
        ag.B.Do(new SetHadr("db1", HadrAction.Join, "ag1"));
        ag.World.Until(() => Replicas.IsSettled(ag.A, ag.B), "joined again, without seeding");
        Assert.That(ag.B.View("dm_hadr_automatic_seeding").Where(row => row["current_state"] is "SEEDING"), Is.Empty);
    }

    private static GroupOptions External { get; } = new() { ClusterType = ClusterType.External };

    private static void Modify(World.Node primary, string replica, ReplicaOptions options) =>
        primary.Do(new ModifyReplica("ag1", new ReplicaSpec(replica, options)));

    private static long Sequence(World.Node node) => (long)node.View("availability_groups").Single()["sequence_number"]!;

    private static string? StateOf(World.Node node, string database) =>
        (string?)node.View("databases").Single(row => (string)row["name"]! == database)["state_desc"];
}
