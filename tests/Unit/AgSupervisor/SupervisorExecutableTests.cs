using Agents.Kubernetes;
using Unit.Hosting;

namespace Unit.AgSupervisor;

/// <summary>The executable itself, with real agents as its children, against an API server.</summary>
internal sealed class SupervisorExecutableTests
{
    [Test]
    public async Task It_runs_labels_and_on_SIGTERM_leaves_nothing_behind()
    {
        var folder = Directory.CreateTempSubdirectory("supervisor").FullName;
        await using var server = await KubernetesEmulator.ApiServer.StartAsync();
        var kubeconfig = Path.Combine(folder, "config");
        await File.WriteAllTextAsync(kubeconfig, server.KubeConfig("agent", @namespace: "default"));
        using var api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(kubeconfig), TimeProvider.System, new Random(1), "test");
        var uid = await PrepareAsync(api);

        using var supervisor = ShippedProcess.Start(
            "mssql-server-k8s-ag-agent-supervisor", ("KUBECONFIG", kubeconfig), ("MSSQL_K8S_NAMESPACE", "default"), ("MSSQL_POD_NAME", "mssql1-0"),
            ("MSSQL_K8S_POD_UID", uid), ("MSSQL_K8S_POD_IP", "127.0.0.1"), ("MSSQL_K8S_SQL_PORT", "1"), ("MSSQL_K8S_SQL_SERVER_NAME", "mssql1"),
            ("MSSQL_K8S_AGENT_LOGIN_DIR", folder));
        try
        {
            await Until(async () => Labels(await api.GetAsync(KubernetesTypes.Pods, "default", "mssql1-0", default)) ==
                "ag-service.mssql.microsoft.com/one= mode.ag.mssql.microsoft.com/one=asynchronousCommit name=mssql1");
            await Until(() => Task.FromResult(Children(supervisor.Id).Length == 1 && supervisor.Lines.Any(line => line.StartsWith("[one] ", StringComparison.Ordinal))));
            var agent = Children(supervisor.Id).Single();

            supervisor.Terminate();
            Assert.That(await supervisor.EndAsync(), Is.Zero, string.Join('\n', supervisor.Lines));
            Assert.That(Directory.Exists($"/proc/{agent}"), Is.False, "The agent outlived its supervisor.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> PrepareAsync(HttpKubernetesApi api)
    {
        var definition = await File.ReadAllTextAsync(Path.Combine(Root(), "deploy", "crds", "sqlservers.mssql.microsoft.com.json"));
        var definitions = KubernetesTypes.Untyped("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false);
        await api.CreateAsync(definitions, null, System.Text.Json.Nodes.JsonNode.Parse(definition)!.AsObject(), default);
        await api.CreateAsync(
            KubernetesTypes.SqlServers, "default",
            new SqlServer
            {
                Metadata = new ObjectMeta { Name = "mssql1" },
                Spec = new SqlServerSpec
                {
                    AcceptEula = true,
                    AgentsContainerImage = "agents",
                    SqlServerContainer = new() { ["image"] = "server" },
                    SaPassword = new SecretSource { SecretKeyRef = new SecretKeyReference { Name = "s", Key = "k" } },
                    InstanceRootVolume = new() { ["emptyDir"] = new System.Text.Json.Nodes.JsonObject() },
                    AvailabilityGroups = [new AvailabilityGroupMembership("one", "asynchronousCommit")],
                },
            },
            default);
        var pod = await api.CreateAsync(
            KubernetesTypes.Pods, "default",
            new Pod
            {
                Metadata = new ObjectMeta { Name = "mssql1-0", Labels = new Dictionary<string, string> { ["name"] = "mssql1" } },
                Spec = new PodSpec { Containers = [new Container { Name = "mssql-server", Image = "server" }] },
            },
            default);
        return pod.Metadata.Uid!;
    }

    private static string Labels(Pod? pod) => string.Join(
        ' ', pod!.Metadata.Labels!.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));

    private static string[] Children(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } own
                ? own
                : [.. Directory.GetDirectories($"/proc/{pid}/task").SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (!await condition())
        {
            Assert.That(bound.IsCancellationRequested, Is.False, "It did not come to be so.");
            await Task.Delay(20);
        }
    }

    private static string Root()
    {
        var root = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(root, "Agents.sln")))
            root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("Agents.sln");
        return root;
    }
}
