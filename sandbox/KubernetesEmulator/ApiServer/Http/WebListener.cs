using System.Net;
using System.Security.Cryptography.X509Certificates;
using KubernetesEmulator.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubernetesEmulator.Http;

/// <summary>HTTPS for one handler of requests, until disposal, which ends the requests that run.</summary>
internal sealed class WebListener : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly CancellationTokenSource _stopping;

    private WebListener(WebApplication web, CancellationTokenSource stopping, int port) => (_web, _stopping, Port) = (web, stopping, port);

    public int Port { get; }

    public static Task<WebListener> StartAsync(
        IPAddress address, int port, X509Certificate2 certificate, Func<HttpContext, CancellationToken, Task> handler, CancellationToken cancellationToken) =>
        StartAsync(address, port, new HttpsConnectionAdapterOptions { ServerCertificate = certificate }, handler, cancellationToken);

    public static async Task<WebListener> StartAsync(
        IPAddress address, int port, HttpsConnectionAdapterOptions https, Func<HttpContext, CancellationToken, Task> handler, CancellationToken cancellationToken,
        NodeNetwork? network = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
        if (network is not null)
        {
            builder.Services.Configure<SocketTransportOptions>(
                o => o.CreateBoundListenSocket = at => network.Inside(() => SocketTransportOptions.CreateDefaultBoundListenSocket(at)));
        }

        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 3 * 1024 * 1024;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(address, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(https);
            });
        });
        var web = builder.Build();
        var stopping = new CancellationTokenSource();
        web.Run(context => handler(context, stopping.Token));
        await web.StartAsync(cancellationToken).ConfigureAwait(false);
        var bound = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new WebListener(web, stopping, new Uri(bound).Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _web.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _web.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }
}
