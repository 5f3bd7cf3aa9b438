using Agents.Failover;
using Agents.Hosting;
using Agents.Kubernetes;

EnvironmentVariable[] variables =
[
    EnvironmentVariables.Namespace, EnvironmentVariables.AgName, FailoverOptions.NewPrimary, FailoverOptions.Force, FailoverOptions.Timeout,
    EnvironmentVariables.Kubeconfig,
];

return await Executable.RunAsync(
    args,
    "Asks an availability group's agents for a failover, waits, and tells what came of it.",
    variables,
    async (context, cancellationToken) =>
    {
        var options = FailoverOptions.Read(context.Environment);
        using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, new Random(), "mssql-server-k8s-failover");
        try
        {
            return await new FailoverJob(api, options, context.Time, Console.Out).RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A pod that is stopped has not done its job: the next one finds the request and goes on waiting.
            await Console.Out.WriteLineAsync("Interrupted before there was an outcome; the request stays.").ConfigureAwait(false);
            return ExitCodes.OutOfTime;
        }
    }).ConfigureAwait(false);
