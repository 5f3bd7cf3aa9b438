using System.Text.Json.Nodes;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Operator.Reconciliation;
using Microsoft.Extensions.Logging;

namespace Agents.Operator;

/// <summary>Watches wake it; each turn looks at everything anew.</summary>
internal sealed partial class OperatorLoop
{
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetrySoon = TimeSpan.FromSeconds(2);
    private readonly IKubernetesApi api;
    private readonly OperatorOptions options;
    private readonly Reconciler reconciler;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public OperatorLoop(IKubernetesApi api, OperatorOptions options, Reconciler reconciler, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.options = options;
        this.reconciler = reconciler;
        this.time = time;
        this.logger = logger;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await new CustomResourceDefinition(api, options.WatchNamespaces, time, logger).EnsureAsync(cancellationToken).ConfigureAwait(false);
        var budgets = await FindBudgetsAsync(cancellationToken).ConfigureAwait(false);
        var wake = new WakeUp(time);
        var managed = new ListOptions(LabelSelector: $"{Names.ManagedBy}={Names.FieldManager}");
        var ours = new ListOptions(LabelSelector: Names.InstanceLabel);
        var caches = new List<ResourceCache<JsonObject>>();
        List<ResourceCache<JsonObject>> Watch(ResourceType<JsonObject> type, ListOptions selection)
        {
            var made = options.WatchNamespaces
                .Select(ns => new ResourceCache<JsonObject>(api, type, ns, selection, time, new Random(), logger)).ToList();
            made.ForEach(cache => cache.Changed += wake.Set);
            caches.AddRange(made);
            return made;
        }

        var servers = Watch(Resources.SqlServers, ListOptions.All);
        var pods = Watch(Resources.Pods, ours);
        var maps = Watch(Resources.ConfigMaps, managed);
        var jobs = Watch(Resources.Jobs, managed);
        var others = Resources.Supporting.Append(Resources.StatefulSets).Append(budgets).SelectMany(type => Watch(type, managed)).ToList();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = Task.WhenAll(caches.Select(cache => cache.RunAsync(stop.Token)));
        try
        {
            await Task.WhenAll(caches.Select(cache => cache.WaitForSyncAsync(cancellationToken))).ConfigureAwait(false);
            LogWatching(string.Join(", ", options.WatchNamespaces.Select(ns => ns ?? "all namespaces")));
            while (true)
            {
                var snapshot = new Snapshot(Items(servers), Items(jobs), Items(pods), Items(maps), Items(others)) { Budgets = budgets };
                var done = await reconciler.TurnAsync(snapshot, cancellationToken).ConfigureAwait(false);
                await wake.WaitAsync(done ? Resync : RetrySoon, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    /// <summary>The kind of PodDisruptionBudget that this API server serves.</summary>
    private async Task<ResourceType<JsonObject>> FindBudgetsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await api.ListAsync(Resources.Budgets, options.WatchNamespaces[0], ListOptions.All, cancellationToken).ConfigureAwait(false);
                return Resources.Budgets;
            }
            catch (KubernetesException error) when (error.Failure == KubernetesFailure.NotFound)
            {
                return Resources.EarlierBudgets;
            }
            catch (KubernetesException error)
            {
                LogBudgets(error.Failure, error.Message);
            }

            await Task.Delay(RetrySoon, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static List<JsonObject> Items(List<ResourceCache<JsonObject>> caches) => [.. caches.SelectMany(cache => cache.Items)];

    [LoggerMessage(LogLevel.Information, "Watching {Where}")]
    private partial void LogWatching(string where);

    [LoggerMessage(LogLevel.Warning, "PodDisruptionBudgets: {Failure}: {Message}; trying again")]
    private partial void LogBudgets(KubernetesFailure failure, string message);
}
