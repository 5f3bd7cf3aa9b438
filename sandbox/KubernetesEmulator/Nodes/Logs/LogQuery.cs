namespace KubernetesEmulator.Nodes;

/// <summary>Which part of a container's log is wanted, and how.</summary>
public sealed record LogQuery
{
    /// <summary>Go on until this run of the container ends.</summary>
    public bool Follow { get; init; }

    /// <summary>The run before the present one.</summary>
    public bool Previous { get; init; }

    /// <summary>Only so many last lines, or null for all.</summary>
    public int? TailLines { get; init; }

    /// <summary>Only lines that were written then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether each line begins with its time.</summary>
    public bool Timestamps { get; init; }
}
