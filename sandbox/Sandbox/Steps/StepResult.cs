namespace Sandbox.Steps;

/// <summary>What a step found.</summary>
/// <param name="Primary">The primary at its end.</param>
/// <param name="WriteGap">Last acknowledged write before the disturbance to the first one after it.</param>
/// <param name="Lost">Acknowledged writes that the primary does not have.</param>
internal sealed record Findings(string Primary, TimeSpan? WriteGap, int Lost)
{
    /// <summary>What pods asked of the API server meanwhile; null where nobody counted.</summary>
    public Traffic? Traffic { get; init; }
}

/// <summary>How a step ended.</summary>
internal enum StepEnd
{
    /// <summary>It held.</summary>
    Held,

    /// <summary>It did not hold.</summary>
    Failed,

    /// <summary>An earlier step failed, or the run was stopped.</summary>
    NotRun,
}

/// <summary>One step of the demonstration, done.</summary>
/// <param name="Name">Its name.</param>
/// <param name="End">How it ended.</param>
/// <param name="Findings">What it found, as far as it came.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Reason">Why it failed or did not run; null when it held.</param>
internal sealed record StepResult(string Name, StepEnd End, Findings? Findings, TimeSpan Took, string? Reason)
{
    public bool Ok => End == StepEnd.Held;
}
