using System.Globalization;
using System.Xml.Linq;
using Agents.Health;
using Agents.Sql;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using EngineFault = SqlServerSimulator.Engine.Fault;

namespace Unit.Engine;

/// <summary>What each fault makes a client, a peer or the diagnostics see, and whether healing it heals.</summary>
internal sealed class FaultTests
{
    private static readonly TableName Table = new("db", "dbo", "t");

    // Faults against statements

    public static IEnumerable<TestCaseData> Refusals()
    {
        EngineCommand insert = new InsertRows(Table, [[2]]);
        EngineCommand delete = new DeleteRows(Table, _ => true);
        yield return Case(new FullDisk(FullFile.Log), insert, 9002);
        yield return Case(new FullDisk(FullFile.Log), delete, 9002);
        yield return Case(new FullDisk(FullFile.Log), new CreateTable(new TableName("db", "dbo", "u"), [new ColumnDefinition("id", new SqlType(SqlKind.Int))], []), 9002);
        yield return Case(new FullDisk(FullFile.Log), new CreateDatabase("other"), 5149);
        yield return Case(new FullDisk(FullFile.Log), new Backup("db", Log: false), 3202);
        yield return Case(new FullDisk(FullFile.Log), new UseDatabase("db"), 0);
        yield return Case(new FullDisk(FullFile.Data), insert, 1105);
        yield return Case(new FullDisk(FullFile.Data), delete, 0);
        yield return Case(new DamagedDatabase("db", Damage.Suspect), insert, 926, heals: false);
        yield return Case(new DamagedDatabase("db", Damage.Suspect), new UseDatabase("db"), 926, heals: false);
        yield return Case(new DamagedDatabase("db", Damage.RecoveryPending), new UseDatabase("db"), 945, heals: false);
        yield return Case(new CorruptPage("db", "t", 824), delete, 824);
        yield return Case(new CorruptPage("db", "*", 823), delete, 823);
        yield return Case(new CorruptPage("db", "u", 824), delete, 0);
        yield return Case(new OutOfMemory(TimeSpan.FromSeconds(120)), insert, 701);
        yield return Case(new OutOfMemory(TimeSpan.FromSeconds(120)), new SetSessionContext("k", "v"), 0);

        static TestCaseData Case(EngineFault fault, EngineCommand command, int error, bool heals = true) =>
            new TestCaseData(fault, command, error, heals).SetArgDisplayNames(fault.Name, command.GetType().Name, error.ToString(CultureInfo.InvariantCulture));
    }

    [TestCaseSource(nameof(Refusals))]
    public void A_fault_refuses_statements_until_it_is_healed_or_for_good(EngineFault fault, EngineCommand command, int error, bool heals)
    {
        var (_, node) = OneInstance();
        node.Inflict(fault);
        Assert.That(node.Try(command, node.LogIn()), Is.EqualTo(error));
        node.HealAll();
        Assert.That(node.Try(command, node.LogIn()), Is.EqualTo(heals ? 0 : error), "healed");
        node.Restart();
        Assert.That(node.Values(database: "db"), Is.Not.Null);
        Assert.That(node.Try(new UseDatabase("db")), Is.Zero, "a restart recovers the database");
    }

    [Test]
    public void A_page_that_cannot_be_read_is_an_error_that_ends_the_connection_and_is_counted()
    {
        var (_, node) = OneInstance();
        node.Inflict(new CorruptPage("db", "t", 824));
        var error = Assert.Throws<SqlErrorException>(() => node.Instance.Read(node.Sa, Table))!.Error;
        Assert.That((error.Number, error.Severity), Is.EqualTo((824, 24)));
        Assert.That(Data(node, "system").Attribute("BadPagesDetected")!.Value, Is.EqualTo("1"));
        node.HealAll();
        Assert.That(node.Instance.Read(node.Sa, Table).Rows, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_full_log_takes_the_whole_transaction_with_it()
    {
        var (_, node) = OneInstance();
        node.Do(new BeginTransaction());
        node.Do(new InsertRows(Table, [[2]]));
        node.Inflict(new FullDisk(FullFile.Log));
        Assert.That(node.Try(new InsertRows(Table, [[3]])), Is.EqualTo(9002));
        Assert.That(node.Sa.InTransaction, Is.False);
        node.HealAll();
        Assert.That(node.Values(database: "db"), Is.EqualTo(new object[] { 1 }));
    }

    [Test]
    public void A_full_disk_keeps_a_commit_from_being_acknowledged_and_the_instance_stays()
    {
        var (_, node) = OneInstance();
        node.Do(new BeginTransaction());
        node.Do(new InsertRows(Table, [[2]]));
        node.Inflict(new FullDisk(FullFile.Log));
        Assert.That(node.Try(new CommitTransaction()), Is.EqualTo(9002));
        Assert.That(node.Try(new CreateLogin("who", "Str0ng!Passw0rd")), Is.EqualTo(9002));
        Assert.That(node.IsRunning, Is.True);
        node.HealAll();
        Assert.That(node.Values(database: "db"), Is.EqualTo(new object[] { 1 }), "it was rolled back");
    }

    // Disk

    [Test]
    public void On_a_slow_disk_commits_wait_for_a_flush_and_share_the_next_one_while_reads_do_not_wait()
    {
        var (world, node) = OneInstance();
        node.Inflict(new SlowDisk(TimeSpan.FromSeconds(2)));
        var commits = Enumerable.Range(2, 3).Select(id => node.Begin(new InsertRows(Table, [[id]]))).ToList();
        Assert.That(node.Instance.Read(node.Sa, Table).Rows, Has.Count.EqualTo(1));
        world.Run(1.9);
        Assert.That(commits.Select(commit => commit.IsCompleted), Is.All.False);
        world.Run(0.2);
        Assert.That(commits.Select(commit => commit.IsCompleted), Is.EqualTo(new[] { true, false, false }));
        world.Run(1.8);
        Assert.That(commits.Select(commit => commit.IsCompleted), Is.EqualTo(new[] { true, false, false }));
        world.Run(0.2);
        Assert.That(commits.Select(commit => commit.IsCompleted), Is.All.True);
        Assert.That(node.Values(database: "db"), Has.Count.EqualTo(4));
        node.HealAll();
        Assert.That(node.Begin(new InsertRows(Table, [[9]])).IsCompleted, Is.True);
    }

    [Test]
    public void A_stalled_disk_acknowledges_nothing_until_it_is_back()
    {
        var (world, node) = OneInstance();
        node.Inflict(new DiskStall());
        var commit = node.Begin(new InsertRows(Table, [[2]]));
        world.Run(100);
        Assert.That(commit.IsCompleted, Is.False);
        Assert.That(State(node, "io_subsystem"), Is.EqualTo(2));
        node.HealAll();
        Assert.That(commit.IsCompleted, Is.True);
    }

    [Test]
    public void Long_ios_are_a_warning_of_io_subsystem_and_short_ones_are_not()
    {
        var (world, node) = OneInstance();
        node.Inflict(new SlowDisk(TimeSpan.FromSeconds(5)));
        node.Do(new InsertRows(Table, [[2]]));
        Assert.That(State(node, "io_subsystem"), Is.EqualTo(1));
        node.Inflict(new SlowDisk(TimeSpan.FromSeconds(16)));
        node.Do(new InsertRows(Table, [[3]]));
        Assert.That(State(node, "io_subsystem"), Is.EqualTo(2));
        Assert.That((int)Data(node, "io_subsystem").Attribute("intervalLongIos")!, Is.Positive);
        node.HealAll();
        world.Run(60);
        Assert.That(State(node, "io_subsystem"), Is.EqualTo(1));
        Assert.That((int)Data(node, "io_subsystem").Attribute("totalLongIos")!, Is.EqualTo(1), "the total stays");
    }

    [Test]
    public void A_secondarys_slow_disk_slows_the_primarys_commits()
    {
        var group = new ThreeReplicas(required: 2);
        group.B.Inflict(new SlowDisk(TimeSpan.FromSeconds(3)));
        var commit = group.A.Begin(ThreeReplicas.Row(1));
        group.World.Run(2.5);
        Assert.That(commit.IsCompleted, Is.False);
        group.World.Run(1);
        Assert.That(commit.IsCompleted, Is.True);
    }

    [Test]
    public void The_primarys_own_slow_disk_slows_its_commits_though_the_secondaries_have_them()
    {
        var group = new ThreeReplicas(required: 1);
        group.A.Inflict(new SlowDisk(TimeSpan.FromSeconds(3)));
        var commit = group.A.Begin(ThreeReplicas.Row(1));
        group.World.Run(2.5);
        Assert.That(commit.IsCompleted, Is.False);
        Assert.That(group.B.Values(), Has.Count.EqualTo(1));
        group.World.Run(1);
        Assert.That(commit.IsCompleted, Is.True);
    }

    [Test]
    public void A_secondary_with_a_full_disk_suspends_its_copy_until_it_is_resumed()
    {
        var group = new ThreeReplicas(required: 1);
        group.B.Inflict(new FullDisk(FullFile.Log));
        group.A.Do(ThreeReplicas.Row(1));
        var row = group.B.View("dm_hadr_database_replica_states").Single();
        Assert.That((row["is_suspended"], row["suspend_reason_desc"]), Is.EqualTo(((object)true, (object)"SUSPEND_FROM_CAPTURE")));
        group.B.HealAll();
        group.World.Run(30);
        Assert.That(ThreeReplicas.Synchronized(group.A, group.B), Is.False, "still suspended");
        group.B.Do(new SetHadr("db1", HadrAction.Resume));
        group.World.Until(() => ThreeReplicas.Synchronized(group.A, group.B), "b is synchronized again");
        Assert.That(group.B.Values(), Has.Count.EqualTo(1));
    }

    // Databases

    [TestCase(Damage.Suspect, (byte)4, "SUSPECT", 926)]
    [TestCase(Damage.RecoveryPending, (byte)3, "RECOVERY_PENDING", 945)]
    public void A_damaged_database_of_a_primary_shows_and_the_group_can_fail_over(Damage damage, byte state, string description, int error)
    {
        var group = new ThreeReplicas(required: 1);
        var inside = group.A.LogIn("db1");
        group.A.Inflict(new DamagedDatabase("db1", damage));
        Assert.That(group.A.Ended, Does.Contain(inside));
        Assert.That(group.A.Try(ThreeReplicas.Row(1)), Is.EqualTo(error));
        Assert.That(group.A.View("databases").Single(row => (string)row["name"]! == "db1")["state_desc"], Is.EqualTo(description));
        var own = group.A.View("dm_hadr_database_replica_states").Single(row => (bool)row["is_local"]!);
        Assert.That((own["database_state"], own["synchronization_state_desc"]), Is.EqualTo(((object)state, (object)"NOT SYNCHRONIZING")));
        var replica = group.A.View("dm_hadr_availability_replica_states").Single(row => (bool)row["is_local"]!);
        Assert.That((replica["role_desc"], replica["synchronization_health_desc"]), Is.EqualTo(((object)"PRIMARY", (object)"NOT_HEALTHY")));

        group.B.FailOver();
        group.World.Until(() => group.B.Role == ReplicaRole.Primary, "b is primary");
        group.World.Until(() => group.A.Try(new SetRoleSecondary("ag1")) == 0, "a follows");
        group.World.Run(5);
        Assert.That(group.A.View("dm_hadr_database_replica_states").Single()["database_state_desc"], Is.EqualTo(description), "a is still damaged");
        Assert.That(group.A.TryFailOver(), Is.EqualTo(41142));
        group.A.Restart();
        group.Rejoin(group.B, group.A);
    }

    [Test]
    public void A_damaged_copy_of_a_secondary_leaves_the_commit_and_cannot_become_primary()
    {
        var group = new ThreeReplicas(required: 1);
        group.B.Inflict(new DamagedDatabase("db1", Damage.Suspect));
        group.A.Do(ThreeReplicas.Row(1));
        Assert.That(ThreeReplicas.Synchronized(group.A, group.B), Is.False);
        Assert.That(group.B.TryFailOver(), Is.EqualTo(41142));
        group.B.Restart();
        group.Rejoin(group.A, group.B);
        Assert.That(group.B.Values(), Has.Count.EqualTo(1));
    }

    [Test]
    public void Slow_recovery_holds_a_database_in_RECOVERING_after_a_start()
    {
        var (world, node) = OneInstance();
        node.Kill();
        node.Options = node.Options with { Faults = [new SlowRecovery("*", TimeSpan.FromSeconds(20))] };
        node.Start();
        Assert.That(node.Try(new UseDatabase("db")), Is.EqualTo(922));
        Assert.That(node.View("databases").Single(row => (string)row["name"]! == "db")["state_desc"], Is.EqualTo("RECOVERING"));
        world.Run(19);
        Assert.That(node.Try(new UseDatabase("db")), Is.EqualTo(922));
        world.Run(2);
        Assert.That(node.Try(new UseDatabase("db")), Is.Zero);
    }

    [Test]
    public void Slow_recovery_holds_a_new_primarys_database_in_RECOVERING()
    {
        var group = new ThreeReplicas(required: 1);
        group.B.Inflict(new SlowRecovery("db1", TimeSpan.FromSeconds(20)));
        Assert.That(group.B.Try(new UseDatabase("db1"), group.B.LogIn(readOnly: true)), Is.Zero, "nothing recovers yet");
        group.A.Kill();
        group.B.FailOver();
        group.World.Until(() => group.B.Role == ReplicaRole.Primary, "b is primary");
        Assert.That(group.B.Try(ThreeReplicas.Row(1)), Is.EqualTo(922));
        Assert.That(group.B.View("dm_hadr_availability_replica_states").Single(row => (bool)row["is_local"]!)["recovery_health_desc"], Is.EqualTo("ONLINE_IN_PROGRESS"));
        group.World.Run(21);
        group.Rejoin(group.B, group.C);
        Assert.That(group.B.Try(ThreeReplicas.Row(1)), Is.Zero);
    }

    // Links

    [TestCase(Ways.In)]
    [TestCase(Ways.Out)]
    [TestCase(Ways.Both)]
    public void A_dropped_link_ends_in_a_session_timeout_not_before(Ways ways)
    {
        var group = new ThreeReplicas(required: 1);
        group.A.Inflict(new LinkDrop("b", ways));
        group.World.Run(8);
        Assert.That(Connected(group.A, group.B), Is.True, "not noticed yet");
        group.World.Until(() => !Connected(group.A, group.B), "the session timeout ends it", 10);
        Assert.That(Connected(group.A, group.C), Is.True, "the other link is whole");
        group.A.Do(ThreeReplicas.Row(1));
        group.A.HealAll();
        group.World.Until(() => ThreeReplicas.Synchronized(group.A, group.B), "b is back");
        Assert.That(group.B.Values(), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_drop_that_ends_before_the_session_timeout_loses_nothing()
    {
        var group = new ThreeReplicas(required: 2);
        group.A.Inflict(new LinkDrop("b", Ways.Both));
        var commit = group.A.Begin(ThreeReplicas.Row(1));
        group.World.Run(5);
        Assert.That(commit.IsCompleted, Is.False);
        group.A.HealAll();
        group.World.Run(1);
        Assert.That(commit.Error, Is.Null);
        Assert.That(commit.IsCompleted, Is.True);
        Assert.That(Connected(group.A, group.B), Is.True);
    }

    [TestCase(Ways.In, 2.0)]
    [TestCase(Ways.Out, 2.0)]
    [TestCase(Ways.Both, 4.0)]
    public void A_delayed_link_delays_commits_by_each_way(Ways ways, double seconds)
    {
        var group = new ThreeReplicas(required: 2);
        group.A.Inflict(new LinkDelay("b", ways, TimeSpan.FromSeconds(2)));
        group.World.Run(5);
        var commit = group.A.Begin(ThreeReplicas.Row(1));
        group.World.Run(seconds - 0.2);
        Assert.That(commit.IsCompleted, Is.False);
        group.World.Run(0.4);
        Assert.That(commit.IsCompleted, Is.True);
        Assert.That(Connected(group.A, group.B), Is.True);
    }

    [Test]
    public void A_cut_link_is_seen_at_once_by_both_and_heals()
    {
        var group = new ThreeReplicas(required: 1);
        group.B.Inflict(new LinkCut("a"));
        group.World.Run(1);
        Assert.That(Connected(group.A, group.B), Is.False);
        Assert.That(group.B.View("dm_hadr_availability_replica_states").Single()["connected_state_desc"], Is.EqualTo("DISCONNECTED"));
        group.World.Run(30);
        Assert.That(ThreeReplicas.Synchronized(group.A, group.B), Is.False);
        group.B.HealAll();
        group.World.Until(() => ThreeReplicas.Synchronized(group.A, group.B), "b is back");
    }

    [Test]
    public void A_primary_cut_off_from_all_by_faults_of_its_own_gets_no_commit_through()
    {
        var group = new ThreeReplicas(required: 1);
        group.A.Inflict(new LinkCut("*"));
        var commit = group.A.Begin(ThreeReplicas.Row(1));
        group.World.Run(60);
        Assert.That(commit.IsCompleted, Is.False);
        var row = group.A.View("dm_hadr_availability_replica_states").Single(state => (bool)state["is_local"]!);
        Assert.That(row["current_configuration_commit_start_time_utc"], Is.Not.Null);
        group.A.HealAll();
        group.World.Until(() => commit.IsCompleted, "the commit goes through");
        Assert.That(commit.Error, Is.Null);
    }

    [Test]
    public void An_expired_certificate_stops_new_connections_and_leaves_those_that_are_up()
    {
        var group = new ThreeReplicas(required: 1);
        group.B.Inflict(new ExpiredCertificate());
        group.World.Run(30);
        Assert.That(Connected(group.A, group.B), Is.True);
        group.A.Do(new AlterEndpoint("dbm") { Started = false });
        group.A.Do(new AlterEndpoint("dbm") { Started = true });
        group.World.Run(30);
        Assert.That(Connected(group.A, group.B), Is.False);
        Assert.That(Connected(group.A, group.C), Is.True);
        group.B.HealAll();
        group.World.Until(() => Connected(group.A, group.B), "a new handshake goes through");
    }

    // Clock

    [Test]
    public void A_clock_jump_moves_wall_time_and_leaves_the_write_lease_alone()
    {
        var group = new ThreeReplicas(required: 1, lease: 60);
        var before = group.A.UtcNow;
        group.A.Inflict(new ClockJump(TimeSpan.FromDays(365)));
        Assert.That(group.A.UtcNow - before, Is.EqualTo(TimeSpan.FromDays(365)));
        group.A.Do(ThreeReplicas.Row(1));
        Assert.That(group.A.Role, Is.EqualTo(ReplicaRole.Primary));
        group.A.HealAll();
        Assert.That(group.A.UtcNow - before, Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    // Schedulers

    [Test]
    public void Deadlocked_schedulers_let_statements_and_logins_wait_and_then_go_on()
    {
        var (world, node) = OneInstance();
        node.Inflict(new DeadlockedSchedulers(TimeSpan.FromSeconds(60)));
        var statement = node.Begin(new InsertRows(Table, [[2]]));
        var login = node.Instance.AwaitWorker();
        world.Run(120);
        Assert.That((statement.IsCompleted, login.IsCompleted), Is.EqualTo((false, false)));
        node.HealAll();
        Assert.That((statement.IsCompleted, login.IsCompleted), Is.EqualTo((true, true)));
        Assert.That(node.Values(database: "db"), Has.Count.EqualTo(2));
    }

    [Test]
    public void A_statement_cancelled_while_it_waits_for_a_worker_never_runs()
    {
        var (_, node) = OneInstance();
        node.Inflict(new DeadlockedSchedulers(TimeSpan.FromSeconds(60)));
        var statement = node.Begin(new InsertRows(Table, [[2]]));
        statement.Cancel();
        node.HealAll();
        Assert.That(node.Values(database: "db"), Has.Count.EqualTo(1));
    }

    // Diagnostics

    public static IEnumerable<TestCaseData> Diagnostics()
    {
        yield return Case(new SystemError(SystemTrouble.Dumps), 0, "system", 3, "totalDumpRequests", "101");
        yield return Case(new SystemError(SystemTrouble.WriteViolations), 0, "system", 3, "writeAccessViolationCount", "4");
        yield return Case(new SystemError(SystemTrouble.OrphanedSpinlock), 0, "system", 3, "sickSpinlockTypeAfterAv", "LOCK_HASH");
        yield return Case(new OutOfMemory(TimeSpan.FromSeconds(120)), 100, "resource", 2, "isAnyPoolOutOfMemory", "1");
        yield return Case(new OutOfMemory(TimeSpan.FromSeconds(120)), 130, "resource", 3, "processOutOfMemoryPeriod", "130");
        yield return Case(new DeadlockedSchedulers(TimeSpan.FromSeconds(60)), 30, "query_processing", 2, "hasDeadlockedSchedulersOccurred", "0");
        yield return Case(new DeadlockedSchedulers(TimeSpan.FromSeconds(60)), 61, "query_processing", 3, "hasDeadlockedSchedulersOccurred", "1");
        yield return Case(new DiskStall(), 0, "io_subsystem", 1, "intervalLongIos", "0");
        foreach (var component in new[] { "system", "resource", "query_processing" })
        {
            yield return Case(new SqlServerSimulator.Engine.ComponentState(component, 0), 0, component, 0, null, null);
            yield return Case(new SqlServerSimulator.Engine.ComponentState(component, 1), 0, component, 1, null, null);
        }

        yield return Case(new SqlServerSimulator.Engine.ComponentState("system", 2), 0, "system", 2, "latchWarnings", "1");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("system", 3), 0, "system", 3, "intervalDumpRequests", "1");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("resource", 2), 0, "resource", 2, "lastNotification", "RESOURCE_MEMPHYSICAL_LOW");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("resource", 3), 0, "resource", 3, "processOutOfMemoryPeriod", "121");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("query_processing", 2), 0, "query_processing", 2, "workersIdle", "0");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("query_processing", 3), 0, "query_processing", 3, "hasUnresolvableDeadlockOccurred", "1");
        yield return Case(new SqlServerSimulator.Engine.ComponentState("io_subsystem", 2), 0, "io_subsystem", 2, "totalLongIos", "1");

        static TestCaseData Case(EngineFault fault, int seconds, string component, int state, string? attribute, string? value) =>
            new TestCaseData(fault, seconds, component, state, attribute, value).SetArgDisplayNames(fault.ToString(), $"after {seconds} s");
    }

    [TestCaseSource(nameof(Diagnostics))]
    public void Diagnostics_report_the_fault_with_data_that_explains_it(EngineFault fault, int seconds, string component, int state, string? attribute, string? value)
    {
        var (world, node) = OneInstance();
        node.Inflict(fault);
        world.Run(seconds);
        Assert.That(State(node, component), Is.EqualTo(state));
        if (attribute is not null)
        {
            Assert.That(Data(node, component).Attribute(attribute)?.Value, Is.EqualTo(value));
        }

        // The product reads the same rows.
        var report = Report(node);
        var expected = state switch { 0 => Agents.Health.ComponentState.Unknown, 1 => Agents.Health.ComponentState.Clean, 2 => Agents.Health.ComponentState.Warning, _ => Agents.Health.ComponentState.Error };
        Assert.That(report[component], Is.EqualTo(expected));
        var level = component switch { "system" => 3, "resource" => 4, "query_processing" => 5, _ => 6 };
        var verdict = HealthDecider.Decide(new HealthFacts(new Connected(), report, null), new HealthPolicy(5, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        Assert.That(verdict.State, Is.EqualTo(state == 3 && level <= 5 ? HealthState.Unhealthy : HealthState.Healthy));

        node.HealAll();
        world.Run(60);
        Assert.That(State(node, component), Is.EqualTo(1), "healed");
    }

    [Test]
    public void Diagnostics_keep_silent_or_come_late()
    {
        var (world, node) = OneInstance();
        Assert.That(node.Instance.AwaitDiagnostics().IsCompleted, Is.True);
        node.Inflict(new SilentDiagnostics());
        var silent = node.Instance.AwaitDiagnostics();
        world.Run(1000);
        Assert.That(silent.IsCompleted, Is.False);
        node.HealAll();
        Assert.That(silent.IsCompleted, Is.True);
        node.Inflict(new SlowDiagnostics(TimeSpan.FromSeconds(7)));
        var slow = node.Instance.AwaitDiagnostics();
        world.Run(6);
        Assert.That(slow.IsCompleted, Is.False);
        world.Run(2);
        Assert.That(slow.IsCompleted, Is.True);
    }

    [Test]
    public void A_fault_for_a_time_heals_by_itself_and_one_of_the_same_name_takes_its_place()
    {
        var (world, node) = OneInstance();
        node.Instance.Inflict(new SlowRecovery("a", TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(10));
        node.Instance.Inflict(new SlowRecovery("b", TimeSpan.FromSeconds(1)));
        node.Instance.Inflict(new SlowRecovery("b", TimeSpan.FromSeconds(2)));
        Assert.That(node.Instance.Faults.Select(active => active.Fault.Subject), Is.EqualTo(new[] { "a", "b" }));
        world.Run(11);
        Assert.That(node.Instance.Faults.Select(active => active.Fault), Is.EqualTo(new[] { new SlowRecovery("b", TimeSpan.FromSeconds(2)) }));
    }

    private static (World World, World.Node Node) OneInstance()
    {
        var world = new World();
        var node = world.Add("a");
        node.Do(new CreateDatabase("db"));
        node.Do(new CreateTable(Table, [new ColumnDefinition("id", new SqlType(SqlKind.Int))], ["id"]));
        node.Do(new InsertRows(Table, [[1]]));
        return (world, node);
    }

    private static bool Connected(World.Node primary, World.Node peer) => (byte)primary.View("dm_hadr_availability_replica_states")
        .Single(row => (Guid)row["replica_id"]! == peer.Group.File.LocalReplica)["connected_state"]! == 1;

    private static int State(World.Node node, string component) => node.Instance.Diagnostics(node.Sa).Single(row => row.ComponentName == component).State;

    private static XElement Data(World.Node node, string component) =>
        XElement.Parse(node.Instance.Diagnostics(node.Sa).Single(row => row.ComponentName == component).Data);

    private static DiagnosticsReport Report(World.Node node)
    {
        string[] columns = ["create_time", "component_type", "component_name", "state", "state_desc", "data"];
        return DiagnosticsReport.Read(new SqlResultSet(columns, [.. node.Instance.Diagnostics(node.Sa).Select(row =>
            new SqlRow(columns, [row.CreateTime, row.ComponentType, row.ComponentName, row.State, row.StateDescription, row.Data]))]));
    }
}
