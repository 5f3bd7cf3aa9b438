using Agents.Hosting;
using Agents.Kubernetes;

namespace Agents.AgSupervisor;

/// <summary>What the supervisor is configured with, read once.</summary>
internal sealed record SupervisorOptions(string Namespace, string PodName, string PodUid, string SqlServerName, KubernetesConfiguration Kubernetes)
{
    public static SupervisorOptions Read(EnvironmentReader environment)
    {
        var options = new SupervisorOptions(
            environment.Text(EnvironmentVariables.Namespace),
            environment.Text(EnvironmentVariables.PodName),
            environment.Text(EnvironmentVariables.PodUid),
            environment.Text(EnvironmentVariables.SqlServerName),
            environment.Kubernetes());
        environment.Verify();
        return options;
    }
}
