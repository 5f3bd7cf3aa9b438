namespace Agents.Groups;

/// <summary>Role of a replica, as <c>sys.dm_hadr_availability_replica_states.role</c> encodes it.</summary>
public enum ReplicaRole
{
    /// <summary>Neither: after a restart, after OFFLINE, or while a change of role is under way.</summary>
    Resolving = 0,

    /// <summary>Accepts writes, as long as its write lease lasts.</summary>
    Primary = 1,

    /// <summary>Follows a primary.</summary>
    Secondary = 2,
}
