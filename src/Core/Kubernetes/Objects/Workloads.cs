#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

/// <summary>coordination.k8s.io/v1 Lease.</summary>
public sealed record Lease : KubernetesObject
{
    public LeaseSpec? Spec { get; init; }
}

/// <summary>Who holds a lease.</summary>
public sealed record LeaseSpec : WireRecord
{
    public string? HolderIdentity { get; init; }

    public int? LeaseDurationSeconds { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? AcquireTime { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? RenewTime { get; init; }

    public int? LeaseTransitions { get; init; }
}

/// <summary>apps/v1 StatefulSet.</summary>
public sealed record StatefulSet : KubernetesObject
{
    public StatefulSetSpec? Spec { get; init; }

    public StatefulSetStatus? Status { get; init; }
}

/// <summary>Specification of a StatefulSet.</summary>
public sealed record StatefulSetSpec : WireRecord
{
    public int? Replicas { get; init; }

    public string? ServiceName { get; init; }

    public JsonObject? Selector { get; init; }

    public JsonObject? Template { get; init; }
}

/// <summary>State of a StatefulSet.</summary>
public sealed record StatefulSetStatus : WireRecord
{
    public long? ObservedGeneration { get; init; }

    public int Replicas { get; init; }

    public int? ReadyReplicas { get; init; }

    public int? UpdatedReplicas { get; init; }

    public string? CurrentRevision { get; init; }

    public string? UpdateRevision { get; init; }
}

/// <summary>batch/v1 Job.</summary>
public sealed record Job : KubernetesObject
{
    public JobSpec? Spec { get; init; }

    public JobStatus? Status { get; init; }
}

/// <summary>Specification of a Job.</summary>
public sealed record JobSpec : WireRecord
{
    public int? BackoffLimit { get; init; }

    public JsonObject? Template { get; init; }
}

/// <summary>State of a Job.</summary>
public sealed record JobStatus : WireRecord
{
    public int? Active { get; init; }

    public int? Succeeded { get; init; }

    public int? Failed { get; init; }

    public IReadOnlyList<Condition>? Conditions { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? StartTime { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? CompletionTime { get; init; }
}
