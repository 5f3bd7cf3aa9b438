using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>
/// The documented table of outages: which group can still be written. "Alone" means that the remaining primary reads and does not
/// write; a write then waits and is done once a replica is back, which shows that nothing else held it up.
/// </summary>
public sealed class CommitOutageTests
{
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private const AvailabilityMode Async = AvailabilityMode.AsynchronousCommit;
    private const AvailabilityMode Only = AvailabilityMode.ConfigurationOnly;

    private static readonly AvailabilityMode[] ThreeSync = [Sync, Sync, Sync];
    private static readonly AvailabilityMode[] TwoAndWitness = [Sync, Sync, Only];

    public enum After
    {
        /// <summary>There is a primary that takes writes.</summary>
        Writes,

        /// <summary>There is a primary; reads work, writes wait.</summary>
        Reads,

        /// <summary>There is no primary, and FAILOVER brings none.</summary>
        None,
    }

    private static IEnumerable<TestCaseData> Outages()
    {
        TestCaseData Case(AvailabilityMode[] modes, int required, string lost, After after) =>
            new TestCaseData(modes, required, lost, after).SetArgDisplayNames(string.Join("+", modes), $"required {required}", $"without {lost}", after.ToString());

        foreach (var (required, after) in new[] { (0, After.Writes), (1, After.Writes), (2, After.Reads) })
        {
            yield return Case(ThreeSync, required, "a", after);
            yield return Case(ThreeSync, required, "c", after);
        }

        for (var required = 0; required <= 2; required++)
        {
            yield return Case(ThreeSync, required, "bc", After.Reads);
        }

        for (var required = 0; required <= 2; required++)
        {
            // The documents say that failover is automatic; it is not, since one of three cannot know what the others decided.
            yield return Case(ThreeSync, required, "ac", After.None);
        }

        yield return Case(TwoAndWitness, 0, "a", After.Writes);
        yield return Case(TwoAndWitness, 0, "b", After.Writes);
        yield return Case(TwoAndWitness, 0, "bc", After.Reads);
        yield return Case(TwoAndWitness, 0, "c", After.Writes);
        yield return Case(TwoAndWitness, 0, "ac", After.None);
        yield return Case(TwoAndWitness, 1, "a", After.Reads);
        yield return Case(TwoAndWitness, 1, "b", After.Reads);
        yield return Case(TwoAndWitness, 1, "bc", After.Reads);
        yield return Case(TwoAndWitness, 1, "c", After.Writes);
        yield return Case(TwoAndWitness, 1, "ac", After.None);

        // Two of two are needed for every decision.
        yield return Case([Sync, Sync], 0, "b", After.Reads);
        yield return Case([Sync, Sync], 0, "a", After.None);
        yield return Case([Sync, Sync], 1, "b", After.Reads);

        // Asynchronous replicas are neither asked nor waited for.
        yield return Case([Sync, Sync, Async], 0, "c", After.Writes);
        yield return Case([Sync, Sync, Async], 0, "b", After.Reads);
        yield return Case([Sync, Async, Async], 0, "bc", After.Writes);
        yield return Case([Sync, Sync, Sync, Async, Async], 1, "cde", After.Writes);
        yield return Case([Sync, Sync, Sync, Sync, Sync], 2, "de", After.Writes);
        yield return Case([Sync, Sync, Sync, Sync, Sync], 2, "ade", After.None);
        yield return Case([Sync, Sync, Sync, Sync, Sync], 2, "cde", After.Reads);
        yield return Case([Sync, Sync, Sync, Sync, Sync], 3, "de", After.Reads);
    }

    [TestCaseSource(nameof(Outages))]
    public void Outage(AvailabilityMode[] modes, int required, string lost, After after)
    {
        var ag = new Replicas(
            modes, required, options: options => options with { Facts = new UncertainFacts { RequiredBesideConfigurationOnly = true } });
        ag.A.Do(ThreeReplicas.Row(1));
        var gone = ag.Nodes.Where(node => lost.Contains(node.Name[0], StringComparison.Ordinal)).ToList();
        foreach (var node in gone)
        {
            node.Kill();
        }

        ag.World.Run(15);
        var primary = ag.A;
        if (!ag.A.IsRunning)
        {
            primary = ag.B;
            primary.FailOver();
            ag.World.Run(5);
            Assert.That(primary.Role, Is.EqualTo(after == After.None ? ReplicaRole.Resolving : ReplicaRole.Primary));
            if (after == After.None)
            {
                return;
            }

            foreach (var node in ag.Nodes.Skip(2).Where(node => node.IsRunning))
            {
                ag.World.Until(() => node.Try(new SetRoleSecondary("ag1")) == 0, $"{node.Name} follows");
            }
        }

        var write = primary.Begin(ThreeReplicas.Row(2));
        ag.World.Run(60);
        Assert.That(primary.Role, Is.EqualTo(ReplicaRole.Primary));
        Assert.That(primary.Values(), Does.Contain(1), "reads");
        Assert.That(write.IsCompleted, Is.EqualTo(after == After.Writes));
        foreach (var node in gone)
        {
            node.Start();
        }

        foreach (var node in gone)
        {
            ag.Follow(primary, node);
        }

        ag.World.Until(() => write.IsCompleted, "write once all are back");
        Assert.That(write.Error, Is.Null);
    }

    [TestCase(0, true)]
    [TestCase(1, true)]
    [TestCase(2, false)]
    public void A_stuck_change_of_configuration_shows_since_when(int dead, bool commits)
    {
        var ag = new Replicas(ThreeSync);
        foreach (var node in ag.Nodes.Skip(1).Take(dead))
        {
            node.Kill();
        }

        var begun = ag.A.UtcNow;
        ag.World.Run(60);
        var since = (DateTime?)ag.A.View("dm_hadr_availability_replica_states").Single(row => row["is_local"] is true)["current_configuration_commit_start_time_utc"];
        if (commits)
        {
            Assert.That(since, Is.Null);
        }
        else
        {
            Assert.That(since, Is.InRange(begun, begun.AddSeconds(15)));
            var option = ag.A.Begin(new SetGroupOptions("ag1", new GroupOptions { DbFailover = true }));
            ag.World.Run(30);
            Assert.That(option.IsCompleted, Is.False, "nor does a change that somebody asks for");
        }
    }

    [Test]
    public void The_session_timeout_of_a_replica_decides_when_it_is_no_longer_waited_for([Values(5, 20)] int seconds)
    {
        var ag = new Replicas(ThreeSync);
        ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec("c", new ReplicaOptions { SessionTimeout = seconds })));
        ag.World.Run(2);
        ag.World.Isolate("c");
        var write = ag.A.Begin(ThreeReplicas.Row(1));
        ag.World.Run(seconds - 2);
        Assert.That(write.IsCompleted, Is.False);
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.C), Is.EqualTo("SYNCHRONIZED"));
        ag.World.Run(5);
        Assert.That(write.IsCompleted, Is.True);
        Assert.That(Replicas.SynchronizationOf(ag.A, ag.C), Is.EqualTo("NOT SYNCHRONIZING"));
    }
}
