using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Agents.Kubernetes;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Unit.Kubernetes;

/// <summary>The client against a real HTTPS server: trust, names, resets, GOAWAY, connections that die without a word.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ConnectionTests : IDisposable
{
    private const string PodDocument = """{"metadata":{"name":"p","namespace":"ag1","resourceVersion":"7"}}""";
    private static readonly CancellationToken Never = CancellationToken.None;

    private readonly TestAuthority authority = new("first");
    private readonly string folder = Directory.CreateTempSubdirectory("connection").FullName;

    private string AuthorityFile => Path.Combine(folder, "ca.crt");

    [Test]
    public async Task A_rotated_authority_is_trusted_without_a_restart_and_the_one_before_no_more()
    {
        using var second = new TestAuthority("second");
        await File.WriteAllTextAsync(AuthorityFile, authority.Pem);
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        server.Answer = Once(PodDocument);
        using var api = Api(server.Address, authorityFile: AuthorityFile);
        await GetAsync(api);

        server.Certificate = second.Issue("127.0.0.1");
        Assert.That(await MessageAsync(() => GetAsync(api)), Does.Contain("issued by CN=second, is not trusted by " + AuthorityFile));

        await File.WriteAllTextAsync(AuthorityFile, second.Pem);
        await GetAsync(api);

        server.Certificate = authority.Issue("127.0.0.1");
        Assert.That(await MessageAsync(() => GetAsync(api)), Does.Contain("issued by CN=first, is not trusted"));
    }

    [Test]
    public async Task An_authority_file_that_is_half_written_leaves_the_known_one_in_force()
    {
        await File.WriteAllTextAsync(AuthorityFile, authority.Pem);
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        server.Answer = Once(PodDocument);
        using var api = Api(server.Address, authorityFile: AuthorityFile);
        foreach (var content in new[] { "", "-----BEGIN CERTIFICATE-----\nMII" })
        {
            await File.WriteAllTextAsync(AuthorityFile, content);
            await GetAsync(api);
        }

        File.Delete(AuthorityFile);
        await GetAsync(api);
    }

    [Test]
    public async Task A_rotated_client_certificate_is_shown_without_a_restart_and_half_of_one_is_not()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        string? shown = null;
        server.Answer = context =>
        {
            shown = context.Connection.ClientCertificate?.SerialNumber;
            return Once(PodDocument)(context);
        };
        var (certificateFile, keyFile) = (Path.Combine(folder, "client.crt"), Path.Combine(folder, "client.key"));
        await File.WriteAllTextAsync(AuthorityFile, authority.Pem);
        using var first = authority.Issue("me");
        using var second = authority.Issue("me");
        await WriteAsync(first, first);
        await File.WriteAllTextAsync(Path.Combine(folder, "config"), $$$"""
            {
              "current-context": "c",
              "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
              "clusters": [{"name": "c", "cluster": {"server": "{{{server.Address}}}", "certificate-authority": "ca.crt"}}],
              "users": [{"name": "u", "user": {"client-certificate": "client.crt", "client-key": "client.key"}}]
            }
            """);
        using var api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(Path.Combine(folder, "config")), TimeProvider.System, new Random(1), "tests");
        Assert.That(await ShownAsync(), Is.EqualTo(first.SerialNumber));
        await WriteAsync(second, first);
        Assert.That(await ShownAsync(), Is.EqualTo(first.SerialNumber));
        File.Delete(keyFile);
        Assert.That(await ShownAsync(), Is.EqualTo(first.SerialNumber));
        await WriteAsync(second, second);
        Assert.That(await ShownAsync(), Is.EqualTo(second.SerialNumber));

        async Task<string?> ShownAsync()
        {
            await GetAsync(api);
            return shown;
        }

        async Task WriteAsync(X509Certificate2 certificate, X509Certificate2 key)
        {
            await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());
            using var secret = key.GetECDsaPrivateKey()!;
            await File.WriteAllTextAsync(keyFile, secret.ExportPkcs8PrivateKeyPem());
        }
    }

    [Test]
    public async Task A_certificate_for_another_name_is_declined_by_name_unless_that_name_is_expected()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("api.example"));
        server.Answer = Once(PodDocument);
        using var plain = Api(server.Address);
        Assert.That(await MessageAsync(() => GetAsync(plain)), Does.Contain("certificate is not for 127.0.0.1, but for api.example"));
        using var told = Api(server.Address, name: "api.example");
        await GetAsync(told);
    }

    [Test]
    public async Task A_certificate_of_an_unknown_authority_is_declined_where_the_machine_decides()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        using var api = new HttpKubernetesApi(new KubernetesConfiguration { Server = server.Address, Token = "t" }, TimeProvider.System, new Random(1), "tests");
        Assert.That(await MessageAsync(() => GetAsync(api)), Does.Contain("not trusted by this machine"));
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_server_that_sends_connections_away_is_followed_to_new_ones()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        server.Answer = Once(PodDocument);
        using var api = Api(server.Address);
        for (var i = 0; i < 5; i++)
            await api.CreateAsync(KubernetesTypes.Pods, "ag1", new Pod(), Never);
        Assert.That(server.Requests.Select(request => request.Protocol), Is.All.EqualTo("HTTP/2"));
        Assert.That(server.Requests.Select(request => request.Connection).Distinct().Count(), Is.EqualTo(5));
    }

    [Test]
    public async Task A_watch_outlives_a_GOAWAY_on_its_connection()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        var sentAway = new TaskCompletionSource();
        server.Answer = async context =>
        {
            if (context.Request.Query["watch"].Count == 0)
            {
                await Once(PodDocument)(context);
                return;
            }

            await context.Response.WriteAsync($$"""{"type":"ADDED","object":{{PodDocument}}}""" + "\n");
            await context.Response.Body.FlushAsync();
            await sentAway.Task;
            await context.Response.WriteAsync($$"""{"type":"DELETED","object":{{PodDocument}}}""" + "\n");
        };
        using var api = Api(server.Address);
        var kinds = new List<WatchEventKind>();
        await foreach (var change in api.WatchAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, "5", Never))
        {
            kinds.Add(change.Kind);
            if (change.Kind == WatchEventKind.Added)
            {
                await GetAsync(api);
                await GetAsync(api);
                sentAway.SetResult();
            }
        }

        Assert.That(kinds, Is.EqualTo(new[] { WatchEventKind.Added, WatchEventKind.Deleted }));
        var connections = server.Requests.Select(request => request.Connection).ToList();
        Assert.That(connections[1], Is.EqualTo(connections[0]));
        Assert.That(connections[2], Is.Not.EqualTo(connections[0]));
    }

    [Test]
    public async Task A_read_is_made_again_after_a_reset_before_and_within_the_answer([Values(HttpProtocols.Http1, HttpProtocols.Http2)] HttpProtocols protocol)
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"), protocol);
        server.Answer = async context =>
        {
            if (server.Requests.Count == 2)
            {
                await context.Response.WriteAsync(PodDocument[..20]);
                await context.Response.Body.FlushAsync();
            }

            if (server.Requests.Count <= 2)
                context.Abort();
            else
                await context.Response.WriteAsync(PodDocument);
        };
        using var api = Api(server.Address);
        await GetAsync(api);
        Assert.That(server.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_write_that_was_cut_off_is_in_doubt_and_not_made_again([Values(HttpProtocols.Http1, HttpProtocols.Http2)] HttpProtocols protocol)
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"), protocol);
        server.Answer = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        using var api = Api(server.Address);
        var error = await Assert.ThrowsAsync<KubernetesException>(() => api.CreateAsync(KubernetesTypes.Pods, "ag1", new Pod(), Never));
        Assert.That(error!.Failure, Is.EqualTo(KubernetesFailure.Unreachable));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_watch_whose_connection_died_without_a_word_breaks()
    {
        await using var server = await TlsServer.StartAsync(authority.Issue("127.0.0.1"));
        server.Answer = async context =>
        {
            await context.Response.WriteAsync($$"""{"type":"ADDED","object":{{PodDocument}}}""" + "\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        using var relay = new Relay(server.Address.Port);
        using var api = Api(new Uri($"https://127.0.0.1:{relay.Port}/"));
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var error = await Assert.ThrowsAsync<KubernetesException>(async () =>
        {
            await foreach (var _ in api.WatchAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, "5", bound.Token))
                relay.Freeze();
        });
        Assert.That(error!.Failure, Is.EqualTo(KubernetesFailure.Unreachable));
    }

    [Test]
    public void Proxies_of_the_environment_are_not_for_the_API_server()
    {
        using var handler = ApiServerConnection.Handler(new KubernetesConfiguration { Server = new Uri("https://server/") });
        Assert.That(handler.UseProxy, Is.False);
    }

    public void Dispose()
    {
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Answers, then sends the connection away: GOAWAY on HTTP/2, as kube-apiserver does now and then.</summary>
    private static RequestDelegate Once(string document) => context =>
    {
        context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose();
        return context.Response.WriteAsync(document);
    };

    private static Task<Pod?> GetAsync(HttpKubernetesApi api) => api.GetAsync(KubernetesTypes.Pods, "ag1", "p", Never);

    private static async Task<string> MessageAsync<T>(Func<Task<T>> call)
    {
        var error = (await Assert.ThrowsAsync<KubernetesException>(async () => await call()))!;
        Assert.That(error.Failure, Is.EqualTo(KubernetesFailure.Unreachable));
        return error.Message;
    }

    private HttpKubernetesApi Api(Uri address, string? name = null, string? authorityFile = null)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(authority.Pem);
        return new HttpKubernetesApi(
            new KubernetesConfiguration
            {
                Server = address,
                Token = "t",
                Authorities = authorities,
                AuthorityFile = authorityFile,
                TlsServerName = name,
            },
            TimeProvider.System, new Random(1), "tests");
    }

    /// <summary>Passes bytes on until it is told to stop; then both ends keep their connections and hear nothing.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly List<TcpClient> ends = [];
        private readonly int target;
        private volatile bool frozen;

        public Relay(int target)
        {
            this.target = target;
            listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public void Freeze() => frozen = true;

        public void Dispose()
        {
            listener.Dispose();
            lock (ends)
                ends.ForEach(end => end.Dispose());
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var near = await listener.AcceptTcpClientAsync();
                    var far = new TcpClient();
                    lock (ends)
                        ends.AddRange([near, far]);
                    await far.ConnectAsync(IPAddress.Loopback, target);
                    _ = PassAsync(near, far);
                    _ = PassAsync(far, near);
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task PassAsync(TcpClient from, TcpClient to)
        {
            var buffer = new byte[16384];
            try
            {
                while (await from.GetStream().ReadAsync(buffer) is > 0 and var count)
                    if (!frozen)
                        await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
            }
            catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }
    }
}
