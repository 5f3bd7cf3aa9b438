namespace Agents.AgSupervisor;

/// <summary>Decides which agents run and which labels the pod bears, from facts alone.</summary>
internal static class SupervisorDecider
{
    /// <summary>An agent hands over within 8 s when asked to end; what has not ended by then never will.</summary>
    public static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(15);

    /// <summary>An agent that ran this long was well.</summary>
    public static readonly TimeSpan RanForLong = TimeSpan.FromSeconds(60);

    private const string MembershipPrefix = "ag-service.mssql.microsoft.com/";
    private const string ModePrefix = "mode.ag.mssql.microsoft.com/";
    private const string RolePrefix = "role.ag.mssql.microsoft.com/";

    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(30);

    public static SupervisorPlan Decide(SupervisorFacts facts)
    {
        var steps = new List<ChildStep>();
        TimeSpan? due = null;
        foreach (var child in facts.Children)
            if (Step(child, facts, ref due) is { } step)
                steps.Add(step);
        if (facts.Desired is not null)
            foreach (var group in facts.Desired.Keys.Order(StringComparer.Ordinal))
                if (facts.Children.All(child => child.Group != group))
                    steps.Add(new StartChild(group, "the SqlServer lists it"));
        return new SupervisorPlan(steps, Labels(facts), due);
    }

    /// <summary>The first restart is immediate: the group may be without its leader. The next ones wait longer and longer.</summary>
    public static TimeSpan BackOff(int failures) => failures <= 1
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(LongestBackOff.TotalSeconds, Math.Pow(2, Math.Min(failures - 2, 10))));

    private static ChildStep? Step(ChildFacts child, SupervisorFacts facts, ref TimeSpan? due)
    {
        // What is not known is not taken for "no groups": the agents go on.
        var wanted = facts.Desired?.ContainsKey(child.Group) ?? true;
        var age = facts.Now - child.Since;
        switch (child.State)
        {
            case ChildState.Running when wanted:
                return null;
            case ChildState.Running:
                return new StopChild(child.Group, "the SqlServer no longer lists it");

            // Even one that is wanted again ends first: two agents of one group in one pod would share an identity.
            case ChildState.Stopping when age >= StopGrace:
                return new KillChild(child.Group, $"it did not end within {StopGrace.TotalSeconds:0} s");
            case ChildState.Stopping:
                Due(StopGrace - age, ref due);
                return null;
            case ChildState.Killed:
                return null;
            case ChildState.Ended when !wanted:
                return new ForgetChild(child.Group, "it ended and the SqlServer no longer lists it");
            case ChildState.Ended when age >= BackOff(child.Failures):
                return new StartChild(child.Group, $"it ended, {child.Failures} times in a row");
            case ChildState.Ended:
                Due(BackOff(child.Failures) - age, ref due);
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(child), child.State, "There is no such state.");
        }
    }

    private static Dictionary<string, string?> Labels(SupervisorFacts facts)
    {
        var changes = new Dictionary<string, string?>();
        if (facts.Labels is null || facts.Desired is null)
            return changes;
        foreach (var (group, mode) in facts.Desired)
        {
            Want(MembershipPrefix + group, string.Empty);
            Want(ModePrefix + group, mode);
        }

        // S9: a group that was left keeps its labels until its agent has ended, and then loses all of them, the role too.
        foreach (var label in facts.Labels.Keys)
            foreach (var prefix in new[] { MembershipPrefix, ModePrefix, RolePrefix })
                if (label.StartsWith(prefix, StringComparison.Ordinal) && IsLeft(label[prefix.Length..]))
                    changes[label] = null;
        return changes;

        void Want(string label, string value)
        {
            if (!facts.Labels.TryGetValue(label, out var present) || present != value)
                changes[label] = value;
        }

        bool IsLeft(string group) =>
            !facts.Desired.ContainsKey(group) && facts.Children.All(child => child.Group != group || child.State == ChildState.Ended);
    }

    private static void Due(TimeSpan wait, ref TimeSpan? due) => due = due is { } earlier && earlier < wait ? earlier : wait;
}
