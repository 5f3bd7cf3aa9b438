using System.Text.Json.Nodes;

namespace Agents.Operator.Specs;

/// <summary>
/// What a specification cannot ask for any more, because the instance has its volume and its collation already. The StatefulSet is the memory of
/// what they were.
/// </summary>
internal static class SpecChange
{
    private const string ClaimPath = "spec.instanceRootVolumeClaimTemplate";
    private const string NewInstance = "cannot change: it is the instance's data; make a new instance";
    private static readonly string[] FixedClaimFields = ["accessModes", "storageClassName", "volumeAttributesClassName", "volumeName", "selector", "dataSource"];

    /// <summary>Adds what is refused about the change from a StatefulSet to a reading.</summary>
    public static SpecReading Check(SpecReading reading, JsonObject? statefulSet)
    {
        if (reading.Spec is not { } spec || statefulSet is null)
            return reading;
        var reader = new FieldReader();
        Volume(reader, spec, statefulSet);
        var before = Variable(Server(statefulSet), "MSSQL_COLLATION");
        var after = spec.Collation ?? Variable(spec.Container, "MSSQL_COLLATION");
        if (before != after)
            reader.Mistake("spec.collation", $"cannot change after the first start: must be {before ?? "absent"}", after);
        return reader.Mistakes.Count == 0 ? reading : reading with { Spec = null, Mistakes = reader.Mistakes };
    }

    /// <returns>The storage to ask for when it is more than a StatefulSet's claim template says, else null.</returns>
    public static string? Growth(InstanceSpec spec, JsonObject statefulSet) =>
        Storage(spec.RootVolumeClaim) is { } wanted && Storage(Claim(statefulSet)) is { } had && Quantity.Bytes(wanted) > Quantity.Bytes(had)
            ? wanted.ToString()
            : null;

    private static void Volume(FieldReader reader, InstanceSpec spec, JsonObject statefulSet)
    {
        if (Claim(statefulSet) is not { } before)
        {
            var volume = (statefulSet["spec"]?["template"]?["spec"]?["volumes"] as JsonArray ?? []).OfType<JsonObject>()
                .FirstOrDefault(volume => FieldReader.TextOf(volume["name"]) == Names.RootVolume);
            if (spec.RootVolumeClaim is not null)
                reader.Mistake(ClaimPath, NewInstance);
            else if (volume is not null && !Covers(spec.RootVolume, volume))
                reader.Mistake("spec.instanceRootVolume", NewInstance);
        }
        else if (spec.RootVolumeClaim is not { } after)
        {
            reader.Mistake("spec.instanceRootVolume", NewInstance);
        }
        else
        {
            foreach (var field in FixedClaimFields.Where(field => !JsonNode.DeepEquals(before[field], after[field])))
                reader.Mistake($"{ClaimPath}.{field}", $"cannot change: must be {before[field]?.ToJsonString() ?? "absent"}", after[field]);
            if (Quantity.Bytes(Storage(after)) < Quantity.Bytes(Storage(before)))
                reader.Mistake($"{ClaimPath}.resources.requests.storage", $"must be at least {Storage(before)}, since no volume shrinks", Storage(after));
        }
    }

    private static JsonObject? Claim(JsonObject statefulSet) =>
        (statefulSet["spec"]?["volumeClaimTemplates"] as JsonArray ?? []).OfType<JsonObject>()
        .FirstOrDefault(claim => FieldReader.TextOf(claim["metadata"]?["name"]) == Names.RootVolume)?["spec"] as JsonObject;

    private static JsonNode? Storage(JsonObject? claim) => claim?["resources"]?["requests"]?["storage"];

    private static JsonObject? Server(JsonObject statefulSet) =>
        (statefulSet["spec"]?["template"]?["spec"]?["containers"] as JsonArray ?? []).OfType<JsonObject>()
        .FirstOrDefault(container => FieldReader.TextOf(container["name"]) == Names.ServerContainer);

    private static string? Variable(JsonObject? container, string name) =>
        (container?["env"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(variable => FieldReader.TextOf(variable["name"]) == name).Select(variable => FieldReader.TextOf(variable["value"])).FirstOrDefault();

    /// <summary>True when nothing was asked for that is not there; what is there besides are the API server's defaults.</summary>
    private static bool Covers(JsonNode? asked, JsonNode? there) => (asked, there) switch
    {
        (JsonObject a, JsonObject b) => a.All(field => Covers(field.Value, b[field.Key])),
        _ => JsonNode.DeepEquals(asked, there),
    };
}
