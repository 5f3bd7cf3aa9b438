using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Patching;

/// <summary>Who wrote which fields, and the apply operation that rests on it.</summary>
internal static class ServerSideApply
{
    private static readonly string[] Unowned =
    [
        "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:generation", "f:managedFields", "f:resourceVersion", "f:deletionTimestamp",
        "f:deletionGracePeriodSeconds",
    ];

    /// <summary>Merges <paramref name="applied"/> into <paramref name="live"/> and returns the result with its new managers.</summary>
    /// <exception cref="ApiError">Another manager owns a field with another value, and <paramref name="force"/> is false.</exception>
    public static JsonObject Apply(
        Resource resource, JsonObject live, JsonObject applied, string manager, string? subresource, bool force, DateTimeOffset now)
    {
        var shape = Shape.Of(resource);
        var managers = Managers.Read(live);
        applied = applied.Copy();
        applied.Child("metadata")?.Remove("managedFields");
        if (!resource.IsCustom)
            Document.DropNulls(applied);
        if (subresource is null && resource.HasStatus)
            applied.Remove("status");
        var body = live.Copy();
        body.Child("metadata")?.Remove("managedFields");

        var fields = Owned(FieldSet.Of(applied, shape), resource, subresource);
        var merged = (JsonObject)Merge(body, applied, shape)!;
        var me = managers.Find(manager, "Apply", subresource);
        var changed = Owned(FieldSet.Diff(body, merged, shape).Changed, resource, subresource);

        var conflicts = new List<(Manager Owner, FieldSet Fields)>();
        foreach (var other in managers.All.Where(m => m != me))
        {
            var conflict = other.Fields.Intersect(changed);
            if (!conflict.IsEmpty)
                conflicts.Add((other, conflict));
        }

        if (conflicts.Count > 0 && !force)
            throw Conflict(conflicts);
        foreach (var (owner, conflict) in conflicts)
            owner.Fields = owner.Fields.Except(conflict);

        if (me is not null)
        {
            var others = managers.All.Where(m => m != me).Aggregate(fields, (sum, m) => sum.Union(m.Fields));
            Remove(merged, me.Fields.Except(fields), others, shape);
            if (!Document.Same(me.Fields.ToJson(), fields.ToJson()))
                me.Time = now;
            me.Fields = fields;
            me.ApiVersion = resource.ApiVersion;
        }
        else
        {
            managers.Add(new Manager(manager, "Apply", resource.ApiVersion, subresource, fields) { Time = now });
        }

        managers.Write(merged);
        return merged;
    }

    /// <summary>Notes in <paramref name="next"/> that <paramref name="manager"/> wrote what differs from <paramref name="old"/>.</summary>
    public static void Track(Resource resource, JsonObject? old, JsonObject next, string manager, string? subresource, DateTimeOffset now)
    {
        var shape = Shape.Of(resource);
        var managers = Managers.Read(next);
        var (before, after) = (old?.Copy() ?? [], next.Copy());
        before.Child("metadata")?.Remove("managedFields");
        after.Child("metadata")?.Remove("managedFields");
        var (changed, removed) = FieldSet.Diff(before, after, shape);
        changed = Owned(changed, resource, null, all: true);
        removed = Owned(removed, resource, null, all: true);
        if (changed.IsEmpty && removed.IsEmpty)
            return;
        var me = managers.Find(manager, "Update", subresource);
        foreach (var other in managers.All.Where(m => m != me))
            other.Fields = other.Fields.Except(changed).Except(removed);
        var mine = Owned(changed, resource, subresource);
        if (me is not null)
        {
            me.Fields = me.Fields.Except(removed).Union(mine);
            me.Time = now;
        }
        else if (!mine.IsEmpty)
        {
            managers.Add(new Manager(manager, "Update", resource.ApiVersion, subresource, mine) { Time = now });
        }

        managers.Write(next);
    }

    private static ApiError Conflict(List<(Manager Owner, FieldSet Fields)> conflicts)
    {
        var causes = new JsonArray();
        foreach (var (owner, fields) in conflicts)
        {
            foreach (var path in fields.Paths())
                causes.Add(new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with {owner.Describe()}", ["field"] = path });
        }

        var text = causes.Count == 1
            ? $"Apply failed with 1 conflict: {causes[0].Text("message")}: {causes[0].Text("field")}"
            : $"Apply failed with {causes.Count} conflicts: "
                + string.Join("\n", causes.GroupBy(c => c.Text("message")).Select(g => $"{g.Key}:\n{string.Join("\n", g.Select(c => $"- {c.Text("field")}"))}"));
        return new ApiError(409, "Conflict", text, new JsonObject { ["causes"] = causes });
    }

    private static FieldSet Owned(FieldSet fields, Resource resource, string? subresource, bool all = false)
    {
        var result = fields.Union(null);
        result.Self = false;
        result.Remove("f:apiVersion");
        result.Remove("f:kind");
        if (result.Find("f:metadata") is { } metadata)
        {
            metadata.Self = false;
            foreach (var field in Unowned)
                metadata.Remove(field);
        }

        if (all)
            return result;
        if (subresource == "status")
        {
            foreach (var (step, _) in result.Children.ToArray())
            {
                if (step != "f:status")
                    result.Remove(step);
            }
        }
        else if (resource.HasStatus)
        {
            result.Remove("f:status");
        }

        return result;
    }

    private static JsonNode? Merge(JsonNode? live, JsonNode? applied, Shape shape)
    {
        switch (applied)
        {
            case JsonObject o when live is JsonObject l && !shape.AtomicMap:
                var merged = l.Copy();
                foreach (var (name, value) in o)
                    merged[name] = Merge(l[name], value, shape.Field(name));
                return merged;
            case JsonArray a when shape.List != ListKind.Atomic:
                return MergeList(live as JsonArray ?? [], a, shape);
            default:
                return applied?.DeepClone();
        }
    }

    private static JsonArray MergeList(JsonArray live, JsonArray applied, Shape shape)
    {
        var wanted = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in applied)
        {
            var key = shape.KeyOf(item) ?? throw ApiError.BadRequest($"failed to create typed patch object: associative list with keys has an element that omits key field {string.Join(",", shape.Keys)}");
            if (!wanted.TryAdd(key, item))
                throw ApiError.BadRequest($"failed to create typed patch object: duplicate entries for key {key[2..]}");
        }

        var liveByKey = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in live)
            liveByKey[shape.KeyOf(item) ?? ""] = item;
        var result = new JsonArray();
        var ownOrder = liveByKey.Keys.All(wanted.ContainsKey);
        if (!ownOrder)
        {
            foreach (var item in live)
                result.Add(wanted.TryGetValue(shape.KeyOf(item) ?? "", out var change) ? Merge(item, change, shape.Item()) : item?.DeepClone());
        }

        foreach (var (key, item) in wanted)
        {
            if (ownOrder || !liveByKey.ContainsKey(key))
                result.Add(Merge(liveByKey.GetValueOrDefault(key), item, shape.Item()));
        }

        return result;
    }

    /// <summary>Removes <paramref name="gone"/> except where <paramref name="kept"/> holds the path or one below it.</summary>
    private static void Remove(JsonNode? node, FieldSet gone, FieldSet? kept, Shape shape)
    {
        foreach (var (step, child) in gone.Children)
        {
            var keep = kept?.Find(step);
            if (step[0] == 'f' && node is JsonObject o && o.ContainsKey(step[2..]))
            {
                var name = step[2..];
                var before = IsContainer(o[name]);
                Remove(o[name], child, keep, shape.Field(name));
                var emptied = before && !IsContainer(o[name]) && child.Children.Any();
                if ((child.Self || emptied) && (keep is null || keep.IsEmpty))
                    o.Remove(name);
            }
            else if (node is JsonArray list)
            {
                var item = list.FirstOrDefault(i => shape.KeyOf(i) == step);
                if (item is null)
                    continue;
                if (child.Self && (keep is null || keep.IsEmpty))
                    list.Remove(item);
                else
                    Remove(item, child, keep, shape.Item());
            }
        }
    }

    private static bool IsContainer(JsonNode? node) => node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 };
}
