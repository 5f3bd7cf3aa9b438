using System.Globalization;
using System.Text.Json.Nodes;
using Agents.AgAgent;
using Agents.Election;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Sql;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.AgAgent;

/// <summary>What agents write to the API server, and what the API server makes of it when two of them write.</summary>
internal sealed class GroupStoreTests
{
    private static readonly ResourceType<JsonObject> Namespaces = KubernetesTypes.Untyped("", "v1", "namespaces", "Namespace", false);
    private static readonly ResourceType<JsonObject> Pods = KubernetesTypes.Untyped("", "v1", "pods", "Pod", true);
    private static readonly ResourceType<JsonObject> ConfigMaps = KubernetesTypes.Untyped("", "v1", "configmaps", "ConfigMap", true);

    private CancellationTokenSource stop = null!;
    private KubernetesEmulator.ApiServer server = null!;
    private HttpKubernetesApi api = null!;
    private string folder = string.Empty;
    private readonly List<Task> watches = [];

    [SetUp]
    public async Task SetUp()
    {
        stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        folder = Directory.CreateTempSubdirectory("group-store").FullName;
        server = await KubernetesEmulator.ApiServer.StartAsync();
        var path = Path.Combine(folder, "config");
        await File.WriteAllTextAsync(path, server.KubeConfig("agent", @namespace: "ag1", tokenFile: Path.Combine(folder, "token")));
        api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(path), TimeProvider.System, new Random(1), "test");
        await api.CreateAsync(Namespaces, null, (JsonObject)JsonNode.Parse("""{"metadata": {"name": "ag1"} }""")!, stop.Token);
    }

    [TearDown]
    public async Task TearDown()
    {
        await stop.CancelAsync();
        await Task.WhenAll(watches);
        api.Dispose();
        await server.DisposeAsync();
        stop.Dispose();
        Directory.Delete(folder, true);
    }

    [Test]
    public async Task S1_of_two_agents_that_saw_the_same_lease_one_gets_it()
    {
        var (one, two) = (await StoreAsync("mssql1-0"), await StoreAsync("mssql2-0"));
        await one.AcquireAsync(null, stop.Token);
        Assert.That(await RefusalAsync(two.AcquireAsync(null, stop.Token)), Is.EqualTo(KubernetesFailure.AlreadyExists), "both saw none");
        await one.ReleaseHeldAsync(string.Empty, stop.Token);
        var free = (await api.GetAsync(KubernetesTypes.Leases, "ag1", "ag1", stop.Token))!.Metadata.ResourceVersion!;
        await two.AcquireAsync(free, stop.Token);
        Assert.That(await RefusalAsync(one.AcquireAsync(free, stop.Token)), Is.EqualTo(KubernetesFailure.Conflict), "both saw it free");
        var lease = await api.GetAsync(KubernetesTypes.Leases, "ag1", "ag1", stop.Token);
        Assert.That(lease!.Spec!.HolderIdentity, Does.StartWith("mssql2-0"));
    }

    [Test]
    public async Task S1_who_has_lost_the_lease_neither_renews_nor_releases_it()
    {
        var (one, two) = (await StoreAsync("mssql1-0"), await StoreAsync("mssql2-0"));
        await one.AcquireAsync(null, stop.Token);
        var held = (await api.GetAsync(KubernetesTypes.Leases, "ag1", "ag1", stop.Token))!.Metadata.ResourceVersion!;
        await two.AcquireAsync(held, stop.Token);
        Assert.That(await RefusalAsync(one.RenewAsync(held, stop.Token)), Is.EqualTo(KubernetesFailure.Conflict));
        Assert.That(await RefusalAsync(one.ReleaseAsync(held, string.Empty, stop.Token)), Is.EqualTo(KubernetesFailure.Conflict));
        Assert.That((await api.GetAsync(KubernetesTypes.Leases, "ag1", "ag1", stop.Token))!.Spec!.HolderIdentity, Does.StartWith("mssql2-0"));
    }

    [Test]
    public async Task S9_a_promotion_takes_the_stale_label_off_before_it_puts_its_own_on()
    {
        await AddPodAsync("mssql1-0", "secondary");
        await AddPodAsync("mssql2-0", "primary");
        await api.CreateAsync(ConfigMaps, "ag1", (JsonObject)JsonNode.Parse("""{"metadata": {"name": "ag1"}, "data": {"members": "[]"} }""")!, stop.Token);
        var store = await StoreAsync("mssql1-0");
        while (!store.Directory().TryGet(out var directory) || directory.Pods.Count < 2)
            await Task.Delay(10, stop.Token);
        var actuator = new AgentActuator(
            Settings("mssql1-0"), new AgentTimeouts(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5)), store, new Promoted(), TimeProvider.System);
        var outcome = await actuator.ActAsync(new AgentDecision.Promote(1, "test"), stop.Token);
        Assert.That(outcome.Failed, Is.False, outcome.What);
        var (old, @new) = (await RoleAsync("mssql2-0"), await RoleAsync("mssql1-0"));
        Assert.That((old.Role, @new.Role), Is.EqualTo(("secondary", "primary")));
        Assert.That(old.Version, Is.LessThan(@new.Version), "the order of writes");
    }

    [Test]
    public async Task Without_replicas_the_note_on_who_created_the_group_goes_too()
    {
        await api.CreateAsync(ConfigMaps, "ag1", (JsonObject)JsonNode.Parse("""{"metadata": {"name": "ag1"}, "data": {"members": "[]"} }""")!, stop.Token);
        var store = await StoreAsync("mssql1-0");
        await store.NoteCreatorAsync("mssql1-0", stop.Token);
        await store.PublishReplicasAsync(["mssql1-0"], stop.Token);
        Assert.That((await DataAsync()).Select(pair => pair.Key), Is.EquivalentTo(new[] { "members", "group", "replicas" }));
        await store.PublishReplicasAsync([], stop.Token);
        Assert.That((await DataAsync()).Select(pair => pair.Key), Is.EquivalentTo(new[] { "members", "replicas" }));
        await store.NoteCreatorAsync("mssql2-0", stop.Token);
    }

    private static GroupSettings Settings(string pod) => new("ag1", new AgentIdentity(pod, $"uid-of-{pod}"), LeaseTimings.Default);

    private static async Task<KubernetesFailure?> RefusalAsync(Task write)
    {
        try
        {
            await write;
            return null;
        }
        catch (KubernetesException error)
        {
            return error.Failure;
        }
    }

    /// <summary>A store that has listed the Lease: what an agent decides, it decides after that.</summary>
    private async Task<GroupStore> StoreAsync(string pod)
    {
        var store = new GroupStore(api, Settings(pod), "ag1", static () => { }, TimeProvider.System, new Random(1), NullLogger.Instance);
        watches.Add(store.RunAsync(stop.Token));
        while (!store.Lease().TryGet(out _))
            await Task.Delay(10, stop.Token);
        return store;
    }

    private Task<JsonObject> AddPodAsync(string name, string role) => api.CreateAsync(Pods, "ag1", (JsonObject)JsonNode.Parse($$"""
        {"metadata": {"name": "{{name}}", "labels": {"ag-service.mssql.microsoft.com/ag1": "", "role.ag.mssql.microsoft.com/ag1": "{{role}}"} },
         "spec": {"containers": [{"name": "mssql-server", "image": "server"}]} }
        """)!, stop.Token);

    private async Task<(string? Role, long Version)> RoleAsync(string pod)
    {
        var found = (await api.GetAsync(Pods, "ag1", pod, stop.Token))!;
        return ((string?)found["metadata"]!["labels"]!["role.ag.mssql.microsoft.com/ag1"],
            long.Parse((string)found["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture));
    }

    private async Task<JsonObject> DataAsync() => (await api.GetAsync(ConfigMaps, "ag1", "ag1", stop.Token))!["data"]!.AsObject();

    /// <summary>An instance that takes every statement and is primary.</summary>
    private sealed class Promoted : ISqlInstance
    {
        public Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<SqlResultSet>>([new SqlResultSet(["role"], [new SqlRow(["role"], [(int)ReplicaRole.Primary])])]);

        public IAsyncEnumerable<SqlResultSet> StreamAsync(SqlText batch, TimeSpan connectTimeout, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
