using System.Text.Json.Nodes;

namespace Agents.Operator.Manifests;

/// <summary>The operator's part of ConfigMap <c>&lt;ag&gt;</c>: who belongs to the group.</summary>
internal static class GroupConfigMapManifest
{
    public const string MembersKey = "members";
    public const string LeavingField = "leaving";

    // What agents write.
    public const string ReplicasKey = "replicas";
    public const string GroupKey = "group";

    public static JsonObject Build(string @namespace, string group, IEnumerable<(string Name, string Uid)> owners, IEnumerable<JsonObject> members)
    {
        var map = Metadata.Document("v1", "ConfigMap", Metadata.OfGroup(@namespace, group, owners));
        var sorted = Json.List(members.OrderBy(member => (string?)member["name"], StringComparer.Ordinal).Select(JsonNode? (member) => member.DeepClone()));
        map["data"] = new JsonObject { [MembersKey] = sorted.ToJsonString() };
        return map;
    }

    public static JsonObject Member(string instance, string @namespace, string mode) => new()
    {
        ["name"] = Names.Pod(instance),
        ["instance"] = instance,
        ["mode"] = mode,
        ["endpoint"] = Names.Endpoint(instance, @namespace),
    };

    /// <summary>The same member, which is to leave the group.</summary>
    public static JsonObject AsLeaving(JsonObject member)
    {
        var leaving = (JsonObject)member.DeepClone();
        leaving[LeavingField] = true;
        return leaving;
    }
}
