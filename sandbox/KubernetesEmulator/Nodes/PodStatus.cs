using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>Builds a pod's status from its containers.</summary>
internal static class PodStatus
{
    /// <param name="policy">The pod's restart policy.</param>
    /// <param name="slots">All containers, init containers first.</param>
    /// <param name="ended">No container will be started any more.</param>
    public static string Phase(string policy, IReadOnlyList<ContainerSlot> slots, bool ended)
    {
        var main = slots.Where(x => !x.Init).ToList();
        if (slots.Any(x => x.Init && !x.Sidecar && x.ExitCode is > 0) && (policy == "Never" || ended) && main.All(x => x.ContainerId is null))
            return "Failed";
        if (main.All(x => x.ExitCode is not null) && (ended || !main.Any(x => Restarts(policy, x.ExitCode!.Value))))
            return main.All(x => x.ExitCode == 0) ? "Succeeded" : "Failed";
        return main.All(x => x.ContainerId is null) ? "Pending" : "Running";
    }

    public static bool Restarts(string policy, int exitCode) => policy switch
    {
        "Never" => false,
        "OnFailure" => exitCode != 0,
        _ => true,
    };

    public static bool Initialized(IReadOnlyList<ContainerSlot> slots) =>
        slots.Where(x => x.Init).All(x => x.Sidecar ? x.Started : x.ExitCode == 0);

    public static JsonObject Build(
        JsonObject pod, IReadOnlyList<ContainerSlot> slots, bool ended, string podIP, string hostIP, DateTimeOffset startedAt, DateTimeOffset now)
    {
        var phase = Phase(pod.Text("spec", "restartPolicy") ?? "Always", slots, ended);
        var unready = slots.Where(x => (!x.Init || x.Sidecar) && !x.Ready).Select(x => x.Name).ToList();
        var initialized = Initialized(slots);
        var (ready, reason, message) = phase is "Succeeded" ? (false, "PodCompleted", (string?)null)
            : phase is "Failed" ? (false, "PodFailed", null)
            : unready.Count > 0 ? (false, "ContainersNotReady", $"containers with unready status: [{string.Join(' ', unready)}]")
            : (initialized, initialized ? (string?)null : "ContainersNotInitialized", null);
        var gates = pod.Items("spec", "readinessGates").All(x => pod.IsTrue(x.Text("conditionType") ?? ""));

        var own = new[]
        {
            Make("Initialized", initialized, initialized ? null : "ContainersNotInitialized", null),
            Make("Ready", ready && gates, ready && !gates ? "ReadinessGatesNotReady" : reason, message),
            Make("ContainersReady", ready, reason, message),
            Make("PodScheduled", true, null, null),
        };
        var names = own.Select(x => x.Text("type")).ToHashSet();
        var status = new JsonObject
        {
            ["phase"] = phase,
            ["conditions"] = pod.Items("status", "conditions").Where(x => !names.Contains(x.Text("type"))).Select(x => x.DeepClone()).Concat(own).ToJson(),
            ["hostIP"] = hostIP,
            ["hostIPs"] = new JsonArray(new JsonObject { ["ip"] = hostIP }),
            ["podIP"] = podIP,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = podIP }),
            ["startTime"] = startedAt.Stamp(),
            ["qosClass"] = pod.Text("status", "qosClass") ?? "BestEffort",
            ["containerStatuses"] = slots.Where(x => !x.Init).Select(x => x.Status()).ToJson(),
        };
        if (slots.Any(x => x.Init))
            status["initContainerStatuses"] = slots.Where(x => x.Init).Select(x => x.Status()).ToJson();
        return status;

        JsonObject Make(string type, bool value, string? why, string? text) =>
            Fields.Condition(pod.Condition(type), type, value ? "True" : "False", now, why, text);
    }
}
