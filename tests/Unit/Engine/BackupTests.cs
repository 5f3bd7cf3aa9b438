using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Backups, the log chain, restores, and what a group makes of them.</summary>
public sealed class BackupTests
{
    private static readonly TableName Numbers = new("d", "dbo", "t");

    private static IEnumerable<TestCaseData> Backups()
    {
        TestCaseData Case(string name, int number, EngineCommand statement, params EngineCommand[] before) =>
            new TestCaseData(number, statement, before).SetArgDisplayNames(name);

        var simple = new SetRecovery("d", RecoveryModel.Simple);
        var full = new SetRecovery("d", RecoveryModel.Full);
        yield return Case("full", 0, Full());
        yield return Case("log before any full", 4214, Log());
        yield return Case("log after a copy-only full", 4214, Log(), Full() with { CopyOnly = true });
        yield return Case("log", 0, Log(), Full());
        yield return Case("copy-only log", 0, Log() with { CopyOnly = true }, Full());
        yield return Case("log in SIMPLE", 4208, Log(), Full(), simple);
        yield return Case("log after SIMPLE and back", 4214, Log(), Full(), simple, full);
        yield return Case("log after SIMPLE and back and a full", 0, Log(), Full(), simple, full, Full());
        yield return Case("log in BULK_LOGGED", 0, Log(), Full(), new SetRecovery("d", RecoveryModel.BulkLogged));
        yield return Case("unknown", 911, new Backup("nope", false));
        yield return Case("offline", 942, Full(), new SetDatabaseState("d", DatabaseState.Offline));
        yield return Case("tempdb", 3147, new Backup("tempdb", false));
        yield return Case("master", 0, new Backup("master", false) { Devices = ["m.bak"] });
        yield return Case("log of master", 4208, new Backup("master", true));
        yield return Case("URL without credential", 3201, Full() with { Devices = ["s3://there/bucket/d.bak"], Url = true });
        yield return Case("into the instance's own folder", 3201, Full() with { Devices = ["/var/opt/mssql/master.json"] });
        yield return Case("into the secrets", 3201, Full() with { Devices = ["/var/opt/mssql/secrets/x"] });
        yield return Case("onto something else", 3241, Full() with { Devices = ["other"] });
        yield return Case("over something else", 0, Full() with { Devices = ["other"], Overwrite = true });
        yield return Case("in a transaction", 574, Full(), new BeginTransaction());
    }

    [TestCaseSource(nameof(Backups))]
    public void Backup_by_state(int number, object statement, object before)
    {
        var node = WithDatabase(new World());
        node.Replace("data/other", [1, 2, 3]);
        foreach (var command in (EngineCommand[])before)
        {
            node.Do(command);
        }

        var files = node.Files.Count();
        Assert.That(node.Try((EngineCommand)statement), Is.EqualTo(number));
        if (number != 0)
        {
            Assert.That(node.Files.Count(), Is.EqualTo(files), "a refused backup leaves no file");
        }
    }

    private static IEnumerable<TestCaseData> Restores()
    {
        TestCaseData Case(string name, int number, EngineCommand statement, params EngineCommand[] before) =>
            new TestCaseData(number, statement, before).SetArgDisplayNames(name);

        // The devices: full.bak (row 1), log1 (row 2), log2 (row 3), foreign.bak (another database), both.bak (full and log1).
        var drop = new DropDatabase("d");
        var begun = new Restore("d", false, ["full.bak"]) { Recovery = false };
        var log1 = new Restore("d", true, ["log1.trn"]) { Recovery = false };
        var log2 = new Restore("d", true, ["log2.trn"]) { Recovery = false };
        yield return Case("full", 0, new Restore("d", false, ["full.bak"]), drop);
        yield return Case("under another name", 1834, new Restore("e", false, ["full.bak"]));
        yield return Case("under another name and elsewhere", 0, new Restore("e", false, ["full.bak"]) { Moves = [("d", "/e.mdf"), ("d_log", "/e.ldf")] });
        yield return Case("a file that is not there is moved", 3234, new Restore("e", false, ["full.bak"]) { Moves = [("x", "/e.mdf")] });
        yield return Case("no such device", 3201, new Restore("d", false, ["nope.bak"]), drop);
        yield return Case("no backup", 3241, new Restore("d", false, ["garbled.bak"]), drop);
        yield return Case("a set that is not there", 4038, new Restore("d", false, ["full.bak"]) { File = 2 }, drop);
        yield return Case("second set", 0, new Restore("d", true, ["both.bak"]) { File = 2 }, drop, begun);
        yield return Case("one of two stripes", 3132, new Restore("d", false, ["stripe1.bak"]), drop);
        yield return Case("both stripes", 0, new Restore("d", false, ["stripe2.bak", "stripe1.bak"]), drop);
        yield return Case("stripes of two sets", 3258, new Restore("d", false, ["stripe1.bak", "full.bak"]), drop);
        yield return Case("tail not backed up", 3159, new Restore("d", false, ["full.bak"]));
        yield return Case("tail given up", 0, new Restore("d", false, ["full.bak"]) { Replace = true });
        yield return Case("in SIMPLE there is no tail", 0, new Restore("d", false, ["full.bak"]), new SetRecovery("d", RecoveryModel.Simple));
        yield return Case("another database's backup", 3154, new Restore("d", false, ["foreign.bak"]));
        yield return Case("in use", 3101, new Restore("d", false, ["full.bak"]) { Replace = true }, new UseDatabase("d"));
        yield return Case("log as database", 3135, new Restore("d", false, ["log1.trn"]), drop);
        yield return Case("database as log", 3135, new Restore("d", true, ["full.bak"]), drop, begun);
        yield return Case("log of an online database", 3117, log1);
        yield return Case("log of no database", 3118, log1, drop);
        yield return Case("log in order", 0, log2, drop, begun, log1);
        yield return Case("log too late", 4305, log2, drop, begun);
        yield return Case("log too early", 4326, log1, drop, begun, log1, log2);
        yield return Case("log again", 0, log1, drop, begun, log1);
        yield return Case("log after recovery", 3117, log1, drop, new Restore("d", false, ["full.bak"]));
        yield return Case("recovery only", 0, new Restore("d", false, []), drop, begun);
        yield return Case("recovery of a recovered one", 3153, new Restore("d", false, []));
        yield return Case("recovery of none", 911, new Restore("nope", false, []));
        yield return Case("system", 50505, new Restore("master", false, ["full.bak"]));
        yield return Case("in a group", 3104, new Restore("d", false, ["full.bak"]) { Replace = true }, Group("d"));
        yield return Case("in a transaction", 574, new Restore("d", false, ["full.bak"]), new BeginTransaction());
    }

    [TestCaseSource(nameof(Restores))]
    public void Restore_by_state(int number, object statement, object before)
    {
        var node = WithBackups();
        foreach (var command in (EngineCommand[])before)
        {
            node.Do(command);
        }

        Assert.That(node.Try((EngineCommand)statement), Is.EqualTo(number));
    }

    [Test]
    public void A_restored_database_has_what_the_backups_had_and_survives_a_restart()
    {
        var node = WithBackups();
        node.Do(new DropDatabase("d"));
        node.Do(new Restore("d", false, ["full.bak"]) { Recovery = false });
        Assert.That(node.Try(new UseDatabase("d")), Is.EqualTo(927));
        node.Do(new Restore("d", true, ["log1.trn"]) { Recovery = false });
        node.Restart();
        Assert.That(node.Try(new UseDatabase("d")), Is.EqualTo(927), "a restart does not end a restore");
        node.Do(new Restore("d", true, ["log2.trn"]));
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1, 2, 3 }));
        node.Restart();
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1, 2, 3 }));
        Assert.That(node.Try(Log()), Is.EqualTo(4214), "it goes its own way and needs a full backup first");
    }

    [Test]
    public void A_log_of_another_course_of_history_does_not_fit()
    {
        var node = WithBackups();
        node.Do(new DropDatabase("d"));
        node.Do(new Restore("d", false, ["full.bak"]));
        node.Do(new InsertRows(Numbers, [[22]]));
        node.Do(Full() with { Devices = ["fork.bak"] });
        node.Do(new DropDatabase("d"));
        node.Do(new Restore("d", false, ["fork.bak"]) { Recovery = false });
        Assert.That(node.Try(new Restore("d", true, ["log2.trn"])), Is.EqualTo(4330));
    }

    [Test]
    public void A_damaged_device_is_refused_and_nothing_is_changed()
    {
        var node = WithBackups();
        node.Garble("data/full.bak");
        Assert.That(node.Try(new Restore("d", false, ["full.bak"]) { Replace = true }), Is.EqualTo(3241));
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1, 2, 3 }));
        node.TearTail("data/log1.trn", 1);
        Assert.That(node.Try(new Restore("d", true, ["log1.trn"])), Is.EqualTo(3241));
    }

    [Test]
    public void Backups_go_on_across_checkpoints()
    {
        var node = WithDatabase(new World());
        node.Do(Full() with { Devices = ["full.bak"] });
        node.Do(new UseDatabase("d"));
        for (var id = 2; id < 5; id++)
        {
            node.Do(new InsertRows(Numbers, [[id]]));
            node.Do(new Checkpoint());
            node.Do(Log() with { Devices = [$"log{id}.trn"] });
            node.Do(new Checkpoint());
        }

        node.Do(Full() with { Devices = ["late.bak"] });
        node.Do(new UseDatabase("master"));
        node.Do(new DropDatabase("d"));
        node.Do(new Restore("d", false, ["full.bak"]) { Recovery = false });
        for (var id = 2; id < 5; id++)
        {
            node.Do(new Restore("d", true, [$"log{id}.trn"]) { Recovery = false });
        }

        node.Do(new Restore("d", false, []));
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1, 2, 3, 4 }));
        node.Do(new Restore("d", false, ["late.bak"]) { Replace = true });
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1, 2, 3, 4 }));
    }

    // Groups

    private static IEnumerable<TestCaseData> ReplicaBackups()
    {
        TestCaseData Case(string name, bool log, bool copyOnly, params int[] expected) => new TestCaseData(log, copyOnly, expected).SetArgDisplayNames(name);

        yield return Case("full", false, false, 0, 3059, 3059, 983);
        yield return Case("copy-only full", false, true, 0, 0, 35250, 983);
        yield return Case("log", true, false, 0, 0, 35294, 983);
        yield return Case("copy-only log", true, true, 0, 3059, 3059, 983);
    }

    [TestCaseSource(nameof(ReplicaBackups))]
    public void Backup_by_role(bool log, bool copyOnly, int[] expected)
    {
        var ag = new ThreeReplicas();
        var backup = new Backup("db1", log, copyOnly);
        Assert.That(ag.A.Try(backup), Is.EqualTo(expected[0]), "primary");
        Assert.That(ag.B.Try(backup), Is.EqualTo(expected[1]), "secondary");
        ag.World.Isolate("b");
        ag.World.Run(30);
        Assert.That(ag.B.Try(backup), Is.EqualTo(expected[2]), "secondary without connection");
        ag.C.Do(new TakeOffline("ag1"));
        Assert.That(ag.C.Try(backup), Is.EqualTo(expected[3]), "resolving");
    }

    [Test]
    public void A_group_has_one_log_chain_whichever_replica_backs_up()
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new Backup("db1", Log: false) { Devices = ["full.bak"] });
        string[] taken = ["a", "b", "c", "b"];
        for (var index = 0; index < taken.Length; index++)
        {
            ag.A.Do(ThreeReplicas.Row(index));
            ag.World.Run(1);
            if (index == 2)
            {
                foreach (var node in ag.World.Nodes.Values)
                {
                    var database = node.Instance.Databases["db1"];
                    database.Checkpoint(database.Applied);
                }
            }

            ag.World.Nodes[taken[index]].Do(new Backup("db1", Log: true) { Devices = [$"{index}.trn"] });
            ag.World.Run(1);
        }

        var other = ag.World.Add("d");
        other.Replace("data/full.bak", ag.A.Read("data/full.bak")!);
        other.Do(new Restore("db1", false, ["full.bak"]) { Recovery = false });
        for (var index = 0; index < taken.Length; index++)
        {
            other.Replace($"data/{index}.trn", ag.World.Nodes[taken[index]].Read($"data/{index}.trn")!);
            if (index == 1)
            {
                other.Replace("data/2.trn", ag.C.Read("data/2.trn")!);
                Assert.That(other.Try(new Restore("db1", true, ["2.trn"])), Is.EqualTo(4305), "none may be left out");
            }

            other.Do(new Restore("db1", true, [$"{index}.trn"]) { Recovery = false });
        }

        other.Do(new Restore("db1", false, []));
        Assert.That(other.Values(), Is.EqualTo(new object[] { 0, 1, 2, 3 }));
    }

    [Test]
    public void A_secondary_is_seeded_by_hand()
    {
        var ag = new ThreeReplicas();
        ag.A.Do(new CreateDatabase("d"));
        ag.A.Do(new CreateTable(Numbers, [new ColumnDefinition("id", new SqlType(SqlKind.Int))], ["id"]));
        ag.A.Do(new InsertRows(Numbers, [[1]]));
        ag.A.Do(Full() with { Devices = ["full.bak"] });
        ag.A.Do(new InsertRows(Numbers, [[2]]));
        ag.A.Do(Log() with { Devices = ["log.trn"] });
        foreach (var name in new[] { "b", "c" })
        {
            ag.A.Do(new ModifyReplica("ag1", new ReplicaSpec(name, new ReplicaOptions { SeedingMode = SeedingMode.Manual })));
        }

        ag.World.Until(() => ThreeReplicas.Synchronized(ag.A, ag.B, ag.C), "connected again");
        var join = new SetHadr("d", HadrAction.Join, "ag1");
        foreach (var file in new[] { "data/full.bak", "data/log.trn" })
        {
            ag.B.Replace(file, ag.A.Read(file)!);
        }

        ag.B.Do(new Restore("d", false, ["full.bak"]) { Recovery = false });
        Assert.That(ag.B.Try(join), Is.EqualTo(41132), "not yet added on the primary");
        ag.A.Do(new AddGroupDatabases("ag1", ["d"]));
        ag.World.Run(5);
        Assert.That(ag.B.View("dm_hadr_database_replica_states"), Has.Count.EqualTo(1), "nothing is seeded on its own");
        Assert.That(ag.B.Try(join), Is.EqualTo(1408), "the backup of the log is missing");
        ag.B.Do(new Restore("d", true, ["log.trn"]));
        Assert.That(ag.B.Try(join), Is.EqualTo(1464), "recovered");
        ag.B.Do(new Restore("d", false, ["full.bak"]) { Recovery = false, Replace = true });
        ag.B.Do(new Restore("d", true, ["log.trn"]) { Recovery = false });
        ag.B.Do(join);
        Assert.That(ag.B.Try(join), Is.EqualTo(35280));
        ag.A.Do(new InsertRows(Numbers, [[3]]));
        ag.World.Until(() => ag.B.Values("t", "d").Count == 3, "the rest of the log comes from the primary");
        Assert.That(ag.B.Try(new Restore("d", false, ["full.bak"]) { Replace = true }), Is.EqualTo(3104));
        Assert.That(ag.C.Instance.Databases, Does.Not.ContainKey("d"));

        ag.C.Do(new CreateDatabase("d"));
        ag.C.Do(Full() with { Devices = ["foreign.bak"] });
        ag.C.Do(new Restore("d", false, ["foreign.bak"]) { Recovery = false, Replace = true });
        Assert.That(ag.C.Try(join), Is.EqualTo(1408), "a copy of another database of that name");
    }

    private static World.Node WithDatabase(World world)
    {
        var node = world.Add("a");
        node.Do(new CreateDatabase("d"));
        node.Do(new CreateTable(Numbers, [new ColumnDefinition("id", new SqlType(SqlKind.Int))], ["id"]));
        node.Do(new InsertRows(Numbers, [[1]]));
        return node;
    }

    private static World.Node WithBackups()
    {
        var node = WithDatabase(new World());
        node.Do(Full() with { Devices = ["full.bak"] });
        node.Do(Full() with { Devices = ["stripe1.bak", "stripe2.bak"], CopyOnly = true });
        node.Do(Full() with { Devices = ["both.bak"], CopyOnly = true });
        node.Do(new InsertRows(Numbers, [[2]]));
        node.Do(Log() with { Devices = ["both.bak"], CopyOnly = true });
        node.Do(Log() with { Devices = ["log1.trn"] });
        node.Do(new InsertRows(Numbers, [[3]]));
        node.Do(Log() with { Devices = ["log2.trn"] });
        node.Do(new CreateDatabase("foreign"));
        node.Do(new Backup("foreign", false) { Devices = ["foreign.bak"] });
        node.Replace("data/garbled.bak", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        return node;
    }

    private static Backup Full() => new("d", Log: false) { Devices = ["x.bak"] };

    private static Backup Log() => new("d", Log: true) { Devices = ["x.trn"] };

    private static CreateGroup Group(string database) =>
        new("g", new GroupOptions { ClusterType = ClusterType.External }, [database], [ThreeReplicas.Spec("a")]);
}
