using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KubernetesEmulator.Resources;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Http;

/// <summary>One page of a list. All pages show the collection as it was at the version of the first.</summary>
internal static class ListPage
{
    public static (IReadOnlyList<StoredObject> Items, JsonObject Metadata) Read(Store store, ApiRequest request, RequestQuery query)
    {
        var r = request.Resource;
        var selectors = Selectors.Parse(r, query.Text("labelSelector"), query.Text("fieldSelector"));
        var wanted = query.Version("resourceVersion") ?? 0;
        var limit = query.Number("limit") ?? 0;
        Start? start = null;
        if (query.Text("continue") is { } token)
        {
            if (wanted > 0)
                throw ApiError.BadRequest("specifying resource version is not allowed when using continue");
            start = Start.Parse(token);
        }

        var exactly = start?.Version ?? (query.Text("resourceVersionMatch") == "Exact" ? wanted : null);
        if (store.List(r.Key, request.Namespace, exactly) is not var (all, version))
            throw ApiError.Gone(start is null
                ? "The resourceVersion for the provided list is too old."
                : "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.");
        if (wanted > version)
            throw new ApiError(504, "Timeout", $"Too large resource version: {wanted}, current: {version}", new JsonObject
            {
                ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
                ["retryAfterSeconds"] = 1,
            });

        var rest = all.SkipWhile(o => start is not null && string.CompareOrdinal(o.Key, start.After) <= 0).ToList();
        var items = new List<StoredObject>();
        var read = 0;
        while (read < rest.Count && (limit <= 0 || items.Count < limit))
        {
            var o = rest[read++];
            if (selectors.Match(o.Json))
                items.Add(o);
        }

        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
        if (read < rest.Count)
        {
            metadata["continue"] = new Start(version, rest[read - 1].Key).ToString();
            // How many more match a selector is not known without looking.
            if (query.Text("labelSelector") is null && query.Text("fieldSelector") is null)
                metadata["remainingItemCount"] = rest.Count - read;
        }

        return (items, metadata);
    }

    /// <summary>Where a page begins; clients carry it as an opaque text.</summary>
    private sealed record Start(long Version, string After)
    {
        public static Start Parse(string token)
        {
            try
            {
                if (Document.Parse(Convert.FromBase64String(token)) is JsonObject o && o.Number("rv") is { } version && o.Text("after") is { } after)
                    return new Start(version, after);
            }
            catch (Exception e) when (e is FormatException or JsonException)
            {
                // Not one of ours.
            }

            throw ApiError.BadRequest("invalid continue token: continue key is not valid: unable to parse the continue parameter");
        }

        public override string ToString() =>
            Convert.ToBase64String(Encoding.UTF8.GetBytes(new JsonObject { ["rv"] = Version, ["after"] = After }.ToJsonString()));
    }
}
