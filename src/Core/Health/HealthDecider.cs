using System.Diagnostics;

namespace Agents.Health;

/// <summary>
/// Judges an instance by the levels of <c>monitorPolicy</c>: 1 it is down, 2 it sends no diagnostics, 3 to 5 a component reports an error. A
/// level counts when the policy is at or above it; 0 counts nothing.
/// </summary>
public static class HealthDecider
{
    private static readonly (int Level, string Component)[] Components = [(3, "system"), (4, "resource"), (5, "query_processing")];

    /// <summary>Judges.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="policy">What is tolerated.</param>
    public static HealthVerdict Decide(HealthFacts facts, HealthPolicy policy)
    {
        if (policy.Level <= 0)
            return Well("monitoring is off (monitorPolicy 0)");

        // Before the first contact nothing is known that a restart could cure; the startup probe decides how long that may take.
        if (facts.Contact is NeverReached never)
            return new HealthVerdict(HealthState.Unknown, IsAlive: false, $"not connected yet: {never.Why}");

        // A server that answers is there. A wrong password or a missing permission is not cured by a restart, and while credentials are
        // rotated a restart would turn a minute's mismatch into an outage.
        if (facts.Contact is Declined declined)
            return new HealthVerdict(HealthState.Unknown, IsAlive: true, $"the instance answers, but its health is not known: {declined.Why}");

        if (facts.Contact is Lost gone && gone.For >= policy.LostFor)
            return Ill(1, $"no contact for {Seconds(gone.For)}: {gone.Why}");
        if (facts.Silence is { } silence && silence >= policy.SilentFor && policy.Level >= 2)
            return Ill(2, $"no diagnostics for {Seconds(silence)}");
        if (facts.Contact is Lost lost)
            return new HealthVerdict(
                HealthState.Unknown, IsAlive: true, $"no contact for {Seconds(lost.For)}, which is given {Seconds(policy.LostFor)}: {lost.Why}");

        if (facts.Contact is not Connected)
            throw new UnreachableException();
        if (facts.Report is not { } report)
            return new HealthVerdict(HealthState.Unknown, IsAlive: true, "connected; no diagnostics yet");
        foreach (var (level, component) in Components)
            if (policy.Level >= level && Complaint(report[component]) is { } complaint)
                return Ill(level, $"{component} {complaint}");
        var ignored = Components.Where(c => policy.Level < c.Level && report[c.Component] == ComponentState.Error).Select(c => c.Component).ToArray();
        return Well(ignored.Length == 0 ? "connected; diagnostics are clean enough" : $"connected; not counted: {string.Join(", ", ignored)} in error");
    }

    // What is not reported is not known to be well; the policy asks for it to be known.
    private static string? Complaint(ComponentState state) => state switch
    {
        ComponentState.Error => "is in error",
        ComponentState.Missing => "is not reported",
        _ => null,
    };

    private static HealthVerdict Well(string because) => new(HealthState.Healthy, IsAlive: true, because);

    private static HealthVerdict Ill(int level, string because) => new(HealthState.Unhealthy, IsAlive: false, $"level {level}: {because}");

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0} s");
}
