#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

/// <summary>v1 Secret.</summary>
public sealed record Secret : KubernetesObject
{
    public string? Type { get; init; }

    /// <summary>Values; base64 on the wire.</summary>
    public IReadOnlyDictionary<string, byte[]>? Data { get; init; }

    public bool? Immutable { get; init; }
}

/// <summary>v1 ConfigMap.</summary>
public sealed record ConfigMap : KubernetesObject
{
    public IReadOnlyDictionary<string, string>? Data { get; init; }
}

/// <summary>v1 Endpoints.</summary>
public sealed record Endpoints : KubernetesObject
{
    public IReadOnlyList<EndpointSubset>? Subsets { get; init; }
}

/// <summary>Addresses that share their ports.</summary>
public sealed record EndpointSubset : WireRecord
{
    public IReadOnlyList<EndpointAddress>? Addresses { get; init; }

    public IReadOnlyList<EndpointAddress>? NotReadyAddresses { get; init; }

    public IReadOnlyList<EndpointPort>? Ports { get; init; }
}

/// <summary>One address.</summary>
public sealed record EndpointAddress : WireRecord
{
    public string Ip { get; init; } = string.Empty;

    public string? Hostname { get; init; }

    public string? NodeName { get; init; }

    public ObjectReference? TargetRef { get; init; }
}

/// <summary>One port.</summary>
public sealed record EndpointPort : WireRecord
{
    public string? Name { get; init; }

    public int Port { get; init; }

    public string? Protocol { get; init; }
}

/// <summary>v1 Node.</summary>
public sealed record Node : KubernetesObject
{
    public NodeSpec? Spec { get; init; }

    public NodeStatus? Status { get; init; }
}

/// <summary>Specification of a node.</summary>
public sealed record NodeSpec : WireRecord
{
    public bool? Unschedulable { get; init; }
}

/// <summary>State of a node.</summary>
public sealed record NodeStatus : WireRecord
{
    public IReadOnlyList<Condition>? Conditions { get; init; }

    public IReadOnlyList<NodeAddress>? Addresses { get; init; }
}

/// <summary>An address of a node.</summary>
public sealed record NodeAddress : WireRecord
{
    public string Type { get; init; } = string.Empty;

    public string Address { get; init; } = string.Empty;
}

/// <summary>v1 Service.</summary>
public sealed record Service : KubernetesObject
{
    public ServiceSpec? Spec { get; init; }
}

/// <summary>Specification of a Service.</summary>
public sealed record ServiceSpec : WireRecord
{
    public string? Type { get; init; }

    [JsonPropertyName("clusterIP")]
    public string? ClusterIP { get; init; }

    public IReadOnlyDictionary<string, string>? Selector { get; init; }

    public bool? PublishNotReadyAddresses { get; init; }

    public IReadOnlyList<ServicePort>? Ports { get; init; }
}

/// <summary>One port of a Service.</summary>
public sealed record ServicePort : WireRecord
{
    public string? Name { get; init; }

    public int Port { get; init; }

    public string? Protocol { get; init; }

    /// <summary>A number or a name.</summary>
    public JsonNode? TargetPort { get; init; }

    public int? NodePort { get; init; }
}

/// <summary>v1 Event.</summary>
public sealed record Event : KubernetesObject
{
    public ObjectReference? InvolvedObject { get; init; }

    /// <summary><c>Normal</c> or <c>Warning</c>.</summary>
    public string? Type { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    public string? Action { get; init; }

    public int? Count { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? FirstTimestamp { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? LastTimestamp { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? EventTime { get; init; }

    public EventSource? Source { get; init; }

    public string? ReportingComponent { get; init; }

    public string? ReportingInstance { get; init; }
}

/// <summary>Who reports an event.</summary>
public sealed record EventSource : WireRecord
{
    public string? Component { get; init; }

    public string? Host { get; init; }
}
