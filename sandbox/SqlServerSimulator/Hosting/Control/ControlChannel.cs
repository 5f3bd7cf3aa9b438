using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SqlServerSimulator.Hosting.Control;

/// <summary>
/// Takes requests for faults on a Unix domain socket, one JSON object a line, and answers each with one line. Only the sandbox and tests use it; it is not
/// there unless it is asked for.
/// </summary>
internal sealed class ControlChannel : IAsyncDisposable
{
    private const int LargestLine = 64 * 1024;

    private readonly InstanceHost host;
    private readonly string path;
    private readonly Socket socket;
    private readonly CancellationTokenSource stop = new();
    private readonly Task accepting;

    private ControlChannel(InstanceHost host, string path, Socket socket)
    {
        this.host = host;
        this.path = path;
        this.socket = socket;
        accepting = AcceptAsync();
    }

    /// <exception cref="SocketException">The path cannot be used.</exception>
    public static ControlChannel Open(InstanceHost host, string path)
    {
        // What a killed process left behind would be in the way.
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(16);
            return new ControlChannel(host, path, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await accepting.ConfigureAwait(false);
        socket.Dispose();
        File.Delete(path);
        stop.Dispose();
    }

    /// <summary>Answers one request.</summary>
    internal JsonObject Answer(string line)
    {
        try
        {
            using var request = JsonDocument.Parse(line);
            return Answer(request.RootElement);
        }
        catch (JsonException error)
        {
            return Refuse($"found what is no JSON ({error.Message}), expected one object a line.");
        }
    }

    private JsonObject Answer(JsonElement request)
    {
        if (request.ValueKind != JsonValueKind.Object)
            return Refuse($"found {request.GetRawText()}, expected an object with fault, list or clear.");
        if (request.TryGetProperty("list", out _))
            return new JsonObject { ["ok"] = true, ["faults"] = new JsonArray([.. host.Faults.Select(active => FaultCatalog.Describe(active, host.Now))]) };
        if (request.TryGetProperty("clear", out var clear))
        {
            if (clear.ValueKind != JsonValueKind.String)
                return Refuse($"clear: found {clear.GetRawText()}, expected all or the name of a fault.");
            var name = clear.GetString()!;
            return name == "all" || FaultCatalog.All.Any(fault => fault.Name == name)
                ? new JsonObject { ["ok"] = true, ["cleared"] = host.Heal(fault => name == "all" || fault.Name == name) }
                : Refuse($"clear: found \"{name}\", expected all or one of {string.Join(", ", FaultCatalog.All.Select(fault => fault.Name))}.");
        }

        var (found, duration, mistake) = FaultCatalog.Read(request);
        if (found is null)
            return Refuse(mistake!);
        host.Inflict(found, duration);
        return new JsonObject { ["ok"] = true };
    }

    private static JsonObject Refuse(string why) => new() { ["ok"] = false, ["error"] = why };

    private async Task AcceptAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
            {
                var client = await socket.AcceptAsync(stop.Token).ConfigureAwait(false);
                clients.RemoveAll(task => task.IsCompleted);
                clients.Add(ServeAsync(client));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // Closing.
        }

        await Task.WhenAll(clients).ConfigureAwait(false);
    }

    private async Task ServeAsync(Socket client)
    {
        var stream = new NetworkStream(client, ownsSocket: true);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                using var reader = new StreamReader(stream, new UTF8Encoding(false), false, 1024, leaveOpen: true);
                while (await reader.ReadLineAsync(stop.Token).ConfigureAwait(false) is { Length: < LargestLine } line)
                {
                    if (line.Length > 0)
                        await stream.WriteAsync(Encoding.UTF8.GetBytes(Answer(line).ToJsonString() + "\n"), stop.Token).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
                // The client is gone, or the process ends.
            }
        }
    }
}
