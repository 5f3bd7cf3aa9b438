using System.Diagnostics;
using Clients.Drivers;
using Microsoft.Data.SqlClient;

namespace Clients;

/// <summary>Forms an availability group of hand-started servers by T-SQL, with SqlClient.</summary>
internal static class Form
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly SqlClientClient Client = new(SqlConnectionEncryptOption.Optional);

    /// <summary>The first server is the primary.</summary>
    public static async Task GroupAsync(IReadOnlyList<SimulatorProcess> servers, string group, string database)
    {
        const string KeyPassword = "K3y-Passw0rd";
        await RunAsync(servers[0], $"CREATE MASTER KEY ENCRYPTION BY PASSWORD = '{KeyPassword}'");
        await RunAsync(servers[0], "CREATE CERTIFICATE dbm WITH SUBJECT = 'dbm'");
        var keys = await RowAsync(
            servers[0],
            $"""
            SELECT CONVERT(nvarchar(max), CERTENCODED(CERT_ID('dbm')), 1) AS c,
                CONVERT(nvarchar(max), CERTPRIVATEKEY(CERT_ID('dbm'), '{KeyPassword}'), 1) AS k
            """);
        foreach (var server in servers.Skip(1))
        {
            await RunAsync(server, $"CREATE MASTER KEY ENCRYPTION BY PASSWORD = '{KeyPassword}'");
            await RunAsync(server, $"CREATE CERTIFICATE dbm FROM BINARY = {keys[0]} WITH PRIVATE KEY (BINARY = {keys[1]}, DECRYPTION BY PASSWORD = '{KeyPassword}')");
        }

        foreach (var server in servers)
        {
            await RunAsync(server, $"""
                CREATE ENDPOINT hadr STATE = STARTED AS TCP (LISTENER_PORT = {SimulatorProcess.MirroringPort})
                    FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE dbm, ROLE = ALL, ENCRYPTION = REQUIRED ALGORITHM AES)
                """);
        }

        var replicas = servers.Select(server => $"""
            N'{server.Name}' WITH (ENDPOINT_URL = N'TCP://{server.Address}:{SimulatorProcess.MirroringPort}', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT,
                FAILOVER_MODE = EXTERNAL, SEEDING_MODE = AUTOMATIC, SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY))
            """);
        await RunAsync(servers[0], $"CREATE AVAILABILITY GROUP {group} WITH (CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON {string.Join(", ", replicas)}");
        await RunAsync(servers[0], $"ALTER AVAILABILITY GROUP {group} GRANT CREATE ANY DATABASE");
        foreach (var server in servers.Skip(1))
        {
            await RunAsync(server, $"ALTER AVAILABILITY GROUP {group} JOIN WITH (CLUSTER_TYPE = EXTERNAL)");
            await RunAsync(server, $"ALTER AVAILABILITY GROUP {group} GRANT CREATE ANY DATABASE");
            await RunAsync(server, $"ALTER AVAILABILITY GROUP {group} SET (ROLE = SECONDARY)");
        }

        await RunAsync(servers[0], $"CREATE DATABASE {database}");
        await RunAsync(servers[0], $"BACKUP DATABASE {database} TO DISK = N'{database}.bak'");
        await RunAsync(servers[0], $"ALTER AVAILABILITY GROUP {group} ADD DATABASE {database}");
        await UntilAsync(
            servers[0], "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'", $"{servers.Count}", Bound);
    }

    /// <summary>Runs a batch that must not fail.</summary>
    public static async Task RunAsync(SimulatorProcess server, string sql)
    {
        var replies = await Client.RunAsync(server.Login, [sql]);
        var errors = replies.SelectMany(reply => reply.Messages).Where(message => message.Severity > 10).ToList();
        Assert.That(errors, Is.Empty, $"{server.Name}: {sql}\n{server.Output}");
    }

    /// <summary>Waits until the first value of a query is the wanted one.</summary>
    public static async Task UntilAsync(SimulatorProcess server, string sql, string wanted, TimeSpan bound)
    {
        var begun = Stopwatch.GetTimestamp();
        string? last;
        while ((last = await ValueAsync()) != wanted)
        {
            if (Stopwatch.GetElapsedTime(begun) > bound)
                Assert.Fail($"{server.Name}: {sql} is {last}, not {wanted}\n{server.Output}");
            await Task.Delay(100);
        }

        async Task<string?> ValueAsync() => await RowAsync(server, sql) is [var value, ..] ? value : null;
    }

    private static async Task<IReadOnlyList<string?>> RowAsync(SimulatorProcess server, string sql)
    {
        var replies = await Client.RunAsync(server.Login, [sql]);
        return replies[^1].Sets is [{ Rows: [var row, ..] }, ..] ? row : [];
    }
}
