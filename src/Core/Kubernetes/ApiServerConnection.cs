using System.Net.Security;
using System.Net.Sockets;

namespace Agents.Kubernetes;

/// <summary>
/// Connections to the API server: straight to it, whatever proxies the environment names, and tested while something is awaited on them,
/// so that one whose other end is gone without a word breaks within seconds.
/// </summary>
internal static class ApiServerConnection
{
    public static SocketsHttpHandler Handler(KubernetesConfiguration configuration)
    {
        var trust = new ServerTrust(configuration);
        var tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => trust.Accept(certificate, chain, errors),
        };

        // The first look, which finds the intermediate certificates; the trust has the last word.
        if (configuration.Authorities.Count > 0)
            tls.CertificateChainPolicy = ServerTrust.Policy(configuration.Authorities);
        if (configuration.ClientCertificate is not null)
        {
            var identity = new ClientIdentity(configuration);
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Current()!;
        }

        return new SocketsHttpHandler
        {
            SslOptions = tls,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            ConnectCallback = ConnectAsync,
        };
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A watch over HTTP/1.1 has no pings: without these a cut cable would look like silence for hours.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
