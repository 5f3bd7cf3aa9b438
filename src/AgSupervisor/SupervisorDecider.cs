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

    private static readonly string[] Prefixes = [MembershipPrefix, ModePrefix, RolePrefix];

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

        // The pod's own label remembers a group that the instance has yet to leave, also for a supervisor that has just started.
        foreach (var group in Unlisted(facts))
            if (facts.Children.All(child => child.Group != group))
                steps.Add(new StartChild(group, "the SqlServer no longer lists it and the instance has yet to leave it"));
        return new SupervisorPlan(steps, Labels(facts), due);
    }

    /// <summary>The first restart is immediate: the group may be without its leader. The next ones wait longer and longer.</summary>
    public static TimeSpan BackOff(int failures) => failures <= 1
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(LongestBackOff.TotalSeconds, Math.Pow(2, Math.Min(failures - 2, 10))));

    private static ChildStep? Step(ChildFacts child, SupervisorFacts facts, ref TimeSpan? due)
    {
        // What is not known is not taken for "no groups": the agents go on. They go on too when the group is no longer listed: an agent leaves the
        // group in order, which may mean to hand over first, and then ends by itself.
        var wanted = facts.Desired?.ContainsKey(child.Group);
        var age = facts.Now - child.Since;
        switch (child.State)
        {
            case ChildState.Running:
                return null;
            case ChildState.Left when wanted == false:
                return facts.Labels is null || IsLabelled(child.Group, facts.Labels) ? null : new ForgetChild(child.Group, "the instance has left the group");
            case ChildState.Left when wanted is null:
                return null;
            case ChildState.Ended or ChildState.Left when age >= BackOff(child.Failures):
                return new StartChild(child.Group, $"it ended, {child.Failures} times in a row");
            case ChildState.Ended or ChildState.Left:
                Due(BackOff(child.Failures) - age, ref due);
                return null;
            default:
                throw new ArgumentOutOfRangeException(nameof(child), child.State, "There is no such state.");
        }
    }

    private static IEnumerable<string> Unlisted(SupervisorFacts facts) => facts.Labels is null || facts.Desired is null ? [] :
        from label in facts.Labels.Keys.Order(StringComparer.Ordinal)
        where label.StartsWith(MembershipPrefix, StringComparison.Ordinal)
        let @group = label[MembershipPrefix.Length..]
        where !facts.Desired.ContainsKey(@group)
        select @group;

    private static bool IsLabelled(string group, IReadOnlyDictionary<string, string> labels) =>
        Prefixes.Any(prefix => labels.ContainsKey(prefix + group));

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

        // S9: a group keeps its labels until the instance has left it, and then loses all of them, the role too.
        foreach (var label in facts.Labels.Keys)
            foreach (var prefix in Prefixes)
                if (label.StartsWith(prefix, StringComparison.Ordinal) && IsLeft(label[prefix.Length..]))
                    changes[label] = null;
        return changes;

        void Want(string label, string value)
        {
            if (!facts.Labels.TryGetValue(label, out var present) || present != value)
                changes[label] = value;
        }

        bool IsLeft(string group) =>
            !facts.Desired.ContainsKey(group) && facts.Children.Any(child => child.Group == group && child.State == ChildState.Left);
    }

    private static void Due(TimeSpan wait, ref TimeSpan? due) => due = due is { } earlier && earlier < wait ? earlier : wait;
}
