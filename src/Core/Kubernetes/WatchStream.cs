using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Agents.Kubernetes;

/// <summary>The lines of a watch, as events.</summary>
internal static class WatchStream
{
    /// <summary>
    /// The next whole line that is not empty, or null at the end. A last line that was cut off is no line: the change in it comes again
    /// when the watch is resumed.
    /// </summary>
    public static async ValueTask<byte[]?> LineAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end).ToArray();
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                if (!line.AsSpan().Trim((byte)'\r').IsEmpty)
                    return line;
                continue;
            }

            if (read.IsCompleted)
                return null;
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Reads one event.</summary>
    /// <param name="call">The watch.</param>
    /// <param name="line">The event's document.</param>
    /// <param name="read">Reads the object inside.</param>
    /// <exception cref="KubernetesException">The server ended the watch with an error, or the line is none of its events.</exception>
    public static WatchEvent<T> Event<T>(ApiCall call, byte[] line, Func<JsonElement, T> read)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var kind = document.RootElement.GetProperty("type").GetString();
            var element = document.RootElement.GetProperty("object");
            if (kind == "ERROR")
                throw Failures.Of(call, element, element.TryGetProperty("code", out var code) ? code.GetInt32() : 0);
            var version = element.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? string.Empty;
            return kind switch
            {
                "BOOKMARK" => new WatchEvent<T>(WatchEventKind.Bookmark, null, version),
                "ADDED" => new WatchEvent<T>(WatchEventKind.Added, read(element), version),
                "MODIFIED" => new WatchEvent<T>(WatchEventKind.Modified, read(element), version),
                "DELETED" => new WatchEvent<T>(WatchEventKind.Deleted, read(element), version),
                _ => throw new KubernetesException(KubernetesFailure.Other, $"{call.What}: unknown kind of event '{kind}'"),
            };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new KubernetesException(KubernetesFailure.Other, $"{call.What}: unreadable event: {error.Message}", error);
        }
    }
}
