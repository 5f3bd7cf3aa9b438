using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>An availability group of three synchronous replicas with one database and one table.</summary>
internal sealed class ThreeReplicas
{
    public ThreeReplicas(int? required = null, long? lease = null, AvailabilityMode thirdMode = AvailabilityMode.SynchronousCommit, bool database = true,
        Action<World.Node>? configure = null)
    {
        A = World.Add("a", configure);
        B = World.Add("b", configure);
        C = World.Add("c", configure);
        A.Do(new CreateGroup(
            "ag1", new GroupOptions { ClusterType = ClusterType.External, WriteLeaseValidity = lease }, [], [Spec("a")]));
        A.Do(new GrantCreateAnyDatabase("ag1"));
        Join(B, AvailabilityMode.SynchronousCommit);
        Join(C, thirdMode);
        if (required is { } number)
        {
            A.Do(new SetGroupOptions("ag1", new GroupOptions { RequiredSynchronizedSecondariesToCommit = number }));
        }

        if (!database)
        {
            return;
        }

        A.Do(new CreateDatabase("db1"));
        A.Do(new Backup("db1", Log: false));
        A.Do(new AddGroupDatabases("ag1", ["db1"]));
        A.Do(new CreateTable(
            new TableName("db1", "dbo", "t"), [new ColumnDefinition("id", new SqlType(SqlKind.Int)), new ColumnDefinition("v", new SqlType(SqlKind.Int))], ["id"]));
        World.Until(() => Synchronized(A, B, C), "all replicas synchronized");
    }

    public World World { get; } = new();

    public World.Node A { get; }

    public World.Node B { get; }

    public World.Node C { get; }

    public static ReplicaSpec Spec(string name, AvailabilityMode mode = AvailabilityMode.SynchronousCommit) => new(
        name,
        mode == AvailabilityMode.ConfigurationOnly
            ? new ReplicaOptions { EndpointUrl = $"TCP://{name}:5022", AvailabilityMode = mode }
            : new ReplicaOptions
            {
                EndpointUrl = $"TCP://{name}:5022",
                AvailabilityMode = mode,
                FailoverMode = FailoverMode.External,
                SeedingMode = SeedingMode.Automatic,
                SecondaryConnections = SecondaryConnections.ReadOnly,
            });

    public static InsertRows Row(int id) => new(new TableName("db1", "dbo", "t"), [[id, id]]);

    /// <summary>On a primary: whether these replicas are connected and synchronized (config-only: connected).</summary>
    public static bool Synchronized(World.Node primary, params World.Node[] nodes) => nodes.All(node =>
        primary.View("dm_hadr_availability_replica_states").Single(row => (Guid)row["replica_id"]! == node.Group.File.LocalReplica)["synchronization_health"] is >= (byte)1
        && (node.Group.Local.Mode != AvailabilityMode.SynchronousCommit
            || primary.View("dm_hadr_database_replica_states").Any(row =>
                (Guid)row["replica_id"]! == node.Group.File.LocalReplica && (byte)row["synchronization_state"]! == 2)));

    public void Rejoin(World.Node primary, World.Node node)
    {
        World.Until(() => node.Try(new SetRoleSecondary("ag1")) == 0, $"{node.Name} rejoins");
        World.Until(() => Synchronized(primary, node), $"{node.Name} synchronized");
    }

    private void Join(World.Node node, AvailabilityMode mode)
    {
        A.Do(new AddReplicas("ag1", [Spec(node.Name, mode)]));
        node.Do(new JoinGroup("ag1", ClusterType.External));
        if (mode != AvailabilityMode.ConfigurationOnly)
        {
            node.Do(new GrantCreateAnyDatabase("ag1"));
        }

        World.Until(() => node.Try(new SetRoleSecondary("ag1")) == 0, $"{node.Name} becomes secondary");
    }
}
