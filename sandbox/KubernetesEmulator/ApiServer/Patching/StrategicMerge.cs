using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;
using KubernetesEmulator.Http;
using KubernetesEmulator.Resources;

namespace KubernetesEmulator.Patching;

/// <summary>Strategic merge patch: a merge patch that knows which lists are keyed.</summary>
internal static class StrategicMerge
{
    private const string Directive = "$patch";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string Order = "$setElementOrder/";
    private const string RetainKeys = "$retainKeys";

    public static JsonObject Apply(Resource resource, JsonObject target, JsonObject patch) => Merge(target, patch, Shape.Of(resource));

    private static JsonObject Merge(JsonObject target, JsonObject patch, Shape shape)
    {
        if (patch.Text(Directive) == "replace")
            return Strip(patch);
        var result = patch.Text(Directive) == "delete" ? [] : target.Copy();
        if (patch[RetainKeys] is JsonArray retained)
        {
            var keep = retained.Select(r => r.Text()).ToHashSet();
            foreach (var name in result.Select(p => p.Key).Where(k => !keep.Contains(k)).ToArray())
                result.Remove(name);
        }

        foreach (var (name, value) in patch)
        {
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
            {
                var field = name[DeleteFromList.Length..];
                if (result[field] is JsonArray list && value is JsonArray gone)
                    result[field] = new JsonArray([.. list.Where(i => !gone.Any(g => Document.Same(g, i))).Select(i => i?.DeepClone())]);
            }
            else if (name[0] == '$')
            {
                continue;
            }
            else if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = value switch
                {
                    JsonObject o => result[name] is JsonObject existing ? Merge(existing, o, shape.Field(name)) : Merge([], o, shape.Field(name)),
                    JsonArray a => List(result[name] as JsonArray ?? [], a, shape.Field(name)),
                    _ => value.DeepClone(),
                };
            }
        }

        foreach (var (name, value) in patch)
        {
            if (name.StartsWith(Order, StringComparison.Ordinal) && value is JsonArray order && result[name[Order.Length..]] is JsonArray items)
                result[name[Order.Length..]] = Sort(items, order, target[name[Order.Length..]] as JsonArray ?? [], shape.Field(name[Order.Length..]));
        }

        return result;
    }

    private static JsonArray List(JsonArray target, JsonArray patch, Shape shape)
    {
        if (shape.List == ListKind.Set)
            return Sort([.. target.Concat(patch.Where(p => !target.Any(t => Document.Same(t, p)))).Select(i => i?.DeepClone())], patch, target, shape);
        if (shape.StrategicKey is not { } key)
            return (JsonArray)patch.DeepClone();
        if (patch.Objects().Any(p => p.Text(Directive) == "replace" && p.Count == 1))
            return new JsonArray([.. patch.Objects().Where(p => !p.ContainsKey(Directive)).Select(p => p.DeepClone())]);
        var result = new JsonArray([.. target.Select(t => t?.DeepClone())]);
        foreach (var item in patch)
        {
            if (item is not JsonObject change || change[key] is not { } id)
                throw ApiError.BadRequest($"map: {Document.Show(item)} does not contain declared merge key: {key}");
            var existing = result.OfType<JsonObject>().FirstOrDefault(r => Document.Same(r[key], id));
            if (change.Text(Directive) == "delete")
            {
                if (existing is not null)
                    result.Remove(existing);
            }
            else if (existing is not null)
            {
                result[result.IndexOf(existing)] = Merge(existing, change, shape.Item());
            }
            else
            {
                result.Add((JsonNode)Merge([], change, shape.Item()));
            }
        }

        return Sort(result, patch, target, shape);
    }

    /// <summary>
    /// The items that <paramref name="order"/> names in that order, and among them the others: each before the first that it preceded in
    /// <paramref name="target"/>, or at the end.
    /// </summary>
    private static JsonArray Sort(JsonArray items, JsonArray order, JsonArray target, Shape shape)
    {
        JsonNode? Id(JsonNode? node) => shape.StrategicKey is { } key && node is JsonObject o ? o[key] : node;
        int Rank(JsonArray list, JsonNode? node)
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (Document.Same(Id(list[i]), Id(node)))
                    return i;
            }

            return -1;
        }

        var named = new Queue<JsonNode?>(items.Where(i => Rank(order, i) >= 0).OrderBy(i => Rank(order, i)));
        var others = new Queue<JsonNode?>(items.Where(i => Rank(order, i) < 0).OrderBy(i => Rank(target, i)));
        var result = new JsonArray();
        while (named.Count + others.Count > 0)
        {
            var before = named.Count == 0
                || (others.Count > 0 && Rank(target, named.Peek()) is >= 0 and var rank && Rank(target, others.Peek()) < rank);
            result.Add((before ? others : named).Dequeue()?.DeepClone());
        }

        return result;
    }

    private static JsonObject Strip(JsonObject patch)
    {
        var result = new JsonObject();
        foreach (var (name, value) in patch)
        {
            if (name[0] != '$')
                result[name] = value?.DeepClone();
        }

        return result;
    }
}
