using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;

namespace Unit.TSql;

public sealed class ParserTests
{
    [Test]
    public void Create_group_carries_every_option()
    {
        var create = Command<CreateGroup>("""
            CREATE AVAILABILITY GROUP [ag]]1] WITH (AUTOMATED_BACKUP_PREFERENCE = SECONDARY, FAILURE_CONDITION_LEVEL = 3,
                HEALTH_CHECK_TIMEOUT = 30000, DB_FAILOVER = ON, DTC_SUPPORT = NONE, CLUSTER_TYPE = EXTERNAL,
                REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 1, WRITE_LEASE_VALIDITY = 72)
            FOR DATABASE [a], b
            REPLICA ON N'mssql-0' WITH (ENDPOINT_URL = N'TCP://mssql-0:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL,
                    SEEDING_MODE = AUTOMATIC, BACKUP_PRIORITY = 70, SESSION_TIMEOUT = 10,
                    SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY, READ_ONLY_ROUTING_URL = 'TCP://mssql-0:1433'),
                    PRIMARY_ROLE (ALLOW_CONNECTIONS = ALL, READ_ONLY_ROUTING_LIST = ('a', ('b', 'c')), READ_WRITE_ROUTING_URL = NONE)),
                N'mssql-2' WITH (ENDPOINT_URL = N'TCP://mssql-2:5022', AVAILABILITY_MODE = CONFIGURATION_ONLY);
            """);
        Assert.Multiple(() =>
        {
            Assert.That(create.Name, Is.EqualTo("ag]1"));
            Assert.That(create.Options, Is.EqualTo(new GroupOptions
            {
                AutomatedBackupPreference = 2, FailureConditionLevel = 3, HealthCheckTimeout = 30000, DbFailover = true, DtcSupport = false,
                ClusterType = ClusterType.External, RequiredSynchronizedSecondariesToCommit = 1, WriteLeaseValidity = 72,
            }));
            Assert.That(create.Databases, Is.EqualTo(["a", "b"]));
            Assert.That(create.Replicas.Select(replica => replica.Name), Is.EqualTo(["mssql-0", "mssql-2"]));
            var first = create.Replicas[0].Options;
            Assert.That(first.AvailabilityMode, Is.EqualTo(AvailabilityMode.SynchronousCommit));
            Assert.That(first.FailoverMode, Is.EqualTo(FailoverMode.External));
            Assert.That(first.SeedingMode, Is.EqualTo(SeedingMode.Automatic));
            Assert.That(first.SecondaryConnections, Is.EqualTo(SecondaryConnections.ReadOnly));
            Assert.That(first.ReadOnlyRoutingUrl, Is.EqualTo("TCP://mssql-0:1433"));
            Assert.That(first.ReadOnlyRoutingList, Is.EqualTo(new[] { new[] { "a" }, ["b", "c"] }));
            Assert.That(first.ReadWriteRoutingUrl, Is.Empty);
            Assert.That(create.Replicas[1].Options.AvailabilityMode, Is.EqualTo(AvailabilityMode.ConfigurationOnly));
        });
    }

    private static IEnumerable<TestCaseData> GroupChanges()
    {
        yield return Case("FAILOVER", new FailOver("ag", false));
        yield return Case("FORCE_FAILOVER_ALLOW_DATA_LOSS", new FailOver("ag", true));
        yield return Case("OFFLINE", new TakeOffline("ag"));
        yield return Case("SET (ROLE = SECONDARY)", new SetRoleSecondary("ag"));
        yield return Case("SET (WRITE_LEASE_VALIDITY = 7)", new SetWriteLease("ag", 7));
        yield return Case("SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 1)", new SetGroupOptions("ag", new GroupOptions { RequiredSynchronizedSecondariesToCommit = 1 }));
        yield return Case("JOIN", new JoinGroup("ag", null));
        yield return Case("JOIN WITH (CLUSTER_TYPE = EXTERNAL)", new JoinGroup("ag", ClusterType.External));
        yield return Case("GRANT CREATE ANY DATABASE", new GrantCreateAnyDatabase("ag"));
        yield return Case("DENY CREATE ANY DATABASE", new GrantCreateAnyDatabase("ag", true));
        yield return Case("MODIFY REPLICA ON N's' WITH (ENDPOINT_URL = N'TCP://x:1')", new ModifyReplica("ag", new ReplicaSpec("s", new ReplicaOptions { EndpointUrl = "TCP://x:1" })));

        static TestCaseData Case(string action, EngineCommand command) => new TestCaseData(action, command).SetArgDisplayNames(action);
    }

    [TestCaseSource(nameof(GroupChanges))]
    public void Alter_group_knows(string action, object command) =>
        Assert.That(Command<EngineCommand>($"ALTER AVAILABILITY GROUP [ag] {action}"), Is.EqualTo(command));

    [Test]
    public void Listeners() => Assert.Multiple(() =>
    {
        var added = Command<AddListener>("ALTER AVAILABILITY GROUP ag ADD LISTENER N'l' (WITH IP (('10.0.0.1', '255.0.0.0'), ('fd00::1')), PORT = 14330)").Listener;
        Assert.That((added.Name, added.Port), Is.EqualTo(("l", 14330)));
        Assert.That(added.Addresses, Is.EqualTo([new ListenerAddress("10.0.0.1", "255.0.0.0"), new ListenerAddress("fd00::1", null)]));
        Assert.That(Command<ModifyListener>("ALTER AVAILABILITY GROUP ag MODIFY LISTENER 'l' (PORT = 1)").Listener.Port, Is.EqualTo(1));
        Assert.That(
            Command<ModifyListener>("ALTER AVAILABILITY GROUP ag MODIFY LISTENER 'l' (ADD IP ('10.0.0.2', '255.0.0.0'))").Listener.Addresses,
            Is.EqualTo([new ListenerAddress("10.0.0.2", "255.0.0.0")]));
        Assert.That(Command<RemoveListener>("ALTER AVAILABILITY GROUP ag REMOVE LISTENER 'l'").Listener, Is.EqualTo("l"));
        Assert.That(
            Command<CreateGroup>("CREATE AVAILABILITY GROUP ag WITH (CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'TCP://a:1', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL) LISTENER 'l' (WITH IP (('fd00::1')))").Listener?.Name,
            Is.EqualTo("l"));
    });

    [Test]
    public void Alter_group_lists_databases_and_replicas() => Assert.Multiple(() =>
    {
        Assert.That(Command<AddGroupDatabases>("ALTER AVAILABILITY GROUP ag ADD DATABASE a, [b]").Databases, Is.EqualTo(["a", "b"]));
        Assert.That(Command<RemoveGroupDatabases>("ALTER AVAILABILITY GROUP ag REMOVE DATABASE a").Databases, Is.EqualTo(["a"]));
        Assert.That(Command<RemoveReplicas>("ALTER AVAILABILITY GROUP ag REMOVE REPLICA ON 'a', N'b'").Replicas, Is.EqualTo(["a", "b"]));
        Assert.That(Command<DropGroup>("DROP AVAILABILITY GROUP [ag]").Name, Is.EqualTo("ag"));
    });

    // What the engine would take as a mistake must never be taken for something else.
    [TestCase("ALTER AVAILABILITY GROUP 'ag' FAILOVER", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] FAILOVER NOW", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] SET (ROLE = PRIMARY)", 156)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] SET (WRITE_LEASE_VALIDITY = '7')", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] SET (WRITE_LEASE_VALIDITY = -7)", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] SET (CLUSTER_TYPE = EXTERNAL)", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] SET WRITE_LEASE_VALIDITY = 7", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] MODIFY REPLICA ON 's' WITH (SESSION_TIMEOUT = 5, BACKUP_PRIORITY = 1)", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] REMOVE REPLICA ON s", 102)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] WITH (CLUSTER_TYPE = EXTERNAL, CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'x')", 102)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] WITH (CLUSTER_TYPE = PACEMAKER) FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'x')", 102)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] REPLICA ON 'a' WITH (ENDPOINT_URL = 'x')", 102)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] FOR REPLICA ON 'a' WITH (AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL)", 35236)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'x', FAILOVER_MODE = EXTERNAL)", 41198)]
    [TestCase("CREATE AVAILABILITY GROUP [ag] FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'x', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT)", 41197)]
    [TestCase("BEGIN CREATE AVAILABILITY GROUP [ag] FOR REPLICA ON 'a' WITH (ENDPOINT_URL = 'x', AVAILABILITY_MODE = CONFIGURATION_ONLY) END", 102)]
    [TestCase("SELECT 'abc", 105)]
    [TestCase("SELECT [abc", 105)]
    [TestCase("SELECT 1 /* /* */", 113)]
    [TestCase("SELECT FROM t", 156)]
    [TestCase("SELECT 1 +", 102)]
    [TestCase("SELECT a b c FROM t", 102)]
    [TestCase("SELECT 1 WHERE 1", 4145)]
    [TestCase("SELECT (1 = 1)", 102)]
    [TestCase("SELECT @x", 137)]
    [TestCase("DECLARE @x int, @X int", 134)]
    [TestCase("DECLARE @x foo", 243)]
    [TestCase("SELECT @x = 1, 2", 137)]
    [TestCase("DECLARE @x int SELECT @x = 1, 2", 141)]
    [TestCase("IF 1 = 1", 102)]
    [TestCase("BEGIN SELECT 1", 102)]
    [TestCase("BEGIN END", 156)]
    [TestCase("SET FOO ON", 195)]
    [TestCase("EXEC p @a = 1, 2", 119)]
    [TestCase("UPDATE t SET a = 1 WHERE", 156)]
    [TestCase("NONSENSE ( 1", 102)]
    [TestCase("SELECT 1; FOO", 102)]
    [TestCase("MERGE t USING s ON 1 = 1", 50505)]
    [TestCase("CREATE VIEW v AS SELECT 1", 50505)]
    [TestCase("SELECT SUM(a) OVER (ORDER BY a ROWS UNBOUNDED PRECEDING) FROM t", 50505)]
    [TestCase("SET IMPLICIT_TRANSACTIONS ON", 50505)]
    [TestCase("DECLARE @t TABLE (a int)", 50505)]
    [TestCase("SELECT * FROM ##t", 50505)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] ADD LISTENER 'l' (WITH DHCP)", 50505)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] RESTART LISTENER 'l'", 50505)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] ADD LISTENER 'l' (PORT = 1433)", 102)]
    [TestCase("ALTER AVAILABILITY GROUP [ag] MODIFY LISTENER 'l' (PORT = 1, ADD IP ('1.1.1.1'))", 102)]
    public void Refuses(string batch, int number) => Assert.That(RefusalOf(batch).Number, Is.EqualTo(number));

    [Test]
    public void A_refusal_names_the_line_and_the_word() => Assert.Multiple(() =>
    {
        var error = RefusalOf("SELECT 1\n-- c\n/* x\n*/ SELECT ,");
        Assert.That(error.Line, Is.EqualTo(4));
        Assert.That(error.Message, Is.EqualTo("Incorrect syntax near ','."));
        Assert.That(error.Severity, Is.EqualTo(15));
        Assert.That(RefusalOf("SELECT * FROM ORDER").Message, Is.EqualTo("Incorrect syntax near the keyword 'ORDER'."));
        Assert.That(RefusalOf("SELECT 'o''brien").Message, Is.EqualTo("Unclosed quotation mark after the character string 'o''brien'."));
    });

    [Test]
    public void No_statement_of_the_batch_survives_a_mistake_in_its_last_one() => Assert.That(RefusalOf("DROP DATABASE a; DROP DATABASE b; DROP").Number, Is.EqualTo(156));

    [Test]
    public void Depth_is_bounded()
    {
        var deep = "SELECT " + new string('(', 5000) + "1" + new string(')', 5000);
        Assert.That(RefusalOf(deep).Number, Is.EqualTo(191));
        Assert.That(RefusalOf("SELECT " + string.Concat(Enumerable.Repeat("- ", 5000)) + "1").Number, Is.EqualTo(191));
        Assert.That(RefusalOf("SELECT 1 WHERE " + string.Concat(Enumerable.Repeat("NOT ", 5000)) + "1=1").Number, Is.EqualTo(191));
        Assert.That(RefusalOf(string.Concat(Enumerable.Repeat("IF 1=1 ", 5000)) + "SELECT 1").Number, Is.EqualTo(191));
    }

    [Test]
    public void Exec_and_alter_need_no_semicolon_between_them()
    {
        var statements = Parser.Parse("\tEXEC sp_set_session_context @key = N'external_cluster', @value = N'yes'\n ALTER AVAILABILITY GROUP [ag]\r\n FAILOVER ;", []);
        Assert.Multiple(() =>
        {
            Assert.That(statements, Has.Count.EqualTo(2));
            Assert.That(((ExecuteStatement)statements[0]).Arguments.Select(a => a.Name), Is.EqualTo(["@key", "@value"]));
            Assert.That(((EngineStatement)statements[1]).Command, Is.EqualTo(new FailOver("ag", false)));
        });
    }

    [Test]
    public void If_without_begin_takes_one_statement()
    {
        var statements = Parser.Parse(
            """
            DECLARE @num_ags INT; SELECT @num_ags = COUNT(*) FROM sys.availability_groups WHERE name = @p1 AND
                required_synchronized_secondaries_to_commit = @p2;
            IF @num_ags = 0 ALTER AVAILABILITY GROUP [ag] SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 1) ; SELECT 1;
            """,
            ["@p1", "@p2"]);
        Assert.That(statements.Select(s => s.GetType()), Is.EqualTo([typeof(DeclareStatement), typeof(SelectStatement), typeof(IfStatement), typeof(SelectStatement)]));
    }

    // Statements of the Linux agent, of the operators and of our own scripts.
    [TestCase("select 1;")]
    [TestCase("EXEC sp_server_diagnostics")]
    [TestCase("sp_server_diagnostics 10")]
    [TestCase("SELECT SERVERPROPERTY('ServerName')")]
    [TestCase("SELECT name FROM sys.servers WHERE server_id = 0")]
    [TestCase("IF EXISTS (SELECT * FROM sys.availability_groups WHERE name = N'ag') DROP AVAILABILITY GROUP [ag]")]
    [TestCase("IF NOT EXISTS (SELECT * FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##') CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'p';")]
    [TestCase("CREATE CERTIFICATE [c] FROM BINARY = 0x3082 WITH PRIVATE KEY (BINARY = 0x1EF1, DECRYPTION BY PASSWORD = 'p', ENCRYPTION BY PASSWORD = N'q')")]
    [TestCase("CREATE CERTIFICATE [c] AUTHORIZATION [u] FROM BINARY = 0x3082")]
    [TestCase("CREATE CERTIFICATE c WITH SUBJECT = 's', EXPIRY_DATE = '20300101'")]
    [TestCase("CREATE ENDPOINT [e] STATE = STARTED AS TCP (LISTENER_IP = ALL, LISTENER_PORT = 5022) FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE [c], ENCRYPTION = REQUIRED ALGORITHM AES)")]
    [TestCase("CREATE ENDPOINT e AUTHORIZATION l STATE = STARTED AS TCP (LISTENER_PORT = 5022, LISTENER_IP = (0.0.0.0)) FOR DATA_MIRRORING (ROLE = WITNESS, AUTHENTICATION = CERTIFICATE c)")]
    [TestCase("ALTER ENDPOINT [e] STATE = STOPPED")]
    [TestCase("ALTER ENDPOINT [e] FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE [new])")]
    [TestCase("CREATE LOGIN [l] WITH PASSWORD = N'p''w', SID = 0x01, CHECK_POLICY = OFF, DEFAULT_DATABASE = [master], CHECK_EXPIRATION = OFF")]
    [TestCase("CREATE LOGIN [l] FROM CERTIFICATE [c]")]
    [TestCase("ALTER LOGIN [sa] WITH PASSWORD = 'new' OLD_PASSWORD = 'old'")]
    [TestCase("ALTER LOGIN [sa] WITH PASSWORD = 'new' UNLOCK, CHECK_POLICY = ON")]
    [TestCase("ALTER LOGIN sa DISABLE")]
    [TestCase("ALTER SERVER ROLE [sysadmin] ADD MEMBER [l]")]
    [TestCase("CREATE USER [u] FOR LOGIN [l]")]
    [TestCase("GRANT CONNECT ON ENDPOINT::[e] TO [l]")]
    [TestCase("GRANT ALTER, CONTROL, VIEW DEFINITION ON AVAILABILITY GROUP::[ag] TO [l] WITH GRANT OPTION")]
    [TestCase("GRANT VIEW SERVER STATE TO [l]")]
    [TestCase("REVOKE VIEW SERVER STATE FROM [l] CASCADE")]
    [TestCase("DENY ALTER ANY LOGIN TO [l]")]
    [TestCase("ALTER AUTHORIZATION ON ENDPOINT::[e] TO [l]")]
    [TestCase("ALTER DATABASE [d] SET HADR RESUME")]
    [TestCase("ALTER DATABASE [d] SET HADR AVAILABILITY GROUP = [ag]")]
    [TestCase("ALTER DATABASE d SET RECOVERY FULL")]
    [TestCase("BACKUP DATABASE [d] TO DISK = N'/dev/null' WITH INIT, COPY_ONLY, STATS = 10")]
    [TestCase("BACKUP LOG d TO DISK = 'NUL'")]
    [TestCase("EXEC sp_addserver N'x', local")]
    [TestCase("DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'a', @LockMode = 'Exclusive', @LockTimeout = 0; SELECT @r")]
    [TestCase("BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(); THROW; END CATCH")]
    [TestCase("BEGIN TRAN; COMMIT; BEGIN TRANSACTION t; ROLLBACK TRAN t")]
    [TestCase("SET NOCOUNT ON SET XACT_ABORT ON SET TRANSACTION ISOLATION LEVEL READ COMMITTED SET LOCK_TIMEOUT 1000")]
    [TestCase("SET ANSI_NULLS, QUOTED_IDENTIFIER ON")]

    // What sqlcmd and drivers send before anything else.
    [TestCase("SET QUOTED_IDENTIFIER OFF SET TEXTSIZE 4096")]
    [TestCase("set ansi_nulls on\nset ansi_null_dflt_on on\nset ansi_padding on\nset ansi_warnings on\nset arithabort on\nset concat_null_yields_null on\nset cursor_close_on_commit off\nset datefirst 7\nset dateformat mdy\nset deadlock_priority normal\nset implicit_transactions off\nset language us_english\nset lock_timeout -1\nset numeric_roundabort off\nset quoted_identifier on\nset textsize 2147483647\nset transaction isolation level read committed\nset xact_abort off")]
    [TestCase("CREATE TABLE dbo.t (id int IDENTITY(1, 1) NOT NULL PRIMARY KEY CLUSTERED, v nvarchar(100) NULL DEFAULT (N'x'), at datetime2(3) NOT NULL DEFAULT SYSUTCDATETIME())")]
    [TestCase("CREATE TABLE t (a int NOT NULL, b uniqueidentifier, CONSTRAINT pk PRIMARY KEY (a, b))")]
    [TestCase("WHILE 1 = 1 BEGIN IF @@TRANCOUNT > 0 BREAK ELSE CONTINUE; END")]
    [TestCase("SELECT TOP (3) a.x AS [y], b.*, z = 1, 'lit' 'name' FROM db.dbo.t AS a LEFT OUTER JOIN dbo.u b ON a.i = b.i CROSS JOIN v WITH (NOLOCK), w ORDER BY 1 DESC, y")]
    [TestCase("SELECT CASE WHEN a LIKE N'x%' ESCAPE '\\' THEN 1 ELSE 2 END, CAST(replica_id AS NCHAR(36)), CONVERT(varchar(10), 1, 120) FROM t WHERE a NOT IN (1, 2) AND NOT b BETWEEN 1 AND 2 OR EXISTS (SELECT 1)")]
    [TestCase("SELECT d.n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS d JOIN (VALUES (1, 'a'), (2, 'b')) v (k, t) ON v.k = d.n")]
    [TestCase("INSERT INTO t (a, b) VALUES (1, DEFAULT), (2, NULL); INSERT t SELECT a, b FROM u; INSERT t DEFAULT VALUES")]
    [TestCase("RAISERROR ('late: %d', 16, 1, 5) WITH NOWAIT")]
    [TestCase("WAITFOR DELAY '00:00:01'")]
    [TestCase("IF @@ERROR <> 0\n    RETURN\nDECLARE @t bigint = (SELECT ms_ticks FROM sys.dm_os_sys_info)\nIF @t > 5\nBEGIN\n RAISERROR (N'x', 16, 1)\n RETURN\nEND")]
    public void Accepts(string batch) => Assert.That(() => Parser.Parse(batch, []), Throws.Nothing);

    [Test]
    public void Permissions_find_their_class() => Assert.Multiple(() =>
    {
        Assert.That(Command<ChangePermissions>("GRANT CREATE AVAILABILITY GROUP TO l").Class, Is.EqualTo(SecurableClass.Server));
        Assert.That(Command<ChangePermissions>("GRANT CREATE CERTIFICATE TO l").Class, Is.EqualTo(SecurableClass.Database));
        var group = Command<ChangePermissions>("GRANT VIEW DEFINITION ON AVAILABILITY GROUP::[ag] TO [l]");
        Assert.That((group.Class, group.Securable, group.Permissions[0]), Is.EqualTo((SecurableClass.AvailabilityGroup, "ag", "VIEW DEFINITION")));
    });

    [Test]
    public void Literals_keep_their_types()
    {
        var items = ((SelectBody)((SelectStatement)Parser.Parse("SELECT 1, 3000000000, 1.50, 1e3, N'é', 'a''b', 0x0aF, NULL", []).Single()).Query.Body).Items
            .Select(item => (LiteralExpression)((ExpressionItem)item).Expression).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(items.Select(item => item.Type.Kind), Is.EqualTo(
                [SqlKind.Int, SqlKind.Numeric, SqlKind.Numeric, SqlKind.Float, SqlKind.NVarChar, SqlKind.VarChar, SqlKind.VarBinary, SqlKind.Int]));
            Assert.That((items[1].Type.Precision, items[2].Type.Precision, items[2].Type.Scale), Is.EqualTo(((byte)10, (byte)3, (byte)2)));
            Assert.That(items[5].Value, Is.EqualTo("a'b"));
            Assert.That(items[6].Value, Is.EqualTo(new byte[] { 0x00, 0xAF }));
        });
    }

    private static T Command<T>(string batch)
        where T : EngineCommand => (T)((EngineStatement)Parser.Parse(batch, []).Single()).Command;

    private static SqlError RefusalOf(string batch) => Assert.Throws<SqlErrorException>(() => Parser.Parse(batch, []))!.Error;
}
