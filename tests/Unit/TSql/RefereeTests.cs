using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Parsing;

namespace Unit.TSql;

/// <summary>What the simulator's grammar refuses is sorted by Microsoft's own parser: no T-SQL, or T-SQL that is not simulated.</summary>
public sealed class RefereeTests
{
    // Our grammar has never heard of it, and yet it is T-SQL.
    [TestCase("SELECT * FROM t FOR SYSTEM_TIME ALL", 50505)]
    [TestCase("CREATE FULLTEXT CATALOG c", 50505)]
    [TestCase("DECLARE c CURSOR FOR SELECT 1", 50505)]
    [TestCase("ADD SIGNATURE TO p BY CERTIFICATE c", 50505)]
    [TestCase("SELECT a FROM t GROUP BY ROLLUP (a), a", 50505)]
    [TestCase("MERGE t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;", 50505)]

    // The feature is known not to be simulated; the mistake behind it counts first.
    [TestCase("MERGE t USING s ON t.a = s.a WHEN MATCHED DELETE;", 102, 156)]
    [TestCase("DBCC CHECKDB (x) SELEC 1", 102)]
    [TestCase("GOTO", 102, 156)]

    // No T-SQL for anybody.
    [TestCase("SELEC FROM", 156)]
    [TestCase("SELECT 1 +", 102)]
    [TestCase("SELECT FROM t", 156)]
    [TestCase("SELECT 1\nGO\nSELECT FROM", 156)]
    [TestCase("INSERT INTO t VALUES (1", 102)]

    // What the referee is too old for is the business of our grammar alone.
    [TestCase("ALTER AVAILABILITY GROUP g SET (WRITE_LEASE_VALIDITY = 5) MERGE t", 50505)]
    [TestCase("CREATE CERTIFICATE c FROM BINARY = 0x00 WITH PRIVATE KEY (BINARY = 'x')", 102)]
    public void Sorts(string batch, params int[] numbers)
    {
        Assert.That(Refusal(batch).Number, Is.AnyOf(numbers.Cast<object>().ToArray()));
    }

    [Test]
    public void A_refusal_names_the_construct_and_its_line()
    {
        var refusal = Refusal("PRINT 'a'\n\n\nADD SIGNATURE TO p BY CERTIFICATE c");
        Assert.That((refusal.Number, refusal.Line), Is.EqualTo((50505, 4)));
        Assert.That(refusal.Message, Does.Contain("Add Signature Statement"));
    }

    [Test]
    public void A_mistake_behind_what_is_not_simulated_is_reported_where_it_is()
    {
        var refusal = Refusal("DBCC CHECKDB (x)\nPRINT 1\nSELECT 2 WHERE");
        Assert.That((refusal.Number, refusal.Severity, refusal.Line), Is.EqualTo((156, (byte)15, 3)));
    }

    [TestCase("(", ")", "1")]
    [TestCase("-", "", "1")]
    [TestCase("CASE 1 WHEN ", " THEN 1 END", "1")]
    [TestCase("CASE WHEN NOT ", " THEN 1 END", "1=1")]
    [TestCase("(SELECT ", ")", "1")]
    public void Nesting_wears_neither_the_stack_nor_the_patience_out(string open, string close, string core)
    {
        foreach (var depth in (int[])[5, 20, 45, 100, 30_000])
        {
            var text = $"SELECT {string.Concat(Enumerable.Repeat(open, depth))}{core}{string.Concat(Enumerable.Repeat(close, depth))} MERGE ] x";
            Assert.That(Refusal(text).Number, Is.AnyOf(102, 156, 191, 50505), $"{depth} deep");
        }
    }

    [Test]
    public async Task Nothing_of_a_refused_batch_runs()
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync("PRINT 'first' MERGE t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;")).Story, Is.EqualTo("!50505"));
    }

    private static SqlError Refusal(string batch) =>
        Assert.Throws<SqlErrorException>(() => Parser.ParseRefereed(batch, []))!.Error;
}
