namespace Sandbox.Scenarios;

/// <summary>
/// One thing that happens to a group under a writer that never stops. What must hold afterwards is the same for all: writes flow to one labelled
/// primary, every acknowledged write is there, and all replicas are SYNCHRONIZED.
/// </summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">One sentence for the person who watches.</param>
/// <param name="Act">Does it.</param>
internal sealed record Scenario(string Name, string Title, Act Act)
{
    /// <summary>How long it may take, to calm again.</summary>
    public TimeSpan Bound { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>It begins with a cluster without a group, and forms one.</summary>
    public bool Forms { get; init; }

    /// <summary>It leaves no group behind that another scenario could use, but for one that <see cref="Ends"/> it.</summary>
    public bool Spoils { get; init; }

    /// <summary>There is no group at its end, so it checks what must hold itself.</summary>
    public bool Ends { get; init; }

    /// <summary>The operator has rights in the group's namespace only.</summary>
    public bool Namespaced { get; init; }

    /// <summary>The cluster has the CustomResourceDefinition of an older version when the operator comes.</summary>
    public bool OldDefinition { get; init; }
}

/// <summary>What a scenario does.</summary>
/// <param name="trial">To whom.</param>
/// <param name="progress">Told what it does or waits for now.</param>
/// <param name="cancellationToken">Cancelled at the bound.</param>
/// <returns>Whether an instance may be the primary afterwards; null when each may.</returns>
internal delegate Task<Func<string, bool>?> Act(Trial trial, Action<string> progress, CancellationToken cancellationToken);
