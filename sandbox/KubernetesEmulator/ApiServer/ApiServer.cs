using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KubernetesEmulator.Http;
using KubernetesEmulator.Lifecycle;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;
using KubernetesEmulator.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KubernetesEmulator;

/// <summary>A Kubernetes API server in this process, on HTTPS, with its own certificate authority and bearer tokens.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly Certificates _certificates;
    private readonly Tokens _tokens;
    private readonly ApiHandler _handler;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _housekeeping;
    private int _disposed;

    private ApiServer(
        WebApplication web, Uri address, Certificates certificates, Tokens tokens, ApiHandler handler, CancellationTokenSource stopping, Task housekeeping)
    {
        _web = web;
        Address = address;
        _certificates = certificates;
        _tokens = tokens;
        _handler = handler;
        _stopping = stopping;
        _housekeeping = housekeeping;
    }

    /// <summary>Where the server listens.</summary>
    public Uri Address { get; }

    /// <summary>The certificate authority that clients must trust, as PEM.</summary>
    public string CertificateAuthority => _certificates.AuthorityPem;

    /// <summary>Source of pod logs; may be set at any time.</summary>
    public PodLogs? PodLogs
    {
        get => _handler.PodLogs;
        set => _handler.PodLogs = value;
    }

    /// <summary>Starts a server.</summary>
    public static async Task<ApiServer> StartAsync(ApiServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ApiServerOptions();
        var certificates = Certificates.Create(options.Address, options.DataDirectory);
        var stopping = new CancellationTokenSource();
        try
        {
            var tokens = new Tokens(options.TimeProvider);
            var store = new Store(options.WatchHistory);
            var catalog = new Catalog();
            store.Observe(change =>
            {
                if (change.Collection == Catalog.CustomResourceDefinitions.Key)
                    catalog.Define(change.After.Name, change.Kind == ChangeKind.Deleted ? null : change.After.Json);
            });
            var registry = new Registry(store, catalog, new AddressPool(store, options.ServiceRange), certificates.AuthorityPem, options.TimeProvider);
            var housekeeping = new Housekeeping(registry);
            store.Observe(housekeeping.Note);
            var handler = new ApiHandler(registry, tokens, options, stopping.Token);

            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 3 * 1024 * 1024;
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
                kestrel.Listen(options.Address, options.Port, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    listen.UseHttps(certificates.Serving);
                });
            });
            var web = builder.Build();
            web.Run(handler.HandleAsync);
            await web.StartAsync(cancellationToken).ConfigureAwait(false);
            var bound = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            var port = new Uri(bound).Port;
            var host = options.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{options.Address}]" : options.Address.ToString();
            var address = new Uri($"https://{host}:{port.ToString(CultureInfo.InvariantCulture)}");
            Furnish(registry, options.Address, port);
            return new ApiServer(web, address, certificates, tokens, handler, stopping, Task.Run(() => housekeeping.RunAsync(stopping.Token), CancellationToken.None));
        }
        catch
        {
            certificates.Dispose();
            stopping.Dispose();
            throw;
        }
    }

    /// <summary>Issues a bearer token that stays valid while the server runs.</summary>
    public string IssueToken(string user, params IEnumerable<string> groups) =>
        _tokens.Issue(new Identity(user, [.. groups, "system:authenticated"]));

    /// <summary>
    /// A kubeconfig for <paramref name="user"/>, a member of <c>system:masters</c> unless other groups are given. With
    /// <paramref name="tokenFile"/> the token is written there and the kubeconfig names the file.
    /// </summary>
    public string KubeConfig(string user, IEnumerable<string>? groups = null, string? @namespace = null, string? tokenFile = null)
    {
        var token = IssueToken(user, groups ?? ["system:masters"]);
        if (tokenFile is not null)
            PrivateFile.Write(tokenFile, token);
        var text = new StringBuilder();
        text.Append("apiVersion: v1\n");
        text.Append("clusters:\n");
        text.Append("- cluster:\n");
        text.Append(CultureInfo.InvariantCulture, $"    certificate-authority-data: {Convert.ToBase64String(Encoding.ASCII.GetBytes(CertificateAuthority))}\n");
        text.Append(CultureInfo.InvariantCulture, $"    server: {Address.GetLeftPart(UriPartial.Authority)}\n");
        text.Append("  name: sandbox\n");
        text.Append("contexts:\n");
        text.Append("- context:\n");
        text.Append("    cluster: sandbox\n");
        if (@namespace is not null)
            text.Append(CultureInfo.InvariantCulture, $"    namespace: {@namespace}\n");
        text.Append(CultureInfo.InvariantCulture, $"    user: {user}\n");
        text.Append("  name: sandbox\n");
        text.Append("current-context: sandbox\n");
        text.Append("kind: Config\n");
        text.Append("preferences: {}\n");
        text.Append("users:\n");
        text.Append(CultureInfo.InvariantCulture, $"- name: {user}\n");
        text.Append("  user:\n");
        text.Append(tokenFile is null ? $"    token: {token}\n" : $"    tokenFile: {tokenFile}\n");
        return text.ToString();
    }

    /// <summary>Ends all requests and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _housekeeping.ConfigureAwait(false);
        await _web.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _web.DisposeAsync().ConfigureAwait(false);
        _certificates.Dispose();
        _stopping.Dispose();
    }

    /// <summary>What every cluster has from its first moment.</summary>
    private static void Furnish(Registry registry, IPAddress address, int port)
    {
        var options = new WriteOptions("kube-apiserver");
        foreach (var ns in new[] { "default", "kube-system", "kube-public", "kube-node-lease" })
            registry.Create(Catalog.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = ns } }, options);
        registry.Create(Catalog.Services, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" } },
            ["spec"] = new JsonObject
            {
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = 443, ["targetPort"] = port, ["protocol"] = "TCP" }),
            },
        }, options);
        registry.Create(registry.Catalog.Find("", "v1", "endpoints")!, "default", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kubernetes" },
            ["subsets"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address.ToString() }),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = port, ["protocol"] = "TCP" }),
            }),
        }, options);
    }
}
