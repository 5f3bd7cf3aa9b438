using Agents.Kubernetes;
using KubernetesEmulator.Faults;
using KubernetesEmulator.Nodes;

namespace KubernetesEmulator.ControlPlane;

/// <summary>
/// A cluster with the real control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler. Ours are only the nodes, DNS, the Services'
/// addresses and the volumes. The addresses of pods and Services must belong to this machine and must not be loopback ones, because
/// kube-apiserver refuses those in Endpoints: it runs in a network namespace that has them.
/// </summary>
public sealed class ControlPlaneCluster : ICluster
{
    private const string ApiServerName = "kube-apiserver";

    private readonly ControlPlaneProcess _process;
    private readonly ClusterParts _parts;

    private ControlPlaneCluster(ControlPlaneProcess process, Uri apiServer)
    {
        _process = process;
        ApiServer = apiServer;
        _parts = new ClusterParts(process.KubeConfig);
    }

    /// <inheritdoc/>
    public Uri ApiServer { get; }

    /// <inheritdoc/>
    public string KubeConfig => _process.KubeConfig;

    /// <inheritdoc/>
    public IKubernetesApi Client => _parts.Client;

    /// <inheritdoc/>
    public IReadOnlyList<ProcessNode> Nodes => _parts.Nodes;

    /// <inheritdoc/>
    public ApiProxy? Proxy => _parts.Proxy;

    /// <summary>Starts a cluster; when it returns, all nodes are ready.</summary>
    /// <param name="options">How it is set up.</param>
    /// <param name="script">Path of <c>eng/control-plane</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlPlaneException">The control plane did not start.</exception>
    public static async Task<ControlPlaneCluster> StartAsync(ClusterOptions options, string script, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.Directory);
        var folder = Path.Combine(options.Directory, "control-plane");
        var environment = new Dictionary<string, string>
        {
            ["LISTEN"] = options.ControlPlaneAddress.ToString(),
            ["SERVICE_CIDR"] = options.ServiceRange.ToString(),
            ["NODE_SILENCE"] = $"{(int)options.NodeSilence.TotalSeconds}s",
        };
        var process = await ControlPlaneProcess.StartAsync(script, folder, environment, cancellationToken).ConfigureAwait(false);
        ControlPlaneCluster? cluster = null;
        try
        {
            cluster = new ControlPlaneCluster(process, KubernetesConfiguration.FromFile(process.KubeConfig).Server);
            var parts = cluster._parts;
            parts.Add(await VolumeProvisioner.StartAsync(
                parts.NewClient("volumes"), Path.Combine(options.Directory, "volumes"), options.Time, options.Log, cancellationToken).ConfigureAwait(false));
            var authority = await File.ReadAllTextAsync(Path.Combine(folder, "ca.crt"), cancellationToken).ConfigureAwait(false);
            await parts.StartAsync(options, cluster.ApiServer, authority, authority, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            if (cluster is not null)
                await cluster.DisposeAsync().ConfigureAwait(false);
            else
                await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<ProcessNode?> NodeOfAsync(string @namespace, string pod, CancellationToken cancellationToken) =>
        _parts.NodeOfAsync(@namespace, pod, cancellationToken);

    /// <inheritdoc/>
    public Task StopApiServerAsync(CancellationToken cancellationToken) => _process.CommandAsync("stop", ApiServerName, cancellationToken);

    /// <inheritdoc/>
    public Task StartApiServerAsync(CancellationToken cancellationToken) => _process.CommandAsync("start", ApiServerName, cancellationToken);

    /// <summary>Kills every process and stops all parts.</summary>
    public async ValueTask DisposeAsync()
    {
        await _parts.DisposeAsync().ConfigureAwait(false);
        await _process.DisposeAsync().ConfigureAwait(false);
    }
}
