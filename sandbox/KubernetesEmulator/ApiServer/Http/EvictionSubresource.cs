using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Http;

/// <summary><c>POST …/pods/x/eviction</c>: a deletion that the pod's PodDisruptionBudget must allow.</summary>
internal static class EvictionSubresource
{
    private const int LargestDisruption = 2000;

    private const string Refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

    /// <param name="registry">The objects.</param>
    /// <param name="request">Which pod.</param>
    /// <param name="eviction">The body, of <c>policy/v1</c> or <c>policy/v1beta1</c>.</param>
    /// <param name="deletion">How the pod is deleted, as the body's <c>deleteOptions</c> say.</param>
    /// <param name="options">Who writes, and whether at all.</param>
    /// <param name="now">When it is.</param>
    public static void Run(Registry registry, ApiRequest request, JsonObject eviction, Deletion deletion, WriteOptions options, DateTimeOffset now)
    {
        if (eviction.Text("kind") is not (null or "Eviction") || eviction.Text("apiVersion") is not (null or "policy/v1" or "policy/v1beta1"))
            throw ApiError.BadRequest($"{eviction.Text("kind")} in version \"{eviction.Text("apiVersion")}\" cannot be handled as an Eviction");
        var pod = registry.Get(Catalog.Pods, request.Ns, request.Name!);
        if (eviction.Text("metadata", "name") is { Length: > 0 } name && name != pod.Name)
            throw ApiError.BadRequest("name in URL does not match name in Eviction object");
        if (!pod.Deleting && pod.Json.Text("status", "phase") is not ("Succeeded" or "Failed" or "Pending"))
            Ask(registry, pod, options with { DryRun = options.DryRun || deletion.DryRun }, now);
        registry.Delete(Catalog.Pods, request.Ns, pod.Name, deletion with { DryRun = deletion.DryRun || options.DryRun, Uid = deletion.Uid ?? pod.Uid });
    }

    private static void Ask(Registry registry, StoredObject pod, WriteOptions options, DateTimeOffset now)
    {
        var budgets = registry.Store.List(Catalog.DisruptionBudgets.Key, pod.Namespace).Items
            .Where(x => Objects.Fields.Selects(x.Json.Child("spec", "selector"), pod.Json))
            .ToList();
        if (budgets.Count > 1)
            throw new ApiError(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
        if (budgets is not [var budget])
            return;
        registry.Mutate(Catalog.DisruptionBudgets, pod.Namespace, budget.Name, "status", options, o => Reserve(o, pod.Json, now));
    }

    /// <summary>Counts the pod as disrupted, so that no second eviction uses the same allowance before the controller has looked again.</summary>
    private static JsonObject Reserve(JsonObject budget, JsonObject pod, DateTimeOffset now)
    {
        var name = budget.Text("metadata", "name") ?? "";
        var status = budget.Ensure("status");
        var (healthy, desired) = (status.Number("currentHealthy") ?? 0, status.Number("desiredHealthy") ?? 0);
        var ready = pod.Objects("status", "conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");
        if (!ready && (budget.Text("spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow" || (healthy >= desired && desired > 0)))
            return budget;
        if ((status.Number("observedGeneration") ?? 0) < (budget.Number("metadata", "generation") ?? 0))
            throw ApiError.TooManyRequests(Refusal, 10, "DisruptionBudget", $"The disruption budget {name} is still being processed by the server.");
        var allowed = status.Number("disruptionsAllowed") ?? 0;
        if (allowed < 0)
            throw ApiError.Forbidden(Catalog.DisruptionBudgets, name, "pdb disruptions allowed is negative");
        if (status.Child("disruptedPods") is { Count: > LargestDisruption })
            throw ApiError.Forbidden(Catalog.DisruptionBudgets, name, $"DisruptedPods map too big - too many evictions not confirmed by PDB controller");
        if (allowed == 0)
        {
            throw ApiError.TooManyRequests(Refusal, 0, "DisruptionBudget", string.Create(
                CultureInfo.InvariantCulture, $"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"));
        }

        status["disruptionsAllowed"] = allowed - 1;
        status.Ensure("disruptedPods")[pod.Text("metadata", "name") ?? ""] = Document.Time(now);
        return budget;
    }
}
