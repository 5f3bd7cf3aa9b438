using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>What became of a probe or a hook.</summary>
/// <param name="Ok">Whether it succeeded.</param>
/// <param name="Output">Why not, or what a command wrote.</param>
internal sealed record ProbeOutcome(bool Ok, string Output);

/// <summary>Runs the actions of probes and hooks; nothing throws but cancellation.</summary>
/// <param name="network">The node's own network, from where it probes.</param>
/// <param name="execute">Runs a command in the container.</param>
internal sealed class Probe(NodeNetwork? network, Func<IReadOnlyList<string>, TimeSpan, CancellationToken, Task<ProbeOutcome>> execute) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = async (context, cancellationToken) =>
            new NetworkStream(await ConnectAsync(network, context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false), true),
#pragma warning disable CA5359 // The kubelet does not verify a probed server's certificate either.
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
    });

    public async Task<ProbeOutcome> RunAsync(JsonObject action, JsonObject container, string podIP, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (action.Document("exec") is { } exec)
            return await execute(exec.Texts("command"), timeout, cancellationToken).ConfigureAwait(false);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(timeout);
        try
        {
            if (action.Document("httpGet") is { } get)
                return await GetAsync(get, container, podIP, bound.Token).ConfigureAwait(false);
            if (action.Document("tcpSocket") is { } tcp && Port(tcp, container) is { } port)
            {
                using var socket = await ConnectAsync(network, tcp.Text("host") ?? podIP, port, bound.Token).ConfigureAwait(false);
                return new ProbeOutcome(true, "");
            }

            if (action.Number("sleep", "seconds") is { } seconds)
            {
                await Task.Delay(TimeSpan.FromSeconds(seconds), bound.Token).ConfigureAwait(false);
                return new ProbeOutcome(true, "");
            }

            return new ProbeOutcome(false, "this node knows exec, httpGet and tcpSocket only, and ports by number or by name");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or UriFormatException or FormatException)
        {
            return new ProbeOutcome(false, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeOutcome(false, $"no answer within {timeout.TotalSeconds} s");
        }
    }

    public void Dispose() => _http.Dispose();

    private static int? Port(JsonObject action, JsonObject container)
    {
        var text = action.Text("port") ?? "";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : container.Items("ports").FirstOrDefault(x => x.Text("name") == text)?.Number("containerPort");
    }

    private static async Task<Socket> ConnectAsync(NodeNetwork? network, string host, int port, CancellationToken cancellationToken)
    {
        var socket = network?.NewSocket() ?? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, AddressFamily.InterNetwork, cancellationToken).ConfigureAwait(false);
            await socket.ConnectAsync(addresses[0], port, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<ProbeOutcome> GetAsync(JsonObject get, JsonObject container, string podIP, CancellationToken cancellationToken)
    {
        if (Port(get, container) is not { } port)
            return new ProbeOutcome(false, $"couldn't find port: {get.Text("port")}");
        var scheme = (get.Text("scheme") ?? "HTTP").ToLowerInvariant();
        var path = get.Text("path") ?? "/";
        var uri = new Uri($"{scheme}://{get.Text("host") ?? podIP}:{port}{(path.StartsWith('/') ? "" : "/")}{path}");
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.UserAgent.ParseAdd("kube-probe/1.32");
        foreach (var header in get.Items("httpHeaders"))
            request.Headers.TryAddWithoutValidation(header.Text("name") ?? "", header.Text("value"));
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        return new ProbeOutcome(status is >= 200 and < 400, $"HTTP probe failed with statuscode: {status}");
    }
}
