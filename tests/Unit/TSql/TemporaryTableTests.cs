using SqlServerSimulator.Contract;

namespace Unit.TSql;

/// <summary>A #table is of its session alone, of its scope, and of the transaction at hand.</summary>
public sealed class TemporaryTableTests
{
    private const string Make = "CREATE TABLE #t (id int NOT NULL PRIMARY KEY, v nvarchar(5) NULL DEFAULT N'd'); ";

    [TestCase("INSERT #t (id) VALUES (1), (2) UPDATE #t SET v = N'x' WHERE id = 2 SELECT * FROM #t DELETE #t WHERE id = 1 SELECT COUNT(*) FROM tempdb..#t", "(2) (1) [1,d] [2,x] (2) (1) [1] (1)")]
    [TestCase("INSERT #t (id) OUTPUT inserted.* VALUES (1) SELECT a.id FROM #t a JOIN sys.databases d ON d.database_id = a.id", "[1,d] (1) [1] (1)")]
    [TestCase("CREATE TABLE #i (id int IDENTITY(3, 2), v int) INSERT #i (v) VALUES (1), (2) SELECT id, SCOPE_IDENTITY() FROM #i", "(2) [3,5] [5,5] (2)")]
    [TestCase("INSERT #t (id) VALUES (1) TRUNCATE TABLE #t SELECT COUNT(*) FROM #t", "(1) [0] (1)")]
    [TestCase("IF OBJECT_ID('tempdb..#t') IS NOT NULL DROP TABLE #t SELECT OBJECT_ID('tempdb..#t')", "[NULL] (1)")]
    [TestCase("DROP TABLE IF EXISTS #nope, #t SELECT * FROM #t", "!208")]

    // Refused as for any table
    [TestCase("INSERT #t (id) VALUES (1), (1) SELECT COUNT(*) FROM #t", "!2627 [0] (1)")]
    [TestCase("INSERT #t (id) VALUES (1), (2) UPDATE #t SET id = 3 SELECT id FROM #t", "(2) !2627 [1] [2] (2)")]
    [TestCase("INSERT #t (id) VALUES (1), (2) UPDATE #t SET id = id + 1 SELECT id FROM #t", "(2) (2) [2] [3] (2)")]
    [TestCase("INSERT #t (id) VALUES (NULL)", "!515")]
    [TestCase("INSERT #t (id, v) VALUES (1, N'too long')", "!2628")]
    [TestCase("CREATE TABLE #t (a int)", "!2714")]
    [TestCase("DROP TABLE #nope", "!3701")]
    [TestCase("INSERT #nope VALUES (1)", "!208")]
    [TestCase("CREATE TABLE ##t (a int)", "!50505")]

    // Transactions
    [TestCase("BEGIN TRAN INSERT #t (id) VALUES (1) CREATE TABLE #u (a int) DROP TABLE #t ROLLBACK SELECT COUNT(*), OBJECT_ID('tempdb..#u') FROM #t", "begin (1) end [0,NULL] (1)")]
    [TestCase("BEGIN TRAN INSERT #t (id) VALUES (1) COMMIT BEGIN TRAN DELETE #t ROLLBACK SELECT id FROM #t", "begin (1) end begin (1) end [1] (1)")]
    [TestCase("INSERT #t (id) VALUES (1) BEGIN TRAN INSERT #t (id) VALUES (2) SAVE TRAN s INSERT #t (id) VALUES (3) ROLLBACK TRAN s COMMIT SELECT id FROM #t", "(1) begin (1) (1) end [1] [2] (2)")]
    [TestCase("SET XACT_ABORT ON BEGIN TRAN INSERT #t (id) VALUES (1) SELECT 1/0", "begin (1) !8134 end")]
    [TestCase("BEGIN TRY BEGIN TRAN SELECT CAST('x' AS int) END TRY BEGIN CATCH INSERT #t (id) VALUES (1) END CATCH", "begin !3930 end !3998")]

    // Scopes
    [TestCase("EXEC ('INSERT #t (id) VALUES (5)') SELECT id FROM #t", "(1) [5] (1)")]
    [TestCase("EXEC ('CREATE TABLE #u (a int) SELECT COUNT(*) FROM #u') SELECT * FROM #u", "[0] (1) !208")]
    [TestCase("INSERT #t (id) VALUES (5) EXEC sp_executesql N'CREATE TABLE #t (b int) INSERT #t VALUES (7) SELECT b FROM #t' SELECT id FROM #t", "(1) (1) [7] (1) [5] (1)")]
    public async Task Works(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(Make)).Errors, Is.Empty);
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }

    [Test]
    public async Task Another_session_does_not_see_it_and_a_reset_drops_it()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Make);
        var other = await sql.LogInAsync();
        Assert.That((await SqlFixture.RunAsync(other, "SELECT * FROM #t")).Errors, Is.EqualTo([208]));
        Assert.That((await SqlFixture.RunAsync(other, Make)).Errors, Is.Empty);
        await sql.Session.ResetAsync();
        Assert.That((await sql.RunAsync("SELECT * FROM #t")).Errors, Is.EqualTo([208]));
    }

    [Test]
    public async Task What_a_batch_with_parameters_makes_goes_with_it()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = new RecordingOutput();
        await sql.Session.ExecuteBatchAsync("CREATE TABLE #u (a int) INSERT #u VALUES (@p) SELECT a FROM #u", [new SqlParameterValue("@p", new SqlType(SqlKind.Int), 4)], output, default);
        Assert.That(output.Story, Is.EqualTo("(1) [4] (1)"));
        Assert.That((await sql.RunAsync("SELECT * FROM #u")).Errors, Is.EqualTo([208]));
    }
}
