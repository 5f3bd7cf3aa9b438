namespace Agents.Observation;

/// <summary>Monotonic time.</summary>
public static class MonotonicTime
{
    /// <summary>Time since some fixed moment, by a clock that nobody sets. It goes on while the process is paused.</summary>
    public static TimeSpan Monotonic(this TimeProvider time) => time.GetElapsedTime(0);
}
