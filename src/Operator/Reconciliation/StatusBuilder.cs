using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Reconciliation;

/// <summary>What the operator says about an instance.</summary>
internal sealed record InstanceCondition(string Type, bool? Status, string Reason, string Message);

/// <summary>From a look at an instance to its status. Pure.</summary>
internal static class StatusBuilder
{
    public const string InvalidSpec = "InvalidSpec";
    public const string Rejected = "Rejected";
    public const string InitializationFailed = "InitializationFailed";
    public const string SecretIncomplete = "SecretIncomplete";
    public const string AsExpected = "AsExpected";

    /// <summary>Reasons of a waiting container that another try alone does not end.</summary>
    private static readonly string[] Hopeless =
    [
        "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
    ];

    private const int MaxMessage = 1024;
    private const int DigestShown = 19;

    /// <param name="instance">The instance.</param>
    /// <param name="view">Its namespace.</param>
    /// <param name="failure">What stopped the last steps, or null.</param>
    /// <param name="restart">Where its restart stands; null when the pod runs from the current template.</param>
    public static IReadOnlyList<InstanceCondition> Conditions(InstanceView instance, NamespaceView view, string? failure, RestartHold? restart)
    {
        if (instance.Reading.Spec is not { } spec)
        {
            var message = string.Join("; ", instance.Reading.Mistakes);
            return
            [
                new("Ready", false, InvalidSpec, message),
                new("Initialized", null, InvalidSpec, "The specification is refused."),
                new("Progressing", false, InvalidSpec, "Nothing is changed until the specification is valid."),
                Degraded(instance, view) ?? new("Degraded", false, AsExpected, "Nothing is wrong."),
                new("UpgradeBlocked", true, InvalidSpec, "Nothing is changed until the specification is valid."),
            ];
        }

        var initialized = Initialized(instance, spec);
        var podReady = PodReady(instance);
        var ready = (failure, Incomplete(instance, view), podReady.Status, initialized.Status) switch
        {
            ({ } why, _, _, _) => new InstanceCondition("Ready", false, Rejected, why),
            (_, { } secret, _, _) => new("Ready", false, SecretIncomplete, secret),
            (_, _, not true, _) => podReady,
            (_, _, _, not true) => new("Ready", false, initialized.Reason, initialized.Message),
            _ => new("Ready", true, "Ready", "The instance is initialized and its pod is ready."),
        };
        var stuck = ready.Reason is Rejected or InitializationFailed or SecretIncomplete;
        var progressing = (ready.Status, restart) switch
        {
            (_, { } hold) => new InstanceCondition("Progressing", !hold.IsTrouble, hold.Reason, hold.Message),
            (true, _) => new("Progressing", false, "UpToDate", "Everything is as specified."),
            _ => new("Progressing", !stuck, ready.Reason, ready.Message),
        };
        var degraded = stuck
            ? new InstanceCondition("Degraded", true, ready.Reason, ready.Message)
            : Degraded(instance, view) ?? new("Degraded", false, AsExpected, "Nothing is wrong.");
        var blocked = restart is { IsTrouble: true }
            ? new InstanceCondition("UpgradeBlocked", true, restart.Reason, restart.Message)
            : stuck ? new("UpgradeBlocked", true, ready.Reason, ready.Message)
            : new("UpgradeBlocked", false, AsExpected, "Nothing is in the way of a change.");
        return [ready, initialized, progressing, degraded, blocked];
    }

    /// <summary>The <c>status</c> document; times of conditions that did not change are kept.</summary>
    public static JsonObject Build(InstanceView instance, IReadOnlyList<InstanceCondition> conditions, DateTimeOffset now)
    {
        var generation = (long?)instance.Document["metadata"]?["generation"] ?? 0;
        var old = (instance.Document["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var list = new JsonArray();
        foreach (var condition in conditions)
        {
            var status = condition.Status switch { true => "True", false => "False", null => "Unknown" };
            var before = old.Find(other => (string?)other["type"] == condition.Type);
            var since = (string?)before?["status"] == status && before?["lastTransitionTime"] is { } kept
                ? kept.DeepClone()
                : now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            list.Add((JsonNode)new JsonObject
            {
                ["type"] = condition.Type,
                ["status"] = status,
                ["reason"] = condition.Reason,
                ["message"] = Cut(condition.Message),
                ["observedGeneration"] = generation,
                ["lastTransitionTime"] = since,
            });
        }

        var roles = new JsonObject();
        foreach (var (group, role) in Roles(instance).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (role.Length > 0)
                roles[group] = role;
        var built = new JsonObject
        {
            ["observedGeneration"] = generation,
            ["availabilityGroups"] = string.Join(",", (instance.Reading.Groups ?? []).Select(membership => membership.Group)),
            ["pod"] = Names.Pod(instance.Name),
            ["roles"] = roles,
            ["role"] = Role(roles, instance.Reading.Groups?.Count ?? 0),
            ["version"] = Version(instance.Pod),
            ["conditions"] = list,
        };

        // API servers built with newer compilers than their validation library take an empty text for null (seen with 1.20).
        foreach (var (field, _) in built.Where(pair => pair.Value is JsonValue value && value.TryGetValue<string>(out var text) && text.Length == 0).ToList())
            built.Remove(field);
        return built;
    }

    /// <summary>For a column: with one group its role alone, with several each with its group.</summary>
    private static string Role(JsonObject roles, int groups) =>
        string.Join(",", roles.Select(role => groups == 1 ? (string?)role.Value : $"{role.Key}={(string?)role.Value}"));

    /// <summary>Tag of the image that the pod runs the server from, or the beginning of its digest.</summary>
    private static string Version(JsonObject? pod)
    {
        var container = (pod?["spec"]?["containers"] as JsonArray ?? []).OfType<JsonObject>()
            .FirstOrDefault(container => (string?)container["name"] == Names.ServerContainer);
        if ((string?)container?["image"] is not { } image)
            return string.Empty;
        var parts = image[(image.LastIndexOf('/') + 1)..].Split('@');
        var colon = parts[0].IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
            return parts[0][(colon + 1)..];
        return parts.Length > 1 ? parts[1][..Math.Min(parts[1].Length, DigestShown)] : "latest";
    }

    /// <summary>Role label of the instance's pod in each of its groups; empty where there is none.</summary>
    public static IReadOnlyDictionary<string, string> Roles(InstanceView instance) =>
        (instance.Reading.Groups ?? []).ToDictionary(
            membership => membership.Group,
            membership => (string?)instance.Pod?["metadata"]?["labels"]?[Names.RoleLabel(membership.Group)] ?? string.Empty);

    public static bool IsReady(JsonObject? pod) =>
        pod is not null && pod["metadata"]?["deletionTimestamp"] is null && SqlServerPlanner.Condition(pod, "Ready") is not null;

    /// <summary>Why a pod will not become ready by itself; null when nothing says so.</summary>
    public static string? Trouble(JsonObject? pod)
    {
        if (Unscheduled(pod) is { } why)
            return $"not scheduled: {why}";
        return Waiting(pod).FirstOrDefault(container => Hopeless.Contains(container.Reason)) is { Name: { } name } container
            ? $"container {name} is waiting: {container.Reason}"
            : null;
    }

    private static string Cut(string message) => message.Length <= MaxMessage ? message : message[..(MaxMessage - 1)] + "…";

    private static InstanceCondition Initialized(InstanceView instance, InstanceSpec spec)
    {
        if (instance.Job is not { } job)
            return new("Initialized", false, "Initializing", "The init Job does not exist yet.");
        var name = SqlServerPlanner.NameOf(job);
        if (SqlServerPlanner.IsInitialized(instance, spec))
            return new("Initialized", true, "Initialized", $"Job {name} has completed.");
        return SqlServerPlanner.Condition(job, "Failed") is { } failed
            ? new("Initialized", false, InitializationFailed,
                $"Job {name} failed ({(string?)failed["message"] ?? (string?)failed["reason"]}); see the logs of its pods.")
            : new("Initialized", false, "Initializing", $"Job {name} has not completed yet.");
    }

    private static InstanceCondition PodReady(InstanceView instance)
    {
        var name = Names.Pod(instance.Name);
        if (instance.Pod is not { } pod)
            return new("Ready", false, "PodMissing", $"Pod {name} does not exist yet.");
        if (IsReady(pod))
            return new("Ready", true, "Ready", string.Empty);
        var waiting = Waiting(pod).FirstOrDefault();
        var detail = Unscheduled(pod) is { } why ? $": not scheduled: {why}"
            : waiting.Reason is not null ? $": container {waiting.Name} is waiting: {waiting.Reason}" : string.Empty;
        return new("Ready", false, "PodNotReady", $"Pod {name} is not ready{detail}.");
    }

    private static IEnumerable<(string? Name, string Reason)> Waiting(JsonObject? pod) =>
        from status in (pod?["status"]?["containerStatuses"] as JsonArray ?? []).OfType<JsonObject>()
        let reason = (string?)status["state"]?["waiting"]?["reason"]
        where reason is not null
        select ((string?)status["name"], reason);

    private static string? Unscheduled(JsonObject? pod) =>
        (pod?["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(condition => (string?)condition["type"] == "PodScheduled" && (string?)condition["status"] == "False")
        .Select(condition => (string?)condition["message"] ?? string.Empty).FirstOrDefault();

    /// <summary>What makes the instance less than it should be although it may serve; null when nothing does.</summary>
    private static InstanceCondition? Degraded(InstanceView instance, NamespaceView view)
    {
        var pod = Names.Pod(instance.Name);
        if (Trouble(instance.Pod) is { } trouble)
            return new("Degraded", true, "PodInTrouble", $"Pod {pod}: {trouble}.");
        foreach (var membership in instance.Reading.Groups ?? [])
        {
            if (!view.GroupMaps.TryGetValue(membership.Group, out var map) || RestartGroup.Read(membership.Group, map).Report is not { } report
                || report.Replicas.FirstOrDefault(replica => replica.Name == pod) is not { IsCurrent: false } replica)
                continue;
            return replica.Connected
                ? new("Degraded", true, "ReplicaNotSynchronized", $"Replica {pod} of {membership.Group} is not SYNCHRONIZED with {report.Primary}.")
                : new("Degraded", true, "ReplicaNotConnected", $"Replica {pod} of {membership.Group} is not connected to {report.Primary}.");
        }

        return null;
    }

    private static string? Incomplete(InstanceView instance, NamespaceView view)
    {
        static string Message(string name, IEnumerable<string> keys) =>
            $"Secret {name} lacks one of the keys {string.Join(", ", keys)}. Complete it, or delete it to have a new one made.";
        if (view.MirroringCertificate == SecretSighting.Incomplete)
            return Message(Names.MirroringCertificate, Manifests.SecretManifests.MirroringCertificateKeys);
        return instance.AgentLogin == SecretSighting.Incomplete
            ? Message(Names.AgentLogin(instance.Name), Manifests.SecretManifests.AgentLoginKeys)
            : null;
    }
}
