#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

/// <summary>v1 Pod.</summary>
public sealed record Pod : KubernetesObject
{
    public PodSpec? Spec { get; init; }

    public PodStatus? Status { get; init; }
}

/// <summary>Specification of a pod.</summary>
public sealed record PodSpec : WireRecord
{
    public string? NodeName { get; init; }

    public string? Hostname { get; init; }

    public string? Subdomain { get; init; }

    public string? ServiceAccountName { get; init; }

    public string? RestartPolicy { get; init; }

    public long? TerminationGracePeriodSeconds { get; init; }

    public bool? ShareProcessNamespace { get; init; }

    public IReadOnlyList<Container>? Containers { get; init; }
}

/// <summary>A container of a pod.</summary>
public sealed record Container : WireRecord
{
    public string Name { get; init; } = string.Empty;

    public string? Image { get; init; }

    public IReadOnlyList<string>? Command { get; init; }

    public IReadOnlyList<string>? Args { get; init; }
}

/// <summary>State of a pod.</summary>
public sealed record PodStatus : WireRecord
{
    /// <summary><c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c> or <c>Unknown</c>.</summary>
    public string? Phase { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    [JsonPropertyName("podIP")]
    public string? PodIP { get; init; }

    [JsonPropertyName("hostIP")]
    public string? HostIP { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? StartTime { get; init; }

    public IReadOnlyList<Condition>? Conditions { get; init; }

    public IReadOnlyList<ContainerStatus>? ContainerStatuses { get; init; }
}

/// <summary>State of one container.</summary>
public sealed record ContainerStatus : WireRecord
{
    public string Name { get; init; } = string.Empty;

    public bool Ready { get; init; }

    public bool? Started { get; init; }

    public int RestartCount { get; init; }

    [JsonPropertyName("containerID")]
    public string? ContainerId { get; init; }

    public ContainerState? State { get; init; }

    /// <summary>How the run before this one ended.</summary>
    public ContainerState? LastState { get; init; }
}

/// <summary>At most one of the three is set.</summary>
public sealed record ContainerState : WireRecord
{
    public ContainerStateWaiting? Waiting { get; init; }

    public ContainerStateRunning? Running { get; init; }

    public ContainerStateTerminated? Terminated { get; init; }
}

/// <summary>Not started yet, or not again.</summary>
public sealed record ContainerStateWaiting : WireRecord
{
    public string? Reason { get; init; }

    public string? Message { get; init; }
}

/// <summary>Running.</summary>
public sealed record ContainerStateRunning : WireRecord
{
    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? StartedAt { get; init; }
}

/// <summary>Ended.</summary>
public sealed record ContainerStateTerminated : WireRecord
{
    public int ExitCode { get; init; }

    public int? Signal { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? StartedAt { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? FinishedAt { get; init; }

    [JsonPropertyName("containerID")]
    public string? ContainerId { get; init; }
}
