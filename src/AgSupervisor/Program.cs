using Agents.AgSupervisor;
using Agents.Hosting;
using Agents.Kubernetes;

EnvironmentVariable[] variables =
[
    EnvironmentVariables.Namespace, EnvironmentVariables.PodName, EnvironmentVariables.PodUid, EnvironmentVariables.SqlServerName,
    EnvironmentVariables.Kubeconfig,
];

return await Executable.RunAsync(
    args,
    "Runs one availability group agent for each group that the SqlServer lists, and labels the pod accordingly. The agents inherit its environment.",
    variables,
    async (context, cancellationToken) =>
    {
        var options = SupervisorOptions.Read(context.Environment);
        var logger = context.Logging.CreateLogger("AgSupervisor");
        using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, new Random(), "mssql-server-k8s-ag-agent-supervisor");
        var agents = new AgentProcesses(Path.Combine(AppContext.BaseDirectory, "mssql-server-k8s-ag-agent"), Console.Out);
        await new SupervisorLoop(options, api, agents, context.Time, new Random(), logger).RunAsync(cancellationToken).ConfigureAwait(false);
        return ExitCodes.Done;
    }).ConfigureAwait(false);
