using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Events;

/// <summary>
/// Posts events as client-go's recorder does: in the background, so that nobody waits; what repeats is counted in one object; an object that has too much
/// to say is cut short, and so is everything while the API server cannot be reached.
/// </summary>
/// <param name="api">Where to.</param>
/// <param name="component">Who reports.</param>
/// <param name="host">From which node, or null.</param>
/// <param name="time">The clock.</param>
internal sealed class EventRecorder(IKubernetesApi api, string component, string? host, TimeProvider time)
{
    private const int Waiting = 1000;
    private const int Remembered = 4096;
    private const int Burst = 25;
    private const int Attempts = 12;
    private static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Channel<JsonObject> _queue = Channel.CreateBounded<JsonObject>(
        new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly Dictionary<string, JsonObject> _posted = [];
    private readonly Dictionary<string, (double Tokens, DateTimeOffset At)> _buckets = [];
    private long _sequence;

    /// <summary>Reports something that is as it should be.</summary>
    /// <param name="about">Reference to the object, see <see cref="Pod"/> and <see cref="Node"/>.</param>
    /// <param name="reason">Short and for programs.</param>
    /// <param name="message">For people; never a secret.</param>
    public void Normal(JsonObject about, string reason, string message) => Record(about, "Normal", reason, message);

    /// <summary>Reports something that is not as it should be.</summary>
    /// <inheritdoc cref="Normal"/>
    public void Warning(JsonObject about, string reason, string message) => Record(about, "Warning", reason, message);

    /// <summary>A reference to a pod, or to one field of it.</summary>
    public static JsonObject Pod(JsonObject pod, string? fieldPath = null)
    {
        var reference = new JsonObject
        {
            ["kind"] = "Pod",
            ["namespace"] = pod.Namespace(),
            ["name"] = pod.Name(),
            ["uid"] = pod.Uid(),
            ["apiVersion"] = "v1",
            ["resourceVersion"] = pod.Version(),
        };
        if (fieldPath is not null)
            reference["fieldPath"] = fieldPath;
        return reference;
    }

    /// <summary>A reference to a node; as with the kubelet its uid is its name.</summary>
    public static JsonObject Node(string name) => new() { ["kind"] = "Node", ["name"] = name, ["uid"] = name };

    /// <summary>Posts until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var entry in _queue.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                if (Allowed(entry))
                    await PostAsync(entry, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static string KeyOf(JsonObject entry) => string.Join(
        '\n', entry.Text("involvedObject", "uid"), entry.Text("involvedObject", "fieldPath"), entry.Text("type"), entry.Text("reason"), entry.Text("message"));

    private void Record(JsonObject about, string type, string reason, string message)
    {
        var now = time.GetUtcNow();
        var source = new JsonObject { ["component"] = component };
        if (host is not null)
            source["host"] = host;
        var suffix = ((now - DateTimeOffset.UnixEpoch).Ticks * 100) + (Interlocked.Increment(ref _sequence) % 100);
        _queue.Writer.TryWrite(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{about.Text("name")}.{suffix.ToString("x", CultureInfo.InvariantCulture)}",
                ["namespace"] = about.Text("namespace") ?? "default",
            },
            ["involvedObject"] = about,
            ["reason"] = reason,
            ["message"] = message,
            ["source"] = source,
            ["firstTimestamp"] = now.Stamp(),
            ["lastTimestamp"] = now.Stamp(),
            ["count"] = 1,
            ["type"] = type,
        });
    }

    /// <summary>So many events of one object at once, and then one in a while.</summary>
    private bool Allowed(JsonObject entry)
    {
        var now = time.GetUtcNow();
        var uid = entry.Text("involvedObject", "uid") ?? "";
        if (_buckets.Count >= Remembered)
            _buckets.Clear();
        var (tokens, at) = _buckets.GetValueOrDefault(uid, (Burst, now));
        tokens = Math.Min(Burst, tokens + ((now - at) / Refill));
        _buckets[uid] = (tokens >= 1 ? tokens - 1 : tokens, now);
        return tokens >= 1;
    }

    private async Task PostAsync(JsonObject entry, CancellationToken stop)
    {
        var @namespace = entry.Namespace();
        var key = KeyOf(entry);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                if (_posted.TryGetValue(key, out var before))
                {
                    var count = (before.Number("count") ?? 1) + 1;
                    var patch = new JsonObject { ["count"] = count, ["lastTimestamp"] = entry.Text("lastTimestamp") };
                    await api.MergePatchAsync(Kinds.Events, @namespace, before.Name(), patch, stop).ConfigureAwait(false);
                    before["count"] = count;
                    return;
                }

                await api.CreateAsync(Kinds.Events, @namespace, entry, stop).ConfigureAwait(false);
                if (_posted.Count >= Remembered)
                    _posted.Clear();
                _posted[key] = entry;
                return;
            }
            catch (KubernetesException e) when (e.Failure == KubernetesFailure.NotFound && _posted.Remove(key))
            {
                // Somebody deleted it, or its time was over: it is a new one.
            }
            catch (KubernetesException e) when (e.Failure is KubernetesFailure.Unreachable or KubernetesFailure.Busy)
            {
                await Task.Delay(Pause, time, stop).ConfigureAwait(false);
            }
            catch (KubernetesException)
            {
                // Such as a namespace that goes: an event is never worth more than this.
                return;
            }
        }
    }
}
