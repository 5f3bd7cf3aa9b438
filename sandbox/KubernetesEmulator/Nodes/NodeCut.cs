namespace KubernetesEmulator.Nodes;

/// <summary>From whom a node is cut off. Packets vanish, in silence; the node itself and its pods live on.</summary>
public enum NodeCut
{
    /// <summary>From everybody.</summary>
    Everybody,

    /// <summary>From the API server: neither the node nor its pods reach it.</summary>
    ApiServer,

    /// <summary>From the pods of other nodes; Services still answer.</summary>
    Peers,
}
