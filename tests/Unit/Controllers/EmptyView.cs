using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubernetesEmulator.Controllers;

namespace Unit.Controllers;

/// <summary>A cluster with nothing in it, for tests to add to.</summary>
internal static class EmptyView
{
    public static ClusterView At(DateTimeOffset now)
    {
        var none = ImmutableDictionary<string, JsonObject>.Empty;
        return new ClusterView(now)
        {
            Nodes = none,
            Pods = none,
            Services = none,
            Endpoints = none,
            Claims = none,
            StatefulSets = none,
            Deployments = none,
            ReplicaSets = none,
            Jobs = none,
            Leases = none,
            DisruptionBudgets = none,
        };
    }
}
