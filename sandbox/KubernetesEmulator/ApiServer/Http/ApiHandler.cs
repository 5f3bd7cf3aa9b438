using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubernetesEmulator.OpenApi;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Tables;
using Microsoft.AspNetCore.Http;

namespace KubernetesEmulator.Http;

/// <summary>Takes a request apart, checks who may do it, has it done and writes the answer.</summary>
internal sealed class ApiHandler(Registry registry, Tokens tokens, RbacAuthorizer authorizer, NodeClient nodes, ApiServerOptions options)
{
    public async Task HandleAsync(HttpContext context, CancellationToken stopping)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await DispatchAsync(context, ends.Token).ConfigureAwait(false);
        }
        catch (ApiError e)
        {
            if (context.Response.HasStarted)
                return;
            if (e.RetryAfter is { } seconds)
                context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await RespondAsync(context, e.Code, e.Status()).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            if (!context.Response.HasStarted)
                context.Response.StatusCode = 503;
        }
        catch (IOException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left.
        }
        catch (BadHttpRequestException e)
        {
            if (!context.Response.HasStarted)
            {
                var error = new ApiError(e.StatusCode, e.StatusCode == 413 ? "RequestEntityTooLarge" : "BadRequest", e.Message);
                await RespondAsync(context, error.Code, error.Status()).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // The last resort: a defect in one request must answer 500 as the real server does.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            var error = new ApiError(500, "InternalError", $"Internal error occurred: {e.GetType().Name}: {e.Message}");
            await RespondAsync(context, error.Code, error.Status()).ConfigureAwait(false);
        }
    }

    private static Task RespondAsync(HttpContext context, int code, JsonNode document) => RespondAsync(context, code, Document.Write(document));

    private static async Task RespondAsync(HttpContext context, int code, byte[] json)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task DispatchAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var path = context.Request.Path.Value ?? "/";
        var identity = Impersonation.Apply(context.Request, Authenticate(context.Request), authorizer);
        var access = RequestInfo.Of(context.Request);
        if (authorizer.Authorize(identity, access) is { Allowed: false } refusal)
            throw ApiError.Forbidden(identity, access, refusal.Reason);
        switch (path.TrimEnd('/'))
        {
            case "/healthz" or "/livez" or "/readyz":
                context.Response.ContentType = "text/plain; charset=utf-8";
                await context.Response.WriteAsync("ok", cancellationToken).ConfigureAwait(false);
                return;
            case "/version":
                await RespondAsync(context, 200, Discovery.Version()).ConfigureAwait(false);
                return;
        }

        if (ApiRequest.Parse(registry.Catalog, context.Request.Path) is { } request)
        {
            await ResourceAsync(context, request, identity, access, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (path.Split('/', StringSplitOptions.RemoveEmptyEntries) is ["apis", var group, ..] && !registry.Catalog.HasGroup(group))
        {
            // Not even a Status: nobody stands behind the path.
            context.Response.StatusCode = 404;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("404 page not found\n", cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!HttpMethods.IsGet(context.Request.Method))
            throw ApiError.NoSuchPath();
        var document = Plain(path.TrimEnd('/')) ?? throw ApiError.NoSuchPath();
        await RespondAsync(context, 200, document).ConfigureAwait(false);
    }

    private JsonObject? Plain(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        [] => new JsonObject { ["paths"] = new JsonArray("/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version") },
        ["api"] => Discovery.CoreVersions(options.Address.ToString()),
        ["apis"] => Discovery.Groups(registry.Catalog),
        ["api", var version] => Discovery.Resources(registry.Catalog, "", version),
        ["apis", var group] => Discovery.Group(registry.Catalog, group),
        ["apis", var group, var version] => Discovery.Resources(registry.Catalog, group, version),
        ["openapi", "v2"] => OpenApiDocuments.V2(registry.Catalog),
        ["openapi", "v3"] => OpenApiDocuments.Index(registry.Catalog),
        ["openapi", "v3", .. var rest] => OpenApiDocuments.V3(registry.Catalog, string.Join('/', rest)),
        _ => null,
    };

    private Identity Authenticate(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && tokens.Find(header[7..].Trim()) is { } credential
            && credential.Audiences.Contains(Tokens.ApiAudience))
            return credential.Identity;
        if (header.Length == 0)
            return Identity.Anonymous;
        throw new ApiError(401, "Unauthorized", "Unauthorized");
    }

    private async Task ResourceAsync(
        HttpContext context, ApiRequest request, Identity identity, AccessRequest access, CancellationToken cancellationToken)
    {
        var (query, r, verb) = (new RequestQuery(context.Request.Query), request.Resource, access.Verb);
        if (verb.Length == 0)
            throw ApiError.MethodNotAllowed();
        var guard = new WriteGuard(authorizer, identity, access, r);
        WriteOptions Writing() => Manner(context, query) with { Guard = guard.Check };
        var accept = Negotiation.Parse(context.Request.Headers.Accept.ToString());
        if (r.IsQuestion)
        {
            if (verb != "create" || request.Name is not null)
                throw ApiError.MethodNotAllowed();
            var question = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
            await RespondAsync(context, 201, new Reviews(authorizer, tokens).Answer(r, request.Ns, identity, question)).ConfigureAwait(false);
            return;
        }

        if (request.Subresource is { } subresource and not "status")
        {
            await SubresourceAsync(context, request, subresource, verb, query, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (request.Subresource == "status" && (!r.HasStatus || verb is "create" or "delete"))
            throw ApiError.NoSuchPath();
        switch (verb)
        {
            case "get":
                Answer(context, accept, query, r, registry.Get(r, request.Ns, request.Name!), 200, out var bytes);
                await RespondAsync(context, 200, bytes).ConfigureAwait(false);
                break;
            case "list":
                await ListAsync(context, request, query, accept).ConfigureAwait(false);
                break;
            case "watch":
                await new WatchResponse(registry.Store, options.TimeProvider).RunAsync(context, request, query, accept, cancellationToken).ConfigureAwait(false);
                break;
            case "create":
                if (request.Name is not null || (r.Namespaced && request.Namespace is null))
                    throw ApiError.MethodNotAllowed();
                var body = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
                await WrittenAsync(context, accept, query, r, registry.Create(r, request.Ns, body, Writing()), 201).ConfigureAwait(false);
                break;
            case "update":
                RequireName(request);
                body = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
                var (updated, isNew) = registry.Update(r, request.Ns, request.Name!, request.Subresource, body, Writing());
                await WrittenAsync(context, accept, query, r, updated, isNew ? 201 : 200).ConfigureAwait(false);
                break;
            case "patch":
                RequireName(request);
                var (patched, created) = await PatchRequest.RunAsync(registry, context.Request, request, query, Writing(), options.TimeProvider, cancellationToken).ConfigureAwait(false);
                await WrittenAsync(context, accept, query, r, patched, created ? 201 : 200).ConfigureAwait(false);
                break;
            case "delete":
                await DeleteAsync(context, request, query, cancellationToken).ConfigureAwait(false);
                break;
            default:
                await DeleteCollectionAsync(context, request, query, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private static void RequireName(ApiRequest request)
    {
        if (request.Name is null)
            throw ApiError.MethodNotAllowed();
    }

    private static WriteOptions Manner(HttpContext context, RequestQuery query)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        var manager = query.Text("fieldManager") ?? (agent.Split('/')[0] is { Length: > 0 } product ? product[..Math.Min(128, product.Length)] : "unknown");
        if (query.Text("dryRun") is { } dryRun and not "All")
            throw new ApiError(422, "Invalid", $"dryRun: Unsupported value: \"{dryRun}\": supported values: \"All\"");
        return new WriteOptions(manager, query.Text("dryRun") == "All", query.Text("fieldValidation") == "Strict")
        {
            Warn = query.Text("fieldValidation") == "Ignore"
                ? null
                : message => context.Response.Headers.Append("Warning", $"299 - \"{message.Replace("\"", "\\\"", StringComparison.Ordinal)}\""),
        };
    }

    private static Task WrittenAsync(HttpContext context, Negotiation accept, RequestQuery query, Resource r, StoredObject o, int code)
    {
        Answer(context, accept, query, r, o, code, out var bytes);
        return RespondAsync(context, code, bytes);
    }

    private static void Answer(HttpContext context, Negotiation accept, RequestQuery query, Resource r, StoredObject o, int code, out byte[] bytes)
    {
        context.Response.StatusCode = code;
        if (accept.Table)
            bytes = Document.Write(Table.Of(r, [o], Table.Version(o), query.Text("includeObject")));
        else if (accept.MetadataOnly)
            bytes = Document.Write(Table.MetadataOf(o.Json));
        else
            bytes = o.Json.Text("apiVersion") == r.ApiVersion ? o.Utf8 : Document.Write(Registry.InVersion(r, o));
    }

    private async Task ListAsync(HttpContext context, ApiRequest request, RequestQuery query, Negotiation accept)
    {
        var r = request.Resource;
        var (items, metadata) = ListPage.Read(registry.Store, request, query);
        if (accept.Table)
        {
            await RespondAsync(context, 200, Table.Of(r, items, metadata, query.Text("includeObject"))).ConfigureAwait(false);
            return;
        }

        using var buffer = new MemoryStream();
        var kind = accept.MetadataOnly ? "PartialObjectMetadataList" : r.ListKind;
        buffer.Write(Encoding.UTF8.GetBytes($"{{\"kind\":\"{kind}\",\"apiVersion\":\"{(accept.MetadataOnly ? "meta.k8s.io/v1" : r.ApiVersion)}\",\"metadata\":"));
        buffer.Write(Document.Write(metadata));
        buffer.Write(",\"items\":["u8);
        var first = true;
        // Lists of built-in kinds leave kind and apiVersion out of their items; they come first in what is stored.
        var prefix = r.IsCustom ? 0 : Encoding.UTF8.GetByteCount($"{{\"kind\":\"{r.Kind}\",\"apiVersion\":\"{r.ApiVersion}\",");
        foreach (var item in items)
        {
            if (!first)
                buffer.WriteByte((byte)',');
            first = false;
            if (accept.MetadataOnly)
            {
                buffer.Write(Document.Write(Table.MetadataOf(item.Json)));
            }
            else if (r.IsCustom)
            {
                buffer.Write(item.Json.Text("apiVersion") == r.ApiVersion ? item.Utf8 : Document.Write(Registry.InVersion(r, item)));
            }
            else
            {
                buffer.WriteByte((byte)'{');
                buffer.Write(item.Utf8.AsSpan(prefix));
            }
        }

        buffer.Write("]}"u8);
        await RespondAsync(context, 200, buffer.ToArray()).ConfigureAwait(false);
    }

    private async Task DeleteAsync(HttpContext context, ApiRequest request, RequestQuery query, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        var deletion = await ReadDeletionAsync(context.Request, query, cancellationToken).ConfigureAwait(false);
        var (o, gone) = registry.Delete(r, request.Ns, request.Name!, deletion);
        if (!gone || r.Key == Catalog.Pods.Key)
        {
            await RespondAsync(context, 200, Document.Write(Registry.InVersion(r, o))).ConfigureAwait(false);
            return;
        }

        var details = new JsonObject { ["name"] = o.Name, ["kind"] = r.Plural, ["uid"] = o.Uid };
        if (r.Group.Length > 0)
            details["group"] = r.Group;
        await RespondAsync(context, 200, new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details,
        }).ConfigureAwait(false);
    }

    private async Task DeleteCollectionAsync(HttpContext context, ApiRequest request, RequestQuery query, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        if (r.Namespaced && request.Namespace is null)
            throw ApiError.MethodNotAllowed();
        var selectors = Selectors.Parse(r, query.Text("labelSelector"), query.Text("fieldSelector"));
        var deletion = await ReadDeletionAsync(context.Request, query, cancellationToken).ConfigureAwait(false);
        var (items, version) = registry.Store.List(r.Key, request.Namespace);
        var deleted = new JsonArray();
        foreach (var o in items.Where(i => selectors.Match(i.Json)))
        {
            try
            {
                registry.Delete(r, o.Namespace, o.Name, deletion);
                deleted.Add((JsonNode)Registry.InVersion(r, o).Copy());
            }
            catch (ApiError e) when (e.Code == 404)
            {
                // Gone already.
            }
        }

        await RespondAsync(context, 200, new JsonObject
        {
            ["kind"] = r.ListKind,
            ["apiVersion"] = r.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) },
            ["items"] = deleted,
        }).ConfigureAwait(false);
    }

    private async Task SubresourceAsync(
        HttpContext context, ApiRequest request, string subresource, string verb, RequestQuery query, CancellationToken cancellationToken)
    {
        var r = request.Resource;
        var name = request.Name!;
        if (subresource == "scale" && r.Scale is not null && verb is "get" or "update" or "patch")
        {
            await RespondAsync(context, 200, await ScaleSubresource.RunAsync(registry, context.Request, request, verb, Manner(context, query), cancellationToken).ConfigureAwait(false))
                .ConfigureAwait(false);
        }
        else if (subresource == "log" && r.Key == Catalog.Pods.Key && verb == "get")
        {
            await LogSubresource.RunAsync(nodes, context, registry.Get(r, request.Ns, name), query, cancellationToken).ConfigureAwait(false);
        }
        else if (subresource == "binding" && r.Key == Catalog.Pods.Key && verb == "create")
        {
            var body = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
            Bind(request, body, Manner(context, query));
            await RespondAsync(context, 201, Done()).ConfigureAwait(false);
        }
        else if (subresource == "eviction" && r.Key == Catalog.Pods.Key && verb == "create")
        {
            var body = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
            EvictionSubresource.Run(
                registry, request, body, ReadDeletion(body.Child("deleteOptions"), query), Manner(context, query), options.TimeProvider.GetUtcNow());
            await RespondAsync(context, 201, Done()).ConfigureAwait(false);
        }
        else if (subresource == "token" && r.Key == Catalog.ServiceAccounts.Key && verb == "create")
        {
            var body = await ReadObjectAsync(context.Request, cancellationToken).ConfigureAwait(false);
            await RespondAsync(context, 201, TokenSubresource.Issue(registry, tokens, registry.Get(r, request.Ns, name), body, options.TimeProvider)).ConfigureAwait(false);
        }
        else
        {
            throw ApiError.NoSuchPath();
        }
    }

    private static JsonObject Done() => new()
    {
        ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201,
    };

    private void Bind(ApiRequest request, JsonObject binding, WriteOptions writing)
    {
        var node = binding.Text("target", "name") ?? throw ApiError.BadRequest("target.name: Required value");
        var pod = registry.Get(Catalog.Pods, request.Ns, request.Name!);
        for (var attempt = 0; attempt < 16; attempt++)
        {
            if (pod.Json.Text("spec", "nodeName") is { Length: > 0 } bound)
                throw ApiError.Conflict(Catalog.Pods, pod.Name, $"pod {pod.Name} is already assigned to node \"{bound}\"");
            if (pod.Deleting)
                throw ApiError.Conflict(Catalog.Pods, pod.Name, $"pod {pod.Name} is being deleted, cannot be assigned to a host");
            var next = pod.Json.Copy();
            next.Ensure("spec")["nodeName"] = node;
            var status = next.Ensure("status");
            var scheduled = new JsonObject
            {
                ["type"] = "PodScheduled", ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = Document.Time(options.TimeProvider.GetUtcNow()),
            };
            status["conditions"] = new JsonArray([.. status.Objects("conditions").Where(c => c.Text("type") != "PodScheduled").Select(c => c.DeepClone()), scheduled]);
            if (writing.DryRun || registry.Store.TryReplace(Catalog.Pods.Key, pod, next) is not null)
                return;
            pod = registry.Get(Catalog.Pods, request.Ns, request.Name!);
        }

        throw ApiError.Conflict(Catalog.Pods, pod.Name);
    }

    private static async Task<Deletion> ReadDeletionAsync(HttpRequest request, RequestQuery query, CancellationToken cancellationToken) =>
        ReadDeletion(await BodyReader.ReadAsync(request, cancellationToken).ConfigureAwait(false) as JsonObject, query);

    private static Deletion ReadDeletion(JsonObject? body, RequestQuery query)
    {
        var grace = body.Number("gracePeriodSeconds") ?? query.Number("gracePeriodSeconds");
        if (grace < 0)
            throw ApiError.BadRequest("gracePeriodSeconds: Invalid value: must be greater than or equal to 0");
        var propagation = body.Text("propagationPolicy") ?? query.Text("propagationPolicy")
            ?? ((body.Flag("orphanDependents") || query.Flag("orphanDependents")) ? "Orphan" : null);
        if (propagation is not (null or "Background" or "Foreground" or "Orphan"))
            throw new ApiError(422, "Invalid", $"DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"{propagation}\": "
                + "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"");
        return new Deletion(grace, propagation, body.Text("preconditions", "uid"), body.Text("preconditions", "resourceVersion"),
            query.Text("dryRun") == "All" || body.Texts("dryRun").Contains("All"));
    }

    private static async Task<JsonObject> ReadObjectAsync(HttpRequest request, CancellationToken cancellationToken) =>
        await BodyReader.ReadAsync(request, cancellationToken).ConfigureAwait(false) as JsonObject
        ?? throw ApiError.BadRequest("the object provided is unrecognized (must be of type object)");
}

/// <summary>Reads JSON and YAML bodies.</summary>
internal static class BodyReader
{
    public static async Task<JsonNode?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (buffer.Length == 0)
            return null;
        var type = MediaType(request);
        try
        {
            if (type == Protobuf.MediaType)
                return Protobuf.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
            if (type.Contains("yaml", StringComparison.Ordinal))
                return Yaml.Parse(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))) is [var first, ..] ? first : null;
            if (type is "" or "application/json" || type.EndsWith("+json", StringComparison.Ordinal))
                return Document.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw ApiError.BadRequest($"couldn't get version/kind; json parse error: {e.Message}");
        }

        throw ApiError.UnsupportedMediaType($"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml");
    }

    public static string MediaType(HttpRequest request) => (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();
}

/// <summary>The parameters of a request's query.</summary>
internal sealed class RequestQuery(IQueryCollection query)
{
    public string? Text(string name) => query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    public bool Flag(string name) => Text(name) is "true" or "1" or "True" || (query.ContainsKey(name) && Text(name) is null);

    public long? Number(string name) => Text(name) is { } text
        ? long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : throw ApiError.BadRequest($"{name}: Invalid value: \"{text}\"")
        : null;

    public long? Version(string name) => Text(name) is { } text
        ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            ? n
            : throw ApiError.BadRequest($"{name}: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax")
        : null;
}

/// <summary>Which form of answer the client prefers.</summary>
internal sealed record Negotiation(bool Table, bool MetadataOnly)
{
    public static Negotiation Parse(string accept)
    {
        if (accept.Length == 0)
            return new(false, false);
        foreach (var clause in accept.Split(','))
        {
            var parts = clause.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "*/*" or "application/*"))
                continue;
            var kind = parts.FirstOrDefault(p => p.StartsWith("as=", StringComparison.Ordinal));
            switch (kind)
            {
                case null:
                    return new(false, false);
                case "as=Table" when parts.Contains("v=v1"):
                    return new(true, false);
                case "as=PartialObjectMetadata" or "as=PartialObjectMetadataList" when parts.Contains("v=v1"):
                    return new(false, true);
            }
        }

        throw new ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json");
    }
}
