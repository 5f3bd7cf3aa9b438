using Agents.Kubernetes;

namespace Agents.InitSql;

/// <summary>Finds the instance: its pod's address may change while we wait for it.</summary>
internal sealed class InstanceAddress
{
    private readonly IKubernetesApi? api;
    private readonly InitSqlOptions options;

    /// <param name="api">Null when the options name the host.</param>
    /// <param name="options">Which pod.</param>
    public InstanceAddress(IKubernetesApi? api, InitSqlOptions options)
    {
        this.api = api;
        this.options = options;
    }

    /// <returns>A host, or null with the reason why there is none yet.</returns>
    public async Task<(string? Host, string Why)> FindAsync(CancellationToken cancellationToken)
    {
        if (api is null)
            return (options.Host, string.Empty);
        try
        {
            var pod = await api.GetAsync(KubernetesTypes.Pods, options.Namespace, options.ServerName, cancellationToken).ConfigureAwait(false);
            if (pod is null)
                return (null, $"pod {options.ServerName} does not exist yet");
            if (pod.Metadata.DeletionTimestamp is not null)
                return (null, $"pod {options.ServerName} is being deleted");
            return pod.Status?.PodIP is { Length: > 0 } address ? (address, string.Empty) : (null, $"pod {options.ServerName} has no address yet");
        }
        catch (KubernetesException error)
        {
            return (null, $"pod {options.ServerName} cannot be read: {error.Message}");
        }
    }
}
