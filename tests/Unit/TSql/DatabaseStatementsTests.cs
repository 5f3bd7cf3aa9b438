namespace Unit.TSql;

/// <summary>Statements about databases as clients write them.</summary>
public sealed class DatabaseStatementsTests
{
    [TestCase("CREATE DATABASE e COLLATE SQL_Latin1_General_CP1_CI_AS", new int[0])]
    [TestCase("CREATE DATABASE e CONTAINMENT = NONE ON PRIMARY (NAME = e, FILENAME = '/x/e.mdf', SIZE = 8MB, FILEGROWTH = 10%), (NAME = N'e2', FILENAME = '/x/e.ndf') LOG ON (NAME = el, FILENAME = '/x/e.ldf', MAXSIZE = UNLIMITED)", new int[0])]
    [TestCase("CREATE DATABASE e ON (NAME = e, FILENAME = '/var/opt/mssql/data/d.mdf')", new[] { 5170, 1802 })]
    [TestCase("CREATE DATABASE e COLLATE Latin1_General_100_BIN2", new[] { 50505 })]
    [TestCase("CREATE DATABASE e COLLATE nonsense", new[] { 448 })]
    [TestCase("CREATE DATABASE e ON (NAME = e)", new[] { 50505 })]
    [TestCase("CREATE DATABASE d", new[] { 1801 })]
    [TestCase("CREATE DATABASE tempdb", new[] { 1801 })]
    [TestCase("BEGIN TRAN CREATE DATABASE e", new[] { 226 })]
    [TestCase("ALTER DATABASE d SET SINGLE_USER WITH ROLLBACK IMMEDIATE; ALTER DATABASE d SET MULTI_USER", new int[0])]
    [TestCase("ALTER DATABASE d SET RESTRICTED_USER WITH ROLLBACK AFTER 5 SECONDS", new int[0])]
    [TestCase("ALTER DATABASE d SET OFFLINE WITH NO_WAIT; ALTER DATABASE d SET ONLINE", new int[0])]
    [TestCase("ALTER DATABASE d SET AUTO_CLOSE OFF, AUTO_SHRINK OFF, PAGE_VERIFY CHECKSUM, RECOVERY SIMPLE", new int[0])]
    [TestCase("ALTER DATABASE d SET COMPATIBILITY_LEVEL = 150", new int[0])]
    [TestCase("ALTER DATABASE d SET COMPATIBILITY_LEVEL = 42", new[] { 15048, 5069 })]
    [TestCase("ALTER DATABASE d SET READ_COMMITTED_SNAPSHOT ON WITH NO_WAIT", new int[0])]
    [TestCase("ALTER DATABASE d SET ENCRYPTION ON", new[] { 50505 })]
    [TestCase("ALTER DATABASE d SET NONSENSE ON", new[] { 102 })]
    [TestCase("ALTER DATABASE d SET SINGLE_USER WITH ROLLBACK", new[] { 156 })]
    [TestCase("ALTER DATABASE nope SET RECOVERY FULL", new[] { 5011, 5069 })]
    [TestCase("ALTER DATABASE master SET READ_ONLY", new[] { 5058, 5069 })]
    [TestCase("ALTER DATABASE model SET RECOVERY SIMPLE", new int[0])]
    [TestCase("USE d; ALTER DATABASE CURRENT SET RECOVERY BULK_LOGGED", new int[0])]
    [TestCase("ALTER DATABASE d MODIFY NAME = e; USE e", new int[0])]
    [TestCase("ALTER DATABASE d MODIFY NAME = master", new[] { 1801, 5069 })]
    [TestCase("BEGIN TRAN ALTER DATABASE d SET RECOVERY FULL", new[] { 226 })]
    [TestCase("DROP DATABASE d", new int[0])]
    [TestCase("DROP DATABASE nope, d; USE d", new[] { 3701, 911 })]
    [TestCase("DROP DATABASE IF EXISTS nope, d; USE d", new[] { 911 })]
    [TestCase("DROP DATABASE master", new[] { 3708 })]
    [TestCase("USE d; DROP DATABASE d", new[] { 3702 })]
    public async Task Answers(string batch, int[] errors)
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("CREATE DATABASE d");
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo(errors));
    }

    [Test]
    public async Task A_handler_sees_only_the_last_error_of_a_statement()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("BEGIN TRY ALTER DATABASE nope SET RECOVERY FULL END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH");
        Assert.That(output.Story, Is.EqualTo("[5069] (1)"));
    }
}
