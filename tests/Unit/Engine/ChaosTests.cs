using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>
/// Whatever breaks, a caller that keeps the rules (one leader, extend the leader's lease only, wait out the old lease, promote the highest sequence
/// number of a majority) loses nothing that was acknowledged and never has two writable primaries.
/// </summary>
public sealed class ChaosTests
{
    private const int Lease = 5;

    [Test]
    public void Nothing_acknowledged_is_lost([Range(1, 60)] int seed)
    {
        var random = new Random(seed);
        var ag = new ThreeReplicas(required: 1, lease: Lease);
        var world = ag.World;
        var nodes = world.Nodes.Values.ToList();
        var leader = ag.A;
        var leaseUntil = world.Now + TimeSpan.FromSeconds(Lease);
        List<(int Id, Operation Operation)> writes = [];
        var next = 0;

        void ExtendLease()
        {
            if (leader.IsRunning && !leader.IsFrozen && leader.Role == ReplicaRole.Primary && random.Next(4) > 0)
            {
                leader.Begin(new SetWriteLease("ag1", Lease));
                leaseUntil = world.Now + TimeSpan.FromSeconds(Lease);
            }
        }

        void Promote()
        {
            var reachable = nodes.Where(node => node is { IsRunning: true, IsFrozen: false }).ToList();
            if (leaseUntil >= world.Now || reachable.Count < 2)
            {
                return;
            }

            // Reads a majority, perhaps not all.
            reachable = [.. reachable.OrderBy(_ => random.Next()).Take(random.Next(2, reachable.Count + 1))];
            var highest = reachable.Max(node => node.Group.File.Accepted.Sequence);
            var candidate = reachable.First(node => node.Group.File.Accepted.Sequence == highest);
            leader = candidate;
            if (candidate.Role == ReplicaRole.Primary)
            {
                candidate.Begin(new SetWriteLease("ag1", Lease));
            }
            else
            {
                candidate.Begin(new SetWriteLease("ag1", Lease));
                candidate.Begin(new SetSessionContext("external_cluster", "yes"));
                candidate.Begin(new FailOver("ag1", false));
            }

            leaseUntil = world.Now + TimeSpan.FromSeconds(Lease);
        }

        void Manage()
        {
            foreach (var node in nodes.Where(node => node is { IsRunning: true, IsFrozen: false } && node != leader))
            {
                if (node.Role == ReplicaRole.Primary)
                {
                    node.Begin(new TakeOffline("ag1"));
                }
                else if (node.Role == ReplicaRole.Resolving || !node.Group.IsFollowing)
                {
                    node.Begin(new SetRoleSecondary("ag1"));
                }
            }
        }

        void Write()
        {
            if (nodes[random.Next(3)] is { IsRunning: true, IsFrozen: false } node)
            {
                var id = ++next;
                writes.Add((id, node.Begin(ThreeReplicas.Row(id))));
            }
        }

        void CheckOneWriter() => Assert.That(
            nodes.Count(node => node is { IsRunning: true } && node.Role == ReplicaRole.Primary && node.Group.IsLeaseValid),
            Is.LessThanOrEqualTo(1),
            $"seed {seed}, {world.Now}");

        for (var turn = 0; turn < 250; turn++)
        {
            var node = nodes[random.Next(3)];
            switch (random.Next(30))
            {
                case 0 when node.IsRunning:
                    node.Kill();
                    break;
                case 1 or 2 or 3 when !node.IsRunning:
                    node.Start();
                    break;
                case 4:
                    world.Isolate(node.Name);
                    break;
                case 5 or 6:
                    world.Heal();
                    break;
                case 7 when node is { IsRunning: true, IsFrozen: false }:
                    node.Freeze();
                    break;
                case 8 or 9 when node is { IsRunning: true, IsFrozen: true }:
                    node.Thaw();
                    break;
                case 10 or 11:
                    Promote();
                    break;
                case < 20:
                    Write();
                    break;
                default:
                    ExtendLease();
                    Manage();
                    break;
            }

            world.Run(random.NextDouble() * (random.Next(10) == 0 ? 12 : 0.7));
            CheckOneWriter();
        }

        world.Heal();
        foreach (var node in nodes)
        {
            if (!node.IsRunning)
            {
                node.Start();
            }

            if (node.IsFrozen)
            {
                node.Thaw();
            }
        }

        var acknowledged = writes.Where(write => write.Operation is { IsCompleted: true, Error: null }).Select(write => write.Id).ToList();
        for (var turn = 0; turn < 60 && !(leader.Role == ReplicaRole.Primary && ThreeReplicas.Synchronized(leader, [.. nodes])); turn++)
        {
            if (leader.Role != ReplicaRole.Primary)
            {
                Promote();
            }
            else
            {
                leader.Begin(new SetWriteLease("ag1", Lease));
                leaseUntil = world.Now + TimeSpan.FromSeconds(Lease);
            }

            Manage();
            world.Run(1);
            CheckOneWriter();
        }

        Assert.That(leader.Role, Is.EqualTo(ReplicaRole.Primary), $"seed {seed} ends with a primary");
        Assert.That(ThreeReplicas.Synchronized(leader, [.. nodes]), Is.True, $"seed {seed} ends synchronized");
        Assert.That(leader.Values().Cast<int>(), Is.SupersetOf(acknowledged), $"seed {seed} keeps what was acknowledged");
        foreach (var node in nodes)
        {
            Assert.That(node.Values(), Is.EqualTo(leader.Values()), $"seed {seed}: {node.Name} equals {leader.Name}");
        }
    }
}
