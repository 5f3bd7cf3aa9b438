using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>What probes say about one run of a container.</summary>
/// <param name="slot">The container.</param>
/// <param name="probe">Runs their actions.</param>
/// <param name="podIP">Where the container listens.</param>
/// <param name="time">For the periods.</param>
/// <param name="gate">Waits while the node is frozen.</param>
/// <param name="change">Changes what is known of the container.</param>
/// <param name="unhealthy">Hears of each probe that fails.</param>
internal sealed class ContainerProbes(
    ContainerSlot slot, Probe probe, string podIP, TimeProvider time, Func<CancellationToken, Task> gate, Action<Action> change, Action<string> unhealthy)
{
    /// <summary>Probes until the container must be restarted, or <paramref name="token"/> is cancelled.</summary>
    /// <returns>The probe that condemns the container, or null.</returns>
    public async Task<Verdict?> RunAsync(CancellationToken token)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(token);
        try
        {
            var readiness = slot.Spec.Document("readinessProbe");
            if (slot.Spec.Document("startupProbe") is { } startup)
            {
                var passed = false;
                await MonitorAsync("Startup", startup, ok =>
                {
                    passed = ok;
                    return true;
                }, token).ConfigureAwait(false);
                if (!passed)
                    return new Verdict("startup", startup);
                change(() =>
                {
                    slot.Started = true;
                    slot.Ready = readiness is null;
                });
            }

            var ready = readiness is null ? Task.CompletedTask : MonitorAsync("Readiness", readiness, ok =>
            {
                if (slot.Ready != ok)
                    change(() => slot.Ready = ok && slot.Running);
                return false;
            }, both.Token);
            var liveness = slot.Spec.Document("livenessProbe");
            await (liveness is null ? Task.Delay(Timeout.Infinite, both.Token) : MonitorAsync("Liveness", liveness, static ok => !ok, both.Token))
                .ConfigureAwait(false);
            await both.CancelAsync().ConfigureAwait(false);
            await ready.ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
            return new Verdict("liveness", liveness!);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Probes periodically; <paramref name="ends"/> hears what enough results in a row say, and whether that is all.</summary>
    private async Task MonitorAsync(string kind, JsonObject spec, Func<bool, bool> ends, CancellationToken token)
    {
        var period = TimeSpan.FromSeconds(Math.Max(spec.Number("periodSeconds") ?? 10, 1));
        var timeout = TimeSpan.FromSeconds(Math.Max(spec.Number("timeoutSeconds") ?? 1, 1));
        var (failureLimit, successLimit) = (spec.Number("failureThreshold") ?? 3, spec.Number("successThreshold") ?? 1);
        var (failures, successes) = (0, 0);
        await Task.Delay(TimeSpan.FromSeconds(spec.Number("initialDelaySeconds") ?? 0), time, token).ConfigureAwait(false);
        while (true)
        {
            await gate(token).ConfigureAwait(false);
            var outcome = await probe.RunAsync(spec, slot.Spec, podIP, timeout, token).ConfigureAwait(false);
            (failures, successes) = outcome.Ok ? (0, successes + 1) : (failures + 1, 0);
            if (!outcome.Ok)
                unhealthy($"{kind} probe failed: {outcome.Output}");
            if ((failures >= failureLimit && ends(false)) || (successes >= successLimit && ends(true)))
                return;
            await Task.Delay(period, time, token).ConfigureAwait(false);
        }
    }

    /// <summary>A container must be restarted.</summary>
    /// <param name="Kind">Which kind of probe says so.</param>
    /// <param name="Spec">The probe.</param>
    internal sealed record Verdict(string Kind, JsonObject Spec);
}
