using System.Text.Json.Nodes;

namespace Agents.Operator.Manifests;

/// <summary>Short forms for the documents below.</summary>
internal static class Json
{
    public static JsonArray List(params IEnumerable<JsonNode?> items)
    {
        var list = new JsonArray();
        foreach (var item in items)
            list.Add(item);
        return list;
    }

    public static JsonArray Strings(params IEnumerable<string> items) => List(items.Select(item => (JsonNode?)JsonValue.Create(item)));

    public static JsonObject Map(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var map = new JsonObject();
        foreach (var (key, value) in pairs)
            map[key] = value;
        return map;
    }

    public static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    public static JsonObject FieldVariable(string name, string path) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = path } },
    };

    public static JsonObject SecretVariable(string name, string secret, string key) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = secret, ["key"] = key } },
    };
}
