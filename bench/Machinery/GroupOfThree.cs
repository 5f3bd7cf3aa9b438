using System.Net;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;

namespace Bench.Machinery;

/// <summary>An availability group of three processes, all synchronous, of which commits need both secondaries; with database db1 and table t.</summary>
internal sealed class GroupOfThree : IAsyncDisposable
{
    private readonly List<Instance> instances = [];

    public Instance Primary => instances[0];

    public static async Task<GroupOfThree> FormAsync(CancellationToken cancellationToken)
    {
        var group = new GroupOfThree();
        try
        {
            for (var index = 0; index < 3; index++)
                group.instances.Add(Instance.Start($"bench{index + 1}", $"127.0.9.{index + 1}"));
            await group.JoinAsync(cancellationToken);
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        var port = FreePort();
        foreach (var instance in instances)
            await instance.ReadyAsync(cancellationToken);
        await Primary.RunAsync(
            """
            CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster!Key';
            CREATE CERTIFICATE dbm WITH SUBJECT = 'dbm', EXPIRY_DATE = '2090-01-01';
            """,
            cancellationToken);
        var (certificate, key) = await ExportAsync(cancellationToken);
        foreach (var secondary in instances.Skip(1))
        {
            await secondary.RunAsync(
                $"""
                CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'M4ster!Key';
                CREATE CERTIFICATE dbm FROM BINARY = 0x{certificate} WITH PRIVATE KEY (BINARY = 0x{key}, DECRYPTION BY PASSWORD = 'Pvk!Pass1');
                """,
                cancellationToken);
        }

        foreach (var instance in instances)
        {
            await instance.RunAsync(
                $"""
                CREATE ENDPOINT [dbm] STATE = STARTED AS TCP (LISTENER_PORT = {port})
                FOR DATABASE_MIRRORING (ROLE = ALL, AUTHENTICATION = CERTIFICATE [dbm], ENCRYPTION = REQUIRED ALGORITHM AES);
                """,
                cancellationToken);
        }

        string Replica(Instance instance) => $"""
            N'{instance.Name}' WITH (ENDPOINT_URL = N'TCP://{instance.Address}:{port}', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = EXTERNAL,
            SEEDING_MODE = AUTOMATIC, SECONDARY_ROLE (ALLOW_CONNECTIONS = ALL))
            """;
        await Primary.RunAsync(
            $"CREATE AVAILABILITY GROUP [ag1] WITH (DB_FAILOVER = ON, CLUSTER_TYPE = EXTERNAL) FOR REPLICA ON {Replica(Primary)};", cancellationToken);
        await Primary.RunAsync("ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE;", cancellationToken);
        foreach (var secondary in instances.Skip(1))
        {
            await Primary.RunAsync($"ALTER AVAILABILITY GROUP [ag1] ADD REPLICA ON {Replica(secondary)};", cancellationToken);
            await secondary.RunAsync("ALTER AVAILABILITY GROUP [ag1] JOIN WITH (CLUSTER_TYPE = EXTERNAL);", cancellationToken);
            await secondary.RunAsync("ALTER AVAILABILITY GROUP [ag1] GRANT CREATE ANY DATABASE;", cancellationToken);
            await secondary.EventuallyAsync("ALTER AVAILABILITY GROUP [ag1] SET (ROLE = SECONDARY);", cancellationToken);
        }

        await Primary.RunAsync("ALTER AVAILABILITY GROUP [ag1] SET (REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT = 2);", cancellationToken);
        await Primary.RunAsync(
            "CREATE DATABASE db1; BACKUP DATABASE db1 TO DISK = N'NUL'; ALTER AVAILABILITY GROUP ag1 ADD DATABASE db1;", cancellationToken);
        await Primary.RunAsync(Workload.CreateTable, cancellationToken);
        while (await Primary.ReadAsync<int>(
            "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZED'", cancellationToken) < 3)
        {
            await Task.Delay(20, cancellationToken);
        }
    }

    private async Task<(string Certificate, string Key)> ExportAsync(CancellationToken cancellationToken)
    {
        await using var connection = await Primary.OpenAsync("master", cancellationToken);
        await using var command = new SqlCommand("SELECT CERTENCODED(CERT_ID('dbm')), CERTPRIVATEKEY(CERT_ID('dbm'), 'Pvk!Pass1')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (Convert.ToHexString(reader.GetSqlBinary(0).Value), Convert.ToHexString(reader.GetSqlBinary(1).Value));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
