using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

[TestFixture, NonParallelizable]
internal sealed class ProcessNodeTests
{
    private static readonly ImageStore Images = new(new LocalImage("busybox", "/entry", new Dictionary<string, ImageProgram>
    {
        ["/entry"] = new("/bin/sh", "-c", "echo \"at {podIP} for {podName} in $0\"; exec sleep 600", "{mount:/data}"),
    }));

    private string _directory = "";
    private FakeKubernetesApi _api = null!;
    private ProcessNode _node = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _directory = Directory.CreateTempSubdirectory("process-node-").FullName;
        _api = new FakeKubernetesApi();
        _node = new ProcessNode(
            new ProcessNodeOptions
            {
                Name = "node-a",
                Images = Images,
                Directory = Path.Combine(_directory, "node-a"),
                VolumeDirectory = Path.Combine(_directory, "volumes"),
                SandboxId = Guid.NewGuid().ToString(),
                Heartbeat = TimeSpan.FromMilliseconds(50),
                RetryDelay = TimeSpan.FromMilliseconds(20),
                RestartDelay = TimeSpan.FromMilliseconds(20),
                LongestRestartDelay = TimeSpan.FromMilliseconds(40),
                ApiServer = new Uri("https://127.0.0.1:6443"),
                CertificateAuthority = "authority",
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
    public void A_started_node_is_registered_ready_and_has_a_lease()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_api.Find(Kinds.Nodes, null, "node-a")!.IsTrue("Ready"));
            Assert.That(_api.Find(Kinds.Leases, "kube-node-lease", "node-a"), Is.Not.Null);
        }
    }

    [Test]
    public async Task A_pod_runs_ready_on_a_loopback_address_with_the_entry_point_of_its_image()
    {
        await AddAsync("p", """{"image":"registry/busybox:1","name":"c"}""");
        await ReadyAsync("p");
        var pod = Pod("p")!;
        var address = pod.Text("status", "podIP");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(address, Does.StartWith("127.80.0."));
            Assert.That(pod.Phase(), Is.EqualTo("Running"));
            Assert.That(Container("p").Text("containerID"), Does.StartWith("process://"));
        }

        await LogHoldsAsync("p", $"at {address} for p in {_directory}");
    }

    [Test]
    public async Task Variables_come_from_values_secrets_config_maps_and_fields()
    {
        await _api.CreateAsync(Kinds.Secrets, "ns", FakeKubernetesApi.Secret("s", ("k", "hidden")), default);
        await _api.AddAsync(Kinds.ConfigMaps, """{"metadata":{"name":"m","namespace":"ns"},"data":{"k":"open","OTHER":"more"}}""");
        await AddAsync("p", """
            {"image":"busybox","name":"c","command":["/bin/sh","-c","echo $(A)/$B/$C/$D/$E/$F/$G/$PRE_OTHER/$$(A)/$KUBECONFIG; exec sleep 600"],
             "envFrom":[{"prefix":"PRE_","configMapRef":{"name":"m"}}],
             "env":[{"name":"A","value":"a"},{"name":"B","value":"$(A)b$(UNKNOWN)"},
              {"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},{"name":"D","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}},
              {"name":"E","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app.x/y']"}}},{"name":"F","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
              {"name":"G","valueFrom":{"secretKeyRef":{"name":"none","key":"k","optional":true}}}]}
            """, labels: """{"app.x/y":"lab"}""");
        await ReadyAsync("p");
        var uid = Pod("p")!.Uid();
        await LogHoldsAsync("p", $"a/ab$(UNKNOWN)/hidden/open/lab/{Pod("p")!.Text("status", "podIP")}//more/");
        Assert.That(
            await File.ReadAllTextAsync(Path.Combine(_directory, "node-a", "pods", uid, "kubeconfig")),
            Does.Contain($"pods/{uid}/serviceaccount/token").And.Contain("server: https://127.0.0.1:6443\n"));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_directory, "node-a", "pods", uid, "serviceaccount", "token")), Is.EqualTo("token-of-default"));
    }

    [Test]
    public async Task A_missing_secret_is_named_and_waited_for()
    {
        await AddAsync("p", """
            {"image":"busybox","name":"c","env":[{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}
            """);
        await Until.HoldsAsync(() => Container("p").Text("state", "waiting", "reason") == "CreateContainerConfigError", "CreateContainerConfigError");
        Assert.That(Container("p").Text("state", "waiting", "message"), Is.EqualTo("secret \"s\" not found"));
        await _api.CreateAsync(Kinds.Secrets, "ns", FakeKubernetesApi.Secret("s", ("k", "v")), default);
        await ReadyAsync("p");
    }

    [Test]
    public async Task Paths_below_a_mount_become_folders_and_secrets_follow_their_object()
    {
        await _api.CreateAsync(Kinds.Secrets, "ns", FakeKubernetesApi.Secret("s", ("k", "one"), ("gone", "x")), default);
        await AddAsync("p", """
            {"image":"busybox","name":"c","command":["/bin/sh","-c","cat $FILE; while [ \"$(cat $FILE)\" != two ]; do sleep 0.05; done; ls $DIR; echo seen; exec sleep 600"],
             "env":[{"name":"FILE","value":"/secret/k"},{"name":"DIR","value":"/secret"}],
             "volumeMounts":[{"name":"s","mountPath":"/secret"}]}
            """, volumes: """[{"name":"s","secret":{"secretName":"s"}}]""");
        await LogHoldsAsync("p", "one");
        await _api.MergePatchAsync(Kinds.Secrets, "ns", "s",
            new JsonObject { ["data"] = new JsonObject { ["k"] = Convert.ToBase64String("two"u8), ["gone"] = null } }, default);
        await LogHoldsAsync("p", "k\nseen");
        Assert.That(await LogAsync("p"), Does.Not.Contain("gone"));
    }

    [Test]
    public async Task A_claims_folder_outlives_the_pod()
    {
        await _api.AddAsync(Kinds.Claims, """{"metadata":{"name":"claim","namespace":"ns"}}""");
        const string Volumes = """[{"name":"d","persistentVolumeClaim":{"claimName":"claim"}}]""";
        const string Container = """
            {"image":"busybox","name":"c","command":["/bin/sh","-c","echo x >>$F/log; wc -l <$F/log; exec sleep 600"],
             "env":[{"name":"F","value":"/data"}],"volumeMounts":[{"name":"d","mountPath":"/data"}]}
            """;
        await AddAsync("p", Container, volumes: Volumes);
        await LogHoldsAsync("p", "1");
        await _api.DeleteAsync(Kinds.Pods, "ns", "p", default, new DeleteOptions(1));
        await Until.HoldsAsync(() => Pod("p") is null, "the pod is gone");
        await AddAsync("p", Container, volumes: Volumes);
        await LogHoldsAsync("p", "2");
    }

    [Test]
    public async Task A_killed_container_is_restarted_as_another_run_and_its_death_stays_visible()
    {
        await AddAsync("p", """{"image":"busybox","name":"c"}""");
        await ReadyAsync("p");
        var (id, pid) = (Container("p").Text("containerID"), _node.ProcessId("ns", "p", "c"));
        Assert.That(await _node.KillContainerAsync("ns", "p", "c"));
        await Until.HoldsAsync(() => Container("p").Number("restartCount") == 1 && Container("p").Flag("ready") == true, "the restart");
        var container = Container("p");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(container.Text("containerID"), Is.Not.EqualTo(id));
            Assert.That(container.Text("lastState", "terminated", "containerID"), Is.EqualTo(id));
            Assert.That(container.Number("lastState", "terminated", "exitCode"), Is.EqualTo(137));
            Assert.That(container.Number("lastState", "terminated", "signal"), Is.EqualTo(9));
            Assert.That(_node.ProcessId("ns", "p", "c"), Is.Not.EqualTo(pid));
        }
    }

    [Test]
    public async Task A_containers_children_die_with_it()
    {
        var file = Path.Combine(_directory, "child");
        await AddAsync("p", $$$"""{"image":"busybox","name":"c","command":["/bin/sh","-c","sleep 600 & echo $! >{{{file}}}.new; mv {{{file}}}.new {{{file}}}; wait"]}""");
        await Until.HoldsAsync(() => File.Exists(file), "the child runs");
        var child = (await File.ReadAllTextAsync(file)).Trim();
        Assert.That(await _node.KillContainerAsync("ns", "p", "c"));
        await Until.HoldsAsync(() => !Alive(child), "the child is dead");
    }

    [Test]
    public async Task A_deleted_pod_gets_its_hook_and_a_term_and_is_then_removed()
    {
        var file = Path.Combine(_directory, "trace");
        await AddAsync("p", $$$"""
            {"image":"busybox","name":"c","command":["/bin/sh","-c","trap 'echo term >>{{{file}}}; exit 0' TERM; echo up >>{{{file}}}; while :; do sleep 0.02; done"],
             "lifecycle":{"preStop":{"exec":{"command":["/bin/sh","-c","echo hook >>{{{file}}}"]} } } }
            """);
        await Until.HoldsAsync(() => File.Exists(file), "up");
        await _api.DeleteAsync(Kinds.Pods, "ns", "p", default);
        await Until.HoldsAsync(() => Pod("p") is null, "the pod is gone");
        Assert.That(await File.ReadAllLinesAsync(file), Is.EqualTo(new[] { "up", "hook", "term" }));
    }

    [Test]
    public async Task A_pod_that_ignores_the_term_is_killed_after_its_grace()
    {
        await AddAsync("p", """{"image":"busybox","name":"c","command":["/bin/sh","-c","trap '' TERM; echo up; while :; do sleep 0.02; done"]}""");
        await LogHoldsAsync("p", "up");
        var pid = $"{_node.ProcessId("ns", "p", "c")}";
        await _api.DeleteAsync(Kinds.Pods, "ns", "p", default, new DeleteOptions(1));
        await Until.HoldsAsync(() => Pod("p") is null, "the pod is gone");
        Assert.That(Alive(pid), Is.False);
    }

    [Test]
    public async Task Init_containers_run_one_after_another_before_the_others()
    {
        var file = Path.Combine(_directory, "trace");
        await AddAsync("p", $$$"""{"image":"busybox","name":"c","command":["/bin/sh","-c","echo main >>{{{file}}}; exec sleep 600"]}""", init: $$$"""
            [{"image":"busybox","name":"i1","command":["/bin/sh","-c","sleep 0.1; echo one >>{{{file}}}"]},
             {"image":"busybox","name":"i2","command":["/bin/sh","-c","[ $(wc -l <{{{file}}}) = 2 ] && exit 0; echo two >>{{{file}}}; exit 3"]}]
            """);
        await ReadyAsync("p");
        await Until.HoldsAsync(() => File.ReadAllLines(file).Length == 3, "all ran");
        Assert.That(await File.ReadAllLinesAsync(file), Is.EqualTo(new[] { "one", "two", "main" }));
        Assert.That(Pod("p").Items("status", "initContainerStatuses")[1].Number("restartCount"), Is.EqualTo(1));
    }

    [TestCase("Never", "exit 3", "Failed", 0)]
    [TestCase("Never", "exit 0", "Succeeded", 0)]
    [TestCase("OnFailure", "[ -e $F ] && exit 0; touch $F; exit 3", "Succeeded", 1)]
    public async Task A_pod_that_is_not_restarted_ends(string policy, string script, string phase, int restarts)
    {
        var file = Path.Combine(_directory, "flag");
        await AddAsync(
            "p", $$$"""{"image":"busybox","name":"c","command":["/bin/sh","-c","{{{script}}}"],"env":[{"name":"F","value":"{{{file}}}"}]}""", policy: policy);
        await Until.HoldsAsync(() => Pod("p")!.Finished(), "the end");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Pod("p")!.Phase(), Is.EqualTo(phase));
            Assert.That(Container("p").Number("restartCount"), Is.EqualTo(restarts));
            Assert.That(Pod("p")!.IsTrue("Ready"), Is.False);
        }
    }

    [Test]
    public async Task Readiness_follows_its_probe_and_liveness_restarts()
    {
        var (ready, dead) = (Path.Combine(_directory, "ready"), Path.Combine(_directory, "dead"));
        await AddAsync("p", $$$"""
            {"image":"busybox","name":"c",
             "readinessProbe":{"exec":{"command":["/bin/sh","-c","test -e {{{ready}}}"]},"periodSeconds":1,"failureThreshold":1},
             "livenessProbe":{"exec":{"command":["/bin/sh","-c","test ! -e {{{dead}}} || ! rm {{{dead}}}"]},"periodSeconds":1,"failureThreshold":1}}
            """);
        await Until.HoldsAsync(() => Container("p").Document("state", "running") is not null, "it runs");
        Assert.That(Pod("p")!.IsTrue("Ready"), Is.False);
        await File.WriteAllTextAsync(ready, "");
        await ReadyAsync("p");
        File.Delete(ready);
        await Until.HoldsAsync(() => !Pod("p")!.IsTrue("Ready"), "unready");
        await File.WriteAllTextAsync(dead, "");
        await Until.HoldsAsync(() => Container("p").Number("restartCount") == 1, "restarted");
    }

    [Test]
    public async Task Without_the_API_server_containers_are_still_restarted_and_reported_later()
    {
        await AddAsync("p", """{"image":"busybox","name":"c"}""");
        await ReadyAsync("p");
        var pid = _node.ProcessId("ns", "p", "c");
        _api.Down = true;
        await _node.KillContainerAsync("ns", "p", "c");
        await Until.HoldsAsync(() => _node.ProcessId("ns", "p", "c") is { } other && other != pid, "restarted");
        Assert.That(Container("p").Number("restartCount"), Is.Zero);
        _api.Down = false;
        await Until.HoldsAsync(() => Container("p").Number("restartCount") == 1, "reported");
    }

    [Test]
    public async Task A_crash_kills_all_and_reports_nothing_and_a_start_brings_the_pods_back()
    {
        await AddAsync("p", """{"image":"busybox","name":"c"}""");
        await ReadyAsync("p");
        var pid = $"{_node.ProcessId("ns", "p", "c")}";
        var id = Container("p").Text("containerID");
        await _node.CrashAsync();
        var version = Pod("p")!.Version();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Alive(pid), Is.False);
            Assert.That(Container("p").Document("state", "running"), Is.Not.Null);
        }

        await _node.StartAsync(CancellationToken.None);
        await Until.HoldsAsync(() => Container("p").Number("restartCount") == 1 && Pod("p")!.IsTrue("Ready"), "back");
        Assert.That(Container("p").Text("lastState", "terminated", "containerID"), Is.EqualTo(id));
    }

    [Test]
    public async Task A_label_written_by_others_survives_status_writes()
    {
        await AddAsync("p", """{"image":"busybox","name":"c"}""");
        await ReadyAsync("p");
        await _api.MergePatchAsync(Kinds.Pods, "ns", "p", JsonNode.Parse("""{"metadata":{"labels":{"role":"primary"}}}""")!.AsObject(), default);
        await _node.KillContainerAsync("ns", "p", "c");
        await Until.HoldsAsync(() => Container("p").Number("restartCount") == 1, "reported");
        Assert.That(Pod("p").Text("metadata", "labels", "role"), Is.EqualTo("primary"));
    }

    [Test]
    public async Task An_unknown_image_is_a_pull_error()
    {
        await AddAsync("p", """{"image":"nowhere/thing:1","name":"c"}""");
        await Until.HoldsAsync(() => Container("p").Text("state", "waiting", "reason") == "ErrImagePull", "ErrImagePull");
    }

    [Test]
    public async Task A_log_has_a_tail_a_predecessor_and_can_be_followed()
    {
        await AddAsync("p", """{"image":"busybox","name":"c","command":["/bin/sh","-c","echo 1; echo 2; echo 3; exec sleep 600"]}""");
        await LogHoldsAsync("p", "1\n2\n3\n");
        Assert.That(await LogAsync("p", tail: 2), Is.EqualTo("2\n3\n"));
        var following = LogAsync("p", follow: true);
        await _node.KillContainerAsync("ns", "p", "c");
        Assert.That(await following.WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo("1\n2\n3\n"));
        await LogHoldsAsync("p", "1\n2\n3\n", previous: true);
    }

    private static bool Alive(string pid) =>
        File.Exists($"/proc/{pid}/stat") && File.ReadAllText($"/proc/{pid}/stat").Split(' ')[2] is not ("Z" or "X");

    private JsonObject? Pod(string name) => _api.Find(Kinds.Pods, "ns", name);

    private JsonObject? Container(string pod) => Pod(pod).Items("status", "containerStatuses") is [var first, ..] ? first : null;

    private Task ReadyAsync(string pod) => Until.HoldsAsync(() => Pod(pod)!.IsTrue("Ready"), $"{pod} is ready");

    private async Task LogHoldsAsync(string pod, string text, bool previous = false)
    {
        var log = "";
        for (var i = 0; i < 1500 && !log.Contains(text, StringComparison.Ordinal); i++, await Task.Delay(20))
            log = await LogAsync(pod, previous: previous);
        Assert.That(log, Does.Contain(text));
    }

    private async Task<string> LogAsync(string pod, bool follow = false, int? tail = null, bool previous = false)
    {
        var text = new StringBuilder();
        await foreach (var block in _node.ReadLogAsync("ns", pod, "c", new LogQuery { Follow = follow, TailLines = tail, Previous = previous }))
            text.Append(Encoding.UTF8.GetString(block.Span));
        return text.ToString();
    }

    private Task AddAsync(string name, string container, string init = "[]", string volumes = "[]", string policy = "Always", string labels = "{}") =>
        _api.AddAsync(Kinds.Pods, $$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{name}}","namespace":"ns","labels":{{labels}} },
             "spec":{"nodeName":"node-a","restartPolicy":"{{policy}}","containers":[{{container}}],"initContainers":{{init}},"volumes":{{volumes}} },"status":{"phase":"Pending"} }
            """);
}
