using System.Net;
using System.Net.Sockets;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.TSql.Execution;
using Unit.TSql;

namespace Unit.Engine;

/// <summary>T-SQL over hosted instances with real files and sockets, end to end but for the client's wire.</summary>
public sealed class HostedTests
{
    private const string Password = "Sa!Passw0rd";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_group_forms_seeds_fails_over_and_survives_the_restart_of_all()
    {
        var folder = Directory.CreateTempSubdirectory("hosted").FullName;
        var port = FreePort();
        string[] names = ["s1", "s2", "s3"];
        var hosts = names.Select((name, index) => Open(folder, name, index)).ToArray();
        try
        {
            var exported = await Row(hosts[0], """
                CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster!Key';
                CREATE CERTIFICATE dbm WITH SUBJECT = 'dbm', EXPIRY_DATE = '2090-01-01';
                SELECT CERTENCODED(CERT_ID('dbm')), CERTPRIVATEKEY(CERT_ID('dbm'), 'Pvk!Pass1');
                """);
            var (der, pvk) = (Convert.ToHexString((byte[])exported[0]!), Convert.ToHexString((byte[])exported[1]!));
            foreach (var host in hosts.Skip(1))
            {
                await Run(host, $"""
                    CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster!Key';
                    CREATE CERTIFICATE dbm FROM BINARY = 0x{der} WITH PRIVATE KEY (BINARY = 0x{pvk}, DECRYPTION BY PASSWORD = 'Pvk!Pass1');
                    """);
            }

            foreach (var host in hosts)
            {
                await Run(host, $"""
                    CREATE ENDPOINT [dbm] STATE = STARTED AS TCP (LISTENER_PORT = {port})
                    FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE [dbm], ENCRYPTION = REQUIRED ALGORITHM AES);
                    """);
            }

            string Replica(int index) => $"""
                N's{index + 1}' WITH (ENDPOINT_URL = N'TCP://{Address(index)}:{port}', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL,
                SEEDING_MODE = AUTOMATIC, SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY))
                """;
            await Run(hosts[0], $"CREATE AVAILABILITY GROUP [ag1] WITH (DB_FAILOVER = ON, CLUSTER_TYPE = EXTERNAL, WRITE_LEASE_VALIDITY = 120) FOR REPLICA ON {Replica(0)};");
            await Run(hosts[0], "ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE;");
            foreach (var index in new[] { 1, 2 })
            {
                await Run(hosts[0], $"ALTER AVAILABILITY GROUP [ag1] ADD REPLICA ON {Replica(index)};");
                await Run(hosts[index], "ALTER AVAILABILITY GROUP [ag1] JOIN WITH (CLUSTER_TYPE = EXTERNAL);");
                await Run(hosts[index], "ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE;");
                await Eventually(hosts[index], "ALTER AVAILABILITY GROUP [ag1] SET (ROLE = SECONDARY);");
            }

            await Run(hosts[0], "ALTER AVAILABILITY GROUP [ag1] SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 1);");
            await Run(hosts[0], "CREATE DATABASE db1; BACKUP DATABASE db1 TO DISK = N'NUL'; ALTER AVAILABILITY GROUP ag1 ADD DATABASE db1;");
            await Run(hosts[0], "CREATE TABLE db1.dbo.t (id int IDENTITY PRIMARY KEY, v nvarchar(20)); INSERT INTO db1.dbo.t (v) VALUES (N'one');");
            await Synchronized(hosts[0], 3);

            await Run(hosts[0], "ALTER AVAILABILITY GROUP [ag1] OFFLINE;");
            await Run(hosts[1], """
                ALTER AVAILABILITY GROUP [ag1] SET (WRITE_LEASE_VALIDITY = 120);
                EXEC sp_set_session_context @key = N'external_cluster', @value = N'yes';
                ALTER AVAILABILITY GROUP [ag1] FAILOVER;
                """);
            await Follow(hosts[2], hosts[1]);
            await Eventually(hosts[1], "INSERT INTO db1.dbo.t (v) VALUES (N'two');");

            foreach (var index in Enumerable.Range(0, 3))
            {
                await hosts[index].DisposeAsync();
                hosts[index] = Open(folder, names[index], index);
            }

            Assert.That((await Row(hosts[1], "SELECT role_desc FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1"))[0], Is.EqualTo("RESOLVING"));
            await Run(hosts[1], """
                ALTER AVAILABILITY GROUP [ag1] SET (WRITE_LEASE_VALIDITY = 120);
                EXEC sp_set_session_context @key = N'external_cluster', @value = N'yes'
                ALTER AVAILABILITY GROUP [ag1] FAILOVER
                """);
            await Follow(hosts[0], hosts[1]);
            await Eventually(hosts[1], "INSERT INTO db1.dbo.t (v) VALUES (N'three');");
            Assert.That((await Row(hosts[1], "SELECT COUNT(*), MAX(id) FROM db1.dbo.t"))[0], Is.EqualTo(3));
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task A_peer_without_a_known_certificate_never_connects()
    {
        var folder = Directory.CreateTempSubdirectory("hosted").FullName;
        var port = FreePort();
        var hosts = new[] { Open(folder, "s1", 0), Open(folder, "s2", 1) };
        try
        {
            foreach (var host in hosts)
            {
                await Run(host, $"""
                    CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster!Key';
                    CREATE CERTIFICATE dbm WITH SUBJECT = 'dbm';
                    CREATE ENDPOINT [dbm] STATE = STARTED AS TCP (LISTENER_PORT = {port})
                    FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE [dbm], ENCRYPTION = REQUIRED ALGORITHM AES);
                    """);
            }

            await Run(hosts[0], $"""
                CREATE AVAILABILITY GROUP [ag1] WITH (CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON
                N's1' WITH (ENDPOINT_URL = N'TCP://{Address(0)}:{port}', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL),
                N's2' WITH (ENDPOINT_URL = N'TCP://{Address(1)}:{port}', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL);
                """);
            var output = await Batch(hosts[1], "ALTER AVAILABILITY GROUP [ag1] JOIN WITH (CLUSTER_TYPE = EXTERNAL);");
            Assert.That(output.Errors, Is.EqualTo(new[] { 47106 }));
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Address(int index) => $"127.0.7.{index + 1}";

    private static InstanceHost Open(string folder, string name, int index) => new(
        new InstanceOptions { MachineName = name, SaPassword = Password, JoinTimeout = TimeSpan.FromSeconds(3) },
        Path.Combine(folder, name),
        IPAddress.Parse(Address(index)),
        line => TestContext.Out.WriteLine($"{name}: {line}"));

    private static async Task<RecordingOutput> Batch(InstanceHost host, string text)
    {
        var outcome = await new SqlServer(host).LoginAsync(new LoginRequest("sa", Password, "", false, "", ""), CancellationToken.None);
        await using var session = outcome.Session!;
        var output = new RecordingOutput();
        using var bound = new CancellationTokenSource(Bound);
        await session.ExecuteBatchAsync(text, [], output, bound.Token);
        return output;
    }

    private static async Task Run(InstanceHost host, string text)
    {
        var output = await Batch(host, text);
        Assert.That(output.Messages.Where(message => message.IsError), Is.Empty, text);
    }

    private static async Task<IReadOnlyList<object?>> Row(InstanceHost host, string text)
    {
        var output = await Batch(host, text);
        Assert.That(output.Messages.Where(message => message.IsError), Is.Empty, text);
        return output.Rows[0];
    }

    private static async Task Eventually(InstanceHost host, string text)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (true)
        {
            var output = await Batch(host, text);
            if (!output.Errors.Any())
            {
                return;
            }

            Assert.That(bound.IsCancellationRequested, Is.False, $"{text}: {string.Join(", ", output.Messages)}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    // A secondary that was told while it still heard of the old primary must be told again.
    private static async Task Follow(InstanceHost host, InstanceHost primary)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (true)
        {
            await Batch(host, "ALTER AVAILABILITY GROUP [ag1] SET (ROLE = SECONDARY);");
            var row = await Row(primary, "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE is_local = 0 AND synchronization_state_desc = 'SYNCHRONIZED'");
            if (row[0] is > 0)
            {
                return;
            }

            Assert.That(bound.IsCancellationRequested, Is.False, "nobody is synchronized");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static async Task Synchronized(InstanceHost host, int count)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (true)
        {
            var row = await Row(host, "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'");
            if (Equals(row[0], count))
            {
                return;
            }

            Assert.That(bound.IsCancellationRequested, Is.False, $"{row[0]} of {count} synchronized");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
