using Agents.Kubernetes;
using KubernetesEmulator.Events;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>Runs all controllers in one loop: every change anywhere wakes it, and each turn looks at the whole cluster.</summary>
public sealed class ControllerHost : IAsyncDisposable
{
    private readonly ControllerOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly Wake _wake = new();
    private readonly Task _tasks;

    private ControllerHost(IKubernetesApi api, ControllerOptions options)
    {
        _options = options;
        Mirror Of(ResourceType<System.Text.Json.Nodes.JsonObject> type) => new(api, type, options.Time, _wake.Set);
        var (pods, nodes, services, endpoints) = (Of(Kinds.Pods), Of(Kinds.Nodes), Of(Kinds.Services), Of(Kinds.Endpoints));
        var (claims, sets, deployments) = (Of(Kinds.Claims), Of(Kinds.StatefulSets), Of(Kinds.Deployments));
        var (replicaSets, jobs, leases, budgets) = (Of(Kinds.ReplicaSets), Of(Kinds.Jobs), Of(Kinds.Leases), Of(Kinds.DisruptionBudgets));
        Mirror[] mirrors = [pods, nodes, services, endpoints, claims, sets, deployments, replicaSets, jobs, leases, budgets];
        var events = new EventRecorder(api, "default-scheduler", null, options.Time);
        IController[] controllers =
        [
            new NodeLifecycle(api, options),
            new StatefulSetController(api, options),
            new DeploymentController(api, options),
            new ReplicaSetController(api, options),
            new JobController(api, options),
            new Scheduler(api, events, options),
            new EndpointsController(api, options),
            new DisruptionController(api, options),
        ];
        ClusterView View() => new(options.Time.GetUtcNow())
        {
            Pods = pods.Items,
            Nodes = nodes.Items,
            Services = services.Items,
            Endpoints = endpoints.Items,
            Claims = claims.Items,
            StatefulSets = sets.Items,
            Deployments = deployments.Items,
            ReplicaSets = replicaSets.Items,
            Jobs = jobs.Items,
            Leases = leases.Items,
            DisruptionBudgets = budgets.Items,
        };
        _tasks = Task.WhenAll([.. mirrors.Select(x => Task.Run(() => x.RunAsync(_stop.Token))), Task.Run(() => LoopAsync(mirrors, controllers, View)), Task.Run(() => events.RunAsync(_stop.Token))]);
    }

    /// <summary>Starts the controllers; they end with <see cref="DisposeAsync"/>.</summary>
    public static ControllerHost Start(IKubernetesApi api, ControllerOptions options) => new(api, options);

    /// <summary>Does something for each object; one that fails is logged and tried again in the next turn.</summary>
    internal static async Task EachAsync<T>(
        IEnumerable<T> items, ControllerOptions options, Func<T, string> name, Func<T, Task> action)
    {
        foreach (var item in items)
        {
            try
            {
                await action(item).ConfigureAwait(false);
            }
            catch (KubernetesException e)
            {
                // Conflicts and names already taken only say that the view lagged behind.
                if (e.Failure is not (KubernetesFailure.Conflict or KubernetesFailure.AlreadyExists or KubernetesFailure.NotFound))
                    options.Log($"{name(item)}: {e.Message}");
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _tasks.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    private async Task LoopAsync(Mirror[] mirrors, IController[] controllers, Func<ClusterView> view)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(TimeSpan.FromMilliseconds(500), _stop.Token).ConfigureAwait(false);
                if (mirrors.Any(x => !x.Synced))
                    continue;
                foreach (var controller in controllers)
                    await controller.ReconcileAsync(view(), _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The top of the loop: a mistake in one turn must not end all controllers.
                _options.Log($"controllers: {e}");
                await Task.Delay(TimeSpan.FromMilliseconds(200), _options.Time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
