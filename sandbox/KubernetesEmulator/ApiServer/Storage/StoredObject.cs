using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Storage;

/// <summary>One version of one object. Nobody changes <see cref="Json"/>: readers copy before they edit.</summary>
internal sealed class StoredObject
{
    private StoredObject(string @namespace, string name, long version, JsonObject json, byte[] utf8)
    {
        Namespace = @namespace;
        Name = name;
        Version = version;
        Json = json;
        Utf8 = utf8;
    }

    public string Namespace { get; }

    public string Name { get; }

    /// <summary>Orders the objects of a collection.</summary>
    public string Key => $"{Namespace}/{Name}";

    public long Version { get; }

    public JsonObject Json { get; }

    public byte[] Utf8 { get; }

    public string Uid => Json.Text("metadata", "uid") ?? "";

    public bool Deleting => Json.Child("metadata")?.ContainsKey("deletionTimestamp") == true;

    /// <summary>Takes a private, normalised copy of <paramref name="json"/> with kind and apiVersion first.</summary>
    public static StoredObject Of(JsonObject json, long version)
    {
        var ordered = new JsonObject { ["kind"] = json["kind"]?.DeepClone(), ["apiVersion"] = json["apiVersion"]?.DeepClone() };
        foreach (var (key, value) in json)
        {
            if (key is not ("kind" or "apiVersion"))
                ordered[key] = value?.DeepClone();
        }

        var metadata = ordered.Ensure("metadata");
        if (version > 0)
            metadata["resourceVersion"] = version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var utf8 = Document.Write(ordered);
        var frozen = (JsonObject)Document.Parse(utf8)!;
        return new(frozen.Text("metadata", "namespace") ?? "", frozen.Text("metadata", "name") ?? "", version, frozen, utf8);
    }
}

internal enum ChangeKind
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One change of one object; of a deletion, <see cref="After"/> is its last state at the version of the deletion.</summary>
internal sealed record Change(string Collection, ChangeKind Kind, StoredObject? Before, StoredObject After)
{
    public long Version => After.Version;
}
