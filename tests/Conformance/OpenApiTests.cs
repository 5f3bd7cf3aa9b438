using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>The types of the emulated server, held against those of kube-apiserver.</summary>
internal sealed class OpenApiTests
{
    /// <summary>Types of kube-apiserver that hold whatever is put in them.</summary>
    private static readonly string[] Anything = ["FieldsV1", "RawExtension", "JSON", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"];

    /// <summary>What later versions of Kubernetes have changed, or a definition may not use.</summary>
    private static readonly string[] Changed =
    [
        "ObjectMeta.clusterName", "LabelSelectorRequirement.key", "Lifecycle.postStart", "Lifecycle.preStop", "EphemeralContainer.ports", "EphemeralVolumeSource.readOnly",
        "PersistentVolumeClaimSpec.resources", "ServiceSpec.topologyKeys", "JSONSchemaProps.items", "HostAlias", "PodIP", "ContainerImage",
    ];

    [Test]
    public async Task No_field_of_kube_apiserver_is_missing_or_decoded_or_merged_otherwise()
    {
        var theirs = await Definitions(Backend.ControlPlane);
        if (theirs["io.k8s.api.core.v1.PodSpec"]!["properties"]!["ephemeralContainers"]!["x-kubernetes-list-type"] is not null)
            Assert.Ignore("the list of what has changed is that since Kubernetes 1.20");
        var ours = await Definitions(Backend.Emulator);
        var differences = new List<string>();
        var compared = 0;
        foreach (var (definition, our) in ours.Where(d => d.Value!["properties"] is not null && theirs.ContainsKey(d.Key)))
        {
            var name = Short(definition);
            foreach (var (field, their) in theirs[definition]!["properties"]!.AsObject())
            {
                compared++;
                if (our!["properties"]![field] is not { } mine)
                    differences.Add($"{name}.{field} is missing");
                else if (Nature(mine) != Nature(their!))
                    differences.Add($"{name}.{field} is {Nature(mine)}, not {Nature(their!)}");
            }

            if (List(our!["required"]) != List(theirs[definition]!["required"]))
                differences.Add($"{name} requires {List(our["required"])}, not {List(theirs[definition]!["required"])}");
        }

        Assert.That(compared, Is.GreaterThan(1000));
        Assert.That(string.Join("\n", differences.Where(d => !Changed.Contains(d.Split(' ')[0]))), Is.Empty);
    }

    [TestCase(Backend.Emulator)]
    [TestCase(Backend.ControlPlane)]
    public async Task Each_kind_that_a_manifest_may_have_is_described(Backend backend)
    {
        var definitions = await Definitions(backend);
        string[] kinds =
        [
            "v1/Pod", "v1/Service", "v1/Secret", "v1/ConfigMap", "v1/PersistentVolumeClaim", "v1/ServiceAccount", "v1/Namespace", "apps/v1/StatefulSet", "apps/v1/Deployment",
            "batch/v1/Job", "coordination.k8s.io/v1/Lease", "rbac.authorization.k8s.io/v1/Role", "storage.k8s.io/v1/StorageClass", "apiextensions.k8s.io/v1/CustomResourceDefinition",
        ];
        var described = definitions.SelectMany(d => d.Value!["x-kubernetes-group-version-kind"]?.AsArray() ?? [])
            .Select(k => $"{k!["group"]}/{k["version"]}/{k["kind"]}".TrimStart('/'));
        Assert.That(kinds.Except(described), Is.Empty);
    }

    /// <summary>What decides about the decoding and the merging of a field.</summary>
    private static string Nature(JsonNode field)
    {
        var reference = (string?)field["$ref"] is { } r ? Short(r) : null;
        if (Anything.Contains(reference) || (field["type"] is null or JsonValue && field["x-kubernetes-preserve-unknown-fields"] is not null))
            return "anything";
        var key = (string?)field["x-kubernetes-patch-merge-key"];
        var strategy = List((string?)field["x-kubernetes-patch-strategy"] is { } s ? new JsonArray([.. s.Split(',').Select(x => (JsonNode?)x)]) : null);
        // Without a word about lists, server-side apply goes by strategic merge.
        var list = (string?)field["x-kubernetes-list-type"] ?? (!strategy.Contains("merge", StringComparison.Ordinal) ? "atomic" : key is null ? "set" : "map");
        var keys = field["x-kubernetes-list-map-keys"] is { } named ? List(named) : key;
        var content = field["items"] ?? field["additionalProperties"];
        return string.Join(' ', [reference, (string?)field["type"], (string?)field["format"], list, list == "map" ? keys : null, key, strategy, content is null ? null : $"of ({Nature(content)})"]);
    }

    private static string List(JsonNode? list) => list is null ? "nothing" : string.Join(",", list.AsArray().Select(i => (string)i!).Order(StringComparer.Ordinal));

    private static string Short(string definition) => definition[(definition.LastIndexOf('.') + 1)..];

    private static async Task<JsonObject> Definitions(Backend backend)
    {
        using var api = ApiClient.Of(await ApiServers.KubeConfigAsync(backend));
        return (await api.Get("/openapi/v2")).Body["definitions"]!.AsObject();
    }
}
