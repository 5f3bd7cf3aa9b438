using System.Net;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Security;

namespace KubernetesEmulator;

/// <summary>How a cluster on this machine is set up.</summary>
public sealed record ClusterOptions
{
    /// <summary>Folder for everything the cluster keeps.</summary>
    public required string Directory { get; init; }

    /// <summary>The images that nodes have.</summary>
    public required IImageStore Images { get; init; }

    /// <summary>Names of the nodes.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = ["node-1", "node-2", "node-3"];

    /// <summary>Marks every process as <c>SANDBOX_ID</c>.</summary>
    public string SandboxId { get; init; } = Guid.NewGuid().ToString();

    /// <summary>A /16 of addresses of this machine for pods. Clusters of one machine must not share it.</summary>
    public IPAddress PodNetwork { get; init; } = new([127, 80, 0, 0]);

    /// <summary>Addresses of this machine for Services. Clusters of one machine must not share them.</summary>
    public IPNetwork ServiceRange { get; init; } = IPNetwork.Parse("127.96.0.0/16");

    /// <summary>Whether pods reach the API server through an <see cref="Faults.ApiProxy"/>.</summary>
    public bool Proxied { get; init; }

    /// <summary>
    /// Whether each node has a network namespace of its own, so that it can be cut off. The cluster must run in one that has the addresses of pods and
    /// Services, forwards, and is its own to change.
    /// </summary>
    public bool NodeNetworks { get; init; }

    /// <summary>Where the control plane listens: an address that all nodes reach.</summary>
    public IPAddress ControlPlaneAddress =>
        NodeNetworks && PodNetwork.GetAddressBytes() is [var a, var b, ..] ? new IPAddress([a, b, 255, 1]) : IPAddress.Loopback;

    /// <summary>A node whose Lease stays unchanged for so long is Unknown.</summary>
    public TimeSpan NodeSilence { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The second restart of a failing container waits this long, each further one twice as long, up to twenty times this.</summary>
    public TimeSpan RestartDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Variables for every process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears of each request to our own API server what was decided about it.</summary>
    public Action<Identity, AccessRequest, AccessDecision>? Audit { get; init; }

    /// <summary>Hears what the parts report, one line at a time.</summary>
    public Action<string> Log { get; init; } = static _ => { };
}
