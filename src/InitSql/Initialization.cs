using Agents.Hosting;
using Agents.Sql;
using Microsoft.Extensions.Logging;

namespace Agents.InitSql;

/// <summary>How init-sql ended.</summary>
internal sealed record Outcome(int ExitCode, string Message);

/// <summary>Waits for the instance, observes, plans, runs the steps, and looks again.</summary>
internal sealed partial class Initialization
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    // While a new instance is being set up, sa does not have its password yet.
    private static readonly TimeSpan DeclinedFor = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan StepTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ScriptBatchTimeout = TimeSpan.FromMinutes(15);

    private readonly InitSqlOptions options;
    private readonly InstanceAddress address;
    private readonly Func<string, SqlLogin, ISqlInstance> connect;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <param name="options">Which instance.</param>
    /// <param name="address">Finds it.</param>
    /// <param name="connect">From host and login to the port.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Progress for people.</param>
    public Initialization(
        InitSqlOptions options, InstanceAddress address, Func<string, SqlLogin, ISqlInstance> connect, TimeProvider time, ILogger logger)
    {
        this.options = options;
        this.address = address;
        this.connect = connect;
        this.time = time;
        this.logger = logger;
    }

    public async Task<Outcome> RunAsync(DesiredInstance desired, CancellationToken cancellationToken)
    {
        var (sa, agent, failure) = await WaitAsync(desired, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
            return failure;
        try
        {
            return await ConfigureAsync(desired, sa!, agent!, cancellationToken).ConfigureAwait(false);
        }
        catch (SqlInstanceException error)
        {
            return new Outcome(ExitCodes.Failed, error.Message);
        }
    }

    private async Task<(ISqlInstance? Sa, ISqlInstance? Agent, Outcome? Failure)> WaitAsync(DesiredInstance desired, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        long? declined = null;
        var line = begun;
        var first = true;
        while (true)
        {
            var (host, why) = await address.FindAsync(cancellationToken).ConfigureAwait(false);
            if (host is not null)
            {
                var sa = connect(host, new SqlLogin("sa", options.SaPassword));
                try
                {
                    await sa.QueryAsync(SqlText.Of($"SELECT 1 AS one;"), options.QueryTimeout, cancellationToken).ConfigureAwait(false);
                    LogAnswers(options.Instance, host);
                    return (sa, connect(host, desired.AgentLogin), null);
                }
                catch (SqlInstanceException error)
                {
                    why = error.Message;
                    if (error.Failure != SqlFailure.LoginFailed || !error.Has(18456))
                        declined = null;
                    else if (time.GetElapsedTime(declined ??= time.GetTimestamp()) >= DeclinedFor)
                        return (null, null, new Outcome(ExitCodes.Failed,
                            $"{options.Instance} declines the password of sa that its Secret holds. With a volume that was used before, the Secret must "
                            + "hold the current password."));
                }
            }

            if (time.GetElapsedTime(begun) >= LongestWait)
                return (null, null, new Outcome(ExitCodes.OutOfTime, $"{options.Instance} did not answer within {LongestWait.TotalMinutes:0} minutes: {why}"));
            if (first || time.GetElapsedTime(line) >= BetweenLines)
            {
                LogWaiting(options.Instance, why);
                line = time.GetTimestamp();
                first = false;
            }

            await Task.Delay(BetweenAttempts, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Outcome> ConfigureAsync(DesiredInstance desired, ISqlInstance sa, ISqlInstance agent, CancellationToken cancellationToken)
    {
        var plan = await PlanAsync().ConfigureAwait(false);
        if (plan.Refusals.Count > 0)
            return new Outcome(ExitCodes.Failed, string.Join(Environment.NewLine, plan.Refusals));
        foreach (var step in plan.Steps)
        {
            LogStep(step.What);
            await sa.QueryAsync(step.Batch, StepTimeout, cancellationToken).ConfigureAwait(false);
        }

        if (plan.Steps.Count > 0 && await PlanAsync().ConfigureAwait(false) is var after && (after.Steps.Count > 0 || after.Refusals.Count > 0))
            return new Outcome(
                ExitCodes.Failed, $"Not as it should be even so: {string.Join("; ", after.Refusals.Concat(after.Steps.Select(step => step.What)))}");
        var batches = BatchSplitter.Split(options.PostInitScript);
        for (var i = 0; i < batches.Count; i++)
        {
            try
            {
                await sa.QueryAsync(SqlText.FromUserScript(batches[i]), ScriptBatchTimeout, cancellationToken).ConfigureAwait(false);
            }
            catch (SqlInstanceException error)
            {
                return new Outcome(ExitCodes.Failed, $"sqlPostInitScript, batch {i + 1} of {batches.Count}: {error.Message}");
            }
        }

        var changes = plan.Steps.Count == 0 ? "was configured already; nothing was changed" : $"is configured; changes: {plan.Steps.Count}";
        var script = batches.Count == 0 ? string.Empty : $"; batches of sqlPostInitScript run: {batches.Count}";
        return new Outcome(ExitCodes.Done, $"{options.Instance} {changes}{script}.");

        async Task<InitPlan> PlanAsync() => InstancePlanner.Plan(
            desired,
            await InstanceObserver.ObserveAsync(sa, agent, desired.AgentLogin.User, options.QueryTimeout, cancellationToken).ConfigureAwait(false));
    }

    [LoggerMessage(LogLevel.Information, "Waiting for {Instance}: {Why}")]
    private partial void LogWaiting(string instance, string why);

    [LoggerMessage(LogLevel.Information, "{Instance} answers on {Host}")]
    private partial void LogAnswers(string instance, string host);

    [LoggerMessage(LogLevel.Information, "{What}")]
    private partial void LogStep(string what);
}
