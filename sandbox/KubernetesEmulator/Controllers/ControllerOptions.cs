namespace KubernetesEmulator.Controllers;

/// <summary>How <see cref="ControllerHost"/> runs.</summary>
public sealed record ControllerOptions
{
    /// <summary>A node whose Lease stays unchanged for so long is Unknown.</summary>
    public TimeSpan NodeSilence { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pods of a node that has been Unknown for so long are deleted; null leaves them.</summary>
    public TimeSpan? Eviction { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A Job's second attempt waits this long, each further one twice as long.</summary>
    public TimeSpan JobDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears what went wrong, one line at a time.</summary>
    public Action<string> Log { get; init; } = static _ => { };
}
