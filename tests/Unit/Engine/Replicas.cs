using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>A group ag1 of replicas a, b, c, ... in the given modes, with database db1 and table t; a is primary.</summary>
internal sealed class Replicas
{
    private readonly ClusterType _type;
    private readonly Action<World.Node>? _configure;

    public Replicas(
        AvailabilityMode[] modes,
        int? required = null,
        long? lease = null,
        ClusterType type = ClusterType.External,
        bool database = true,
        Func<InstanceOptions, InstanceOptions>? options = null,
        World? world = null)
    {
        World = world ?? new World();
        _type = type;
        _configure = node => node.Options = options?.Invoke(node.Options) ?? node.Options;
        var first = World.Add("a", _configure);
        Nodes.Add(first);
        first.Do(new CreateGroup("ag1", new GroupOptions { ClusterType = type, WriteLeaseValidity = lease }, [], [Spec("a", modes[0])]));
        first.Do(new GrantCreateAnyDatabase("ag1"));
        for (var index = 1; index < modes.Length; index++)
        {
            Join(first, Add(((char)('a' + index)).ToString()), modes[index]);
        }

        if (required is { } number)
        {
            first.Do(new SetGroupOptions("ag1", new GroupOptions { RequiredSynchronizedSecondariesToCommit = number }));
        }

        if (!database)
        {
            return;
        }

        CreateDatabase(first, "db1");
        first.Do(new AddGroupDatabases("ag1", ["db1"]));
        first.Do(new CreateTable(
            new TableName("db1", "dbo", "t"), [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.Int))], ["id"]));
        World.Until(() => Nodes.Skip(1).All(node => IsSettled(first, node)), "all replicas settled");
    }

    public World World { get; }

    public List<World.Node> Nodes { get; } = [];

    public World.Node A => Nodes[0];

    public World.Node B => Nodes[1];

    public World.Node C => Nodes[2];

    public static void CreateDatabase(World.Node node, string name)
    {
        node.Do(new CreateDatabase(name));
        node.Do(new Backup(name, Log: false));
    }

    /// <summary>On a primary: whether a replica is connected and as synchronized as its mode lets it be.</summary>
    public static bool IsSettled(World.Node primary, World.Node node) => SynchronizationOf(primary, node) == primary.Group.Configuration.Replica(node.Name)!.Mode switch
    {
        AvailabilityMode.SynchronousCommit => "SYNCHRONIZED",
        AvailabilityMode.AsynchronousCommit => "SYNCHRONIZING",
        _ => null,
    } && primary.View("dm_hadr_availability_replica_states").Single(row => Equals(row["replica_id"], primary.Group.Configuration.Replica(node.Name)!.Id))["connected_state"] is (byte)1;

    /// <summary>What a replica says about the copy of db1 on another, or on itself; null when it says nothing.</summary>
    public static string? SynchronizationOf(World.Node at, World.Node of) =>
        (string?)at.View("dm_hadr_database_replica_states").SingleOrDefault(row => Equals(row["replica_id"], at.Group.Configuration.Replica(of.Name)?.Id))?["synchronization_state_desc"];

    public World.Node Add(string name)
    {
        var node = World.Add(name, _configure);
        Nodes.Add(node);
        return node;
    }

    public void Join(World.Node primary, World.Node node, AvailabilityMode mode)
    {
        primary.Do(new AddReplicas("ag1", [Spec(node.Name, mode)]));
        JoinOnly(node, mode);
    }

    public void JoinOnly(World.Node node, AvailabilityMode mode)
    {
        node.Do(new JoinGroup("ag1", _type));
        if (mode != AvailabilityMode.ConfigurationOnly)
        {
            node.Do(new GrantCreateAnyDatabase("ag1"));
        }

        if (_type == ClusterType.External)
        {
            World.Until(() => node.Try(new SetRoleSecondary("ag1")) == 0, $"{node.Name} becomes secondary");
        }
    }

    public void Follow(World.Node primary, World.Node node)
    {
        World.Until(() => node.Try(new SetRoleSecondary("ag1")) == 0, $"{node.Name} follows");
        World.Until(() => IsSettled(primary, node), $"{node.Name} settled");
    }

    public void Promote(World.Node node, bool force = false)
    {
        node.FailOver(force: force);
        World.Until(() => node.Role == ReplicaRole.Primary, $"{node.Name} primary");
    }

    public ReplicaSpec Spec(string name, AvailabilityMode mode)
    {
        var spec = ThreeReplicas.Spec(name, mode);
        return _type == ClusterType.External ? spec : spec with { Options = spec.Options with { FailoverMode = FailoverMode.Manual } };
    }
}
