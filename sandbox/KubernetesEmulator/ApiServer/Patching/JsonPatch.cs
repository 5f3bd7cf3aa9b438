using System.Globalization;
using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;

namespace KubernetesEmulator.Patching;

/// <summary>RFC 6902.</summary>
internal static class JsonPatch
{
    public static JsonObject Apply(JsonObject target, JsonArray patch)
    {
        JsonNode? root = target.Copy();
        foreach (var operation in patch.Objects())
        {
            var path = Steps(operation.Text("path") ?? throw Refuse("missing path"));
            switch (operation.Text("op"))
            {
                case "add":
                    Put(ref root, path, operation["value"]?.DeepClone(), insert: true);
                    break;
                case "replace":
                    Find(root, path);
                    Put(ref root, path, operation["value"]?.DeepClone(), insert: false);
                    break;
                case "remove":
                    Take(root, path);
                    break;
                case "move":
                    Put(ref root, path, Take(root, Steps(operation.Text("from") ?? throw Refuse("missing from"))), insert: true);
                    break;
                case "copy":
                    Put(ref root, path, Find(root, Steps(operation.Text("from") ?? throw Refuse("missing from")))?.DeepClone(), insert: true);
                    break;
                case "test":
                    if (!Document.Same(Find(root, path, missingIsNull: true), operation["value"]))
                        throw new ApiError(422, "Invalid", $"testing value {operation.Text("path")} failed");
                    break;
                default:
                    throw Refuse($"unexpected kind: {operation.Text("op")}");
            }
        }

        return root as JsonObject ?? throw Refuse("the result is not an object");
    }

    private static string[] Steps(string pointer)
    {
        if (pointer.Length == 0)
            return [];
        if (pointer[0] != '/')
            throw Refuse($"pointer does not start with '/': {pointer}");
        return [.. pointer[1..].Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static JsonNode? Find(JsonNode? node, ReadOnlySpan<string> path, bool missingIsNull = false)
    {
        foreach (var step in path)
        {
            switch (node)
            {
                case JsonObject o when o.TryGetPropertyValue(step, out var child):
                    node = child;
                    break;
                case JsonArray a when Index(step, a.Count - 1) is { } i:
                    node = a[i];
                    break;
                default:
                    return missingIsNull ? null : throw Refuse($"doc is missing path: {step}: missing value");
            }
        }

        return node;
    }

    private static void Put(ref JsonNode? root, string[] path, JsonNode? value, bool insert)
    {
        if (path.Length == 0)
        {
            root = value;
            return;
        }

        switch (Find(root, path.AsSpan(..^1)))
        {
            case JsonObject o:
                o[path[^1]] = value;
                break;
            case JsonArray a when insert && path[^1] == "-":
                a.Add(value);
                break;
            case JsonArray a when Index(path[^1], insert ? a.Count : a.Count - 1) is { } i:
                if (insert)
                    a.Insert(i, value);
                else
                    a[i] = value;
                break;
            default:
                throw Refuse($"doc is missing path: {string.Join('/', path)}");
        }
    }

    private static JsonNode? Take(JsonNode? root, string[] path)
    {
        var value = path.Length == 0 ? throw Refuse("cannot remove the document") : Find(root, path);
        switch (Find(root, path.AsSpan(..^1)))
        {
            case JsonObject o:
                o.Remove(path[^1]);
                break;
            case JsonArray a:
                a.RemoveAt(Index(path[^1], a.Count - 1) ?? 0);
                break;
        }

        return value;
    }

    private static int? Index(string step, int last) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var i) && i <= last ? i : null;

    private static ApiError Refuse(string why) =>
        new(422, "Invalid", $"the server rejected our request due to an error in our request: {why}");
}
