using System.Text.Json.Nodes;

namespace Agents.Operator.Manifests;

/// <summary>
/// Lays a user's fields over a generated document: objects are merged, lists of things with a <c>name</c> (containers, env, volumes) are
/// merged by it, other lists are appended, and everything else the user wrote wins.
/// </summary>
internal static class Overlay
{
    public static JsonObject Merge(JsonObject generated, JsonObject? user)
    {
        var result = (JsonObject)generated.DeepClone();
        foreach (var (key, value) in user ?? [])
            result[key] = (result[key], value) switch
            {
                (JsonObject ours, JsonObject theirs) => Merge(ours, theirs),
                (JsonArray ours, JsonArray theirs) => Merge(ours, theirs),
                _ => value?.DeepClone(),
            };
        return result;
    }

    private static JsonArray Merge(JsonArray ours, JsonArray theirs)
    {
        var result = (JsonArray)ours.DeepClone();
        foreach (var item in theirs)
        {
            var at = IndexOf(result, item);
            if (at < 0)
                result.Add(item?.DeepClone());
            else
                result[at] = Merge((JsonObject)result[at]!, (JsonObject)item!);
        }

        return result;
    }

    private static int IndexOf(JsonArray list, JsonNode? item)
    {
        if (item is not JsonObject { } entry || entry["name"] is not { } name)
            return -1;
        for (var i = 0; i < list.Count; i++)
            if (list[i] is JsonObject other && JsonNode.DeepEquals(other["name"], name))
                return i;
        return -1;
    }
}
