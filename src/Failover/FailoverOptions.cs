using Agents.Hosting;
using Agents.Kubernetes;

namespace Agents.Failover;

/// <summary>What the job is configured with, read once.</summary>
internal sealed record FailoverOptions(
    string Namespace, string Group, string Target, bool AllowDataLoss, TimeSpan Patience, KubernetesConfiguration Kubernetes)
{
    public static EnvironmentVariable NewPrimary { get; } = new(
        "MSSQL_K8S_NEW_PRIMARY", "pod, StatefulSet, server or host name or IP of the new primary, or !name for any but that one; empty for the best",
        string.Empty);

    public static EnvironmentVariable Force { get; } = new(
        "FORCE_FAILOVER_ALLOW_DATA_LOSS", "true asks for a forced failover to the named target, which may lose data", "false");

    public static EnvironmentVariable Timeout { get; } = new("MSSQL_K8S_FAILOVER_TIMEOUT_SECONDS", "how long to wait for the outcome", "60");

    /// <summary>Reads the environment.</summary>
    /// <exception cref="ConfigurationException">All mistakes.</exception>
    public static FailoverOptions Read(EnvironmentReader environment)
    {
        var options = new FailoverOptions(
            environment.Text(EnvironmentVariables.Namespace),
            environment.Text(EnvironmentVariables.AgName),
            environment.Text(NewPrimary).Trim(),
            environment.Flag(Force),
            environment.Seconds(Timeout),
            environment.Kubernetes());
        if (options.AllowDataLoss && (options.Target.Length == 0 || options.Target.StartsWith('!')))
            environment.Report($"{NewPrimary.Name}: found '{options.Target}', expected the name of one replica, because {Force.Name} is true.");
        environment.Verify();
        return options;
    }
}
