using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Which statement answers with which number in which state of the local replica; 0 is success.</summary>
public sealed class RefusalTests
{
    private static readonly EngineCommand Option = new SetGroupOptions("ag1", new GroupOptions { DbFailover = true });
    private static readonly EngineCommand Add = new AddReplicas("ag1", [ThreeReplicas.Spec("x")]);
    private static readonly EngineCommand ModifyMode = Modify("b", new ReplicaOptions { BackupPriority = 10 });

    /// <summary>The errors that the tables show.</summary>
    public static IEnumerable<int> Numbers => Creations().Select(data => (int)data.Arguments[0]!);

    private static IEnumerable<TestCaseData> Statements()
    {
        TestCaseData Case(string name, EngineCommand command, int primary, int secondary, int resolving, int absent) =>
            new TestCaseData(command, new[] { primary, secondary, resolving, absent }).SetArgDisplayNames(name);

        yield return Case("set option", Option, 0, 41140, 41140, 41100);
        yield return Case("add replica", Add, 0, 41190, 41190, 41100);
        yield return Case("modify replica", ModifyMode, 0, 41190, 41190, 41100);
        yield return Case("remove replica", new RemoveReplicas("ag1", ["c"]), 0, 41190, 41190, 41100);
        yield return Case("add database", new AddGroupDatabases("ag1", ["nodb"]), 35238, 41190, 41190, 41100);
        yield return Case("remove database", new RemoveGroupDatabases("ag1", ["db1"]), 0, 41190, 41190, 41100);
        yield return Case("join", new JoinGroup("ag1", ClusterType.External), 41106, 41106, 41106, 47106);
        yield return Case("join without type", new JoinGroup("ag1", null), 41106, 41106, 41106, 47100);
        yield return Case("failover", new FailOver("ag1", false), 41122, 0, 41142, 41100);
        yield return Case("forced failover", new FailOver("ag1", true), 41122, 0, 0, 41100);
        yield return Case("offline", new TakeOffline("ag1"), 19416, 0, 0, 41100);
        yield return Case("set role", new SetRoleSecondary("ag1"), 41104, 0, 0, 41100);
        yield return Case("grant", new GrantCreateAnyDatabase("ag1"), 0, 0, 0, 41100);
        yield return Case("lease", new SetWriteLease("ag1", 100), 0, 0, 0, 41100);
        yield return Case("lease of zero", new SetWriteLease("ag1", 0), 47117, 47117, 47117, 41100);
        yield return Case("lease not earlier", new SetWriteLease("ag1", 5), 47119, 0, 0, 41100);
        yield return Case("drop", new DropGroup("ag1"), 0, 0, 0, 15151);
        yield return Case("drop database", new DropDatabase("db1"), 3752, 3752, 3752, 3701);
        yield return Case("hadr off", new SetHadr("db1", HadrAction.Off), 35240, 0, 0, 5011);
        yield return Case("write", ThreeReplicas.Row(1), 0, 978, 983, 208);
        yield return Case(
            "required too many",
            new SetGroupOptions("ag1", new GroupOptions { RequiredSynchronizedSecondariesToCommit = 3 }), 35248, 41140, 41140, 41100);
    }

    [TestCaseSource(nameof(Statements))]
    public void Statement_by_role(object statement, int[] expected)
    {
        string[] states = ["primary", "secondary", "resolving", "absent"];
        for (var index = 0; index < states.Length; index++)
        {
            var ag = new ThreeReplicas(lease: 90);
            var node = states[index] switch
            {
                "primary" => ag.A,
                "absent" => ag.World.Add("d", other => other.Options = other.Options with { JoinTimeout = TimeSpan.FromSeconds(3) }),
                _ => ag.C,
            };
            if (states[index] is "primary" or "resolving")
            {
                ag.C.Do(new TakeOffline("ag1"));
                ag.World.Until(() => !ThreeReplicas.Synchronized(ag.A, ag.C), "c out");
                ag.World.Until(() => ag.C.Group.Local.Synchronized.Count == 0, "c knows");
            }

            node.Do(new SetSessionContext("external_cluster", "yes"));
            Assert.That(node.Try((EngineCommand)statement), Is.EqualTo(expected[index]), $"{statement}, {states[index]}");
        }
    }

    [Test]
    public void Failover_needs_the_session_key()
    {
        var ag = new ThreeReplicas();
        Assert.That(ag.B.Try(new FailOver("ag1", false)), Is.EqualTo(47104));
        Assert.That(ag.B.Try(new FailOver("ag1", true)), Is.EqualTo(47104));
        ag.B.Do(new SetSessionContext("external_cluster", "yes"));
        ag.B.Instance.Reset(ag.B.Sa);
        Assert.That(ag.B.Try(new FailOver("ag1", false)), Is.EqualTo(47104), "a pooled reset clears the key");
    }

    [Test]
    public void A_group_without_lease_takes_none()
    {
        var ag = new ThreeReplicas();
        Assert.That(ag.A.Try(new SetWriteLease("ag1", 10)), Is.EqualTo(47116));
        Assert.That(ag.A.View("dm_hadr_availability_replica_states").Single(row => (bool)row["is_local"]!)["write_lease_remaining_ticks"], Is.EqualTo(long.MaxValue));
    }

    private static IEnumerable<TestCaseData> Creations()
    {
        TestCaseData Case(string name, int number, GroupOptions options, params ReplicaSpec[] replicas) =>
            new TestCaseData(number, options, replicas).SetArgDisplayNames(name);

        var external = new GroupOptions { ClusterType = ClusterType.External };
        var none = new GroupOptions { ClusterType = ClusterType.None };
        var full = ThreeReplicas.Spec("a");
        var manual = full with { Options = full.Options with { FailoverMode = FailoverMode.Manual } };
        yield return Case("fine", 0, external, full);
        yield return Case("not me", 35237, external, ThreeReplicas.Spec("b"));
        yield return Case("no url", 35236, external, full with { Options = full.Options with { EndpointUrl = null } });
        yield return Case("bad url", 35232, external, full with { Options = full.Options with { EndpointUrl = "http://a" } });
        yield return Case("no mode", 41198, external, full with { Options = full.Options with { AvailabilityMode = null } });
        yield return Case("no failover mode", 41197, external, full with { Options = full.Options with { FailoverMode = null } });
        yield return Case("automatic", 47102, external, full with { Options = full.Options with { FailoverMode = FailoverMode.Automatic } });
        yield return Case("short session", 35214, external, full with { Options = full.Options with { SessionTimeout = 4 } });
        yield return Case("required without replicas", 35248, external with { RequiredSynchronizedSecondariesToCommit = 1 }, full);
        yield return Case("two witnesses", 47107, external, full, Only("b"), Only("c"));
        yield return Case("witness and three", 47108, external, full, ThreeReplicas.Spec("b"), ThreeReplicas.Spec("c"), Only("d"));
        yield return Case("witness with failover mode", 47110, external, full, Only("b") with { Options = Only("b").Options with { FailoverMode = FailoverMode.External } });
        yield return Case("health timeout", 35229, external with { HealthCheckTimeout = 1000 }, full);
        yield return Case("failure level", 35228, external with { FailureConditionLevel = 9 }, full);
        yield return Case("lease of zero", 47117, external with { WriteLeaseValidity = 0 }, full);
        yield return Case("WSFC", 35220, new GroupOptions(), full);
        yield return Case("WSFC with lease", 47115, new GroupOptions { WriteLeaseValidity = 60 }, full);
        yield return Case("none with lease", 47115, none with { WriteLeaseValidity = 60 }, manual);
        yield return Case("lease without end", 47118, external with { WriteLeaseValidity = 1L << 40 }, full);
        yield return Case("none", 0, none, manual);
        yield return Case("none, external", 47101, none, full);
        yield return Case("none, automatic", 47101, none, full with { Options = full.Options with { FailoverMode = FailoverMode.Automatic } });
        yield return Case("none, witness", 47114, none, manual, Only("b"));
        yield return Case("manual", 47102, external, manual);
        yield return Case("myself a witness", 47121, external, Only("a"), ThreeReplicas.Spec("b"));
        yield return Case("contained", 50505, external with { Contained = true }, full);
        yield return Case("replica twice", 35235, external, full, full);
        yield return Case("URL twice", 35232, external, full, ThreeReplicas.Spec("b") with { Options = full.Options });
        yield return Case("six synchronous", 35212, external, [.. "abcdef".Select(name => ThreeReplicas.Spec(name.ToString()))]);
        yield return Case("five synchronous", 0, external, [.. "abcde".Select(name => ThreeReplicas.Spec(name.ToString()))]);
        yield return Case("witness with required", 47108, external with { RequiredSynchronizedSecondariesToCommit = 1 }, full, ThreeReplicas.Spec("b"), Only("c"));
        yield return Case("witness with seeding mode", 47110, external, full, Only("b") with { Options = Only("b").Options with { SeedingMode = SeedingMode.Manual } });
        yield return Case("witness with priority", 47110, external, full, Only("b") with { Options = Only("b").Options with { BackupPriority = 1 } });
        yield return Case("witness to read", 47110, external, full, Only("b") with { Options = Only("b").Options with { SecondaryConnections = SecondaryConnections.All } });
        yield return Case("witness to write", 47110, external, full, Only("b") with { Options = Only("b").Options with { PrimaryConnections = PrimaryConnections.All } });
        yield return Case("bad route", 47120, external, full with { Options = full.Options with { ReadWriteRoutingUrl = "a" } });
        yield return Case("route to nobody", 19403, external, full with { Options = full.Options with { ReadOnlyRoutingList = [["z"]] } });
        yield return Case("negative required", 35248, external with { RequiredSynchronizedSecondariesToCommit = -1 }, full);
    }

    [TestCaseSource(nameof(Creations))]
    public void Create(int number, object options, object replicas)
    {
        var node = new World().Add("a");
        var operation = node.Begin(new CreateGroup("g", (GroupOptions)options, [], (ReplicaSpec[])replicas));
        Assert.That(operation.Error?.Number ?? 0, Is.EqualTo(number));
        Assert.That(operation.Error?.Severity ?? 16, Is.EqualTo(number == 0 ? 16 : DocumentedErrors.SeverityOf(number)));
        Assert.That(node.Instance.Groups, Has.Count.EqualTo(number == 0 ? 1 : 0));
    }

    [Test]
    public void Create_refuses_a_second_time_outside_master_without_hadr_and_in_a_transaction()
    {
        var node = new World().Add("a");
        var create = new CreateGroup("g", new GroupOptions { ClusterType = ClusterType.External }, [], [ThreeReplicas.Spec("a")]);
        node.Do(new UseDatabase("tempdb"));
        Assert.That(node.Try(create), Is.EqualTo(35208));
        node.Do(new UseDatabase("master"));
        node.Do(new BeginTransaction());
        Assert.That(node.Try(create), Is.EqualTo(574));
        node.Do(new RollbackTransaction());
        node.Do(create);
        Assert.That(node.Try(create), Is.EqualTo(41042));
        var off = new World().Add("a", other => other.Options = other.Options with { HadrEnabled = false });
        Assert.That(off.Try(create), Is.EqualTo(47105));
    }

    [Test]
    public void A_database_joins_only_in_full_recovery_and_with_a_full_backup()
    {
        var node = new World().Add("a");
        node.Do(new CreateGroup("g", new GroupOptions { ClusterType = ClusterType.External }, [], [ThreeReplicas.Spec("a")]));
        node.Do(new CreateDatabase("d"));
        var add = new AddGroupDatabases("g", ["d"]);
        Assert.That(node.Try(add), Is.EqualTo(1475));
        node.Do(new Backup("d", Log: false, CopyOnly: true));
        Assert.That(node.Try(add), Is.EqualTo(1475), "a copy-only backup starts no log chain");
        node.Do(new SetRecovery("d", RecoveryModel.Simple));
        node.Do(new Backup("d", Log: false));
        Assert.That(node.Try(add), Is.EqualTo(1465));
        node.Do(new SetRecovery("d", RecoveryModel.Full));
        Assert.That(node.Try(add), Is.EqualTo(1475), "leaving simple recovery needs a new backup");
        node.Do(new Backup("d", Log: false));
        Assert.That(node.Try(add), Is.Zero);
        Assert.That(node.Try(add), Is.EqualTo(35244));
        Assert.That(node.Try(new AddGroupDatabases("g", ["master"])), Is.EqualTo(35249));
    }

    [Test]
    public void A_join_without_a_primary_ends_in_time()
    {
        var world = new World();
        var node = world.Add("a");
        var begun = world.Now;
        Assert.That(node.Try(new JoinGroup("g", ClusterType.External)), Is.EqualTo(47106));
        Assert.That(world.Now - begun, Is.EqualTo(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public void A_modification_that_changes_nothing_says_so_and_keeps_the_sequence_number()
    {
        var ag = new ThreeReplicas();
        var before = ag.A.Group.File.Accepted.Sequence;
        var operation = ag.A.Do(Modify("b", new ReplicaOptions { SessionTimeout = 10 }));
        Assert.That(operation.Messages.Select(message => message.Number), Is.EqualTo(new[] { 41185 }));
        Assert.That(ag.A.Group.File.Accepted.Sequence, Is.EqualTo(before));
        ag.A.Do(ModifyMode);
        Assert.That(ag.A.Group.File.Accepted.Sequence, Is.EqualTo(before + 1));
    }

    private static ReplicaSpec Only(string name) => ThreeReplicas.Spec(name, AvailabilityMode.ConfigurationOnly);

    private static ModifyReplica Modify(string name, ReplicaOptions options) => new("ag1", new ReplicaSpec(name, options));
}
