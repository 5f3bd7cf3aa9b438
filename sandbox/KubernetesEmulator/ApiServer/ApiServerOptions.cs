using System.Net;
using KubernetesEmulator.Security;

namespace KubernetesEmulator;

/// <summary>How an <see cref="ApiServer"/> is set up.</summary>
public sealed class ApiServerOptions
{
    /// <summary>Address to listen on.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port to listen on; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Where the certificate authority is kept, so that a later server has the same; null keeps nothing. Objects live in memory only.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Range of cluster IPs; nodes must be able to listen there.</summary>
    public IPNetwork ServiceRange { get; init; } = IPNetwork.Parse("127.96.0.0/16");

    /// <summary>Hears of each request what was decided about it.</summary>
    public Action<Identity, AccessRequest, AccessDecision>? Audit { get; init; }

    /// <summary>How many changes of each collection a watch can resume over.</summary>
    public int WatchHistory { get; init; } = 2048;
}
