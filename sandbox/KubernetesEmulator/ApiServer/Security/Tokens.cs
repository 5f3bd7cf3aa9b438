using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace KubernetesEmulator.Security;

/// <summary>Whom a bearer token stands for, and for whom it is meant.</summary>
internal sealed record Credential(Identity Identity, IReadOnlyList<string> Audiences);

/// <summary>Bearer tokens by their hash; the tokens themselves are not kept.</summary>
internal sealed class Tokens(TimeProvider time)
{
    /// <summary>Tokens for the API server itself.</summary>
    public const string ApiAudience = "https://kubernetes.default.svc";

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public string Issue(Identity identity, IReadOnlyList<string>? audiences = null, DateTimeOffset? expires = null, Func<bool>? stillBound = null)
    {
        foreach (var (hash, _) in _entries.Where(e => e.Value.Expires <= time.GetUtcNow()))
            _entries.TryRemove(hash, out _);
        var token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        _entries[Hash(token)] = new Entry(new Credential(identity, audiences ?? [ApiAudience]), expires, stillBound);
        return token;
    }

    /// <summary>What a token that is valid now stands for, whoever it is meant for.</summary>
    public Credential? Find(string token) =>
        _entries.TryGetValue(Hash(token), out var entry) && !(entry.Expires <= time.GetUtcNow()) && entry.StillBound?.Invoke() != false ? entry.Credential : null;

    private static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private sealed record Entry(Credential Credential, DateTimeOffset? Expires, Func<bool>? StillBound);
}
