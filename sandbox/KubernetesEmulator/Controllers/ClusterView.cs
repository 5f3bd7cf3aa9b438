using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>
/// What the controllers see at one moment, by <c>namespace/name</c>. It may lag behind the API server, so whatever is created has a
/// name that follows from the view: a second attempt finds the name taken and does no harm.
/// </summary>
internal sealed record ClusterView(DateTimeOffset Now)
{
    public required ImmutableDictionary<string, JsonObject> Pods { get; init; }

    public required ImmutableDictionary<string, JsonObject> Nodes { get; init; }

    public required ImmutableDictionary<string, JsonObject> Services { get; init; }

    public required ImmutableDictionary<string, JsonObject> Endpoints { get; init; }

    public required ImmutableDictionary<string, JsonObject> Claims { get; init; }

    public required ImmutableDictionary<string, JsonObject> StatefulSets { get; init; }

    public required ImmutableDictionary<string, JsonObject> Deployments { get; init; }

    public required ImmutableDictionary<string, JsonObject> ReplicaSets { get; init; }

    public required ImmutableDictionary<string, JsonObject> Jobs { get; init; }

    public required ImmutableDictionary<string, JsonObject> Leases { get; init; }

    public required ImmutableDictionary<string, JsonObject> DisruptionBudgets { get; init; }

    public IReadOnlyList<JsonObject> PodsOf(JsonObject owner)
    {
        var uid = owner.Uid();
        return [.. Pods.Values.Where(x => x.Controller() == uid).OrderBy(x => x.Name(), StringComparer.Ordinal)];
    }
}
