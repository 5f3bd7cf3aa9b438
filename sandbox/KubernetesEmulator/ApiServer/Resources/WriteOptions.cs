using System.Text.Json.Nodes;

namespace KubernetesEmulator.Resources;

/// <summary>What a request says about the manner of a write.</summary>
internal sealed record WriteOptions(string FieldManager, bool DryRun = false, bool StrictFields = false)
{
    /// <summary>The patch that the write comes from, if any.</summary>
    public JsonNode? Patch { get; init; }

    /// <summary>Called with a message that the client is to see as a warning.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Called before a write with what is stored, or null, and what is to be stored; throws what the user may not write.</summary>
    public Action<JsonObject?, JsonObject>? Guard { get; init; }
}

/// <summary>What a request says about the manner of a deletion.</summary>
internal sealed record Deletion(long? GracePeriodSeconds = null, string? Propagation = null, string? Uid = null, string? ResourceVersion = null, bool DryRun = false);
