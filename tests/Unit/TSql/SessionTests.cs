using System.Threading.Channels;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Execution;

namespace Unit.TSql;

/// <summary>T-SQL over a real engine.</summary>
public sealed class SessionTests
{
    private const string Table = "CREATE DATABASE d; USE d; CREATE TABLE t (id int NOT NULL PRIMARY KEY, v nvarchar(5) NULL, n int NOT NULL DEFAULT (6 * 7));";

    [TestCase("INSERT t (id, v) VALUES (1, N'a'), (2, NULL) SELECT * FROM t", "(2) [1,a,42] [2,NULL,42] (2)")]
    [TestCase("INSERT t VALUES (1, N'a', 5) SELECT @@ROWCOUNT", "(1) [1] (1)")]
    [TestCase("INSERT t (id) SELECT object_id % 1 + 3 FROM sys.tables WHERE name = 't' SELECT id FROM dbo.t", "(1) [3] (1)")]
    [TestCase("INSERT t (id) VALUES (1), (2), (3) UPDATE t SET n = n + id, v = 'x' WHERE id > 1 SELECT id, v, n FROM t ORDER BY id DESC", "(3) (2) [3,x,45] [2,x,44] [1,NULL,42] (3)")]
    [TestCase("INSERT t (id) VALUES (1), (2) UPDATE t SET n += 1, v = DEFAULT DELETE FROM t WHERE n = 43 AND id = 1 SELECT id FROM d.dbo.t", "(2) (2) (1) [2] (1)")]
    [TestCase("INSERT t (id) VALUES (1), (2) TRUNCATE TABLE t SELECT COUNT(*) FROM t", "(2) [0] (1)")]
    [TestCase("INSERT t (id) VALUES (1) IF @@ROWCOUNT = 1 SELECT CAST(@@SERVERNAME AS nvarchar(128))", "(1) [mssql1-0] (1)")]
    [TestCase("UPDATE t SET n = 1 WHERE id = 9 SELECT @@ROWCOUNT", "(0) [0] (1)")]
    [TestCase("INSERT t (id) VALUES (1) UPDATE t SET n = (SELECT MAX(id) FROM t) + 1 SELECT n FROM t", "(1) (1) [2] (1)")]
    [TestCase("CREATE TABLE i (id bigint IDENTITY(10, 5), v int) INSERT i (v) VALUES (1), (2) SELECT id, SCOPE_IDENTITY(), @@IDENTITY FROM i", "(2) [10,15,15] [15,15,15] (2)")]
    [TestCase("CREATE TABLE i (id int IDENTITY, v int) SET IDENTITY_INSERT i ON INSERT i (id, v) VALUES (7, 1) SET IDENTITY_INSERT i OFF INSERT i (v) VALUES (2) SELECT id FROM i", "(1) (1) [7] [8] (2)")]
    [TestCase("DROP TABLE IF EXISTS nope DROP TABLE t SELECT OBJECT_ID('t'), OBJECT_ID('nope')", "[NULL,NULL] (1)")]
    [TestCase("IF OBJECT_ID(N'dbo.t', N'U') IS NOT NULL PRINT 'there'", "'there'")]
    [TestCase("SELECT DB_NAME() USE master SELECT DB_NAME(), DB_NAME(DB_ID('d'))", "[d] (1) d>master [master,d] (1)")]
    public async Task Data(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(Table)).Errors, Is.Empty);
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }

    [TestCase("INSERT t (id) VALUES (NULL)", 515)]
    [TestCase("INSERT t (id, v) VALUES (1, 'abcdef')", 2628)]
    [TestCase("INSERT t (id) VALUES (1), (1)", 2627)]
    [TestCase("INSERT t VALUES (1)", 213)]
    [TestCase("INSERT t (id, v) VALUES (1)", 109)]
    [TestCase("INSERT t (id) VALUES (1, 2)", 110)]
    [TestCase("INSERT t (id, v) SELECT 1", 120)]
    [TestCase("INSERT t (id, nope) VALUES (1, 2)", 207)]
    [TestCase("INSERT t (id, id) VALUES (1, 2)", 264)]
    [TestCase("INSERT t (id) VALUES ('x')", 245)]
    [TestCase("INSERT nope (id) VALUES (1)", 208)]
    [TestCase("UPDATE t SET nope = 1", 207)]
    [TestCase("DELETE FROM nope", 208)]
    [TestCase("INSERT sys.tables (name) VALUES ('x')", 259)]
    [TestCase("CREATE TABLE t (a int)", 2714)]
    [TestCase("CREATE TABLE u (a int, A int)", 2705)]
    [TestCase("CREATE TABLE u (a int NULL PRIMARY KEY)", 8111)]
    [TestCase("CREATE TABLE u (a nvarchar(5) IDENTITY)", 2749)]
    [TestCase("CREATE TABLE u (a int, PRIMARY KEY (b))", 1911)]
    [TestCase("CREATE TABLE i (id int IDENTITY, v int) INSERT i (id, v) VALUES (1, 1)", 544)]
    [TestCase("USE nope", 911)]
    [TestCase("SELECT * FROM nope.dbo.t", 208)]
    [TestCase("DROP TABLE nope", 3701)]
    public async Task Refuses(string batch, int number)
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table);
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo([number]));
        Assert.That((await sql.RunAsync("SELECT COUNT(*) FROM d.dbo.t")).Story, Is.EqualTo("[0] (1)"));
    }

    [TestCase("BEGIN TRAN INSERT t (id) VALUES (1) ROLLBACK SELECT COUNT(*), @@TRANCOUNT FROM t", "begin (1) end [0,0] (1)")]
    [TestCase("BEGIN TRAN INSERT t (id) VALUES (1) COMMIT SELECT COUNT(*) FROM t", "begin (1) end [1] (1)")]
    [TestCase("BEGIN TRAN BEGIN TRAN SELECT @@TRANCOUNT COMMIT SELECT @@TRANCOUNT ROLLBACK", "begin [2] (1) [1] (1) end")]
    [TestCase("BEGIN TRAN INSERT t (id) VALUES (1) SELECT 1/0 COMMIT SELECT COUNT(*) FROM t", "begin (1) !8134 end [1] (1)")]
    [TestCase("SET XACT_ABORT ON BEGIN TRAN INSERT t (id) VALUES (1) SELECT 1/0 COMMIT", "begin (1) !8134 end")]
    [TestCase("BEGIN TRAN INSERT t (id) VALUES (1) SELECT CAST('x' AS int) COMMIT", "begin (1) !245 end")]
    [TestCase("BEGIN TRAN INSERT t (id) VALUES (1) INSERT t (id) VALUES (1) COMMIT SELECT COUNT(*) FROM t", "begin (1) !2627 end [1] (1)")]
    [TestCase("SET XACT_ABORT ON BEGIN TRY BEGIN TRAN INSERT t (id) VALUES (1) SELECT 1/0 END TRY BEGIN CATCH SELECT XACT_STATE() ROLLBACK SELECT XACT_STATE() END CATCH", "begin (1) [-1] (1) end [0] (1)")]
    [TestCase("SET XACT_ABORT ON BEGIN TRY BEGIN TRAN SELECT 1/0 END TRY BEGIN CATCH INSERT t (id) VALUES (1) END CATCH", "begin !3930 end")]
    [TestCase("SET XACT_ABORT ON BEGIN TRY BEGIN TRAN SELECT 1/0 END TRY BEGIN CATCH PRINT 'c' END CATCH", "begin 'c' end !3998")]
    [TestCase("BEGIN TRY BEGIN TRAN SELECT 1/0 END TRY BEGIN CATCH SELECT XACT_STATE() COMMIT END CATCH", "begin [1] (1) end")]
    [TestCase("BEGIN TRAN BACKUP DATABASE d TO DISK = 'x' ROLLBACK", "begin !3021 end")]
    [TestCase("BEGIN TRAN CREATE DATABASE e ROLLBACK", "begin !226 end")]
    [TestCase("USE master BEGIN TRAN ALTER AVAILABILITY GROUP ag OFFLINE ROLLBACK", "d>master begin !574 end")]
    [TestCase("ALTER AVAILABILITY GROUP ag OFFLINE", "!35208")]
    public async Task Transactions(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table);
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
        Assert.That(sql.Session.InTransaction, Is.False);
    }

    [Test]
    public async Task A_session_sees_only_what_others_have_committed()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table);
        var other = await sql.LogInAsync(database: "d");
        await sql.RunAsync("BEGIN TRAN INSERT t (id) VALUES (1)");
        Assert.That((await SqlFixture.RunAsync(other, "SELECT id FROM t")).Story, Is.EqualTo("(0)"));
        await sql.RunAsync("COMMIT");
        Assert.That((await SqlFixture.RunAsync(other, "SELECT id FROM t")).Story, Is.EqualTo("[1] (1)"));
    }

    [Test]
    public async Task A_writer_waits_for_a_lock_until_its_time_is_over()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table + "INSERT t (id) VALUES (1) BEGIN TRAN UPDATE t SET n = 1");
        var other = await sql.LogInAsync(database: "d");
        Assert.That((await SqlFixture.RunAsync(other, "SET LOCK_TIMEOUT 50 UPDATE t SET n = 2")).Errors, Is.EqualTo([1222]));
        var waiting = SqlFixture.RunAsync(other, "SET LOCK_TIMEOUT -1 UPDATE t SET n += 1");
        await sql.RunAsync("COMMIT");
        Assert.That((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Story, Is.EqualTo("(1)"));
        Assert.That((await sql.RunAsync("SELECT n FROM t")).Story, Is.EqualTo("[2] (1)"));
    }

    [Test]
    public async Task Attention_ends_a_wait_for_a_lock_and_keeps_the_session()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table + "INSERT t (id) VALUES (1) BEGIN TRAN UPDATE t SET n = 1");
        var other = await sql.LogInAsync(database: "d");
        using var attention = new CancellationTokenSource();
        var waiting = other.ExecuteBatchAsync("UPDATE t SET n = 2", [], new RecordingOutput(), attention.Token);
        await attention.CancelAsync();
        Assert.That(async () => await waiting.WaitAsync(TimeSpan.FromSeconds(30)), Throws.InstanceOf<OperationCanceledException>());
        await sql.RunAsync("ROLLBACK");
        Assert.That((await SqlFixture.RunAsync(other, "SELECT n FROM t")).Story, Is.EqualTo("[42] (1)"));
    }

    [Test]
    public async Task Reset_clears_what_a_batch_has_left()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table + "SET NOCOUNT ON SET XACT_ABORT ON EXEC sp_set_session_context N'k', N'v' BEGIN TRAN INSERT t (id) VALUES (1)");
        Assert.That(sql.Session.InTransaction, Is.True);
        await sql.Session.ResetAsync();
        Assert.Multiple(() =>
        {
            Assert.That(sql.Session.InTransaction, Is.False);
            Assert.That(sql.Session.Database, Is.EqualTo("master"));
        });
        Assert.That(
            (await sql.RunAsync("SELECT SESSION_CONTEXT(N'k'), @@TRANCOUNT, (SELECT COUNT(*) FROM d.dbo.t) SELECT 1/0 PRINT 'on'")).Story,
            Is.EqualTo("[NULL,0,0] (1) !8134 'on'"));
    }

    [Test]
    public async Task Session_context_holds_for_the_session()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("EXEC sp_set_session_context @key = N'a', @value = N'x' EXEC sys.sp_set_session_context N'b', 5, @read_only = 1");
        Assert.That((await sql.RunAsync("SELECT SESSION_CONTEXT(N'A'), SESSION_CONTEXT(N'b')")).Story, Is.EqualTo("[x,5] (1)"));
        Assert.That((await sql.RunAsync("EXEC sp_set_session_context N'b', 6")).Errors, Is.EqualTo([15664]));
    }

    [Test]
    public async Task Requests_of_the_transaction_manager_share_the_sessions_transaction()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Table);
        var output = new RecordingOutput();
        await sql.Session.TransactionAsync(TransactionRequest.Begin, null, output, default);
        Assert.That(sql.Session.InTransaction, Is.True);
        await sql.RunAsync("INSERT t (id) VALUES (1)");
        await sql.Session.TransactionAsync(TransactionRequest.Rollback, null, output, default);
        Assert.That(output.Story, Is.EqualTo("begin end"));
        Assert.That((await sql.RunAsync("SELECT COUNT(*), @@TRANCOUNT FROM t")).Story, Is.EqualTo("[0,0] (1)"));
    }

    [Test]
    public async Task A_login_without_rights_is_refused_by_views_and_sees_no_group()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync($"CREATE LOGIN low WITH PASSWORD = '{SqlFixture.Password}'");
        var low = await sql.LogInAsync("low");
        Assert.That((await SqlFixture.RunAsync(low, "SELECT * FROM sys.dm_os_sys_info")).Errors, Is.EqualTo([300, 297]));
        Assert.That((await SqlFixture.RunAsync(low, "EXEC sp_server_diagnostics")).Errors, Is.Not.Empty);
        Assert.That((await SqlFixture.RunAsync(low, "SELECT name FROM sys.availability_groups SELECT SUSER_SNAME(), IS_SRVROLEMEMBER('sysadmin'), HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')")).Story,
            Is.EqualTo("(0) [low,0,0] (1)"));
        await sql.RunAsync("GRANT VIEW SERVER STATE TO low");
        Assert.That((await SqlFixture.RunAsync(low, "SELECT COUNT(*) FROM sys.dm_os_sys_info SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')")).Story,
            Is.EqualTo("[1] (1) [1] (1)"));
    }

    [Test]
    public async Task Logins_change_their_passwords()
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync("CREATE LOGIN l WITH PASSWORD = 'weak'")).Errors.Single(), Is.InRange(33062, 33064));
        await sql.RunAsync("CREATE LOGIN l WITH PASSWORD = 'weak', CHECK_POLICY = OFF");
        Assert.That((await sql.TryLogInAsync("l", "WEAK")).Errors[^1].Number, Is.EqualTo(18456));
        await sql.LogInAsync("l", "weak");
        await sql.RunAsync("ALTER LOGIN l WITH PASSWORD = 'Other!Passw0rd'");
        Assert.That((await sql.TryLogInAsync("l", "weak")).Session, Is.Null);
        await sql.LogInAsync("l", "Other!Passw0rd");
        await sql.RunAsync("ALTER LOGIN l DISABLE");
        Assert.That((await sql.TryLogInAsync("l", "Other!Passw0rd")).Session, Is.Null);
        Assert.That((await sql.RunAsync("DROP LOGIN nope")).Errors, Is.EqualTo([15151]));
    }

    [Test]
    public async Task Application_locks_exclude_and_are_given_back()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var other = await sql.LogInAsync();
        const string take = "DECLARE @r int EXEC @r = sp_getapplock @Resource = N'agent', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 0 SELECT @r";
        Assert.That((await sql.RunAsync(take)).Story, Is.EqualTo("[0] (1)"));
        Assert.That((await SqlFixture.RunAsync(other, take)).Story, Is.EqualTo("[-1] (1)"));
        var waiting = SqlFixture.RunAsync(other, take.Replace("= 0 ", "= 60000 ", StringComparison.Ordinal));
        await sql.RunAsync("EXEC sp_releaseapplock N'agent', 'Session'");
        Assert.That((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Story, Is.AnyOf("[0] (1)", "[1] (1)"));
        await other.ResetAsync();
        Assert.That((await sql.RunAsync(take)).Story, Is.EqualTo("[0] (1)"));
        Assert.That((await sql.RunAsync("BEGIN TRAN EXEC sp_getapplock 'x', 'Exclusive' COMMIT")).Errors, Is.Empty);
        Assert.That((await SqlFixture.RunAsync(other, "BEGIN TRAN DECLARE @r int EXEC @r = sp_getapplock 'x', 'Exclusive', 'Transaction', 0 SELECT @r ROLLBACK")).Story,
            Is.EqualTo("begin [0] (1) end"));
    }

    [Test]
    public async Task Diagnostics_answer_once_or_until_attention()
    {
        await using var sql = await SqlFixture.OpenAsync(new SqlServerSettings { DiagnosticsDuration = TimeSpan.FromMilliseconds(1) });
        var once = await sql.RunAsync("EXEC sp_server_diagnostics");
        Assert.Multiple(() =>
        {
            Assert.That(once.Sets.Single().Select(column => column.Name), Is.EqualTo(["create_time", "component_type", "component_name", "state", "state_desc", "data"]));
            Assert.That(once.Rows.Select(row => row[2]), Is.EqualTo(["system", "resource", "query_processing", "io_subsystem", "events"]));
            Assert.That(once.Rows.Take(3).Select(row => row[3]), Is.EqualTo([1, 1, 1]));
        });
    }

    [Test]
    public async Task Repeating_diagnostics_send_one_set_an_interval()
    {
        var time = new StepTime();
        await using var sql = await SqlFixture.OpenAsync(new SqlServerSettings { Time = time });
        using var attention = new CancellationTokenSource();
        var output = new RecordingOutput();
        var run = sql.Session.ExecuteBatchAsync("EXEC sp_server_diagnostics @repeat_interval = 5", [], output, attention.Token);
        for (var sets = 0; sets < 3; sets++)
        {
            Assert.That(await output.Flushed.WaitAsync(TimeSpan.FromSeconds(30)), Is.True);
            Assert.That(output.Sets, Has.Count.EqualTo(sets));
            await time.StepAsync();
        }

        await attention.CancelAsync();
        Assert.That(async () => await run.WaitAsync(TimeSpan.FromSeconds(30)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Server_functions_answer()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("""
            SELECT @@SERVERNAME, SERVERPROPERTY('ServerName'), CAST(SERVERPROPERTY('IsHadrEnabled') AS int), SERVERPROPERTY('nope'),
                SUSER_SNAME(), ORIGINAL_LOGIN(), IS_SRVROLEMEMBER('sysadmin'), DB_ID('master'), DB_ID('nope'), CERT_ID('nope'),
                sys.fn_hadr_is_primary_replica('master'), sys.fn_hadr_backup_is_preferred_replica('master'), APP_NAME(), HOST_NAME()
            SELECT name FROM sys.servers WHERE server_id = 0
            SELECT name FROM sys.databases WHERE database_id <= 4 ORDER BY database_id
            """);
        Assert.That(
            output.Story,
            Is.EqualTo("[mssql1-0,mssql1-0,1,NULL,sa,sa,1,1,NULL,NULL,NULL,True,tests,here] (1) [mssql1-0] (1) [master] [tempdb] [model] [msdb] (4)"));
        Assert.That((await sql.RunAsync("SELECT @@VERSION, @@SPID")).Rows[0][0], Does.StartWith("Microsoft SQL Server 20"));
    }

    /// <summary>A clock that moves only when it is told to, to the end of the one wait that there is.</summary>
    private sealed class StepTime : TimeProvider
    {
        private readonly Channel<Action> _waits = Channel.CreateUnbounded<Action>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Assert.That(dueTime, Is.EqualTo(TimeSpan.FromSeconds(5)));
                _waits.Writer.TryWrite(() => callback(state));
            }

            return new Handle();
        }

        public async Task StepAsync()
        {
            var fire = await _waits.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            fire();
        }

        private sealed class Handle : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
