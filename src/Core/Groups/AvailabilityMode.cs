namespace Agents.Groups;

/// <summary>Availability mode of a replica, as <c>sys.availability_replicas.availability_mode</c> encodes it.</summary>
public enum AvailabilityMode
{
    /// <summary>Commits do not wait for it; it has no vote and is never promoted.</summary>
    AsynchronousCommit = 0,

    /// <summary>Commits wait for it while it is synchronized; it votes and may be promoted.</summary>
    SynchronousCommit = 1,

    /// <summary>Keeps only the configuration; it votes and is never promoted.</summary>
    ConfigurationOnly = 4,
}

/// <summary>The names of <see cref="AvailabilityMode"/> in resources and labels.</summary>
public static class AvailabilityModes
{
    /// <summary>Whether the replica takes part in configuration commits, and so in the promotion quorum (rule S4).</summary>
    public static bool Votes(this AvailabilityMode mode) => mode is AvailabilityMode.SynchronousCommit or AvailabilityMode.ConfigurationOnly;

    /// <summary>The name used in <c>SqlServer</c> resources and labels.</summary>
    public static string ToName(this AvailabilityMode mode) => mode switch
    {
        AvailabilityMode.SynchronousCommit => "synchronousCommit",
        AvailabilityMode.AsynchronousCommit => "asynchronousCommit",
        AvailabilityMode.ConfigurationOnly => "configurationOnly",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such availability mode."),
    };

    /// <summary>Reads a name; null when it is none.</summary>
    public static AvailabilityMode? Parse(string? name) => name switch
    {
        "synchronousCommit" => AvailabilityMode.SynchronousCommit,
        "asynchronousCommit" => AvailabilityMode.AsynchronousCommit,
        "configurationOnly" => AvailabilityMode.ConfigurationOnly,
        _ => null,
    };
}
