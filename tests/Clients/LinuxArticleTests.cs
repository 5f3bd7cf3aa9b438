using System.Text.RegularExpressions;
using Clients.Drivers;

namespace Clients;

/// <summary>
/// Two servers form an availability group by T-SQL alone, one script a node typed into FreeTDS' <c>tsql</c>, in the order of Microsoft's article
/// "Configure SQL Server Always On Availability Group for high availability on Linux". The certificate travels in binary
/// form, and the cluster manager's <c>SET (ROLE = SECONDARY)</c>, by which a joined replica leaves RESOLVING, is typed too.
/// </summary>
internal sealed partial class LinuxArticleTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly TsqlClient Tsql = new("require");

    [Test]
    public async Task Two_nodes_by_script()
    {
        AllClients.Require(Tsql);
        using var one = await SimulatorProcess.StartAsync("node1");
        using var two = await SimulatorProcess.StartAsync("node2");

        var keys = await TypeAsync(one, """
            CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster-Key-Passw0rd'
            CREATE CERTIFICATE dbm_certificate WITH SUBJECT = 'dbm'
            go
            SELECT CONVERT(varchar(max), CERTENCODED(CERT_ID('dbm_certificate')), 1) AS c
            SELECT CONVERT(varchar(max), CERTPRIVATEKEY(CERT_ID('dbm_certificate'), 'Pr1vate-Key-Passw0rd'), 1) AS k
            go
            """);
        var binary = Binary().Matches(keys).Select(match => match.Value).ToList();
        Assert.That(binary, Has.Count.EqualTo(2), keys);
        await TypeAsync(two, $"""
            CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster-Key-Passw0rd'
            CREATE CERTIFICATE dbm_certificate FROM BINARY = {binary[0]}
                WITH PRIVATE KEY (BINARY = {binary[1]}, DECRYPTION BY PASSWORD = 'Pr1vate-Key-Passw0rd')
            go
            """);
        const string Endpoint = """
            CREATE ENDPOINT [Hadr_endpoint] AS TCP (LISTENER_PORT = 5022)
                FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE dbm_certificate, ENCRYPTION = REQUIRED ALGORITHM AES)
            ALTER ENDPOINT [Hadr_endpoint] STATE = STARTED
            go
            """;
        await TypeAsync(one, Endpoint);
        await TypeAsync(two, Endpoint);
        await TypeAsync(one, $"""
            CREATE AVAILABILITY GROUP [ag1] WITH (DB_FAILOVER = ON, CLUSTER_TYPE = EXTERNAL)
                FOR REPLICA ON
                    N'node1' WITH (ENDPOINT_URL = N'tcp://{one.Address}:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL, SEEDING_MODE = AUTOMATIC),
                    N'node2' WITH (ENDPOINT_URL = N'tcp://{two.Address}:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL, SEEDING_MODE = AUTOMATIC)
            go
            ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE
            go
            """);
        await TypeAsync(two, """
            ALTER AVAILABILITY GROUP [ag1] JOIN WITH (CLUSTER_TYPE = EXTERNAL)
            go
            ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE
            go
            ALTER AVAILABILITY GROUP [ag1] SET (ROLE = SECONDARY)
            go
            """);
        await TypeAsync(one, """
            CREATE DATABASE [db1]
            go
            ALTER DATABASE [db1] SET RECOVERY FULL
            go
            BACKUP DATABASE [db1] TO DISK = N'/var/opt/mssql/data/db1.bak'
            go
            ALTER AVAILABILITY GROUP [ag1] ADD DATABASE [db1]
            go
            """);
        await Form.UntilAsync(two, "SELECT COUNT(*) FROM sys.databases WHERE name = 'db1'", "1", Bound);
        await Form.UntilAsync(
            two, "SELECT synchronization_state_desc FROM sys.dm_hadr_database_replica_states WHERE is_local = 1", "SYNCHRONIZED", Bound);
    }

    /// <summary>Types a script; no line of it may fail.</summary>
    private static async Task<string> TypeAsync(SimulatorProcess server, string script)
    {
        var (output, errors) = await Tsql.RunAsync(server.Login, script + "\n");
        Assert.That(Severe().IsMatch(errors), Is.False, $"{errors}\n{server.Output}");
        return output;
    }

    [GeneratedRegex("0x[0-9A-F]{100,}")]
    private static partial Regex Binary();

    [GeneratedRegex(@"severity (1[1-9]|2)|connection failed")]
    private static partial Regex Severe();
}
