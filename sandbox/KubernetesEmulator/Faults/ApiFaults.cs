namespace KubernetesEmulator.Faults;

/// <summary>What an <see cref="ApiProxy"/> does to the requests that come by. Shares are between 0 and 1.</summary>
public sealed record ApiFaults
{
    /// <summary>Everything passes.</summary>
    public static ApiFaults None { get; } = new();

    /// <summary>Each request waits so long before it is passed on.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Share of replacements and patches that are refused with 409, as if somebody else had been faster.</summary>
    public double Conflicts { get; init; }

    /// <summary>Share of requests that are answered with 429 and <c>Retry-After: 1</c>.</summary>
    public double TooMany { get; init; }

    /// <summary>Share of requests that are answered with 500.</summary>
    public double Errors { get; init; }

    /// <summary>Share of requests whose connection is reset: half of them before they are passed on, half of them after.</summary>
    public double Resets { get; init; }

    /// <summary>Watches end so long after they began, with 410 in the stream; null lets them live.</summary>
    public TimeSpan? WatchLife { get; init; }

    /// <summary>Requests are taken and never answered, and watches hear nothing more.</summary>
    public bool Silent { get; init; }
}
