using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Operator.Specs;

namespace Agents.Operator.Reconciliation;

/// <summary>What one look at a namespace showed. The planners see nothing else.</summary>
internal sealed record NamespaceView
{
    public required string Namespace { get; init; }

    public required IReadOnlyList<InstanceView> Instances { get; init; }

    /// <summary>Secret <c>mssql-mirroring-certificate</c>.</summary>
    public SecretSighting MirroringCertificate { get; init; } = SecretSighting.Absent;

    /// <summary>The kind of PodDisruptionBudget that the API server serves.</summary>
    public ResourceType<JsonObject> Budgets { get; init; } = Resources.Budgets;

    /// <summary>ConfigMaps of availability groups by name, made by the operator earlier.</summary>
    public IReadOnlyDictionary<string, JsonObject> GroupMaps { get; init; } = new Dictionary<string, JsonObject>();
}

/// <summary>One <c>SqlServer</c> and what exists for it.</summary>
internal sealed record InstanceView
{
    public required JsonObject Document { get; init; }

    public required SpecReading Reading { get; init; }

    public SecretSighting AgentLogin { get; init; } = SecretSighting.Absent;

    public JsonObject? StatefulSet { get; init; }

    /// <summary>Service <c>&lt;name&gt;-client</c>.</summary>
    public JsonObject? ClientService { get; init; }

    /// <summary>The init Job; the oldest while that of an earlier specification is still there.</summary>
    public JsonObject? Job { get; init; }

    public JsonObject? Pod { get; init; }

    public string Name => (string?)Document["metadata"]?["name"] ?? string.Empty;

    public string Uid => (string?)Document["metadata"]?["uid"] ?? string.Empty;

    public bool Deleting => Document["metadata"]?["deletionTimestamp"] is not null;
}

/// <summary>A Secret that the operator makes once.</summary>
internal enum SecretSighting
{
    /// <summary>There is none.</summary>
    Absent,

    /// <summary>It has all its keys.</summary>
    Complete,

    /// <summary>It lacks keys. It may hold what somebody still needs, so it is not touched.</summary>
    Incomplete,
}
