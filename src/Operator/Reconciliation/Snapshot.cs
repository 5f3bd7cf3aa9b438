using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Agents.Operator.Reconciliation;

/// <summary>What is known about the watched kinds at one moment.</summary>
internal sealed class Snapshot
{
    private readonly Dictionary<(string? Kind, string? Namespace, string? Name), JsonObject> made;

    /// <param name="sqlServers">All of them.</param>
    /// <param name="jobs">Init Jobs.</param>
    /// <param name="pods">Those of instances.</param>
    /// <param name="groupMaps">ConfigMaps that the operator made.</param>
    /// <param name="others">Whatever else it made.</param>
    public Snapshot(
        IReadOnlyList<JsonObject> sqlServers, IReadOnlyList<JsonObject> jobs, IReadOnlyList<JsonObject> pods, IReadOnlyList<JsonObject> groupMaps,
        IEnumerable<JsonObject> others)
    {
        SqlServers = sqlServers;
        Jobs = jobs;
        GroupMaps = groupMaps;
        made = pods.Concat(groupMaps).Concat(others).ToDictionary(Key);
    }

    /// <summary>The kind of PodDisruptionBudget that the API server serves.</summary>
    public ResourceType<JsonObject> Budgets { get; init; } = Resources.Budgets;

    public IReadOnlyList<JsonObject> SqlServers { get; }

    public IReadOnlyList<JsonObject> Jobs { get; }

    public IReadOnlyList<JsonObject> GroupMaps { get; }

    public JsonObject? Find(string kind, string @namespace, string name) => made.GetValueOrDefault((kind, @namespace, name));

    /// <summary>The object that a manifest is about; null when there is none yet.</summary>
    public JsonObject? Find(JsonObject manifest) => made.GetValueOrDefault(Key(manifest));

    private static (string? Kind, string? Namespace, string? Name) Key(JsonObject document) =>
        ((string?)document["kind"], (string?)document["metadata"]?["namespace"], (string?)document["metadata"]?["name"]);
}
