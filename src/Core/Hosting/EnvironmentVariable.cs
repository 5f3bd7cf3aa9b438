#pragma warning disable CS1591 // Each variable carries its meaning for the help text.
namespace Agents.Hosting;

/// <summary>One environment variable that an executable takes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">One line for the help text.</param>
/// <param name="Default">Value when it is not set; null when it has to be set.</param>
/// <param name="Alias">Another name under which it is known; <paramref name="Name"/> goes first.</param>
public sealed record EnvironmentVariable(string Name, string Meaning, string? Default = null, string? Alias = null)
{
    /// <summary>Name and alias, for people.</summary>
    public string Names => Alias is null ? Name : $"{Name} (also {Alias})";
}

/// <summary>Variables that several executables share. <c>docs/reference.md</c> is the contract.</summary>
public static class EnvironmentVariables
{
    public static EnvironmentVariable Namespace { get; } =
        new("MSSQL_K8S_NAMESPACE", "namespace", Alias: "MSSQL_K8S_POD_NAMESPACE");

    public static EnvironmentVariable PodName { get; } = new("MSSQL_POD_NAME", "pod name", Alias: "MSSQL_K8S_POD_NAME");

    public static EnvironmentVariable PodUid { get; } = new("MSSQL_K8S_POD_UID", "pod uid");

    public static EnvironmentVariable PodIP { get; } = new("MSSQL_K8S_POD_IP", "pod IP");

    public static EnvironmentVariable SqlServerName { get; } = new("MSSQL_K8S_SQL_SERVER_NAME", "name of the SqlServer");

    public static EnvironmentVariable AgentLoginDirectory { get; } = new(
        "MSSQL_K8S_AGENT_LOGIN_DIR", "folder with the files username and password of the agents' login", "/var/run/secrets/mssql-agent-login");

    public static EnvironmentVariable SqlPort { get; } = new("MSSQL_K8S_SQL_PORT", "TDS port", "1433");

    public static EnvironmentVariable AgName { get; } = new("MSSQL_K8S_AG_NAME", "availability group");

    public static EnvironmentVariable ConnectionTimeout { get; } =
        new("MSSQL_K8S_CONNECTION_TIMEOUT_SECONDS", "bound on connecting", "30");

    public static EnvironmentVariable QueryCommandTimeout { get; } =
        new("MSSQL_K8S_QUERY_COMMAND_TIMEOUT_SECONDS", "bound on a query", "10");

    public static EnvironmentVariable JoinCommandTimeout { get; } =
        new("MSSQL_K8S_JOIN_COMMAND_TIMEOUT_SECONDS", "bound on joining an availability group", "60");

    public static EnvironmentVariable TransientDatabaseHealthTimeout { get; } = new(
        "MSSQL_K8S_TRANSIENT_DB_HEALTH_TIMEOUT_SECONDS", "how long databases of a new primary may be recovering", "180");

    public static EnvironmentVariable MonitorPolicy { get; } = new("MSSQL_K8S_MONITOR_POLICY", "health level that counts, 0 to 5", "3");

    public static EnvironmentVariable HealthPort { get; } = new("MSSQL_K8S_HEALTH_PORT", "port of the health agent", "8080");

    public static EnvironmentVariable MonitorPeriod { get; } =
        new("MSSQL_K8S_MONITOR_PERIOD_SECONDS", "time between two turns of an agent", "1");

    public static EnvironmentVariable LeaseDuration { get; } =
        new("MSSQL_K8S_LEASE_DURATION_SECONDS", "how long a leader is waited for", "7");

    public static EnvironmentVariable RetryPeriod { get; } = new("MSSQL_K8S_RETRY_PERIOD_SECONDS", "time between two renewals", "1");

    public static EnvironmentVariable WriteLeasePeriod { get; } =
        new("MSSQL_K8S_SQL_WRITE_LEASE_PERIOD_SECONDS", "write lease of the engine, whole seconds", "3");

    public static EnvironmentVariable Kubeconfig { get; } =
        new("KUBECONFIG", "kubeconfig file; empty for the pod's service account", string.Empty);

    public static EnvironmentVariable LogLevel { get; } =
        new("MSSQL_K8S_LOG_LEVEL", "Trace, Debug, Information, Warning or Error", "Information");
}
