using SqlServerSimulator.Engine;

namespace Unit.Engine;

public sealed class GroupTests
{
    [Test]
    public void Commits_reach_all_synchronized_replicas_before_they_are_acknowledged()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 1 }));
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 1 }));
        Assert.That(ag.C.Values(), Is.EqualTo(new object[] { 1 }));
    }

    [Test]
    public void A_synchronized_secondary_takes_over_when_the_primary_is_killed_and_nothing_acknowledged_is_lost()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Kill();
        ag.World.Run(1);
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 1 }));

        var write = ag.B.Begin(ThreeReplicas.Row(2));
        ag.World.Run(5);
        Assert.That(write.IsCompleted, Is.False, "one synchronized secondary is required and c has not been told to follow");
        ag.Rejoin(ag.B, ag.C);
        ag.World.Until(() => write.IsCompleted, "write");
        Assert.That(write.Error, Is.Null);

        ag.A.Start();
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
        ag.World.Run(5);
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving), "nobody follows without being told");
        ag.Rejoin(ag.B, ag.A);
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void What_was_never_acknowledged_is_undone_when_the_old_primary_returns()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.World.Isolate("a");
        var lost = ag.A.Begin(ThreeReplicas.Row(2));
        ag.World.Run(1);
        Assert.That(lost.IsCompleted, Is.False);
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
        ag.World.Heal();
        ag.Rejoin(ag.B, ag.C);
        ag.B.Do(ThreeReplicas.Row(3));
        ag.World.Until(() => ag.A.Role == ReplicaRole.Resolving, "a learns that it was replaced");
        Assert.That(lost.Error, Is.Not.Null);
        ag.Rejoin(ag.B, ag.A);
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 1, 3 }));
        Assert.That(ag.A.Instance.Databases["db1"].End, Is.EqualTo(ag.B.Instance.Databases["db1"].End));
    }

    [Test]
    public void A_primary_alone_cannot_drop_its_secondaries_from_the_wait()
    {
        var ag = new ThreeReplicas(required: 0);
        ag.World.Isolate("a");
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(120);
        Assert.That(write.IsCompleted, Is.False);
        Assert.That(ag.A.View("dm_hadr_availability_replica_states").Single(row => (bool)row["is_local"]!)["current_configuration_commit_start_time_utc"], Is.Not.Null);
        ag.World.Heal();
        ag.World.Until(() => write.IsCompleted, "write after the network is back");
        Assert.That(write.Error, Is.Null);
        ag.World.Until(
            () => ag.A.View("dm_hadr_availability_replica_states").Single(row => (bool)row["is_local"]!)["current_configuration_commit_start_time_utc"] is null,
            "configuration committed");
    }

    [Test]
    public void A_replica_trusts_its_own_memory_so_callers_must_compare_sequence_numbers()
    {
        var ag = new ThreeReplicas(required: 0);
        ag.World.Isolate("c");
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(5);
        Assert.That(write.IsCompleted, Is.False, "c counts as synchronized until its session times out");
        ag.World.Until(() => write.IsCompleted, "write without c");
        Assert.That(write.Error, Is.Null);
        ag.A.Kill();
        ag.World.Heal();
        long Sequence(World.Node node) => (long)node.View("availability_groups").Single()["sequence_number"]!;
        Assert.That(Sequence(ag.C), Is.LessThan(Sequence(ag.B)));
        Assert.That(ag.C.TryFailOver(), Is.Zero, "nothing told c that it was left behind");
    }

    [Test]
    public void A_replica_marked_unsynchronized_answers_41142()
    {
        var ag = new ThreeReplicas(required: 0);
        ag.C.Do(new TakeOffline("ag1"));
        ag.World.Until(() => !ThreeReplicas.Synchronized(ag.A, ag.C), "c out");
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
        ag.A.Kill();
        ag.World.Run(1);
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
    }

    [Test]
    public void Failover_without_a_majority_stays_pending_until_one_answers()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Kill();
        ag.World.Isolate("b");
        ag.World.Run(1);
        ag.B.FailOver();
        ag.World.Run(30);
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Resolving));
        Assert.That(ag.B.View("dm_hadr_availability_replica_states").Single()["operational_state_desc"], Is.EqualTo("PENDING_FAILOVER"));
        ag.World.Heal();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
    }

    [Test]
    public void The_latest_of_two_candidates_wins_and_there_is_one_primary()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Kill();
        ag.World.Run(1);
        ag.B.FailOver();
        ag.C.FailOver();
        ag.World.Run(10);
        Assert.That(new[] { ag.B.Role, ag.C.Role }.Count(role => role == ReplicaRole.Primary), Is.LessThanOrEqualTo(1));
    }

    [Test]
    public void An_expired_lease_makes_the_primary_resolving_and_its_writes_fail()
    {
        var ag = new ThreeReplicas(required: 1, lease: 60);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Do(new SetWriteLease("ag1", 60));
        var session = ag.A.LogIn("db1");
        ag.World.Run(59);
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Primary));
        ag.World.Run(2);
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
        Assert.That(ag.A.Ended, Does.Contain(session));
        Assert.That(ag.A.Try(ThreeReplicas.Row(2)), Is.EqualTo(983));
    }

    [Test]
    public void A_frozen_primary_acknowledges_nothing_after_its_lease()
    {
        var ag = new ThreeReplicas(required: 1, lease: 30);
        ag.A.Do(new SetWriteLease("ag1", 30));
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.A.Freeze();
        ag.World.Run(40);
        ag.A.Thaw();
        Assert.That(write.IsCompleted, Is.True);
        Assert.That(write.Error, Is.Not.Null, "the secondaries hardened it long ago, but the lease has ended");
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
    }

    [Test]
    public void A_candidate_without_a_lease_becomes_primary_and_steps_down_at_once()
    {
        var ag = new ThreeReplicas(required: 1, lease: 30);
        ag.A.Kill();
        ag.World.Run(1);
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Group.File.Accepted.Primary == ag.B.Group.File.LocalReplica && !ag.B.Group.IsFailoverPending, "b was primary");
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Resolving));
        ag.B.Do(new SetWriteLease("ag1", 30));
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
    }

    [Test]
    public void An_old_primary_that_meets_a_newer_epoch_is_fenced()
    {
        var ag = new ThreeReplicas(required: 0);
        ag.World.Isolate("a");
        ag.World.Run(1);
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Primary), "it cannot know yet");
        var write = ag.A.Begin(ThreeReplicas.Row(9));
        ag.World.Run(60);
        Assert.That(write.IsCompleted, Is.False);
        ag.World.Heal();
        ag.World.Until(() => ag.A.Role == ReplicaRole.Resolving, "a fenced");
        Assert.That(write.Error, Is.Not.Null);
    }

    [Test]
    public void Planned_failover_offline_failover_rejoin()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        var before = ag.B.Group.File.Accepted.Sequence;
        ag.A.Do(new TakeOffline("ag1"));
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
        Assert.That(ag.B.Group.File.Accepted.Sequence, Is.GreaterThan(before));
        ag.Rejoin(ag.B, ag.A);
        ag.Rejoin(ag.B, ag.C);
        ag.B.Do(ThreeReplicas.Row(2));
        Assert.That(ag.A.Values(), Is.EqualTo(new object[] { 1, 2 }));
        Assert.That(ag.C.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void Offline_is_refused_while_a_synchronous_secondary_is_missing()
    {
        var ag = new ThreeReplicas();
        ag.C.Kill();
        ag.World.Run(2);
        Assert.That(ag.A.Try(new TakeOffline("ag1")), Is.EqualTo(19416));
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Primary));
    }

    [Test]
    public void A_forced_failover_suspends_the_others_until_they_are_resumed()
    {
        var ag = new ThreeReplicas(required: 0);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Kill();
        ag.B.Kill();
        ag.World.Run(1);
        ag.C.FailOver(force: true);
        Assert.That(ag.C.Role, Is.EqualTo(ReplicaRole.Primary));
        ag.C.Do(ThreeReplicas.Row(2));
        ag.B.Start();
        ag.World.Until(() => ag.B.Try(new SetRoleSecondary("ag1")) == 0, "b follows");
        ag.World.Run(2);
        var row = ag.B.View("dm_hadr_database_replica_states").Single();
        Assert.That(row["is_suspended"], Is.True);
        Assert.That(row["synchronization_state_desc"], Is.EqualTo("NOT SYNCHRONIZING"));
        ag.B.Do(new SetHadr("db1", HadrAction.Resume));
        ag.World.Until(() => ThreeReplicas.Synchronized(ag.C, ag.B), "b synchronized");
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void A_configuration_only_replica_votes_but_never_leads()
    {
        var ag = new ThreeReplicas(thirdMode: AvailabilityMode.ConfigurationOnly);
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(47109));
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Kill();
        ag.World.Run(1);
        ag.B.FailOver();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary with c's vote");
        Assert.That(ag.C.Instance.Databases, Is.Empty);
        ag.B.Do(ThreeReplicas.Row(2));
    }

    [Test]
    public void An_asynchronous_replica_follows_and_is_never_waited_for()
    {
        var ag = new ThreeReplicas(thirdMode: AvailabilityMode.AsynchronousCommit);
        ag.World.Isolate("c");
        ag.A.Do(ThreeReplicas.Row(1));
        Assert.That(ag.C.Values(), Is.Empty);
        ag.World.Heal();
        ag.World.Until(() => ag.C.Values().Count == 1, "c catches up");
        Assert.That(ag.C.TryFailOver(), Is.EqualTo(41142));
    }

    [Test]
    public void All_replicas_restart_as_resolving_and_the_best_goes_on()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        foreach (var node in ag.World.Nodes.Values)
        {
            node.Restart();
        }

        Assert.That(ag.World.Nodes.Values.Select(node => node.Role), Is.All.EqualTo(ReplicaRole.Resolving));
        ag.C.FailOver();
        ag.World.Until(() => ag.C.Role == ReplicaRole.Primary, "c primary");
        ag.Rejoin(ag.C, ag.A);
        ag.C.Do(ThreeReplicas.Row(2));
        ag.Rejoin(ag.C, ag.B);
        Assert.That(ag.B.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void A_torn_tail_of_the_log_is_cut_and_fetched_again()
    {
        var ag = new ThreeReplicas(required: 1);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Do(ThreeReplicas.Row(2));
        ag.C.Kill();
        ag.C.TearTail(ag.C.Files.Single(file => file.StartsWith("db-", StringComparison.Ordinal)), 3);
        ag.C.Start();
        ag.Rejoin(ag.A, ag.C);
        Assert.That(ag.C.Values(), Is.EqualTo(new object[] { 1, 2 }));
    }

    [Test]
    public void A_dropped_replica_leaves_and_can_return_only_after_its_copy_is_dropped()
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new RemoveReplicas("ag1", ["c"]));
        ag.World.Until(() => ag.C.Instance.Groups.Count == 0, "c left");
        Assert.That(ag.C.View("databases").Single(row => (string)row["name"]! == "db1")["state_desc"], Is.EqualTo("RESTORING"));
        ag.A.Do(new AddReplicas("ag1", [ThreeReplicas.Spec("c")]));
        ag.C.Do(new JoinGroup("ag1", ClusterType.External));
        ag.C.Do(new GrantCreateAnyDatabase("ag1"));
        ag.World.Until(() => ag.C.Try(new SetRoleSecondary("ag1")) == 0, "c follows");
        ag.World.Until(() => ag.A.View("dm_hadr_automatic_seeding").Any(row => row["failure_state"] is 23), "seeding refused");
        ag.C.Do(new DropDatabase("db1"));
        ag.C.Do(new SetRoleSecondary("ag1"));
        ag.World.Until(() => ThreeReplicas.Synchronized(ag.A, ag.C), "c seeded");
    }
}
