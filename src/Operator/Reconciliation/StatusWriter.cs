using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Operator.Specs;
using Microsoft.Extensions.Logging;

namespace Agents.Operator.Reconciliation;

/// <summary>Writes an instance's status when it has changed, and an event when what people should know has changed.</summary>
internal sealed partial class StatusWriter
{
    private readonly IKubernetesApi api;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public StatusWriter(IKubernetesApi api, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.time = time;
        this.logger = logger;
    }

    public async Task WriteAsync(InstanceView instance, IReadOnlyList<InstanceCondition> conditions, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var status = StatusBuilder.Build(instance, conditions, now);
        if (JsonNode.DeepEquals(status, instance.Document["status"]))
            return;
        var @namespace = (string?)instance.Document["metadata"]?["namespace"] ?? string.Empty;
        var ready = conditions[0];
        if (Before(instance) is var before && (before?.Reason != ready.Reason || before?.Message != ready.Message))
        {
            LogReady(@namespace, instance.Name, ready.Status == true ? "ready" : "not ready", ready.Reason, ready.Message);
            if (ready.Status == true || ready.Reason is StatusBuilder.InvalidSpec or StatusBuilder.Rejected or StatusBuilder.InitializationFailed
                or StatusBuilder.SecretIncomplete)
                await RecordAsync(instance, @namespace, ready, now, cancellationToken).ConfigureAwait(false);
        }

        var present = instance.Document["status"] as JsonObject ?? [];
        Remove(present, status);
        Remove(present["roles"] as JsonObject ?? [], (JsonObject)status["roles"]!);
        await api.MergePatchAsync(
            Resources.SqlServers, @namespace, instance.Name, new JsonObject { ["status"] = status }, cancellationToken, "status").ConfigureAwait(false);
    }

    /// <summary>A merge patch deletes what is null.</summary>
    private static void Remove(JsonObject present, JsonObject patch)
    {
        foreach (var (field, _) in present)
            if (!patch.ContainsKey(field))
                patch[field] = null;
    }

    private static (string? Reason, string? Message)? Before(InstanceView instance) =>
        (instance.Document["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(condition => (string?)condition["type"] == "Ready")
        .Select(condition => ((string?, string?)?)((string?)condition["reason"], (string?)condition["message"])).FirstOrDefault();

    private async Task RecordAsync(
        InstanceView instance, string @namespace, InstanceCondition condition, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var stamp = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var involved = new JsonObject
        {
            ["apiVersion"] = Names.ApiVersion,
            ["kind"] = Names.Kind,
            ["namespace"] = @namespace,
            ["name"] = instance.Name,
            ["uid"] = instance.Uid,
        };
        var key = ContentHash.Of(new JsonObject { ["object"] = involved.DeepClone(), ["reason"] = condition.Reason, ["message"] = condition.Message, ["at"] = stamp });
        var @event = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["name"] = $"{instance.Name}.{key}", ["namespace"] = @namespace },
            ["involvedObject"] = involved,
            ["type"] = condition.Status == true ? "Normal" : "Warning",
            ["reason"] = condition.Reason,
            ["message"] = condition.Message.Length <= 1024 ? condition.Message : condition.Message[..1024],
            ["source"] = new JsonObject { ["component"] = Names.FieldManager },
            ["count"] = 1,
            ["firstTimestamp"] = stamp,
            ["lastTimestamp"] = stamp,
        };
        try
        {
            await api.CreateAsync(Resources.Events, @namespace, @event, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException error)
        {
            // An event is for people only; the same is in the condition.
            LogEvent(@namespace, instance.Name, error.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "SqlServer {Namespace}/{Name} is {State}: {Reason}: {Message}")]
    private partial void LogReady(string @namespace, string name, string state, string reason, string message);

    [LoggerMessage(LogLevel.Warning, "Could not record an event for {Namespace}/{Name}: {Message}")]
    private partial void LogEvent(string @namespace, string name, string message);
}
