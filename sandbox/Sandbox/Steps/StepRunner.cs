using System.Globalization;
using Sandbox.Output;

namespace Sandbox.Steps;

/// <summary>Runs steps one after another, each within its bound; after one that failed the rest is not run.</summary>
internal sealed class StepRunner(IScreen screen, TimeProvider time)
{
    /// <exception cref="OperationCanceledException">The whole run was stopped from outside.</exception>
    public async Task<IReadOnlyList<StepResult>> RunAsync(
        IReadOnlyList<IStep> steps, Action<StepResult> done, CancellationToken cancellationToken)
    {
        var results = new List<StepResult>();
        foreach (var step in steps)
        {
            var failed = results.FirstOrDefault(x => !x.Ok && x.End == StepEnd.Failed);
            StepResult result;
            if (failed is not null)
            {
                result = new StepResult(step.Name, StepEnd.NotRun, null, TimeSpan.Zero, $"{failed.Name} failed");
                screen.Skipped(result);
            }
            else
            {
                await using var stage = screen.Begin(step.Name, step.Title);
                result = await RunAsync(step, stage, cancellationToken);
                await stage.EndAsync(result);
            }

            results.Add(result);
            done(result);
        }

        return results;
    }

    private async Task<StepResult> RunAsync(IStep step, IStage stage, CancellationToken cancellationToken)
    {
        var doing = "starting";
        var begun = time.GetTimestamp();
        using var bound = new CancellationTokenSource(step.Bound, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        StepResult End(StepEnd end, Findings? findings, string? reason) =>
            new(step.Name, end, findings, time.GetElapsedTime(begun), reason);
        try
        {
            var findings = await step.RunAsync(
                text =>
                {
                    doing = text;
                    stage.Progress(text);
                },
                either.Token);
            return findings.Lost == 0
                ? End(StepEnd.Held, findings, null)
                : End(StepEnd.Failed, findings, $"{findings.Lost} acknowledged writes are lost");
        }
        catch (StepFailedException e)
        {
            return End(StepEnd.Failed, e.Findings, e.Message);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception) when (bound.IsCancellationRequested)
        {
            return End(StepEnd.Failed, null, string.Create(
                CultureInfo.InvariantCulture, $"not done within {step.Bound.TotalSeconds:0} s; it was {doing}"));
        }
        catch (Exception e)
        {
            // A step may fail in any way; the report and the clean-up must still happen.
            return End(StepEnd.Failed, null, $"{e.GetType().Name} while {doing}: {e.Message}");
        }
    }
}
