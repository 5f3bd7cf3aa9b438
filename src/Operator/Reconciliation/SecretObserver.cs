using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Agents.Operator.Reconciliation;

/// <summary>Looks at the Secrets that the operator makes once. They are read one by one: the operator lists nobody's Secrets.</summary>
internal sealed class SecretObserver
{
    private static readonly TimeSpan Trust = TimeSpan.FromMinutes(15);
    private readonly IKubernetesApi api;
    private readonly TimeProvider time;
    private readonly Dictionary<(string Namespace, string Name), long> complete = [];

    public SecretObserver(IKubernetesApi api, TimeProvider time)
    {
        this.api = api;
        this.time = time;
    }

    public async Task<SecretSighting> LookAsync(string @namespace, string name, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        if (complete.TryGetValue((@namespace, name), out var at) && time.GetElapsedTime(at) < Trust)
            return SecretSighting.Complete;
        complete.Remove((@namespace, name));
        var secret = await api.GetAsync(Resources.Secrets, @namespace, name, cancellationToken).ConfigureAwait(false);
        if (secret is null)
            return SecretSighting.Absent;
        if (!keys.All(key => secret["data"] is JsonObject data && (string?)data[key] is { Length: > 0 }))
            return SecretSighting.Incomplete;
        complete[(@namespace, name)] = time.GetTimestamp();
        return SecretSighting.Complete;
    }
}
