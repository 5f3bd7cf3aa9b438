using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KubernetesEmulator.Http;
using KubernetesEmulator.Lifecycle;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Security;
using KubernetesEmulator.Storage;

namespace KubernetesEmulator;

/// <summary>A Kubernetes API server in this process, on HTTPS, with its own certificate authority and bearer tokens.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly ApiServerOptions _options;
    private readonly Certificates _certificates;
    private readonly Tokens _tokens;
    private readonly Store _store;
    private readonly ApiHandler _handler;
    private readonly NodeClient _nodes;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _housekeeping;
    private WebListener? _listener;
    private int _disposed;

    private ApiServer(ApiServerOptions options, Certificates certificates, Tokens tokens, Store store, NodeClient nodes, ApiHandler handler, Housekeeping housekeeping, WebListener listener)
    {
        _options = options;
        _certificates = certificates;
        _tokens = tokens;
        _store = store;
        _nodes = nodes;
        _handler = handler;
        _listener = listener;
        _housekeeping = Task.Run(() => housekeeping.RunAsync(_stopping.Token), CancellationToken.None);
        var host = options.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{options.Address}]" : options.Address.ToString();
        Address = new Uri($"https://{host}:{listener.Port.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <summary>Where the server listens.</summary>
    public Uri Address { get; }

    /// <summary>The certificate authority that clients must trust, as PEM.</summary>
    public string CertificateAuthority => _certificates.AuthorityPem;

    /// <summary>Starts a server.</summary>
    public static async Task<ApiServer> StartAsync(ApiServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ApiServerOptions();
        var certificates = Certificates.Create(options.Address, options.DataDirectory);
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
            var nodes = new NodeClient(store, certificates.KubeletClient);
            var handler = new ApiHandler(registry, tokens, new RbacAuthorizer(store, options.Audit), nodes, options);
            var listener = await WebListener.StartAsync(options.Address, options.Port, certificates.Serving, handler.HandleAsync, cancellationToken).ConfigureAwait(false);
            Furnish(registry, options.Address, listener.Port);
            BootstrapPolicy.Furnish(registry);
            return new ApiServer(options, certificates, tokens, store, nodes, handler, housekeeping, listener);
        }
        catch
        {
            certificates.Dispose();
            throw;
        }
    }

    /// <summary>Ends all requests and stops to listen; the objects stay. Does nothing while it is suspended.</summary>
    public async Task SuspendAsync()
    {
        if (Interlocked.Exchange(ref _listener, null) is { } listener)
            await listener.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Listens again at the same address. As with a server that was started anew, watches cannot resume from before; they must list again.
    /// </summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
            throw new InvalidOperationException("The API server is not suspended.");
        _store.ForgetHistory();
        _listener = await WebListener.StartAsync(_options.Address, Address.Port, _certificates.Serving, _handler.HandleAsync, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Issues a bearer token that stays valid while the server runs.</summary>
    public string IssueToken(string user, params IEnumerable<string> groups) =>
        _tokens.Issue(new Identity(user, [.. groups, Identity.Authenticated]));

    /// <summary>
    /// A kubeconfig for <paramref name="user"/>, a member of <c>system:masters</c> unless other groups are given. With
    /// <paramref name="tokenFile"/> the token is written there and the kubeconfig names the file.
    /// </summary>
    public string KubeConfig(string user, IEnumerable<string>? groups = null, string? @namespace = null, string? tokenFile = null)
    {
        var token = IssueToken(user, groups ?? [Identity.Masters]);
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
        await SuspendAsync().ConfigureAwait(false);
        _nodes.Dispose();
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
