using Agents.HealthAgent;
using Agents.Hosting;
using Agents.Sql;

EnvironmentVariable[] variables =
[
    EnvironmentVariables.PodIP, EnvironmentVariables.HealthPort, EnvironmentVariables.SqlPort, EnvironmentVariables.AgentLoginDirectory,
    EnvironmentVariables.MonitorPolicy, EnvironmentVariables.ConnectionTimeout,
];

return await Executable.RunAsync(
    args,
    "Answers the liveness probe of a SQL Server instance from its sp_server_diagnostics.",
    variables,
    async (context, cancellationToken) =>
    {
        var options = HealthAgentOptions.Read(context.Environment);
        var login = new AgentLoginFiles(options.LoginDirectory);
        var instance = new SqlClientInstance(
            options.Address.ToString(), options.SqlPort, login.Read, "mssql-server-k8s-sqlhealth-agent", context.Time);
        var logger = context.Logging.CreateLogger("HealthAgent");
        var monitor = new HealthMonitor(instance, options.Policy, context.Time, logger);
        var handOver = new HandOverWatch(instance, monitor.Judge, context.Time, logger);
        var endpoint = HealthEndpoint.Build(options.Address, options.HealthPort, monitor.Judge, handOver, context.Logging);
        await using (endpoint.ConfigureAwait(false))
        {
            await endpoint.StartAsync(cancellationToken).ConfigureAwait(false);
            using var stop = new CancellationTokenSource();
            var monitoring = monitor.RunAsync(stop.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, context.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await handOver.FinishAsync().ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            await monitoring.ConfigureAwait(false);
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(2), context.Time);
            await endpoint.StopAsync(bound.Token).ConfigureAwait(false);
        }

        return ExitCodes.Done;
    }).ConfigureAwait(false);
