#pragma warning disable CS1591 // The members are named and meant as in the Kubernetes API.
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Agents.Kubernetes;

/// <summary>mssql.microsoft.com/v1 SqlServer: one instance.</summary>
public sealed record SqlServer : KubernetesObject
{
    public SqlServerSpec Spec { get; init; } = new();

    public SqlServerStatus? Status { get; init; }
}

/// <summary>What the user asks of an instance. Null means: not given.</summary>
public sealed record SqlServerSpec : WireRecord
{
    /// <summary>Container of the server: <c>image</c> and what else the user sets.</summary>
    public JsonObject? SqlServerContainer { get; init; }

    public SecretSource? SaPassword { get; init; }

    public SecretSource? MasterKeyPassword { get; init; }

    public string? AgentsContainerImage { get; init; }

    public bool? AcceptEula { get; init; }

    /// <summary>An existing volume.</summary>
    public JsonObject? InstanceRootVolume { get; init; }

    /// <summary>Specification of a claim.</summary>
    public JsonObject? InstanceRootVolumeClaimTemplate { get; init; }

    public string? Pid { get; init; }

    public int? MonitorPolicy { get; init; }

    /// <summary>Override of the pod's specification.</summary>
    public JsonObject? SqlServerPod { get; init; }

    /// <summary>Override of the init job's pod specification.</summary>
    [JsonPropertyName("initSQLPod")]
    public JsonObject? InitSqlPod { get; init; }

    public int? ConnectionTimeoutSec { get; init; }

    public int? QueryCommandTimeoutSec { get; init; }

    public int? JoinCommandTimeoutSec { get; init; }

    [JsonPropertyName("transientDBHealthTimeoutSec")]
    public int? TransientDbHealthTimeoutSec { get; init; }

    public string? SqlPostInitScript { get; init; }

    public IReadOnlyList<AvailabilityGroupMembership>? AvailabilityGroups { get; init; }

    public bool? SkipAgAntiAffinity { get; init; }

    public JsonArray? Volumes { get; init; }
}

/// <summary>Where a secret value is.</summary>
public sealed record SecretSource : WireRecord
{
    public SecretKeyReference? SecretKeyRef { get; init; }
}

/// <summary>A key of a Secret.</summary>
public sealed record SecretKeyReference : WireRecord
{
    public string Name { get; init; } = string.Empty;

    public string Key { get; init; } = string.Empty;
}

/// <summary>An availability group that the instance belongs to: a plain string, or an object with name and mode.</summary>
/// <param name="Name">Name of the group.</param>
/// <param name="AvailabilityMode">As the user wrote it; not checked here.</param>
[JsonConverter(typeof(AvailabilityGroupMembershipConverter))]
public sealed record AvailabilityGroupMembership(string Name, string AvailabilityMode = AvailabilityGroupMembership.DefaultMode)
{
    /// <summary>The mode of a plain name.</summary>
    public const string DefaultMode = "synchronousCommit";
}

/// <summary>What became of the instance.</summary>
public sealed record SqlServerStatus : WireRecord
{
    public long? ObservedGeneration { get; init; }

    public IReadOnlyList<Condition>? Conditions { get; init; }
}

/// <summary>Reads both shapes and writes the shorter one that says the same.</summary>
public sealed class AvailabilityGroupMembershipConverter : JsonConverter<AvailabilityGroupMembership>
{
    /// <inheritdoc />
    public override AvailabilityGroupMembership Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return new AvailabilityGroupMembership(reader.GetString()!);
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An availability group is a name, or an object with 'name' and 'availabilityMode'.");
        string? name = null;
        string? mode = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var member = reader.GetString();
            reader.Read();
            if (member == "name")
                name = reader.GetString();
            else if (member == "availabilityMode")
                mode = reader.GetString();
            else
                reader.Skip();
        }

        return new AvailabilityGroupMembership(
            name ?? throw new JsonException("An availability group has no 'name'."), mode ?? AvailabilityGroupMembership.DefaultMode);
    }

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, AvailabilityGroupMembership value, JsonSerializerOptions options)
    {
        if (value.AvailabilityMode == AvailabilityGroupMembership.DefaultMode)
        {
            writer.WriteStringValue(value.Name);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("name", value.Name);
        writer.WriteString("availabilityMode", value.AvailabilityMode);
        writer.WriteEndObject();
    }
}
