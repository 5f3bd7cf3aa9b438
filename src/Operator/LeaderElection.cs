using System.Text.Json.Nodes;
using Agents.Election;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Observation;
using Agents.Operator.Reconciliation;
using Microsoft.Extensions.Logging;

namespace Agents.Operator;

/// <summary>
/// Does the leader's work in one of several operators: the holder of Lease <c>mssql-server-k8s-operator</c> in the operator's own namespace. An operator
/// that ends gives the Lease up, and another takes it at once; one that is gone is missed after <see cref="LeaderDecider.LeaseDuration"/>.
/// </summary>
internal sealed partial class LeaderElection
{
    private static readonly TimeSpan CallBound = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ReleaseBound = TimeSpan.FromSeconds(1.5);

    private readonly IKubernetesApi api;
    private readonly string @namespace;
    private readonly string identity;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ResourceCache<JsonObject> leases;
    private readonly WakeUp wake;
    private readonly LeaseTracker tracker = new();
    private readonly Lock gate = new();
    private TimeSpan? renewedAt;
    private string? trouble;

    public LeaderElection(IKubernetesApi api, string @namespace, string identity, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.@namespace = @namespace;
        this.identity = identity;
        this.time = time;
        this.logger = logger;
        wake = new WakeUp(time);
        var named = new ListOptions(FieldSelector: $"metadata.name={Names.FieldManager}");
        leases = new ResourceCache<JsonObject>(api, Resources.Leases, @namespace, named, time, new Random(), logger);
        leases.Changed += () =>
        {
            Note(leases.Find(@namespace, Names.FieldManager));
            wake.Set();
        };
    }

    /// <summary>Runs <paramref name="lead"/> whenever this operator leads, until cancelled.</summary>
    /// <exception cref="OperationCanceledException">The end that was asked for.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource();
        var watching = leases.RunAsync(end.Token);
        CancellationTokenSource? term = null;
        var leading = Task.CompletedTask;
        try
        {
            while (true)
            {
                await ActAsync(Decide().Act, cancellationToken).ConfigureAwait(false);
                var decision = Decide();
                if (term is not null && (!decision.Leads || leading.IsCompleted))
                {
                    LogEnds(identity);
                    await EndAsync().ConfigureAwait(false);
                }

                if (decision.Leads && term is null)
                {
                    LogLeads(identity);
                    term = new CancellationTokenSource();
                    leading = lead(term.Token);
                    _ = leading.ContinueWith(_ => wake.Set(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                }

                await wake.WaitAsync(decision.LookAgainIn, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
            await ReleaseAsync().ConfigureAwait(false);
            await end.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }

        async Task EndAsync()
        {
            if (term is null)
                return;
            using var ending = term;
            term = null;
            await ending.CancelAsync().ConfigureAwait(false);
            try
            {
                await leading.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The end that was asked for; a failure is the caller's.
            }
        }
    }

    private LeaderDecision Decide()
    {
        var now = time.Monotonic();
        lock (gate)
            return LeaderDecider.Decide(identity, leases.IsSynced, tracker.View(now), renewedAt, now);
    }

    private async Task ActAsync(LeaderAct act, CancellationToken cancellationToken)
    {
        if (act == LeaderAct.Wait)
            return;
        using var bound = new CancellationTokenSource(CallBound, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        var start = time.Monotonic();
        LeaseView? view;
        lock (gate)
            view = tracker.View(start);
        try
        {
            var now = time.GetUtcNow().UtcDateTime.ToString(MicroTimeConverter.Format, System.Globalization.CultureInfo.InvariantCulture);
            var spec = new JsonObject { ["renewTime"] = now };
            if (act == LeaderAct.Acquire)
            {
                spec["holderIdentity"] = identity;
                spec["acquireTime"] = now;
                spec["leaseDurationSeconds"] = (int)LeaderDecider.LeaseDuration.TotalSeconds;
            }

            Note(view is null ? await CreateAsync(spec, both.Token).ConfigureAwait(false) : await SwapAsync(view, spec, both.Token).ConfigureAwait(false));
            renewedAt = start;
            trouble = null;
        }
        catch (KubernetesException error)
        {
            // Somebody else was faster, or the API server is away: the next look shows which.
            Complain(error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Complain($"no answer within {CallBound.TotalSeconds:0} s");
        }
    }

    private async Task ReleaseAsync()
    {
        LeaseView? view;
        lock (gate)
            view = tracker.View(time.Monotonic());
        if (view?.Holder != identity)
            return;
        using var bound = new CancellationTokenSource(ReleaseBound, time);
        try
        {
            // Taken out, not emptied: newer API servers refuse an empty holder.
            await SwapAsync(view, new JsonObject { ["holderIdentity"] = null }, bound.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is KubernetesException or OperationCanceledException)
        {
            Complain(error.Message);
        }
    }

    private Task<JsonObject> CreateAsync(JsonObject spec, CancellationToken cancellationToken) => api.CreateAsync(
        Resources.Leases,
        @namespace,
        new JsonObject
        {
            ["apiVersion"] = "coordination.k8s.io/v1",
            ["kind"] = "Lease",
            ["metadata"] = new JsonObject { ["name"] = Names.FieldManager, ["namespace"] = @namespace },
            ["spec"] = spec,
        },
        cancellationToken);

    private Task<JsonObject> SwapAsync(LeaseView seen, JsonObject spec, CancellationToken cancellationToken) => api.MergePatchAsync(
        Resources.Leases,
        @namespace,
        Names.FieldManager,
        new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = seen.ResourceVersion }, ["spec"] = spec },
        cancellationToken);

    private void Note(JsonObject? lease)
    {
        lock (gate)
            tracker.Saw((string?)lease?["metadata"]?["resourceVersion"], (string?)lease?["spec"]?["holderIdentity"], null, time.Monotonic());
    }

    private void Complain(string message)
    {
        // Once per trouble, not once per attempt.
        if (trouble != message)
            LogTrouble(message);
        trouble = message;
    }

    [LoggerMessage(LogLevel.Information, "{Identity} leads")]
    private partial void LogLeads(string identity);

    [LoggerMessage(LogLevel.Warning, "{Identity} leads no more")]
    private partial void LogEnds(string identity);

    [LoggerMessage(LogLevel.Warning, "The Lease of the operators: {Message}")]
    private partial void LogTrouble(string message);
}
