using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>
/// Declares nodes Unknown whose Lease has not changed for a while by this process's own clock, takes their pods out of service, and
/// later deletes these. The deletion stays open until the node answers: nobody else can say that a pod has ended.
/// </summary>
internal sealed class NodeLifecycle(IKubernetesApi api, ControllerOptions options) : IController
{
    private static readonly string[] Judged = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

    private readonly Dictionary<string, (string Version, long Since)> _seen = [];

    public async Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken)
    {
        await ControllerHost.EachAsync(view.Nodes.Values, options, x => $"node {x.Name()}", x => JudgeAsync(view, x, cancellationToken))
            .ConfigureAwait(false);
        var lost = view.Pods.Values.Where(x => x.Text("spec", "nodeName") is { } node && !view.Nodes.ContainsKey("/" + node));
        await ControllerHost.EachAsync(
            lost, options, x => $"pod {x.Key()}",
            x => api.DeleteAsync(Kinds.Pods, x.Namespace(), x.Name(), cancellationToken, new DeleteOptions(0, x.Uid()))).ConfigureAwait(false);
    }

    private async Task JudgeAsync(ClusterView view, JsonObject node, CancellationToken cancellationToken)
    {
        var version = view.Leases.GetValueOrDefault($"kube-node-lease/{node.Name()}")?.Version() ?? "";
        if (!_seen.TryGetValue(node.Name(), out var seen) || seen.Version != version)
            _seen[node.Name()] = seen = (version, options.Time.GetTimestamp());
        var silence = options.Time.GetElapsedTime(seen.Since);
        if (silence < options.NodeSilence)
            return;

        if (node.Condition("Ready")?.Text("status") != "Unknown")
        {
            var conditions = node.Items("status", "conditions").Where(x => !Judged.Contains(x.Text("type"))).Select(x => x.DeepClone()).Concat(Judged.Select(x =>
                Fields.Condition(node.Condition(x), x, "Unknown", view.Now, "NodeStatusUnknown", "Kubelet stopped posting node status.")));
            await api.MergePatchAsync(
                Kinds.Nodes, null, node.Name(),
                new JsonObject
                {
                    ["metadata"] = new JsonObject { ["resourceVersion"] = node.Version() },
                    ["status"] = new JsonObject { ["conditions"] = conditions.ToJson() },
                },
                cancellationToken, "status").ConfigureAwait(false);
        }

        foreach (var pod in view.Pods.Values.Where(x => x.Text("spec", "nodeName") == node.Name()))
        {
            if (pod.IsTrue("Ready"))
            {
                var conditions = pod.Items("status", "conditions").Select(x => x.Text("type") == "Ready"
                    ? Fields.Condition(x, "Ready", "False", view.Now, "NodeNotReady")
                    : x.DeepClone());
                await Templates.WriteStatusAsync(api, Kinds.Pods, pod, new JsonObject { ["conditions"] = conditions.ToJson() }, cancellationToken)
                    .ConfigureAwait(false);
            }
            else if (!pod.Deleting() && silence > options.NodeSilence + options.Eviction)
            {
                await api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), cancellationToken, new DeleteOptions(Uid: pod.Uid()))
                    .ConfigureAwait(false);
            }
        }
    }
}
