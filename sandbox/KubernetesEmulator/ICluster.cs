using Agents.Kubernetes;
using KubernetesEmulator.Faults;
using KubernetesEmulator.Nodes;

namespace KubernetesEmulator;

/// <summary>
/// A cluster whose nodes run pods as processes of this machine: with an API server and controllers of our own (<see cref="EmulatedCluster"/>), or
/// with the real ones (<see cref="ControlPlane.ControlPlaneCluster"/>).
/// </summary>
public interface ICluster : IAsyncDisposable
{
    /// <summary>Address of the API server.</summary>
    Uri ApiServer { get; }

    /// <summary>Path of an administrator's kubeconfig file.</summary>
    string KubeConfig { get; }

    /// <summary>An administrator's client.</summary>
    IKubernetesApi Client { get; }

    /// <summary>The nodes.</summary>
    IReadOnlyList<ProcessNode> Nodes { get; }

    /// <summary>What is between the pods and the API server, with <see cref="ClusterOptions.Proxied"/>; null otherwise.</summary>
    ApiProxy? Proxy { get; }

    /// <summary>The node that a pod is bound to, or null.</summary>
    Task<ProcessNode?> NodeOfAsync(string @namespace, string pod, CancellationToken cancellationToken);

    /// <summary>Has every packet between a node and others vanish, until <see cref="HealNodeAsync"/>. The node's processes live on.</summary>
    /// <exception cref="InvalidOperationException">The nodes have no networks of their own.</exception>
    Task CutNodeAsync(string node, NodeCut cut, CancellationToken cancellationToken) => Nodes.Single(x => x.Name == node).CutAsync(cut, cancellationToken);

    /// <summary>Ends every cut of a node.</summary>
    /// <exception cref="InvalidOperationException">The nodes have no networks of their own.</exception>
    Task HealNodeAsync(string node, CancellationToken cancellationToken) => Nodes.Single(x => x.Name == node).HealAsync(cancellationToken);

    /// <summary>Ends the API server's process, or what stands for it; its objects stay.</summary>
    Task StopApiServerAsync(CancellationToken cancellationToken);

    /// <summary>Starts the API server again, at the same address; returns when it answers.</summary>
    Task StartApiServerAsync(CancellationToken cancellationToken);
}
