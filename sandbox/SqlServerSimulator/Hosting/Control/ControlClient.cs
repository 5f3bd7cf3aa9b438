using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace SqlServerSimulator.Hosting.Control;

/// <summary>The other end of a <see cref="ControlChannel"/>: one request, one answer.</summary>
internal static class ControlClient
{
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="IOException">The connection broke before the answer.</exception>
    public static async Task<JsonObject> AskAsync(string path, JsonObject request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
        var stream = new NetworkStream(socket, ownsSocket: false);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToJsonString() + "\n"), cancellationToken).ConfigureAwait(false);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var answer = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new IOException("The control channel closed without an answer.");
            return JsonNode.Parse(answer)!.AsObject();
        }
    }
}
