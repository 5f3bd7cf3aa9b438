using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>What a node says of itself: its Node object with address, capacity and conditions, and a Lease that it keeps renewing.</summary>
/// <param name="options">The node's.</param>
/// <param name="api">Where it says so.</param>
/// <param name="hostIP">Its address.</param>
/// <param name="port">Port of its kubelet; null when it has none.</param>
/// <param name="gate">Waits while the node is frozen.</param>
internal sealed class NodeReport(ProcessNodeOptions options, IKubernetesApi api, string hostIP, int? port, Func<CancellationToken, Task> gate)
{
    private const string LeaseNamespace = "kube-node-lease";
    private static readonly TimeSpan StatusPeriod = TimeSpan.FromMinutes(5);

    /// <summary>A boot of the machine.</summary>
    private readonly string _boot = Guid.NewGuid().ToString();

    private string? _uid;
    private DateTimeOffset? _reportedAt;

    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var labels = new JsonObject { ["kubernetes.io/hostname"] = options.Name, ["kubernetes.io/os"] = "linux", ["kubernetes.io/arch"] = "amd64" };
        foreach (var (key, value) in options.Labels)
            labels[key] = value;
        var node = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = options.Name, ["labels"] = labels },
        };
        var leases = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = LeaseNamespace } };
        await EnsureAsync(Kinds.Nodes, node, cancellationToken).ConfigureAwait(false);
        await EnsureAsync(Kinds.Namespaces, leases, cancellationToken).ConfigureAwait(false);
        await ReportAsync(cancellationToken).ConfigureAwait(false);
        await RenewAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps the Lease and the status until it is stopped.</summary>
    public async Task HeartbeatAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.Heartbeat, options.Time, stop).ConfigureAwait(false);
                await gate(stop).ConfigureAwait(false);
                await RenewAsync(stop).ConfigureAwait(false);
                await ReportAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (KubernetesException e)
            {
                options.Log($"node {options.Name}: heartbeat: {e.Message}");
            }
        }
    }

    private async Task EnsureAsync(ResourceType<JsonObject> type, JsonObject value, CancellationToken cancellationToken)
    {
        try
        {
            await api.CreateAsync(type, null, value, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.Failure == KubernetesFailure.AlreadyExists)
        {
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var metadata = new JsonObject { ["name"] = options.Name, ["namespace"] = LeaseNamespace };
        if (_uid is not null)
        {
            metadata["ownerReferences"] = new JsonArray(
                new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = options.Name, ["uid"] = _uid });
        }

        var lease = new JsonObject
        {
            ["apiVersion"] = "coordination.k8s.io/v1",
            ["kind"] = "Lease",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["holderIdentity"] = options.Name, ["leaseDurationSeconds"] = 40, ["renewTime"] = options.Time.GetUtcNow().MicroStamp(),
            },
        };
        try
        {
            await api.MergePatchAsync(Kinds.Leases, LeaseNamespace, options.Name, lease, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.Failure == KubernetesFailure.NotFound)
        {
            await api.CreateAsync(Kinds.Leases, LeaseNamespace, lease, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes the status when somebody else has changed a condition, and once in a while.</summary>
    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        var now = options.Time.GetUtcNow();
        var node = await api.GetAsync(Kinds.Nodes, null, options.Name, cancellationToken).ConfigureAwait(false);
        _uid = node?.Uid();
        if (node is null)
            return;
        var conditions = Conditions(node, now);
        if (now < _reportedAt + StatusPeriod && conditions.All(x => node.Condition(x.Text("type")!)?.Text("status") == x.Text("status")))
            return;
        await api.MergePatchAsync(
            Kinds.Nodes, null, options.Name, new JsonObject { ["status"] = Status(conditions) }, cancellationToken, "status").ConfigureAwait(false);
        _reportedAt = now;
    }

    private static List<JsonObject> Conditions(JsonObject node, DateTimeOffset now)
    {
        return
        [
            Make("NetworkUnavailable", "False", "RouteCreated", "the node uses the network of this machine"),
            Make("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            Make("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            Make("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            Make("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ];

        JsonObject Make(string type, string status, string reason, string message)
        {
            var condition = Fields.Condition(node.Condition(type), type, status, now, reason, message);
            condition["lastHeartbeatTime"] = now.Stamp();
            return condition;
        }
    }

    private JsonObject Status(IEnumerable<JsonObject> conditions)
    {
        var capacity = new JsonObject
        {
            ["cpu"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
            ["memory"] = "16Gi",
            ["ephemeral-storage"] = "100Gi",
            ["pods"] = "250",
        };
        var machine = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.SandboxId}/{options.Name}")))[..32];
        var status = new JsonObject
        {
            ["capacity"] = capacity,
            ["allocatable"] = capacity.DeepClone(),
            ["conditions"] = conditions.ToJson(),
            ["addresses"] = new JsonArray(
                new JsonObject { ["type"] = "InternalIP", ["address"] = hostIP },
                new JsonObject { ["type"] = "Hostname", ["address"] = options.Name }),
            ["nodeInfo"] = new JsonObject
            {
                ["kubeletVersion"] = "v1.32.0",
                ["kubeProxyVersion"] = "v1.32.0",
                ["containerRuntimeVersion"] = "process://1.0",
                ["operatingSystem"] = "linux",
                ["architecture"] = "amd64",
                ["osImage"] = "processes of this machine",
                ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
                ["machineID"] = machine,
                ["systemUUID"] = Guid.ParseExact(machine, "n").ToString(),
                ["bootID"] = _boot,
            },
        };
        if (port is { } number)
            status["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = number } };
        return status;
    }
}
