using Agents.Kubernetes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Faults;
using KubernetesEmulator.Nodes;

namespace KubernetesEmulator;

/// <summary>A whole cluster in this process: API server, controllers, DNS, Services, and nodes that run pods as processes.</summary>
public sealed class EmulatedCluster : ICluster
{
    private readonly ClusterParts _parts;

    private EmulatedCluster(ApiServer server, string kubeConfig, ClusterParts parts) => (Server, KubeConfig, _parts) = (server, kubeConfig, parts);

    /// <summary>The API server.</summary>
    public ApiServer Server { get; }

    /// <inheritdoc/>
    public Uri ApiServer => Server.Address;

    /// <inheritdoc/>
    public string KubeConfig { get; }

    /// <inheritdoc/>
    public IKubernetesApi Client => _parts.Client;

    /// <inheritdoc/>
    public IReadOnlyList<ProcessNode> Nodes => _parts.Nodes;

    /// <inheritdoc/>
    public ApiProxy? Proxy => _parts.Proxy;

    /// <summary>Starts a cluster; when it returns, all nodes are ready.</summary>
    public static async Task<EmulatedCluster> StartAsync(ClusterOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.Directory);
        var server = await KubernetesEmulator.ApiServer.StartAsync(
            new ApiServerOptions
            {
                DataDirectory = Path.Combine(options.Directory, "api-server"),
                Address = options.ControlPlaneAddress,
                ServiceRange = options.ServiceRange,
                TimeProvider = options.Time,
                Audit = options.Audit,
            },
            cancellationToken).ConfigureAwait(false);
        var kubeConfig = Path.Combine(options.Directory, "kubeconfig");
        await WritePrivatelyAsync(kubeConfig, server.KubeConfig("admin"), cancellationToken).ConfigureAwait(false);
        var cluster = new EmulatedCluster(server, kubeConfig, new ClusterParts(kubeConfig));
        try
        {
            var parts = cluster._parts;
            parts.Add(ControllerHost.Start(
                parts.NewClient("controllers"), new ControllerOptions { NodeSilence = options.NodeSilence, Time = options.Time, Log = options.Log }));
            await parts.StartAsync(options, server.Address, server.CertificateAuthority, server.CertificateAuthority, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<ProcessNode?> NodeOfAsync(string @namespace, string pod, CancellationToken cancellationToken) =>
        _parts.NodeOfAsync(@namespace, pod, cancellationToken);

    /// <inheritdoc/>
    public Task StopApiServerAsync(CancellationToken cancellationToken) => Server.SuspendAsync();

    /// <inheritdoc/>
    public Task StartApiServerAsync(CancellationToken cancellationToken) => Server.ResumeAsync(cancellationToken);

    /// <summary>Kills every process and stops all parts.</summary>
    public async ValueTask DisposeAsync()
    {
        await _parts.DisposeAsync().ConfigureAwait(false);
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
}
