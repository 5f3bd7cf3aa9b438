using System.Net;
using Agents.Health;
using Agents.Hosting;

namespace Agents.HealthAgent;

/// <summary>What the health agent is configured with, read once.</summary>
internal sealed record HealthAgentOptions(IPAddress Address, int HealthPort, int SqlPort, string LoginDirectory, HealthPolicy Policy)
{
    /// <summary>Diagnostics come every 5 s; fewer than three of them missed say nothing.</summary>
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromSeconds(15);

    public static HealthAgentOptions Read(EnvironmentReader environment)
    {
        var bound = environment.Seconds(EnvironmentVariables.ConnectionTimeout);
        var options = new HealthAgentOptions(
            environment.Address(EnvironmentVariables.PodIP),
            environment.Number(EnvironmentVariables.HealthPort, 1, 65535),
            environment.Number(EnvironmentVariables.SqlPort, 1, 65535),
            environment.Text(EnvironmentVariables.AgentLoginDirectory),
            new HealthPolicy(
                environment.Number(EnvironmentVariables.MonitorPolicy, 0, 5), bound, bound > ShortestSilence ? bound : ShortestSilence));
        environment.Verify();
        return options;
    }
}
