using SqlServerSimulator;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Both readings of what is not certain about the real engine.</summary>
public sealed class UncertainFactTests
{
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private static readonly AvailabilityMode[] Three = [Sync, Sync, Sync];

    [Test]
    public void A_restarted_primary_is_RESOLVING_or_PRIMARY([Values] bool asPrimary)
    {
        var ag = With(new UncertainFacts { RestartsAsPrimary = asPrimary });
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Restart();
        Assert.That(ag.A.Role, Is.EqualTo(asPrimary ? ReplicaRole.Primary : ReplicaRole.Resolving));
        ag.B.Restart();
        Assert.That(ag.B.Role, Is.EqualTo(ReplicaRole.Resolving), "a secondary never comes back by itself");
    }

    [Test]
    public void A_primary_that_returns_as_such_acknowledges_nothing_before_a_majority_has_its_configuration()
    {
        var ag = With(new UncertainFacts { RestartsAsPrimary = true });
        ag.World.Isolate("a");
        ag.A.Restart();
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(60);
        Assert.That(write.IsCompleted, Is.False);
        ag.World.Heal();
        ag.World.Until(() => write.IsCompleted, "write");
        Assert.That(write.Error, Is.Null);
    }

    [Test]
    public void A_replaced_primary_returns_as_PRIMARY_until_it_meets_the_new_one()
    {
        var ag = With(new UncertainFacts { RestartsAsPrimary = true });
        ag.A.Kill();
        ag.World.Run(1);
        ag.Promote(ag.B);
        ag.World.Isolate("a");
        ag.A.Start();
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Primary), "it cannot know");
        ag.World.Heal();
        ag.World.Until(() => ag.A.Role == ReplicaRole.Resolving, "a learns of b");
        ag.A.Restart();
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving), "now it knows");
    }

    [TestCase(47104)]
    [TestCase(41105)]
    public void Failover_without_the_session_key(int number)
    {
        var ag = With(new UncertainFacts { MissingContextError = number });
        Assert.That(ag.B.Try(new FailOver("ag1", false)), Is.EqualTo(number));
        Assert.That(ag.B.Try(new FailOver("ag1", true)), Is.EqualTo(number));
        ag.B.FailOver();
    }

    [Test]
    public void The_refusal_of_an_early_old_primary_stays_until_its_endpoint_restarts([Values] bool latches)
    {
        var ag = EarlyReturn(latches);
        Assert.That(ag.A.Try(new SetRoleSecondary("ag1")), Is.EqualTo(latches ? 41104 : 0));
        ag.World.Run(60);
        Assert.That(ag.A.Try(new SetRoleSecondary("ag1")), Is.EqualTo(latches ? 41104 : 0), "trying again does not help");
        ag.A.Do(new AlterEndpoint("dbm") { Started = false });
        ag.A.Do(new AlterEndpoint("dbm") { Started = true });
        ag.Follow(ag.B, ag.A);
    }

    [Test]
    public void The_refusal_of_an_early_old_primary_ends_with_a_restart_of_the_new_ones_endpoint_later_on()
    {
        var ag = EarlyReturn(latches: true);
        RestartEndpoint(ag.B);
        ag.World.Run(5);
        Assert.That(ag.A.Try(new SetRoleSecondary("ag1")), Is.EqualTo(41104), "too soon");
        ag.World.Run(30);
        RestartEndpoint(ag.B);
        ag.Follow(ag.B, ag.A);
    }

    [Test]
    public void The_refusal_of_an_early_old_primary_ends_with_drop_and_join_or_after_a_quarter_of_an_hour([Values] bool drop)
    {
        var ag = EarlyReturn(latches: true);
        if (drop)
        {
            ag.A.Do(new DropGroup("ag1"));
            ag.A.Do(new DropDatabase("db1"));
            ag.JoinOnly(ag.A, Sync);
        }
        else
        {
            ag.World.Run(15 * 60);
        }

        ag.Follow(ag.B, ag.A);
    }

    [Test]
    public void A_replica_that_was_not_primary_may_ask_early_as_often_as_it_likes()
    {
        var ag = With(new UncertainFacts());
        ag.A.Kill();
        ag.C.Do(new TakeOffline("ag1"));
        ag.World.Run(1);
        for (var second = 0; second < 5; second++)
        {
            Assert.That(ag.C.Try(new SetRoleSecondary("ag1")), Is.EqualTo(41104), "nobody is primary");
            ag.World.Run(1);
        }

        ag.Promote(ag.B);
        ag.Follow(ag.B, ag.C);
    }

    [TestCase(1000, 60_000)]
    [TestCase(10_000_000, 600_000_000)]
    public void The_unit_of_the_lease_ticks(int perSecond, long expected)
    {
        var ag = With(new UncertainFacts { LeaseTicksPerSecond = perSecond }, lease: 60);
        ag.A.Do(new SetWriteLease("ag1", 60));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states").Single(row => row["is_local"] is true)["write_lease_remaining_ticks"], Is.EqualTo(expected));
    }

    [TestCase(19407, 19407)]
    [TestCase(41091, 41149)]
    public void The_end_of_a_lease(int message, int waitingCommit)
    {
        var ag = With(new UncertainFacts { LeaseExpiryMessage = message }, lease: 20);
        ag.A.Do(new SetWriteLease("ag1", 20));
        ag.World.Isolate("a");
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(21);
        Assert.That(write.Error?.Number, Is.EqualTo(waitingCommit));
        Assert.That(ag.A.ErrorLog, Has.Some.Contains($"Error: {message},"));
        Assert.That(ag.A.ErrorLog, Has.None.Contains($"Error: {(message == 19407 ? 41091 : 19407)},"));
        Assert.That(ag.A.Role, Is.EqualTo(ReplicaRole.Resolving));
    }

    [Test]
    public void Set_role_on_a_primary([Values] bool demotes)
    {
        var ag = With(new UncertainFacts { SetRoleDemotesPrimary = demotes });
        Assert.That(ag.A.Try(new SetRoleSecondary("ag1")), Is.EqualTo(demotes ? 0 : 41104));
        Assert.That(ag.A.Role, Is.EqualTo(demotes ? ReplicaRole.Resolving : ReplicaRole.Primary));
    }

    [Test]
    public void Offline_on_a_secondary([Values] bool accepted)
    {
        var ag = With(new UncertainFacts { SecondaryGoesOffline = accepted });
        Assert.That(ag.B.Try(new TakeOffline("ag1")), Is.EqualTo(accepted ? 0 : 41140));
        Assert.That(ag.B.Role, Is.EqualTo(accepted ? ReplicaRole.Resolving : ReplicaRole.Secondary));
    }

    [TestCase(true, 0, 19416)]
    [TestCase(true, 1, 19416)]
    [TestCase(false, 0, 0)]
    [TestCase(false, 1, 19416)]
    public void Offline_while_a_secondary_is_disconnected(bool counts, int required, int expected)
    {
        var ag = With(new UncertainFacts { OfflineCountsDisconnected = counts }, required);
        ag.C.Kill();
        ag.World.Run(15);
        Assert.That(ag.A.Try(new TakeOffline("ag1")), Is.EqualTo(expected));
    }

    [Test]
    public void Failover_readiness_without_a_primary([Values] bool stored)
    {
        var ag = With(new UncertainFacts { FailoverReadyWithoutPrimary = stored });
        bool Ready() => (bool)ag.B.View("dm_hadr_database_replica_cluster_states").Single(row => Equals(row["replica_id"], ag.B.Group.File.LocalReplica))["is_failover_ready"]!;
        Assert.That(Ready(), Is.True);
        ag.A.Kill();
        ag.World.Run(15);
        Assert.That(Ready(), Is.EqualTo(stored));
    }

    [Test]
    public void A_required_secondary_beside_a_configuration_only_replica([Values] bool allowed)
    {
        var ag = With(new UncertainFacts { RequiredBesideConfigurationOnly = allowed }, modes: [Sync, Sync, AvailabilityMode.ConfigurationOnly]);
        Assert.That(
            ag.A.Try(new SetGroupOptions("ag1", new GroupOptions { RequiredSynchronizedSecondariesToCommit = 1 })), Is.EqualTo(allowed ? 0 : 47108));
    }

    [Test]
    public void Set_role_during_seeding([Values] bool cancels)
    {
        var ag = With(new UncertainFacts { SetRoleCancelsSeeding = cancels });
        Replicas.CreateDatabase(ag.A, "big");
        ag.A.Do(new CreateTable(new TableName("big", "dbo", "t"), [new ColumnDefinition("id", new SqlServerSimulator.Contract.SqlType(SqlServerSimulator.Contract.SqlKind.Int))], ["id"]));
        for (var id = 0; id < 20; id++)
        {
            ag.A.Do(new InsertRows(new TableName("big", "dbo", "t"), [.. Enumerable.Range(id * 1000, 1000).Select(value => new object?[] { value })]));
        }

        ag.A.Begin(new AddGroupDatabases("ag1", ["big"]));
        ag.World.Until(() => ag.B.Instance.Databases.TryGetValue("big", out var copy) && copy.Entry.Seeding, "seeding");
        ag.B.Do(new SetRoleSecondary("ag1"));
        Assert.That(ag.B.Instance.Databases.ContainsKey("big"), Is.EqualTo(!cancels));
    }

    [Test]
    public void An_unknown_name_at_first_contact([Values] bool isFinal)
    {
        var ag = With(new UncertainFacts { UnresolvedNameIsFinal = isFinal });
        ag.A.Do(new AddReplicas("ag1", [ag.Spec("d", Sync)]));
        ag.World.Run(5);
        var late = ag.World.Add("d", node => node.Options = node.Options with { JoinTimeout = TimeSpan.FromSeconds(10) });
        Assert.That(late.Try(new JoinGroup("ag1", ClusterType.External)), Is.EqualTo(isFinal ? 47106 : 0));
        if (isFinal)
        {
            ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("d", new ReplicaOptions { EndpointUrl = "TCP://D:5022" })));
            Assert.That(late.Try(new JoinGroup("ag1", ClusterType.External)), Is.Zero, "its URL was set again");
        }
    }

    [Test]
    public void Facts_are_given_by_name()
    {
        List<string> mistakes = [];
        var options = SimulatorOptions.Read(
            null, null, "x", ["NotReadyLatches=false", "missingcontexterror=41105"], name => name == "ACCEPT_EULA" ? "Y" : null, mistakes);
        Assert.That(mistakes, Is.Empty);
        Assert.That(options.Facts, Is.EqualTo(new UncertainFacts { NotReadyLatches = false, MissingContextError = 41105 }));
    }

    [TestCase("Nonsense=1", "RestartsAsPrimary")]
    [TestCase("NotReadyLatches=perhaps", "NotReadyLatches")]
    [TestCase("NotReadyLatches", "NotReadyLatches")]
    [TestCase("MissingContextError=1", "MissingContextError")]
    public void A_wrong_fact_is_a_mistake(string fact, string told)
    {
        List<string> mistakes = [];
        SimulatorOptions.Read(null, null, "x", [fact], name => name == "ACCEPT_EULA" ? "Y" : null, mistakes);
        Assert.That(mistakes, Has.Count.EqualTo(1));
        Assert.That(mistakes[0], Does.StartWith("--fact: ").And.Contain(told));
    }

    [Test]
    public void Every_fact_can_be_given() => Assert.That(
        typeof(UncertainFacts).GetProperties().Where(property => property.CanWrite).Select(property => property.Name),
        Is.EquivalentTo(UncertainFacts.Names));

    // a was primary and asked to follow while b's failover was still without a majority.
    private static Replicas EarlyReturn(bool latches)
    {
        var ag = With(new UncertainFacts { NotReadyLatches = latches });
        ag.C.Kill();
        ag.World.Run(15);
        ag.A.Do(ThreeReplicas.Row(1));
        ag.A.Restart();
        ag.World.Run(1);

        // What b sends next reaches a only when the network is back: a has promised, and does not know the outcome.
        ag.B.FailOver();
        ag.World.Until(() => ag.A.Group.File.PromisedTo == ag.B.Group.File.LocalReplica, "a promised");
        ag.World.Cut("b", "a");
        for (var attempt = 0; attempt < 4; attempt++)
        {
            Assert.That(ag.A.Try(new SetRoleSecondary("ag1")), Is.EqualTo(41104), "not ready");
            ag.World.Run(0.5);
        }

        ag.World.Heal();
        ag.World.Until(() => ag.B.Role == ReplicaRole.Primary, "b primary");
        ag.World.Run(3);
        return ag;
    }

    private static void RestartEndpoint(World.Node node)
    {
        node.Do(new AlterEndpoint("dbm") { Started = false });
        node.Do(new AlterEndpoint("dbm") { Started = true });
    }

    private static Replicas With(UncertainFacts facts, int? required = null, long? lease = null, AvailabilityMode[]? modes = null) =>
        new(modes ?? Three, required, lease, options: options => options with { Facts = facts });
}
