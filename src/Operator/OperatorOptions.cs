using Agents.Election;
using Agents.Hosting;
using Agents.Kubernetes;

namespace Agents.Operator;

/// <summary>The operator's configuration.</summary>
/// <param name="Kubernetes">Where the API server is.</param>
/// <param name="WatchNamespaces">Namespaces to watch; a single null for all.</param>
/// <param name="Timings">Timing variables for the agents.</param>
/// <param name="Namespace">Its own namespace.</param>
/// <param name="Identity">Who it is to the other operators.</param>
internal sealed record OperatorOptions(
    KubernetesConfiguration Kubernetes, IReadOnlyList<string?> WatchNamespaces, IReadOnlyList<KeyValuePair<string, string>> Timings,
    string Namespace, AgentIdentity Identity)
{
    private static readonly EnvironmentVariable Watch =
        new("MSSQL_K8S_WATCH_NAMESPACES", "namespaces to watch, separated by commas; empty for all", string.Empty);

    private static readonly EnvironmentVariable PodName =
        new("MSSQL_POD_NAME", "pod name; empty for the host name", string.Empty, "MSSQL_K8S_POD_NAME");

    private static readonly EnvironmentVariable PodUid = EnvironmentVariables.PodUid with { Default = string.Empty };

    private static readonly EnvironmentVariable[] AgentTimings =
    [
        Optional(EnvironmentVariables.MonitorPeriod), Optional(EnvironmentVariables.LeaseDuration), Optional(EnvironmentVariables.RetryPeriod),
        Optional(EnvironmentVariables.WriteLeasePeriod),
    ];

    public static IReadOnlyList<EnvironmentVariable> Variables =>
        [EnvironmentVariables.Namespace, PodName, PodUid, Watch, .. AgentTimings, EnvironmentVariables.Kubeconfig];

    public static OperatorOptions Read(EnvironmentReader environment)
    {
        var own = environment.Text(EnvironmentVariables.Namespace);
        var pod = environment.Text(PodName) is { Length: > 0 } name ? name : Environment.MachineName;
        var identity = new AgentIdentity(pod, environment.Text(PodUid));
        var timings = new List<KeyValuePair<string, string>>();
        foreach (var variable in AgentTimings)
        {
            environment.Seconds(variable);
            if (environment.Text(variable) is { Length: > 0 } value)
                timings.Add(new(variable.Name, value));
        }

        var namespaces = environment.Text(Watch).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var options = new OperatorOptions(environment.Kubernetes(), namespaces.Length == 0 ? new string?[] { null } : namespaces, timings, own, identity);
        environment.Verify();
        return options;
    }

    private static EnvironmentVariable Optional(EnvironmentVariable agents) =>
        agents with { Default = string.Empty, Meaning = $"for the agents: {agents.Meaning}" };
}
