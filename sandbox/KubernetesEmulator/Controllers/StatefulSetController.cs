using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>Pods with stable names and volumes, made, updated and removed in order.</summary>
internal sealed class StatefulSetController(IKubernetesApi api, ControllerOptions options) : IController
{
    public Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken) =>
        ControllerHost.EachAsync(view.StatefulSets.Values.Where(x => !x.Deleting()), options, x => $"statefulset {x.Key()}", async set =>
        {
            var pods = view.PodsOf(set).ToDictionary(x => Ordinal(set, x));
            var revision = $"{set.Name()}-{Templates.Hash(set)}";
            await WriteStatusAsync(set, pods, revision, cancellationToken).ConfigureAwait(false);
            await AdvanceAsync(view, set, pods, revision, cancellationToken).ConfigureAwait(false);
        });

    private static int Ordinal(JsonObject set, JsonObject pod) =>
        int.TryParse(pod.Name().AsSpan(set.Name().Length + 1), CultureInfo.InvariantCulture, out var ordinal) ? ordinal : -1;

    private static string? Revision(JsonObject pod) => pod.Text("metadata", "labels", "controller-revision-hash");

    private async Task AdvanceAsync(
        ClusterView view, JsonObject set, Dictionary<int, JsonObject> pods, string revision, CancellationToken cancellationToken)
    {
        var replicas = set.Number("spec", "replicas") ?? 1;
        var ordered = set.Text("spec", "podManagementPolicy") != "Parallel";

        for (var i = 0; i < replicas; i++)
        {
            var pod = pods.GetValueOrDefault(i);
            if (pod is null)
            {
                if (!view.Pods.TryGetValue($"{set.Namespace()}/{set.Name()}-{i}", out var stray))
                    await CreateAsync(set, i, revision, cancellationToken).ConfigureAwait(false);
                else if (stray.Controller() is null && !stray.Deleting() && set.Map("spec", "selector", "matchLabels").Matches(stray))
                    await AdoptAsync(set, stray, cancellationToken).ConfigureAwait(false);
            }
            else if (pod.Finished() && !pod.Deleting())
            {
                await DeleteAsync(pod, cancellationToken).ConfigureAwait(false);
            }

            if (ordered && pod?.Ready() != true)
                return;
        }

        foreach (var (_, pod) in pods.Where(x => x.Key >= replicas).OrderByDescending(x => x.Key))
        {
            if (!pod.Deleting())
                await DeleteAsync(pod, cancellationToken).ConfigureAwait(false);
            if (ordered)
                return;
        }

        if (set.Text("spec", "updateStrategy", "type") == "OnDelete")
            return;
        var partition = set.Number("spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
        for (var i = replicas - 1; i >= partition; i--)
        {
            if (!pods.TryGetValue(i, out var pod))
                return;
            if (Revision(pod) != revision && !pod.Deleting())
            {
                await DeleteAsync(pod, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (!pod.Ready())
                return;
        }
    }

    /// <summary>The pod of a StatefulSet that was deleted without its pods and made again.</summary>
    private Task<JsonObject> AdoptAsync(JsonObject set, JsonObject pod, CancellationToken cancellationToken)
    {
        var owned = Templates.Owned(set, Kinds.StatefulSets, "v1", "Pod", pod.Name());
        var metadata = new JsonObject { ["uid"] = pod.Uid(), ["ownerReferences"] = owned["metadata"]!["ownerReferences"]!.DeepClone() };
        return api.MergePatchAsync(Kinds.Pods, pod.Namespace(), pod.Name(), new JsonObject { ["metadata"] = metadata }, cancellationToken);
    }

    private async Task CreateAsync(JsonObject set, int ordinal, string revision, CancellationToken cancellationToken)
    {
        var name = $"{set.Name()}-{ordinal}";
        var pod = Templates.Pod(
            set, Kinds.StatefulSets, name,
            ("statefulset.kubernetes.io/pod-name", name),
            ("apps.kubernetes.io/pod-index", ordinal.ToString(CultureInfo.InvariantCulture)),
            ("controller-revision-hash", revision));
        pod["spec"]!["hostname"] = name;
        if (set.Text("spec", "serviceName") is { Length: > 0 } service)
            pod["spec"]!["subdomain"] = service;

        var volumes = pod.Items("spec", "volumes").Select(x => x.DeepClone()).ToList();
        foreach (var template in set.Items("spec", "volumeClaimTemplates"))
        {
            var claim = $"{template.Name()}-{name}";
            await CreateClaimAsync(set, template, claim, cancellationToken).ConfigureAwait(false);
            volumes.RemoveAll(x => x.Text("name") == template.Name());
            volumes.Add(new JsonObject { ["name"] = template.Name(), ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim } });
        }

        if (volumes.Count > 0)
            pod["spec"]!["volumes"] = volumes.ToJson();
        await api.CreateAsync(Kinds.Pods, set.Namespace(), pod, cancellationToken).ConfigureAwait(false);
    }

    private async Task CreateClaimAsync(JsonObject set, JsonObject template, string name, CancellationToken cancellationToken)
    {
        var metadata = Templates.Clone(template, "metadata");
        metadata["name"] = name;
        metadata["namespace"] = set.Namespace();
        var labels = Templates.Clone(metadata, "labels");
        foreach (var (key, value) in set.Map("spec", "selector", "matchLabels"))
            labels[key] = value;
        metadata["labels"] = labels;
        var claim = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolumeClaim",
            ["metadata"] = metadata,
            ["spec"] = Templates.Clone(template, "spec"),
        };
        try
        {
            await api.CreateAsync(Kinds.Claims, set.Namespace(), claim, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.Failure == KubernetesFailure.AlreadyExists)
        {
        }
    }

    private Task<bool> DeleteAsync(JsonObject pod, CancellationToken cancellationToken) =>
        api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), cancellationToken, new DeleteOptions(Uid: pod.Uid()));

    private Task WriteStatusAsync(JsonObject set, Dictionary<int, JsonObject> pods, string revision, CancellationToken cancellationToken)
    {
        var ready = pods.Values.Count(x => x.Ready());
        var updated = pods.Values.Count(x => Revision(x) == revision);
        var current = set.Text("status", "currentRevision");
        if (current is null || (updated == pods.Count && ready == pods.Count && pods.Count == (set.Number("spec", "replicas") ?? 1)))
            current = revision;
        return Templates.WriteStatusAsync(api, Kinds.StatefulSets, set, new JsonObject
        {
            ["observedGeneration"] = set.Number("metadata", "generation") ?? 1,
            ["replicas"] = pods.Count,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = ready,
            ["currentReplicas"] = pods.Values.Count(x => Revision(x) == current),
            ["updatedReplicas"] = updated,
            ["currentRevision"] = current,
            ["updateRevision"] = revision,
            ["collisionCount"] = 0,
        }, cancellationToken);
    }
}
