using Agents.AgAgent;
using Agents.Groups;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Observation;
using Agents.Sql;

EnvironmentVariable[] variables =
[
    EnvironmentVariables.Namespace, EnvironmentVariables.PodName, EnvironmentVariables.PodUid, EnvironmentVariables.PodIP,
    EnvironmentVariables.SqlServerName, EnvironmentVariables.AgName, EnvironmentVariables.AgentLoginDirectory, EnvironmentVariables.SqlPort,
    EnvironmentVariables.QueryCommandTimeout, EnvironmentVariables.JoinCommandTimeout, EnvironmentVariables.MonitorPeriod,
    EnvironmentVariables.LeaseDuration, EnvironmentVariables.RetryPeriod, EnvironmentVariables.WriteLeasePeriod, EnvironmentVariables.Kubeconfig,
];

return await Executable.RunAsync(
    args,
    "Watches one replica of an availability group: takes part in the election of its leader, fails over, joins and rejoins.",
    variables,
    async (context, cancellationToken) =>
    {
        var options = AgentOptions.Read(context.Environment);
        var logger = context.Logging.CreateLogger("AgAgent");
        var random = new Random();
        using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, random, "mssql-server-k8s-ag-agent", AgentOptions.ApiDeadline);
        var settings = new GroupSettings(options.Group, options.Identity, options.Timings);
        var wake = new WakeUp(context.Time);
        var login = new AgentLoginFiles(options.LoginDirectory);
        var store = new GroupStore(api, settings, options.Namespace, wake.Set, context.Time, random, logger);
        var instance = Connect(options.Address, options.SqlPort, login.Read);
        var observer = new AgentObserver(
            settings, store, instance, new PeerInstances(api, options.Namespace, options.SqlPort, Connect), context.Time);
        var actuator = new AgentActuator(settings, options.Timeouts, store, instance, context.Time);
        var reporter = new GroupReporter(settings, store, context.Time, logger);
        var loop = new AgentLoop(settings, observer, actuator, reporter, wake, options.Period, context.Time, logger);

        using var watching = new CancellationTokenSource();
        var watches = store.RunAsync(watching.Token);

        // What an agent before this one may have granted the engine has ended once the Lease could have passed to another.
        var memory = new AgentMemory { WriteLeaseEndsBy = context.Time.Monotonic() + settings.Timings.LeaseDuration };
        await loop.RunAsync(memory, AgentOptions.Grace, cancellationToken).ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        await watches.ConfigureAwait(false);
        return ExitCodes.Done;

        ISqlInstance Connect(string host, int port, Func<SqlLogin> with) =>
            new SqlClientInstance(host, port, with, $"mssql-server-k8s-ag-agent/{options.Group}", context.Time);
    }).ConfigureAwait(false);
