using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agents.Operator.Specs;

/// <summary>Reads what a <c>SqlServer</c> says about its pods: fields of their own, labels and annotations, and overlays.</summary>
internal static partial class PodReader
{
    private const int DefaultGracePeriod = 60;
    private static readonly string[] OfInitPodToo = ["imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName"];

    /// <summary>Labels that select and identify: Services, agents and the StatefulSet rely on them.</summary>
    private static readonly string[] ReservedLabels = ["type", "name", Names.ManagedBy];

    /// <returns>Fields of a pod specification.</returns>
    public static JsonObject Fields(FieldReader reader, JsonObject spec)
    {
        var pod = new JsonObject
        {
            ["terminationGracePeriodSeconds"] = reader.Number(spec, "spec", "terminationGracePeriodSeconds", 1, int.MaxValue) ?? DefaultGracePeriod,
        };
        if (reader.Texts(spec, "spec", "nodeSelector") is { Count: > 0 } selector)
            pod["nodeSelector"] = selector.DeepClone();
        if (reader.Object(spec, "spec", "affinity") is { } affinity)
            pod["affinity"] = affinity.DeepClone();
        if (reader.Objects(spec, "spec", "tolerations") is { } tolerations)
            pod["tolerations"] = tolerations.DeepClone();
        if (reader.Objects(spec, "spec", "topologySpreadConstraints", "topologyKey") is { } spread)
            pod["topologySpreadConstraints"] = spread.DeepClone();
        if (reader.Objects(spec, "spec", "imagePullSecrets", "name") is { } secrets)
            pod["imagePullSecrets"] = secrets.DeepClone();
        if (reader.Text(spec, "spec", "priorityClassName", SpecReader.Subdomain(), "must be a name of lower-case letters, digits, '-' and '.'") is { } priority)
            pod["priorityClassName"] = priority;
        return pod;
    }

    /// <returns>Those fields that the init-sql Job's pod needs too, to be pulled and scheduled where instances are.</returns>
    public static JsonObject InitFields(JsonObject fields) =>
        new(fields.Where(field => OfInitPodToo.Contains(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));

    public static JsonObject? Overlay(FieldReader reader, JsonObject spec, string key)
    {
        var pod = reader.Object(spec, "spec", key);
        foreach (var field in new[] { "serviceAccountName", "serviceAccount" })
            if (pod?[field] is not null)
                reader.Mistake($"spec.{key}.{field}", "cannot be overridden; use spec.serviceAccountName");
        foreach (var field in new[] { "restartPolicy", "hostname", "subdomain" })
            if (pod?[field] is not null)
                reader.Mistake($"spec.{key}.{field}", "is set by the operator and cannot be overridden");
        if (pod is not null && reader.Flag(pod, $"spec.{key}", "hostNetwork"))
            reader.Mistake($"spec.{key}.hostNetwork", "is not supported: the pod's own address and name identify the replica");
        return pod;
    }

    public static JsonObject Labels(FieldReader reader, JsonObject spec)
    {
        var labels = reader.Texts(spec, "spec", "podLabels");
        foreach (var (name, value) in labels)
        {
            Key(reader, $"spec.podLabels[{name}]", name, ReservedLabels);
            if (FieldReader.TextOf(value) is { } text && !LabelValue().IsMatch(text))
                reader.Mistake($"spec.podLabels[{name}]", "must be at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit", value);
        }

        return labels;
    }

    public static JsonObject Annotations(FieldReader reader, JsonObject spec)
    {
        var annotations = reader.Texts(spec, "spec", "podAnnotations");
        foreach (var (name, _) in annotations)
            Key(reader, $"spec.podAnnotations[{name}]", name, []);
        return annotations;
    }

    private static void Key(FieldReader reader, string path, string name, IEnumerable<string> reserved)
    {
        var prefix = name.Contains('/', StringComparison.Ordinal) ? name[..name.IndexOf('/', StringComparison.Ordinal)] : string.Empty;
        if (!QualifiedName().IsMatch(name) || prefix.Length > 253)
            reader.Mistake(path, "must be a name of at most 63 letters, digits, '-', '_' and '.', with or without a DNS name and '/' before it");
        else if (reserved.Contains(name) || prefix == Names.Domain || prefix.EndsWith("." + Names.Domain, StringComparison.Ordinal))
            reader.Mistake(path, "is set by the operator or the agents and cannot be overridden");
    }

    [GeneratedRegex("^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]
    private static partial Regex QualifiedName();

    [GeneratedRegex("^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
    private static partial Regex LabelValue();
}
