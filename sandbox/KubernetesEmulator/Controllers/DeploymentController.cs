using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>One ReplicaSet per template; the old ones are emptied once the new one is available, or before it starts with Recreate.</summary>
internal sealed class DeploymentController(IKubernetesApi api, ControllerOptions options) : IController
{
    private const string HashLabel = "pod-template-hash";

    public Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken) =>
        ControllerHost.EachAsync(view.Deployments.Values.Where(x => !x.Deleting()), options, x => $"deployment {x.Key()}", async deployment =>
        {
            var uid = deployment.Uid();
            var hash = Templates.Hash(deployment);
            var sets = view.ReplicaSets.Values.Where(x => x.Controller() == uid).ToList();
            var current = sets.FirstOrDefault(x => x.Text("metadata", "labels", HashLabel) == hash);
            var old = sets.Where(x => x != current).ToList();
            var replicas = deployment.Number("spec", "replicas") ?? 1;
            await WriteStatusAsync(view, deployment, current, sets, replicas, cancellationToken).ConfigureAwait(false);

            var recreate = deployment.Text("spec", "strategy", "type") == "Recreate";
            var available = (current.Number("status", "availableReplicas") ?? 0) >= replicas;
            if (recreate || available)
            {
                foreach (var set in old)
                    await ScaleAsync(set, 0, cancellationToken).ConfigureAwait(false);
            }

            if (recreate && old.Any(x => view.PodsOf(x).Any(y => !y.Finished())))
                return;
            if (current is null)
                await CreateAsync(deployment, hash, replicas, cancellationToken).ConfigureAwait(false);
            else
                await ScaleAsync(current, replicas, cancellationToken).ConfigureAwait(false);
        });

    private async Task ScaleAsync(JsonObject set, int replicas, CancellationToken cancellationToken)
    {
        if (set.Number("spec", "replicas") == replicas)
            return;
        var patch = new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } };
        await api.MergePatchAsync(Kinds.ReplicaSets, set.Namespace(), set.Name(), patch, cancellationToken).ConfigureAwait(false);
    }

    private async Task CreateAsync(JsonObject deployment, string hash, int replicas, CancellationToken cancellationToken)
    {
        var set = Templates.Owned(deployment, Kinds.Deployments, "apps/v1", "ReplicaSet", $"{deployment.Name()}-{hash}");
        var template = Templates.Clone(deployment, "spec", "template");
        var labels = Templates.Clone(template, "metadata", "labels");
        labels[HashLabel] = hash;
        var metadata = Templates.Clone(template, "metadata");
        metadata["labels"] = labels;
        template["metadata"] = metadata;
        var selector = Templates.Clone(deployment, "spec", "selector");
        var match = Templates.Clone(selector, "matchLabels");
        match[HashLabel] = hash;
        selector["matchLabels"] = match;
        set["metadata"]!["labels"] = labels.DeepClone();
        set["spec"] = new JsonObject { ["replicas"] = replicas, ["selector"] = selector, ["template"] = template };
        await api.CreateAsync(Kinds.ReplicaSets, deployment.Namespace(), set, cancellationToken).ConfigureAwait(false);
    }

    private Task WriteStatusAsync(
        ClusterView view, JsonObject deployment, JsonObject? current, List<JsonObject> sets, int replicas, CancellationToken cancellationToken)
    {
        var pods = sets.SelectMany(view.PodsOf).Where(x => !x.Deleting() && !x.Finished()).ToList();
        var ready = pods.Count(x => x.Ready());
        var updated = current is null ? [] : pods.Where(x => x.Controller() == current.Uid()).ToList();
        var done = updated.Count >= replicas && ready >= replicas;
        JsonObject Make(string type, bool value, string reason) =>
            Fields.Condition(deployment.Condition(type), type, value ? "True" : "False", view.Now, reason);
        return Templates.WriteStatusAsync(api, Kinds.Deployments, deployment, new JsonObject
        {
            ["observedGeneration"] = deployment.Number("metadata", "generation") ?? 1,
            ["replicas"] = pods.Count,
            ["updatedReplicas"] = updated.Count,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = ready,
            ["unavailableReplicas"] = Math.Max(replicas - ready, 0),
            ["conditions"] = new JsonArray(
                Make("Available", ready >= replicas, ready >= replicas ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable"),
                Make("Progressing", true, done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated")),
        }, cancellationToken);
    }
}
