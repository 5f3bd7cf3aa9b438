using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Sql;

namespace Agents.InitSql;

/// <summary>Configuration of init-sql.</summary>
internal sealed record InitSqlOptions
{
    private static readonly EnvironmentVariable SqlHost = new("MSSQL_K8S_SQL_HOST", "host name or IP of the instance", "");
    private static readonly EnvironmentVariable SaPasswordVariable = new("MSSQL_K8S_SA_PASSWORD", "password of sa");

    private static readonly EnvironmentVariable CertificateDirectoryVariable = new(
        "MSSQL_K8S_MIRRORING_CERTIFICATE_DIR", "mounted Secret with the mirroring certificate", "/var/run/secrets/mssql-mirroring-certificate");

    private static readonly EnvironmentVariable ExpectedServerName =
        new("MSSQL_K8S_EXPECTED_SERVER_NAME", "pod name, which the server name must equal");

    private static readonly EnvironmentVariable PostInitScriptVariable =
        new("MSSQL_K8S_POST_INIT_SCRIPT", "T-SQL to run at the end, batches separated by GO", "");

    public static IReadOnlyList<EnvironmentVariable> Variables =>
    [
        EnvironmentVariables.Namespace, EnvironmentVariables.SqlServerName, ExpectedServerName, SqlHost, EnvironmentVariables.SqlPort,
        SaPasswordVariable, EnvironmentVariables.AgentLoginDirectory, CertificateDirectoryVariable, PostInitScriptVariable,
        EnvironmentVariables.QueryCommandTimeout, EnvironmentVariables.Kubeconfig,
    ];

    public required string Namespace { get; init; }

    public required string Instance { get; init; }

    public required string ServerName { get; init; }

    /// <summary>Where the instance is; empty to ask the API server.</summary>
    public string Host { get; init; } = string.Empty;

    public int Port { get; init; } = 1433;

    public required SqlSecret SaPassword { get; init; }

    public required string AgentLoginDirectory { get; init; }

    public required string CertificateDirectory { get; init; }

    public string PostInitScript { get; init; } = string.Empty;

    public required TimeSpan QueryTimeout { get; init; }

    /// <summary>Null when <see cref="Host"/> is set.</summary>
    public KubernetesConfiguration? Kubernetes { get; init; }

    public static InitSqlOptions Read(EnvironmentReader environment)
    {
        var host = environment.Text(SqlHost);
        var options = new InitSqlOptions
        {
            Namespace = environment.Text(EnvironmentVariables.Namespace),
            Instance = environment.Text(EnvironmentVariables.SqlServerName),
            ServerName = environment.Text(ExpectedServerName),
            Host = host,
            Port = environment.Number(EnvironmentVariables.SqlPort, 1, 65535),
            SaPassword = new SqlSecret(environment.Secret(SaPasswordVariable)),
            AgentLoginDirectory = environment.Text(EnvironmentVariables.AgentLoginDirectory),
            CertificateDirectory = environment.Text(CertificateDirectoryVariable),
            PostInitScript = environment.Text(PostInitScriptVariable),
            QueryTimeout = environment.Seconds(EnvironmentVariables.QueryCommandTimeout),
            Kubernetes = host.Length == 0 ? environment.Kubernetes() : null,
        };
        environment.Verify();
        return options;
    }
}
