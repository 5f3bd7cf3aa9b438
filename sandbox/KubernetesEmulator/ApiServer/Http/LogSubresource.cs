using KubernetesEmulator.Wire;
using KubernetesEmulator.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubernetesEmulator.Http;

/// <summary><c>GET …/pods/x/log</c>, answered by whoever runs the pod.</summary>
internal static class LogSubresource
{
    public static async Task RunAsync(PodLogs? logs, HttpContext context, StoredObject pod, RequestQuery query, CancellationToken cancellationToken)
    {
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
        if (logs is null)
            throw new ApiError(500, "InternalError", $"Get \"https://{node}:10250/containerLogs/{pod.Namespace}/{pod.Name}/{container}\": connection refused");
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/plain";
        var request = new PodLogRequest(pod.Namespace, pod.Name, pod.Uid, container, node, query.Flag("follow"), query.Flag("previous"),
            (int?)query.Number("tailLines"), query.Flag("timestamps"));
        try
        {
            await using var output = new PromptStream(context.Response.Body);
            await logs(request, output, cancellationToken).ConfigureAwait(false);
        }
        catch (FileNotFoundException) when (!context.Response.HasStarted)
        {
            throw ApiError.BadRequest(query.Flag("previous")
                ? $"previous terminated container \"{container}\" in pod \"{pod.Name}\" not found"
                : $"container \"{container}\" in pod \"{pod.Name}\" is waiting to start: ContainerCreating");
        }
    }

    /// <summary>Sends each write at once.</summary>
    private sealed class PromptStream(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write asynchronously.");
    }
}
