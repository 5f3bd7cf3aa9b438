using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agents.Operator.Specs;

/// <summary>What came of reading a <c>SqlServer</c>: its specification, or every mistake with the path of its field.</summary>
/// <param name="Spec">The specification, when there are no mistakes.</param>
/// <param name="Mistakes">All mistakes.</param>
/// <param name="Groups">The availability groups; also known when other fields are wrong, null when they are wrong themselves.</param>
internal sealed record SpecReading(InstanceSpec? Spec, IReadOnlyList<string> Mistakes, IReadOnlyList<GroupMembership>? Groups);

/// <summary>Reads and validates <c>SqlServer</c> documents. The schema of the CRD refuses the plain mistakes; this refuses all of them.</summary>
internal static partial class SpecReader
{
    // SQL Server cuts its server name after 15 characters, and the server name must be the pod's name.
    private const int MaxNameLength = 13;
    private const string GroupName = "must be a name of lower-case letters, digits and '-' that starts with a letter";

    public static SpecReading Read(JsonObject document)
    {
        var reader = new FieldReader();
        var metadata = document["metadata"] as JsonObject ?? [];
        var spec = document["spec"] as JsonObject ?? [];
        var name = FieldReader.TextOf(metadata["name"]) ?? string.Empty;
        Name(reader, name);
        var groups = Groups(reader, spec["availabilityGroups"]);
        if (spec["acceptEula"] is null)
            reader.Mistake("spec.acceptEula", "is required");
        else if (!reader.Flag(spec, "spec", "acceptEula"))
            reader.Mistake("spec.acceptEula", "must be true", spec["acceptEula"]);
        var container = ContainerReader.Container(reader, spec);
        var claim = Claim(reader, spec);
        var volume = reader.Object(spec, "spec", "instanceRootVolume");
        if (claim is null == volume is null)
            reader.Mistake("spec", "exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given");
        var pod = PodReader.Fields(reader, spec);
        var result = new InstanceSpec
        {
            Name = name,
            Namespace = FieldReader.TextOf(metadata["namespace"]) ?? string.Empty,
            Uid = FieldReader.TextOf(metadata["uid"]) ?? string.Empty,
            SaPassword = reader.Secret(spec, "spec", "saPassword", required: true) ?? new SecretKey(string.Empty, string.Empty),
            MasterKeyPassword = reader.Secret(spec, "spec", "masterKeyPassword"),
            AgentsImage = reader.Text(spec, "spec", "agentsContainerImage", required: true) ?? string.Empty,
            Container = container,
            PodFields = pod,
            InitPodFields = PodReader.InitFields(pod),
            PodOverlay = PodReader.Overlay(reader, spec, "sqlServerPod"),
            InitPodOverlay = PodReader.Overlay(reader, spec, "initSQLPod"),
            PodLabels = PodReader.Labels(reader, spec),
            PodAnnotations = PodReader.Annotations(reader, spec),
            RootVolume = volume,
            RootVolumeClaim = claim,
            Volumes = [.. (reader.Objects(spec, "spec", "volumes", "name") ?? []).OfType<JsonObject>()],
            ImagePullPolicy = reader.Choice(spec, "spec", "imagePullPolicy", "Always", "IfNotPresent", "Never"),
            ServiceAccount = reader.Text(spec, "spec", "serviceAccountName", Subdomain(), "must be a name of lower-case letters, digits, '-' and '.'"),
            Service = Service(reader, spec),
            Pid = Pid(reader, spec),
            MemoryLimit = ContainerReader.MemoryLimit(reader, spec, container),
            TimeZone = reader.Text(spec, "spec", "timeZone", TimeZone(), "must be a name of the time zone database, such as Europe/Berlin"),
            Collation = reader.Text(spec, "spec", "collation", Collation(), "must be the name of a collation"),
            MssqlConf = MssqlConf.Read(reader, spec),
            MonitorPolicy = reader.Number(spec, "spec", "monitorPolicy", 0, 5) ?? 3,
            ConnectionTimeout = reader.Number(spec, "spec", "connectionTimeoutSec", 1, int.MaxValue) ?? 30,
            QueryTimeout = reader.Number(spec, "spec", "queryCommandTimeoutSec", 1, int.MaxValue) ?? 10,
            JoinTimeout = reader.Number(spec, "spec", "joinCommandTimeoutSec", 1, int.MaxValue) ?? 60,
            TransientDatabaseTimeout = reader.Number(spec, "spec", "transientDBHealthTimeoutSec", 1, int.MaxValue) ?? 180,
            PostInitScript = reader.Text(spec, "spec", "sqlPostInitScript") ?? string.Empty,
            Groups = groups ?? [],
            SkipAntiAffinity = reader.Flag(spec, "spec", "skipAgAntiAffinity"),
            Hash = ContentHash.Of(spec),
        };
        return new SpecReading(reader.Mistakes.Count == 0 ? result : null, reader.Mistakes, groups);
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
    internal static partial Regex Subdomain();

    [GeneratedRegex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
    private static partial Regex DnsLabel();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$")]
    private static partial Regex TimeZone();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]*$")]
    private static partial Regex Collation();

    [GeneratedRegex(
        "^(Evaluation|Developer|Express|Web|Standard|Enterprise|EnterpriseCore|StandardDeveloper|EnterpriseDeveloper|([A-Z0-9]{5}-){4}[A-Z0-9]{5})$",
        RegexOptions.IgnoreCase)]
    private static partial Regex Edition();

    private static void Name(FieldReader reader, string name)
    {
        if (!DnsLabel().IsMatch(name))
            reader.Mistake("metadata.name", "must be lower-case letters, digits and '-', and start with a letter", name);
        if (name.Length > MaxNameLength)
            reader.Mistake("metadata.name", $"has {name.Length} characters; at most {MaxNameLength}, because SQL Server's name is the pod's "
                + "name and ends after 15");
    }

    private static List<GroupMembership>? Groups(FieldReader reader, JsonNode? node)
    {
        if (node is null)
            return [];
        const string path = "spec.availabilityGroups";
        if (node is not JsonArray list)
        {
            reader.Mistake(path, $"must be a list, not {FieldReader.Kind(node)}");
            return null;
        }

        var before = reader.Mistakes.Count;
        var groups = new List<GroupMembership>();
        for (var i = 0; i < list.Count; i++)
        {
            var at = $"{path}[{i}]";
            var entry = list[i] as JsonObject;
            var group = entry is null ? FieldReader.TextOf(list[i]) : reader.Text(entry, at, "name", required: true);
            if (group is null || !DnsLabel().IsMatch(group))
            {
                if (entry is null || group is { Length: > 0 })
                    reader.Mistake(entry is null ? at : $"{at}.name", GroupName, group ?? list[i]);
            }
            else if (groups.Exists(other => other.Group == group))
            {
                reader.Mistake(at, $"'{group}' is named twice");
            }

            var mode = entry is null ? null : reader.Choice(entry, at, "availabilityMode", GroupMembership.Modes);
            foreach (var (key, _) in entry ?? [])
                if (key is not ("name" or "availabilityMode"))
                    reader.Mistake($"{at}.{key}", "is not a field of an availability group");
            groups.Add(new GroupMembership(group ?? string.Empty, mode ?? GroupMembership.Synchronous));
        }

        return reader.Mistakes.Count == before ? groups : null;
    }

    private static JsonObject? Claim(FieldReader reader, JsonObject spec)
    {
        const string path = "instanceRootVolumeClaimTemplate";
        if (reader.Object(spec, "spec", path) is not { } given)
            return null;
        var claim = (JsonObject)given.DeepClone();
        if (claim["accessModes"] is not JsonArray { Count: > 0 })
            reader.Mistake($"spec.{path}.accessModes", "must name at least one access mode");
        var storage = (claim["resources"] as JsonObject)?["requests"] is JsonObject requests ? requests["storage"] : null;
        if (storage is null)
            reader.Mistake($"spec.{path}.resources.requests.storage", "is required");
        else if (Quantity.Bytes(storage) is not > 0)
            reader.Mistake($"spec.{path}.resources.requests.storage", "must be a quantity such as 8Gi", storage);
        if (claim["storageClass"] is not { } alias)
            return claim;
        claim.Remove("storageClass");
        if (claim["storageClassName"] is { } name && !JsonNode.DeepEquals(name, alias))
            reader.Mistake($"spec.{path}.storageClass", "differs from storageClassName; give one of them");
        claim["storageClassName"] = alias.DeepClone();
        return claim;
    }

    private static JsonObject? Service(FieldReader reader, JsonObject spec)
    {
        const string path = "spec.service";
        if (reader.Object(spec, "spec", "service") is not { } service)
            return null;
        reader.Texts(service, path, "labels");
        reader.Texts(service, path, "annotations");
        if (reader.Object(service, path, "spec") is not { } details)
            return service;
        reader.Choice(details, $"{path}.spec", "type", "ClusterIP", "NodePort", "LoadBalancer");
        if (details["selector"] is not null)
            reader.Mistake($"{path}.spec.selector", "is set by the operator and cannot be overridden");
        reader.Objects(details, $"{path}.spec", "ports", "port");
        return service;
    }

    // A product key is not for everybody who may read events, so the value is not told.
    private static string Pid(FieldReader reader, JsonObject spec)
    {
        var pid = reader.Text(spec, "spec", "pid") ?? "Developer";
        if (!Edition().IsMatch(pid))
            reader.Mistake("spec.pid", "must be Evaluation, Developer, Express, Web, Standard, Enterprise, EnterpriseCore, StandardDeveloper, "
                + "EnterpriseDeveloper, or a product key of five groups of five letters and digits");
        return pid;
    }
}
