namespace Agents.Groups;

/// <summary>What an agent remembers from turn to turn. All times are monotonic.</summary>
public sealed record AgentMemory
{
    /// <summary>When the last successful acquisition or renewal of the Lease began; null before the first.</summary>
    public TimeSpan? RenewedAt { get; init; }

    /// <summary>True in the turn after a successful acquisition or renewal.</summary>
    public bool RenewedJustNow { get; init; }

    /// <summary>When the Lease was acquired; null when this process never did.</summary>
    public TimeSpan? LeadingSince { get; init; }

    /// <summary>The latest time at which the local write lease can still be valid (rule S8).</summary>
    public TimeSpan WriteLeaseEndsBy { get; init; }

    /// <summary>True when the last FAILOVER ended without an answer, so that it may still take effect.</summary>
    public bool FailoverUncertain { get; init; }

    /// <summary>Until when the agent leaves the Lease to others.</summary>
    public TimeSpan DeferUntil { get; init; }

    /// <summary>When SET (ROLE = SECONDARY) was last issued.</summary>
    public TimeSpan? RejoinedAt { get; init; }

    /// <summary>When JOIN was last tried.</summary>
    public TimeSpan? JoinTriedAt { get; init; }

    /// <summary>When joining the copy of a database was last tried.</summary>
    public TimeSpan? DatabaseTriedAt { get; init; }

    /// <summary>When the last change of the group's configuration failed; it is tried again after a pause.</summary>
    public TimeSpan? ChangeFailedAt { get; init; }

    /// <summary>The replicas that this agent last published; null before it has.</summary>
    public IReadOnlyList<string>? Published { get; init; }

    /// <summary>When it did.</summary>
    public TimeSpan? PublishedAt { get; init; }

    /// <summary>What the agent is still carrying out; null when nothing. Renewals go on beside it.</summary>
    public string? Busy { get; init; }

    /// <summary>True once the agent was asked to end.</summary>
    public bool Stopping { get; init; }
}
