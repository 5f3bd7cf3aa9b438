using System.Text.Json.Nodes;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Operator;
using Agents.Operator.Reconciliation;
using Agents.Security;
using Microsoft.Extensions.Logging.Abstractions;
using Unit.Nodes;

namespace Unit.Operator;

internal sealed class ReconcilerTests
{
    private ApplyingApi api = null!;
    private Reconciler reconciler = null!;

    [SetUp]
    public void SetUp()
    {
        api = new ApplyingApi();
        reconciler = new Reconciler(
            api, new StepRunner(api, TimeProvider.System, new PasswordGenerator(), NullLogger.Instance), new SecretObserver(api, TimeProvider.System),
            new StatusWriter(api, TimeProvider.System, NullLogger.Instance), [], TimeProvider.System, NullLogger.Instance);
    }

    [Test]
    public async Task A_new_instance_becomes_all_its_objects_and_a_second_turn_applies_nothing()
    {
        await AddAsync(Documents.SqlServer());
        Assert.That(await TurnAsync(), Is.True);
        var applied = api.Applied.ToArray();
        Assert.That(applied, Is.EquivalentTo(new[]
        {
            "ConfigMap ag1", "Service ag1", "PodDisruptionBudget ag1", "ServiceAccount mssql1-agents", "Role mssql1-agents", "RoleBinding mssql1-agents",
            "Service mssql1-internal", "StatefulSet mssql1",
        }));
        Assert.That(api.Inner.All(Resources.Secrets).Select(Name), Is.EquivalentTo(new[] { "mssql1-agent-login", "mssql-mirroring-certificate" }));
        Assert.That(api.Inner.All(Resources.Jobs).Select(Name).Single(), Does.Match("^mssql-initialize-mssql1-[0-9a-f]{8}$"));
        var secret = Secret("mssql1-agent-login");
        await TurnAsync();
        Assert.That(api.Applied, Has.Count.EqualTo(applied.Length));
        Assert.That(Secret("mssql1-agent-login"), Is.EqualTo(secret), "a Secret is made once");
        Assert.That(Condition("mssql1", "Ready"), Is.EqualTo("False PodMissing"));
    }

    [Test]
    public async Task A_deleted_or_edited_StatefulSet_is_repaired_in_the_next_turn()
    {
        await AddAsync(Documents.SqlServer());
        await TurnAsync();
        await api.Inner.DeleteAsync(Resources.StatefulSets, "ag1", "mssql1", CancellationToken.None);
        await TurnAsync();
        Assert.That(api.Inner.Find(Resources.StatefulSets, "ag1", "mssql1"), Is.Not.Null);
        await api.Inner.MergePatchAsync<JsonObject>(
            Resources.StatefulSets, "ag1", "mssql1",
            (JsonObject)JsonNode.Parse("""{"metadata": {"generation": 2}, "spec": {"replicas": 0} }""")!, CancellationToken.None);
        await TurnAsync();
        Assert.That((int?)api.Inner.Find(Resources.StatefulSets, "ag1", "mssql1")!["spec"]!["replicas"], Is.EqualTo(1));
    }

    [Test]
    public async Task What_supports_an_instance_is_repaired_in_the_next_turn_and_nothing_else_is_asked()
    {
        await AddAsync(Documents.SqlServer());
        await TurnAsync();
        foreach (var type in Resources.Supporting)
        {
            var name = type.Kind == "Service" ? "mssql1-internal" : "mssql1-agents";
            api.Applied.Clear();
            await api.Inner.DeleteAsync(type, "ag1", name, CancellationToken.None);
            await TurnAsync();
            Assert.That(api.Applied, Is.EqualTo(new[] { $"{type.Kind} {name}" }));
            api.Applied.Clear();
            await api.Inner.MergePatchAsync<JsonObject>(
                type, "ag1", name, (JsonObject)JsonNode.Parse("""{"rules": [], "subjects": [], "spec": {"selector": null} }""")!, CancellationToken.None);
            await TurnAsync();
            Assert.That(api.Applied, Is.EqualTo(new[] { $"{type.Kind} {name}" }));
            await TurnAsync();
            Assert.That(api.Applied, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task Keys_that_agents_wrote_to_the_group_map_survive()
    {
        await AddAsync(Documents.SqlServer());
        await TurnAsync();
        await api.Inner.MergePatchAsync<JsonObject>(
            Resources.ConfigMaps, "ag1", "ag1", (JsonObject)JsonNode.Parse("""{"data": {"group": "{}", "members": "broken"} }""")!, CancellationToken.None);
        await TurnAsync();
        var data = api.Inner.Find(Resources.ConfigMaps, "ag1", "ag1")!["data"]!;
        Assert.That((string?)data["group"], Is.EqualTo("{}"));
        Assert.That((string?)data["members"], Does.Contain("mssql1-0"));
    }

    [Test]
    public async Task A_refused_specification_changes_nothing_and_says_which_field_and_is_told_once()
    {
        await AddAsync(Documents.SqlServer(change: spec => spec["acceptEula"] = false));
        await TurnAsync();
        await TurnAsync();
        Assert.That(api.Applied, Is.Empty);
        Assert.That(Condition("mssql1", "Ready"), Is.EqualTo("False InvalidSpec"));
        var @event = api.Inner.All(Resources.Events).Single();
        Assert.That((string?)@event["message"], Is.EqualTo("spec.acceptEula: must be true, not false"));
    }

    [Test]
    public async Task What_happens_again_is_counted_not_told_anew()
    {
        await AddAsync(Documents.SqlServer());
        foreach (var valid in new[] { false, true, false, true, false })
        {
            await api.Inner.MergePatchAsync<JsonObject>(
                Resources.SqlServers, "ag1", "mssql1", new JsonObject { ["spec"] = new JsonObject { ["acceptEula"] = valid } }, CancellationToken.None);
            await TurnAsync();
        }

        var @event = api.Inner.All(Resources.Events).Single();
        Assert.That(((string?)@event["reason"], (int?)@event["count"]), Is.EqualTo(("InvalidSpec", 3)));
    }

    [Test]
    public async Task A_replica_that_its_primary_has_lost_makes_its_instance_degraded_until_it_is_back()
    {
        await AddAsync(Documents.SqlServer());
        await TurnAsync();
        foreach (var (connected, synchronized, expected) in new[]
        {
            (true, true, "False AsExpected"), (false, false, "True ReplicaNotConnected"), (true, false, "True ReplicaNotSynchronized"), (true, true, "False AsExpected"),
        })
        {
            var report = new GroupReport("mssql2-0", [new("mssql1-0", AvailabilityMode.SynchronousCommit, connected, synchronized)]);
            await api.Inner.MergePatchAsync<JsonObject>(
                Resources.ConfigMaps, "ag1", "ag1",
                new JsonObject { ["data"] = new JsonObject { [GroupDocuments.ReportKey] = GroupDocuments.WriteReport(report) } }, CancellationToken.None);
            await TurnAsync();
            Assert.That(Condition("mssql1", "Degraded"), Is.EqualTo(expected));
        }

        Assert.That(
            api.Inner.All(Resources.Events).Select(@event => $"{@event["type"]} {@event["reason"]}"),
            Is.EquivalentTo(new[] { "Warning ReplicaNotConnected", "Warning ReplicaNotSynchronized", "Normal AsExpected" }));
    }

    [Test]
    public async Task Before_the_primarys_pod_is_restarted_a_failover_is_asked_for_once()
    {
        await AddAsync(Documents.SqlServer());
        await AddAsync(Documents.SqlServer("mssql2"));
        await TurnAsync();
        await AddPodAsync("mssql1", "old", "primary");
        await AddPodAsync("mssql2", null, "secondary");
        var report = new GroupReport("mssql1-0", [Synchronized("mssql1-0"), Synchronized("mssql2-0")]);
        await api.Inner.MergePatchAsync<JsonObject>(
            Resources.ConfigMaps, "ag1", "ag1",
            new JsonObject { ["data"] = new JsonObject { [GroupDocuments.ReportKey] = GroupDocuments.WriteReport(report) } }, CancellationToken.None);
        await TurnAsync();
        var request = GroupDocuments.ReadRequest((string)api.Inner.Find(Resources.ConfigMaps, "ag1", "ag1")!["data"]![GroupDocuments.RequestKey]!);
        Assert.That((request.Target, request.AllowDataLoss), Is.EqualTo(("!mssql1-0", false)));
        Assert.That(Condition("mssql1", "Progressing"), Is.EqualTo("True WaitingForFailover"));
        Assert.That(api.Inner.Find(Resources.Pods, "ag1", "mssql1-0"), Is.Not.Null);

        static ReplicaReport Synchronized(string name) => new(name, AvailabilityMode.SynchronousCommit, true, true);
    }

    [Test]
    public async Task What_the_API_server_rejects_reaches_the_condition_and_other_instances_go_on()
    {
        await AddAsync(Documents.SqlServer("mssql1"));
        await AddAsync(Documents.SqlServer("mssql2"));
        api.Reject = "StatefulSet mssql1";
        Assert.That(await TurnAsync(), Is.False);
        Assert.That(Condition("mssql1", "Ready"), Is.EqualTo("False Rejected"));
        Assert.That(api.Inner.Find(Resources.StatefulSets, "ag1", "mssql2"), Is.Not.Null);
        Assert.That(
            api.Inner.All(Resources.Jobs).Select(job => (string?)job["metadata"]?["labels"]?["mssql.microsoft.com/sqlserver"]),
            Is.EqualTo(new[] { "mssql2" }), "the later steps of mssql1 wait");
    }

    [Test]
    public async Task An_outdated_pod_is_restarted_once_its_new_template_is_in_place()
    {
        await AddAsync(Documents.SqlServer(groups: "[]"));
        await TurnAsync();
        var hash = (string)api.Inner.Find(Resources.StatefulSets, "ag1", "mssql1")!["spec"]!["template"]!["metadata"]!["annotations"]![Names.RestartHash]!;
        await api.Inner.AddAsync(Resources.Pods, $$"""
            {"kind": "Pod", "metadata": {"name": "mssql1-0", "namespace": "ag1", "labels": {"mssql.microsoft.com/sqlserver": "mssql1"},
              "annotations": {"{{Names.RestartHash}}": "{{hash}}"} },
             "spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]} }
            """);
        await TurnAsync();
        Assert.That(api.Inner.Find(Resources.Pods, "ag1", "mssql1-0"), Is.Not.Null);
        await api.Inner.MergePatchAsync<JsonObject>(
            Resources.SqlServers, "ag1", "mssql1", (JsonObject)JsonNode.Parse("""{"spec": {"queryCommandTimeoutSec": 20} }""")!, CancellationToken.None);
        await TurnAsync();
        await TurnAsync();
        Assert.That(api.Inner.Find(Resources.Pods, "ag1", "mssql1-0"), Is.Null);
    }

    private Task AddPodAsync(string instance, string? hash, string role)
    {
        hash ??= (string)api.Inner.Find(Resources.StatefulSets, "ag1", instance)!["spec"]!["template"]!["metadata"]!["annotations"]![Names.RestartHash]!;
        return api.Inner.AddAsync(Resources.Pods, $$"""
            {"kind": "Pod", "metadata": {"name": "{{instance}}-0", "namespace": "ag1",
              "labels": {"mssql.microsoft.com/sqlserver": "{{instance}}", "role.ag.mssql.microsoft.com/ag1": "{{role}}"},
              "annotations": {"{{Names.RestartHash}}": "{{hash}}"} },
             "spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]} }
            """);
    }

    private static string Name(JsonObject document) => (string)document["metadata"]!["name"]!;

    private Task<JsonObject> AddAsync(JsonObject document) => api.Inner.CreateAsync(Resources.SqlServers, "ag1", document, CancellationToken.None);

    private Task<bool> TurnAsync()
    {
        // As from the wire: numbers have no type of their own.
        JsonObject[] All(ResourceType<JsonObject> type) => [.. api.Inner.All(type).Select(item => (JsonObject)JsonNode.Parse(item.ToJsonString())!)];
        var snapshot = new Snapshot(
            All(Resources.SqlServers), All(Resources.Jobs), All(Resources.Pods), All(Resources.ConfigMaps),
            Resources.Supporting.Append(Resources.StatefulSets).Append(Resources.Budgets).SelectMany(All));
        return reconciler.TurnAsync(snapshot, CancellationToken.None);
    }

    private string Secret(string name) => api.Inner.Find(Resources.Secrets, "ag1", name)!["data"]!.ToJsonString();

    private string Condition(string instance, string type)
    {
        var condition = api.Inner.Find(Resources.SqlServers, "ag1", instance)!["status"]!["conditions"]!.AsArray()
            .Single(condition => (string?)condition!["type"] == type)!;
        return $"{condition["status"]} {condition["reason"]}";
    }

    /// <summary>Applies by merging, which is all that these tests need, and notes what was applied.</summary>
    private sealed class ApplyingApi : IKubernetesApi
    {
        public FakeKubernetesApi Inner { get; } = new();

        public List<string> Applied { get; } = [];

        public string? Reject { get; set; }

        public async Task<T> ApplyAsync<T>(
            ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
            string? subresource = null)
            where T : class
        {
            var what = $"{type.Kind} {name}";
            if (what == Reject)
                throw new KubernetesException(KubernetesFailure.Invalid, "it is not acceptable");
            if (type.Kind != "Event")
                Applied.Add(what);
            var document = (JsonObject)manifest.DeepClone();
            return Inner.Find((ResourceType<JsonObject>)(object)type, @namespace, name) is null
                ? (T)(object)await Inner.CreateAsync((ResourceType<JsonObject>)(object)type, @namespace, document, cancellationToken)
                : await Inner.MergePatchAsync(type, @namespace, name, document, cancellationToken);
        }

        public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
            where T : class => Inner.GetAsync(type, @namespace, name, cancellationToken);

        public Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
            where T : class => Inner.ListAsync(type, @namespace, options, cancellationToken);

        public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
            ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, CancellationToken cancellationToken)
            where T : class => Inner.WatchAsync(type, @namespace, options, resourceVersion, cancellationToken);

        public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
            where T : class => Inner.CreateAsync(type, @namespace, value, cancellationToken);

        public Task<T> ReplaceAsync<T>(
            ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
            where T : class => Inner.ReplaceAsync(type, @namespace, name, value, cancellationToken, subresource);

        public Task<T> MergePatchAsync<T>(
            ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
            where T : class => Inner.MergePatchAsync(type, @namespace, name, patch, cancellationToken, subresource);

        public Task<bool> DeleteAsync<T>(
            ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
            where T : class => Inner.DeleteAsync(type, @namespace, name, cancellationToken, options);
    }
}
