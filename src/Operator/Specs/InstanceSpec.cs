using System.Text.Json.Nodes;

namespace Agents.Operator.Specs;

/// <summary>A valid <c>SqlServer</c>, with defaults filled in.</summary>
internal sealed record InstanceSpec
{
    public required string Name { get; init; }

    public required string Namespace { get; init; }

    public required string Uid { get; init; }

    public required SecretKey SaPassword { get; init; }

    public SecretKey? MasterKeyPassword { get; init; }

    public required string AgentsImage { get; init; }

    public required JsonObject Container { get; init; }

    public JsonObject? PodOverlay { get; init; }

    public JsonObject? InitPodOverlay { get; init; }

    public JsonObject? RootVolume { get; init; }

    public JsonObject? RootVolumeClaim { get; init; }

    public IReadOnlyList<JsonObject> Volumes { get; init; } = [];

    public string Pid { get; init; } = "Developer";

    public int MonitorPolicy { get; init; } = 3;

    public int ConnectionTimeout { get; init; } = 30;

    public int QueryTimeout { get; init; } = 10;

    public int JoinTimeout { get; init; } = 60;

    public int TransientDatabaseTimeout { get; init; } = 180;

    public string PostInitScript { get; init; } = string.Empty;

    public IReadOnlyList<GroupMembership> Groups { get; init; } = [];

    public bool SkipAntiAffinity { get; init; }

    /// <summary>Hash of the whole specification as the user wrote it: init-sql runs anew when it changes.</summary>
    public required string Hash { get; init; }
}

/// <summary>A key of a Secret.</summary>
internal sealed record SecretKey(string Name, string Key);

/// <summary>One entry of <c>availabilityGroups</c>.</summary>
/// <param name="Group">Name of the availability group.</param>
/// <param name="Mode">As the API and the labels spell it.</param>
internal sealed record GroupMembership(string Group, string Mode)
{
    public const string Synchronous = "synchronousCommit";
    public static readonly string[] Modes = [Synchronous, "asynchronousCommit", "configurationOnly"];
}
