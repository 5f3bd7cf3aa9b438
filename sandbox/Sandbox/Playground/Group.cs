using System.Collections.Concurrent;
using System.Globalization;
using Agents.Kubernetes;
using Microsoft.Data.SqlClient;
using Sandbox.Steps;

namespace Sandbox.Playground;

/// <summary>The availability group as a user sees it: through the API server and through the Service <c>ag1-primary</c>.</summary>
internal sealed class Group(IKubernetesApi api, string saPassword)
{
    /// <summary>Error of the engine: the login or its password is not accepted.</summary>
    private const int LoginFailed = 18456;

    public const string Name = "ag1";
    public const string Namespace = "ag1";
    public const string Database = "orders";
    private const string RoleLabel = $"role.ag.mssql.microsoft.com/{Name}";

    private const string ReplicasQuery = $"""
        SELECT r.replica_server_name, s.role_desc, s.connected_state_desc, d.synchronization_state_desc
        FROM sys.availability_groups AS g
        JOIN sys.availability_replicas AS r ON r.group_id = g.group_id
        LEFT JOIN sys.dm_hadr_availability_replica_states AS s ON s.replica_id = r.replica_id AND s.group_id = g.group_id
        LEFT JOIN sys.dm_hadr_database_replica_states AS d ON d.replica_id = r.replica_id AND d.group_id = g.group_id
        WHERE g.name = N'{Name}'
        ORDER BY r.replica_server_name;
        """;

    private readonly ConcurrentDictionary<string, string> _addresses = [];
    private volatile string[] _passwords = [saPassword];

    /// <summary>How many replicas it is to have.</summary>
    public int Size { get; set; } = 3;

    /// <summary>From now on instances may have this password of sa instead of the one before.</summary>
    public void ExpectPassword(string password) => _passwords = [password, _passwords[0]];

    /// <summary>The pod that carries the primary's label.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="StepFailedException">Two pods carry it, which must never be (rule S9).</exception>
    public async Task<string?> LabelledPrimaryAsync(CancellationToken cancellationToken)
    {
        var labelled = await LabelledAsync("primary", cancellationToken);
        return labelled.Count < 2
            ? labelled.SingleOrDefault()
            : throw new StepFailedException($"more than one pod is labelled primary: {string.Join(", ", labelled)}");
    }

    /// <summary>Logs in to an instance with this password and no other.</summary>
    public async Task LogInAsync(string instance, string password, CancellationToken cancellationToken)
    {
        await using var connection = new SqlConnection(ConnectionString(await AddressAsync(instance, cancellationToken), "master", password));
        await connection.OpenAsync(cancellationToken);
    }

    /// <summary>Connection string of a Service's stable address.</summary>
    public async Task<string> ConnectionStringAsync(string service, string database, CancellationToken cancellationToken) =>
        ConnectionString(await AddressAsync(service, cancellationToken), database);

    /// <summary>Connects through a Service, with whichever password of sa the instance has by now.</summary>
    public async Task<SqlConnection> OpenAsync(string service, string database, CancellationToken cancellationToken)
    {
        var address = await AddressAsync(service, cancellationToken);
        var passwords = _passwords;
        for (var i = 0; ; i++)
        {
            var connection = new SqlConnection(ConnectionString(address, database, passwords[i]));
            try
            {
                await connection.OpenAsync(cancellationToken);
                return connection;
            }
            catch (Exception e)
            {
                await connection.DisposeAsync();
                if (e is not SqlException { Number: LoginFailed } || i + 1 == passwords.Length)
                    throw;
            }
        }
    }

    public string ConnectionString(string address, string database, string? password = null) => new SqlConnectionStringBuilder
    {
        DataSource = $"tcp:{address},1433",
        InitialCatalog = database,
        UserID = "sa",
        Password = password ?? _passwords[0],
        Encrypt = SqlConnectionEncryptOption.Mandatory,
        TrustServerCertificate = true,
        ConnectTimeout = 2,
        ConnectRetryCount = 0,
        Pooling = false,
        ApplicationName = "sandbox",
    }.ConnectionString;

    /// <summary>All replicas, as the present primary shows them.</summary>
    public async Task<IReadOnlyList<Replica>> ReplicasAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync("master", cancellationToken);
        var rows = new List<(string Name, string? Role, string? Connection, string? Database)>();
        await using var command = new SqlCommand(ReplicasQuery, connection) { CommandTimeout = 3 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add((reader.GetString(0), Text(reader, 1), Text(reader, 2), Text(reader, 3)));
        return [.. rows.GroupBy(x => x.Name).Select(x => new Replica(
            x.Key, x.First().Role, x.First().Connection, [.. x.Where(y => y.Database is not null).Select(y => y.Database!)]))];
    }

    /// <summary>Availability mode of a replica, as the present primary shows it.</summary>
    /// <returns>Null when it is none.</returns>
    public async Task<string?> ModeAsync(string replica, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync("master", cancellationToken);
        await using var command = new SqlCommand(
            $"SELECT availability_mode_desc FROM sys.availability_replicas WHERE replica_server_name = N'{replica}';", connection) { CommandTimeout = 3 };
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <summary>Waits until there is one primary, all replicas are SYNCHRONIZED and the labels say so too.</summary>
    /// <returns>The replicas.</returns>
    public async Task<IReadOnlyList<Replica>> CalmAsync(Action<string> progress, CancellationToken cancellationToken) =>
        await Wait.ForAsync(
            async token =>
            {
                var replicas = await ReplicasAsync(token);
                var labelled = await LabelledPrimaryAsync(token);
                var secondaries = await LabelledAsync("secondary", token);
                progress("waiting until all replicas are SYNCHRONIZED: " + string.Join(", ", replicas));
                return replicas.Count == Size
                    && replicas.All(x => x.Synchronized)
                    && replicas.SingleOrDefault(x => x.Role == "PRIMARY")?.Name == labelled
                    && secondaries.Count == Size - 1
                    ? replicas
                    : null;
            },
            why => progress("waiting until all replicas are SYNCHRONIZED: " + why),
            cancellationToken,
            TimeSpan.FromMilliseconds(100));

    /// <summary>Keys in the writer's table, read from <paramref name="primary"/> through <c>ag1-primary</c>.</summary>
    /// <returns>Null when another instance answered.</returns>
    public async Task<IReadOnlySet<long>?> ReadKeysAsync(string primary, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(Database, cancellationToken);
        const string query = "SELECT CAST(@@SERVERNAME AS nvarchar(128)); SELECT id FROM dbo.writes;";
        await using var command = new SqlCommand(query, connection) { CommandTimeout = 10 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.GetString(0) != primary)
            return null;
        await reader.NextResultAsync(cancellationToken);
        var keys = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(reader.GetInt64(0));
        return keys;
    }

    /// <summary>Creates the database and adds it to the group, as a database administrator would.</summary>
    public async Task AddDatabaseAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        progress($"creating database {Database} and adding it to the group");
        await ExecuteAsync("master", $"CREATE DATABASE [{Database}];", cancellationToken);
        await ExecuteAsync("master", $"ALTER DATABASE [{Database}] SET RECOVERY FULL;", cancellationToken);
        await ExecuteAsync(Database, "CREATE TABLE dbo.writes (id bigint NOT NULL PRIMARY KEY);", cancellationToken);
        await ExecuteAsync("master", $"BACKUP DATABASE [{Database}] TO DISK = N'/var/opt/mssql/data/{Database}.bak';", cancellationToken);
        await ExecuteAsync("master", $"ALTER AVAILABILITY GROUP [{Name}] ADD DATABASE [{Database}];", cancellationToken);
    }

    private static string? Text(SqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private async Task ExecuteAsync(string database, string batch, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(database, cancellationToken);
        await using var command = new SqlCommand(batch, connection) { CommandTimeout = 15 };
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (SqlException e)
        {
            throw new StepFailedException(string.Create(CultureInfo.InvariantCulture, $"{batch} failed with {e.Number}: {e.Message}"));
        }
    }

    private Task<SqlConnection> OpenAsync(string database, CancellationToken cancellationToken) =>
        OpenAsync($"{Name}-primary", database, cancellationToken);

    private async Task<string> AddressAsync(string service, CancellationToken cancellationToken)
    {
        if (!_addresses.TryGetValue(service, out var address))
        {
            var found = await api.GetAsync(Kinds.Services, Namespace, service, cancellationToken);
            address = found?["spec"]?["clusterIP"]?.GetValue<string>()
                ?? throw new StepFailedException($"Service {service} has no address");
            _addresses[service] = address;
        }

        return address;
    }

    private async Task<IReadOnlyList<string>> LabelledAsync(string role, CancellationToken cancellationToken)
    {
        var pods = await api.ListAsync(Kinds.Pods, Namespace, new ListOptions($"{RoleLabel}={role}"), cancellationToken);
        return [.. pods.Items.Select(x => x["metadata"]!["name"]!.GetValue<string>())];
    }
}
