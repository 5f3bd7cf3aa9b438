using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.OpenApi;

/// <summary>What clients read about the kinds served: one document of OpenAPI v2, and one of v3 for each group and version.</summary>
internal static class OpenApiDocuments
{
    private static readonly string[] PatchTypes =
        ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

    public static JsonObject V2(Catalog catalog) => new()
    {
        ["swagger"] = "2.0",
        ["info"] = Info(),
        ["paths"] = Paths(catalog.All, v3: false),
        ["definitions"] = Definitions.Of(catalog.All, v3: false),
    };

    /// <summary>Where the documents of v3 are; their addresses change with their content.</summary>
    public static JsonObject Index(Catalog catalog)
    {
        var paths = new JsonObject();
        foreach (var group in catalog.All.GroupBy(Path))
        {
            var hash = group.Aggregate(17u, (h, r) => (h * 31) + (uint)(r.Plural.Length + r.Schema.ToJsonString().Length));
            paths[group.Key] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{group.Key}?hash={hash:X8}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    public static JsonObject? V3(Catalog catalog, string path)
    {
        var members = catalog.All.Where(r => Path(r) == path).ToList();
        return members.Count == 0 ? null : new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = Info(),
            ["paths"] = Paths(members, v3: true),
            ["components"] = new JsonObject { ["schemas"] = Definitions.Of(members, v3: true) },
        };
    }

    private static JsonObject Info() => new() { ["title"] = "Kubernetes", ["version"] = "v1.32.0" };

    private static string Path(Resource r) => r.Group.Length == 0 ? $"api/{r.Version}" : $"apis/{r.Group}/{r.Version}";

    private static JsonObject Paths(IEnumerable<Resource> resources, bool v3)
    {
        var paths = new JsonObject();
        foreach (var r in resources)
        {
            var root = $"/{Path(r)}/{(r.Namespaced ? "namespaces/{namespace}/" : "")}{r.Plural}";
            paths[root] = new JsonObject { ["post"] = Operation(r, "post", v3), ["get"] = Operation(r, "list", v3) };
            if (r.IsQuestion)
                continue;
            paths[root + "/{name}"] = new JsonObject
            {
                ["get"] = Operation(r, "get", v3), ["put"] = Operation(r, "put", v3), ["patch"] = Operation(r, "patch", v3), ["delete"] = Operation(r, "delete", v3),
            };
        }

        return paths;
    }

    private static JsonObject Operation(Resource r, string action, bool v3)
    {
        string[] parameters = action switch
        {
            "post" or "put" => ["dryRun", "fieldManager", "fieldValidation"],
            "patch" => ["dryRun", "fieldManager", "fieldValidation", "force"],
            "delete" => ["dryRun"],
            _ => [],
        };
        var operation = new JsonObject
        {
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = Definitions.GroupVersionKind(r),
            ["parameters"] = new JsonArray([.. parameters.Select(p => Parameter(p, v3))]),
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        };
        if (v3 && action == "patch")
            operation["requestBody"] = new JsonObject
            {
                ["content"] = new JsonObject([.. PatchTypes.Take(r.IsCustom ? 3 : 4).Select(t => KeyValuePair.Create(t, (JsonNode?)new JsonObject()))]),
            };
        return operation;
    }

    private static JsonObject Parameter(string name, bool v3)
    {
        var type = new JsonObject { ["type"] = name == "force" ? "boolean" : "string" };
        var parameter = new JsonObject { ["name"] = name, ["in"] = "query" };
        if (v3)
            parameter["schema"] = type;
        else
            parameter.Put("type", type["type"]);
        return parameter;
    }
}
