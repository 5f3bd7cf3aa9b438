using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>
/// A random story of a group of three to five replicas: kills, cuts, freezes, replicas added, removed and changed, failovers by callers who
/// keep the rules, and failovers forced by a person. Everything follows from the seed. Checks as it goes.
/// </summary>
internal sealed class Upheaval
{
    private const int Lease = 5;
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private const AvailabilityMode Async = AvailabilityMode.AsynchronousCommit;
    private const AvailabilityMode Only = AvailabilityMode.ConfigurationOnly;

    private static readonly AvailabilityMode[][] Shapes =
    [
        [Sync, Sync, Sync], [Sync, Sync, Only], [Sync, Sync, Sync, Async], [Sync, Sync, Async, Only], [Sync, Sync, Sync, Sync, Sync], [Sync, Sync, Sync, Async, Async],
    ];

    private readonly int _seed;
    private readonly Random _random;
    private readonly Replicas _ag;
    private readonly Dictionary<string, AvailabilityMode> _modes = [];
    private readonly Dictionary<string, Operation> _joins = [];
    private readonly Dictionary<string, TimeSpan> _refusedSince = [];
    private readonly Dictionary<Guid, (long Sequence, long Promised)> _highest = [];
    private readonly List<(int Id, Operation Operation)> _writes = [];
    private readonly HashSet<int> _forgiven = [];
    private World.Node _leader;
    private TimeSpan _leaseUntil;
    private long _forcedSequence;
    private int _next;

    public Upheaval(int seed, World? world = null)
    {
        _seed = seed;
        _random = new Random(seed);
        var shape = Shapes[seed % Shapes.Length];
        _ag = new Replicas(
            shape,
            shape.Count(mode => mode == Sync) > 2 ? 1 : null,
            Lease,
            options: options => options with { JoinTimeout = TimeSpan.FromSeconds(3) },
            world: world);
        _leader = _ag.A;
        _leaseUntil = World.Now + TimeSpan.FromSeconds(Lease);
        foreach (var (node, mode) in _ag.Nodes.Zip(shape))
        {
            _modes[node.Name] = mode;
        }
    }

    public World World => _ag.World;

    /// <summary>Whether to skip the rule that a candidate is the highest of a majority, to show that it is needed.</summary>
    public bool IsCareless { get; init; }

    public int Forced { get; private set; }

    public int Failovers { get; private set; }

    public int Changes { get; private set; }

    private string Story => $"seed {_seed}, {World.Now}";

    public void Run(int turns)
    {
        for (var turn = 0; turn < turns; turn++)
        {
            Turn();
            World.Run(_random.NextDouble() * (_random.Next(20) == 0 ? 12 : 0.7));
            Check();
        }
    }

    /// <summary>Everything works again: the group must find together, with all that was acknowledged.</summary>
    public void Settle()
    {
        World.Heal();
        foreach (var node in _ag.Nodes)
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

        var acknowledged = _writes.Where(write => write.Operation is { IsCompleted: true, Error: null }).Select(write => write.Id).Except(_forgiven).ToList();
        for (var turn = 0; turn < 240 && !IsSettled(); turn++)
        {
            if (_leader.Instance.FindGroup("ag1")?.Role == ReplicaRole.Primary)
            {
                Extend(_leader);
            }
            else
            {
                Promote();
            }

            Manage();
            World.Run(1);
            Check();
        }

        Assert.That(IsSettled(), Is.True, $"{Story} ends with all replicas settled");
        Assert.That(_leader.Values().Cast<int>(), Is.SupersetOf(acknowledged), $"{Story} keeps what was acknowledged");
        foreach (var node in Members().Where(node => _leader.Group.Configuration.Replica(node.Name)!.Mode != Only))
        {
            World.Until(() => node.Values().SequenceEqual(_leader.Values()), $"{Story}: {node.Name} equals {_leader.Name}");
        }
    }

    private bool IsSettled() => _leader.Instance.FindGroup("ag1")?.Role == ReplicaRole.Primary && Members().All(node => Replicas.IsSettled(_leader, node));

    private List<World.Node> Members() => [.. _ag.Nodes.Where(node => node != _leader && _leader.Group.Configuration.Replica(node.Name) is not null)];

    private void Turn()
    {
        var node = _ag.Nodes[_random.Next(_ag.Nodes.Count)];
        switch (_random.Next(36))
        {
            case 0 when node.IsRunning:
                node.Kill();
                break;
            case 1 or 2 or 3 when _ag.Nodes.Find(other => !other.IsRunning) is { } dead:
                dead.Start();
                break;
            case 4:
                World.Isolate(node.Name);
                break;
            case 5 or 6:
                World.Heal();
                break;
            case 7 when IsAwake(node):
                node.Freeze();
                break;
            case 8 or 9 when _ag.Nodes.Find(other => other is { IsRunning: true, IsFrozen: true }) is { } frozen:
                frozen.Thaw();
                break;
            case 10 or 11 or 12 or 13:
                Promote();
                break;
            case 14 when _random.Next(2) == 0:
                Force(node);
                break;
            case 15:
                Change(node);
                break;
            case < 23:
                Write(node);
                break;
            default:
                if (IsAwake(_leader) && _leader.Instance.FindGroup("ag1")?.Role == ReplicaRole.Primary && _random.Next(4) > 0)
                {
                    Extend(_leader);
                }

                Manage();
                break;
        }
    }

    private void Write(World.Node node)
    {
        if (IsAwake(node))
        {
            var id = ++_next;
            _writes.Add((id, node.Begin(ThreeReplicas.Row(id))));
        }
    }

    private void Extend(World.Node node)
    {
        node.Begin(new SetWriteLease("ag1", Lease));
        _leaseUntil = World.Now + TimeSpan.FromSeconds(Lease);
    }

    private void Change(World.Node node)
    {
        if (!IsAwake(_leader) || _leader.Instance.FindGroup("ag1") is not { Role: ReplicaRole.Primary } group || node == _leader || _modes[node.Name] == Only)
        {
            return;
        }

        Changes++;
        var replica = group.File.Accepted.Replica(node.Name);
        if (replica is null)
        {
            _leader.Begin(new AddReplicas("ag1", [_ag.Spec(node.Name, _modes[node.Name])]));
        }
        else if (_random.Next(2) == 0 && group.File.Accepted.Replicas.Count > 3)
        {
            _leader.Begin(new RemoveReplicas("ag1", [node.Name]));
        }
        else
        {
            var mode = replica.Mode == Sync ? Async : Sync;
            _leader.Begin(new ModifyReplica("ag1", new ReplicaSpec(node.Name, new ReplicaOptions { AvailabilityMode = mode })));
        }
    }

    // What callers may do (rules S1 to S6): the old lease is over, and the candidate is the highest of a majority of its own voters.
    private void Promote()
    {
        if (_leaseUntil >= World.Now)
        {
            return;
        }

        foreach (var candidate in _ag.Nodes.Where(IsAwake).OrderBy(_ => _random.Next()).ToList())
        {
            if (candidate.Instance.FindGroup("ag1") is not { } group || group.File.Accepted is not { } own || own.Replica(group.File.LocalReplica)?.Mode != Sync)
            {
                continue;
            }

            var voters = own.Replicas.Where(replica => replica.IsVoter).ToList();
            var answers = _ag.Nodes
                .Where(node => IsAwake(node) && !World.IsCut(candidate.Name, node.Name)
                    && node.Instance.FindGroup("ag1") is { } other && voters.Exists(voter => voter.Id == other.File.LocalReplica))
                .Select(node => node.Group.File.Accepted.Sequence)
                .ToList();
            if (!IsCareless && (answers.Count * 2 <= voters.Count || own.Sequence < answers.Max() || own.Sequence < _forcedSequence))
            {
                continue;
            }

            _leader = candidate;
            Extend(candidate);
            if (group.Role != ReplicaRole.Primary)
            {
                Failovers++;
                candidate.Begin(new SetSessionContext("external_cluster", "yes"));
                candidate.Begin(new FailOver("ag1", false));
            }

            return;
        }
    }

    // A person decides to lose what this replica does not have, once the old lease is over. Nobody promotes behind that person's back.
    private void Force(World.Node node)
    {
        if (_leaseUntil >= World.Now || !IsAwake(node) || node.Instance.FindGroup("ag1") is not { } group || group.Role == ReplicaRole.Primary
            || group.Local.Mode != Sync || group.File.Accepted.Sequence < _forcedSequence)
        {
            return;
        }

        node.Begin(new SetWriteLease("ag1", Lease));
        node.Begin(new SetSessionContext("external_cluster", "yes"));
        node.Begin(new FailOver("ag1", true));
        if (group.Role != ReplicaRole.Primary)
        {
            return;
        }

        Forced++;
        _leader = node;
        _leaseUntil = World.Now + TimeSpan.FromSeconds(Lease);
        _forcedSequence = group.File.Accepted.Sequence;
        var kept = node.Values().Cast<int>().ToHashSet();
        _forgiven.UnionWith(_writes.Where(write => write.Operation.IsCompleted && !kept.Contains(write.Id)).Select(write => write.Id));
    }

    private void Manage()
    {
        foreach (var node in _ag.Nodes.Where(node => IsAwake(node) && node != _leader))
        {
            Manage(node);
        }
    }

    private void Manage(World.Node node)
    {
        var group = node.Instance.FindGroup("ag1");
        if (group?.Role == ReplicaRole.Primary)
        {
            node.Begin(new TakeOffline("ag1"));
            return;
        }

        if (!IsAwake(_leader) || World.IsCut(node.Name, _leader.Name) || _leader.Instance.FindGroup("ag1") is not { Role: ReplicaRole.Primary } leading)
        {
            return;
        }

        var replica = leading.Configuration.Replica(node.Name);
        if (group is not null && replica?.Id != group.File.LocalReplica)
        {
            node.Begin(new DropGroup("ag1"));
            group = null;
        }

        if (group is null)
        {
            if (node.Instance.Databases.ContainsKey("db1"))
            {
                node.Begin(new DropDatabase("db1"));
            }

            if (replica is not null && _joins.GetValueOrDefault(node.Name) is not { IsCompleted: false })
            {
                _joins[node.Name] = node.Begin(new JoinGroup("ag1", ClusterType.External));
            }

            return;
        }

        if (!group.File.MayCreateDatabases && replica!.Mode != Only)
        {
            node.Begin(new GrantCreateAnyDatabase("ag1"));
        }

        if (group.Role == ReplicaRole.Secondary && group.IsFollowing)
        {
            _refusedSince.Remove(node.Name);
            if (group.Databases.Any(database => database.Entry is { Suspended: true, Seeding: false }))
            {
                node.Begin(new SetHadr("db1", HadrAction.Resume));
            }

            return;
        }

        if (node.Begin(new SetRoleSecondary("ag1")).Error is null)
        {
            _refusedSince.Remove(node.Name);
        }
        else if (!_refusedSince.TryAdd(node.Name, World.Now) && World.Now - _refusedSince[node.Name] > TimeSpan.FromSeconds(15))
        {
            _refusedSince.Remove(node.Name);
            node.Begin(new AlterEndpoint("dbm") { Started = false });
            node.Begin(new AlterEndpoint("dbm") { Started = true });
        }
    }

    private void Check()
    {
        Assert.That(
            _ag.Nodes.Where(node => node.IsRunning && node.Instance.FindGroup("ag1") is { Role: ReplicaRole.Primary, IsLeaseValid: true }).Select(node => node.Name).ToList(),
            Has.Count.LessThanOrEqualTo(1),
            $"{Story}: one writer");
        foreach (var node in _ag.Nodes.Where(node => node.IsRunning))
        {
            if (node.Instance.FindGroup("ag1") is { File: var file })
            {
                var (sequence, promised) = _highest.GetValueOrDefault(file.LocalReplica);
                Assert.That(file.Accepted.Sequence, Is.GreaterThanOrEqualTo(sequence), $"{Story}: sequence number of {node.Name}");
                Assert.That(file.Promised, Is.GreaterThanOrEqualTo(promised), $"{Story}: promise of {node.Name}");
                _highest[file.LocalReplica] = (file.Accepted.Sequence, file.Promised);
            }
        }
    }

    private static bool IsAwake(World.Node node) => node is { IsRunning: true, IsFrozen: false };
}
