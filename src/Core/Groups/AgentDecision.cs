namespace Agents.Groups;

/// <summary>The one thing an agent does in a turn.</summary>
/// <param name="Because">The reason, for people; it reaches the log.</param>
public abstract record AgentDecision(string Because)
{
    /// <summary>Nothing to do.</summary>
    /// <param name="Because">The reason.</param>
    /// <param name="Settled">True when all is as it should be, so that there is no hurry to look again.</param>
    public sealed record Wait(string Because, bool Settled = false) : AgentDecision(Because);

    /// <summary>Take the Lease by compare-and-swap on <paramref name="ResourceVersion"/>; null creates it.</summary>
    public sealed record AcquireLease(string? ResourceVersion, string Because) : AgentDecision(Because);

    /// <summary>Renew the Lease, and after that extend the local write lease if <paramref name="ExtendWriteLease"/>.</summary>
    /// <param name="ResourceVersion">Version to swap.</param>
    /// <param name="ExtendWriteLease">True on a primary.</param>
    /// <param name="SetWithin">Bound on the instance's own clock for extending (rule S3).</param>
    /// <param name="Because">The reason.</param>
    public sealed record RenewLease(string ResourceVersion, bool ExtendWriteLease, long SetWithin, string Because) : AgentDecision(Because);

    /// <summary>Give the Lease up early, with proof that the local engine cannot write (rule S8).</summary>
    /// <param name="ResourceVersion">Version to swap.</param>
    /// <param name="Successor">Pod that should take it; empty for anybody.</param>
    /// <param name="Because">The reason, proof included.</param>
    public sealed record ReleaseLease(string ResourceVersion, string Successor, string Because) : AgentDecision(Because);

    /// <summary>Note that this member creates the group, then create it with the local replica alone.</summary>
    public sealed record CreateGroup(GroupMember Self, string Because) : AgentDecision(Because);

    /// <summary>Add a member as a replica.</summary>
    public sealed record AddReplica(GroupMember Member, string Because) : AgentDecision(Because);

    /// <summary>Remove a replica, as its <c>SqlServer</c> is deleted or no longer lists the group.</summary>
    public sealed record RemoveReplica(string Name, string Because) : AgentDecision(Because);

    /// <summary>Make a replica synchronous or asynchronous.</summary>
    public sealed record ModifyMode(GroupMember Member, string Because) : AgentDecision(Because);

    /// <summary>Drop a copy of the group that its primary no longer knows, or, as the last replica that leaves, the group.</summary>
    public sealed record DropGroup(bool Dissolve, string Because) : AgentDecision(Because);

    /// <summary>Publish which replicas are in the catalog; none when the group is dissolved.</summary>
    public sealed record PublishReplicas(IReadOnlyList<string> Names, string Because) : AgentDecision(Because);

    /// <summary>End this agent: its instance has left the group.</summary>
    public sealed record End(string Because) : AgentDecision(Because);

    /// <summary>Point a replica to its present endpoint.</summary>
    public sealed record ModifyEndpoint(GroupMember Member, string Because) : AgentDecision(Because);

    /// <summary>Set REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT.</summary>
    public sealed record SetRequiredSecondaries(int Required, string Because) : AgentDecision(Because);

    /// <summary>Join the local instance to the group as a secondary.</summary>
    public sealed record JoinGroup(string Because) : AgentDecision(Because);

    /// <summary>Join the copy of a database that this instance kept from when it left the group.</summary>
    public sealed record JoinDatabase(string Name, string Because) : AgentDecision(Because);

    /// <summary>Make the local replica follow the primary.</summary>
    public sealed record BecomeSecondary(string Because) : AgentDecision(Because);

    /// <summary>Make the local replica primary.</summary>
    /// <param name="SetWithin">Bound on the instance's own clock after which it must not be tried any more (rule S6).</param>
    /// <param name="Because">The reason.</param>
    public sealed record Promote(long SetWithin, string Because) : AgentDecision(Because);

    /// <summary>Take the local primary offline and wait until it is RESOLVING (rule S7).</summary>
    public sealed record StepDown(string Because) : AgentDecision(Because);

    /// <summary>
    /// Take the local primary offline, see it RESOLVING, and release the Lease for a successor. <paramref name="RequestId"/> is the failover
    /// request that asked for it; null when the agent is ending.
    /// </summary>
    public sealed record HandOver(string Successor, string? RequestId, string Because) : AgentDecision(Because);

    /// <summary>Answer a failover request.</summary>
    public sealed record Answer(FailoverResult Result, string Because) : AgentDecision(Because);

    /// <summary>Set or, with null, remove the role label of a pod (rule S9).</summary>
    public sealed record SetRoleLabel(string Pod, string? Role, string Because) : AgentDecision(Because);
}
