namespace Sandbox.Steps;

/// <summary>One step of the demonstration.</summary>
internal interface IStep
{
    /// <summary>Name in the output and in the report.</summary>
    string Name { get; }

    /// <summary>One sentence for the person who watches.</summary>
    string Title { get; }

    /// <summary>How long it may take.</summary>
    TimeSpan Bound { get; }

    /// <param name="progress">Told what the step does or waits for now.</param>
    /// <param name="cancellationToken">Cancelled at the bound too.</param>
    /// <exception cref="StepFailedException">The step did not hold.</exception>
    Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken);
}

/// <summary>A step did not hold; the message says why.</summary>
internal sealed class StepFailedException(string message, Findings? findings = null) : Exception(message)
{
    /// <summary>What had been found by then.</summary>
    public Findings? Findings { get; } = findings;
}
