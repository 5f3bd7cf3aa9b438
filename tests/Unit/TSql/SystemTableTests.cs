using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using Unit.Engine;

namespace Unit.TSql;

/// <summary>Tables in databases of the system, and in databases that are not there.</summary>
public sealed class SystemTableTests
{
    [TestCase("SELECT n FROM nodb.dbo.t", "!208", "Invalid object name 'nodb.dbo.t'.")]
    [TestCase("SELECT n FROM nodb..t", "!208", "Invalid object name 'nodb..t'.")]
    [TestCase("SELECT n FROM master.dbo.missing", "!208", "Invalid object name 'master.dbo.missing'.")]
    [TestCase("SELECT n FROM missing", "!208", "Invalid object name 'missing'.")]
    [TestCase("INSERT nodb.dbo.t VALUES (1)", "!208", "Invalid object name 'nodb.dbo.t'.")]
    [TestCase("UPDATE nodb.dbo.t SET n = 1", "!208", "Invalid object name 'nodb.dbo.t'.")]
    [TestCase("DELETE nodb.dbo.t", "!208", "Invalid object name 'nodb.dbo.t'.")]
    [TestCase("CREATE TABLE nodb.dbo.t (n int)", "!2702", "Database 'nodb' does not exist.")]
    [TestCase("DROP TABLE nodb.dbo.t", "!3701", "Cannot drop the table 'nodb.dbo.t', because it does not exist or you do not have permission.")]
    [TestCase("USE nodb", "!911", "Database 'nodb' does not exist. Make sure that the name is entered correctly.")]
    public async Task What_is_not_there(string batch, string story, string message)
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync(batch);
        Assert.That(output.Story, Is.EqualTo(story));
        Assert.That(output.Messages.Single().Message, Is.EqualTo(message));
    }

    [TestCase("DROP TABLE IF EXISTS nodb.dbo.t; SELECT OBJECT_ID(N'nodb.dbo.t')", "[NULL] (1)")]
    [TestCase("CREATE TABLE t (n int); INSERT t VALUES (1); SELECT n FROM t; SELECT name FROM sys.tables", "(1) [1] (1) [t] (1)")]
    [TestCase("CREATE TABLE t (n int); BEGIN TRAN; INSERT t VALUES (1); ROLLBACK; SELECT COUNT(*) FROM t", "begin (1) end [0] (1)")]
    [TestCase("CREATE TABLE t (n int); CREATE TABLE t (n int)", "!2714")]
    [TestCase("CREATE TABLE t (n int PRIMARY KEY); INSERT t VALUES (1); INSERT t VALUES (1)", "(1) !2627")]
    [TestCase("CREATE TABLE tempdb.dbo.t (n int); SELECT OBJECT_ID(N't'), IIF(OBJECT_ID(N'tempdb.dbo.t') IS NULL, 0, 1)", "[NULL,1] (1)")]
    [TestCase("CREATE TABLE t (n int); DROP TABLE t; SELECT n FROM t", "!208")]
    public async Task Answers(string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(batch)).Story, Is.EqualTo(story));
    }

    [Test]
    public async Task Rights_on_a_table_of_master_are_as_in_any_database()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("CREATE TABLE t (n int); INSERT t VALUES (1); CREATE LOGIN u WITH PASSWORD = 'L0gin!Passw0rd'; CREATE USER u FOR LOGIN u");
        var session = await sql.LogInAsync("u", "L0gin!Passw0rd");
        Assert.That((await SqlFixture.RunAsync(session, "SELECT n FROM t")).Story, Is.EqualTo("!229"));
        Assert.That((await SqlFixture.RunAsync(session, "CREATE TABLE v (n int)")).Story, Is.EqualTo("!262"));
        Assert.That((await sql.RunAsync("GRANT SELECT ON t TO u")).Errors, Is.Empty);
        Assert.That((await SqlFixture.RunAsync(session, "SELECT n FROM t")).Story, Is.EqualTo("[1] (1)"));
    }

    [Test]
    public void Tables_of_the_system_outlive_the_process_but_those_of_tempdb()
    {
        var node = new World().Add("a");
        foreach (var database in new[] { "master", "tempdb", "model", "msdb" })
        {
            node.Do(new CreateTable(new TableName(database, "dbo", "t"), [new ColumnDefinition("n", new SqlType(SqlKind.Int))], []));
            node.Do(new InsertRows(new TableName(database, "dbo", "t"), [[1]]));
        }

        node.Restart();
        foreach (var database in new[] { "master", "model", "msdb" })
        {
            Assert.That(node.Values("t", database), Is.EqualTo(new object[] { 1 }), database);
        }

        Assert.That(node.Try(new InsertRows(new TableName("tempdb", "dbo", "t"), [[1]])), Is.EqualTo(208));
        Assert.That(node.Instance.Databases, Is.Empty);
    }
}
