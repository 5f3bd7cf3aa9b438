using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubernetesEmulator.Http;

/// <summary><c>GET …/pods/x/log</c>, passed on to the kubelet of the pod's node.</summary>
internal static class LogSubresource
{
    private const int LongestRefusal = 10_000;

    private static readonly Resource LogOptions = new("", "v1", "pods/log", "PodLogOptions", true);

    private static readonly string[] PassedOn = ["follow", "limitBytes", "previous", "sinceSeconds", "tailLines", "timestamps"];

    public static async Task RunAsync(NodeClient nodes, HttpContext context, StoredObject pod, RequestQuery query, CancellationToken cancellationToken)
    {
        Check(pod, query);
        var containers = pod.Json.Objects("spec", "containers").Select(c => c.Text("name") ?? "").ToList();
        var all = containers.Concat(pod.Json.Objects("spec", "initContainers").Select(c => c.Text("name") ?? "")).ToList();
        var container = query.Text("container");
        if (container is null && containers.Count > 1)
            throw ApiError.BadRequest($"a container name must be specified for pod {pod.Name}, choose one of: [{string.Join(' ', containers)}]");
        container ??= containers[0];
        if (!all.Contains(container))
            throw ApiError.BadRequest($"container {container} is not valid for pod {pod.Name}");
        if (pod.Json.Text("spec", "nodeName") is not { Length: > 0 } node)
            throw ApiError.BadRequest($"pod {pod.Name} does not have a host assigned");
        var parameters = PassedOn.Where(x => query.Text(x) is not null).Select(x => $"{x}={Uri.EscapeDataString(query.Text(x)!)}");
        if (Document.ParseTime(query.Text("sinceTime")) is { } time)
            parameters = parameters.Append($"sinceTime={Document.Time(time)}");
        using var answer = await nodes.GetAsync(
            node, $"/containerLogs/{pod.Namespace}/{pod.Name}/{container}?{string.Join('&', parameters)}", cancellationToken).ConfigureAwait(false);
        await using var log = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
            throw await RefusalAsync((int)answer.StatusCode, log, cancellationToken).ConfigureAwait(false);

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/plain";
        await context.Response.StartAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[16384];
        for (int count; (count = await log.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Check(StoredObject pod, RequestQuery query)
    {
        var errors = new List<FieldError>();
        if (query.Number("tailLines") is < 0 and var tail)
            errors.Add(FieldError.Invalid("tailLines", tail, "must be greater than or equal to 0"));
        if (query.Number("limitBytes") is < 1 and var limit)
            errors.Add(FieldError.Invalid("limitBytes", limit, "must be greater than 0"));
        if (query.Number("sinceSeconds") is { } since)
        {
            if (query.Text("sinceTime") is not null)
                errors.Add(FieldError.Forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
            else if (since < 1)
                errors.Add(FieldError.Invalid("sinceSeconds", since, "must be greater than 0"));
        }

        if (errors.Count > 0)
            throw ApiError.Invalid(LogOptions, pod.Name, errors);
    }

    private static async Task<ApiError> RefusalAsync(int status, Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestRefusal];
        var text = System.Text.Encoding.UTF8.GetString(buffer.AsSpan(0, await body.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken).ConfigureAwait(false)));
        return status switch
        {
            400 => ApiError.BadRequest(text),
            404 => new ApiError(404, "NotFound", $"the server could not find the requested resource ( pods/log {text})"),
            _ => new ApiError(500, "InternalError", $"Internal error occurred: {text}"),
        };
    }
}
