using SqlServerSimulator.Contract;

namespace Unit.TSql;

/// <summary>Principals, permissions, keys and certificates as a client meets them.</summary>
public sealed class SecurityTests
{
    private const string Login = "CREATE LOGIN low WITH PASSWORD = 'Str0ng!Passw0rd' CREATE DATABASE d ";

    /// <summary>What sa does, what low then runs, and what comes of it.</summary>
    [TestCase("", "SELECT 1", "[1] (1)")]
    [TestCase("", "SHUTDOWN", "!6004")]
    [TestCase("", "KILL 52", "!6102")]
    [TestCase("", "CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd'", "!15247")]
    [TestCase("GRANT ALTER ANY LOGIN TO low", "CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd'", "")]
    [TestCase("GRANT ALTER ANY LOGIN TO low DENY CREATE LOGIN TO low", "CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd'", "!15247")]
    [TestCase("GRANT ALTER ANY LOGIN TO low", "ALTER LOGIN sa DISABLE", "!15151")]
    [TestCase("ALTER SERVER ROLE securityadmin ADD MEMBER low", "CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd'", "")]
    [TestCase("", "CREATE DATABASE e", "!262")]
    [TestCase("ALTER SERVER ROLE dbcreator ADD MEMBER low", "CREATE DATABASE e", "")]
    [TestCase("", "USE d", "!916")]
    [TestCase("GRANT CONNECT ANY DATABASE TO low", "USE d", "master>d")]
    [TestCase("USE d CREATE USER low", "USE d SELECT USER_NAME(), IS_MEMBER('db_owner'), IS_MEMBER('nope')", "master>d [low,0,NULL] (1)")]
    [TestCase("USE d CREATE USER low DENY CONNECT TO low", "USE d", "!916")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int)", "SELECT * FROM d.dbo.t", "!229")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int) GRANT SELECT ON t TO low", "SELECT * FROM d.dbo.t", "(0)")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int) GRANT SELECT ON SCHEMA::dbo TO low DENY SELECT ON dbo.t TO low", "SELECT * FROM d.dbo.t", "!229")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int) ALTER ROLE db_datareader ADD MEMBER low", "SELECT * FROM d.dbo.t INSERT d.dbo.t VALUES (1)", "(0) !229")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int) ALTER ROLE db_owner ADD MEMBER low ALTER ROLE db_denydatareader ADD MEMBER low", "SELECT * FROM d.dbo.t", "!229")]
    [TestCase("USE d CREATE USER low CREATE TABLE t (a int) CREATE ROLE r CREATE ROLE s ALTER ROLE s ADD MEMBER r ALTER ROLE r ADD MEMBER low GRANT SELECT TO s", "SELECT * FROM d.dbo.t", "(0)")]
    [TestCase("USE d CREATE USER low", "USE d CREATE TABLE t (a int)", "master>d !262")]
    [TestCase("USE d CREATE USER low", "USE d CREATE USER u WITHOUT LOGIN", "master>d !15247")]
    [TestCase("USE d CREATE USER low ALTER ROLE db_accessadmin ADD MEMBER low", "USE d CREATE USER u WITHOUT LOGIN", "master>d")]
    [TestCase("", "GRANT VIEW SERVER STATE TO low", "!4613")]
    [TestCase("GRANT VIEW SERVER STATE TO low WITH GRANT OPTION", "GRANT VIEW SERVER STATE TO public", "")]
    [TestCase("", "EXEC sp_server_diagnostics", "!300 !297")]
    [TestCase("", "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), HAS_PERMS_BY_NAME('d', 'DATABASE', 'ANY'), HAS_PERMS_BY_NAME(NULL, NULL, 'NOPE'), HAS_PERMS_BY_NAME('sa', 'LOGIN', 'ALTER')", "[0,0,NULL,0] (1)")]
    [TestCase("GRANT ALTER SERVER STATE TO low", "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), HAS_DBACCESS('master'), HAS_DBACCESS('d'), HAS_DBACCESS('nope')", "[1,1,0,NULL] (1)")]
    [TestCase("", "EXEC sp_readerrorlog", "!15003")]
    [TestCase("", "EXEC sp_configure 'xp_cmdshell', 1", "!15247")]
    public async Task A_login_may(string given, string batch, string story)
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync(Login + given)).Errors, Is.Empty);
        var low = await sql.LogInAsync("low");
        Assert.That((await SqlFixture.RunAsync(low, batch)).Story, Is.EqualTo(story));
    }

    [TestCase("CREATE LOGIN x WITH PASSWORD = 'short'", 33062)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'alllowercase'", 33064)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'Has-Name-x1'", 33064)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd', CHECK_POLICY = OFF, CHECK_EXPIRATION = ON", 15122)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd' MUST_CHANGE", 15128)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 0x0102 HASHED", 15021)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd', DEFAULT_DATABASE = nope", 15010)]
    [TestCase("CREATE LOGIN x WITH PASSWORD = 'Str0ng!Passw0rd', SID = 0x01", 15419)]
    [TestCase("CREATE LOGIN x FROM CERTIFICATE nope", 15151)]
    [TestCase("CREATE LOGIN sysadmin WITH PASSWORD = 'Str0ng!Passw0rd'", 15025)]
    [TestCase("ALTER LOGIN nope DISABLE", 15151)]
    [TestCase("ALTER LOGIN low WITH PASSWORD = 'Other!Passw0rd' OLD_PASSWORD = 'wrong'", 15151)]
    [TestCase("DROP LOGIN sa", 15405)]
    [TestCase("ALTER AUTHORIZATION ON DATABASE::d TO low DROP LOGIN low", 15174)]
    [TestCase("CREATE USER u FOR LOGIN nope", 15007)]
    [TestCase("USE d CREATE USER u FOR LOGIN low CREATE USER v FOR LOGIN low", 15063)]
    [TestCase("USE d CREATE USER dbo FOR LOGIN low", 15023)]
    [TestCase("USE d CREATE USER u WITHOUT LOGIN ALTER USER u WITH LOGIN = low", 33016)]
    [TestCase("USE d DROP USER nope", 15151)]
    [TestCase("USE d DROP USER dbo", 15150)]
    [TestCase("USE d CREATE ROLE r CREATE ROLE s ALTER ROLE r ADD MEMBER s ALTER ROLE s ADD MEMBER r", 15413)]
    [TestCase("USE d CREATE ROLE r CREATE USER low ALTER ROLE r ADD MEMBER low DROP ROLE r", 15144)]
    [TestCase("USE d DROP ROLE db_owner", 15150)]
    [TestCase("USE d ALTER ROLE [public] ADD MEMBER nope", 15081)]
    [TestCase("USE d ALTER ROLE db_owner ADD MEMBER nope", 15151)]
    [TestCase("CREATE SERVER ROLE sysadmin", 15025)]
    [TestCase("CREATE SERVER ROLE r ALTER SERVER ROLE r ADD MEMBER low DROP SERVER ROLE r", 15144)]
    [TestCase("DROP SERVER ROLE dbcreator", 15150)]
    [TestCase("ALTER SERVER ROLE nope ADD MEMBER low", 15151)]
    [TestCase("USE d GRANT VIEW SERVER STATE TO low", 4621)]
    [TestCase("GRANT VIEW SERVER STATE TO sa", 4624)]
    [TestCase("GRANT VIEW SERVER STATE TO dbcreator", 4617)]
    [TestCase("GRANT VIEW SERVER STATE TO nope", 15151)]
    [TestCase("GRANT CONNECT ON ENDPOINT::nope TO low", 15151)]
    [TestCase("GRANT SELECT ON LOGIN::sa TO low", 102)]
    [TestCase("GRANT VIEW SERVER STATE TO low WITH GRANT OPTION REVOKE VIEW SERVER STATE FROM low", 4611)]
    [TestCase("OPEN MASTER KEY DECRYPTION BY PASSWORD = 'x'", 15151)]
    [TestCase("CREATE CERTIFICATE c WITH SUBJECT = 'c'", 15581)]
    [TestCase("CREATE CERTIFICATE c FROM FILE = 'nope.cer'", 15208)]
    [TestCase("BACKUP CERTIFICATE nope TO FILE = 'x.cer'", 15151)]
    [TestCase("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd' CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd'", 15578)]
    [TestCase("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'weak'", 33062)]
    [TestCase("EXEC sp_configure 'nope', 1", 15123)]
    [TestCase("EXEC sp_configure 'xp_cmdshell', 1", 15123)]
    [TestCase("EXEC sp_configure 'show advanced options', 2", 15129)]
    [TestCase("EXEC sp_addserver 'mssql1-0', 'local'", 15028)]
    [TestCase("EXEC sp_dropserver 'nope'", 15015)]
    [TestCase("EXEC sp_helpserver 'nope'", 15015)]
    [TestCase("EXEC sp_helpdb 'nope'", 15010)]
    public async Task Refuses(string batch, int number)
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Login);
        Assert.That((await sql.RunAsync(batch)).Errors, Is.EqualTo([number]));
    }

    [Test]
    public async Task Logins_that_may_not_come_in()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Login + "ALTER LOGIN low WITH PASSWORD = 'Other!Passw0rd' MUST_CHANGE, CHECK_EXPIRATION = ON");
        Assert.That(await Number("Other!Passw0rd"), Is.EqualTo(18488));
        await sql.RunAsync("ALTER LOGIN low WITH PASSWORD = 'Third!Passw0rd' ALTER LOGIN low DISABLE");
        Assert.That(await Number("Third!Passw0rd"), Is.EqualTo(18470));
        Assert.That(await Number("wrong"), Is.EqualTo(18456));
        await sql.RunAsync("ALTER LOGIN low ENABLE DENY CONNECT SQL TO low");
        Assert.That(await Number("Third!Passw0rd"), Is.EqualTo(18456));
        await sql.RunAsync("REVOKE CONNECT SQL FROM low");
        Assert.That(await Number("Third!Passw0rd"), Is.Zero);
        var states = (await sql.RunAsync("EXEC sp_readerrorlog 0, 1, 'Error: 18'")).Rows.Select(row => ((string)row[2]!).Split("State: ")[1]);
        Assert.That(states, Is.EqualTo(["18.", "1.", "7.", "12."]), "the error log tells more than the client learns");

        async Task<int> Number(string password)
        {
            var outcome = await sql.TryLogInAsync("low", password);
            if (outcome.Session is not null) await outcome.Session.DisposeAsync();
            return outcome.Errors is [var first, ..] ? first.Number : 0;
        }
    }

    [Test]
    public async Task Grant_option_passes_on_and_cascade_takes_back()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Login + "CREATE LOGIN other WITH PASSWORD = 'Str0ng!Passw0rd' GRANT VIEW SERVER STATE, VIEW ANY DEFINITION TO low WITH GRANT OPTION");
        var low = await sql.LogInAsync("low");
        Assert.That((await SqlFixture.RunAsync(low, "GRANT VIEW SERVER STATE TO other")).Errors, Is.Empty);
        const string held = "SELECT permission_name, state FROM sys.server_permissions p JOIN sys.server_principals g ON p.grantee_principal_id = g.principal_id WHERE g.name IN ('low', 'other') AND permission_name <> 'CONNECT SQL' ORDER BY g.name, permission_name";
        Assert.That((await sql.RunAsync(held)).Story, Is.EqualTo("[VIEW ANY DEFINITION,W] [VIEW SERVER STATE,W] [VIEW SERVER STATE,G] (3)"));
        await sql.RunAsync("REVOKE GRANT OPTION FOR VIEW SERVER STATE FROM low CASCADE");
        Assert.That((await sql.RunAsync(held)).Story, Is.EqualTo("[VIEW ANY DEFINITION,W] [VIEW SERVER STATE,G] (2)"));
    }

    [TestCase("CREATE CERTIFICATE c2 FROM FILE = 'c.cer' WITH PRIVATE KEY (FILE = 'c.pvk', DECRYPTION BY PASSWORD = 'Str0ng!Passw0rd')", 0)]
    [TestCase("CREATE CERTIFICATE c2 FROM FILE = 'c.cer' WITH PRIVATE KEY (FILE = 'c.pvk', DECRYPTION BY PASSWORD = 'wrong')", 15465)]
    [TestCase("CREATE CERTIFICATE c2 FROM FILE = 'c.cer' WITH PRIVATE KEY (FILE = 'nope.pvk', DECRYPTION BY PASSWORD = 'x')", 15208)]
    [TestCase("CREATE CERTIFICATE c2 FROM FILE = '/var/opt/mssql/data/c.pfx' WITH FORMAT = 'PFX', PRIVATE KEY (DECRYPTION BY PASSWORD = 'Str0ng!Passw0rd')", 0)]
    [TestCase("CREATE CERTIFICATE c2 FROM FILE = 'c.cer' WITH PRIVATE KEY (BINARY = 0x01)", 33069)]
    public async Task Certificates_travel_by_file(string import, int number)
    {
        await using var sql = await SqlFixture.OpenAsync();
        const string key = "CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd' ";
        Assert.That((await sql.RunAsync(key + """
            CREATE CERTIFICATE c WITH SUBJECT = 'c', EXPIRY_DATE = '20990101'
            BACKUP CERTIFICATE c TO FILE = 'c.cer' WITH PRIVATE KEY (FILE = 'c.pvk', ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd')
            BACKUP CERTIFICATE c TO FILE = 'c.pfx' WITH FORMAT = 'PFX', PRIVATE KEY (ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd', ALGORITHM = 'AES_256')
            """)).Errors, Is.Empty);
        Assert.That((await sql.RunAsync("BACKUP CERTIFICATE c TO FILE = 'c.cer'")).Errors, Is.EqualTo([15240]), "a file that is there is not written over");
        Assert.That((await sql.RunAsync(import)).Errors, Is.EqualTo(new[] { number == 0 ? 15232 : number }));
        await sql.RunAsync("DROP CERTIFICATE c");
        Assert.That((await sql.RunAsync(import)).Errors, Is.EqualTo(number == 0 ? Array.Empty<int>() : [number]));
    }

    [Test]
    public async Task A_key_under_a_password_is_no_endpoints_and_opens_with_the_password_only()
    {
        await using var sql = await SqlFixture.OpenAsync();
        Assert.That((await sql.RunAsync("CREATE CERTIFICATE c ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd' WITH SUBJECT = 'c'")).Errors, Is.Empty);
        Assert.That(
            (await sql.RunAsync("CREATE ENDPOINT e STATE = STARTED AS TCP (LISTENER_PORT = 5022) FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE c)")).Errors,
            Is.EqualTo([33101]));
        var output = await sql.RunAsync("""
            SELECT CASE WHEN CERTPRIVATEKEY(CERT_ID('c'), 'x') IS NULL THEN 0 ELSE 1 END, CASE WHEN CERTPRIVATEKEY(CERT_ID('c'), 'x', 'wrong') IS NULL THEN 0 ELSE 1 END,
                CASE WHEN CERTPRIVATEKEY(CERT_ID('c'), 'x', 'Str0ng!Passw0rd') IS NULL THEN 0 ELSE 1 END
            SELECT pvt_key_encryption_type FROM sys.certificates WHERE name = 'c'
            """);
        Assert.That(output.Story, Is.EqualTo("[0,0,1] (1) [PW] (1)"));
    }

    [Test]
    public async Task A_master_key_that_the_service_cannot_open_must_be_opened()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("""
            CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Str0ng!Passw0rd'
            BACKUP MASTER KEY TO FILE = 'dmk' ENCRYPTION BY PASSWORD = 'Other!Passw0rd'
            DROP MASTER KEY
            RESTORE MASTER KEY FROM FILE = 'dmk' DECRYPTION BY PASSWORD = 'wrong' ENCRYPTION BY PASSWORD = 'Third!Passw0rd'
            RESTORE MASTER KEY FROM FILE = 'dmk' DECRYPTION BY PASSWORD = 'Other!Passw0rd' ENCRYPTION BY PASSWORD = 'Third!Passw0rd'
            CREATE CERTIFICATE c WITH SUBJECT = 'c'
            OPEN MASTER KEY DECRYPTION BY PASSWORD = 'Str0ng!Passw0rd'
            OPEN MASTER KEY DECRYPTION BY PASSWORD = 'Third!Passw0rd'
            ALTER MASTER KEY ADD ENCRYPTION BY SERVICE MASTER KEY
            CLOSE MASTER KEY
            CREATE CERTIFICATE c WITH SUBJECT = 'c'
            DROP MASTER KEY
            """);
        Assert.That(output.Errors, Is.EqualTo([15313, 15581, 15313, 15580]));
    }

    [Test]
    public async Task Options_are_configured_first_and_in_use_after_reconfigure()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync("""
            EXEC sp_configure 'show advanced options', 1
            EXEC sp_configure 'xp_cmdshell', 1
            RECONFIGURE
            EXEC sp_configure 'xp_cmdshell', 1
            SELECT value, value_in_use FROM sys.configurations WHERE name = 'xp_cmdshell'
            RECONFIGURE WITH OVERRIDE
            EXEC sp_configure 'xp_cmdshell'
            """);
        Assert.That(output.Errors, Is.EqualTo([15123]));
        Assert.That(output.Story, Does.EndWith("[1,0] (1) [xp_cmdshell,0,1,1,1] (1)"));
    }

    [Test]
    public async Task An_orphaned_user_finds_its_login_again()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync(Login + "USE d CREATE USER low USE master DROP LOGIN low CREATE LOGIN low WITH PASSWORD = 'Str0ng!Passw0rd'");
        var low = await sql.LogInAsync("low");
        Assert.That((await SqlFixture.RunAsync(low, "USE d")).Errors, Is.EqualTo([916]));
        await sql.RunAsync("USE d ALTER USER low WITH LOGIN = low");
        Assert.That((await SqlFixture.RunAsync(low, "USE d")).Errors, Is.Empty);
    }

    /// <summary>Modes held and wished: whether they get along.</summary>
    [TestCase("Shared", "Shared", 0)]
    [TestCase("Shared", "Update", 0)]
    [TestCase("Shared", "Exclusive", -1)]
    [TestCase("Shared", "IntentShared", 0)]
    [TestCase("Shared", "IntentExclusive", -1)]
    [TestCase("Update", "Shared", 0)]
    [TestCase("Update", "Update", -1)]
    [TestCase("IntentExclusive", "IntentExclusive", 0)]
    [TestCase("IntentShared", "Exclusive", -1)]
    [TestCase("Exclusive", "IntentShared", -1)]
    [TestCase("Exclusive", "Nope", -999)]
    public async Task Application_locks(string held, string wished, int result)
    {
        await using var sql = await SqlFixture.OpenAsync();
        var other = await sql.LogInAsync();
        await sql.RunAsync($"EXEC sp_getapplock 'r', '{held}', 'Session'");
        Assert.That(
            (await SqlFixture.RunAsync(other, $"DECLARE @r int EXEC @r = sp_getapplock 'r', '{wished}', 'Session', 0 SELECT @r")).Story, Is.EqualTo($"[{result}] (1)"));
        await sql.Session.DisposeAsync();
        if (result == -1)
        {
            Assert.That(
                (await SqlFixture.RunAsync(other, $"DECLARE @r int EXEC @r = sp_getapplock 'r', '{wished}', 'Session', 0 SELECT @r")).Story,
                Is.EqualTo("[0] (1)"), "a lock ends with its session");
        }
    }

    [Test]
    public async Task Application_locks_that_wait_for_each_other_are_refused()
    {
        await using var sql = await SqlFixture.OpenAsync();
        var other = await sql.LogInAsync();
        await sql.RunAsync("EXEC sp_getapplock 'a', 'Exclusive', 'Session'");
        await SqlFixture.RunAsync(other, "EXEC sp_getapplock 'b', 'Exclusive', 'Session'");
        var waiting = SqlFixture.RunAsync(other, "DECLARE @r int EXEC @r = sp_getapplock 'a', 'Exclusive', 'Session' SELECT @r");
        Assert.That(
            (await sql.RunAsync("DECLARE @r int EXEC @r = sp_getapplock 'b', 'Exclusive', 'Session', 60000 SELECT @r")).Story, Is.EqualTo("[-3] (1)"));
        await sql.RunAsync("EXEC sp_releaseapplock 'a', 'Session'");
        Assert.That((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Story, Is.EqualTo("[1] (1)"));
    }

    [TestCase("ServerName", "mssql1-0")]
    [TestCase("IsHadrEnabled", 1)]
    [TestCase("HadrManagerStatus", 1)]
    [TestCase("ProductMajorVersion", "16")]
    [TestCase("EngineEdition", 3)]
    [TestCase("EditionID", -2117995310L)]
    [TestCase("SqlSortOrder", (byte)52)]
    [TestCase("LCID", 1033)]
    [TestCase("IsClustered", 0)]
    [TestCase("InstanceName", null)]
    [TestCase("nope", null)]
    public async Task Server_properties(string name, object? value)
    {
        await using var sql = await SqlFixture.OpenAsync();
        var output = await sql.RunAsync($"SELECT SERVERPROPERTY('{name}')");
        Assert.That(output.Sets[0][0].Type.Kind, Is.EqualTo(SqlKind.Variant));
        Assert.That(output.Rows[0][0] is { } found && value is string ? found.ToString() : output.Rows[0][0], value is null ? Is.Null : Is.EqualTo(value));
    }

    [Test]
    public async Task Administrators_look_around()
    {
        await using var sql = await SqlFixture.OpenAsync();
        await sql.RunAsync("CREATE DATABASE d");
        var output = await sql.RunAsync("""
            SELECT USER_NAME(), DATABASEPROPERTYEX('d', 'Status'), DATABASEPROPERTYEX('d', 'Updateability'), DATABASEPROPERTYEX('nope', 'Status'), CONNECTIONPROPERTY('net_transport'), @@LANGID
            SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES
            SELECT name FROM sys.types WHERE name IN ('int', 'sysname') ORDER BY name
            """);
        Assert.That(output.Story, Is.EqualTo("[dbo,ONLINE,READ_WRITE,NULL,TCP,0] (1) (0) [int] [sysname] (2)"));
        Assert.That((await sql.RunAsync("EXEC sp_helpserver")).Rows.Single()[0], Is.EqualTo("mssql1-0"));
        Assert.That((await sql.RunAsync("EXEC sp_who")).Rows, Has.Count.EqualTo(1));
        Assert.That((await sql.RunAsync("EXEC sp_helpdb")).Rows.Select(row => row[0]), Does.Contain("d"));
        Assert.That((await sql.RunAsync("EXEC sp_databases")).Rows, Has.Count.EqualTo(5));
        Assert.That((await sql.RunAsync("EXEC sp_reload_mssqlconf")).Errors, Is.Empty);
    }
}
