using System.Collections.Concurrent;

namespace KubernetesEmulator.Faults;

/// <summary>Who asked for what through an <see cref="ApiProxy"/>. Safe to read while requests come by.</summary>
public sealed class ApiTraffic
{
    private readonly ConcurrentDictionary<(string Client, string Verb, string Resource), long> _requests = new();
    private long _watched;

    /// <summary>All requests, the starts of watches among them.</summary>
    public long Requests => _requests.Values.Sum();

    /// <summary>Bytes in the streams of watches.</summary>
    public long WatchedBytes => Interlocked.Read(ref _watched);

    /// <summary>Requests by user agent, verb and resource.</summary>
    public IReadOnlyDictionary<(string Client, string Verb, string Resource), long> ByKind => new Dictionary<(string, string, string), long>(_requests);

    internal void Add(string client, string method, string path, bool watch) =>
        _requests.AddOrUpdate((client.Split('/')[0], Verb(method, path, watch), Resource(path)), 1, static (_, count) => count + 1);

    internal void AddWatched(int bytes) => Interlocked.Add(ref _watched, bytes);

    /// <summary>The plural in a path such as <c>/apis/apps/v1/namespaces/ns/statefulsets/name/status</c>.</summary>
    internal static string Resource(string path)
    {
        var rest = AfterNamespace(path);
        return rest.Length == 0 ? path : rest[0];
    }

    private static string Verb(string method, string path, bool watch) => method switch
    {
        "GET" when watch => "watch",
        "GET" => AfterNamespace(path).Length > 1 ? "get" : "list",
        "POST" => "create",
        "PUT" => "update",
        _ => method.ToLowerInvariant(),
    };

    private static string[] AfterNamespace(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var rest = parts.Skip(parts is ["api", ..] ? 2 : 3).ToArray();
        return rest is ["namespaces", _, _, ..] ? rest[2..] : rest;
    }
}
