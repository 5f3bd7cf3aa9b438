namespace Sandbox.Scenarios;

/// <summary>What goes wrong in the middle of a scenario.</summary>
/// <param name="Name">Its name on the command line, after the scenario's and a plus.</param>
/// <param name="Title">What happens, for the person who watches.</param>
/// <param name="Begin">Does it; returns when it is over, or lasting.</param>
internal sealed record Disturbance(string Name, string Title, Func<Trial, Action<string>, CancellationToken, Task> Begin)
{
    /// <summary>Ends what lasts; called before the last checks.</summary>
    public Func<Trial, Action<string>, CancellationToken, Task> End { get; init; } = static (_, _, _) => Task.CompletedTask;

    /// <summary>It holds before the scenario acts and until calm, instead of striking while the scenario acts.</summary>
    public bool Lasts { get; init; }

    /// <summary>How much longer than alone a scenario may take with it.</summary>
    public TimeSpan Longer { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>It takes the API server away, so who becomes the primary and whether a Job succeeds at once are open.</summary>
    public bool LeavesOpen { get; init; }
}
