using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>Brings one pod's status to the API server, now or as soon as that answers.</summary>
/// <param name="options">The node's.</param>
/// <param name="api">The API server.</param>
/// <param name="uid">The pod's; another pod of its name is none of our business.</param>
/// <param name="changed">Set when there may be something to write.</param>
/// <param name="gate">Waits while the node is frozen.</param>
/// <param name="present">The pod and the status that it should have; null when it is gone.</param>
/// <param name="learned">Hears what the API server has.</param>
/// <param name="removed">Hears that it does not have the pod any more.</param>
internal sealed class PodStatusWriter(
    ProcessNodeOptions options, IKubernetesApi api, string uid, Wake changed, Func<CancellationToken, Task> gate,
    Func<(JsonObject Pod, JsonObject Status)?> present, Action<JsonObject> learned, Action removed) : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1);
    private string? _written;

    public void Dispose() => _writing.Dispose();

    /// <summary>Writes after each change, until <paramref name="abandoned"/>.</summary>
    public async Task RunAsync(CancellationToken abandoned)
    {
        try
        {
            while (true)
            {
                await changed.WaitAsync(TimeSpan.FromSeconds(30), abandoned).ConfigureAwait(false);
                for (var pause = 100; !await TryWriteAsync(abandoned).ConfigureAwait(false); pause = Math.Min(pause * 2, 1000))
                    await Task.Delay(TimeSpan.FromMilliseconds(pause), options.Time, abandoned).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (abandoned.IsCancellationRequested)
        {
        }
    }

    /// <summary>Writes the status now, if that is possible within <paramref name="bound"/>; otherwise it is written later.</summary>
    public async Task FlushAsync(TimeSpan bound, CancellationToken abandoned)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(abandoned);
        limit.CancelAfter(bound);
        try
        {
            if (!await TryWriteAsync(limit.Token).ConfigureAwait(false))
                changed.Set();
        }
        catch (OperationCanceledException)
        {
            abandoned.ThrowIfCancellationRequested();
            changed.Set();
        }
    }

    /// <summary>What the API server must agree on with us: somebody else may have changed a condition in the meantime.</summary>
    private static JsonArray Essence(IEnumerable<JsonObject> conditions) => conditions
        .OrderBy(x => x.Text("type"), StringComparer.Ordinal)
        .Select(x => (JsonNode?)new JsonArray(x.Text("type"), x.Text("status")))
        .ToJson();

    /// <returns>False when it must be tried again.</returns>
    private async Task<bool> TryWriteAsync(CancellationToken cancellationToken)
    {
        await gate(cancellationToken).ConfigureAwait(false);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var attempt = 0; attempt < 5; attempt++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (present() is not var (pod, status))
                    return true;
                var text = status.ToJsonString();
                if (text == _written && JsonNode.DeepEquals(Essence(pod.Items("status", "conditions")), Essence(status.Items("conditions"))))
                    return true;
                var patch = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["uid"] = uid, ["resourceVersion"] = pod.Version() },
                    ["status"] = status,
                };
                try
                {
                    learned(await api.MergePatchAsync(Kinds.Pods, pod.Namespace(), pod.Name(), patch, cancellationToken, "status").ConfigureAwait(false));
                    _written = text;
                    return true;
                }
                catch (KubernetesException e) when (e.Failure is KubernetesFailure.Conflict or KubernetesFailure.NotFound or KubernetesFailure.Invalid)
                {
                    var stored = await api.GetAsync(Kinds.Pods, pod.Namespace(), pod.Name(), cancellationToken).ConfigureAwait(false);
                    if (stored is null || stored.Uid() != uid)
                    {
                        removed();
                        return true;
                    }

                    learned(stored);
                    if (e.Failure == KubernetesFailure.Invalid)
                    {
                        options.Log($"pod {pod.Key()}: status refused: {e.Message}");
                        return false;
                    }
                }
            }

            return false;
        }
        catch (KubernetesException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }
}
