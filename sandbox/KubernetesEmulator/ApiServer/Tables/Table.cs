using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator.Tables;

/// <summary>What <c>kubectl get</c> prints.</summary>
internal static class Table
{
    public static JsonObject Of(Resource r, IReadOnlyList<StoredObject> items, JsonObject metadata, string? include)
    {
        var columns = Columns.Of(r);
        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = new JsonArray([.. columns.Select(c => new JsonObject
            {
                ["name"] = c.Name, ["type"] = c.Type, ["format"] = c.Name == "Name" ? "name" : "", ["description"] = "", ["priority"] = c.Priority,
            })]),
            ["rows"] = new JsonArray([.. items.Select(i => Row(r, columns, i, include))]),
        };
    }

    /// <summary>The metadata of a table of one object.</summary>
    public static JsonObject Version(StoredObject o)
    {
        var metadata = new JsonObject();
        metadata.Put("resourceVersion", o.Json.At("metadata", "resourceVersion"));
        return metadata;
    }

    public static JsonObject MetadataOf(JsonObject o) => new()
    {
        ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = o["metadata"]?.DeepClone(),
    };

    /// <summary>How long ago, in kubectl's short form.</summary>
    public static string Age(string? timestamp)
    {
        if (Document.ParseTime(timestamp) is not { } at)
            return "<unknown>";
        var age = DateTimeOffset.UtcNow - at;
        var seconds = (long)Math.Max(0, age.TotalSeconds);
        return seconds switch
        {
            < 120 => $"{seconds}s",
            < 600 => seconds % 60 == 0 ? $"{seconds / 60}m" : $"{seconds / 60}m{seconds % 60}s",
            < 10800 => $"{seconds / 60}m",
            < 28800 => seconds / 60 % 60 == 0 ? $"{seconds / 3600}h" : $"{seconds / 3600}h{seconds / 60 % 60}m",
            < 172800 => $"{seconds / 3600}h",
            < 691200 => seconds / 3600 % 24 == 0 ? $"{seconds / 86400}d" : $"{seconds / 86400}d{seconds / 3600 % 24}h",
            _ => (seconds / 86400).ToString(CultureInfo.InvariantCulture) + "d",
        };
    }

    private static JsonObject Row(Resource r, IReadOnlyList<Column> columns, StoredObject item, string? include)
    {
        var row = new JsonObject { ["cells"] = new JsonArray([.. columns.Select(c => c.Cell(item.Json))]) };
        if (include != "None")
            row["object"] = include == "Object" ? Registry.InVersion(r, item).Copy() : MetadataOf(item.Json);
        return row;
    }
}
