using Agents.Election;

namespace Agents.Groups;

/// <summary>What an agent was configured with.</summary>
/// <param name="Group">Name of the availability group.</param>
/// <param name="Identity">Who the agent is.</param>
/// <param name="Timings">Times of the election.</param>
public sealed record GroupSettings(string Group, AgentIdentity Identity, LeaseTimings Timings)
{
    /// <summary>How long a configuration change may stay unconfirmed before the primary steps down.</summary>
    public TimeSpan CommitPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a holder tries to become primary before it lets others try.</summary>
    public TimeSpan PromotionPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an agent that gave the Lease up leaves it to others.</summary>
    public TimeSpan Deferral { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a released Lease is kept for the successor named in it.</summary>
    public TimeSpan SuccessorGrace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause between two tries to join a copy of a database that may need a person.</summary>
    public TimeSpan DatabasePause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause between two tries to rejoin or to join, and after a failed change of configuration.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(3);
}
