using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Patching;

internal enum ListKind
{
    Atomic,
    Set,
    Map,
}

/// <summary>
/// How a part of a document merges: which lists are keyed, which are sets, which maps are replaced whole. Built-in kinds follow a
/// table by field name; custom resources follow their schema's <c>x-kubernetes-list-type</c> and <c>x-kubernetes-map-type</c>.
/// </summary>
internal sealed class Shape
{
    private readonly string _field;
    private readonly string _parent;
    private readonly JsonObject? _schema;
    private readonly bool _custom;

    private Shape(string field, string parent, JsonObject? schema, bool custom)
    {
        _field = field;
        _parent = parent;
        _schema = schema;
        _custom = custom;
    }

    public static Shape Of(Resource resource) => new("", "", resource.Schema, resource.IsCustom);

    public bool AtomicMap => _custom
        ? _schema?.Text("x-kubernetes-map-type") == "atomic"
        : _field is "selector" or "labelSelector" or "podSelector" or "namespaceSelector" or "nodeSelector" or "fieldRef" or "configMapKeyRef"
            or "secretKeyRef" or "resourceFieldRef" or "involvedObject" or "roleRef" or "secretRef" or "scaleTargetRef";

    public ListKind List => Keys.Count > 0
        ? ListKind.Map
        : (_custom ? _schema?.Text("x-kubernetes-list-type") == "set" : _field == "finalizers" && _parent == "metadata")
            ? ListKind.Set
            : ListKind.Atomic;

    /// <summary>Keys of an associative list under server-side apply; none for other lists.</summary>
    public IReadOnlyList<string> Keys => _custom
        ? _schema?.Text("x-kubernetes-list-type") == "map" ? [.. _schema.Texts("x-kubernetes-list-map-keys")] : []
        : (_field, _parent) switch
        {
            ("containers" or "initContainers" or "ephemeralContainers" or "env" or "volumes" or "schedulingGates" or "claims", _) => ["name"],
            ("imagePullSecrets", "spec") or ("secrets", "") => ["name"],
            ("ports", "containers" or "initContainers" or "ephemeralContainers") => ["containerPort", "protocol"],
            ("ports", "spec") => ["port", "protocol"],
            ("volumeMounts", _) => ["mountPath"],
            ("volumeDevices", _) => ["devicePath"],
            ("hostAliases" or "podIPs", _) => ["ip"],
            ("topologySpreadConstraints", _) => ["topologyKey", "whenUnsatisfiable"],
            ("conditions" or "addresses", "status") => ["type"],
            ("ownerReferences", "metadata") => ["uid"],
            _ => [],
        };

    /// <summary>The one key of the list under a strategic merge patch, or null when such a patch replaces the list.</summary>
    public string? StrategicKey => _custom ? null : Keys.Count > 0 ? Keys[0] : null;

    public Shape Field(string name)
    {
        if (!_custom)
            return new(name, _field, null, false);
        if (name == "metadata" && _field.Length == 0 && _parent.Length == 0)
            return new(name, "", null, false);
        var schema = _schema.Child("properties", name) ?? _schema.Child("additionalProperties");
        return new(name, _field.Length == 0 ? "/" : _field, schema, true);
    }

    /// <summary>The shape of one item of this list.</summary>
    public Shape Item() => _custom ? new(_field, _parent, _schema.Child("items"), true) : this;

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
            var value = o[name]?.DeepClone() ?? DefaultOf(name);
            if (value is null)
                return null;
            key[name] = value;
        }

        return "k:" + Document.Show(key);
    }

    private JsonNode? DefaultOf(string key) =>
        _custom ? _schema.At("items", "properties", key, "default")?.DeepClone() : key == "protocol" ? JsonValue.Create("TCP") : null;
}
