using Agents.Observation;

namespace Agents.Groups;

/// <summary>Finds a peer among those that were asked.</summary>
public static class PeerSightings
{
    /// <summary>What came of asking the peer of that server name; null when it was not asked.</summary>
    /// <param name="peers">Sightings by server name.</param>
    /// <param name="name">Server name, in any case.</param>
    public static Sighting<PeerReplica>? Of(this IReadOnlyDictionary<string, Sighting<PeerReplica>> peers, string name) =>
        peers.FirstOrDefault(peer => GroupDirectory.Same(peer.Key, name)).Value;
}
