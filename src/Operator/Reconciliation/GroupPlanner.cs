using System.Text.Json;
using System.Text.Json.Nodes;
using Agents.Operator.Manifests;

namespace Agents.Operator.Reconciliation;

/// <summary>
/// From the instances of a namespace to the ConfigMap, Service and PodDisruptionBudget of each availability group. Agents remove the
/// replica of a member that is marked as leaving, and of no other: so an instance whose specification is refused stays the member it was, since a typing mistake must not shrink a
/// group (rule S11), and one that is deleted or no longer lists the group is kept as leaving until the group has let it go.
/// </summary>
internal static class GroupPlanner
{
    public static IReadOnlyList<Step> Plan(NamespaceView view)
    {
        var alive = view.Instances.Where(instance => !instance.Deleting).ToList();
        var groups = alive.SelectMany(instance => instance.Reading.Spec?.Groups ?? []).Select(membership => membership.Group)
            .Concat(view.GroupMaps.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var steps = new List<Step>();
        foreach (var group in groups)
        {
            var listed = Members(view, group);
            if (listed is null)
                continue;
            var owners = alive.Where(instance => listed.Any(member => NameOf(member) == instance.Name && !IsLeaving(member)))
                .Select(instance => (instance.Name, instance.Uid)).ToList();
            steps.Add(new Step.Apply(GroupConfigMapManifest.Build(view.Namespace, group, owners, listed)));
            if (owners.Count == 0)
                continue;
            steps.Add(new Step.Apply(ServiceManifests.Group(view.Namespace, group, owners)));
            steps.Add(new Step.Apply(DisruptionBudgetManifest.Build(view.Budgets.ApiVersion, view.Namespace, group, owners)));
        }

        return steps;
    }

    /// <summary>Groups whose ConfigMap names an instance as a member that stays or leaves.</summary>
    public static IEnumerable<string> GroupsOf(NamespaceView view, string instance) =>
        view.GroupMaps.Keys.Where(group => Before(view, group)?.Any(member => NameOf(member) == instance) == true);

    /// <summary>Instances that the ConfigMap of a group names.</summary>
    public static IEnumerable<string> Named(NamespaceView view, string group) => (Before(view, group) ?? []).Select(NameOf).OfType<string>();

    /// <summary>Whether the ConfigMap of a group names a member that stays.</summary>
    public static bool HasStaying(NamespaceView view, string group) => Before(view, group)?.Exists(member => !IsLeaving(member)) == true;

    /// <returns>The members, or null when they cannot be known.</returns>
    private static List<JsonObject>? Members(NamespaceView view, string group)
    {
        var members = new List<JsonObject>();
        var before = Before(view, group);
        foreach (var instance in view.Instances.Where(instance => !instance.Deleting))
        {
            if (instance.Reading.Spec is { } spec)
            {
                if (spec.Groups.FirstOrDefault(membership => membership.Group == group) is { } membership)
                    members.Add(GroupConfigMapManifest.Member(instance.Name, view.Namespace, membership.Mode));
                continue;
            }

            if (before is null)
                return null;
            members.AddRange(before.Where(member => NameOf(member) == instance.Name));
        }

        members.AddRange(Leaving(view, group, before ?? [], members));
        return members;
    }

    private static List<JsonObject> Leaving(NamespaceView view, string group, List<JsonObject> before, List<JsonObject> listed)
    {
        var data = view.GroupMaps.GetValueOrDefault(group)?["data"];
        var replicas = ReadList((string?)data?[GroupConfigMapManifest.ReplicasKey])?.Select(name => (string?)name).ToList();

        // A replica whose instance is seen not to list the group leaves too, whoever forgot it in between.
        var forgotten = view.Instances.Where(instance => replicas?.Contains(Names.Pod(instance.Name)) == true && before.TrueForAll(member => NameOf(member) != instance.Name))
            .Select(instance => GroupConfigMapManifest.Member(instance.Name, view.Namespace, Specs.GroupMembership.Synchronous));
        return [.. before.Concat(forgotten)
            .Where(member => !listed.Exists(other => NameOf(other) == NameOf(member)) && !HasLeft((string?)member["name"], NameOf(member)))
            .Select(GroupConfigMapManifest.AsLeaving)];

        // Out of the catalog, and its agent has ended: the pod's label goes with it.
        bool HasLeft(string? pod, string? name) =>
            !(replicas?.Contains(pod) ?? data?[GroupConfigMapManifest.GroupKey] is not null)
            && view.Instances.FirstOrDefault(instance => instance.Name == name)?.Pod?["metadata"]?["labels"]?[Names.MembershipLabel(group)] is null;
    }

    private static List<JsonObject>? Before(NamespaceView view, string group)
    {
        if (!view.GroupMaps.TryGetValue(group, out var map) || (string?)map["data"]?[GroupConfigMapManifest.MembersKey] is not { } text)
            return [];
        return ReadList(text)?.OfType<JsonObject>().ToList();
    }

    private static JsonArray? ReadList(string? text)
    {
        try
        {
            return text is null ? null : JsonNode.Parse(text) as JsonArray;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? NameOf(JsonObject member) => (string?)member["instance"];

    private static bool IsLeaving(JsonObject member) => (bool?)member[GroupConfigMapManifest.LeavingField] == true;
}
