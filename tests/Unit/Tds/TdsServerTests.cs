using System.Net;
using SqlServerSimulator.Tds;
using Unit.TSql;

namespace Unit.Tds;

/// <summary>A real instance behind a listener, and what its answers are on the wire.</summary>
internal sealed class TdsServerTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private SqlFixture sql = null!;
    private TdsListener listener = null!;

    [SetUp]
    public async Task Start()
    {
        sql = await SqlFixture.OpenAsync();
        listener = await TdsListener.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0), sql.Server, new TdsOptions { Encryption = TdsEncryption.NotSupported }, CancellationToken.None);
    }

    [TearDown]
    public async Task Stop()
    {
        await listener.DisposeAsync();
        await sql.DisposeAsync();
    }

    [TestCase("SELECT 1 / 0 AS x", "columns x | error 8134 | done failed")]
    [TestCase("SELECT CAST('no' AS int) AS x", "columns x | error 245 | done failed")]
    [TestCase("SELECT x FROM missing", "error 208 | done failed")]
    [TestCase("BEGIN TRY SELECT 1 / 0 AS x END TRY BEGIN CATCH SELECT 2 AS y END CATCH", "columns x | done more | columns y | row 2 | done 1")]
    [TestCase("SET LANGUAGE us_english", "env 2 | info 5703 | done")]
    [TestCase("USE master", "env 1 | info 5701 | done")]
    public async Task Tokens_come_in_the_order_of_the_engine(string batch, string tokens)
    {
        using var client = await LogInAsync();
        Assert.That(string.Join(" | ", await client.QueryAsync(batch)), Is.EqualTo(tokens));
    }

    [TestCase(0x74000004, "SELECT NULL, 2, 1", 0xD1, TestName = "A_bitmap_of_NULLs_must_save_something")]
    [TestCase(0x74000004, "SELECT NULL, CAST(NULL AS nvarchar(max)), 1", 0xD2, TestName = "Rows_of_many_NULLs_have_a_bitmap_in_TDS_7_4")]
    [TestCase(0x730B0003, "SELECT NULL, CAST(NULL AS nvarchar(max)), 1", 0xD2, TestName = "Rows_of_many_NULLs_have_a_bitmap_in_TDS_7_3_B")]
    [TestCase(0x730A0003, "SELECT NULL, CAST(NULL AS nvarchar(max)), 1", 0xD1, TestName = "Rows_of_many_NULLs_have_no_bitmap_in_TDS_7_3_A")]
    [TestCase(0x72090002, "SELECT NULL, CAST(NULL AS nvarchar(max)), 1", 0xD1, TestName = "Rows_of_many_NULLs_have_no_bitmap_in_TDS_7_2")]
    public async Task Nulls(long version, string batch, int type)
    {
        using var client = await LogInAsync((uint)version);
        var row = (await client.QueryAsync(batch))[1];
        Assert.That(row.Type, Is.EqualTo(type));
        Assert.That(new[] { row.Values[0], row.Values[^1] }, Is.EqualTo(new object?[] { null, 1 }));
    }

    [TestCase("INSERT BULK tempdb.dbo.t (n int, v nvarchar(10) COLLATE SQL_Latin1_General_CP1_CI_AS)", "done 2", "row 1,x | row 2,none")]
    [TestCase("INSERT BULK tempdb.dbo.t (n int, v nvarchar(10)) WITH (KEEP_NULLS, TABLOCK, ORDER (n ASC), ROWS_PER_BATCH = 5)", "done 2", "row 1,x | row 2,-")]
    [TestCase("INSERT BULK tempdb.dbo.t (n int)", "error 4816 | done failed", "")]
    [TestCase("SELECT 1", "error 4804 | done failed", "")]
    [TestCase("INSERT tempdb.dbo.t VALUES (2, N'y'); INSERT BULK tempdb.dbo.t (n int, v nvarchar(10))", "error 2627 | done failed", "row 2,y")]
    public async Task Bulk_load(string batch, string answer, string content)
    {
        await sql.RunAsync("CREATE TABLE tempdb.dbo.t (n int PRIMARY KEY, v nvarchar(10) NULL DEFAULT 'none')");
        using var client = await LogInAsync();
        Assert.That((await client.QueryAsync(batch)).Select(token => token.Type), Has.None.EqualTo(0xAA));
        byte[] integer = [0, 0, 0, 0, 9, 0, 0x26, 4, 1, (byte)'n', 0];
        byte[] text = [0, 0, 0, 0, 9, 0, 0xE7, 20, 0, 9, 4, 0xD0, 0, 0x34, 1, (byte)'v', 0];
        byte[] rows = [0xD1, 4, 1, 0, 0, 0, 2, 0, (byte)'x', 0, 0xD1, 4, 2, 0, 0, 0, 0xFF, 0xFF];
        await client.SendAsync(0x07, [0x81, 2, 0, .. integer, .. text, .. rows, 0xFD, .. new byte[12]]);
        Assert.That(string.Join(" | ", await client.ReceiveTokensAsync()), Is.EqualTo(answer));
        var found = await client.QueryAsync("SELECT n, v FROM tempdb.dbo.t ORDER BY n");
        Assert.That(string.Join(" | ", found.Where(token => token.Type is 0xD1 or 0xD2)), Is.EqualTo(content));
    }

    [TestCase("INSERT BULK missing (n int)", "!208")]
    [TestCase("INSERT BULK tempdb.dbo.t (nope int)", "!207")]
    [TestCase("INSERT BULK tempdb.dbo.t (n int) WITH (NOPE)", "!102")]
    [TestCase("SET FMTONLY ON SELECT n FROM tempdb.dbo.t SET FMTONLY OFF SELECT COUNT(*) FROM tempdb.dbo.t", "(0) [1] (1)")]
    [TestCase("SET FMTONLY ON DELETE tempdb.dbo.t", "!50505")]
    [TestCase("USE tempdb exec ..sp_tablecollations_100 N'.[t]'", "master>tempdb [1,n,NULL,NULL] [2,v,0x0904D00034,SQL_Latin1_General_CP1_CI_AS] (2)")]
    [TestCase("EXEC tempdb..sp_tablecollations_100 N'.[t]'", "[1,n,NULL,NULL] [2,v,0x0904D00034,SQL_Latin1_General_CP1_CI_AS] (2)")]
    public async Task What_bulk_clients_ask(string batch, string story)
    {
        await sql.RunAsync("CREATE TABLE tempdb.dbo.t (n int, v varchar(10) NULL); INSERT tempdb.dbo.t (n) VALUES (1)");
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }

    [Test]
    public async Task A_client_that_stops_reading_holds_up_nobody_else_and_gets_its_rows_when_it_reads_again()
    {
        const int rows = 3000;
        Assert.That((await sql.RunAsync("CREATE TABLE tempdb.dbo.t (n int PRIMARY KEY)")).Errors, Is.Empty);
        using var client = await LogInAsync();
        var numbers = string.Join(',', Enumerable.Range(0, 60).Select(n => $"({n})"));
        await client.SendAsync(0x01, RawTdsClient.Batch(
            $"SELECT a.n, REPLICATE(N'x', 4000) FROM (VALUES {numbers}) a (n) CROSS JOIN (VALUES {numbers}) b (n) WHERE b.n < 50"));

        // More follows than any buffer between the two takes, and none of it is read.
        var first = await client.ReceivePacketAsync();
        Assert.That(first.EndOfMessage, Is.False);
        var others = sql.RunAsync("""
            INSERT tempdb.dbo.t VALUES (1);
            BEGIN TRANSACTION; INSERT tempdb.dbo.t VALUES (2); COMMIT;
            SELECT COUNT(*) FROM tempdb.dbo.t;
            EXEC sp_server_diagnostics;
            """);
        Assert.That((await others.WaitAsync(Bound)).Errors, Is.Empty);
        using var another = await LogInAsync().WaitAsync(Bound);
        Assert.That((await another.QueryAsync("SELECT n FROM tempdb.dbo.t")).Count(token => token.Type == 0xD1), Is.EqualTo(2));

        List<byte> answer = [.. first.Payload];
        for (var end = false; !end;)
        {
            var packet = await client.ReceivePacketAsync();
            answer.AddRange(packet.Payload);
            end = packet.EndOfMessage;
        }

        var tokens = RawToken.Parse([.. answer]);
        Assert.That(tokens.Count(token => token.Type == 0xD1), Is.EqualTo(rows));
        Assert.That(tokens[^1].Count, Is.EqualTo(rows));
    }

    private Task<RawTdsClient> LogInAsync(uint version = 0x74000004) => RawTdsClient.LogInAsync(listener.EndPoint, password: SqlFixture.Password, version: version);
}
