using System.Net;
using SqlServerSimulator.Tds;
using Unit.TSql;

namespace Unit.Tds;

/// <summary>Calls and transactions by the protocol, T-SQL and engine included.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class TdsCallTests
{
    private const ushort Execute = 12, ExecuteSql = 10, Prepare = 11, PrepareAndExecute = 13, Unprepare = 15;
    private const byte ReadCommitted = 2;
    private const string Table = "CREATE DATABASE d; USE d; CREATE TABLE t (id int PRIMARY KEY)";

    private SqlFixture sql = null!;
    private TdsListener listener = null!;
    private RawTdsClient client = null!;

    [SetUp]
    public async Task Start()
    {
        sql = await SqlFixture.OpenAsync();
        listener = await TdsListener.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), sql.Server, new TdsOptions(), CancellationToken.None);
        client = await RawTdsClient.LogInAsync(listener.EndPoint, password: SqlFixture.Password);
    }

    [TearDown]
    public async Task Stop()
    {
        client.Dispose();
        await listener.DisposeAsync();
        await sql.DisposeAsync();
    }

    [TestCase(ExecuteSql)]
    [TestCase("sp_executesql")]
    [TestCase("sys.sp_executesql")]
    public async Task Text_with_parameters_gives_back_outputs_and_status(object procedure)
    {
        byte[][] parameters =
        [
            Rpc.NVarChar("SET @out = @in * 2 SELECT @in AS a", "@statement"), Rpc.NVarChar("@in int, @out bigint OUTPUT, @same int OUTPUT", "@params"),
            Rpc.Int(21, "@in"), Rpc.Output(Rpc.Int(0, "@out")), Rpc.Output(Rpc.Int(3, "@same")),
        ];
        var tokens = await (procedure is string name ? client.CallAsync(name, parameters) : client.CallAsync((ushort)procedure, parameters));
        Assert.That(Story(tokens), Is.EqualTo("columns a; row 21; doneinproc more 1; return 0; output @out=42; output @same=3; doneproc"));
        Assert.That(tokens.Where(token => token.Type == 0xAC).Select(token => token.Number), Is.EqualTo(new[] { 3, 4 }));
    }

    [Test]
    public async Task Outputs_without_names_come_back_by_their_place() =>
        Assert.That(
            Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT @b = @a + 1, @c = @a + 2"), Rpc.NVarChar("@a int, @b int OUT, @c int OUTPUT"), Rpc.Int(1), Rpc.Output(Rpc.Int(0)), Rpc.Output(Rpc.Int(0)))),
            Is.EqualTo("return 0; output =2; output =3; doneproc"));

    [TestCase("@p nvarchar(3)", "[abc]")]
    [TestCase("@p varchar(2)", "[ab]")]
    [TestCase("@p nchar(8)", "[abcdef  ]")]
    public async Task Value_becomes_of_the_declared_type(string declaration, string expected) =>
        Assert.That(
            (await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT N'[' + @p + N']'"), Rpc.NVarChar(declaration), Rpc.NVarChar("abcdef")))[1].Values[0],
            Is.EqualTo(expected));

    [Test]
    public async Task Default_is_the_declared_one_and_otherwise_missing()
    {
        var left = Rpc.Default(Rpc.Int(0, "@p"));
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT @p"), Rpc.NVarChar("@p int = 5"), left)), Does.StartWith("columns ; row 5;"));
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT @p"), Rpc.NVarChar("@p int = 5"))), Does.StartWith("columns ; row 5;"));
        var tokens = await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT @p"), Rpc.NVarChar("@p int"), left);
        Assert.That(tokens[0].Text, Is.EqualTo("The parameterized query '(@p int)SELECT @p' expects the parameter '@p', which was not supplied."));
    }

    [TestCase("SELECT @b", "@a int, @b int", 8178)]
    [TestCase("SELECT 1", "", 8144)]
    [TestCase("SELECT 1", "@b int = 1", 8145)]
    [TestCase("SELECT 1", "@a date", 206)]
    [TestCase("SELECT FROM", "@a int", 156)]
    public async Task Call_that_cannot_run_is_refused_without_a_status(string text, string declarations, int error)
    {
        var tokens = await client.CallAsync(ExecuteSql, Rpc.NVarChar(text), Rpc.NVarChar(declarations), Rpc.Int(4, "@a"));
        Assert.That(Story(tokens), Is.EqualTo($"error {error}; doneinproc more failed; doneproc failed"));
        Assert.That(Story(await client.QueryAsync("SELECT 1")), Is.EqualTo("columns ; row 1; done 1"));
    }

    [Test]
    public async Task Output_that_is_not_declared_as_one_is_8162() =>
        Assert.That(
            Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SET @a = 1"), Rpc.NVarChar("@a int"), Rpc.Output(Rpc.Int(0, "@a")))),
            Does.StartWith("error 8162;"));

    [Test]
    public async Task Status_is_the_error_of_the_last_statement()
    {
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT 1 / @a"), Rpc.NVarChar("@a int"), Rpc.Int(0))), Does.EndWith("return 8134; doneproc failed"));
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("SELECT 1 / @a SELECT 2"), Rpc.NVarChar("@a int"), Rpc.Int(0))), Does.EndWith("return 0; doneproc failed"));
    }

    [Test]
    public async Task Call_that_leaves_its_transaction_open_is_266_and_leaves_it_open()
    {
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("BEGIN TRAN"))), Does.Contain("error 266;").And.EndWith("return 266; doneproc failed intran"));
        Assert.That(Story(await client.QueryAsync("SELECT @@TRANCOUNT")), Is.EqualTo("columns ; row 1; done intran 1"));
    }

    [Test]
    public async Task Prepared_statements_live_until_unprepared()
    {
        var prepared = await client.CallAsync(PrepareAndExecute, Rpc.Output(Rpc.Int(0)), Rpc.NVarChar("@p1 numeric(10,2), @p2 int OUTPUT"), Rpc.NVarChar("SELECT @p1 SET @p2 += 1"), Rpc.Int(4), Rpc.Output(Rpc.Int(5)));
        Assert.That(Story(prepared), Is.EqualTo("columns ; row 400; doneinproc more 1; return 0; output =1; output =6; doneproc"));
        Assert.That(Story(await client.CallAsync(Execute, Rpc.Int(1), Rpc.Int(8), Rpc.Int(9, "@p2"))), Is.EqualTo("columns ; row 800; doneinproc more 1; return 0; doneproc"));
        Assert.That(Story(await client.CallAsync(Prepare, Rpc.Output(Rpc.Int(0)), Rpc.NVarChar(""), Rpc.NVarChar("SELECT 7"), Rpc.Int(1))), Is.EqualTo("return 0; output =2; doneproc"));
        Assert.That(Story(await client.CallAsync(Execute, Rpc.Int(2))), Does.Contain("row 7;"));
        Assert.That(Story(await client.CallAsync(Execute, Rpc.Int(1), Rpc.Int(8))), Does.StartWith("error 8178;"));
        Assert.That(Story(await client.CallAsync(Unprepare, Rpc.Int(1))), Is.EqualTo("return 0; doneproc"));
        Assert.That(Story(await client.CallAsync(Execute, Rpc.Int(1), Rpc.Int(8), Rpc.Int(9))), Does.StartWith("error 8179;"));
        Assert.That(Story(await client.CallAsync(Unprepare, Rpc.Int(1))), Does.StartWith("error 8179;"));
    }

    [Test]
    public async Task What_does_not_parse_is_not_prepared() =>
        Assert.That(
            Story(await client.CallAsync(Prepare, Rpc.Output(Rpc.Int(0)), Rpc.NVarChar(""), Rpc.NVarChar("SELECT FROM"))),
            Is.EqualTo("error 156; doneinproc more failed; error 8180; doneinproc more failed; doneproc failed"));

    [Test]
    public async Task Batch_can_prepare_as_clients_do() =>
        Assert.That(
            Story(await client.QueryAsync("DECLARE @h int EXEC sp_prepare @h OUTPUT, N'@a int', N'SELECT @a' EXEC sp_execute @h, 3 EXEC sp_unprepare @h EXEC sp_execute @h, 3")),
            Does.Contain("row 3;").And.Contain("error 8179"));

    [TestCase(0x08)]
    [TestCase(0x10)]
    public async Task Reset_forgets_what_was_prepared(byte status)
    {
        await client.CallAsync(Prepare, Rpc.Output(Rpc.Int(0)), Rpc.NVarChar(""), Rpc.NVarChar("SELECT 7"));
        await client.SendAsync(1, RawTdsClient.Batch("SELECT 1"), status);
        await client.ReceiveTokensAsync();
        Assert.That(Story(await client.CallAsync(Execute, Rpc.Int(1))), Does.StartWith("error 8179;"));
    }

    [Test]
    public async Task Cursors_are_refused_and_the_session_goes_on([Range(1, 9)] int procedure)
    {
        var tokens = await client.CallAsync((ushort)procedure, Rpc.Output(Rpc.Int(0)), Rpc.NVarChar("SELECT 1"));
        Assert.That(Story(tokens), Is.EqualTo("error 50505; doneinproc more failed; doneproc failed"));
        Assert.That(tokens[0].Text, Does.StartWith("sp_cursor").And.Contain("is not simulated"));
        Assert.That(Story(await client.QueryAsync("SELECT 1")), Is.EqualTo("columns ; row 1; done 1"));
    }

    [Test]
    public async Task Transaction_goes_back_to_its_save_point()
    {
        await client.QueryAsync(Table);
        Assert.That(Story(await ManageAsync(5, [ReadCommitted, .. Named("outer")])), Is.EqualTo("env 8; done intran"));
        await client.QueryAsync("INSERT t VALUES (1)");
        Assert.That(Story(await ManageAsync(9, Named("half"))), Is.EqualTo("done intran"));
        await client.QueryAsync("INSERT t VALUES (2)");
        Assert.That(Story(await ManageAsync(8, [.. Named("half"), 0])), Is.EqualTo("done intran"));
        Assert.That(Story(await ManageAsync(8, [.. Named("unknown"), 0])), Is.EqualTo("error 6401; done failed intran"));
        Assert.That(Story(await ManageAsync(7, [0, 0])), Is.EqualTo("env 9; done"));
        Assert.That(Story(await client.QueryAsync("SELECT id FROM t")), Is.EqualTo("columns id; row 1; done 1"));
    }

    [Test]
    public async Task Next_transaction_begins_where_the_last_one_ends()
    {
        await ManageAsync(5, [ReadCommitted, 0]);
        Assert.That(Story(await ManageAsync(7, [0, 1, ReadCommitted, 0])), Is.EqualTo("env 9; done more; env 8; done intran"));
        Assert.That(Story(await client.QueryAsync("SELECT @@TRANCOUNT")), Does.Contain("row 1;"));
        Assert.That(Story(await ManageAsync(8, [0, 0])), Is.EqualTo("env 10; done"));
    }

    [TestCase("COMMIT", 9)]
    [TestCase("ROLLBACK", 10)]
    [TestCase("SELECT CAST('x' AS int)", 10)]
    public async Task Client_is_told_what_became_of_its_transaction(string end, int change)
    {
        await client.QueryAsync("BEGIN TRAN");
        Assert.That((await client.QueryAsync(end)).Single(token => token.Type == 0xE3).Number, Is.EqualTo(change));
    }

    [TestCase(7, 3902)]
    [TestCase(8, 3903)]
    public async Task No_transaction_to_end_is_an_error(byte request, int error) =>
        Assert.That(Story(await ManageAsync(request, [0, 0])), Is.EqualTo($"error {error}; done failed"));

    [Test]
    public async Task No_transaction_to_save_is_628() => Assert.That(Story(await ManageAsync(9, Named("half"))), Is.EqualTo("error 628; done failed"));

    [TestCase(0, "env 8; done intran")]
    [TestCase(1, "env 8; done intran")]
    [TestCase(4, "env 8; done intran")]
    [TestCase(5, "error 50505; done failed")]
    [TestCase(6, "error 4002; done failed")]
    public async Task Isolation_levels(byte level, string expected) => Assert.That(Story(await ManageAsync(5, [level, 0])), Is.EqualTo(expected));

    [Test]
    public async Task Request_in_another_transaction_than_its_sessions_does_not_run()
    {
        await client.QueryAsync(Table);
        await client.QueryAsync("BEGIN TRAN");
        var open = client.Transaction;
        client.Transaction = 0;
        Assert.That(Story(await client.QueryAsync("INSERT t VALUES (1)")), Is.EqualTo("error 3989; done failed intran"));
        Assert.That(Story(await client.CallAsync(ExecuteSql, Rpc.NVarChar("INSERT t VALUES (1)"))), Is.EqualTo("error 3989; doneinproc more failed intran; doneproc failed intran"));
        client.Transaction = open + 1;
        Assert.That(Story(await ManageAsync(7, [0, 0])), Is.EqualTo("error 3971; done failed intran"));
        client.Transaction = open;
        Assert.That(Story(await client.QueryAsync("SELECT COUNT(*) FROM t COMMIT")), Is.EqualTo("columns ; row 0; done more intran 1; env 9; done"));
        client.Transaction = open;
        Assert.That(Story(await client.QueryAsync("SELECT 1")), Is.EqualTo("error 3971; done failed"));
    }

    [Test]
    public async Task Reset_that_spares_the_transaction_spares_nothing_else()
    {
        await client.QueryAsync(Table);
        await client.QueryAsync("EXEC sp_set_session_context N'k', 1 BEGIN TRAN INSERT t VALUES (1) EXEC sp_getapplock 'own', 'Exclusive', 'Transaction' EXEC sp_getapplock 'session', 'Exclusive', 'Session'");
        await client.SendAsync(1, RawTdsClient.Batch("SELECT @@TRANCOUNT, SESSION_CONTEXT(N'k'), DB_NAME()"), 0x10);
        Assert.That(Story(await client.ReceiveTokensAsync()), Is.EqualTo("env 18; columns ,,; row 1,-,master; done intran 1"));
        Assert.That(
            (await sql.RunAsync("USE d DECLARE @a int, @b int EXEC @a = sp_getapplock 'own', 'Exclusive', 'Session', 0 EXEC @b = sp_getapplock 'session', 'Exclusive', 'Session', 0 SELECT @a, @b")).Story,
            Is.EqualTo("master>d [-1,0] (1)"));
        Assert.That(Story(await client.QueryAsync("COMMIT SELECT id FROM d.dbo.t")), Does.Contain("row 1;"));
    }

    private async Task<IReadOnlyList<RawToken>> ManageAsync(byte request, params byte[] rest)
    {
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, request, 0, .. rest]);
        return await client.ReceiveTokensAsync();
    }

    private static byte[] Named(string name) => [(byte)(name.Length * 2), .. System.Text.Encoding.Unicode.GetBytes(name)];

    private static string Story(IReadOnlyList<RawToken> tokens) => string.Join("; ", tokens);
}
