using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Security;
using KubernetesEmulator;
using KubernetesEmulator.ControlPlane;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Security;
using Sandbox.Output;
using Sandbox.Steps;

namespace Sandbox.Playground;

/// <summary>A whole cluster on this machine, and what the demonstration does to it.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const string OperatorNamespace = "mssql-operator";
    private const string ShippedDefinition = "crds/sqlservers.mssql.microsoft.com.json";

    private readonly ICluster _cluster;
    private readonly ProcessGuardian _guardian;
    private readonly LoopbackBlock? _addresses;
    private readonly string _saPassword;
    private ProcessNode? _lost;

    private Cluster(ICluster cluster, ProcessGuardian guardian, LoopbackBlock? addresses, string directory, string saPassword)
    {
        _cluster = cluster;
        _guardian = guardian;
        _addresses = addresses;
        _saPassword = saPassword;
        Directory = directory;
        Group = new Group(cluster.Client, saPassword);
    }

    /// <summary>Everything that is on disk: logs, volumes, kubeconfig.</summary>
    public string Directory { get; }

    public IKubernetesApi Api => _cluster.Client;

    public string KubeConfig => _cluster.KubeConfig;

    public Group Group { get; }

    /// <summary>The nodes and the API server.</summary>
    public ICluster Machinery => _cluster;

    /// <summary>Starts the API server, the nodes and the operator.</summary>
    /// <param name="backend">Whose API server and controllers.</param>
    /// <param name="screen">Hears how it goes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="nodes">How many nodes.</param>
    /// <param name="proxied">Whether pods reach the API server through a proxy that can make faults.</param>
    /// <param name="definition">The CustomResourceDefinition that is there before the operator; the shipped one when null.</param>
    /// <param name="namespaced">Whether the operator has rights in the group's namespace only.</param>
    /// <param name="audit">Hears of each request to our own API server what was decided about it.</param>
    public static async Task<Cluster> StartAsync(
        Backend backend, IScreen screen, CancellationToken cancellationToken, int nodes = 3, bool proxied = false, JsonObject? definition = null,
        bool namespaced = false, Action<Identity, AccessRequest, AccessDecision>? audit = null)
    {
        await using var stage = screen.Begin("start", backend == Backend.ControlPlane
            ? $"a Kubernetes control plane, {nodes} nodes and the operator"
            : $"an API server, {nodes} nodes and the operator");
        var id = Guid.NewGuid().ToString("n");
        var directory = System.IO.Directory.CreateTempSubdirectory(ControlSockets.FolderPrefix).FullName;
        var guardian = Guardian.Start(id, directory);
        var addresses = !PrivateNetwork.Inside ? LoopbackBlock.Take(Path.GetTempPath()) : null;
        ICluster? cluster = null;
        try
        {
            stage.Progress("starting the API server and the nodes");
            var options = new ClusterOptions
            {
                Directory = directory,
                SandboxId = id,
                Images = Images.In(AppContext.BaseDirectory, ControlSockets.Prepare(directory)),
                PodNetwork = addresses?.Pods ?? PrivateNetwork.Pods.BaseAddress,
                ServiceRange = addresses?.Services ?? PrivateNetwork.Services,
                Proxied = proxied,
                Nodes = [.. Enumerable.Range(1, nodes).Select(x => $"node-{x}")],
                Audit = audit,
                NodeNetworks = PrivateNetwork.Inside,
                Log = Log(Path.Combine(directory, "cluster.log")),
                Environment = new Dictionary<string, string> { ["DOTNET_ROOT"] = RuntimeRoot(), ["DOTNET_TieredPGO"] = "0" },
            };
            cluster = backend == Backend.ControlPlane
                ? await ControlPlaneCluster.StartAsync(options, Path.Combine(AppContext.BaseDirectory, "control-plane"), cancellationToken)
                : await EmulatedCluster.StartAsync(options, cancellationToken);
            var playground = new Cluster(cluster, guardian, addresses, directory, new PasswordGenerator().Create(20));
            stage.Progress("starting the operator");
            await playground.StartOperatorAsync(definition, namespaced, stage.Progress, cancellationToken);
            await stage.EndAsync($"API server {cluster.ApiServer}, nodes {string.Join(", ", cluster.Nodes.Select(x => x.Name))}, operator ready");
            return playground;
        }
        catch
        {
            if (cluster is not null)
                await cluster.DisposeAsync();
            await guardian.DisposeAsync();
            addresses?.Dispose();
            throw;
        }
    }

    /// <summary>Applies the Secret, the three instances and their Services.</summary>
    public async Task ApplyGroupAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        progress("applying three SqlServer resources and their Services");
        await Api.ApplyAsync(Manifest.ReadShipped(Group.Namespace, "samples/ag/namespace.yaml"), cancellationToken);
        await Api.ApplyAsync([SaSecret()], cancellationToken);
        await Api.ApplyAsync(Manifest.ReadShipped(Group.Namespace, "samples/ag/sqlserver.yaml", "samples/ag/ag-services.yaml"), cancellationToken);
        await Api.ApplyAsync(Manifest.Read("services"), cancellationToken);
    }

    public static IEnumerable<string> Instances => ["mssql1", "mssql2", "mssql3"];

    /// <summary>SIGKILL to the SQL Server process of a pod.</summary>
    public async Task KillSqlServerAsync(string pod, CancellationToken cancellationToken)
    {
        var node = await NodeOfAsync(pod, cancellationToken);
        if (!await node.KillContainerAsync(Group.Namespace, pod, "mssql-server", cancellationToken: cancellationToken))
            throw new StepFailedException($"no SQL Server process of {pod} runs on {node.Name}");
    }

    /// <summary>Applies the failover Job as it is shipped, and waits until it has completed.</summary>
    public Task RunFailoverJobAsync(string target, Action<string> progress, CancellationToken cancellationToken) =>
        RunFailoverJobAsync("manual-failover", target, progress, cancellationToken);

    /// <summary>As above, under another name.</summary>
    public async Task RunFailoverJobAsync(string job, string target, Action<string> progress, CancellationToken cancellationToken)
    {
        var documents = Manifest.ReadShipped(Group.Namespace, "samples/jobs/failover/failover.yaml");
        documents.NameJob(job);
        documents.SetVariable("MSSQL_K8S_NEW_PRIMARY", target);
        await Api.ApplyAsync(documents, cancellationToken);
        await WaitForJobAsync(job, $"asks for {target}", progress, cancellationToken);
    }

    /// <summary>Waits until a Job has completed.</summary>
    /// <exception cref="StepFailedException">The Job failed.</exception>
    public async Task WaitForJobAsync(string job, string what, Action<string> progress, CancellationToken cancellationToken) =>
        await Wait.ForAsync(
            async token =>
            {
                progress($"Job {job} {what}");
                var found = await Api.GetAsync(Kinds.Jobs, Group.Namespace, job, token);
                var conditions = found?["status"]?["conditions"] as JsonArray ?? [];
                bool Holds(string type) => conditions.Any(x => x?["type"]?.GetValue<string>() == type && x["status"]?.GetValue<string>() == "True");
                if (Holds("Failed"))
                    throw new StepFailedException($"Job {job} failed: {await LastLineAsync(job, token)}");
                return Holds("Complete") ? found : null;
            },
            why => progress($"Job {job}: {why}"),
            cancellationToken);

    /// <summary>Takes a pod's node away, with all its processes.</summary>
    /// <returns>Name of the node.</returns>
    public async Task<string> LoseNodeOfAsync(string pod, CancellationToken cancellationToken)
    {
        var node = await NodeOfAsync(pod, cancellationToken);
        _lost = node;
        await node.CrashAsync();
        return node.Name;
    }

    /// <summary>Starts the lost node again.</summary>
    /// <returns>Name of the node.</returns>
    public async Task<string> BringNodeBackAsync(CancellationToken cancellationToken)
    {
        var node = _lost ?? throw new StepFailedException("no node was lost");
        await node.StartAsync(cancellationToken);
        return node.Name;
    }

    /// <summary>Leaves the folder behind, so that somebody can read the logs.</summary>
    public void KeepFiles() => _guardian.KeepDirectory();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _guardian.DisposeAsync();
        _addresses?.Dispose();
    }

    private async Task StartOperatorAsync(JsonObject? definition, bool namespaced, Action<string> progress, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(40));
        var doing = "starting the operator";
        try
        {
            string[] manifests = ["operator/namespace.yaml", "operator/rbac.yaml", "operator/election.yaml", "operator/deployment.yaml"];
            var documents = Manifest.ReadShipped(OperatorNamespace, manifests);
            if (namespaced)
            {
                documents = [.. documents.Where(x => x["kind"]!.GetValue<string>() is not ("ClusterRole" or "ClusterRoleBinding"))];
                documents.SetVariable("MSSQL_K8S_WATCH_NAMESPACES", Group.Namespace);
                await Api.ApplyAsync(Manifest.ReadShipped(Group.Namespace, "samples/ag/namespace.yaml", "operator-namespaced/rbac.yaml"), bound.Token);
            }

            await Api.ApplyAsync(definition is null ? Manifest.ReadShipped("", ShippedDefinition) : [definition], bound.Token);
            await Api.ApplyAsync(documents, bound.Token);
            await Wait.ForAsync(
                async token =>
                {
                    var found = await Api.GetAsync(Kinds.Deployments, OperatorNamespace, "mssql-operator", token);
                    return found?["status"]?["availableReplicas"]?.GetValue<int>() > 0 ? found : null;
                },
                why => progress(doing = $"starting the operator: {why}"),
                bound.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The operator has not become available within 40 s ({doing}). Its log ends: {Diagnosis.Tail(Directory, "mssql-operator", 5)}");
        }
    }

    /// <summary>The node that a pod is bound to.</summary>
    public async Task<ProcessNode> NodeOfAsync(string pod, CancellationToken cancellationToken)
    {
        var found = await Api.GetAsync(Kinds.Pods, Group.Namespace, pod, cancellationToken);
        var name = found?["spec"]?["nodeName"]?.GetValue<string>() ?? throw new StepFailedException($"pod {pod} is on no node");
        return _cluster.Nodes.Single(x => x.Name == name);
    }

    private async Task<string> LastLineAsync(string job, CancellationToken cancellationToken)
    {
        var pods = await Api.ListAsync(Kinds.Pods, Group.Namespace, new ListOptions($"job-name={job}"), cancellationToken);
        foreach (var pod in pods.Items)
        {
            var log = new StringBuilder();
            foreach (var node in _cluster.Nodes.Where(x => x.Running))
            {
                await foreach (var block in node.ReadLogAsync(
                    Group.Namespace, pod["metadata"]!["name"]!.GetValue<string>(), null, new LogQuery { TailLines = 1 }, cancellationToken))
                {
                    log.Append(Encoding.UTF8.GetString(block.Span));
                }
            }

            if (log.Length > 0)
                return log.ToString().Trim();
        }

        return "its log is empty";
    }

    private JsonObject SaSecret() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = "sql-secrets", ["namespace"] = Group.Namespace },
        ["type"] = "Opaque",
        ["data"] = new JsonObject { ["sapassword"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(_saPassword)) },
    };

    /// <summary>Nodes and controllers tell what they do into one file.</summary>
    private static Action<string> Log(string path)
    {
        var gate = new Lock();
        return line =>
        {
            lock (gate)
                File.AppendAllText(path, $"{DateTime.UtcNow:HH:mm:ss.fff} {line}\n");
        };
    }

    /// <summary>The runtime that this process uses, for the processes that it starts.</summary>
    private static string RuntimeRoot() =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
}
