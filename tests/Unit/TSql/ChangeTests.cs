namespace Unit.TSql;

/// <summary>INSERT, UPDATE, DELETE and transactions over t (id, v) with the rows (1, 10), (2, 20), (3, 30) and u (id, w) with (2, 200), (3, 300), (3, 301).</summary>
public sealed class ChangeTests
{
    private const string Tables =
        "CREATE DATABASE d; USE d; CREATE TABLE t (id int NOT NULL PRIMARY KEY, v int NULL); INSERT t VALUES (1, 10), (2, 20), (3, 30);"
        + "CREATE TABLE u (id int NOT NULL, w int NOT NULL); INSERT u VALUES (2, 200), (3, 300), (3, 301)";

    // OUTPUT
    [TestCase("INSERT t (id) OUTPUT inserted.id, inserted.v, 'x' AS y VALUES (7), (8)", "[7,NULL,x] [8,NULL,x] (2)")]
    [TestCase("CREATE TABLE i (id int IDENTITY(5, 5), v int) INSERT i (v) OUTPUT inserted.* SELECT v FROM t WHERE id < 3", "[5,10] [10,20] (2)")]
    [TestCase("UPDATE t SET v += 1 OUTPUT deleted.v, inserted.v - deleted.v WHERE id > 1", "[20,1] [30,1] (2)")]
    [TestCase("DELETE FROM t OUTPUT deleted.* WHERE v = 20", "[2,20] (1)")]
    [TestCase("UPDATE t SET v = 1 OUTPUT inserted.id WHERE id = 9", "(0)")]
    [TestCase("DELETE FROM t OUTPUT inserted.id", "!4104")]
    [TestCase("DELETE FROM t OUTPUT id", "!207")]
    [TestCase("DELETE FROM t OUTPUT *", "!50505")]
    [TestCase("DELETE FROM t OUTPUT deleted.id INTO u", "!50505")]

    // FROM
    [TestCase("UPDATE t SET v = u.w FROM t JOIN u ON u.id = t.id WHERE u.w < 301 SELECT v FROM t", "(2) [10] [200] [300] (3)")]
    [TestCase("UPDATE a SET v += b.w FROM u b JOIN t AS a ON a.id = b.id AND b.w = 200 SELECT v FROM t", "(1) [10] [220] [30] (3)")]
    [TestCase("UPDATE t SET v = 0 FROM u WHERE u.id = t.id SELECT v FROM t", "(2) [10] [0] [0] (3)")]
    [TestCase("UPDATE t SET v = ISNULL(u.w, -1) FROM t LEFT JOIN u ON u.id = t.id AND u.w <> 301 SELECT v FROM t", "(3) [-1] [200] [300] (3)")]
    [TestCase("UPDATE t SET v = 0 FROM u LEFT JOIN t ON t.id = u.id AND t.id = 9", "(0)")]
    [TestCase("DELETE t FROM t JOIN u ON u.id = t.id SELECT id FROM t", "(2) [1] (1)")]
    [TestCase("DELETE FROM a FROM t a WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.id = a.id) SELECT id FROM t", "(1) [2] [3] (2)")]
    [TestCase("UPDATE t SET v = 0 FROM t a JOIN t b ON a.id = b.id", "!8154")]
    [TestCase("WITH c AS (SELECT id FROM u) DELETE t FROM t JOIN c ON c.id = t.id; SELECT id FROM t", "(2) [1] (1)")]
    [TestCase("WITH c AS (SELECT id FROM t) DELETE FROM c", "!50505")]

    // TOP
    [TestCase("DELETE TOP (2) FROM t SELECT COUNT(*) FROM t", "(2) [1] (1)")]
    [TestCase("UPDATE TOP (1) t SET v = 0 WHERE id > 1 SELECT COUNT(*) FROM t WHERE v = 0", "(1) [1] (1)")]
    [TestCase("DELETE TOP (-1) FROM t", "!1060")]
    [TestCase("DELETE TOP 1 FROM t", "!102")]

    // By key
    [TestCase("SELECT v FROM t WHERE id = 2 AND v > 5", "[20] (1)")]
    [TestCase("DECLARE @i bigint = 3 SELECT v FROM t WHERE @i = id", "[30] (1)")]
    [TestCase("DECLARE @i int SELECT v FROM t WHERE id = @i", "(0)")]
    [TestCase("SELECT v FROM t WHERE id = 2.0", "[20] (1)")]
    [TestCase("SELECT v FROM t WHERE id = 2 OR v = 10", "[10] [20] (2)")]
    [TestCase("SELECT u.w, (SELECT t.v FROM t WHERE t.id = u.id) FROM u", "[200,20] [300,30] [301,30] (3)")]
    [TestCase("BEGIN TRAN UPDATE t SET v = 21 WHERE id = 2 INSERT t VALUES (4, 40) DELETE t WHERE id = 1 SELECT v FROM t WHERE id = 2 SELECT v FROM t WHERE id = 4 SELECT v FROM t WHERE id = 1 ROLLBACK",
        "begin (1) (1) (1) [21] (1) [40] (1) (0) end")]
    [TestCase("BEGIN TRAN UPDATE t SET id = 9 WHERE id = 2 SELECT v FROM t WHERE id = 2 SELECT v FROM t WHERE id = 9 DELETE t WHERE id = 9 ROLLBACK", "begin (1) (0) [20] (1) (1) end")]
    [TestCase("CREATE TABLE k (a nvarchar(5), b int, PRIMARY KEY (b, a)) INSERT k VALUES (N'x', 1), (N'y', 1) SELECT a FROM k WHERE a = 'Y ' AND b = 1", "(2) [y] (1)")]
    public Task Changes(string batch, string story) => Expect(batch, story);

    // Savepoints and names
    [TestCase("BEGIN TRAN DELETE t WHERE id = 1 SAVE TRAN s DELETE t ROLLBACK TRAN s SELECT COUNT(*), @@TRANCOUNT FROM t COMMIT SELECT COUNT(*) FROM t", "begin (1) (2) [2,1] (1) end [2] (1)")]
    [TestCase("BEGIN TRAN SAVE TRANSACTION s DELETE t WHERE id = 1 SAVE TRAN s DELETE t ROLLBACK TRAN s SELECT COUNT(*) FROM t ROLLBACK", "begin (1) (2) [2] (1) end")]
    [TestCase("BEGIN TRAN SAVE TRAN a SAVE TRAN b ROLLBACK TRAN a ROLLBACK TRAN b ROLLBACK", "begin !6401 end")]
    [TestCase("BEGIN TRAN SAVE TRAN s DELETE t WHERE id = 1 ROLLBACK TRAN s INSERT t VALUES (4, 4) ROLLBACK TRAN s COMMIT SELECT COUNT(*) FROM t", "begin (1) (1) end [3] (1)")]
    [TestCase("BEGIN TRAN o BEGIN TRAN i SELECT @@TRANCOUNT ROLLBACK TRAN i ROLLBACK TRAN o SELECT @@TRANCOUNT", "begin [2] (1) !6401 end [0] (1)")]
    [TestCase("BEGIN TRAN o ROLLBACK TRAN O ROLLBACK", "begin !6401 end")]
    [TestCase("BEGIN TRAN o BEGIN TRAN COMMIT TRAN whatever SELECT @@TRANCOUNT ROLLBACK", "begin [1] (1) end")]
    [TestCase("SAVE TRAN s", "!628")]
    [TestCase("SAVE TRAN", "!156")]
    [TestCase("SET XACT_ABORT ON BEGIN TRY BEGIN TRAN SAVE TRAN s SELECT 1/0 END TRY BEGIN CATCH ROLLBACK TRAN s END CATCH", "begin !3931 end")]
    [TestCase("SET XACT_ABORT ON BEGIN TRY BEGIN TRAN SELECT 1/0 END TRY BEGIN CATCH SAVE TRAN s END CATCH", "begin !3930 end")]
    [TestCase("BEGIN TRAN INSERT t VALUES (4, 4) INSERT t VALUES (1, 1) COMMIT SELECT COUNT(*) FROM t", "begin (1) !2627 end [4] (1)")]
    [TestCase("EXEC ('BEGIN TRAN') SELECT @@TRANCOUNT ROLLBACK", "begin !266 [1] (1) end")]
    [TestCase("BEGIN TRAN EXEC sp_executesql N'ROLLBACK' SELECT @@TRANCOUNT", "begin end !266 [0] (1)")]
    [TestCase("BEGIN TRAN EXEC ('BEGIN TRAN COMMIT') ROLLBACK", "begin end")]
    public Task Transactions(string batch, string story) => Expect(batch, story);

    [Test]
    public async Task A_joined_update_sees_what_the_transaction_it_waited_for_has_left()
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(Tables)).Errors, Is.Empty);
        var other = await sql.LogInAsync(database: "d");
        await SqlFixture.RunAsync(other, "BEGIN TRAN UPDATE t SET v = 5 WHERE id = 2 UPDATE u SET w = 7 WHERE id = 2");
        var waiting = sql.RunAsync("UPDATE t SET v += u.w FROM t JOIN u ON u.id = t.id WHERE t.id = 2 SELECT v FROM t WHERE id = 2");
        await SqlFixture.RunAsync(other, "COMMIT");
        Assert.That((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Story, Is.EqualTo("(1) [12] (1)"));
    }

    [Test]
    public async Task A_rollback_to_a_savepoint_keeps_the_locks()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Tables);
        var other = await sql.LogInAsync(database: "d");
        await SqlFixture.RunAsync(other, "BEGIN TRAN SAVE TRAN s DELETE t WHERE id = 1 ROLLBACK TRAN s");
        Assert.That((await sql.RunAsync("SET LOCK_TIMEOUT 0 DELETE t WHERE id = 1")).Errors, Is.EqualTo([1222]));
        await SqlFixture.RunAsync(other, "ROLLBACK");
        Assert.That((await sql.RunAsync("DELETE t WHERE id = 1")).Story, Is.EqualTo("(1)"));
    }

    [TestCase("WAITFOR TIME '25:00'", 148)]
    [TestCase("WAITFOR TIME 'noon'", 148)]
    public async Task Refuses(string batch, int number)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo([number]));
    }

    private static async Task Expect(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        var tables = await sql.RunAsync(Tables);
        Assert.That(tables.Errors, Is.Empty);
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }
}
