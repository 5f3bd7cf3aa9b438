using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agents.Operator.Specs;

/// <summary>What came of reading a <c>SqlServer</c>: its specification, or every mistake with the path of its field.</summary>
/// <param name="Spec">The specification, when there are no mistakes.</param>
/// <param name="Mistakes">All mistakes.</param>
/// <param name="Groups">The availability groups; also known when other fields are wrong, null when they are wrong themselves.</param>
internal sealed record SpecReading(InstanceSpec? Spec, IReadOnlyList<string> Mistakes, IReadOnlyList<GroupMembership>? Groups);

/// <summary>Reads and validates <c>SqlServer</c> documents. The schema of the CRD refuses the plain mistakes; this refuses the rest.</summary>
internal sealed partial class SpecReader
{
    // SQL Server cuts its server name after 15 characters, and the server name must be the pod's name.
    private const int MaxNameLength = 13;
    private readonly List<string> mistakes = [];

    private SpecReader()
    {
    }

    public static SpecReading Read(JsonObject document)
    {
        var reader = new SpecReader();
        var metadata = document["metadata"] as JsonObject ?? [];
        var spec = document["spec"] as JsonObject ?? [];
        var name = Text(metadata["name"]) ?? string.Empty;
        if (!DnsLabel().IsMatch(name))
            reader.Mistake("metadata.name", "must be lower-case letters, digits and '-', and start with a letter");
        if (name.Length > MaxNameLength)
            reader.Mistake("metadata.name", $"has {name.Length} characters; at most {MaxNameLength}, because SQL Server's name is the pod's "
                + "name and ends after 15");
        var groups = reader.Groups(spec["availabilityGroups"]);
        if (spec["acceptEula"]?.GetValueKind() != JsonValueKind.True)
            reader.Mistake("spec.acceptEula", "must be true");
        var container = reader.Object(spec, "spec", "sqlServerContainer", required: true) ?? [];
        reader.Container(container);
        var claim = reader.Claim(spec);
        var volume = reader.Object(spec, "spec", "instanceRootVolume");
        if (claim is null == volume is null)
            reader.Mistake("spec", "exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given");
        var result = new InstanceSpec
        {
            Name = name,
            Namespace = Text(metadata["namespace"]) ?? string.Empty,
            Uid = Text(metadata["uid"]) ?? string.Empty,
            SaPassword = reader.Secret(spec, "saPassword", required: true) ?? new SecretKey(string.Empty, string.Empty),
            MasterKeyPassword = reader.Secret(spec, "masterKeyPassword", required: false),
            AgentsImage = reader.String(spec, "spec", "agentsContainerImage", required: true) ?? string.Empty,
            Container = container,
            PodOverlay = reader.Pod(spec, "sqlServerPod"),
            InitPodOverlay = reader.Pod(spec, "initSQLPod"),
            RootVolume = volume,
            RootVolumeClaim = claim,
            Volumes = reader.Volumes(spec["volumes"]),
            Pid = reader.String(spec, "spec", "pid") ?? "Developer",
            MonitorPolicy = reader.Number(spec, "monitorPolicy", 3, 0, 5),
            ConnectionTimeout = reader.Number(spec, "connectionTimeoutSec", 30, 1, int.MaxValue),
            QueryTimeout = reader.Number(spec, "queryCommandTimeoutSec", 10, 1, int.MaxValue),
            JoinTimeout = reader.Number(spec, "joinCommandTimeoutSec", 60, 1, int.MaxValue),
            TransientDatabaseTimeout = reader.Number(spec, "transientDBHealthTimeoutSec", 180, 1, int.MaxValue),
            PostInitScript = reader.String(spec, "spec", "sqlPostInitScript") ?? string.Empty,
            Groups = groups ?? [],
            SkipAntiAffinity = reader.Flag(spec, "skipAgAntiAffinity"),
            Hash = ContentHash.Of(spec),
        };
        return new SpecReading(reader.mistakes.Count == 0 ? result : null, reader.mistakes, groups);
    }

    [GeneratedRegex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
    private static partial Regex DnsLabel();

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private void Mistake(string path, string what) => mistakes.Add($"{path}: {what}");

    private List<GroupMembership>? Groups(JsonNode? node)
    {
        if (node is null)
            return [];
        const string path = "spec.availabilityGroups";
        if (node is not JsonArray list)
        {
            Mistake(path, "must be a list");
            return null;
        }

        var before = mistakes.Count;
        var groups = new List<GroupMembership>();
        for (var i = 0; i < list.Count; i++)
        {
            var at = $"{path}[{i}]";
            var entry = list[i] as JsonObject;
            var group = entry is null ? Text(list[i]) : Text(entry["name"]);
            var mode = entry?["availabilityMode"] is { } given ? Text(given) ?? string.Empty : GroupMembership.Synchronous;
            if (group is null || !DnsLabel().IsMatch(group))
                Mistake(entry is null ? at : $"{at}.name", "must be a name of lower-case letters, digits and '-' that starts with a letter");
            else if (groups.Exists(other => other.Group == group))
                Mistake(at, $"'{group}' is named twice");
            if (!GroupMembership.Modes.Contains(mode))
                Mistake($"{at}.availabilityMode", $"must be one of {string.Join(", ", GroupMembership.Modes)}");
            if (entry is not null)
                foreach (var (key, _) in entry)
                    if (key is not ("name" or "availabilityMode"))
                        Mistake($"{at}.{key}", "is not a field of an availability group");
            groups.Add(new GroupMembership(group ?? string.Empty, mode));
        }

        return mistakes.Count == before ? groups : null;
    }

    private JsonObject? Claim(JsonObject spec)
    {
        const string path = "instanceRootVolumeClaimTemplate";
        if (Object(spec, "spec", path) is not { } given)
            return null;
        var claim = (JsonObject)given.DeepClone();
        if (claim["accessModes"] is not JsonArray { Count: > 0 })
            Mistake($"spec.{path}.accessModes", "must name at least one access mode");
        if (claim["resources"]?["requests"]?["storage"] is null)
            Mistake($"spec.{path}.resources.requests.storage", "is required");
        if (claim["storageClass"] is not { } alias)
            return claim;
        claim.Remove("storageClass");
        if (claim["storageClassName"] is { } name && !JsonNode.DeepEquals(name, alias))
            Mistake($"spec.{path}.storageClass", "differs from storageClassName; give one of them");
        claim["storageClassName"] = alias.DeepClone();
        return claim;
    }

    private void Container(JsonObject container)
    {
        const string path = "spec.sqlServerContainer";
        String(container, path, "image", required: true);
        foreach (var (key, expected) in new[] { ("env", "name"), ("volumeMounts", "mountPath"), ("ports", "containerPort") })
        {
            if (container[key] is not { } node)
                continue;
            if (node is not JsonArray list || list.Any(item => item is not JsonObject entry || entry[expected] is null))
                Mistake($"{path}.{key}", $"must be a list of objects with {expected}");
        }

        foreach (var variable in (container["env"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = Text(variable["name"]);
            if (name == "MSSQL_TCP_PORT" && Text(variable["value"]) != "1433")
                Mistake($"{path}.env[{name}]", "must be 1433: agents, probes and Services use that port");
            if (name is "MSSQL_SA_PASSWORD" or "SA_PASSWORD")
                Mistake($"{path}.env[{name}]", "is set by the operator; use spec.saPassword");
        }
    }

    private JsonObject? Pod(JsonObject spec, string key)
    {
        var pod = Object(spec, "spec", key);
        foreach (var field in new[] { "serviceAccountName", "serviceAccount", "restartPolicy", "hostname", "subdomain" })
            if (pod?[field] is not null)
                Mistake($"spec.{key}.{field}", "is set by the operator and cannot be overridden");
        if (pod?["hostNetwork"]?.GetValueKind() == JsonValueKind.True)
            Mistake($"spec.{key}.hostNetwork", "is not supported: the pod's own address and name identify the replica");
        return pod;
    }

    private List<JsonObject> Volumes(JsonNode? node)
    {
        if (node is null)
            return [];
        if (node is JsonArray list && list.All(item => item is JsonObject entry && Text(entry["name"]) is { Length: > 0 }))
            return [.. list.OfType<JsonObject>()];
        Mistake("spec.volumes", "must be a list of volumes with names");
        return [];
    }

    private SecretKey? Secret(JsonObject spec, string key, bool required)
    {
        if (Object(spec, "spec", key, required) is not { } source)
            return null;
        var path = $"spec.{key}";
        if (Object(source, path, "secretKeyRef", required: true) is not { } reference)
            return null;
        var name = String(reference, $"{path}.secretKeyRef", "name", required: true);
        var entry = String(reference, $"{path}.secretKeyRef", "key", required: true);
        return name is null || entry is null ? null : new SecretKey(name, entry);
    }

    private JsonObject? Object(JsonObject parent, string path, string key, bool required = false)
    {
        if (parent[key] is JsonObject found)
            return found;
        if (parent[key] is not null)
            Mistake($"{path}.{key}", "must be an object");
        else if (required)
            Mistake($"{path}.{key}", "is required");
        return null;
    }

    private string? String(JsonObject parent, string path, string key, bool required = false)
    {
        var text = Text(parent[key]);
        if (parent[key] is not null && text is null)
            Mistake($"{path}.{key}", "must be a string");
        else if (required && string.IsNullOrEmpty(text))
            Mistake($"{path}.{key}", "is required");
        return text;
    }

    private int Number(JsonObject spec, string key, int otherwise, int least, int most)
    {
        if (spec[key] is not { } node)
            return otherwise;
        if (TryNumber(node, out var number) && number >= least && number <= most)
            return number.Value;
        Mistake($"spec.{key}", most == int.MaxValue ? $"must be a whole number of at least {least}" : $"must be a whole number from {least} to {most}");
        return otherwise;
    }

    private static bool TryNumber(JsonNode node, [NotNullWhen(true)] out int? number)
    {
        number = node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue<int>(out var value) ? value : null;
        return number is not null;
    }

    private bool Flag(JsonObject spec, string key)
    {
        var kind = spec[key]?.GetValueKind();
        if (kind is not (null or JsonValueKind.True or JsonValueKind.False))
            Mistake($"spec.{key}", "must be true or false");
        return kind == JsonValueKind.True;
    }
}
