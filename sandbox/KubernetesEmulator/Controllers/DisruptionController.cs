using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>Counts the healthy pods of each PodDisruptionBudget and says how many of them may be evicted.</summary>
internal sealed class DisruptionController(IKubernetesApi api, ControllerOptions options) : IController
{
    /// <summary>An eviction that was granted counts for so long, until the pod is seen to be deleted.</summary>
    private static readonly TimeSpan DeletionBound = TimeSpan.FromMinutes(2);

    public Task ReconcileAsync(ClusterView view, CancellationToken cancellationToken) =>
        ControllerHost.EachAsync(
            view.DisruptionBudgets.Values.Where(x => !x.Deleting()), options, x => $"poddisruptionbudget {x.Key()}",
            x => Templates.WriteStatusAsync(api, Kinds.DisruptionBudgets, x, Status(view, x), cancellationToken));

    /// <summary>What <c>status</c> of the budget must be.</summary>
    internal static JsonObject Status(ClusterView view, JsonObject budget)
    {
        var pods = view.Pods.Values.Where(x => x.Namespace() == budget.Namespace() && budget.Document("spec", "selector").Selects(x)).ToList();
        var granted = budget.Document("status", "disruptedPods");
        var disrupted = new JsonObject();
        // What no longer counts is null, so that a merge patch removes it.
        foreach (var (name, _) in granted ?? [])
        {
            var counts = pods.Any(x => x.Name() == name && !x.Deleting()) && granted.Time(name) + DeletionBound > view.Now;
            disrupted[name] = counts ? granted.Text(name) : null;
        }

        var healthy = pods.Count(x => !x.Deleting() && disrupted[x.Name()] is null && x.IsTrue("Ready"));
        var (expected, desired) = Expected(view, budget, pods);
        var allowed = expected > 0 ? Math.Max(healthy - desired, 0) : 0;
        var reason = allowed > 0 ? "SufficientPods" : "InsufficientPods";
        return new JsonObject
        {
            ["observedGeneration"] = budget.Number("metadata", "generation") ?? 1,
            ["disruptedPods"] = disrupted.Count > 0 ? disrupted : null,
            ["disruptionsAllowed"] = allowed,
            ["currentHealthy"] = healthy,
            ["desiredHealthy"] = desired,
            ["expectedPods"] = expected,
            ["conditions"] = new JsonArray(
                Fields.Condition(budget.Condition("DisruptionAllowed"), "DisruptionAllowed", allowed > 0 ? "True" : "False", view.Now, reason)),
        };
    }

    /// <summary>How many pods there should be, and how many of them must stay healthy.</summary>
    private static (int Expected, int Desired) Expected(ClusterView view, JsonObject budget, List<JsonObject> pods)
    {
        var spec = budget.Document("spec");
        if (spec.Text("maxUnavailable") is { } most)
        {
            var expected = Scale(view, pods);
            return (expected, Math.Max(expected - Of(most, expected), 0));
        }

        var least = spec.Text("minAvailable") ?? "1";
        if (!least.EndsWith('%'))
            return (pods.Count, Of(least, pods.Count));
        var all = Scale(view, pods);
        return (all, Of(least, all));
    }

    /// <summary>A number, or a percentage of <paramref name="whole"/>, rounded up.</summary>
    private static int Of(string text, int whole) =>
        text.EndsWith('%')
            ? (int)Math.Ceiling(int.Parse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture) * whole / 100.0)
            : int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The replicas that the pods' controllers want; pods without one do not count.</summary>
    private static int Scale(ClusterView view, List<JsonObject> pods)
    {
        var owners = view.StatefulSets.Values.Concat(view.Deployments.Values).Concat(view.ReplicaSets.Values).ToDictionary(x => x.Uid());
        return pods
            .Select(x => x.Controller() is { } uid ? owners.GetValueOrDefault(uid) : null)
            .Select(x => x?.Controller() is { } above && owners.TryGetValue(above, out var deployment) ? deployment : x)
            .OfType<JsonObject>()
            .DistinctBy(x => x.Uid())
            .Sum(x => x.Number("spec", "replicas") ?? 1);
    }
}
