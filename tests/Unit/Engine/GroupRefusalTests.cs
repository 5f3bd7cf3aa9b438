using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>
/// Which statement answers what in which state. A cell is the number of the error; or, after success, the role that the replica then has:
/// P, S, R for RESOLVING, - when the group is gone; or w while the statement waits for a majority or a primary.
/// </summary>
public sealed class GroupRefusalTests
{
    private const AvailabilityMode Sync = AvailabilityMode.SynchronousCommit;
    private const AvailabilityMode Async = AvailabilityMode.AsynchronousCommit;
    private const AvailabilityMode Only = AvailabilityMode.ConfigurationOnly;

    private static readonly string[] States =
    [
        "hadr-off", "absent", "denied", "elsewhere", "transaction", "primary", "with-witness", "minority", "expired", "ready", "behind", "sync", "async", "witness",
        "lost", "seeding", "suspended", "none-primary", "none-secondary",
    ];

    private static readonly (string Name, EngineCommand Command, string Cells)[] Table =
    [
        ("create again", new CreateGroup("ag1", new GroupOptions { ClusterType = ClusterType.External }, [], [Spec("a")]),
            "47105 P     15247 35208 574   41042 41042 41042 41042 41042 41042 41042 41042 41042 41042 41042 41042 41042 41042"),
        ("drop", new DropGroup("ag1"),
            "47105 15151 15151 35208 574   -     -     -     -     -     -     -     -     -     -     -     -     -     -"),
        ("join", new JoinGroup("ag1", ClusterType.External),
            "47105 47106 15151 35208 574   41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106"),
        ("join as none", new JoinGroup("ag1", ClusterType.None),
            "47105 47106 15151 35208 574   41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106"),
        ("join without type", new JoinGroup("ag1", null),
            "47105 47100 15151 35208 574   41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106 41106"),
        ("failover", new FailOver("ag1", false),
            "47105 41100 15151 35208 574   41122 41122 41122 R     P     41142 P     41142 47109 R     41142 41142 47122 47122"),
        ("forced failover", new FailOver("ag1", true),
            "47105 41100 15151 35208 574   41122 41122 41122 R     P     P     P     P     47109 P     41142 P     41122 P"),
        ("offline", new TakeOffline("ag1"),
            "47105 41100 15151 35208 574   R     R     19416 R     R     R     R     R     R     R     R     R     R     S"),
        ("set role", new SetRoleSecondary("ag1"),
            "47105 41100 15151 35208 574   41104 41104 41104 41104 41104 S     S     S     S     41104 S     S     R     S"),
        ("lease", new SetWriteLease("ag1", 100),
            "47105 41100 15151 35208 574   P     P     P     R     R     R     S     S     S     S     S     S     47116 47116"),
        ("lease of zero", new SetWriteLease("ag1", 0),
            "47105 41100 15151 35208 574   47117 47117 47117 47117 47117 47117 47117 47117 47117 47117 47117 47117 47116 47116"),
        ("lease without end", new SetWriteLease("ag1", 1L << 40),
            "47105 41100 15151 35208 574   47118 47118 47118 47118 47118 47118 47118 47118 47118 47118 47118 47118 47116 47116"),
        ("lease ends earlier", new SetWriteLease("ag1", 5),
            "47105 41100 15151 35208 574   47119 47119 47119 R     47119 47119 47119 47119 47119 47119 47119 47119 47116 47116"),
        ("grant", new GrantCreateAnyDatabase("ag1"),
            "47105 41100 15151 35208 574   P     P     P     R     R     R     S     S     47111 S     S     S     P     S"),
        ("deny", new GrantCreateAnyDatabase("ag1", Deny: true),
            "47105 41100 15151 35208 574   P     P     P     R     R     R     S     S     47111 S     S     S     P     S"),
        ("set db failover", Set(new GroupOptions { DbFailover = true }),
            "47105 41100 15151 35208 574   P     P     w     41140 41140 41140 41140 41140 41140 41140 41140 41140 P     41140"),
        ("set failure level", Set(new GroupOptions { FailureConditionLevel = 9 }),
            "47105 41100 15151 35208 574   35228 35228 35228 41140 41140 41140 41140 41140 41140 41140 41140 41140 35228 41140"),
        ("set health timeout", Set(new GroupOptions { HealthCheckTimeout = 14_999 }),
            "47105 41100 15151 35208 574   35229 35229 35229 41140 41140 41140 41140 41140 41140 41140 41140 41140 35229 41140"),
        ("set required", Set(new GroupOptions { RequiredSynchronizedSecondariesToCommit = 1 }),
            "47105 41100 15151 35208 574   P     47108 w     41140 41140 41140 41140 41140 41140 41140 41140 41140 P     41140"),
        ("set required of all", Set(new GroupOptions { RequiredSynchronizedSecondariesToCommit = 3 }),
            "47105 41100 15151 35208 574   35248 47108 35248 41140 41140 41140 41140 41140 41140 41140 41140 41140 35248 41140"),
        ("add replica", Add(Spec("x", Async)),
            "47105 41100 15151 35208 574   P     P     w     41190 41190 41190 41190 41190 41190 41190 41190 41190 47101 41190"),
        ("add replica again", Add(Spec("b") with { Options = Spec("x").Options }),
            "47105 41100 15151 35208 574   35282 35282 35282 41190 41190 41190 41190 41190 41190 41190 41190 41190 47101 41190"),
        ("add replica twice", Add(Spec("x"), Spec("x")),
            "47105 41100 15151 35208 574   35235 35235 35235 41190 41190 41190 41190 41190 41190 41190 41190 41190 47101 41190"),
        ("add second witness", Add(Spec("x", Only), Spec("y", Only)),
            "47105 41100 15151 35208 574   47107 47107 47107 41190 41190 41190 41190 41190 41190 41190 41190 41190 47114 41190"),
        ("add automatic", Add(Spec("x") with { Options = Spec("x").Options with { FailoverMode = FailoverMode.Automatic } }),
            "47105 41100 15151 35208 574   47102 47102 47102 41190 41190 41190 41190 41190 41190 41190 41190 41190 47101 41190"),
        ("modify priority", Modify("b", new ReplicaOptions { BackupPriority = 10 }),
            "47105 41100 15151 35208 574   P     P     w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("modify to the same", Modify("b", new ReplicaOptions { SessionTimeout = 10 }),
            "47105 41100 15151 35208 574   P     P     P     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("modify to asynchronous", Modify("c", new ReplicaOptions { AvailabilityMode = Async }),
            "47105 41100 15151 35208 574   P     47112 w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("modify to witness", Modify("b", new ReplicaOptions { AvailabilityMode = Only }),
            "47105 41100 15151 35208 574   47113 47113 47113 41190 41190 41190 41190 41190 41190 41190 41190 41190 47113 41190"),
        ("modify a witness", Modify("c", new ReplicaOptions { BackupPriority = 10 }),
            "47105 41100 15151 35208 574   P     47112 w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("modify URL to nonsense", Modify("b", new ReplicaOptions { EndpointUrl = "http://b" }),
            "47105 41100 15151 35208 574   35232 35232 35232 41190 41190 41190 41190 41190 41190 41190 41190 41190 35232 41190"),
        ("modify to short session", Modify("b", new ReplicaOptions { SessionTimeout = 4 }),
            "47105 41100 15151 35208 574   35214 35214 35214 41190 41190 41190 41190 41190 41190 41190 41190 41190 35214 41190"),
        ("modify to automatic", Modify("b", new ReplicaOptions { FailoverMode = FailoverMode.Automatic }),
            "47105 41100 15151 35208 574   47102 47102 47102 41190 41190 41190 41190 41190 41190 41190 41190 41190 47101 41190"),
        ("modify route to nonsense", Modify("b", new ReplicaOptions { ReadWriteRoutingUrl = "b" }),
            "47105 41100 15151 35208 574   47120 47120 47120 41190 41190 41190 41190 41190 41190 41190 41190 41190 47120 41190"),
        ("route to twice", Modify("a", new ReplicaOptions { ReadOnlyRoutingList = [["b", "b"]] }),
            "47105 41100 15151 35208 574   19402 19402 19402 41190 41190 41190 41190 41190 41190 41190 41190 41190 19402 41190"),
        ("route to nobody", Modify("a", new ReplicaOptions { ReadOnlyRoutingList = [["x"]] }),
            "47105 41100 15151 35208 574   19403 19403 19403 41190 41190 41190 41190 41190 41190 41190 41190 41190 19403 41190"),
        ("route without URL", Modify("a", new ReplicaOptions { ReadOnlyRoutingList = [["b"]] }),
            "47105 41100 15151 35208 574   19404 19404 19404 41190 41190 41190 41190 41190 41190 41190 41190 41190 19404 41190"),
        ("modify nobody", Modify("x", new ReplicaOptions { BackupPriority = 10 }),
            "47105 41100 15151 35208 574   35210 35210 35210 41190 41190 41190 41190 41190 41190 41190 41190 41190 35210 41190"),
        ("remove replica", new RemoveReplicas("ag1", ["c"]),
            "47105 41100 15151 35208 574   P     P     w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("remove itself", new RemoveReplicas("ag1", ["a"]),
            "47105 41100 15151 35208 574   35284 35284 35284 41190 41190 41190 41190 41190 41190 41190 41190 41190 35284 41190"),
        ("remove nobody", new RemoveReplicas("ag1", ["x"]),
            "47105 41100 15151 35208 574   35283 35283 35283 41190 41190 41190 41190 41190 41190 41190 41190 41190 35283 41190"),
        ("add database", new AddGroupDatabases("ag1", ["db2"]),
            "47105 41100 15151 35208 574   P     P     w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("add database again", new AddGroupDatabases("ag1", ["db1"]),
            "47105 41100 15151 35208 574   35244 35244 35244 41190 41190 41190 41190 41190 41190 41190 41190 41190 35244 41190"),
        ("add database twice", new AddGroupDatabases("ag1", ["db2", "db2"]),
            "47105 41100 15151 35208 574   35234 35234 35234 41190 41190 41190 41190 41190 41190 41190 41190 41190 35234 41190"),
        ("add no database", new AddGroupDatabases("ag1", ["nodb"]),
            "47105 41100 15151 35208 574   35238 35238 35238 41190 41190 41190 41190 41190 41190 41190 41190 41190 35238 41190"),
        ("add master", new AddGroupDatabases("ag1", ["master"]),
            "47105 41100 15151 35208 574   35249 35249 35249 41190 41190 41190 41190 41190 41190 41190 41190 41190 35249 41190"),
        ("remove database", new RemoveGroupDatabases("ag1", ["db1"]),
            "47105 41100 15151 35208 574   P     P     w     41190 41190 41190 41190 41190 41190 41190 41190 41190 P     41190"),
        ("remove other database", new RemoveGroupDatabases("ag1", ["db2"]),
            "47105 41100 15151 35208 574   35281 35281 35281 41190 41190 41190 41190 41190 41190 41190 41190 41190 35281 41190"),
        ("remove no database", new RemoveGroupDatabases("ag1", ["nodb"]),
            "47105 41100 15151 35208 574   41133 41133 41133 41190 41190 41190 41190 41190 41190 41190 41190 41190 41133 41190"),
        ("hadr off", new SetHadr("db1", HadrAction.Off),
            "35221 5011  5011  35240 574   35240 35240 35240 R     R     R     S     S     5011  S     S     S     35240 S"),
        ("hadr suspend", new SetHadr("db1", HadrAction.Suspend),
            "35221 5011  5011  P     574   P     P     P     35239 35239 35239 S     S     5011  S     S     S     P     S"),
        ("hadr resume", new SetHadr("db1", HadrAction.Resume),
            "35221 5011  5011  P     574   P     P     P     35239 35239 35239 S     S     5011  S     S     S     P     S"),
        ("hadr join", new SetHadr("db1", HadrAction.Join, "ag1"),
            "35221 5011  5011  35240 574   35240 35240 35240 35280 35280 35280 35280 35280 5011  35280 35280 35280 35240 35280"),
        ("hadr off, no member", new SetHadr("db2", HadrAction.Off),
            "35221 35242 5011  35242 574   35242 35242 35242 35242 5011  5011  5011  5011  5011  5011  S     5011  35242 5011"),
        ("hadr suspend, no member", new SetHadr("db2", HadrAction.Suspend),
            "35221 35242 5011  35242 574   35242 35242 35242 35242 5011  5011  5011  5011  5011  5011  35239 5011  35242 5011"),
        ("hadr join, unknown group", new SetHadr("db2", HadrAction.Join, "nope"),
            "35221 41100 5011  41100 574   41100 41100 41100 41100 5011  5011  5011  5011  5011  5011  41100 5011  41100 5011"),
    ];

    /// <summary>The errors that the table shows.</summary>
    public static IEnumerable<int> Numbers =>
        Table.SelectMany(row => row.Cells.Split(' ')).Select(cell => int.TryParse(cell, out var number) ? number : 0).Where(number => number > 0);

    [TestCaseSource(nameof(States))]
    public void Statement_by_state(string state)
    {
        var column = Array.IndexOf(States, state);
        using var all = Assert.EnterMultipleScope();
        (World World, World.Node Node, EngineSession Session)? place = null;
        foreach (var (name, command, cells) in Table)
        {
            var (world, node, session) = place ??= Make(state);
            var operation = node.Begin(command, session);
            for (var turn = 0; turn < 8 && !operation.IsCompleted; turn++)
            {
                world.Run(0.5);
            }

            string cell;
            if (operation is { IsCompleted: true, Error: { } error })
            {
                cell = $"{error.Number}";
                Assert.That((error.Severity, error.State), Is.EqualTo((DocumentedErrors.SeverityOf(error.Number), (byte)1)), $"{name}, {state}: {error.Message}");
            }
            else
            {
                if (operation.IsCompleted)
                {
                    world.Run(1);
                }

                cell = !operation.IsCompleted ? "w" : node.Instance.FindGroup("ag1")?.Role switch
                {
                    ReplicaRole.Primary => "P",
                    ReplicaRole.Secondary => "S",
                    ReplicaRole.Resolving => "R",
                    _ => "-",
                };
                place = null;
            }

            Assert.That(cell, Is.EqualTo(cells.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(column)), $"{name}, {state}");
        }
    }

    private static (World World, World.Node Node, EngineSession Session) Make(string state)
    {
        var modes = state switch
        {
            "async" => new[] { Sync, Sync, Async },
            "witness" or "with-witness" => [Sync, Sync, Only],
            _ => [Sync, Sync, Sync],
        };
        var type = state.StartsWith("none", StringComparison.Ordinal) ? ClusterType.None : ClusterType.External;
        if (state is "hadr-off" or "absent")
        {
            var world = new World();
            var alone = world.Add("a", node => node.Options = node.Options with { HadrEnabled = state != "hadr-off", JoinTimeout = TimeSpan.FromSeconds(2) });
            Replicas.CreateDatabase(alone, "db2");
            return (world, alone, alone.Sa);
        }

        var ag = new Replicas(modes, lease: type == ClusterType.External ? 90 : null, type: type);
        Replicas.CreateDatabase(ag.A, "db2");
        var (a, b, c) = (ag.A, ag.B, ag.C);
        var node = state switch
        {
            "sync" or "suspended" or "lost" or "none-secondary" => b,
            "async" or "witness" or "behind" or "seeding" => c,
            "ready" => b,
            _ => a,
        };
        switch (state)
        {
            case "minority":
                b.Kill();
                c.Kill();
                ag.World.Run(15);
                break;
            case "expired":
                ag.World.Run(91);
                break;
            case "ready":
                a.Kill();
                b.Restart();
                c.Restart();
                ag.World.Run(15);
                break;
            case "behind":
                c.Do(new TakeOffline("ag1"));
                ag.World.Until(() => c.Group.Local.Synchronized.Count == 0, "c knows");
                break;
            case "lost":
                ag.World.Isolate("b");
                ag.World.Run(15);
                break;
            case "suspended":
                b.Do(new SetHadr("db1", HadrAction.Suspend));
                ag.World.Until(() => b.Group.Local.Synchronized.Count == 0, "b knows");
                break;
            case "seeding":
                var table = new TableName("db2", "dbo", "t");
                a.Do(new CreateTable(table, [new ColumnDefinition("v", new SqlType(SqlKind.NVarChar, 4000))], []));
                for (var row = 0; row < 40; row++)
                {
                    a.Do(new InsertRows(table, [.. Enumerable.Range(0, 20).Select(_ => new object?[] { new string('x', 4000) })]));
                }

                a.Begin(new AddGroupDatabases("ag1", ["db2"]));
                ag.World.Until(() => c.Instance.FindDatabase("db2") is { Entry.Seeding: true }, "seeding");
                break;
            default:
                break;
        }

        if (state == "denied")
        {
            node.Do(new CreateLogin("nobody", "N0body!Passw0rd"));
            return (ag.World, node, node.LogIn(user: "nobody", password: "N0body!Passw0rd"));
        }

        if (state is not "expired" && type == ClusterType.External)
        {
            node.Do(new SetWriteLease("ag1", 95));
        }

        node.Do(new SetSessionContext("external_cluster", "yes"));
        if (state == "elsewhere")
        {
            node.Do(new UseDatabase("tempdb"));
        }
        else if (state == "transaction")
        {
            node.Do(new BeginTransaction());
        }

        return (ag.World, node, node.Sa);
    }

    private static SetGroupOptions Set(GroupOptions options) => new("ag1", options);

    private static AddReplicas Add(params ReplicaSpec[] replicas) => new("ag1", replicas);

    private static ModifyReplica Modify(string name, ReplicaOptions options) => new("ag1", new ReplicaSpec(name, options));

    private static ReplicaSpec Spec(string name, AvailabilityMode mode = Sync) => ThreeReplicas.Spec(name, mode);
}
