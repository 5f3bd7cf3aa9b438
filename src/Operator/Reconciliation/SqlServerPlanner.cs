using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Operator.Manifests;
using Agents.Operator.Specs;

namespace Agents.Operator.Reconciliation;

/// <summary>From one instance's specification and what exists to the steps that bring them together. Pure.</summary>
internal static class SqlServerPlanner
{
    /// <summary>How long a failed init Job rests, so that people can read its log, before it runs anew.</summary>
    public static readonly TimeSpan FailedJobRest = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<Step> Plan(
        InstanceView instance, NamespaceView view, IReadOnlyList<KeyValuePair<string, string>> timings, DateTimeOffset now)
    {
        if (instance.Deleting || instance.Reading.Spec is not { } spec)
            return [];
        var steps = new List<Step>();
        if (DeparturePlanner.Plan(instance, view, now) is { } hold)
            steps.Add(hold);
        if (view.MirroringCertificate == SecretSighting.Absent)
            steps.Add(new Step.CreateMirroringCertificate(view.Namespace));
        if (instance.AgentLogin == SecretSighting.Absent)
            steps.Add(new Step.CreateAgentLogin(spec));
        if (spec.ServiceAccount is null)
            steps.Add(new Step.Apply(AccessManifests.ServiceAccount(spec)));
        steps.Add(new Step.Apply(AccessManifests.Role(spec, Peers(spec, view))));
        steps.Add(new Step.Apply(AccessManifests.RoleBinding(spec)));
        steps.Add(new Step.Apply(ServiceManifests.Internal(spec)));
        if (spec.Service is { } service)
            steps.Add(new Step.Apply(ServiceManifests.Client(spec, service)));
        else if (instance.ClientService is { } unwanted && !Deleting(unwanted))
            steps.Add(new Step.DeleteService(spec.Namespace, Names.ClientService(spec.Name), UidOf(unwanted)));
        if (spec.MssqlConf is { } file)
            steps.Add(new Step.Apply(ConfigurationManifest.Build(spec, file)));
        steps.AddRange(StatefulSet(instance, spec, timings));
        if (Job(instance, spec, now) is { } job)
            steps.Add(job);
        return steps;
    }

    /// <summary>True when the init Job of exactly this specification has completed.</summary>
    public static bool IsInitialized(InstanceView instance, InstanceSpec spec) =>
        instance.Job is { } job && !Deleting(job) && HashOf(job) == HashOf(InitJobManifest.Build(spec)) && Condition(job, "Complete") is not null;

    public static JsonObject? Condition(JsonObject resource, string type) =>
        (resource["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .FirstOrDefault(condition => (string?)condition["type"] == type && (string?)condition["status"] == "True");

    // Also those that are leaving: their votes are asked for as long as they are replicas, and theirs ask back.
    private static IEnumerable<string> Peers(InstanceSpec spec, NamespaceView view)
    {
        var listing =
            from other in view.Instances
            where !other.Deleting && other.Reading.Groups is { } groups
                && groups.Any(theirs => spec.Groups.Any(ours => ours.Group == theirs.Group))
            select other.Name;
        return listing.Concat(GroupPlanner.GroupsOf(view, spec.Name).SelectMany(group => GroupPlanner.Named(view, group)));
    }

    private static IEnumerable<Step> StatefulSet(InstanceView instance, InstanceSpec spec, IReadOnlyList<KeyValuePair<string, string>> timings)
    {
        // One that is going away, see Step.ReplaceStatefulSet, takes no change any more.
        if (instance.StatefulSet is { } set && Deleting(set))
            return [];
        if (instance.StatefulSet is { } current && SpecChange.Growth(spec, current) is { } storage)
            return
            [
                new Step.GrowVolume(spec.Namespace, Names.RootClaim(spec.Name), storage),
                new Step.ReplaceStatefulSet(spec.Namespace, spec.Name, UidOf(current)),
            ];
        return [new Step.Apply(StatefulSetManifest.Build(spec, timings))];
    }

    private static Step? Job(InstanceView instance, InstanceSpec spec, DateTimeOffset now)
    {
        var desired = InitJobManifest.Build(spec);
        if (instance.Job is not { } job)
            return new Step.CreateJob(desired);
        if (Deleting(job))
            return null;
        Step.DeleteJob Delete(string because) =>
            new(spec.Namespace, NameOf(job), UidOf(job), because);
        if (HashOf(job) != HashOf(desired))
            return Delete("the SqlServer has changed");
        if (Condition(job, "Failed") is { } failed && now - Time(failed["lastTransitionTime"]) >= FailedJobRest)
            return Delete("it failed; it runs anew");
        return null;
    }

    public static string NameOf(JsonObject resource) => (string?)resource["metadata"]?["name"] ?? string.Empty;

    private static string UidOf(JsonObject resource) => (string?)resource["metadata"]?["uid"] ?? string.Empty;

    private static bool Deleting(JsonObject resource) => resource["metadata"]?["deletionTimestamp"] is not null;

    private static string? HashOf(JsonObject job) => (string?)job["metadata"]?["annotations"]?[Names.SpecHash];

    private static DateTimeOffset Time(JsonNode? node) =>
        DateTimeOffset.TryParse((string?)node, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : DateTimeOffset.MinValue;
}
