using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

/// <summary>Probes, hooks, back-off and the events about them, as a kubelet has them.</summary>
[TestFixture, NonParallelizable]
internal sealed class PodLifecycleTests
{
    private static readonly ImageStore Images = new(new LocalImage("busybox", null, new Dictionary<string, ImageProgram>()));

    private string _directory = "";
    private FakeKubernetesApi _api = null!;
    private ProcessNode _node = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _directory = Directory.CreateTempSubdirectory("pod-lifecycle-").FullName;
        _api = new FakeKubernetesApi();
        _node = new ProcessNode(
            new ProcessNodeOptions
            {
                Name = "n",
                Images = Images,
                Directory = Path.Combine(_directory, "n"),
                VolumeDirectory = Path.Combine(_directory, "volumes"),
                SandboxId = Guid.NewGuid().ToString(),
                PodNetwork = System.Net.IPAddress.Parse("127.83.0.0"),
                RetryDelay = TimeSpan.FromMilliseconds(20),
                RestartDelay = TimeSpan.FromMilliseconds(20),
                LongestRestartDelay = TimeSpan.FromSeconds(30),
            },
            _api);
        await _node.StartAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_container_whose_startup_probe_never_passes_is_restarted()
    {
        await AddAsync("exec sleep 600", """
            ,"startupProbe":{"exec":{"command":["sh","-c","echo not yet; exit 1"]},"periodSeconds":1,"failureThreshold":1}
            """, grace: 0);
        await Until.HoldsAsync(() => Container().Number("restartCount") > 0, "a restart");
        await HappenedAsync("Warning", "Unhealthy", "Startup probe failed: not yet\n");
        await HappenedAsync("Normal", "Killing", "Container c failed startup probe, will be restarted");
    }

    [Test]
    public async Task A_probe_may_allow_less_grace_than_the_pod()
    {
        await AddAsync("trap '' TERM; while :; do sleep 0.05; done", """
            ,"livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":1,"terminationGracePeriodSeconds":1}
            """, grace: 3600);
        await Until.HoldsAsync(() => Container().Number("restartCount") > 0, "a restart");
        Assert.That(Container().Number("lastState", "terminated", "exitCode"), Is.EqualTo(137));
    }

    [Test]
    public async Task Readiness_needs_its_thresholds_and_each_failure_is_told()
    {
        var file = Path.Combine(_directory, "tries");
        await AddAsync("exec sleep 600", $$$"""
            ,"readinessProbe":{"exec":{"command":["sh","-c","echo >>{{{file}}}; test $(wc -l <{{{file}}}) -gt 1"]},"periodSeconds":1,"successThreshold":2}
            """);
        await Until.HoldsAsync(() => Pod()!.IsTrue("Ready"), "ready");
        Assert.That(File.ReadAllLines(file), Has.Length.GreaterThanOrEqualTo(3));
        await HappenedAsync("Warning", "Unhealthy", "Readiness probe failed: ");
    }

    [Test]
    public async Task A_container_whose_postStart_hook_fails_is_ended_and_restarted()
    {
        await AddAsync("exec sleep 600", ""","lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo no; exit 1"]} } }""");
        await Until.HoldsAsync(() => Container().Number("restartCount") > 0, "a restart");
        await HappenedAsync("Warning", "FailedPostStartHook", "PostStart hook of container \"c\" in pod \"ns/p\" failed: no\n");
        Assert.That(Container().Number("lastState", "terminated", "exitCode"), Is.EqualTo(143));
    }

    [Test]
    public async Task A_preStop_hook_that_uses_up_the_grace_leaves_the_container_a_moment_for_its_end()
    {
        var file = Path.Combine(_directory, "ended");
        await AddAsync(
            $"trap 'echo >{file}; exit 0' TERM; echo up; while :; do sleep 0.05; done", ""","lifecycle":{"preStop":{"exec":{"command":["sleep","600"]} } }""");
        await Until.HoldsAsync(() => Pod()!.IsTrue("Ready"), "ready");
        await _api.DeleteAsync(Kinds.Pods, "ns", "p", default, new DeleteOptions(1));
        await Until.HoldsAsync(() => Pod() is null, "the pod is gone");
        Assert.That(File.Exists(file));
        await HappenedAsync("Normal", "Killing", "Stopping container c");
    }

    [Test]
    public async Task What_fails_again_and_again_waits_longer_each_time_and_says_so()
    {
        await AddAsync("exit 3");
        await Until.HoldsAsync(() => Container().Text("state", "waiting", "reason") == "CrashLoopBackOff" && Container().Number("restartCount") > 1, "the back-off");
        var container = Container();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(container.Text("state", "waiting", "message"), Does.Match(@"^back-off [0-9.]+s restarting failed container=c pod=p_ns\(.+\)$"));
            Assert.That(container.Number("lastState", "terminated", "exitCode"), Is.EqualTo(3));
            Assert.That(container.Text("lastState", "terminated", "reason"), Is.EqualTo("Error"));
        }

        await HappenedAsync("Warning", "BackOff", "Back-off restarting failed container");
        // Counted, not repeated.
        await Until.HoldsAsync(() => Events("Started") is [var one] && one.Number("count") > 2, "the same event again");
    }

    [Test]
    public async Task Events_say_what_became_of_a_pod_and_of_what()
    {
        await AddAsync("exec sleep 600");
        await HappenedAsync("Normal", "Pulled", "Container image \"busybox:1\" already present on machine");
        await HappenedAsync("Normal", "Created", "Created container c");
        await HappenedAsync("Normal", "Started", "Started container c");
        var started = Events("Started").Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(started.Text("involvedObject", "uid"), Is.EqualTo(Pod()!.Uid()));
            Assert.That(started.Text("involvedObject", "fieldPath"), Is.EqualTo("spec.containers{c}"));
            Assert.That(started.Text("source", "component"), Is.EqualTo("kubelet"));
            Assert.That(started.Text("source", "host"), Is.EqualTo("n"));
        }
    }

    [Test]
    public async Task A_pod_that_was_deleted_while_its_node_was_away_ends_when_the_node_is_back()
    {
        var file = Path.Combine(_directory, "starts");
        await AddAsync($"echo >>{file}; exec sleep 600");
        await Until.HoldsAsync(() => File.Exists(file), "it runs");
        await _node.CrashAsync();
        await _api.DeleteAsync(Kinds.Pods, "ns", "p", default);
        Assert.That(Pod()!.Deleting());
        await _node.StartAsync(CancellationToken.None);
        await Until.HoldsAsync(() => Pod() is null, "the pod is gone");
        Assert.That(File.ReadAllLines(file), Has.Length.EqualTo(1), "it was not started again");
    }

    private JsonObject? Pod() => _api.Find(Kinds.Pods, "ns", "p");

    private JsonObject? Container() => Pod().Items("status", "containerStatuses") is [var first, ..] ? first : null;

    private List<JsonObject> Events(string reason) => [.. _api.All(Kinds.Events).Where(x => x.Text("reason") == reason && x.Namespace() == "ns")];

    private Task HappenedAsync(string type, string reason, string message) => Until.HoldsAsync(
        () => Events(reason).Any(x => x.Text("type") == type && x.Text("message") == message), $"{reason}: {message}");

    private Task AddAsync(string script, string container = "", int grace = 30) =>
        _api.AddAsync(Kinds.Pods, $$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns"},"spec":{"nodeName":"n","terminationGracePeriodSeconds":{{grace}},
             "containers":[{"name":"c","image":"busybox:1","command":["sh","-c",{{JsonValue.Create(script).ToJsonString()}}]{{container}}}]},"status":{"phase":"Pending"} }
            """);
}
