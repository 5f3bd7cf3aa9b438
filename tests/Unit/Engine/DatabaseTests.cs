using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace Unit.Engine;

/// <summary>Databases outside and inside of a group: which statement is answered how in which state; 0 is success.</summary>
public sealed class DatabaseTests
{
    private static readonly TableName Numbers = new("d", "dbo", "t");
    private static readonly Termination AtOnce = new(RollbackAfter: TimeSpan.Zero);

    private static readonly string[] States =
        ["online", "read only", "restoring", "offline", "emergency", "suspect", "recovering", "recovery pending", "in a group"];

    private static IEnumerable<TestCaseData> Statements()
    {
        TestCaseData Case(string name, EngineCommand command, params int[] expected) => new TestCaseData(command, expected).SetArgDisplayNames(name);

        yield return Case("use", new UseDatabase("d"), 0, 0, 927, 942, 0, 926, 922, 945, 0);
        yield return Case("write", new InsertRows(Numbers, [[2]]), 0, 3906, 927, 942, 3908, 926, 922, 945, 0);
        yield return Case("create table", new CreateTable(new TableName("d", "dbo", "u"), [new ColumnDefinition("id", new SqlType(SqlKind.Int))], []), 0, 3906, 927, 942, 3908, 926, 922, 945, 0);
        yield return Case("full recovery", new SetRecovery("d", RecoveryModel.Full), 0, 0, 5052, 942, 0, 926, 5052, 0, 0);
        yield return Case("simple recovery", new SetRecovery("d", RecoveryModel.Simple), 0, 0, 5052, 942, 0, 926, 5052, 0, 1468);
        yield return Case("read only", new SetReadOnly("d", true), 0, 0, 5052, 942, 0, 926, 5052, 0, 1468);
        yield return Case("single user", new SetUserAccess("d", UserAccess.SingleUser), 0, 0, 5052, 942, 0, 926, 5052, 0, 1468);
        yield return Case("restricted", new SetUserAccess("d", UserAccess.RestrictedUser), 0, 0, 5052, 942, 0, 926, 5052, 0, 1468);
        yield return Case("multi user", new SetUserAccess("d", UserAccess.MultiUser), 0, 0, 5052, 942, 0, 926, 5052, 0, 0);
        yield return Case("offline", new SetDatabaseState("d", DatabaseState.Offline), 0, 0, 5052, 0, 0, 0, 5052, 0, 1468);
        yield return Case("online", new SetDatabaseState("d", DatabaseState.Online), 0, 0, 5052, 0, 0, 0, 5052, 0, 0);
        yield return Case("emergency", new SetDatabaseState("d", DatabaseState.Emergency), 0, 0, 5052, 0, 0, 0, 5052, 0, 1468);
        yield return Case("auto close", new SetDatabaseOption("d", "AUTO_CLOSE", 1), 0, 0, 5052, 942, 0, 926, 5052, 0, 1468);
        yield return Case("a level", new SetDatabaseOption("d", "COMPATIBILITY_LEVEL", 150), 0, 0, 5052, 942, 0, 926, 5052, 0, 0);
        yield return Case("no level", new SetDatabaseOption("d", "COMPATIBILITY_LEVEL", 155), Enumerable.Repeat(15048, 9).ToArray());
        yield return Case("rename", new RenameDatabase("d", "e"), 0, 0, 5052, 0, 0, 926, 5052, 0, 1468);
        yield return Case("rename to one that is there", new RenameDatabase("d", "msdb"), 1801, 1801, 5052, 1801, 1801, 926, 5052, 1801, 1468);
        yield return Case("drop", new DropDatabase("d"), 0, 0, 0, 0, 0, 0, 0, 0, 3752);
        yield return Case("create again", new CreateDatabase("D"), Enumerable.Repeat(1801, 9).ToArray());
    }

    [TestCaseSource(nameof(Statements))]
    public void Statement_by_state(object command, int[] expected)
    {
        Assert.That(expected, Has.Length.EqualTo(States.Length));
        for (var index = 0; index < States.Length; index++)
        {
            var node = In(States[index]);
            Assert.That(node.Try((EngineCommand)command), Is.EqualTo(expected[index]), States[index]);
        }
    }

    private static IEnumerable<TestCaseData> GroupCandidates()
    {
        TestCaseData Case(string name, int number, string database, params EngineCommand[] before) =>
            new TestCaseData(number, database, before).SetArgDisplayNames(name);

        var backup = new Backup("d", Log: false);
        yield return Case("fit", 0, "d", backup);
        yield return Case("no full backup", 1475, "d");
        yield return Case("copy-only backup", 1475, "d", new Backup("d", Log: false, CopyOnly: true));
        yield return Case("chain broken by SIMPLE", 1475, "d", backup, new SetRecovery("d", RecoveryModel.Simple), new SetRecovery("d", RecoveryModel.Full));
        yield return Case(
            "chain begun anew", 0, "d", backup, new SetRecovery("d", RecoveryModel.Simple), new SetRecovery("d", RecoveryModel.Full), backup);
        yield return Case("SIMPLE", 1465, "d", new SetRecovery("d", RecoveryModel.Simple), backup);
        yield return Case("BULK_LOGGED", 1465, "d", backup, new SetRecovery("d", RecoveryModel.BulkLogged));
        yield return Case("BULK_LOGGED and back", 0, "d", backup, new SetRecovery("d", RecoveryModel.BulkLogged), new SetRecovery("d", RecoveryModel.Full));
        yield return Case("read-only", 1466, "d", backup, new SetReadOnly("d", true));
        yield return Case("single-user", 1488, "d", backup, new SetUserAccess("d", UserAccess.SingleUser));
        yield return Case("restricted", 0, "d", backup, new SetUserAccess("d", UserAccess.RestrictedUser));
        yield return Case("auto-close", 1469, "d", backup, new SetDatabaseOption("d", "AUTO_CLOSE", 1));
        yield return Case("emergency", 1467, "d", backup, new SetDatabaseState("d", DatabaseState.Emergency));
        yield return Case("offline", 942, "d", backup, new SetDatabaseState("d", DatabaseState.Offline));
        yield return Case("unknown", 35238, "nope");
        yield return Case("system", 35249, "msdb");
        yield return Case("in another group", 35244, "d", backup, Group("other", "d"));
        yield return Case("in this group", 35244, "d", backup, new AddGroupDatabases("g", ["d"]));
    }

    [TestCaseSource(nameof(GroupCandidates))]
    public void Added_to_a_group_only_when_fit(int number, string database, object before)
    {
        foreach (var creates in new[] { false, true })
        {
            var node = Alone();
            if (!creates || ((EngineCommand[])before).Any(command => command is AddGroupDatabases))
            {
                node.Do(Group("g"));
            }

            foreach (var command in (EngineCommand[])before)
            {
                node.Do(command);
            }

            EngineCommand statement = creates ? Group("new", database) : new AddGroupDatabases("g", [database]);
            Assert.That(node.Try(statement), Is.EqualTo(number), statement.ToString());
            Assert.That(
                node.Instance.Databases["d"].Entry.Group is not null,
                Is.EqualTo(number == 0 || ((EngineCommand[])before).Any(command => command is AddGroupDatabases or CreateGroup)));
        }
    }

    [Test]
    public void Others_in_a_database_are_awaited_or_end_the_statement_or_are_ended()
    {
        var world = new World();
        var node = world.Add("a");
        node.Do(new CreateDatabase("d"));
        var other = node.LogIn("d");
        Assert.That(node.Try(new SetUserAccess("d", UserAccess.SingleUser) { Termination = new Termination(NoWait: true) }), Is.EqualTo(5070));

        var waiting = node.Begin(new SetUserAccess("d", UserAccess.SingleUser));
        world.Run(600);
        Assert.That(waiting.IsCompleted, Is.False, "without a termination it waits without limit");
        Assert.That(() => node.LogIn("d"), Throws.InstanceOf<SqlErrorException>().With.Property("Error").Property("Number").EqualTo(952));
        node.Do(new UseDatabase("master"), other);
        Assert.That(waiting.IsCompleted, Is.True);

        node.Do(new UseDatabase("d"), other);
        Assert.That(node.Try(new UseDatabase("d")), Is.EqualTo(924));
        Assert.That(node.Try(new SetUserAccess("d", UserAccess.MultiUser)), Is.EqualTo(5064));
        node.Do(new SetUserAccess("d", UserAccess.MultiUser), other);

        var soon = node.Begin(new SetReadOnly("d", true) { Termination = new Termination(RollbackAfter: TimeSpan.FromSeconds(5)) });
        world.Run(4);
        Assert.That(soon.IsCompleted, Is.False);
        world.Run(2);
        Assert.That(soon.IsCompleted, Is.True);
        Assert.That(node.Ended, Does.Contain(other));

        var third = node.LogIn("d");
        var messages = node.Do(new SetDatabaseState("d", DatabaseState.Offline) { Termination = AtOnce }).Messages;
        Assert.That(messages.Select(message => message.Number), Is.EqualTo(new[] { 5060, 5060 }));
        Assert.That(node.Ended, Does.Contain(third));
    }

    [Test]
    public void An_open_transaction_counts_as_being_in_the_database_and_is_rolled_back()
    {
        var node = Alone();
        var other = node.LogIn();
        node.Do(new BeginTransaction(), other);
        node.Do(new InsertRows(Numbers, [[7]]), other);
        Assert.That(node.Try(new DropDatabase("d")), Is.EqualTo(3702));
        node.Do(new SetUserAccess("d", UserAccess.SingleUser) { Termination = AtOnce });
        Assert.That(node.Values("t", "d"), Is.EqualTo(new object[] { 1 }));
        node.Do(new DropDatabase("d"));
    }

    [Test]
    public void A_cancelled_wait_leaves_the_database_as_it_was()
    {
        var world = new World();
        var node = world.Add("a");
        node.Do(new CreateDatabase("d"));
        var other = node.LogIn("d");
        node.Begin(new SetReadOnly("d", true)).Cancel();
        node.Do(new UseDatabase("master"), other);
        Assert.That(node.View("databases").Single(row => (string)row["name"]! == "d")["is_read_only"], Is.False);
        node.LogIn("d");
    }

    [Test]
    public void Restricted_and_emergency_databases_are_for_administrators()
    {
        var node = Alone();
        node.Do(new CreateLogin("app", "G00d!Passw"));
        node.Do(new UseDatabase("d"));
        node.Do(new CreateUser("app", "app"));
        node.Do(new UseDatabase("master"));
        var app = node.LogIn("d", user: "app", password: "G00d!Passw");
        node.Do(new UseDatabase("master"), app);
        node.Do(new SetUserAccess("d", UserAccess.RestrictedUser));
        Assert.That(node.Try(new UseDatabase("d"), app), Is.EqualTo(923));
        node.Do(new SetUserAccess("d", UserAccess.MultiUser));
        node.Do(new SetDatabaseState("d", DatabaseState.Emergency));
        Assert.That(node.Try(new UseDatabase("d"), app), Is.EqualTo(916));
        Assert.That(node.Try(new SetDatabaseState("d", DatabaseState.Online), app), Is.EqualTo(5011));
    }

    [Test]
    public void States_and_options_are_shown_and_survive_a_restart()
    {
        var node = Alone();
        node.Do(new SetRecovery("model", RecoveryModel.Simple));
        node.Do(new CreateDatabase("s"));
        node.Do(new SetDatabaseOption("d", "READ_COMMITTED_SNAPSHOT", 1));
        node.Do(new SetDatabaseOption("d", "COMPATIBILITY_LEVEL", 130));
        node.Do(new SetUserAccess("d", UserAccess.RestrictedUser));
        node.Do(new SetDatabaseState("s", DatabaseState.Offline));
        for (var life = 0; life < 2; life++)
        {
            var rows = node.View("databases").ToDictionary(row => (string)row["name"]!);
            Assert.That(rows.Take(4).Select(row => (row.Key, row.Value["database_id"])), Is.EqualTo(new[] { ("master", (object?)1), ("tempdb", 2), ("model", 3), ("msdb", 4) }));
            Assert.That(rows["model"]["recovery_model_desc"], Is.EqualTo("SIMPLE"));
            Assert.That(rows["s"]["recovery_model"], Is.EqualTo((byte)3), "taken over from model");
            Assert.That((rows["s"]["state"], rows["s"]["state_desc"]), Is.EqualTo(((object)(byte)6, (object)"OFFLINE")));
            Assert.That((rows["d"]["user_access"], rows["d"]["user_access_desc"]), Is.EqualTo(((object)(byte)2, (object)"RESTRICTED_USER")));
            Assert.That((rows["d"]["compatibility_level"], rows["d"]["is_read_committed_snapshot_on"]), Is.EqualTo(((object)(byte)130, (object)true)));
            Assert.That(rows["d"]["recovery_model_desc"], Is.EqualTo("FULL"));
            Assert.That(node.Try(new UseDatabase("s")), Is.EqualTo(942));
            node.Restart();
        }

        Assert.That((DateTime)node.View("databases").Single(row => (string)row["name"]! == "tempdb")["create_date"]!, Is.EqualTo(node.Instance.StartTime), "made anew at each start");
    }

    [Test]
    public void Files_have_their_places_and_no_place_is_taken_twice()
    {
        var node = Alone();
        node.Do(new CreateDatabase("f") { Files = [new DatabaseFile("f1", "/data/f1.mdf", false), new DatabaseFile("fl", "/data/f.ldf", true)] });
        Assert.That(node.Try(new CreateDatabase("g") { Files = [new DatabaseFile("g1", "/data/f1.mdf", false)] }), Is.EqualTo(5170));
        var files = node.View("master_files").Where(row => (int)row["database_id"]! > 4).Select(row => (row["file_id"], row["type_desc"], row["name"], row["physical_name"]));
        Assert.That(files, Is.EqualTo(new (object?, object?, object?, object?)[]
        {
            (1, "ROWS", "d", "/var/opt/mssql/data/d.mdf"), (2, "LOG", "d_log", "/var/opt/mssql/data/d_log.ldf"),
            (1, "ROWS", "f1", "/data/f1.mdf"), (2, "LOG", "fl", "/data/f.ldf"),
        }));
        node.Do(new UseDatabase("f"));
        Assert.That(node.View("database_files").Select(row => row["name"]), Is.EqualTo(new[] { "f1", "fl" }));
    }

    [Test]
    public void A_rename_takes_the_session_along_and_waits_for_nobody()
    {
        var node = Alone();
        node.Do(new UseDatabase("d"));
        var other = node.LogIn("d");
        Assert.That(node.Try(new RenameDatabase("", "e")), Is.EqualTo(5030));
        node.Do(new UseDatabase("master"), other);
        node.Do(new RenameDatabase("", "e"));
        Assert.That(node.Sa.Database, Is.EqualTo("e"));
        node.Restart();
        Assert.That(node.Values("t", "e"), Is.EqualTo(new object[] { 1 }));
    }

    /// <summary>An instance with database d, in which a table t has one row.</summary>
    private static World.Node Alone()
    {
        var node = new World().Add("a");
        node.Do(new CreateDatabase("d"));
        node.Do(new CreateTable(Numbers, [new ColumnDefinition("id", new SqlType(SqlKind.Int))], ["id"]));
        node.Do(new InsertRows(Numbers, [[1]]));
        return node;
    }

    private static World.Node In(string state)
    {
        var node = Alone();
        var database = node.Instance.Databases["d"];
        switch (state)
        {
            case "read only":
                node.Do(new SetReadOnly("d", true));
                break;
            case "restoring":
                database.Entry.Restoring = true;
                break;
            case "offline":
                node.Do(new SetDatabaseState("d", DatabaseState.Offline));
                break;
            case "emergency":
                node.Do(new SetDatabaseState("d", DatabaseState.Emergency));
                break;
            case "suspect":
                node.Instance.Inflict(new DamagedDatabase("d", Damage.Suspect));
                break;
            case "recovering":
                node.Instance.Inflict(new SlowRecovery("d", TimeSpan.FromHours(1)));
                database.Recover();
                break;
            case "recovery pending":
                node.Instance.Inflict(new DamagedDatabase("d", Damage.RecoveryPending));
                break;
            case "in a group":
                node.Do(new Backup("d", Log: false));
                node.Do(Group("g", "d"));
                break;
            default:
                break;
        }

        return node;
    }

    private static CreateGroup Group(string name, params string[] databases) =>
        new(name, new GroupOptions { ClusterType = ClusterType.External }, databases, [ThreeReplicas.Spec("a")]);
}
