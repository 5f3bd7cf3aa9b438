using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using Agents.Security;
using KubernetesEmulator;
using KubernetesEmulator.Nodes;
using Sandbox.Output;
using Sandbox.Steps;

namespace Sandbox.Playground;

/// <summary>A whole cluster on this machine, and what the demonstration does to it.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly EmulatedCluster _cluster;
    private readonly ProcessGuardian _guardian;
    private readonly LoopbackBlock _addresses;
    private readonly string _saPassword;
    private ProcessNode? _lost;

    private Cluster(EmulatedCluster cluster, ProcessGuardian guardian, LoopbackBlock addresses, string directory, string saPassword)
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

    /// <summary>Starts the API server, the nodes and the operator.</summary>
    public static async Task<Cluster> StartAsync(IScreen screen, CancellationToken cancellationToken)
    {
        await using var stage = screen.Begin("start", "an API server, three nodes and the operator");
        var id = Guid.NewGuid().ToString("n");
        var directory = System.IO.Directory.CreateTempSubdirectory("mssql-sandbox-").FullName;
        var guardian = Guardian.Start(id, directory);
        var addresses = LoopbackBlock.Take(Path.GetTempPath());
        EmulatedCluster? cluster = null;
        try
        {
            stage.Progress("starting the API server and the nodes");
            cluster = await EmulatedCluster.StartAsync(
                new EmulatedClusterOptions
                {
                    Directory = directory,
                    SandboxId = id,
                    Images = Images.In(AppContext.BaseDirectory),
                    PodNetwork = addresses.Pods,
                    ServiceRange = addresses.Services,
                    Log = Log(Path.Combine(directory, "cluster.log")),
                    Environment = new Dictionary<string, string> { ["DOTNET_ROOT"] = RuntimeRoot(), ["DOTNET_TieredPGO"] = "0" },
                },
                cancellationToken);
            var playground = new Cluster(cluster, guardian, addresses, directory, new PasswordGenerator().Create(20));
            stage.Progress("starting the operator");
            await playground.StartOperatorAsync(stage.Progress, cancellationToken);
            await stage.EndAsync($"API server {cluster.Server.Address}, nodes {string.Join(", ", cluster.Nodes.Select(x => x.Name))}, operator ready");
            return playground;
        }
        catch
        {
            if (cluster is not null)
                await cluster.DisposeAsync();
            await guardian.DisposeAsync();
            addresses.Dispose();
            throw;
        }
    }

    /// <summary>Applies the Secret, the three instances and their Services.</summary>
    public async Task ApplyGroupAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        progress("applying three SqlServer resources and their Services");
        await Api.ApplyAsync([SaSecret()], cancellationToken);
        foreach (var name in Instances)
            await Api.ApplyAsync(Manifest.Read("instance", ("NAME", name)), cancellationToken);
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

    /// <summary>Applies the failover Job and waits until it has completed.</summary>
    public async Task RunFailoverJobAsync(string target, Action<string> progress, CancellationToken cancellationToken)
    {
        const string job = "manual-failover";
        await Api.ApplyAsync(Manifest.Read("failover", ("TARGET", target)), cancellationToken);
        await Wait.ForAsync(
            async token =>
            {
                progress($"Job {job} asks for {target}");
                var found = await Api.GetAsync(Kinds.Jobs, Group.Namespace, job, token);
                var conditions = found?["status"]?["conditions"] as JsonArray ?? [];
                bool Holds(string type) => conditions.Any(x => x?["type"]?.GetValue<string>() == type && x["status"]?.GetValue<string>() == "True");
                if (Holds("Failed"))
                    throw new StepFailedException($"Job {job} failed: {await LastLineAsync(job, token)}");
                return Holds("Complete") ? found : null;
            },
            why => progress($"Job {job}: {why}"),
            cancellationToken);
    }

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
        _addresses.Dispose();
    }

    private async Task StartOperatorAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(40));
        var doing = "starting the operator";
        try
        {
            await Api.ApplyAsync(Manifest.Read("operator"), bound.Token);
            await Wait.ForAsync(
                async token =>
                {
                    var found = await Api.GetAsync(Kinds.Definitions, null, "sqlservers.mssql.microsoft.com", token);
                    var conditions = found?["status"]?["conditions"] as JsonArray ?? [];
                    return conditions.Any(x => x?["type"]?.GetValue<string>() == "Established" && x["status"]?.GetValue<string>() == "True")
                        ? found
                        : null;
                },
                why => progress(doing = $"starting the operator: {why}"),
                bound.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The operator has not registered its CustomResourceDefinition within 40 s ({doing}). Its log ends: "
                + Diagnosis.Tail(Directory, "mssql-server-k8s-operator", 5));
        }
    }

    private async Task<ProcessNode> NodeOfAsync(string pod, CancellationToken cancellationToken)
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
                    Group.Namespace, pod["metadata"]!["name"]!.GetValue<string>(), null, tail: 1, cancellationToken: cancellationToken))
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
