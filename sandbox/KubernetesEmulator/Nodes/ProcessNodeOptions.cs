using System.Net;

namespace KubernetesEmulator.Nodes;

/// <summary>How a <see cref="ProcessNode"/> runs.</summary>
public sealed record ProcessNodeOptions
{
    /// <summary>Name of the Node object.</summary>
    public required string Name { get; init; }

    /// <summary>The images this machine has.</summary>
    public required IImageStore Images { get; init; }

    /// <summary>The node's own folder: pods, logs, emptyDir volumes.</summary>
    public required string Directory { get; init; }

    /// <summary>Folders of persistent volume claims, one per claim; shared by the nodes of a cluster.</summary>
    public required string VolumeDirectory { get; init; }

    /// <summary>Marks every process as <c>SANDBOX_ID</c>.</summary>
    public required string SandboxId { get; init; }

    /// <summary>The cluster's names, handed to processes as <c>SANDBOX_HOSTS_FILE</c>, or null.</summary>
    public string? HostsFile { get; init; }

    /// <summary>The API server for processes' kubeconfig files; null writes none.</summary>
    public Uri? ApiServer { get; init; }

    /// <summary>PEM of the API server's certificate authority.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>PEM of the authority of the API server's client certificate, for which the node serves logs; null serves nobody.</summary>
    public string? ClientAuthority { get; init; }

    /// <summary>Tells the nodes of one machine apart: pod addresses come from <see cref="PodNetwork"/>'s n-th block of 256.</summary>
    public int Index { get; init; }

    /// <summary>A /16 of addresses of this machine, or of the nodes' own networks.</summary>
    public IPAddress PodNetwork { get; init; } = new([127, 80, 0, 0]);

    /// <summary>The node's own network, which it can be cut off with; null for that of this process.</summary>
    public NodeNetwork? Network { get; init; }

    /// <summary>Labels of the Node object besides the usual ones.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Time between two heartbeats; well below the time after which a silent node is given up.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The second restart of a failing container waits this long, each further one twice as long; the first does not wait.</summary>
    public TimeSpan RestartDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait before a restart.</summary>
    public TimeSpan LongestRestartDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between two attempts at what waits for somebody else, such as a Secret that does not exist yet.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Variables for every process, such as settings of the runtime.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears what the node does, one line at a time.</summary>
    public Action<string> Log { get; init; } = static _ => { };
}
