using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Operator;
using Agents.Operator.Reconciliation;
using Agents.Security;

return await Executable.RunAsync(args, "Turns SqlServer resources into SQL Server instances.", OperatorOptions.Variables, async (context, stop) =>
{
    var options = OperatorOptions.Read(context.Environment);
    var logger = context.Logging.CreateLogger("Operator");
    using var api = new HttpKubernetesApi(options.Kubernetes, context.Time, new Random(), Names.FieldManager);
    var reconciler = new Reconciler(
        api,
        new StepRunner(api, context.Time, new PasswordGenerator(), logger),
        new SecretObserver(api, context.Time),
        new StatusWriter(api, context.Time, logger),
        options.Timings,
        context.Time,
        logger);
    var loop = new OperatorLoop(api, options, reconciler, context.Time, logger);
    await new LeaderElection(api, options.Namespace, options.Identity.Holder, context.Time, logger).RunAsync(loop.RunAsync, stop).ConfigureAwait(false);
    return ExitCodes.Done;
}).ConfigureAwait(false);
