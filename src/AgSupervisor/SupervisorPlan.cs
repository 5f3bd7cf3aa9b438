namespace Agents.AgSupervisor;

/// <summary>What the supervisor sees at one moment.</summary>
/// <param name="Now">Monotonic time.</param>
/// <param name="Desired">The groups the instance shall belong to, by name, with their modes; null when they are not known.</param>
/// <param name="Children">One entry per group that has, or lately had, an agent.</param>
/// <param name="Labels">Labels of the own pod; null when they are not known.</param>
internal sealed record SupervisorFacts(
    TimeSpan Now, IReadOnlyDictionary<string, string>? Desired, IReadOnlyList<ChildFacts> Children, IReadOnlyDictionary<string, string>? Labels);

/// <summary>The agent of one group.</summary>
/// <param name="Group">The group.</param>
/// <param name="State">What became of it.</param>
/// <param name="Since">When it came to be so.</param>
/// <param name="Failures">How often it ended in a row without having run for long.</param>
internal sealed record ChildFacts(string Group, ChildState State, TimeSpan Since, int Failures);

internal enum ChildState
{
    Running,

    Ended,

    /// <summary>It ended by itself and without a mistake: its instance has left the group.</summary>
    Left,
}

/// <summary>What to do now.</summary>
/// <param name="Steps">For the children.</param>
/// <param name="LabelChanges">For the own pod; null removes a label.</param>
/// <param name="LookAgainIn">When something becomes due by itself, or null.</param>
internal sealed record SupervisorPlan(
    IReadOnlyList<ChildStep> Steps, IReadOnlyDictionary<string, string?> LabelChanges, TimeSpan? LookAgainIn);

/// <summary>One thing to do to a child, with its reason.</summary>
internal abstract record ChildStep(string Group, string Because);

internal sealed record StartChild(string Group, string Because) : ChildStep(Group, Because);

/// <summary>It has ended and is not wanted back.</summary>
internal sealed record ForgetChild(string Group, string Because) : ChildStep(Group, Because);
