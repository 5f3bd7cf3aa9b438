using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Schema;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.OpenApi;

/// <summary>The schemas of kinds, and of all that they refer to, as an OpenAPI document has them.</summary>
internal sealed class Definitions
{
    /// <summary>Formats that are types of their own in the documents.</summary>
    private static readonly Dictionary<string, (string Name, JsonObject V2, JsonObject V3)> Formats = new()
    {
        ["quantity"] = Named("io.k8s.apimachinery.pkg.api.resource.Quantity", new() { ["type"] = "string" }, OneOf("string", "number")),
        ["date-time"] = Named("io.k8s.apimachinery.pkg.apis.meta.v1.Time", new() { ["type"] = "string", ["format"] = "date-time" }),
        ["micro-time"] = Named("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", new() { ["type"] = "string", ["format"] = "date-time" }),
        ["int-or-string"] = Named("io.k8s.apimachinery.pkg.util.intstr.IntOrString", new() { ["type"] = "string", ["format"] = "int-or-string" },
            OneOf("integer", "string")),
    };

    /// <summary>What v2 cannot say.</summary>
    private static readonly string[] OnlyV3 = ["allOf", "anyOf", "oneOf", "not", "nullable"];

    private readonly JsonObject _all = [];
    private readonly bool _v3;

    private Definitions(bool v3) => _v3 = v3;

    public static JsonObject Of(IEnumerable<Resource> resources, bool v3)
    {
        var definitions = new Definitions(v3);
        foreach (var r in resources)
            definitions.Add(r);
        return definitions._all;
    }

    public static JsonObject GroupVersionKind(Resource r) => new() { ["group"] = r.Group, ["version"] = r.Version, ["kind"] = r.Kind };

    private void Add(Resource r)
    {
        if (!r.IsCustom)
        {
            var definition = r.Schema.Text("$ref")!;
            Refer(definition, BuiltInTypes.Definitions[definition]);
            _all[definition]!["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(r));
            return;
        }

        var schema = (JsonObject)Converted(r.Schema, custom: true)!;
        var properties = schema.Ensure("properties");
        properties["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "The versioned schema of this representation of an object." };
        properties["kind"] = new JsonObject { ["type"] = "string", ["description"] = "The REST resource this object represents." };
        properties["metadata"] = Refer(BuiltInTypes.ObjectMeta, BuiltInTypes.Definitions[BuiltInTypes.ObjectMeta]);
        schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(r));
        _all[$"{string.Join('.', r.Group.Split('.').Reverse())}.{r.Version}.{r.Kind}"] = schema;
    }

    private JsonObject Refer(string name, JsonObject definition)
    {
        if (!_all.ContainsKey(name))
        {
            // Types may contain themselves.
            _all[name] = null;
            _all[name] = Formats.Values.Any(f => f.Name == name) ? definition.Copy() : Converted(definition);
        }

        return _v3
            ? new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{name}" }) }
            : new JsonObject { ["$ref"] = $"#/definitions/{name}" };
    }

    private JsonNode? Converted(JsonNode? node, bool custom = false)
    {
        if (node is not JsonObject schema)
            return node?.DeepClone();
        if (schema.Text("$ref") is { } reference)
            return Described(Refer(reference, BuiltInTypes.Definitions[reference]), schema);
        if (!custom && Formats.TryGetValue(schema.Text("format") ?? "", out var format))
            return Described(Refer(format.Name, _v3 ? format.V3 : format.V2), schema);
        var result = new JsonObject();
        foreach (var (key, value) in schema)
        {
            if (key == BuiltInTypes.OmitZero || (!_v3 && OnlyV3.Contains(key)))
                continue;
            result[key] = key switch
            {
                "properties" => new JsonObject([.. value.Child()!.Select(p => KeyValuePair.Create(p.Key, Converted(p.Value, custom)))]),
                "items" or "additionalProperties" => Converted(value, custom),
                _ => value?.DeepClone(),
            };
        }

        return result;
    }

    private static JsonObject Described(JsonObject reference, JsonObject schema)
    {
        foreach (var (key, value) in schema)
        {
            if (key is "description" || key.StartsWith("x-", StringComparison.Ordinal))
                reference[key] = value?.DeepClone();
        }

        return reference;
    }

    private static JsonObject OneOf(params string[] types) => new() { ["oneOf"] = new JsonArray([.. types.Select(t => new JsonObject { ["type"] = t })]) };

    private static (string Name, JsonObject V2, JsonObject V3) Named(string name, JsonObject v2, JsonObject? v3 = null) => (name, v2, v3 ?? v2);
}
