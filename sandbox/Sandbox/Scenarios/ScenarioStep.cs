using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>A scenario, perhaps with a disturbance in its middle, as a step: act, wait until calm, verify.</summary>
internal sealed class ScenarioStep(Plan plan, Trial trial) : IStep
{
    /// <summary>A disturbance strikes within this time after the scenario begins to act.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1.5);

    /// <summary>As <see cref="Soon"/>, where a group is still to form, which takes longer.</summary>
    private static readonly TimeSpan WhileForming = TimeSpan.FromSeconds(8);

    private readonly Scenario _scenario = plan.Scenario;

    public string Name => plan.Name;

    public string Title => plan.Disturbance is { } disturbance ? $"{_scenario.Title}; {disturbance.Title}" : _scenario.Title;

    public TimeSpan Bound => _scenario.Bound + (plan.Disturbance?.Longer ?? TimeSpan.Zero);

    public async Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        if (!_scenario.Forms)
            await trial.Group.CalmAsync(progress, cancellationToken);
        trial.Disturbed = plan.Disturbance is not null;
        trial.LeavesOpen = plan.Disturbance?.LeavesOpen == true;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchLabelsAsync(stop);
        var before = Traffic.Of(trial.Traffic, trial.Scene.Now);
        try
        {
            var findings = await DisturbedAsync(progress, stop.Token);
            return findings with { Traffic = Traffic.Of(trial.Traffic, trial.Scene.Now).Since(before) };
        }
        catch (OperationCanceledException) when (watching.IsFaulted)
        {
            await watching;
            throw;
        }
        finally
        {
            await stop.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Findings> DisturbedAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        var from = trial.Scene.Now;
        if (plan.Disturbance is not { } disturbance)
            return await VerifyAsync(await ActAsync());

        if (disturbance.Lasts)
        {
            await disturbance.Begin(trial, progress, cancellationToken);
            try
            {
                await VerifyAsync(await ActAsync());
            }
            finally
            {
                await disturbance.End(trial, progress, cancellationToken);
            }
        }
        else
        {
            var striking = trial.Undisturbed = StrikeAsync(disturbance, progress, cancellationToken);
            var acting = ActAsync();
            await Task.WhenAll(striking, acting);
            await VerifyAsync(trial.LeavesOpen ? null : await acting);
        }

        // Undisturbed again, everything must hold as ever.
        return await VerifyAsync(null);

        Task<Findings> VerifyAsync(Func<string, bool>? accept) => this.VerifyAsync(accept, from, progress, cancellationToken);

        Task<Func<string, bool>?> ActAsync() => _scenario.Act(trial, progress, cancellationToken);
    }

    private async Task StrikeAsync(Disturbance disturbance, Action<string> progress, CancellationToken cancellationToken)
    {
        await Task.Delay((_scenario.Forms ? WhileForming : Soon) * trial.Random.NextDouble(), cancellationToken);
        await disturbance.Begin(trial, progress, cancellationToken);
    }

    private async Task<Findings> VerifyAsync(
        Func<string, bool>? accept, TimeSpan since, Action<string> progress, CancellationToken cancellationToken)
    {
        if (_scenario.Ends)
            return new Findings("-", null, 0);
        await trial.Scene.WritesFlowAsync(accept ?? (static _ => true), trial.Scene.Now, "waiting for the writer's rows", progress, cancellationToken);
        await trial.Group.CalmAsync(progress, cancellationToken);
        var primary = await trial.Scene.WritesFlowAsync(static _ => true, trial.Scene.Now, "waiting for writes when calm", progress, cancellationToken);
        return await trial.Scene.FindAsync(primary, since, progress, cancellationToken);
    }

    /// <summary>Never two pods with the primary's label, at whatever moment somebody looks (rule S9).</summary>
    private async Task WatchLabelsAsync(CancellationTokenSource stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await trial.Group.LabelledPrimaryAsync(stop.Token);
            }
            catch (StepFailedException)
            {
                await stop.CancelAsync();
                throw;
            }
            catch (Exception)
            {
                // An API server that is away shows no labels.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
