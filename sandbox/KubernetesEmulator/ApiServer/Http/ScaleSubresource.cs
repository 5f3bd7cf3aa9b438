using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Patching;
using KubernetesEmulator.Resources;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>The number of replicas, seen as an <c>autoscaling/v1 Scale</c>.</summary>
internal static class ScaleSubresource
{
    public static async Task<JsonObject> RunAsync(
        Registry registry, HttpRequest http, ApiRequest request, string verb, WriteOptions options, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        var name = request.Name!;
        if (verb == "get")
            return View(r, registry.Get(r, request.Ns, name).Json);
        var body = await BodyReader.ReadAsync(http, cancellationToken).ConfigureAwait(false);
        var type = BodyReader.MediaType(http);
        var stored = registry.Mutate(r, request.Ns, name, null, options, o =>
        {
            var scale = verb == "update"
                ? body as JsonObject ?? throw ApiError.BadRequest("a Scale is an object")
                : type == "application/json-patch+json"
                    ? JsonPatch.Apply(View(r, o), body as JsonArray ?? throw ApiError.BadRequest("a JSON patch is an array"))
                    : MergePatch.Apply(View(r, o), body as JsonObject ?? throw ApiError.BadRequest("a merge patch is an object"));
            if (scale.Text("metadata", "resourceVersion") is { Length: > 0 } version && version != o.Text("metadata", "resourceVersion"))
                throw ApiError.Conflict(r, name);
            var replicas = scale.Number("spec", "replicas") ?? 0;
            if (replicas < 0)
                throw ApiError.Invalid(r, name, [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
            var path = Path(r.Scale!.Spec);
            var parent = o;
            foreach (var step in path[..^1])
                parent = parent.Ensure(step);
            parent[path[^1]] = replicas;
            return o;
        });
        return View(r, stored.Json);
    }

    private static string[] Path(string jsonPath) => jsonPath.Split('.', StringSplitOptions.RemoveEmptyEntries);

    private static JsonObject View(Resource r, JsonObject o)
    {
        var metadata = new JsonObject();
        foreach (var field in new[] { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" })
            metadata.Put(field, o.At("metadata", field));
        var status = new JsonObject { ["replicas"] = o.Number(Path(r.Scale!.Status)) ?? 0 };
        if (r.Scale.Selector is { } selector)
        {
            var node = o.At(Path(selector));
            var text = node.Text() ?? string.Join(",", (node.Child("matchLabels") ?? []).Select(l => $"{l.Key}={l.Value.Text()}"));
            if (text.Length > 0)
                status["selector"] = text;
        }

        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = o.Number(Path(r.Scale.Spec)) ?? 0 },
            ["status"] = status,
        };
    }
}
