namespace Unit.TSql;

/// <summary>Queries over a table t (g, n) with the rows (a, 1), (a, 2), (b, 3), (NULL, 4).</summary>
public sealed class QueryTests
{
    private const string Table =
        "CREATE DATABASE d; USE d; CREATE TABLE t (g nvarchar(5) NULL, n int NOT NULL PRIMARY KEY); INSERT t VALUES (N'a', 1), (N'a', 2), (N'b', 3), (NULL, 4)";

    // Joins
    [TestCase("SELECT a.n, b.n FROM t a RIGHT JOIN t b ON a.n = b.n + 2 ORDER BY b.n", "[3,1] [4,2] [NULL,3] [NULL,4] (4)")]
    [TestCase("SELECT a.n, b.n FROM t a FULL OUTER JOIN t b ON a.n = b.n + 2 ORDER BY a.n, b.n", "[NULL,3] [NULL,4] [1,NULL] [2,NULL] [3,1] [4,2] (6)")]
    [TestCase("SELECT a.n FROM t a FULL JOIN (SELECT 9 AS n WHERE 1 = 2) b ON a.n = b.n WHERE a.n < 3", "[1] [2] (2)")]
    [TestCase("SELECT b.n FROM (SELECT 9 AS n WHERE 1 = 2) a RIGHT JOIN t b ON a.n = b.n WHERE b.n < 3", "[1] [2] (2)")]

    // Sets
    [TestCase("SELECT g FROM t EXCEPT SELECT N'a'", "[b] [NULL] (2)")]
    [TestCase("SELECT g FROM t INTERSECT SELECT NULL", "[NULL] (1)")]
    [TestCase("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3", "[1] (1)")]
    [TestCase("(SELECT 1 UNION ALL SELECT 2) INTERSECT SELECT 2", "[2] (1)")]
    [TestCase("SELECT 1 UNION SELECT 1 EXCEPT SELECT 2", "[1] (1)")]

    [TestCase("SELECT NULL UNION ALL SELECT g FROM t WHERE n = 3 UNION ALL SELECT NULL", "[NULL] [b] [NULL] (3)")]

    // WITH
    [TestCase("WITH c AS (SELECT n FROM t WHERE n > 2) SELECT n FROM c", "[3] [4] (2)")]
    [TestCase("WITH c (m) AS (SELECT n FROM t), e AS (SELECT m * 10 AS m FROM c WHERE m < 3) SELECT c.m, e.m FROM c JOIN e ON e.m = c.m * 10", "[1,10] [2,20] (2)")]
    [TestCase("WITH c AS (SELECT n FROM c) SELECT n FROM c", "!50505")]
    [TestCase("WITH c AS (SELECT n FROM e), e AS (SELECT 1 AS n) SELECT n FROM c", "!208")]
    [TestCase("WITH c AS (SELECT n FROM t ORDER BY n) SELECT n FROM c", "!1033")]
    [TestCase("WITH c AS (SELECT TOP 1 n FROM t ORDER BY n DESC) SELECT n FROM c", "[4] (1)")]
    [TestCase("WITH c AS (SELECT n + 10 AS n FROM t) INSERT t (n) SELECT n FROM c; SELECT COUNT(*) FROM t", "(4) [8] (1)")]
    [TestCase("WITH c AS (SELECT MAX(n) AS m FROM t) DELETE FROM t WHERE n = (SELECT m FROM c); SELECT COUNT(*) FROM t", "(1) [3] (1)")]
    [TestCase("PRINT 'x' WITH c AS (SELECT 1 AS n) SELECT n FROM c", "!319")]
    [TestCase("WITH c AS (SELECT 1 AS n), C AS (SELECT 2 AS n) SELECT n FROM c", "!239")]
    [TestCase("WITH c AS (SELECT 1 AS n) PRINT 'x'", "!156")]
    [TestCase("WITH c AS (SELECT 1 AS n) SELECT n FROM c; SELECT n FROM c", "[1] (1) !208")]

    // Cuts
    [TestCase("SELECT n FROM t ORDER BY n OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY", "[2] [3] (2)")]
    [TestCase("DECLARE @o int = 3 SELECT n FROM t ORDER BY n OFFSET @o ROWS", "[4] (1)")]
    [TestCase("SELECT n FROM t UNION ALL SELECT 9 ORDER BY n DESC OFFSET (0) ROWS FETCH FIRST 1 ROWS ONLY", "[9] (1)")]
    [TestCase("SELECT TOP 1 n FROM t ORDER BY n OFFSET 1 ROWS", "!10741")]
    [TestCase("SELECT n FROM t ORDER BY n OFFSET -1 ROWS", "!10742")]
    [TestCase("SELECT n FROM t ORDER BY n OFFSET 0 ROWS FETCH NEXT 0 ROWS ONLY", "!10744")]

    // Aggregates
    [TestCase("SELECT STRING_AGG(g, ',') FROM t", "[a,a,b] (1)")]
    [TestCase("SELECT g, STRING_AGG(n, '+') WITHIN GROUP (ORDER BY n DESC) FROM t GROUP BY g ORDER BY g", "[NULL,4] [a,2+1] [b,3] (3)")]
    [TestCase("SELECT STRING_AGG(g, ',') FROM t WHERE 1 = 2", "[NULL] (1)")]
    [TestCase("SELECT STRING_AGG(g, g) FROM t", "!8733")]
    [TestCase("SELECT STRING_AGG(g) FROM t", "!174")]
    [TestCase("SELECT STRING_AGG(CAST(REPLICATE(N'x', 3000) AS nvarchar(4000)), '') FROM t", "!9829")]
    [TestCase("SELECT g, COUNT(*) FROM t GROUP BY g HAVING COUNT(*) > 1", "[a,2] (1)")]

    // OVER
    [TestCase("SELECT n, ROW_NUMBER() OVER (PARTITION BY g ORDER BY n DESC) FROM t ORDER BY n", "[1,2] [2,1] [3,1] [4,1] (4)")]
    [TestCase("SELECT n, RANK() OVER (ORDER BY g), DENSE_RANK() OVER (ORDER BY g) FROM t ORDER BY n", "[1,2,2] [2,2,2] [3,4,3] [4,1,1] (4)")]
    [TestCase("SELECT n, COUNT(*) OVER (PARTITION BY g), SUM(n) OVER () FROM t ORDER BY n", "[1,2,10] [2,2,10] [3,1,10] [4,1,10] (4)")]
    [TestCase("SELECT g, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, g) FROM t GROUP BY g ORDER BY 2", "[a,1] [NULL,2] [b,3] (3)")]
    [TestCase("SELECT d.n FROM (SELECT n, ROW_NUMBER() OVER (ORDER BY n DESC) AS r FROM t) d WHERE d.r = 2", "[3] (1)")]
    [TestCase("SELECT n FROM t WHERE ROW_NUMBER() OVER (ORDER BY n) = 1", "!4108")]
    [TestCase("SELECT ROW_NUMBER() OVER (PARTITION BY g) FROM t", "!4112")]
    [TestCase("SELECT ROW_NUMBER() OVER (ORDER BY 1) FROM t", "!5308")]
    [TestCase("SELECT ROW_NUMBER() FROM t", "!10753")]
    [TestCase("SELECT SUM(n) OVER (ORDER BY n) FROM t", "!50505")]
    public async Task Answers(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(Table)).Errors, Is.Empty);
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }
}
