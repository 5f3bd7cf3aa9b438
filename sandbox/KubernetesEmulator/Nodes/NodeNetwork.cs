using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// A network namespace for one node. The addresses of its pods are local inside; everything else is reached through the cluster's namespace, which is
/// the one of this process and forwards. Both ends of the link know the other's hardware address for good, so that a cut is to put one there
/// that nobody has: nothing is refused and nothing is unreachable, packets just vanish. The namespace ends with its last process.
/// </summary>
public sealed class NodeNetwork : IAsyncDisposable
{
    private const string Gateway = "169.254.0.1";
    private const string Void = "169.254.0.9";
    private const string Nobody = "02:00:00:00:00:ff";

    private readonly Process _holder;
    private readonly SafeFileHandle _namespace;
    private readonly int _index;
    private readonly IPAddress _cluster;
    private readonly IPNetwork _pods;

    private NodeNetwork(Process holder, int index, IPAddress cluster, IPAddress pods)
    {
        (_holder, _index, _cluster, _pods) = (holder, index, cluster, new IPNetwork(pods, 16));
        Path = $"/proc/{holder.Id}/ns/net";
        _namespace = Open(Path);
    }

    /// <summary>Path of the namespace, for <c>nsenter</c>.</summary>
    public string Path { get; }

    private string Link => $"node{_index}";

    private string ClusterSide => $"02:00:00:00:{_index:x2}:01";

    private string NodeSide => $"02:00:00:00:{_index:x2}:02";

    private string Peer => $"169.254.{_index + 1}.2";

    /// <summary>Makes the namespace.</summary>
    /// <param name="index">Which 256 of the pods' addresses are local inside.</param>
    /// <param name="pods">A /16 for the pods of all nodes.</param>
    /// <param name="cluster">Address of the cluster's namespace.</param>
    /// <param name="sandboxId">Marks the process that holds the namespace as <c>SANDBOX_ID</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">This process may not, or lacks a program for it.</exception>
    public static async Task<NodeNetwork> StartAsync(int index, IPAddress pods, IPAddress cluster, string sandboxId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pods);
        var start = new ProcessStartInfo("unshare")
        {
            ArgumentList = { "--net", "sh", "-c", "echo; exec cat" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["SANDBOX_ID"] = sandboxId },
        };
        var holder = Process.Start(start)!;
        try
        {
            if (await holder.StandardOutput.ReadLineAsync(cancellationToken).ConfigureAwait(false) is null)
                throw new IOException("No network namespace could be made.");
            var network = new NodeNetwork(holder, index, cluster, pods);
            var block = pods.GetAddressBytes();
            var prefix = $"{block[0]}.{block[1]}.{block[2] + index}";
            await RunAsync(
                $"""
                 ip link add {network.Link} address {network.ClusterSide} type veth peer name eth0 address {network.NodeSide} netns {holder.Id}
                 ip link set {network.Link} up
                 """,
                cancellationToken).ConfigureAwait(false);
            await network.RunInsideAsync(
                $"""
                 ip link set lo up
                 ip link set eth0 up
                 ip address add {prefix}.1/32 dev eth0
                 ip route add local {prefix}.0/24 dev lo
                 ip neighbour replace {Gateway} lladdr {network.ClusterSide} nud permanent dev eth0
                 ip neighbour replace {Void} lladdr {Nobody} nud permanent dev eth0
                 ip route add default via {Gateway} dev eth0 onlink
                 """,
                cancellationToken).ConfigureAwait(false);
            await RunAsync(
                $"""
                 ip neighbour replace {network.Peer} lladdr {network.NodeSide} nud permanent dev {network.Link}
                 ip route add {prefix}.0/24 via {network.Peer} dev {network.Link} onlink src {cluster} table local
                 """,
                cancellationToken).ConfigureAwait(false);
            return network;
        }
        catch
        {
            holder.Kill();
            holder.Dispose();
            throw;
        }
    }

    /// <summary>Has packets vanish.</summary>
    public Task CutAsync(NodeCut cut, CancellationToken cancellationToken) => cut switch
    {
        NodeCut.Everybody => LinkAsync(Nobody, Nobody, cancellationToken),
        NodeCut.ApiServer => RunInsideAsync($"ip route replace {_cluster}/32 via {Void} dev eth0 onlink", cancellationToken),
        NodeCut.Peers => RunInsideAsync(
            $"""
             ip route replace {_cluster}/32 via {Gateway} dev eth0 onlink
             ip route replace {_pods} via {Void} dev eth0 onlink
             """,
            cancellationToken),
        _ => throw new UnreachableException(),
    };

    /// <summary>Ends every cut.</summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        await RunInsideAsync(
            $"""
             ip route flush {_cluster}/32
             ip route flush exact {_pods}
             """,
            cancellationToken).ConfigureAwait(false);
        await LinkAsync(ClusterSide, NodeSide, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A socket that lives in the namespace, as those of the node's kubelet do.</summary>
    public Socket NewSocket() => Inside(static () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _namespace.Dispose();
        _holder.StandardInput.Close();
        await _holder.WaitForExitAsync().ConfigureAwait(false);
        _holder.Dispose();
    }

    /// <summary>Calls <paramref name="make"/> with this thread in the namespace.</summary>
    internal T Inside<T>(Func<T> make)
    {
        using var own = Open("/proc/thread-self/ns/net");
        Posix.EnterNetwork(_namespace);
        try
        {
            return make();
        }
        finally
        {
            Posix.EnterNetwork(own);
        }
    }

    private static SafeFileHandle Open(string path) => File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);

    private async Task LinkAsync(string clusterSide, string nodeSide, CancellationToken cancellationToken)
    {
        await RunAsync($"ip neighbour replace {Peer} lladdr {nodeSide} nud permanent dev {Link}", cancellationToken).ConfigureAwait(false);
        await RunInsideAsync($"ip neighbour replace {Gateway} lladdr {clusterSide} nud permanent dev eth0", cancellationToken).ConfigureAwait(false);
    }

    private Task RunInsideAsync(string script, CancellationToken cancellationToken) =>
        RunAsync("nsenter", [$"--net={Path}", "sh", "-ec", script], cancellationToken);

    private static Task RunAsync(string script, CancellationToken cancellationToken) => RunAsync("sh", ["-ec", script], cancellationToken);

    private static async Task RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new IOException($"The network of a node: {errors.Trim()}");
    }
}
