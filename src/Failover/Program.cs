using Agents.Failover;
using Agents.Hosting;
using Agents.Kubernetes;

EnvironmentVariable[] variables =
[
    EnvironmentVariables.Namespace, EnvironmentVariables.AgName, FailoverOptions.NewPrimary, FailoverOptions.Force, FailoverOptions.Timeout,
    EnvironmentVariables.Kubeconfig,
];

return await Executable.RunJobAsync(
    args,
    "Asks an availability group's agents for a failover, waits, and tells what came of it.",
    variables,
    "Stopped before there was an outcome; the request stays, and the next run goes on waiting for it.",
    async (context, cancellationToken) =>
    {
        var options = FailoverOptions.Read(context.Environment);
        using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, new Random(), "mssql-server-k8s-failover");
        return await new FailoverJob(api, options, context.Time, Console.Out).RunAsync(cancellationToken).ConfigureAwait(false);
    }).ConfigureAwait(false);
