using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Http;

/// <summary>
/// As much of OpenAPI v3 as clients need to see which parameters a PATCH takes and what a custom resource looks like. Built-in kinds
/// have no fields here.
/// </summary>
internal static class OpenApi
{
    public static JsonObject Index(Catalog catalog)
    {
        var paths = new JsonObject();
        foreach (var (path, resources) in catalog.All.GroupBy(Path).Select(g => (g.Key, g.ToList())))
        {
            var hash = resources.Aggregate(17u, (h, r) => (h * 31) + (uint)(r.Schema?.ToJsonString().Length ?? r.Kind.Length));
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={hash:X8}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    public static JsonObject? Document(Catalog catalog, string path)
    {
        var members = catalog.All.Where(r => Path(r) == path).ToList();
        if (members.Count == 0)
            return null;
        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var r in members)
        {
            var name = $"{(r.Group.Length == 0 ? "io.k8s.api.core" : r.Group)}.{r.Version}.{r.Kind}";
            var schema = r.Schema?.DeepClone() as JsonObject ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
            schema["x-kubernetes-group-version-kind"] = new JsonArray(Gvk(r));
            schemas[name] = schema;
            var content = new JsonObject
            {
                ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } },
            };
            var root = $"/{path}/{(r.Namespaced ? "namespaces/{namespace}/" : "")}{r.Plural}";
            paths[root] = new JsonObject { ["post"] = Operation(r, "post", content), ["get"] = Operation(r, "list", content) };
            paths[root + "/{name}"] = new JsonObject
            {
                ["get"] = Operation(r, "get", content),
                ["put"] = Operation(r, "put", content),
                ["patch"] = Operation(r, "patch", content),
                ["delete"] = Operation(r, "delete", content),
            };
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static string Path(Resource r) => r.Group.Length == 0 ? $"api/{r.Version}" : $"apis/{r.Group}/{r.Version}";

    private static JsonObject Gvk(Resource r) => new() { ["group"] = r.Group, ["version"] = r.Version, ["kind"] = r.Kind };

    private static JsonObject Operation(Resource r, string action, JsonObject content)
    {
        string[] parameters = action is "post" or "put" or "patch" ? ["dryRun", "fieldManager", "fieldValidation"] : action == "delete" ? ["dryRun"] : [];
        if (action == "patch")
            parameters = [.. parameters, "force"];
        return new JsonObject
        {
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = Gvk(r),
            ["parameters"] = new JsonArray([.. parameters.Select(p => new JsonObject
            {
                ["name"] = p, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = p == "force" ? "boolean" : "string" },
            })]),
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK", ["content"] = content.DeepClone() } },
        };
    }
}
