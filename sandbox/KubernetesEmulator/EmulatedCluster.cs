using Agents.Kubernetes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Services;

namespace KubernetesEmulator;

/// <summary>How an <see cref="EmulatedCluster"/> runs.</summary>
public sealed record EmulatedClusterOptions
{
    /// <summary>Everything that is on disk: kubeconfig, nodes, volumes.</summary>
    public required string Directory { get; init; }

    /// <summary>Marks every process as <c>SANDBOX_ID</c>.</summary>
    public required string SandboxId { get; init; }

    /// <summary>The images that the nodes have.</summary>
    public required IImageStore Images { get; init; }

    /// <summary>How many nodes.</summary>
    public int Nodes { get; init; } = 3;

    /// <summary>Variables for every process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>How the controllers run.</summary>
    public ControllerOptions Controllers { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears what happens, one line at a time.</summary>
    public Action<string> Log { get; init; } = static _ => { };
}

/// <summary>An API server, its controllers, nodes that run processes, and stable addresses for Services.</summary>
public sealed class EmulatedCluster : IAsyncDisposable
{
    private readonly ApiServer _server;
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<ProcessNode> _nodes = [];

    private EmulatedCluster(ApiServer server, string kubeConfig)
    {
        _server = server;
        KubeConfigPath = kubeConfig;
        Api = Client("sandbox");
    }

    /// <summary>The API server, as an administrator.</summary>
    public IKubernetesApi Api { get; }

    /// <summary>Where the API server listens.</summary>
    public Uri Address => _server.Address;

    /// <summary>A kubeconfig of an administrator.</summary>
    public string KubeConfigPath { get; }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<ProcessNode> Nodes => _nodes;

    /// <summary>Starts everything.</summary>
    public static async Task<EmulatedCluster> StartAsync(EmulatedClusterOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var server = await ApiServer.StartAsync(
            new ApiServerOptions { DataDirectory = Path.Combine(options.Directory, "api-server"), TimeProvider = options.Time }, cancellationToken)
            .ConfigureAwait(false);
        EmulatedCluster? cluster = null;
        try
        {
            var kubeConfig = Path.Combine(options.Directory, "kubeconfig");
            await File.WriteAllTextAsync(kubeConfig, server.KubeConfig("admin", ["system:masters"]), cancellationToken).ConfigureAwait(false);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(kubeConfig, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            cluster = new EmulatedCluster(server, kubeConfig);
            await cluster.StartPartsAsync(options, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            IAsyncDisposable started = cluster is null ? server : cluster;
            await started.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The processes first: nobody is left to be told anything.
        await Task.WhenAll(_nodes.Select(x => x.DisposeAsync().AsTask())).ConfigureAwait(false);
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        (Api as IDisposable)?.Dispose();
    }

    private async Task StartPartsAsync(EmulatedClusterOptions options, CancellationToken cancellationToken)
    {
        _server.PodLogs = LogAsync;
        var hosts = Path.Combine(options.Directory, "hosts");
        await File.WriteAllTextAsync(hosts, "", cancellationToken).ConfigureAwait(false);
        _parts.Add(ControllerHost.Start(Client("controllers"), options.Controllers with { Time = options.Time, Log = options.Log }));
        _parts.Add(ClusterNames.Start(Client("cluster-names"), hosts, options.Time));
        _parts.Add(ServiceForwarder.Start(Client("service-forwarder"), options.Time, options.Log));
        for (var i = 1; i <= options.Nodes; i++)
        {
            _nodes.Add(new ProcessNode(
                new ProcessNodeOptions
                {
                    Name = $"node{i}",
                    Index = i,
                    Images = options.Images,
                    Directory = Path.Combine(options.Directory, "nodes", $"node{i}"),
                    VolumeDirectory = Path.Combine(options.Directory, "volumes"),
                    SandboxId = options.SandboxId,
                    HostsFile = hosts,
                    ApiServer = _server.Address,
                    CertificateAuthority = _server.CertificateAuthority,
                    Environment = options.Environment,
                    Time = options.Time,
                    Log = options.Log,
                },
                Client($"node{i}")));
        }

        await Task.WhenAll(_nodes.Select(x => x.StartAsync(cancellationToken))).ConfigureAwait(false);
    }

    private HttpKubernetesApi Client(string agent) =>
        new(KubernetesConfiguration.FromFile(KubeConfigPath), TimeProvider.System, new Random(), agent);

    private async Task LogAsync(PodLogRequest request, Stream output, CancellationToken cancellationToken)
    {
        var node = _nodes.Find(x => x.Name == request.Node) ?? throw new FileNotFoundException($"There is no node {request.Node}.");
        await foreach (var block in node.ReadLogAsync(
            request.Namespace, request.Pod, request.Container, request.Follow, request.TailLines, request.Previous, cancellationToken)
            .ConfigureAwait(false))
        {
            await output.WriteAsync(block, cancellationToken).ConfigureAwait(false);
        }
    }
}
