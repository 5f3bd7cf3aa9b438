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
    private readonly Dictionary<string, (string? Version, JsonObject Status)> written = [];

    /// <summary>How often each was told by this operator, by the event's name, which stands for the instance and the words.</summary>
    private readonly Dictionary<string, (string First, int Count)> events = [];

    public StatusWriter(IKubernetesApi api, TimeProvider time, ILogger logger)
    {
        this.api = api;
        this.time = time;
        this.logger = logger;
    }

    public async Task WriteAsync(InstanceView instance, IReadOnlyList<InstanceCondition> conditions, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var version = (string?)instance.Document["metadata"]?["resourceVersion"];
        if (version is not null && written.TryGetValue(instance.Uid, out var last) && last.Version == version)
        {
            // The copy is older than what was written on it.
            var document = (JsonObject)instance.Document.DeepClone();
            document["status"] = last.Status.DeepClone();
            instance = instance with { Document = document };
        }

        var status = StatusBuilder.Build(instance, conditions, now);
        if (JsonNode.DeepEquals(status, instance.Document["status"]))
            return;
        var @namespace = (string?)instance.Document["metadata"]?["namespace"] ?? string.Empty;
        foreach (var condition in conditions)
        {
            if (Before(instance, condition.Type) is var before && before is { } known && known.Reason == condition.Reason && known.Message == condition.Message)
                continue;
            var news = IsNews(condition, before);
            LogCondition(
                news || condition.Type == "Ready" ? LogLevel.Information : LogLevel.Debug, @namespace, instance.Name, condition.Type, condition.Status, condition.Reason,
                condition.Message);
            if (news)
                await RecordAsync(instance, @namespace, condition, now, cancellationToken).ConfigureAwait(false);
        }

        var whole = (JsonObject)status.DeepClone();
        var present = instance.Document["status"] as JsonObject ?? [];
        Remove(present, status);
        Remove(present["roles"] as JsonObject ?? [], (JsonObject)status["roles"]!);
        await api.MergePatchAsync(
            Resources.SqlServers, @namespace, instance.Name, new JsonObject { ["status"] = status }, cancellationToken, "status").ConfigureAwait(false);
        written[instance.Uid] = (version, whole);
    }

    /// <summary>A merge patch deletes what is null.</summary>
    private static void Remove(JsonObject present, JsonObject patch)
    {
        foreach (var (field, _) in present)
            if (!patch.ContainsKey(field))
                patch[field] = null;
    }

    private static (string? Status, string? Reason, string? Message)? Before(InstanceView instance, string type) =>
        (instance.Document["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>()
        .Where(condition => (string?)condition["type"] == type)
        .Select(condition => ((string?, string?, string?)?)((string?)condition["status"], (string?)condition["reason"], (string?)condition["message"])).FirstOrDefault();

    /// <summary>What people want to be told. Why an instance is not ready is told once, although several conditions have it.</summary>
    private static bool IsNews(InstanceCondition condition, (string? Status, string? Reason, string? Message)? before)
    {
        return condition.Type switch
        {
            "Ready" => condition.Status == true || IsMistake(condition.Reason),
            "Progressing" => condition is { Status: true, Reason: RestartPlanner.Restarting or RestartPlanner.WaitingForFailover },
            "Degraded" or "UpgradeBlocked" => condition.Status == true ? !IsMistake(condition.Reason) : before is { Status: "True" } && !IsMistake(before.Value.Reason),
            _ => false,
        };

        static bool IsMistake(string? reason) =>
            reason is StatusBuilder.InvalidSpec or StatusBuilder.Rejected or StatusBuilder.InitializationFailed or StatusBuilder.SecretIncomplete;
    }

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
        var good = condition.Status == true == condition.Type is "Ready" or "Progressing";
        var key = ContentHash.Of(new JsonObject { ["object"] = involved.DeepClone(), ["reason"] = condition.Reason, ["message"] = condition.Message });
        var name = $"{instance.Name}.{key}";
        var seen = events.GetValueOrDefault(name, (First: stamp, Count: 0));
        events[name] = seen = (seen.First, seen.Count + 1);
        var @event = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = @namespace },
            ["involvedObject"] = involved,
            ["type"] = good ? "Normal" : "Warning",
            ["reason"] = condition.Reason,
            ["message"] = condition.Message.Length <= 1024 ? condition.Message : condition.Message[..1024],
            ["source"] = new JsonObject { ["component"] = Names.FieldManager },
            ["count"] = seen.Count,
            ["firstTimestamp"] = seen.First,
            ["lastTimestamp"] = stamp,
        };
        try
        {
            await api.ApplyAsync(Resources.Events, @namespace, name, @event, Names.FieldManager, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException error)
        {
            // An event is for people only; the same is in the condition.
            LogEvent(@namespace, instance.Name, error.Message);
        }
    }

    [LoggerMessage(Message = "SqlServer {Namespace}/{Name}: {Type} is {Status}: {Reason}: {Message}")]
    private partial void LogCondition(LogLevel level, string @namespace, string name, string type, bool? status, string reason, string message);

    [LoggerMessage(LogLevel.Warning, "Could not record an event for {Namespace}/{Name}: {Message}")]
    private partial void LogEvent(string @namespace, string name, string message);
}
