using SqlServerSimulator.Contract;

namespace Unit.TSql;

/// <summary>Control of flow and errors, which need nothing of the data.</summary>
public sealed class BatchTests
{
    [TestCase("PRINT 'a' PRINT 1+1", "'a' '2'")]
    [TestCase("SELECT 1 SELECT 'x', NULL", "[1] (1) [x,NULL] (1)")]
    [TestCase("SET NOCOUNT ON SELECT 1", "[1]")]
    [TestCase("DECLARE @a int = 2, @b nvarchar(9) = N'q' SET @a += 3 SELECT @a, @b", "[5,q] (1)")]
    [TestCase("DECLARE @a varchar(2) = 'abc' SELECT @a", "[ab] (1)")]
    [TestCase("IF 1 = NULL PRINT 'y' ELSE PRINT 'n'", "'n'")]
    [TestCase("IF 1 = 2 DECLARE @v int = 5 SELECT @v", "[NULL] (1)")]
    [TestCase("DECLARE @i int = 0 WHILE 1 = 1 BEGIN SET @i += 1 IF @i = 2 CONTINUE IF @i > 3 BREAK PRINT @i END PRINT 'end'", "'1' '3' 'end'")]
    [TestCase("DECLARE @i int = 0 WHILE @i < 2 BEGIN DECLARE @v int SET @v = ISNULL(@v, 0) + 1 SET @i += 1 END SELECT @v", "[2] (1)")]
    [TestCase("PRINT 'a' RETURN PRINT 'b'", "'a'")]
    [TestCase("WHILE 1 = 1 BEGIN RETURN END PRINT 'b'", "")]
    [TestCase("DECLARE @a int, @b int SELECT @a = 1, @b = 2 SELECT @a + @b, @@ROWCOUNT", "[3,1] (1)")]
    [TestCase("DECLARE @a int = 7 SELECT @a = n FROM (SELECT 1 AS n) d WHERE 1 = 2 SELECT @a, @@ROWCOUNT", "[7,0] (1)")]
    [TestCase("DECLARE @a int SELECT @a = n FROM (VALUES (1), (2)) d (n) SELECT @a", "[2] (1)")]
    [TestCase("EXEC ('PRINT ''in'' RETURN PRINT ''not''') PRINT 'out'", "'in' 'out'")]
    [TestCase("EXEC sp_executesql N'SET @r = @a * 2 SELECT @r', N'@a int, @r int OUTPUT', 21, 0", "[42] (1)")]
    [TestCase("DECLARE @x int EXEC sp_executesql N'SET @r = @a * 2', N'@a int, @r int OUTPUT', @a = 21, @r = @x OUTPUT SELECT @x", "[42] (1)")]
    public Task Runs(string batch, string story) => Expect(batch, story);

    // An error ends its statement; the next one runs.
    [TestCase("SELECT 1/0 PRINT 'next'", "!8134 'next'")]
    [TestCase("IF 1/0 = 1 PRINT 'y' ELSE PRINT 'n' PRINT 'next'", "!8134 'next'")]
    [TestCase("SELECT 1/0 SELECT @@ERROR SELECT @@ERROR", "!8134 [8134] (1) [0] (1)")]
    [TestCase("EXEC no_such_thing PRINT 'next'", "!2812 'next'")]
    [TestCase("EXEC ('SELECT 1/0 PRINT ''in''') PRINT 'next'", "!8134 'in' 'next'")]
    [TestCase("RAISERROR ('x %d %s', 16, 1, 7, 'y') PRINT 'next'", "!50000 'next'")]
    [TestCase("RAISERROR ('just %s', 10, 1, 'so')", "'just so'")]
    [TestCase("SET XACT_ABORT ON RAISERROR ('x', 16, 1) PRINT 'next'", "!50000 'next'")]

    // … unless it is of the kind that ends the batch.
    [TestCase("SET XACT_ABORT ON SELECT 1/0 PRINT 'next'", "!8134")]
    [TestCase("SELECT CAST('x' AS int) PRINT 'next'", "!245")]
    [TestCase("THROW 50001, 'x', 1 PRINT 'next'", "!50001")]
    [TestCase("EXEC ('THROW 50001, ''x'', 1') PRINT 'next'", "!50001")]
    [TestCase("THROW 7, 'x', 1", "!35100")]
    [TestCase("THROW", "!10704")]

    // Names are resolved when the statement's turn comes, and end their scope when they do not.
    [TestCase("PRINT 'first' SELECT nope PRINT 'next'", "'first' !207")]
    [TestCase("EXEC ('PRINT ''in'' SELECT nope PRINT ''in''') PRINT 'next'", "'in' !207 'next'")]
    [TestCase("BEGIN TRY SELECT nope END TRY BEGIN CATCH PRINT 'caught' END CATCH PRINT 'next'", "!207")]
    [TestCase("BEGIN TRY EXEC ('SELECT nope') END TRY BEGIN CATCH PRINT ERROR_NUMBER() END CATCH PRINT 'next'", "'207' 'next'")]

    // A mistake of syntax lets nothing of the batch run.
    [TestCase("PRINT 'first' SELECT FROM", "!156")]
    [TestCase("PRINT 'first' EXEC ('SELECT FROM') PRINT 'next'", "'first' !156 'next'")]
    public Task Fails(string batch, string story) => Expect(batch, story);

    [TestCase("BEGIN TRY SELECT 1/0 PRINT 'not' END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_SEVERITY(), ERROR_LINE() END CATCH SELECT ERROR_NUMBER()", "[8134,16,1] (1) [NULL] (1)")]
    [TestCase("BEGIN TRY PRINT 'a' END TRY BEGIN CATCH PRINT 'not' END CATCH", "'a'")]
    [TestCase("BEGIN TRY BEGIN TRY THROW 50001, 'in', 3 END TRY BEGIN CATCH PRINT ERROR_STATE() ; THROW END CATCH END TRY BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH", "'3' 'in'")]
    [TestCase("BEGIN TRY RAISERROR ('r', 16, 2) END TRY BEGIN CATCH THROW END CATCH PRINT 'not'", "!50000")]
    [TestCase("BEGIN TRY RAISERROR ('r', 10, 2) PRINT 'on' END TRY BEGIN CATCH PRINT 'not' END CATCH", "'r' 'on'")]
    [TestCase("BEGIN TRY EXEC ('SELECT 1/0 PRINT ''not''') END TRY BEGIN CATCH PRINT 'caught' END CATCH", "'caught'")]
    [TestCase("BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH PRINT ERROR_NUMBER() END CATCH PRINT 'next'", "'245' 'next'")]
    [TestCase("BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT 1/0 PRINT 'in catch' END CATCH PRINT 'next'", "!8134 'in catch' 'next'")]
    [TestCase("WHILE 1 = 1 BEGIN TRY BREAK END TRY BEGIN CATCH END CATCH PRINT 'out'", "'out'")]
    [TestCase("BEGIN TRY RETURN END TRY BEGIN CATCH END CATCH PRINT 'not'", "")]
    public Task Catches(string batch, string story) => Expect(batch, story);

    [Test]
    public async Task Errors_carry_the_line_of_their_statement()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("PRINT 'a'\n\nSELECT 1/0\nSELECT\n  nope");
        Assert.That(output.Messages.Where(m => m.IsError).Select(m => (m.Number, m.Line)), Is.EqualTo([(8134, 3), (207, 5)]));
    }

    [Test]
    public async Task Double_quotes_mean_text_when_the_session_says_so()
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync("SELECT \"a\"")).Errors, Is.EqualTo([207]));
        Assert.That((await sql.RunAsync("SET QUOTED_IDENTIFIER OFF")).Errors, Is.Empty);
        Assert.That((await sql.RunAsync("SELECT \"a\"")).Story, Is.EqualTo("[a] (1)"));
    }

    [Test]
    public async Task Nesting_ends_at_32_levels()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("DECLARE @s nvarchar(max) = N'DECLARE @t nvarchar(max) = @s EXEC sp_executesql @t, N''@s nvarchar(max)'', @s' EXEC sp_executesql @s, N'@s nvarchar(max)', @s");
        Assert.That(output.Errors, Is.EqualTo([217]));
    }

    [Test]
    public async Task Attention_ends_a_wait_and_an_endless_loop()
    {
        await using var sql = await SqlFixture.OpenAsync();
        foreach (var batch in (string[])["WAITFOR DELAY '23:00:00'", "WHILE 1 = 1 SET NOCOUNT ON"])
        {
            using var attention = new CancellationTokenSource();
            var run = Task.Run(() => sql.Session.ExecuteBatchAsync(batch, [], new RecordingOutput(), attention.Token));
            await attention.CancelAsync();
            Assert.That(async () => await run.WaitAsync(TimeSpan.FromSeconds(30)), Throws.InstanceOf<OperationCanceledException>());
        }

        Assert.That((await sql.RunAsync("SELECT 1")).Story, Is.EqualTo("[1] (1)"));
    }

    [Test]
    public async Task Parameters_come_in_and_go_back()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = new RecordingOutput();
        await sql.Session.ExecuteBatchAsync(
            "SET @b = @a + 1", [new SqlParameterValue("@a", new SqlType(SqlKind.Int), 4), new SqlParameterValue("@b", new SqlType(SqlKind.Int), null, true)], output, default);
        Assert.That(output.Outputs.Single().Value, Is.EqualTo(5));
    }

    [TestCase("WAITFOR DELAY 'soon'", 148)]
    [TestCase("RETURN 5", 178)]
    [TestCase("COMMIT", 3902)]
    [TestCase("ROLLBACK", 3903)]
    [TestCase("EXEC sp_executesql N'SELECT @a', N'@a int'", 8178)]
    [TestCase("EXEC sp_executesql 'SELECT 1'", 214)]
    [TestCase("EXEC sp_set_session_context @key = N'a'", 201)]
    [TestCase("EXEC sp_set_session_context @nokey = N'a'", 8145)]
    [TestCase("EXEC sp_server_diagnostics 3", 15600)]
    [TestCase("SELECT * FROM sys.no_such_view", 50505)]
    [TestCase("RAISERROR ('x', 20, 1)", 2754)]
    [TestCase("RAISERROR ('%d', 16, 1, 'x')", 2786)]
    [TestCase("KILL 0", 6101)]
    public async Task Refuses(string batch, int number)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo([number]));
    }

    private static async Task Expect(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }
}
