using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace KubernetesEmulator.Objects;

/// <summary>
/// A copy of all objects of one kind, kept current by list and watch. Its documents are shared: clone before changing one.
/// <c>changed</c> runs after each change and only wakes somebody; it must not block.
/// </summary>
internal sealed class Mirror(IKubernetesApi api, ResourceType<JsonObject> type, TimeProvider time, Action changed, ListOptions? options = null)
{
    private readonly ListOptions _options = options ?? ListOptions.All;
    private volatile ImmutableDictionary<string, JsonObject> _items = ImmutableDictionary<string, JsonObject>.Empty;
    private volatile bool _synced;

    /// <summary>True once the first list has been read.</summary>
    public bool Synced => _synced;

    /// <summary>By <c>namespace/name</c>.</summary>
    public ImmutableDictionary<string, JsonObject> Items => _items;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string? version = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (version is null)
                {
                    var list = await api.ListAsync(type, null, _options, cancellationToken).ConfigureAwait(false);
                    _items = list.Items.ToImmutableDictionary(x => x.Key());
                    version = list.ResourceVersion;
                    _synced = true;
                    changed();
                }

                await foreach (var change in api.WatchAsync(type, null, _options, version, cancellationToken).ConfigureAwait(false))
                {
                    version = change.ResourceVersion;
                    if (change.Object is not { } item || change.Kind == WatchEventKind.Bookmark)
                        continue;
                    _items = change.Kind == WatchEventKind.Deleted ? _items.Remove(item.Key()) : _items.SetItem(item.Key(), item);
                    changed();
                }

                // A server that ends watches at once must not make this a busy loop.
                await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken).ConfigureAwait(false);
            }
            catch (KubernetesException e)
            {
                if (e.Failure == KubernetesFailure.Gone)
                    version = null;
                if (!await PauseAsync(cancellationToken).ConfigureAwait(false))
                    return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<bool> PauseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
