using System.Text.Json;
using System.Text.Json.Nodes;
using Agents.Operator.Manifests;

namespace Agents.Operator.Reconciliation;

/// <summary>
/// From the instances of a namespace to the Service and ConfigMap of each availability group. Agents drop a replica that is not a member, so an
/// instance whose specification is refused stays the member it was: a typing mistake must not shrink a group (rule S11).
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
            var owners = alive.Where(instance => listed.Any(member => (string?)member["instance"] == instance.Name))
                .Select(instance => (instance.Name, instance.Uid)).ToList();
            steps.Add(new Step.Apply(GroupConfigMapManifest.Build(view.Namespace, group, owners, listed)));
            if (owners.Count > 0)
                steps.Add(new Step.Apply(ServiceManifests.Group(view.Namespace, group, owners)));
        }

        return steps;
    }

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
            members.AddRange(before.Where(member => (string?)member["instance"] == instance.Name));
        }

        return members;
    }

    private static List<JsonObject>? Before(NamespaceView view, string group)
    {
        if (!view.GroupMaps.TryGetValue(group, out var map) || (string?)map["data"]?[GroupConfigMapManifest.MembersKey] is not { } text)
            return [];
        try
        {
            return JsonNode.Parse(text) is JsonArray list ? [.. list.OfType<JsonObject>()] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
