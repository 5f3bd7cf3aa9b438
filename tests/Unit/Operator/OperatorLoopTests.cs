using System.Text.Json.Nodes;
using Agents.Election;
using Agents.Kubernetes;
using Agents.Operator;
using Agents.Operator.Reconciliation;
using Agents.Security;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.Operator;

/// <summary>The whole operator against an API server: the CRD, watches, server-side apply, status.</summary>
internal sealed class OperatorLoopTests
{
    private static readonly ResourceType<JsonObject> Namespaces = KubernetesTypes.Untyped("", "v1", "namespaces", "Namespace", false);
    private static readonly ResourceType<JsonObject> Services = KubernetesTypes.Untyped("", "v1", "services", "Service", true);
    private CancellationTokenSource stop = null!;
    private KubernetesEmulator.ApiServer server = null!;
    private HttpKubernetesApi api = null!;
    private Task running = Task.CompletedTask;
    private string folder = string.Empty;

    [SetUp]
    public async Task SetUp()
    {
        stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        folder = Directory.CreateTempSubdirectory("operator").FullName;
        server = await KubernetesEmulator.ApiServer.StartAsync();
        var path = Path.Combine(folder, "config");
        await File.WriteAllTextAsync(path, server.KubeConfig("operator", @namespace: "default", tokenFile: Path.Combine(folder, "token")));
        var configuration = KubernetesConfiguration.FromFile(path);
        api = new HttpKubernetesApi(configuration, TimeProvider.System, new Random(1), "test");
        await api.CreateAsync(Namespaces, null, (JsonObject)JsonNode.Parse("""{"metadata": {"name": "ag1"} }""")!, stop.Token);
        var reconciler = new Reconciler(
            api, new StepRunner(api, TimeProvider.System, new PasswordGenerator(), NullLogger.Instance), new SecretObserver(api, TimeProvider.System),
            new StatusWriter(api, TimeProvider.System, NullLogger.Instance), [], TimeProvider.System, NullLogger.Instance);
        running = new OperatorLoop(api, new OperatorOptions(configuration, [null], [], "default", new AgentIdentity("operator", "uid")), reconciler, TimeProvider.System, NullLogger.Instance).RunAsync(stop.Token);
        await UntilAsync(Resources.Definitions, null, "sqlservers.mssql.microsoft.com", crd => SqlServerPlanner.Condition(crd, "Established") is not null);
    }

    [TearDown]
    public async Task TearDown()
    {
        await stop.CancelAsync();
        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        api.Dispose();
        await server.DisposeAsync();
        stop.Dispose();
        Directory.Delete(folder, true);
    }

    [Test]
    public async Task Instances_become_members_ready_and_are_forgotten_when_deleted()
    {
        await CreateAsync("mssql1");
        await UntilAsync(Resources.SqlServers, "ag1", "mssql1", server => Ready(server) == "False PodMissing");
        await UntilAsync(Services, "ag1", "mssql1-internal", service => (string?)service["spec"]!["clusterIP"] == "None");
        await CreateAsync("mssql2");
        await UntilAsync(Resources.ConfigMaps, "ag1", "ag1", map => Members(map) == 2);

        // What an agent writes stays.
        await api.MergePatchAsync(Resources.ConfigMaps, "ag1", "ag1", (JsonObject)JsonNode.Parse("""{"data": {"group": "{}"} }""")!, stop.Token);

        // What the controllers and nodes of a cluster do.
        var set = await UntilAsync(Resources.StatefulSets, "ag1", "mssql1", _ => true);
        var pod = new JsonObject
        {
            ["metadata"] = set["spec"]!["template"]!["metadata"]!.DeepClone(),
            ["spec"] = set["spec"]!["template"]!["spec"]!.DeepClone(),
        };
        pod["metadata"]!["name"] = "mssql1-0";
        pod["metadata"]!["labels"]!["role.ag.mssql.microsoft.com/ag1"] = "primary";
        pod["spec"]!["volumes"]!.AsArray().Add(JsonNode.Parse(
            """{"name": "mssql-root", "persistentVolumeClaim": {"claimName": "mssql-root-mssql1-0"} }"""));
        await api.CreateAsync(Resources.Pods, "ag1", pod, stop.Token);
        await StatusAsync(Resources.Pods, "mssql1-0", """{"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}""");
        await UntilAsync(Resources.SqlServers, "ag1", "mssql1", server => Ready(server) == "False Initializing");
        var before = await InitJobAsync("mssql1", _ => true);
        await StatusAsync(Resources.Jobs, SqlServerPlanner.NameOf(before), """{"conditions": [{"type": "Complete", "status": "True"}]}""");
        var ready = await UntilAsync(Resources.SqlServers, "ag1", "mssql1", server => Ready(server) == "True Ready");
        Assert.That((string?)ready["status"]!["roles"]!["ag1"], Is.EqualTo("primary"));

        // A change of the specification runs init-sql anew, as a Job of another name, and restarts nothing.
        await api.MergePatchAsync(
            Resources.SqlServers, "ag1", "mssql1", (JsonObject)JsonNode.Parse("""{"spec": {"sqlPostInitScript": "PRINT 1"} }""")!, stop.Token);
        await InitJobAsync("mssql1", job => SqlServerPlanner.NameOf(job) != SqlServerPlanner.NameOf(before));
        Assert.That(await api.GetAsync(Resources.Jobs, "ag1", SqlServerPlanner.NameOf(before), stop.Token), Is.Null);
        Assert.That(await api.GetAsync(Resources.Pods, "ag1", "mssql1-0", stop.Token), Is.Not.Null);

        // A deleted member stays until the agents say that its replica is removed.
        await api.DeleteAsync(Resources.SqlServers, "ag1", "mssql2", stop.Token);
        await UntilAsync(Resources.ConfigMaps, "ag1", "ag1", map => ((string?)map["data"]!["members"])!.Contains("leaving", StringComparison.Ordinal));
        Assert.That(await api.GetAsync(Resources.SqlServers, "ag1", "mssql2", stop.Token), Is.Not.Null);
        await api.MergePatchAsync(Resources.ConfigMaps, "ag1", "ag1", (JsonObject)JsonNode.Parse("""{"data": {"replicas": "[\"mssql1-0\"]"} }""")!, stop.Token);
        var map = await UntilAsync(Resources.ConfigMaps, "ag1", "ag1", map => Members(map) == 1);
        Assert.That((string?)map["data"]!["group"], Is.EqualTo("{}"));
        await GoneAsync(Resources.SqlServers, "mssql2");
    }

    [Test]
    public async Task A_volume_grows_under_a_pod_that_goes_on()
    {
        await CreateAsync("mssql1");
        var before = await UntilAsync(Resources.StatefulSets, "ag1", "mssql1", _ => true);
        var claim = (JsonObject)before["spec"]!["volumeClaimTemplates"]![0]!.DeepClone();
        claim["metadata"]!["name"] = "mssql-root-mssql1-0";
        claim.Remove("status");
        await api.CreateAsync(Resources.Claims, "ag1", claim, stop.Token);
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "mssql1-0",
                ["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "apps/v1", ["kind"] = "StatefulSet", ["name"] = "mssql1", ["uid"] = Uid(before), ["controller"] = true }),
            },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "x", ["image"] = "x" }) },
        };
        var running = await api.CreateAsync(Resources.Pods, "ag1", pod, stop.Token);
        await api.MergePatchAsync(
            Resources.SqlServers, "ag1", "mssql1",
            (JsonObject)JsonNode.Parse("""{"spec": {"instanceRootVolumeClaimTemplate": {"resources": {"requests": {"storage": "6Gi"} } } } }""")!, stop.Token);
        var after = await UntilAsync(Resources.StatefulSets, "ag1", "mssql1", set => Uid(set) != Uid(before));
        Assert.Multiple(async () =>
        {
            Assert.That((string?)after["spec"]!["volumeClaimTemplates"]![0]!["spec"]!["resources"]!["requests"]!["storage"], Is.EqualTo("6Gi"));
            Assert.That((string?)(await api.GetAsync(Resources.Claims, "ag1", "mssql-root-mssql1-0", stop.Token))!["spec"]!["resources"]!["requests"]!["storage"], Is.EqualTo("6Gi"));
            Assert.That(Uid((await api.GetAsync(Resources.Pods, "ag1", "mssql1-0", stop.Token))!), Is.EqualTo(Uid(running)));
        });
    }

    [Test]
    public async Task A_refused_resource_says_so_and_recovers_when_it_is_mended()
    {
        await CreateAsync("mssql1", spec => spec["acceptEula"] = false);
        await UntilAsync(Resources.SqlServers, "ag1", "mssql1", server => Ready(server) == "False InvalidSpec");
        Assert.That(await api.GetAsync(Resources.StatefulSets, "ag1", "mssql1", stop.Token), Is.Null);
        await api.MergePatchAsync(Resources.SqlServers, "ag1", "mssql1", (JsonObject)JsonNode.Parse("""{"spec": {"acceptEula": true} }""")!, stop.Token);
        await UntilAsync(Resources.StatefulSets, "ag1", "mssql1", _ => true);
    }

    private static string Ready(JsonObject server)
    {
        var condition = (server["status"]?["conditions"] as JsonArray ?? []).FirstOrDefault(item => (string?)item!["type"] == "Ready");
        return $"{condition?["status"]} {condition?["reason"]}";
    }

    private static string? Uid(JsonObject document) => (string?)document["metadata"]!["uid"];

    private static int Members(JsonObject map) => (string?)map["data"]?["members"] is { } text ? JsonNode.Parse(text)!.AsArray().Count : 0;

    private Task<JsonObject> CreateAsync(string name, Action<JsonObject>? change = null)
    {
        var document = Documents.SqlServer(name, change: change);
        document["metadata"]!.AsObject().Remove("uid");
        document["metadata"]!.AsObject().Remove("generation");
        return api.CreateAsync(Resources.SqlServers, "ag1", document, stop.Token);
    }

    private Task<JsonObject> StatusAsync(ResourceType<JsonObject> type, string name, string status) =>
        api.MergePatchAsync(type, "ag1", name, new JsonObject { ["status"] = JsonNode.Parse(status) }, stop.Token, "status");

    private async Task GoneAsync(ResourceType<JsonObject> type, string name)
    {
        while (await api.GetAsync(type, "ag1", name, stop.Token) is not null)
            await Task.Delay(20, stop.Token);
    }

    private Task<JsonObject> UntilAsync(ResourceType<JsonObject> type, string? @namespace, string name, Func<JsonObject, bool> condition) =>
        UntilAsync($"{type.Kind} {name}", () => api.GetAsync(type, @namespace, name, stop.Token), condition);

    private Task<JsonObject> InitJobAsync(string instance, Func<JsonObject, bool> condition) => UntilAsync(
        $"the init Job of {instance}",
        async () => (await api.ListAsync(Resources.Jobs, "ag1", new ListOptions($"mssql.microsoft.com/sqlserver={instance}"), stop.Token)).Items.SingleOrDefault(),
        condition);

    private async Task<JsonObject> UntilAsync(string what, Func<Task<JsonObject?>> read, Func<JsonObject, bool> condition)
    {
        JsonObject? last = null;
        while (!stop.IsCancellationRequested)
        {
            if (running.IsCompleted)
                await running;
            last = await read();
            if (last is not null && condition(last))
                return last;
            await Task.Delay(20, CancellationToken.None);
        }

        throw new AssertionException($"{what} did not come to the state that was waited for: {last?.ToJsonString()}");
    }
}
