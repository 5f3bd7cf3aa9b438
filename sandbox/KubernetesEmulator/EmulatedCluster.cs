using Agents.Kubernetes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;
using KubernetesEmulator.Services;

namespace KubernetesEmulator;

/// <summary>A whole cluster in this process: API server, controllers, DNS, Services, and nodes that run pods as processes.</summary>
public sealed class EmulatedCluster : IAsyncDisposable
{
    private readonly Stack<object> _parts = new();
    private readonly List<ProcessNode> _nodes = [];

    private EmulatedCluster(ApiServer server, string kubeConfig, string hostsFile, string sandboxId)
    {
        (Server, KubeConfig, HostsFile, SandboxId) = (server, kubeConfig, hostsFile, sandboxId);
        Client = NewClient("sandbox");
    }

    /// <summary>The API server.</summary>
    public ApiServer Server { get; }

    /// <summary>Path of an administrator's kubeconfig file.</summary>
    public string KubeConfig { get; }

    /// <summary>Path of the hosts file that stands for cluster DNS.</summary>
    public string HostsFile { get; }

    /// <summary>Every process of the cluster carries it as <c>SANDBOX_ID</c>.</summary>
    public string SandboxId { get; }

    /// <summary>An administrator's client.</summary>
    public IKubernetesApi Client { get; }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<ProcessNode> Nodes => _nodes;

    /// <summary>Starts a cluster; when it returns, all nodes are ready.</summary>
    public static async Task<EmulatedCluster> StartAsync(EmulatedClusterOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.Directory);
        var server = await ApiServer.StartAsync(
            new ApiServerOptions
            {
                Port = options.ApiPort,
                DataDirectory = Path.Combine(options.Directory, "api-server"),
                ServiceRange = options.ServiceRange,
                TimeProvider = options.Time,
            },
            cancellationToken).ConfigureAwait(false);
        var kubeConfig = Path.Combine(options.Directory, "kubeconfig");
        await WritePrivatelyAsync(kubeConfig, server.KubeConfig("admin"), cancellationToken).ConfigureAwait(false);
        var cluster = new EmulatedCluster(server, kubeConfig, Path.Combine(options.Directory, "hosts"), options.SandboxId);
        try
        {
            await cluster.AssembleAsync(options, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The node that a pod is bound to, or null.</summary>
    public async Task<ProcessNode?> NodeOfAsync(string @namespace, string pod, CancellationToken cancellationToken)
    {
        var found = await Client.GetAsync(Kinds.Pods, @namespace, pod, cancellationToken).ConfigureAwait(false);
        var name = found.Text("spec", "nodeName");
        return _nodes.FirstOrDefault(x => x.Name == name);
    }

    /// <summary>Kills every process and stops all parts.</summary>
    public async ValueTask DisposeAsync()
    {
        Server.PodLogs = null;
        await Task.WhenAll(_nodes.Select(x => x.DisposeAsync().AsTask())).ConfigureAwait(false);
        while (_parts.TryPop(out var part))
        {
            if (part is IAsyncDisposable slow)
                await slow.DisposeAsync().ConfigureAwait(false);
            else
                ((IDisposable)part).Dispose();
        }

        await Server.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task WritePrivatelyAsync(string path, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new StreamWriter(path, options);
        await file.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
    }

    private HttpKubernetesApi NewClient(string name)
    {
        var client = new HttpKubernetesApi(KubernetesConfiguration.FromFile(KubeConfig), TimeProvider.System, new Random(), name);
        _parts.Push(client);
        return client;
    }

    private async Task AssembleAsync(EmulatedClusterOptions options, CancellationToken cancellationToken)
    {
        _parts.Push(ClusterNames.Start(NewClient("dns"), HostsFile, options.Time));
        _parts.Push(ControllerHost.Start(NewClient("controllers"), options.Controllers with { Time = options.Time, Log = options.Log }));
        _parts.Push(ServiceForwarder.Start(NewClient("services"), options.Time, options.Log));
        foreach (var name in options.Nodes)
        {
            _nodes.Add(new ProcessNode(
                new ProcessNodeOptions
                {
                    Name = name,
                    Index = _nodes.Count,
                    Images = options.Images,
                    Directory = Path.Combine(options.Directory, "nodes", name),
                    VolumeDirectory = Path.Combine(options.Directory, "volumes"),
                    SandboxId = options.SandboxId,
                    HostsFile = HostsFile,
                    ApiServer = Server.Address,
                    CertificateAuthority = Server.CertificateAuthority,
                    PodNetwork = options.PodNetwork,
                    RestartDelay = options.RestartDelay,
                    Environment = options.Environment,
                    Time = options.Time,
                    Log = options.Log,
                },
                NewClient(name)));
        }

        Server.PodLogs = WriteLogAsync;
        await Task.WhenAll(_nodes.Select(x => x.StartAsync(cancellationToken))).ConfigureAwait(false);
    }

    private async Task WriteLogAsync(PodLogRequest request, Stream output, CancellationToken cancellationToken)
    {
        var node = _nodes.FirstOrDefault(x => x.Name == request.Node) ?? throw new FileNotFoundException($"There is no node {request.Node}.");
        var blocks = node.ReadLogAsync(
            request.Namespace, request.Pod, request.Container, request.Follow, request.TailLines, request.Previous, cancellationToken);
        await foreach (var block in blocks.ConfigureAwait(false))
            await output.WriteAsync(block, cancellationToken).ConfigureAwait(false);
    }
}
