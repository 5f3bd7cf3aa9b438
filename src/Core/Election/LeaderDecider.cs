namespace Agents.Election;

/// <summary>
/// Decides for a candidate of a plain Lease, which guards work that two may do at once without harm and only one should. Pure. An availability group's
/// Lease guards more and has rules of its own (docs/safety-rules.md).
/// </summary>
public static class LeaderDecider
{
    /// <summary>How long an unchanged Lease is watched before it counts as expired (rule S2).</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    /// <summary>How long a leader goes on after its last renewal began; the rest of the duration is for clocks that differ.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(12);

    /// <summary>Time from one renewal to the next.</summary>
    public static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(5);

    /// <summary>Pause after an attempt at the Lease that failed.</summary>
    public static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Decides.</summary>
    /// <param name="identity">Who the candidate is.</param>
    /// <param name="known">Whether the Lease has been looked at.</param>
    /// <param name="lease">The Lease as last seen; null when there was none.</param>
    /// <param name="renewedAt">When its last successful acquisition or renewal began; null before the first.</param>
    /// <param name="now">Monotonic time.</param>
    public static LeaderDecision Decide(string identity, bool known, LeaseView? lease, TimeSpan? renewedAt, TimeSpan now)
    {
        if (!known)
            return new LeaderDecision(LeaderAct.Wait, Leads: false, RetryPause);
        if (lease is null || lease.Holder.Length == 0)
            return new LeaderDecision(LeaderAct.Acquire, Leads: false, RetryPause);
        if (lease.Holder == identity)
        {
            // A process of the same pod before this one may have left it: that is renewed before anything is done.
            var age = now - renewedAt;
            return age < RenewPeriod
                ? new LeaderDecision(LeaderAct.Wait, Leads: true, RenewPeriod - age.Value)
                : new LeaderDecision(LeaderAct.Renew, Leads: age < Hold, RetryPause);
        }

        return lease.UnchangedFor >= LeaseDuration
            ? new LeaderDecision(LeaderAct.Acquire, Leads: false, RetryPause)
            : new LeaderDecision(LeaderAct.Wait, Leads: false, LeaseDuration - lease.UnchangedFor);
    }
}

/// <summary>What <see cref="LeaderDecider"/> found.</summary>
/// <param name="Act">What to do to the Lease.</param>
/// <param name="Leads">Whether the candidate may do the leader's work.</param>
/// <param name="LookAgainIn">When something becomes due by itself, at the latest.</param>
public sealed record LeaderDecision(LeaderAct Act, bool Leads, TimeSpan LookAgainIn);

/// <summary>What a candidate does to its Lease.</summary>
public enum LeaderAct
{
    /// <summary>Nothing.</summary>
    Wait,

    /// <summary>Take it; make it if there is none.</summary>
    Acquire,

    /// <summary>Renew it.</summary>
    Renew,
}
