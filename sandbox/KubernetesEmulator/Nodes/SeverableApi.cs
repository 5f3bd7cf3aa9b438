using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace KubernetesEmulator.Nodes;

/// <summary>An API server that does not answer, and does not refuse either, while the node is cut off from it.</summary>
internal sealed class SeverableApi(IKubernetesApi api) : IKubernetesApi
{
    private volatile TaskCompletionSource? _cut;

    public void Cut() => _cut ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Heal() => Interlocked.Exchange(ref _cut, null)?.SetResult();

    public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class =>
        ThroughAsync(() => api.GetAsync(type, @namespace, name, cancellationToken), cancellationToken);

    public Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class =>
        ThroughAsync(() => api.ListAsync(type, @namespace, options, cancellationToken), cancellationToken);

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        await UntilHealedAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var change in api.WatchAsync(type, @namespace, options, resourceVersion, cancellationToken).ConfigureAwait(false))
        {
            await UntilHealedAsync(cancellationToken).ConfigureAwait(false);
            yield return change;
        }
    }

    public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class =>
        ThroughAsync(() => api.CreateAsync(type, @namespace, value, cancellationToken), cancellationToken);

    public Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        ThroughAsync(() => api.ReplaceAsync(type, @namespace, name, value, cancellationToken, subresource), cancellationToken);

    public Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class =>
        ThroughAsync(() => api.ApplyAsync(type, @namespace, name, manifest, fieldManager, cancellationToken, subresource), cancellationToken);

    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        ThroughAsync(() => api.MergePatchAsync(type, @namespace, name, patch, cancellationToken, subresource), cancellationToken);

    public Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class =>
        ThroughAsync(() => api.DeleteAsync(type, @namespace, name, cancellationToken, options), cancellationToken);

    /// <summary>Neither a request nor an answer passes a cut.</summary>
    private async Task<T> ThroughAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        await UntilHealedAsync(cancellationToken).ConfigureAwait(false);
        var answer = await call().ConfigureAwait(false);
        await UntilHealedAsync(cancellationToken).ConfigureAwait(false);
        return answer;
    }

    private Task UntilHealedAsync(CancellationToken cancellationToken) => _cut?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;
}
