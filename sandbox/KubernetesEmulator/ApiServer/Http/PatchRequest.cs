using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Patching;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Schema;
using KubernetesEmulator.Storage;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>The four kinds of PATCH.</summary>
internal static class PatchRequest
{
    public static async Task<(StoredObject Object, bool Created)> RunAsync(
        Registry registry, HttpRequest http, ApiRequest request, RequestQuery query, WriteOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        var name = request.Name!;
        var type = BodyReader.MediaType(http);
        if (type is not ("application/merge-patch+json" or "application/json-patch+json" or "application/strategic-merge-patch+json" or "application/apply-patch+yaml")
            || (type == "application/strategic-merge-patch+json" && r.IsCustom))
            throw ApiError.UnsupportedMediaType("the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
                + "application/merge-patch+json, application/apply-patch+yaml" + (r.IsCustom ? "" : ", application/strategic-merge-patch+json"));
        var patch = await BodyReader.ReadAsync(http, cancellationToken).ConfigureAwait(false);
        if (type == "application/apply-patch+yaml")
            return Apply(registry, request, patch as JsonObject ?? throw ApiError.BadRequest("the applied document is not an object"), query, options, time);

        if (query.Text("force") is not null)
            throw new ApiError(422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch");
        Func<JsonObject, JsonObject> change = type switch
        {
            "application/json-patch+json" => o => JsonPatch.Apply(o, patch as JsonArray ?? throw ApiError.BadRequest("a JSON patch is an array")),
            "application/merge-patch+json" => o => MergePatch.Apply(o, patch as JsonObject ?? throw ApiError.BadRequest("a merge patch is an object")),
            _ => o => StrategicMerge.Apply(r, o, patch as JsonObject ?? throw ApiError.BadRequest("a strategic merge patch is an object")),
        };
        return (registry.Mutate(r, request.Ns, name, request.Subresource, options with { Patch = patch }, change), false);
    }

    private static (StoredObject Object, bool Created) Apply(
        Registry registry, ApiRequest request, JsonObject applied, RequestQuery query, WriteOptions options, TimeProvider time)
    {
        var r = request.Resource;
        var name = request.Name!;
        var manager = query.Text("fieldManager") ?? throw new ApiError(422, "Invalid",
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
        if (applied.Text("apiVersion") is null or "" || applied.Text("kind") is null or "")
            throw ApiError.BadRequest("apiVersion and kind must be set in an applied document");
        Registry.CheckKind(r, applied);
        if (applied.Texts("metadata", "managedFields").Any() || applied.Objects("metadata", "managedFields").Any())
            throw ApiError.BadRequest("metadata.managedFields must be nil");
        if (applied.Text("metadata", "name") is { Length: > 0 } said && said != name)
            throw ApiError.BadRequest($"the name of the object ({said}) does not match the name on the URL ({name})");
        if (r.Key == "secrets")
            Defaults.Apply(r, applied);
        CheckFields(r, applied.Copy());
        for (var attempt = 0; attempt < 4; attempt++)
        {
            if (registry.Store.Get(r.Key, request.Ns, name) is not null)
            {
                try
                {
                    return (registry.Mutate(r, request.Ns, name, request.Subresource, options,
                        live => ServerSideApply.Apply(r, live, applied, manager, request.Subresource, query.Flag("force"), time.GetUtcNow()),
                        appliedBy: manager), false);
                }
                catch (ApiError e) when (e.Code == 404 && request.Subresource is null)
                {
                    // Deleted in between: create it.
                }
            }

            if (request.Subresource is not null)
                throw ApiError.NotFound(r, name);
            try
            {
                var fresh = new JsonObject
                {
                    ["apiVersion"] = r.ApiVersion, ["kind"] = r.Kind, ["metadata"] = new JsonObject { ["name"] = name },
                };
                if (applied.Text("metadata", "uid") is { Length: > 0 } uid)
                    throw ApiError.Conflict(r, name, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                var body = ServerSideApply.Apply(r, fresh, applied, manager, null, true, time.GetUtcNow());
                return (registry.Create(r, request.Ns, body, options, appliedBy: manager), true);
            }
            catch (ApiError e) when (e.Reason == "AlreadyExists")
            {
                // Created in between: merge into it.
            }
        }

        throw ApiError.Conflict(r, name);
    }

    /// <summary>Applying needs to know each field, whatever else is asked for.</summary>
    private static void CheckFields(Resource r, JsonObject applied)
    {
        List<string> wrong;
        try
        {
            wrong = [.. Decoder.Decode(r, applied, byKey: true).Select(u => $".{u}: field not declared in schema")];
        }
        catch (FormatException e)
        {
            wrong = [e.Message];
        }

        if (wrong.Count > 0)
            throw new ApiError(500, "", "failed to create typed patch object: " + (wrong.Count == 1 ? wrong[0] : "errors:" + string.Concat(wrong.Select(w => $"\n  {w}"))));
    }
}
