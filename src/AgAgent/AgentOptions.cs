using Agents.Election;
using Agents.Hosting;
using Agents.Kubernetes;

namespace Agents.AgAgent;

/// <summary>What the agent is configured with, read once.</summary>
internal sealed record AgentOptions(
    string Group, string Namespace, AgentIdentity Identity, string Address, int SqlPort, string LoginDirectory, AgentTimeouts Timeouts,
    TimeSpan Period, LeaseTimings Timings, KubernetesConfiguration Kubernetes)
{
    /// <summary>How long a stopping agent may take to hand over.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(8);

    /// <summary>Bound on a call to the API server: a slow one still renews in time, a silent one is given up while the Lease lasts.</summary>
    public static TimeSpan ApiDeadline { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads the environment.</summary>
    /// <exception cref="ConfigurationException">All mistakes.</exception>
    public static AgentOptions Read(EnvironmentReader environment)
    {
        var lease = environment.Seconds(EnvironmentVariables.LeaseDuration);
        var retry = environment.Seconds(EnvironmentVariables.RetryPeriod);
        var write = environment.Number(EnvironmentVariables.WriteLeasePeriod, 1, 3600);
        var timings = LeaseTimings.Default;
        if (environment.Mistakes.Count == 0)
        {
            try
            {
                timings = new LeaseTimings(lease, retry, write);
            }
            catch (ArgumentException error)
            {
                environment.Report(
                    $"{EnvironmentVariables.LeaseDuration.Name}, {EnvironmentVariables.RetryPeriod.Name}, {EnvironmentVariables.WriteLeasePeriod.Name}: {error.Message}.");
            }
        }

        var options = new AgentOptions(
            environment.Text(EnvironmentVariables.AgName),
            environment.Text(EnvironmentVariables.Namespace),
            new AgentIdentity(environment.Text(EnvironmentVariables.PodName), environment.Text(EnvironmentVariables.PodUid)),
            environment.Address(EnvironmentVariables.PodIP).ToString(),
            environment.Number(EnvironmentVariables.SqlPort, 1, 65535),
            environment.Text(EnvironmentVariables.AgentLoginDirectory),
            new AgentTimeouts(
                environment.Seconds(EnvironmentVariables.QueryCommandTimeout), environment.Seconds(EnvironmentVariables.JoinCommandTimeout)),
            environment.Seconds(EnvironmentVariables.MonitorPeriod),
            timings,
            environment.Kubernetes());
        environment.Verify();
        return options;
    }
}
