using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Storage;

/// <summary>
/// All objects in memory under one lock and one ever-growing version, with a bounded history per collection for watches that
/// resume. Every write is a compare-and-swap on the stored object.
/// </summary>
internal sealed class Store
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Collection> _collections = new(StringComparer.Ordinal);
    private readonly int _historyPerCollection;
    private readonly int _watchBuffer;
    private ImmutableArray<Action<Change>> _observers = [];
    private long _version = 1;

    public Store(int historyPerCollection = 2048, int watchBuffer = 4096)
    {
        _historyPerCollection = historyPerCollection;
        _watchBuffer = watchBuffer;
    }

    public long Version
    {
        get
        {
            lock (_lock)
                return _version;
        }
    }

    /// <summary>Calls <paramref name="observer"/> after each change, under the lock: it must only take a note.</summary>
    public void Observe(Action<Change> observer) => ImmutableInterlocked.Update(ref _observers, o => o.Add(observer));

    public StoredObject? Get(string collection, string @namespace, string name)
    {
        lock (_lock)
            return Of(collection).Objects.GetValueOrDefault(Key(@namespace, name));
    }

    public (IReadOnlyList<StoredObject> Items, long Version) List(string collection, string? @namespace)
    {
        lock (_lock)
            return (Select(Of(collection), @namespace), _version);
    }

    /// <summary>The objects as they were at a version, or as they are; null when that version has left the history.</summary>
    public (IReadOnlyList<StoredObject> Items, long Version)? List(string collection, string? @namespace, long? at)
    {
        lock (_lock)
        {
            if (at is not { } version || version > _version)
                return List(collection, @namespace);
            var c = Of(collection);
            if (version < c.Floor)
                return null;
            var objects = new SortedDictionary<string, StoredObject>(c.Objects, StringComparer.Ordinal);
            foreach (var change in c.History.Where(h => h.Version > version).Reverse())
            {
                if (change.Before is { } before)
                    objects[before.Key] = before;
                else
                    objects.Remove(change.After.Key);
            }

            return ([.. objects.Values.Where(o => @namespace is null || o.Namespace == @namespace)], version);
        }
    }

    /// <summary>Adds an object unless its name is taken.</summary>
    public StoredObject? TryAdd(string collection, JsonObject json)
    {
        lock (_lock)
        {
            var c = Of(collection);
            var key = Key(json.Text("metadata", "namespace") ?? "", json.Text("metadata", "name") ?? "");
            if (c.Objects.ContainsKey(key))
                return null;
            var stored = StoredObject.Of(json, ++_version);
            c.Objects[key] = stored;
            Publish(c, new Change(collection, ChangeKind.Added, null, stored));
            return stored;
        }
    }

    /// <summary>Replaces <paramref name="current"/> if it is still what is stored.</summary>
    public StoredObject? TryReplace(string collection, StoredObject current, JsonObject next)
    {
        lock (_lock)
        {
            var c = Of(collection);
            var key = current.Key;
            if (!ReferenceEquals(c.Objects.GetValueOrDefault(key), current))
                return null;
            var stored = StoredObject.Of(next, ++_version);
            c.Objects[key] = stored;
            Publish(c, new Change(collection, ChangeKind.Modified, current, stored));
            return stored;
        }
    }

    /// <summary>Removes <paramref name="current"/> if it is still what is stored; the last state may differ from it.</summary>
    public StoredObject? TryRemove(string collection, StoredObject current, JsonObject? last = null)
    {
        lock (_lock)
        {
            var c = Of(collection);
            var key = current.Key;
            if (!ReferenceEquals(c.Objects.GetValueOrDefault(key), current))
                return null;
            c.Objects.Remove(key);
            var stored = StoredObject.Of(last ?? current.Json, ++_version);
            Publish(c, new Change(collection, ChangeKind.Deleted, current, stored));
            return stored;
        }
    }

    /// <summary>
    /// Starts a watch. With <paramref name="after"/> null it begins with the present objects; otherwise with the changes since
    /// that version. Null when that version has left the history.
    /// </summary>
    public Watch? Watch(string collection, string? @namespace, long? after)
    {
        lock (_lock)
        {
            var c = Of(collection);
            if (after < c.Floor)
                return null;
            var watch = new Watch(
                @namespace,
                after is null ? Select(c, @namespace) : [],
                after is null ? [] : [.. c.History.Where(h => h.Version > after && Inside(h, @namespace))],
                _version,
                Channel.CreateBounded<Change>(new BoundedChannelOptions(_watchBuffer) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait }),
                w =>
                {
                    lock (_lock)
                        c.Watches.Remove(w);
                });
            c.Watches.Add(watch);
            return watch;
        }
    }

    /// <summary>Forgets the history, as an API server does that starts anew: watches cannot resume over what happened before.</summary>
    public void ForgetHistory()
    {
        lock (_lock)
        {
            foreach (var c in _collections.Values)
            {
                c.History.Clear();
                c.Floor = _version;
            }
        }
    }

    private static bool Inside(Change change, string? @namespace) => @namespace is null || change.After.Namespace == @namespace;

    private static string Key(string @namespace, string name) => $"{@namespace}/{name}";

    private static StoredObject[] Select(Collection c, string? @namespace) =>
        [.. @namespace is null ? c.Objects.Values : c.Objects.Values.Where(o => o.Namespace == @namespace)];

    private Collection Of(string collection)
    {
        if (!_collections.TryGetValue(collection, out var c))
            _collections[collection] = c = new Collection();
        return c;
    }

    private void Publish(Collection c, Change change)
    {
        c.History.Enqueue(change);
        if (c.History.Count > _historyPerCollection)
            c.Floor = c.History.Dequeue().Version;
        for (var i = c.Watches.Count - 1; i >= 0; i--)
        {
            var watch = c.Watches[i];
            if (Inside(change, watch.Namespace) && !watch.Offer(change))
                c.Watches.RemoveAt(i);
        }

        foreach (var observer in _observers)
            observer(change);
    }

    private sealed class Collection
    {
        public SortedDictionary<string, StoredObject> Objects { get; } = new(StringComparer.Ordinal);

        public Queue<Change> History { get; } = new();

        public List<Watch> Watches { get; } = [];

        /// <summary>Watches can resume from this version or later.</summary>
        public long Floor { get; set; }
    }
}

/// <summary>A started watch. A reader too slow for its buffer is cut off: its channel ends.</summary>
internal sealed class Watch(
    string? @namespace, IReadOnlyList<StoredObject> initial, IReadOnlyList<Change> missed, long version, Channel<Change> channel, Action<Watch> ended)
    : IDisposable
{
    public string? Namespace => @namespace;

    public IReadOnlyList<StoredObject> Initial => initial;

    public IReadOnlyList<Change> Missed => missed;

    /// <summary>Version at which the watch was started.</summary>
    public long Version => version;

    public ChannelReader<Change> Changes => channel.Reader;

    public bool Offer(Change change)
    {
        if (channel.Writer.TryWrite(change))
            return true;
        channel.Writer.TryComplete();
        return false;
    }

    public void Dispose() => ended(this);
}
