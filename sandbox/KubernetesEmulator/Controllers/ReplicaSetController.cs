using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>So many interchangeable pods.</summary>
internal sealed class ReplicaSetController(IKubernetesApi api, ControllerOptions options) : IController
{
    public Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken) =>
        ControllerHost.EachAsync(view.ReplicaSets.Values.Where(x => !x.Deleting()), options, x => $"replicaset {x.Key()}", async set =>
        {
            var pods = view.PodsOf(set);
            var active = pods.Where(x => !x.Deleting() && !x.Finished()).ToList();
            await Templates.WriteStatusAsync(api, Kinds.ReplicaSets, set, new JsonObject
            {
                ["observedGeneration"] = set.Number("metadata", "generation") ?? 1,
                ["replicas"] = active.Count,
                ["fullyLabeledReplicas"] = active.Count,
                ["readyReplicas"] = active.Count(x => x.Ready()),
                ["availableReplicas"] = active.Count(x => x.Ready()),
            }, cancellationToken).ConfigureAwait(false);

            var missing = (set.Number("spec", "replicas") ?? 1) - active.Count;
            var taken = pods.Select(x => x.Name()).ToHashSet();
            for (var i = 0; i < missing; i++)
            {
                var name = Templates.FreeName(set, taken);
                taken.Add(name);
                await api.CreateAsync(Kinds.Pods, set.Namespace(), Templates.Pod(set, Kinds.ReplicaSets, name), cancellationToken).ConfigureAwait(false);
            }

            var surplus = active
                .OrderBy(x => x.Ready())
                .ThenByDescending(x => x.Text("metadata", "creationTimestamp"), StringComparer.Ordinal)
                .Take(Math.Max(-missing, 0))
                .Concat(pods.Where(x => x.Finished() && !x.Deleting()));
            foreach (var pod in surplus)
                await api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), cancellationToken, new DeleteOptions(Uid: pod.Uid())).ConfigureAwait(false);
        });
}
