using Agents.Groups;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Observation;
using Agents.Sql;
using Microsoft.Extensions.Logging;

namespace Agents.AgAgent;

/// <summary>Observe, decide, act, again and again. Watches only wake it.</summary>
internal sealed partial class AgentLoop(
    GroupSettings settings, AgentObserver observer, AgentActuator actuator, GroupReporter reporter, WakeUp wake, TimeSpan period, TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan Hurry = TimeSpan.FromMilliseconds(250);

    private Task<ActOutcome>? chore;
    private AgentDecision? choreDecision;
    private CancellationTokenSource? choreStop;
    private string lastLine = string.Empty;

    /// <summary>Runs until <paramref name="cancellationToken"/>, then gives up what the agent leads, within <paramref name="grace"/>.</summary>
    public async Task RunAsync(AgentMemory memory, TimeSpan grace, CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource();
        using var registration = cancellationToken.Register(() =>
        {
            wake.Set();
            end.CancelAfter(grace);
        });
        try
        {
            while (true)
            {
                memory = memory with { Stopping = cancellationToken.IsCancellationRequested };
                memory = Collect(memory);
                var facts = await observer.ObserveAsync(end.Token).ConfigureAwait(false);
                var decision = AgentDecider.Decide(settings, facts, memory);
                Log(decision);
                reporter.Note(facts, end.Token);
                if (decision is AgentDecision.End || (memory.Stopping && decision is AgentDecision.Wait && !Leads(facts) && !IsHandingOver(facts)))
                    return;
                var (outcome, pause) = await TurnAsync(decision, end.Token).ConfigureAwait(false) switch
                {
                    { Failed: true } failed => (failed, Hurry),
                    var done when decision is AgentDecision.Wait { Settled: true } => (done, Until(memory)),
                    var done when decision is AgentDecision.Wait => (done, Shorter(Hurry, period)),
                    var done => (done, TimeSpan.Zero),
                };
                memory = outcome.Remember(memory with { RenewedJustNow = false });
                if (pause > TimeSpan.Zero)
                    await wake.WaitAsync(pause, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            LogGraceEnded(logger, grace.TotalSeconds);
        }
        finally
        {
            if (choreStop is not null)
                await choreStop.CancelAsync().ConfigureAwait(false);
            choreStop?.Dispose();
        }
    }

    private bool Leads(GroupFacts facts) => facts.Lease.TryGet(out var lease) && lease?.Holder == settings.Identity.Holder;

    // SQL Server ends when its replicas are SECONDARY (HandOverWatch), and the new primary may need its answer until then (S4).
    private static bool IsHandingOver(GroupFacts facts) => facts.Local.TryGet(out var local) && local.Group?.Role == ReplicaRole.Resolving;

    private async Task<ActOutcome> TurnAsync(AgentDecision decision, CancellationToken cancellationToken)
    {
        if (!AgentActuator.IsLong(decision))
            return await ActAsync(decision, cancellationToken).ConfigureAwait(false);

        // A primary that must step down does not wait for what it was doing.
        if (chore is not null)
        {
            if (decision is not AgentDecision.StepDown || choreDecision is AgentDecision.StepDown)
                return ActOutcome.Nothing with { Failed = true };
            await choreStop!.CancelAsync().ConfigureAwait(false);
            await chore.ConfigureAwait(false);
        }

        choreStop?.Dispose();
        choreStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        choreDecision = decision;
        chore = ActAsync(decision, choreStop.Token);
        _ = chore.ContinueWith(_ => wake.Set(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        // Most are done in a moment; then the next turn need not see them under way.
        await wake.WaitAsync(Hurry, cancellationToken).ConfigureAwait(false);
        return ActOutcome.Nothing;
    }

    private AgentMemory Collect(AgentMemory memory)
    {
        if (chore is null)
            return memory;
        if (!chore.IsCompleted)
            return memory with { Busy = choreDecision!.GetType().Name };
        var outcome = chore.GetAwaiter().GetResult();
        chore = null;
        choreDecision = null;
        return outcome.Remember(memory with { Busy = null });
    }

    private async Task<ActOutcome> ActAsync(AgentDecision decision, CancellationToken cancellationToken)
    {
        var start = time.Monotonic();
        try
        {
            var outcome = await actuator.ActAsync(decision, cancellationToken).ConfigureAwait(false);
            if (outcome.What.Length > 0)
            {
                var took = (time.Monotonic() - start).TotalMilliseconds;
                if (outcome.Failed)
                    LogFailed(logger, decision.GetType().Name, outcome.What, took);
                else if (decision is AgentDecision.RenewLease)
                    LogRenewed(logger, outcome.What, took);
                else
                    LogDone(logger, decision.GetType().Name, outcome.What, took);
            }

            return outcome;
        }
        catch (KubernetesException error)
        {
            // Somebody else was faster, or the API server is away: the next turn sees which.
            LogFailed(logger, decision.GetType().Name, error.Message, (time.Monotonic() - start).TotalMilliseconds);
        }
        catch (SqlInstanceException error)
        {
            LogFailed(logger, decision.GetType().Name, error.Message, (time.Monotonic() - start).TotalMilliseconds);
        }
        catch (OperationCanceledException)
        {
            LogFailed(logger, decision.GetType().Name, "cancelled", (time.Monotonic() - start).TotalMilliseconds);
        }

        return ActOutcome.Nothing with { Failed = true };
    }

    private TimeSpan Until(AgentMemory memory)
    {
        if (memory.RenewedAt is not { } renewed)
            return period;
        var due = renewed + settings.Timings.RenewPeriod - time.Monotonic();
        return due <= TimeSpan.Zero ? TimeSpan.Zero : Shorter(due, period);
    }

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private void Log(AgentDecision decision)
    {
        if (decision is AgentDecision.RenewLease)
            return;
        var line = decision.Because;
        var name = decision.GetType().Name;
        if (Same(line, lastLine))
        {
            LogAgain(logger, name, line);
            return;
        }

        lastLine = line;
        LogDecided(logger, name, line);
    }

    // Reasons hold times, which would make each one look new.
    private static bool Same(string left, string right) =>
        left.Where(c => !char.IsAsciiDigit(c)).SequenceEqual(right.Where(c => !char.IsAsciiDigit(c)));

    [LoggerMessage(LogLevel.Information, "{Decision}: {Because}")]
    private static partial void LogDecided(ILogger logger, string decision, string because);

    [LoggerMessage(LogLevel.Debug, "{Decision}: {Because}")]
    private static partial void LogAgain(ILogger logger, string decision, string because);

    [LoggerMessage(LogLevel.Information, "{Decision} done: {What} ({Milliseconds:0} ms)")]
    private static partial void LogDone(ILogger logger, string decision, string what, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "{What} ({Milliseconds:0} ms)")]
    private static partial void LogRenewed(ILogger logger, string what, double milliseconds);

    [LoggerMessage(LogLevel.Warning, "{Decision} failed: {What} ({Milliseconds:0} ms)")]
    private static partial void LogFailed(ILogger logger, string decision, string what, double milliseconds);

    [LoggerMessage(LogLevel.Warning, "Ended without giving everything up within {Grace} s")]
    private static partial void LogGraceEnded(ILogger logger, double grace);
}
