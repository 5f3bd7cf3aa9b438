using System.Text.Json.Nodes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Objects;
using Unit.Nodes;

namespace Unit.Controllers;

/// <summary>The controllers against an API server in memory; the tests play the nodes.</summary>
[TestFixture]
internal sealed class ControllerTests
{
    private const string Template = """{"metadata":{"labels":{"app":"a"} },"spec":{"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":0} }""";

    private FakeKubernetesApi _api = null!;
    private ControllerHost _host = null!;
    private List<string> _log = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = new FakeKubernetesApi();
        _log = [];
        foreach (var node in (string[])["n1", "n2"])
        {
            await _api.AddAsync(Kinds.Nodes, $$"""
                {"metadata":{"name":"{{node}}","labels":{"kubernetes.io/hostname":"{{node}}"} },"status":{"conditions":[{"type":"Ready","status":"True"}]} }
                """);
        }

        _host = ControllerHost.Start(_api, new ControllerOptions
        {
            NodeSilence = TimeSpan.FromMinutes(10),
            JobDelay = TimeSpan.Zero,
            Log = x =>
            {
                lock (_log)
                    _log.Add(x);
            },
        });
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        Assert.That(_log, Is.Empty);
    }

    [Test]
    public async Task A_StatefulSet_adopts_the_pod_that_one_of_its_name_left_but_no_stranger()
    {
        await _api.AddAsync(Kinds.Pods, """{"metadata":{"name":"s-0","namespace":"ns","labels":{"app":"a"} },"spec":{"containers":[]} }""");
        await _api.AddAsync(Kinds.Pods, """{"metadata":{"name":"s-1","namespace":"ns","labels":{"app":"b"} },"spec":{"containers":[]} }""");
        var left = Pod("s-0")!.Uid();
        await AddSetAsync(2);
        await Until.HoldsAsync(() => Pod("s-0")!.Controller() is not null, "s-0 is adopted");
        await RunAsync("s-0");
        await Until.HoldsAsync(() => _api.Find(Kinds.StatefulSets, "ns", "s")!.Number("status", "readyReplicas") == 1, "s-0 counts");
        Assert.That((Pod("s-0")!.Uid(), Pod("s-1")!.Controller()), Is.EqualTo((left, (string?)null)));
    }

    [Test]
    public async Task A_StatefulSet_makes_its_pods_one_after_another_with_their_claims()
    {
        await AddSetAsync(2);
        await BoundAsync("s-0");
        var first = Pod("s-0")!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Pod("s-1"), Is.Null);
            Assert.That(first.Text("spec", "hostname"), Is.EqualTo("s-0"));
            Assert.That(first.Text("spec", "subdomain"), Is.EqualTo("svc"));
            Assert.That(first.Text("metadata", "labels", "statefulset.kubernetes.io/pod-name"), Is.EqualTo("s-0"));
            Assert.That(first.Items("spec", "volumes")[0].Text("persistentVolumeClaim", "claimName"), Is.EqualTo("root-s-0"));
            Assert.That(_api.Find(Kinds.Claims, "ns", "root-s-0")!.Text("status", "phase"), Is.EqualTo("Bound"));
        }

        await RunAsync("s-0");
        await BoundAsync("s-1");
        await RunAsync("s-1");
        await Until.HoldsAsync(() => Set().Number("status", "readyReplicas") == 2, "two ready");
        Assert.That(Pod("s-1").Text("spec", "nodeName"), Is.Not.EqualTo(Pod("s-0").Text("spec", "nodeName")));
    }

    [Test]
    public async Task A_lost_pod_comes_back_under_its_name_and_on_the_node_of_its_claim()
    {
        await AddSetAsync(1);
        await BoundAsync("s-0");
        await RunAsync("s-0");
        var (uid, node) = (Pod("s-0")!.Uid(), Pod("s-0").Text("spec", "nodeName"));
        await _api.AddAsync(Kinds.Pods, $$"""{"metadata":{"name":"filler","namespace":"ns"},"spec":{"nodeName":"{{node}}"} }""");
        await StatusAsync("s-0", """{"phase":"Failed"}""");
        await Until.HoldsAsync(() => Pod("s-0") is { } pod && pod.Uid() != uid && pod.Text("spec", "nodeName") is not null, "another s-0");
        Assert.That(Pod("s-0").Text("spec", "nodeName"), Is.EqualTo(node));
    }

    [Test]
    public async Task A_changed_template_replaces_pods_from_the_last_one_down_and_waits_for_each()
    {
        await AddSetAsync(2);
        await BoundAsync("s-0");
        await RunAsync("s-0");
        await BoundAsync("s-1");
        await RunAsync("s-1");
        await Until.HoldsAsync(() => Set().Number("status", "readyReplicas") == 2, "two ready");
        var old = (Zero: Pod("s-0")!.Uid(), One: Pod("s-1")!.Uid());
        await _api.MergePatchAsync(Kinds.StatefulSets, "ns", "s", JsonNode.Parse(
            """{"spec":{"template":{"metadata":{"annotations":{"x":"y"}}}}}""")!.AsObject(), default);
        await Until.HoldsAsync(() => Pod("s-1") is { } pod && pod.Uid() != old.One && pod.Text("spec", "nodeName") is not null, "a new s-1");
        Assert.That(Pod("s-0")!.Uid(), Is.EqualTo(old.Zero));
        await RunAsync("s-1");
        await Until.HoldsAsync(() => Pod("s-0") is { } pod && pod.Uid() != old.Zero, "a new s-0");
    }

    [Test]
    public async Task Scaling_down_removes_the_last_pod_and_keeps_its_claim()
    {
        await AddSetAsync(2);
        await BoundAsync("s-0");
        await RunAsync("s-0");
        await BoundAsync("s-1");
        await RunAsync("s-1");
        await _api.MergePatchAsync(Kinds.StatefulSets, "ns", "s", JsonNode.Parse("""{"spec":{"replicas":1}}""")!.AsObject(), default);
        await Until.HoldsAsync(() => Pod("s-1") is null && Set().Number("status", "replicas") == 1, "one left");
        Assert.That(_api.Find(Kinds.Claims, "ns", "root-s-1"), Is.Not.Null);
        Assert.That(Pod("s-0"), Is.Not.Null);
    }

    [Test]
    public async Task A_Deployment_keeps_its_pods_and_moves_to_a_new_template()
    {
        await _api.AddAsync(Kinds.Deployments, $$"""
            {"metadata":{"name":"d","namespace":"ns"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"a"} },"template":{{Template}} } }
            """);
        await Until.HoldsAsync(() => Owned().Count == 2, "two pods");
        foreach (var pod in Owned())
            await RunAsync(pod.Name());
        await Until.HoldsAsync(() => Deployment().Number("status", "availableReplicas") == 2, "available");
        await _api.DeleteAsync(Kinds.Pods, "ns", Owned()[0].Name(), default);
        await Until.HoldsAsync(() => Owned().Count(x => x.Phase() == "Pending") == 1 && Owned().Count == 2, "replaced");
        await RunAsync(Owned().First(x => x.Phase() == "Pending").Name());

        var before = Owned().Select(x => x.Uid()).ToHashSet();
        await _api.MergePatchAsync(Kinds.Deployments, "ns", "d", JsonNode.Parse(
            """{"spec":{"template":{"metadata":{"annotations":{"x":"y"}}}}}""")!.AsObject(), default);
        await Until.HoldsAsync(() => Owned().Count == 4, "new ones beside the old");
        foreach (var pod in Owned().Where(x => !before.Contains(x.Uid())))
            await RunAsync(pod.Name());
        await Until.HoldsAsync(() => Owned().Count == 2 && !Owned().Any(x => before.Contains(x.Uid())), "only new ones");

        JsonObject? Deployment() => _api.Find(Kinds.Deployments, "ns", "d");
        List<JsonObject> Owned() => [.. _api.All(Kinds.Pods).Where(x => x.Controller() is not null)];
    }

    [Test]
    public async Task A_Job_tries_again_until_it_succeeds()
    {
        await AddJobAsync(backoffLimit: 2);
        await EndPodAsync(0, "Failed");
        await EndPodAsync(1, "Succeeded");
        await Until.HoldsAsync(() => Job().IsTrue("Complete"), "complete");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Job().Number("status", "succeeded"), Is.EqualTo(1));
            Assert.That(Job().Number("status", "failed"), Is.EqualTo(1));
            Assert.That(_api.All(Kinds.Pods), Has.Count.EqualTo(2));
            Assert.That(_api.All(Kinds.Pods)[0].Text("metadata", "labels", "job-name"), Is.EqualTo("j"));
        }
    }

    [Test]
    public async Task A_Job_fails_beyond_its_limit_and_starts_no_more()
    {
        await AddJobAsync(backoffLimit: 0);
        await EndPodAsync(0, "Failed");
        await Until.HoldsAsync(() => Job().IsTrue("Failed"), "failed");
        Assert.That(Job().Condition("Failed").Text("reason"), Is.EqualTo("BackoffLimitExceeded"));
        Assert.That(_api.All(Kinds.Pods), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_finished_Job_goes_away_after_its_time()
    {
        await AddJobAsync(backoffLimit: 0, ttl: 0);
        await EndPodAsync(0, "Succeeded");
        await Until.HoldsAsync(() => _api.Find(Kinds.Jobs, "ns", "j") is null, "gone");
    }

    [Test]
    public async Task Endpoints_follow_readiness()
    {
        await _api.AddAsync(Kinds.Services, """{"metadata":{"name":"svc","namespace":"ns"},"spec":{"selector":{"app":"a"},"ports":[{"port":80}]} }""");
        await _api.AddAsync(Kinds.Pods, $$"""{"metadata":{"name":"p","namespace":"ns","labels":{"app":"a"} },"spec":{"nodeName":"n1","containers":[]} }""");
        await StatusAsync("p", """{"phase":"Running","podIP":"127.80.0.9","conditions":[{"type":"Ready","status":"False"}]}""");
        await Until.HoldsAsync(() => Subset().Items("notReadyAddresses").Count == 1 && Subset().Items("addresses").Count == 0, "not ready");
        await RunAsync("p");
        await Until.HoldsAsync(() => Subset().Items("addresses").Count == 1 && Subset().Items("notReadyAddresses").Count == 0, "ready");
        await _api.DeleteAsync(Kinds.Services, "ns", "svc", default);
        await Until.HoldsAsync(() => _api.Find(Kinds.Endpoints, "ns", "svc") is null, "gone");

        JsonObject? Subset() => _api.Find(Kinds.Endpoints, "ns", "svc").Items("subsets") is [var first, ..] ? first : null;
    }

    [Test]
    public async Task A_silent_node_is_Unknown_its_pods_are_out_of_service_and_it_gets_no_more()
    {
        await _host.DisposeAsync();
        await _api.AddAsync(Kinds.Pods, """{"metadata":{"name":"p","namespace":"ns"},"spec":{"nodeName":"n1"} }""");
        await RunAsync("p");
        _host = ControllerHost.Start(_api, new ControllerOptions { NodeSilence = TimeSpan.FromMilliseconds(20) });
        await Until.HoldsAsync(() => Node().Condition("Ready").Text("status") == "Unknown" && !Pod("p")!.IsTrue("Ready"), "unknown");
        Assert.That(Pod("p"), Is.Not.Null);

        JsonObject Node() => _api.Find(Kinds.Nodes, null, "n1")!;
    }

    private JsonObject? Pod(string name) => _api.Find(Kinds.Pods, "ns", name);

    private JsonObject? Set() => _api.Find(Kinds.StatefulSets, "ns", "s");

    private JsonObject Job() => _api.Find(Kinds.Jobs, "ns", "j")!;

    private Task AddSetAsync(int replicas) => _api.AddAsync(Kinds.StatefulSets, $$"""
        {"metadata":{"name":"s","namespace":"ns"},"spec":{"replicas":{{replicas}},"serviceName":"svc","selector":{"matchLabels":{"app":"a"} },
         "template":{{Template}},"volumeClaimTemplates":[{"metadata":{"name":"root"},"spec":{"accessModes":["ReadWriteOnce"]} }]} }
        """);

    private Task AddJobAsync(int backoffLimit, int? ttl = null) => _api.AddAsync(Kinds.Jobs, $$"""
        {"metadata":{"name":"j","namespace":"ns"},"spec":{"backoffLimit":{{backoffLimit}},"template":{{Template}}{{(ttl is null ? "" : $",\"ttlSecondsAfterFinished\":{ttl}")}} } }
        """);

    /// <summary>Ends the Job's only unfinished pod once so many have ended before it.</summary>
    private async Task EndPodAsync(int before, string phase)
    {
        JsonObject? next = null;
        await Until.HoldsAsync(
            () => _api.All(Kinds.Pods).Count(x => x.Finished()) == before
                && (next = _api.All(Kinds.Pods).FirstOrDefault(x => !x.Finished() && x.Text("spec", "nodeName") is not null)) is not null,
            $"attempt {before}");
        await StatusAsync(next!.Name(), $$"""{"phase":"{{phase}}"}""");
    }

    private Task BoundAsync(string pod) => Until.HoldsAsync(() => Pod(pod).Text("spec", "nodeName") is not null, $"{pod} is bound");

    private Task<JsonObject> RunAsync(string pod) =>
        StatusAsync(pod, """{"phase":"Running","podIP":"127.80.0.9","conditions":[{"type":"Ready","status":"True"}]}""");

    private Task<JsonObject> StatusAsync(string pod, string status) =>
        _api.MergePatchAsync(Kinds.Pods, "ns", pod, new JsonObject { ["status"] = JsonNode.Parse(status) }, default, "status");
}
