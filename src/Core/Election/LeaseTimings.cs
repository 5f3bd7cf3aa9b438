namespace Agents.Election;

/// <summary>
/// The times of one availability group's election. They depend on each other, so they are checked together: see "Timing" in
/// docs/safety-rules.md for the arithmetic.
/// </summary>
public sealed record LeaseTimings
{
    /// <summary>How far any two clocks may run apart, as a fraction: ±5 %.</summary>
    public const double ClockTolerance = 0.05;

    /// <summary>Makes the record.</summary>
    /// <param name="leaseDuration"><c>L</c>: how long an unchanged Lease must be watched before it counts as expired.</param>
    /// <param name="renewPeriod">Time from the start of one renewal to the start of the next.</param>
    /// <param name="writeLeaseSeconds"><c>W</c>: WRITE_LEASE_VALIDITY, whole seconds.</param>
    /// <exception cref="ArgumentException">The times do not fit together; the message says which and why.</exception>
    public LeaseTimings(TimeSpan leaseDuration, TimeSpan renewPeriod, int writeLeaseSeconds)
    {
        LeaseDuration = leaseDuration;
        RenewPeriod = renewPeriod;
        WriteLeaseSeconds = writeLeaseSeconds;
        if (writeLeaseSeconds < 1)
            throw new ArgumentException($"the write lease must be at least 1 s, not {writeLeaseSeconds} s");
        if (renewPeriod <= TimeSpan.Zero || renewPeriod * 2 > WriteLease)
            throw new ArgumentException(
                $"the retry period must be above 0 s and at most half of the write lease of {writeLeaseSeconds} s, not {renewPeriod.TotalSeconds:0.###} s");
        if (WriteLease * 2 * (1 + ClockTolerance) > leaseDuration * (1 - ClockTolerance))
            throw new ArgumentException(
                $"twice the write lease of {writeLeaseSeconds} s must fit into the lease duration of {leaseDuration.TotalSeconds:0.###} s with clocks that "
                + $"differ by 5 %; raise the lease duration to {Math.Ceiling(writeLeaseSeconds * 2 * (1 + ClockTolerance) / (1 - ClockTolerance) * 10) / 10:0.0} s or lower the write lease");
    }

    /// <summary>7 s, 1 s, 3 s.</summary>
    public static LeaseTimings Default { get; } = new(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(1), 3);

    /// <summary><c>L</c>: how long an unchanged Lease must be watched before it counts as expired (rule S2).</summary>
    public TimeSpan LeaseDuration { get; }

    /// <summary>Time from the start of one renewal to the start of the next.</summary>
    public TimeSpan RenewPeriod { get; }

    /// <summary><c>W</c> in whole seconds, as WRITE_LEASE_VALIDITY takes it (rule S3).</summary>
    public int WriteLeaseSeconds { get; }

    /// <summary><c>W</c>.</summary>
    public TimeSpan WriteLease => TimeSpan.FromSeconds(WriteLeaseSeconds);

    /// <summary>The longest real time that a write lease of <c>W</c> lasts on an instance whose clock runs slow.</summary>
    public TimeSpan WriteLeaseAtMost => WriteLease * (1 + ClockTolerance);

    /// <summary>How long a holder may rely on the Lease, counted from the start of its last successful renewal.</summary>
    public TimeSpan Hold => LeaseDuration * (1 - ClockTolerance);

    /// <summary>
    /// Bound in milliseconds of the instance's own clock, counted from a reading taken before the renewal began, after which a write lease must not
    /// be set any more, because it would outlast <see cref="Hold"/> (rules S3 and S6).
    /// </summary>
    public long SetWithinTicks => (long)((Hold - WriteLeaseAtMost) / (1 + ClockTolerance)).TotalMilliseconds;
}
