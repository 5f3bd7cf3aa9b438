using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

/// <summary>An API server in memory, for untyped documents: versions, watches, merge patches, graceful deletion of pods.</summary>
internal sealed class FakeKubernetesApi : IKubernetesApi
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (string Plural, JsonObject Document)> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Plural, ListOptions Options, Channel<WatchEvent<JsonObject>> Channel)> _watches = [];
    private readonly Dictionary<string, long> _changed = [];
    private long _version;

    /// <summary>While set, every call fails as if the server could not be reached.</summary>
    public volatile bool Down;

    public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class
    {
        Check();
        lock (_lock)
            return Task.FromResult(_objects.TryGetValue(Key(type.Plural, @namespace, name), out var found) ? (T)(object)Copy(found.Document) : null);
    }

    public Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class
    {
        Check();
        lock (_lock)
        {
            var items = _objects.Values.Where(x => x.Plural == type.Plural && Selected(options, x.Document)).Select(x => (T)(object)Copy(x.Document));
            return Task.FromResult(new ResourceList<T>([.. items], Text(_version)));
        }
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        Check();
        var channel = Channel.CreateUnbounded<WatchEvent<JsonObject>>();
        lock (_lock)
        {
            if (long.Parse(resourceVersion, CultureInfo.InvariantCulture) < _changed.GetValueOrDefault(type.Plural))
                throw new KubernetesException(KubernetesFailure.Gone, "too old");
            _watches.Add((type.Plural, options, channel));
        }

        await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken))
            yield return (WatchEvent<T>)(object)change;
    }

    public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class
    {
        Check();
        if (type.Kind == "TokenRequest")
            return Task.FromResult((T)(object)new JsonObject { ["status"] = new JsonObject { ["token"] = "token-of-" + type.Plural.Split('/')[1] } });
        lock (_lock)
        {
            var document = Copy((JsonObject)(object)value);
            if (type.Kind == "Binding")
            {
                var bound = Copy(Present(Key("pods", @namespace, document.Name())));
                bound["spec"]!["nodeName"] = document.Text("target", "name");
                Store(Key("pods", @namespace, document.Name()), "pods", bound, WatchEventKind.Modified);
                return Task.FromResult(value);
            }

            var key = Key(type.Plural, @namespace, document.Name());
            if (_objects.ContainsKey(key))
                throw new KubernetesException(KubernetesFailure.AlreadyExists, key);
            var metadata = document["metadata"]!.AsObject();
            if (@namespace is not null)
                metadata["namespace"] = @namespace;
            metadata["uid"] = Guid.NewGuid().ToString();
            metadata["creationTimestamp"] = DateTimeOffset.UtcNow.Stamp();
            metadata["generation"] = 1;
            return Task.FromResult((T)(object)Store(key, type.Plural, document, WatchEventKind.Added));
        }
    }

    public Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class
    {
        Check();
        lock (_lock)
        {
            var key = Key(type.Plural, @namespace, name);
            var present = Present(key);
            var document = Copy((JsonObject)(object)value);
            if (document.Version() is { Length: > 0 } version && version != present.Version())
                throw new KubernetesException(KubernetesFailure.Conflict, key);
            return Task.FromResult((T)(object)Store(key, type.Plural, document, WatchEventKind.Modified));
        }
    }

    public Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class => throw new NotSupportedException();

    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class
    {
        Check();
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var key = Key(type.Plural, @namespace, name);
            var document = Copy(Present(key));
            if (patch.Version() is { Length: > 0 } version && version != document.Version())
                throw new KubernetesException(KubernetesFailure.Conflict, key);
            if (patch.Uid() is { Length: > 0 } uid && uid != document.Uid())
                throw new KubernetesException(KubernetesFailure.Conflict, key);
            Merge(document, patch);
            return Task.FromResult((T)(object)Store(key, type.Plural, document, WatchEventKind.Modified));
        }
    }

    public Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class
    {
        Check();
        lock (_lock)
        {
            var key = Key(type.Plural, @namespace, name);
            if (!_objects.TryGetValue(key, out var found))
                return Task.FromResult(false);
            if (options?.Uid is { } uid && uid != found.Document.Uid())
                throw new KubernetesException(KubernetesFailure.Conflict, key);
            var grace = options?.GracePeriodSeconds ?? found.Document.Number("spec", "terminationGracePeriodSeconds") ?? 30;
            if (type.Plural == "pods" && grace > 0 && found.Document.Text("spec", "nodeName") is not null)
            {
                var document = Copy(found.Document);
                document["metadata"]!["deletionTimestamp"] = DateTimeOffset.UtcNow.Stamp();
                document["metadata"]!["deletionGracePeriodSeconds"] = grace;
                Store(key, type.Plural, document, WatchEventKind.Modified);
                return Task.FromResult(true);
            }

            _objects.Remove(key);
            Announce(type.Plural, found.Document, WatchEventKind.Deleted);
            return Task.FromResult(true);
        }
    }

    public JsonObject? Find(ResourceType<JsonObject> type, string? @namespace, string name)
    {
        lock (_lock)
            return _objects.TryGetValue(Key(type.Plural, @namespace, name), out var found) ? Copy(found.Document) : null;
    }

    public IReadOnlyList<JsonObject> All(ResourceType<JsonObject> type)
    {
        lock (_lock)
            return [.. _objects.Values.Where(x => x.Plural == type.Plural).Select(x => Copy(x.Document))];
    }

    public Task AddAsync(ResourceType<JsonObject> type, [System.Diagnostics.CodeAnalysis.StringSyntax("Json")] string json)
    {
        var document = JsonNode.Parse(json)!.AsObject();
        return CreateAsync(type, type.Namespaced ? document.Namespace() : null, document, CancellationToken.None);
    }

    public static JsonObject Secret(string name, params (string Key, string Value)[] data)
    {
        var values = new JsonObject();
        foreach (var (key, value) in data)
            values[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
        return new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "ns" }, ["data"] = values };
    }

    private static bool Selected(ListOptions options, JsonObject document) =>
        options.FieldSelector is not { } selector || document.Text(selector.Split('=')[0].Split('.')) == selector.Split('=')[1];

    private static string Key(string plural, string? @namespace, string name) => $"{plural}/{@namespace}/{name}";

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Copy(JsonObject document) => (JsonObject)document.DeepClone();

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject present)
                Merge(present, inner);
            else
                target[name] = value.DeepClone();
        }
    }

    private void Check()
    {
        if (Down)
            throw new KubernetesException(KubernetesFailure.Unreachable, "down");
    }

    private JsonObject Present(string key) =>
        _objects.TryGetValue(key, out var found) ? found.Document : throw new KubernetesException(KubernetesFailure.NotFound, key);

    private JsonObject Store(string key, string plural, JsonObject document, WatchEventKind kind)
    {
        document["metadata"]!["resourceVersion"] = Text(++_version);
        _objects[key] = (plural, document);
        Announce(plural, document, kind);
        return Copy(document);
    }

    private void Announce(string plural, JsonObject document, WatchEventKind kind)
    {
        var version = Text(kind == WatchEventKind.Deleted ? ++_version : _version);
        _changed[plural] = _version;
        foreach (var watch in _watches)
            watch.Channel.Writer.TryWrite(watch.Plural == plural && Selected(watch.Options, document)
                ? new WatchEvent<JsonObject>(kind, Copy(document), version)
                : new WatchEvent<JsonObject>(WatchEventKind.Bookmark, null, version));
    }
}
