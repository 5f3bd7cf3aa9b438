using Agents.Kubernetes;
using KubernetesEmulator.Faults;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;
using KubernetesEmulator.Services;

namespace KubernetesEmulator;

/// <summary>What both kinds of cluster are made of besides the API server and its controllers: DNS, Services and nodes.</summary>
internal sealed class ClusterParts : IAsyncDisposable
{
    private readonly Stack<object> _parts = new();
    private readonly List<ProcessNode> _nodes = [];
    private readonly string _kubeConfig;

    public ClusterParts(string kubeConfig)
    {
        _kubeConfig = kubeConfig;
        Client = NewClient("sandbox");
    }

    public IKubernetesApi Client { get; }

    public IReadOnlyList<ProcessNode> Nodes => _nodes;

    public ApiProxy? Proxy { get; private set; }

    /// <summary>A client that is disposed with the parts.</summary>
    public HttpKubernetesApi NewClient(string name)
    {
        var client = new HttpKubernetesApi(KubernetesConfiguration.FromFile(_kubeConfig), TimeProvider.System, new Random(), name);
        _parts.Push(client);
        return client;
    }

    /// <summary>Has <paramref name="part"/> disposed with the others, before those that were added earlier.</summary>
    public void Add(IAsyncDisposable part) => _parts.Push(part);

    /// <summary>Starts names, Services and nodes; when it returns, all nodes are ready.</summary>
    /// <param name="options">How the cluster is set up.</param>
    /// <param name="apiServer">Address of the API server.</param>
    /// <param name="certificateAuthority">PEM of its certificate authority.</param>
    /// <param name="clientAuthority">PEM of the authority of its certificate for nodes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task StartAsync(
        ClusterOptions options, Uri apiServer, string certificateAuthority, string clientAuthority, CancellationToken cancellationToken)
    {
        if (options.Proxied)
        {
            Proxy = await ApiProxy.StartAsync(apiServer, certificateAuthority, seed: 1, options.Time, cancellationToken).ConfigureAwait(false);
            _parts.Push(Proxy);
            (apiServer, certificateAuthority) = (Proxy.Address, Proxy.CertificateAuthority);
        }

        var hosts = Path.Combine(options.Directory, "hosts");
        _parts.Push(ClusterNames.Start(NewClient("dns"), hosts, options.Time));
        _parts.Push(ServiceForwarder.Start(NewClient("services"), options.ServiceRange, options.Time, options.Log));
        foreach (var name in options.Nodes)
        {
            NodeNetwork? network = null;
            if (options.NodeNetworks)
            {
                network = await NodeNetwork.StartAsync(
                    _nodes.Count, options.PodNetwork, options.ControlPlaneAddress, options.SandboxId, cancellationToken).ConfigureAwait(false);
                _parts.Push(network);
            }

            _nodes.Add(new ProcessNode(
                new ProcessNodeOptions
                {
                    Name = name,
                    Index = _nodes.Count,
                    Images = options.Images,
                    Directory = Path.Combine(options.Directory, "nodes", name),
                    VolumeDirectory = Path.Combine(options.Directory, "volumes"),
                    SandboxId = options.SandboxId,
                    HostsFile = hosts,
                    ApiServer = apiServer,
                    CertificateAuthority = certificateAuthority,
                    ClientAuthority = clientAuthority,
                    PodNetwork = options.PodNetwork,
                    Network = network,
                    Heartbeat = TimeSpan.FromTicks(Math.Min(TimeSpan.FromSeconds(10).Ticks, options.NodeSilence.Ticks / 5)),
                    RestartDelay = options.RestartDelay,
                    LongestRestartDelay = options.RestartDelay * 20,
                    Environment = options.Environment,
                    Time = options.Time,
                    Log = options.Log,
                },
                NewClient(name)));
        }

        await Task.WhenAll(_nodes.Select(x => x.StartAsync(cancellationToken))).ConfigureAwait(false);
    }

    public async Task<ProcessNode?> NodeOfAsync(string @namespace, string pod, CancellationToken cancellationToken)
    {
        var found = await Client.GetAsync(Kinds.Pods, @namespace, pod, cancellationToken).ConfigureAwait(false);
        var name = found.Text("spec", "nodeName");
        return _nodes.FirstOrDefault(x => x.Name == name);
    }

    /// <summary>Kills every process and stops all parts.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(x => x.DisposeAsync().AsTask())).ConfigureAwait(false);
        while (_parts.TryPop(out var part))
        {
            if (part is IAsyncDisposable slow)
                await slow.DisposeAsync().ConfigureAwait(false);
            else
                ((IDisposable)part).Dispose();
        }
    }
}
