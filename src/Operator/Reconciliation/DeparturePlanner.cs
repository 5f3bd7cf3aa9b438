using System.Globalization;
using System.Text.Json.Nodes;

namespace Agents.Operator.Reconciliation;

/// <summary>
/// Keeps a <c>SqlServer</c> that belongs to availability groups, by a finalizer, until it has left them: the vote of its replica may be needed to
/// remove it, and a primary hands over first. An instance that is gone is never waited for. Pure.
/// </summary>
internal static class DeparturePlanner
{
    /// <summary>What is not primary is waited for this long after the deletion.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Primary = "primary";

    /// <summary>Puts the finalizer on or takes it off; null when it is right.</summary>
    public static Step.SetFinalizers? Plan(InstanceView instance, NamespaceView view, DateTimeOffset now)
    {
        var metadata = instance.Document["metadata"];
        var finalizers = Finalizers(instance);
        var present = finalizers.Contains(Names.LeaveFinalizer);
        var groups = GroupPlanner.GroupsOf(view, instance.Name).ToList();
        var (wanted, because) = instance.Deleting ? Holds(instance, view, groups, now) : (groups.Count > 0 || instance.Reading.Spec?.Groups.Count > 0, string.Empty);
        if (present == wanted || (instance.Deleting && !present))
            return null;
        if (!finalizers.Remove(Names.LeaveFinalizer))
            finalizers.Add(Names.LeaveFinalizer);
        return new Step.SetFinalizers(view.Namespace, instance.Name, (string?)metadata?["resourceVersion"] ?? string.Empty, finalizers, because);
    }

    /// <summary>Whether the finalizer is on.</summary>
    public static bool IsHeld(InstanceView instance) => Finalizers(instance).Contains(Names.LeaveFinalizer);

    private static List<string> Finalizers(InstanceView instance) =>
        [.. (instance.Document["metadata"]?["finalizers"] as JsonArray ?? []).Select(finalizer => (string?)finalizer).OfType<string>()];

    private static (bool Wanted, string Because) Holds(InstanceView instance, NamespaceView view, List<string> groups, DateTimeOffset now)
    {
        if (groups.Count == 0)
            return (false, "it has left its availability groups");
        var what = string.Join(", ", groups);
        if (instance.Pod is null && instance.StatefulSet is null)
            return (false, $"it is gone without having left {what}");

        // A primary that serves is not taken away from a group that would be left without one.
        if (StatusBuilder.IsReady(instance.Pod) && groups.Exists(group => GroupPlanner.HasStaying(view, group)
            && (string?)instance.Pod?["metadata"]?["labels"]?[Names.RoleLabel(group)] == Primary))
            return (true, string.Empty);
        var since = DateTimeOffset.TryParse(
            (string?)instance.Document["metadata"]?["deletionTimestamp"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var deleted)
            ? now - deleted : TimeSpan.Zero;
        return (since < Patience, $"it has not left {what} within {Patience.TotalSeconds:0} s");
    }
}
