using System.Globalization;
using System.Text.Json.Nodes;

namespace KubernetesEmulator.Objects;

/// <summary>Reading of untyped documents: what is absent, or of another type, reads as null or empty.</summary>
internal static class Fields
{
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = node is JsonObject o && o.TryGetPropertyValue(name, out var value) ? value : null;
        return node;
    }

    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonValue value
            ? value.TryGetValue<string>(out var text) ? text : value.ToJsonString()
            : null;

    public static int? Number(this JsonNode? node, params ReadOnlySpan<string> path) =>
        int.TryParse(Text(node, path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static bool? Flag(this JsonNode? node, params ReadOnlySpan<string> path) =>
        Text(node, path) switch { "true" => true, "false" => false, _ => null };

    public static JsonObject? Document(this JsonNode? node, params ReadOnlySpan<string> path) => At(node, path) as JsonObject;

    public static IReadOnlyList<JsonObject> Items(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonArray array ? [.. array.OfType<JsonObject>()] : [];

    public static IReadOnlyList<string> Texts(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonArray array ? [.. array.Select(x => x.Text() ?? "")] : [];

    public static IReadOnlyDictionary<string, string> Map(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonObject o ? o.ToDictionary(x => x.Key, x => x.Value.Text() ?? "") : new Dictionary<string, string>();

    public static string Name(this JsonObject document) => document.Text("metadata", "name") ?? "";

    public static string Namespace(this JsonObject document) => document.Text("metadata", "namespace") ?? "";

    public static string Uid(this JsonObject document) => document.Text("metadata", "uid") ?? "";

    public static string Version(this JsonObject document) => document.Text("metadata", "resourceVersion") ?? "";

    public static string Key(this JsonObject document) => $"{document.Namespace()}/{document.Name()}";

    public static bool Deleting(this JsonObject document) => document.Text("metadata", "deletionTimestamp") is not null;

    public static string Phase(this JsonObject pod) => pod.Text("status", "phase") ?? "Pending";

    public static bool Finished(this JsonObject pod) => pod.Phase() is "Succeeded" or "Failed";

    public static bool IsTrue(this JsonObject document, string condition) => document.Condition(condition)?.Text("status") == "True";

    public static JsonObject? Condition(this JsonObject document, string type) =>
        document.Items("status", "conditions").FirstOrDefault(x => x.Text("type") == type);

    /// <summary>The controlling owner's uid, or null.</summary>
    public static string? Controller(this JsonObject document) =>
        document.Items("metadata", "ownerReferences").FirstOrDefault(x => x.Flag("controller") == true)?.Text("uid");

    /// <summary>Equality labels only, as Services have them.</summary>
    public static bool Matches(this IReadOnlyDictionary<string, string> selector, JsonObject document)
    {
        var labels = document.Document("metadata", "labels");
        return selector.All(x => labels.Text(x.Key) == x.Value);
    }

    /// <summary>A label selector with <c>matchLabels</c> and <c>matchExpressions</c>; an absent one selects nothing.</summary>
    public static bool Selects(this JsonObject? selector, JsonObject document)
    {
        if (selector is null || !selector.Map("matchLabels").Matches(document))
            return false;
        var labels = document.Document("metadata", "labels");
        return selector.Items("matchExpressions").All(x =>
        {
            var value = labels.Text(x.Text("key") ?? "");
            return x.Text("operator") switch
            {
                "In" => value is not null && x.Texts("values").Contains(value),
                "NotIn" => value is null || !x.Texts("values").Contains(value),
                "Exists" => value is not null,
                "DoesNotExist" => value is null,
                _ => false,
            };
        });
    }

    public static string Stamp(this DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string MicroStamp(this DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? Time(this JsonNode? node, params ReadOnlySpan<string> path) =>
        DateTimeOffset.TryParse(Text(node, path), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static JsonArray ToJson(this IEnumerable<JsonNode?> items) => new([.. items]);

    /// <summary>A condition that keeps the transition time of <paramref name="before"/> while its status stays the same.</summary>
    public static JsonObject Condition(JsonObject? before, string type, string status, DateTimeOffset now, string? reason = null, string? message = null)
    {
        var condition = new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastTransitionTime"] = before?.Text("status") == status ? before.Text("lastTransitionTime") : now.Stamp(),
        };
        if (reason is not null)
            condition["reason"] = reason;
        if (message is not null)
            condition["message"] = message;
        return condition;
    }
}
