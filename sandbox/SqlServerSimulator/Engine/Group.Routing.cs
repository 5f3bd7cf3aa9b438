namespace SqlServerSimulator.Engine;

/// <summary>Which replica serves a client that came to another.</summary>
internal sealed partial class Group
{
    private int _routed;

    /// <summary>On a primary: the replica for a client that only reads; null when the routing list has none that can be read now.</summary>
    /// <remarks>Of the first set that has any, one after the other.</remarks>
    public ReplicaConfiguration? Reader(Guid database)
    {
        foreach (var set in Local.ReadOnlyRoutingList)
        {
            var readable = set.Select(Configuration.Replica).OfType<ReplicaConfiguration>().Where(replica => IsReadable(replica, database)).ToList();
            if (readable.Count > 0)
            {
                return readable[_routed++ % readable.Count];
            }
        }

        return null;
    }

    private bool IsReadable(ReplicaConfiguration replica, Guid database) =>
        replica.Id == File.LocalReplica
            ? replica.PrimaryConnections == PrimaryConnections.All
            : replica is { ReadOnlyRoutingUrl.Length: > 0, SecondaryConnections: not SecondaryConnections.No }
                && Peers.GetValueOrDefault(replica.Id) is { Up: true, IsMember: true, Following: true } peer
                && peer.Copy(database) is { Streaming: true, SeedingTarget: null };
}
