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

    /// <summary>The user's fields of the server's container; its image is always there.</summary>
    public required JsonObject Container { get; init; }

    /// <summary>Fields of a pod specification for the instance's pod, from fields of their own; <see cref="PodOverlay"/> goes over them.</summary>
    public JsonObject PodFields { get; init; } = [];

    /// <summary>Those of <see cref="PodFields"/> that the init-sql Job's pod needs as well, to be pulled and scheduled where instances are.</summary>
    public JsonObject InitPodFields { get; init; } = [];

    public JsonObject? PodOverlay { get; init; }

    public JsonObject? InitPodOverlay { get; init; }

    public JsonObject PodLabels { get; init; } = [];

    public JsonObject PodAnnotations { get; init; } = [];

    public JsonObject? RootVolume { get; init; }

    public JsonObject? RootVolumeClaim { get; init; }

    public IReadOnlyList<JsonObject> Volumes { get; init; } = [];

    public string? ImagePullPolicy { get; init; }

    /// <summary>A service account of the user's for the pods, or null for one that the operator makes.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>Labels, annotations and specification of a Service for clients of this instance, or null for none.</summary>
    public JsonObject? Service { get; init; }

    public string Pid { get; init; } = "Developer";

    /// <summary>Memory that the engine may see, in MiB; null leaves it to the engine.</summary>
    public long? MemoryLimit { get; init; }

    public string? TimeZone { get; init; }

    /// <summary>Server collation of a new instance.</summary>
    public string? Collation { get; init; }

    /// <summary>Content of <c>mssql.conf</c>, or null for none.</summary>
    public string? MssqlConf { get; init; }

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
