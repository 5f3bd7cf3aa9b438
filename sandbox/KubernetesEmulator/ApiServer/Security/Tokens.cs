using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace KubernetesEmulator.Security;

/// <summary>Bearer tokens by their hash; the tokens themselves are not kept.</summary>
internal sealed class Tokens(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public string Issue(Identity identity, DateTimeOffset? expires = null, Func<bool>? stillBound = null)
    {
        foreach (var (hash, _) in _entries.Where(e => e.Value.Expires <= time.GetUtcNow()))
            _entries.TryRemove(hash, out _);
        var token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        _entries[Hash(token)] = new Entry(identity, expires, stillBound);
        return token;
    }

    public Identity? Find(string token) =>
        _entries.TryGetValue(Hash(token), out var entry) && !(entry.Expires <= time.GetUtcNow()) && entry.StillBound?.Invoke() != false ? entry.Identity : null;

    private static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private sealed record Entry(Identity Identity, DateTimeOffset? Expires, Func<bool>? StillBound);
}
