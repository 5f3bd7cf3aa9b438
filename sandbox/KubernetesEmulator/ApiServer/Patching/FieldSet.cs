using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Patching;

/// <summary>A set of field paths in the form of <c>fieldsV1</c>.</summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> _children = new(StringComparer.Ordinal);

    /// <summary>Whether the path that leads here is itself in the set.</summary>
    public bool Self { get; set; }

    public IEnumerable<KeyValuePair<string, FieldSet>> Children => _children;

    public bool IsEmpty => !Self && _children.Values.All(c => c.IsEmpty);

    public FieldSet? Find(string step) => _children.GetValueOrDefault(step);

    public FieldSet Child(string step)
    {
        if (!_children.TryGetValue(step, out var child))
            _children[step] = child = new FieldSet();
        return child;
    }

    public void Remove(string step) => _children.Remove(step);

    /// <summary>All fields that a document sets.</summary>
    public static FieldSet Of(JsonNode? value, Shape shape)
    {
        var set = new FieldSet();
        Collect(value, shape, set);
        return set;
    }

    /// <summary>What differs: fields new or changed in <paramref name="now"/>, and fields that it lacks.</summary>
    public static (FieldSet Changed, FieldSet Removed) Diff(JsonNode? old, JsonNode? now, Shape shape)
    {
        var (changed, removed) = (new FieldSet(), new FieldSet());
        Compare(old, now, shape, changed, removed);
        return (changed, removed);
    }

    public static FieldSet FromJson(JsonNode? fields)
    {
        var set = new FieldSet();
        if (fields is not JsonObject o || o.Count == 0)
        {
            set.Self = true;
            return set;
        }

        foreach (var (step, child) in o)
        {
            if (step == ".")
                set.Self = true;
            else
                set._children[step] = FromJson(child);
        }

        return set;
    }

    public JsonObject ToJson()
    {
        var o = new JsonObject();
        var children = _children.Where(c => !c.Value.IsEmpty).ToList();
        if (Self && children.Count > 0)
            o["."] = new JsonObject();
        foreach (var (step, child) in children)
            o[step] = child.ToJson();
        return o;
    }

    public FieldSet Union(FieldSet? other)
    {
        var result = new FieldSet { Self = Self || other?.Self == true };
        foreach (var step in _children.Keys.Union(other?._children.Keys.AsEnumerable() ?? []))
            result._children[step] = (Find(step) ?? new FieldSet()).Union(other?.Find(step));
        return result;
    }

    public FieldSet Except(FieldSet? other)
    {
        var result = new FieldSet { Self = Self && other?.Self != true };
        foreach (var (step, child) in _children)
        {
            var rest = child.Except(other?.Find(step));
            if (!rest.IsEmpty)
                result._children[step] = rest;
        }

        return result;
    }

    public FieldSet Intersect(FieldSet? other)
    {
        var result = new FieldSet { Self = Self && other?.Self == true };
        foreach (var (step, child) in _children)
        {
            var both = child.Intersect(other?.Find(step));
            if (!both.IsEmpty)
                result._children[step] = both;
        }

        return result;
    }

    /// <summary>Each path as conflicts print it: <c>.spec.containers[name="x"].image</c>.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        if (Self)
            yield return prefix;
        foreach (var (step, child) in _children)
        {
            var name = step[2..];
            var here = step[0] switch
            {
                'f' => $"{prefix}.{name}",
                'k' => $"{prefix}[{string.Join(",", (Document.Parse(System.Text.Encoding.UTF8.GetBytes(name)) as JsonObject ?? []).Select(k => $"{k.Key}={Document.Show(k.Value)}"))}]",
                'v' => $"{prefix}[={name}]",
                _ => $"{prefix}[{name}]",
            };
            foreach (var path in child.Paths(here))
                yield return path;
        }
    }

    private static void Collect(JsonNode? value, Shape shape, FieldSet set)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } o when !shape.AtomicMap:
                foreach (var (name, child) in o)
                    Collect(child, shape.Field(name), set.Child("f:" + name));
                break;
            case JsonArray { Count: > 0 } a when shape.List != ListKind.Atomic:
                foreach (var (key, item) in Keyed(a, shape))
                {
                    var child = set.Child(key);
                    child.Self = true;
                    if (item is JsonObject)
                        Collect(item, shape.Item(), child);
                }

                break;
            default:
                set.Self = true;
                break;
        }
    }

    private static void Compare(JsonNode? old, JsonNode? now, Shape shape, FieldSet changed, FieldSet removed)
    {
        if (old is JsonObject a && now is JsonObject b && !shape.AtomicMap)
        {
            foreach (var name in a.Select(p => p.Key).Union(b.Select(p => p.Key)))
                Step("f:" + name, a.ContainsKey(name), a[name], b.ContainsKey(name), b[name], shape.Field(name));
            if (b.Count == 0 && a.Count > 0)
                changed.Self = true;
        }
        else if (old is JsonArray x && now is JsonArray y && shape.List != ListKind.Atomic)
        {
            var (left, right) = (Keyed(x, shape), Keyed(y, shape));
            foreach (var key in left.Keys.Union(right.Keys))
                Step(key, left.ContainsKey(key), left.GetValueOrDefault(key), right.ContainsKey(key), right.GetValueOrDefault(key), shape.Item());
        }
        else if (!Document.Same(old, now))
        {
            Collect(now, shape, changed);
        }

        void Step(string key, bool had, JsonNode? before, bool has, JsonNode? after, Shape child)
        {
            if (had && has)
            {
                Compare(before, after, child, changed.Child(key), removed.Child(key));
                return;
            }

            var target = (has ? changed : removed).Child(key);
            if (key[0] != 'f')
                target.Self = true;
            if (key[0] != 'v')
                Collect(has ? after : before, child, target);
        }
    }

    private static Dictionary<string, JsonNode?> Keyed(JsonArray list, Shape shape)
    {
        var items = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
            items[shape.KeyOf(list[i]) ?? $"i:{i}"] = list[i];
        return items;
    }
}
