#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

/// <summary>
/// Part of a document that we model in part. What we do not model is kept in <see cref="Unmodelled"/>, so that writing back a document that
/// was read loses nothing.
/// </summary>
public abstract record WireRecord
{
    /// <summary>Members without a property of their own.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unmodelled { get; set; }
}

/// <summary>A whole object of the API.</summary>
public abstract record KubernetesObject : WireRecord
{
    /// <summary>Group and version; the client fills it in when writing.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Kind; the client fills it in when writing.</summary>
    public string? Kind { get; init; }

    /// <summary>Name, version and the like.</summary>
    public ObjectMeta Metadata { get; init; } = new();
}

/// <summary><c>metadata</c> of every object.</summary>
public sealed record ObjectMeta : WireRecord
{
    /// <summary>Name; null when <see cref="GenerateName"/> shall make one.</summary>
    public string? Name { get; init; }

    /// <summary>Prefix of a name that the server makes.</summary>
    public string? GenerateName { get; init; }

    /// <summary>Namespace, or null for cluster-scoped kinds.</summary>
    public string? Namespace { get; init; }

    /// <summary>Identity of this incarnation.</summary>
    public string? Uid { get; init; }

    /// <summary>Opaque version of the document.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Counts changes of the specification.</summary>
    public long? Generation { get; init; }

    /// <summary>When the server created the object.</summary>
    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? CreationTimestamp { get; init; }

    /// <summary>Set when the object is being deleted.</summary>
    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? DeletionTimestamp { get; init; }

    /// <summary>Labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Annotations.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Owners, whose deletion deletes this object.</summary>
    public IReadOnlyList<OwnerReference>? OwnerReferences { get; init; }

    /// <summary>Those who must agree before the object goes.</summary>
    public IReadOnlyList<string>? Finalizers { get; init; }

    /// <summary>The value of a label, or null.</summary>
    /// <param name="name">The label's key.</param>
    public string? Label(string name) => Labels is not null && Labels.TryGetValue(name, out var value) ? value : null;

    /// <summary>The value of an annotation, or null.</summary>
    /// <param name="name">The annotation's key.</param>
    public string? Annotation(string name) => Annotations is not null && Annotations.TryGetValue(name, out var value) ? value : null;
}

/// <summary>An owner of an object.</summary>
public sealed record OwnerReference : WireRecord
{
    public string ApiVersion { get; init; } = string.Empty;

    public string Kind { get; init; } = string.Empty;

    public string Name { get; init; } = string.Empty;

    public string Uid { get; init; } = string.Empty;

    public bool? Controller { get; init; }

    public bool? BlockOwnerDeletion { get; init; }
}

/// <summary>A condition, as most statuses list them.</summary>
public sealed record Condition : WireRecord
{
    public string Type { get; init; } = string.Empty;

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string Status { get; init; } = string.Empty;

    public string? Reason { get; init; }

    public string? Message { get; init; }

    [JsonConverter(typeof(TimeConverter))]
    public DateTimeOffset? LastTransitionTime { get; init; }

    public long? ObservedGeneration { get; init; }
}

/// <summary>Points at another object.</summary>
public sealed record ObjectReference : WireRecord
{
    public string? ApiVersion { get; init; }

    public string? Kind { get; init; }

    public string? Namespace { get; init; }

    public string? Name { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public string? FieldPath { get; init; }
}
