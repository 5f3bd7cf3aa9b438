using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Events;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>
/// Binds pods to nodes: ready, selected, not forbidden by required anti-affinity, and the least busy. A claim stays on the node that
/// first used it, because its folder is that node's.
/// </summary>
internal sealed class Scheduler(IKubernetesApi api, EventRecorder events, ControllerOptions options) : IController
{
    private const string SelectedNode = "volume.kubernetes.io/selected-node";

    private readonly Dictionary<string, (JsonObject Pod, string Node)> _assumed = [];

    public async Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken)
    {
        var present = view.Pods.Values.ToDictionary(x => x.Uid());
        foreach (var uid in _assumed.Keys.Where(x => !present.TryGetValue(x, out var pod) || pod.Text("spec", "nodeName") is not null).ToList())
            _assumed.Remove(uid);
        var pending = view.Pods.Values
            .Where(x => x.Text("spec", "nodeName") is null && !x.Deleting() && !x.Finished() && !_assumed.ContainsKey(x.Uid()))
            .OrderBy(x => x.Text("metadata", "creationTimestamp"), StringComparer.Ordinal)
            .ThenBy(x => x.Key(), StringComparer.Ordinal);
        await ControllerHost.EachAsync(pending, options, x => $"scheduling {x.Key()}", async pod =>
        {
            var placed = view.Pods.Values
                .Where(x => x.Text("spec", "nodeName") is not null && !x.Finished())
                .Select(x => (Pod: x, Node: x.Text("spec", "nodeName")!))
                .Concat(_assumed.Values)
                .ToList();
            var (node, why) = Choose(view, pod, placed);
            if (node is null)
            {
                await RefuseAsync(view, pod, why!, cancellationToken).ConfigureAwait(false);
                return;
            }

            await BindClaimsAsync(view, pod, node, cancellationToken).ConfigureAwait(false);
            var binding = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = pod.Name(), ["namespace"] = pod.Namespace(), ["uid"] = pod.Uid() },
                ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
            };
            await api.CreateAsync(Kinds.Bindings(pod.Name()), pod.Namespace(), binding, cancellationToken).ConfigureAwait(false);
            _assumed[pod.Uid()] = (pod, node);
            events.Normal(EventRecorder.Pod(pod), "Scheduled", $"Successfully assigned {pod.Key()} to {node}");
        }).ConfigureAwait(false);
    }

    /// <summary>The node for a pod, or why there is none.</summary>
    internal static (string? Node, string? Why) Choose(ClusterView view, JsonObject pod, IReadOnlyList<(JsonObject Pod, string Node)> placed)
    {
        string? pinned = null;
        foreach (var claim in Claims(pod))
        {
            if (!view.Claims.TryGetValue($"{pod.Namespace()}/{claim}", out var found))
                return (null, $"persistentvolumeclaim \"{claim}\" not found");
            pinned ??= found.Text("metadata", "annotations", SelectedNode);
        }

        var reasons = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var fitting = new List<JsonObject>();
        foreach (var node in view.Nodes.Values)
        {
            var why = !node.IsTrue("Ready") ? "node(s) were not ready"
                : node.Flag("spec", "unschedulable") == true ? "node(s) were unschedulable"
                : pinned is not null && pinned != node.Name() ? "node(s) had volume node affinity conflict"
                : !pod.Map("spec", "nodeSelector").Matches(node) ? "node(s) didn't match Pod's node affinity/selector"
                : Repelled(view, pod, node, placed) ? "node(s) didn't match pod anti-affinity rules"
                : null;
            if (why is null)
                fitting.Add(node);
            else
                reasons[why] = reasons.GetValueOrDefault(why) + 1;
        }

        return fitting.Count == 0
            ? (null, $"0/{view.Nodes.Count} nodes are available: {string.Join(", ", reasons.Select(x => $"{x.Value} {x.Key}"))}.")
            : (fitting.OrderBy(x => placed.Count(y => y.Node == x.Name())).ThenBy(x => x.Name(), StringComparer.Ordinal).First().Name(), null);
    }

    private static IEnumerable<string> Claims(JsonObject pod) =>
        pod.Items("spec", "volumes").Select(x => x.Text("persistentVolumeClaim", "claimName")).OfType<string>();

    /// <summary>Required anti-affinity holds in both directions.</summary>
    private static bool Repelled(ClusterView view, JsonObject pod, JsonObject node, IReadOnlyList<(JsonObject Pod, string Node)> placed) =>
        placed.Any(other => Exclusions(pod, other.Pod).Concat(Exclusions(other.Pod, pod)).Any(key =>
        {
            var here = node.Text("metadata", "labels", key);
            return here is not null && view.Nodes.GetValueOrDefault("/" + other.Node)?.Text("metadata", "labels", key) == here;
        }));

    /// <summary>Topology keys of the terms by which <paramref name="pod"/> keeps away from <paramref name="other"/>.</summary>
    private static IEnumerable<string> Exclusions(JsonObject pod, JsonObject other) =>
        pod.Items("spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
            .Where(x => (x.Texts("namespaces") is { Count: > 0 } named ? named.Contains(other.Namespace()) : pod.Namespace() == other.Namespace())
                && x.Document("labelSelector").Selects(other))
            .Select(x => x.Text("topologyKey") ?? "");

    private async Task RefuseAsync(ClusterView view, JsonObject pod, string why, CancellationToken cancellationToken)
    {
        var before = pod.Condition("PodScheduled");
        if (before?.Text("message") == why)
            return;
        events.Warning(EventRecorder.Pod(pod), "FailedScheduling", why);
        var condition = Fields.Condition(before, "PodScheduled", "False", view.Now, "Unschedulable", why);
        var others = pod.Items("status", "conditions").Where(x => x.Text("type") != "PodScheduled").Select(x => x.DeepClone());
        await Templates.WriteStatusAsync(
            api, Kinds.Pods, pod, new JsonObject { ["phase"] = "Pending", ["conditions"] = others.Append(condition).ToJson() }, cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task BindClaimsAsync(ClusterView view, JsonObject pod, string node, CancellationToken cancellationToken)
    {
        foreach (var name in Claims(pod))
        {
            var claim = view.Claims[$"{pod.Namespace()}/{name}"];
            if (claim.Text("metadata", "annotations", SelectedNode) is null)
            {
                var pin = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [SelectedNode] = node } } };
                await api.MergePatchAsync(Kinds.Claims, claim.Namespace(), name, pin, cancellationToken).ConfigureAwait(false);
            }

            if (claim.Phase() == "Bound")
                continue;
            var status = new JsonObject
            {
                ["phase"] = "Bound",
                ["accessModes"] = claim.At("spec", "accessModes")?.DeepClone() ?? new JsonArray(),
                ["capacity"] = claim.At("spec", "resources", "requests")?.DeepClone() ?? new JsonObject(),
            };
            await api.MergePatchAsync(Kinds.Claims, claim.Namespace(), name, new JsonObject { ["status"] = status }, cancellationToken, "status")
                .ConfigureAwait(false);
        }
    }
}
