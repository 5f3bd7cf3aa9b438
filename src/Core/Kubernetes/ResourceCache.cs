using Microsoft.Extensions.Logging;

namespace Agents.Kubernetes;

/// <summary>
/// Keeps a copy of a selection of objects, by list and watch. Readers look at the whole selection (levels); <see cref="Changed"/> only says
/// when to look. The copy may lag: whoever needs certainty reads from the API.
/// </summary>
/// <typeparam name="T">A <see cref="KubernetesObject"/> or <see cref="System.Text.Json.Nodes.JsonObject"/>.</typeparam>
public sealed partial class ResourceCache<T>
    where T : class
{
    private const int ResumesBeforeList = 8;
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestAskedWait = TimeSpan.FromMinutes(1);

    private readonly IKubernetesApi api;
    private readonly ResourceType<T> type;
    private readonly string? @namespace;
    private readonly ListOptions options;
    private readonly TimeProvider time;
    private readonly Random random;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly Dictionary<ResourceKey, T> items = [];
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? failure = "not listed yet";

    /// <summary>Makes an empty cache; <see cref="RunAsync"/> fills it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="type">Kind of the objects.</param>
    /// <param name="namespace">Namespace, or null for all.</param>
    /// <param name="options">Restricts the selection.</param>
    /// <param name="time">Clock of the back-off.</param>
    /// <param name="random">Spreads the back-off; for this cache alone.</param>
    /// <param name="logger">Told about failures.</param>
    public ResourceCache(
        IKubernetesApi api, ResourceType<T> type, string? @namespace, ListOptions options, TimeProvider time, Random random, ILogger logger)
    {
        this.api = api;
        this.type = type;
        this.@namespace = @namespace;
        this.options = options;
        this.time = time;
        this.random = random;
        this.logger = logger;
    }

    /// <summary>Raised after every change, on the thread of <see cref="RunAsync"/>. Handlers only set a signal.</summary>
    public event Action? Changed;

    /// <summary>Why the copy is not being kept up to date at the moment, or null when it is.</summary>
    public string? Failure => failure;

    /// <summary>True once the selection has been listed.</summary>
    public bool IsSynced => synced.Task.IsCompletedSuccessfully;

    /// <summary>The objects at this moment, in no particular order.</summary>
    public IReadOnlyList<T> Items
    {
        get
        {
            lock (gate)
                return [.. items.Values];
        }
    }

    /// <summary>One object, or null when it is not in the selection.</summary>
    /// <param name="objectNamespace">Its namespace; empty for cluster-scoped kinds.</param>
    /// <param name="name">Its name.</param>
    public T? Find(string objectNamespace, string name)
    {
        lock (gate)
            return items.GetValueOrDefault(new ResourceKey(objectNamespace, name));
    }

    /// <summary>Waits for the first list.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => synced.Task.WaitAsync(cancellationToken);

    /// <summary>
    /// Lists and watches until cancelled; failures are logged and retried, with growing waits between, or those that the server asks for. A
    /// broken watch is resumed from the last version seen; only when that is too old, or leads nowhere again and again, comes a new list.
    /// </summary>
    /// <param name="cancellationToken">Ends the work; this then returns normally.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string? version = null;
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var progressed = false;
            TimeSpan? asked = null;
            try
            {
                if (version is null)
                {
                    version = await ListAsync(cancellationToken).ConfigureAwait(false);
                    progressed = true;
                }

                await foreach (var change in api.WatchAsync(type, @namespace, options, version, cancellationToken).ConfigureAwait(false))
                {
                    Note(change);
                    version = change.ResourceVersion;
                    progressed = true;
                    failures = 0;
                }

                // The server ended the stream in good order. One that does so at once, again and again, must not make us spin.
                failures = progressed ? 0 : failures + 1;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (KubernetesException error)
            {
                if (error.Failure == KubernetesFailure.Gone)
                    LogGone(type.Plural);
                else
                    Report(error);
                failures = progressed ? 1 : failures + 1;
                asked = error.RetryAfter;
                if (!IsPassing(error.Failure) || failures % ResumesBeforeList == 0)
                    version = null;
            }

            if (failures > 0 && !await WaitAsync(failures, asked, cancellationToken).ConfigureAwait(false))
                return;
        }
    }

    /// <summary>True for failures that say nothing against the version that was to be resumed from.</summary>
    private static bool IsPassing(KubernetesFailure failure) => failure
        is KubernetesFailure.Unreachable or KubernetesFailure.Busy or KubernetesFailure.Unauthorized or KubernetesFailure.Forbidden;

    private async Task<string> ListAsync(CancellationToken cancellationToken)
    {
        var list = await api.ListAsync(type, @namespace, options, cancellationToken).ConfigureAwait(false);
        lock (gate)
        {
            items.Clear();
            foreach (var item in list.Items)
                items[ResourceKey.Of(item)] = item;
        }

        failure = null;
        synced.TrySetResult();
        Changed?.Invoke();
        return list.ResourceVersion;
    }

    private void Note(WatchEvent<T> change)
    {
        failure = null;
        if (change.Object is not { } value)
            return;
        lock (gate)
        {
            if (change.Kind == WatchEventKind.Deleted)
                items.Remove(ResourceKey.Of(value));
            else
                items[ResourceKey.Of(value)] = value;
        }

        Changed?.Invoke();
    }

    private void Report(KubernetesException error)
    {
        // Once per trouble, not once per attempt.
        if (failure != error.Message)
            LogFailure(type.Plural, error.Failure, error.Message);
        failure = error.Message;
    }

    private async Task<bool> WaitAsync(int failures, TimeSpan? asked, CancellationToken cancellationToken)
    {
        var longest = Math.Min(LongestWait.TotalSeconds, ShortestWait.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 10)));
        var wait = TimeSpan.FromSeconds(longest * (0.5 + (random.NextDouble() / 2)));
        if (asked > wait)
            wait = asked < LongestAskedWait ? asked.Value : LongestAskedWait;
        try
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Watching {Kind}: {Failure}: {Message}")]
    private partial void LogFailure(string kind, KubernetesFailure failure, string message);

    [LoggerMessage(LogLevel.Debug, "Watching {Kind}: the version is too old, listing anew")]
    private partial void LogGone(string kind);
}
