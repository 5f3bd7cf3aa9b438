using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>What is known of one container of a pod. Guarded by the pod's lock.</summary>
internal sealed class ContainerSlot(JsonObject spec, bool init)
{
    public JsonObject Spec { get; } = spec;

    public string Name { get; } = spec.Text("name") ?? "";

    /// <summary>An init container; one with restart policy Always runs beside the others.</summary>
    public bool Init { get; } = init;

    public bool Sidecar { get; } = init && spec.Text("restartPolicy") == "Always";

    public ContainerProcess? Process { get; private set; }

    public string? ContainerId { get; private set; }

    public JsonObject State { get; private set; } = Waiting("PodInitializing", null);

    public JsonObject LastState { get; private set; } = [];

    public int RestartCount { get; private set; }

    /// <summary>The startup probe has passed, or there is none and the container runs.</summary>
    public bool Started { get; set; }

    public bool Ready { get; set; }

    public bool Running => State.ContainsKey("running");

    public int? ExitCode => State.Number("terminated", "exitCode");

    public void Wait(string reason, string? message)
    {
        KeepLast();
        State = Waiting(reason, message);
    }

    public void Run(ContainerProcess process, bool startupProbe, bool readinessProbe)
    {
        KeepLast();
        if (ContainerId is not null)
            RestartCount++;
        Process = process;
        ContainerId = process.Id;
        State = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = process.StartedAt.Stamp() } };
        Started = !startupProbe;
        Ready = Started && !readinessProbe;
    }

    public void Terminate(int exitCode, DateTimeOffset at, string? reason = null)
    {
        var terminated = new JsonObject
        {
            ["exitCode"] = exitCode,
            ["reason"] = reason ?? (exitCode == 0 ? "Completed" : "Error"),
            ["startedAt"] = Process?.StartedAt.Stamp() ?? State.Text("running", "startedAt"),
            ["finishedAt"] = at.Stamp(),
            ["containerID"] = ContainerId,
        };
        if (exitCode is > 128 and <= 192)
            terminated["signal"] = exitCode - 128;
        State = new JsonObject { ["terminated"] = terminated };
        Process = null;
        Started = Ready = false;
    }

    /// <summary>Takes over what the API server knows from before this node restarted; what ran then is dead now.</summary>
    public void Adopt(JsonObject status, DateTimeOffset now)
    {
        ContainerId = status.Text("containerID");
        RestartCount = status.Number("restartCount") ?? 0;
        LastState = (JsonObject?)status.Document("lastState")?.DeepClone() ?? [];
        State = (JsonObject?)status.Document("state")?.DeepClone() ?? State;
        if (Running)
            Terminate(255, now, "Unknown");
    }

    public JsonObject Status()
    {
        var image = Spec.Text("image") ?? "";
        var status = new JsonObject
        {
            ["name"] = Name,
            ["image"] = image,
            ["imageID"] = ContainerId is null ? "" : image,
            ["ready"] = Init && !Sidecar ? ExitCode == 0 : Ready,
            ["started"] = Started,
            ["restartCount"] = RestartCount,
            ["state"] = State.DeepClone(),
            ["lastState"] = LastState.DeepClone(),
        };
        if (ContainerId is not null)
            status["containerID"] = ContainerId;
        return status;
    }

    private void KeepLast()
    {
        if (State.ContainsKey("terminated"))
            LastState = State;
    }

    private static JsonObject Waiting(string reason, string? message)
    {
        var waiting = new JsonObject { ["reason"] = reason };
        if (message is not null)
            waiting["message"] = message;
        return new JsonObject { ["waiting"] = waiting };
    }
}
