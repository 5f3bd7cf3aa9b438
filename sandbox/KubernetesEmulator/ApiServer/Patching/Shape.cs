using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Schema;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Patching;

internal enum ListKind
{
    Atomic,
    Set,
    Map,
}

/// <summary>How a part of a document merges, by its schema: which lists are keyed, which are sets, which maps are replaced whole.</summary>
internal sealed class Shape
{
    private readonly JsonObject? _field;
    private readonly JsonObject? _type;
    private readonly bool _customRoot;

    private Shape(JsonObject? field, bool customRoot = false)
    {
        _field = field;
        _type = BuiltInTypes.Resolve(field);
        _customRoot = customRoot;
    }

    public bool AtomicMap => _field.Text("x-kubernetes-map-type") == "atomic" || _type.Text("x-kubernetes-map-type") == "atomic";

    public ListKind List => _field.Text("x-kubernetes-list-type") switch { "map" => ListKind.Map, "set" => ListKind.Set, _ => ListKind.Atomic };

    /// <summary>Keys of an associative list under server-side apply; none for other lists.</summary>
    public IReadOnlyList<string> Keys => List == ListKind.Map ? [.. _field.Texts("x-kubernetes-list-map-keys")] : [];

    /// <summary>The one key of the list under a strategic merge patch, or null when such a patch replaces the list.</summary>
    public string? StrategicKey => _field.Text("x-kubernetes-patch-merge-key");

    public static Shape Of(Resource resource) => new(resource.Schema, resource.IsCustom);

    public Shape Field(string name) => _customRoot && name == "metadata"
        ? new(new JsonObject { ["$ref"] = BuiltInTypes.ObjectMeta })
        : new(_type.Child("properties", name) ?? _type.Child("additionalProperties"));

    /// <summary>The shape of one item of this list.</summary>
    public Shape Item() => new(_field.Child("items"));

    /// <summary>The item's key as managed fields write it, or null when the item lacks a part of it.</summary>
    public string? KeyOf(JsonNode? item)
    {
        if (List == ListKind.Set)
            return "v:" + Document.Show(item);
        if (item is not JsonObject o)
            return null;
        var key = new JsonObject();
        foreach (var name in Keys.Order(StringComparer.Ordinal))
        {
            var value = o[name]?.DeepClone() ?? BuiltInTypes.Resolve(_field.Child("items")).At("properties", name, "default")?.DeepClone();
            if (value is null)
                return null;
            key[name] = value;
        }

        return "k:" + Document.Show(key);
    }
}
