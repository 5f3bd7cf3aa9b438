using System.Text;
using System.Text.Json.Nodes;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

/// <summary>What a container finds around itself: Services, its account, its user.</summary>
[TestFixture, NonParallelizable]
internal sealed class ContainerIsolationTests
{
    private string _directory = "";
    private FakeKubernetesApi _api = null!;
    private ProcessNode _node = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _directory = Directory.CreateTempSubdirectory("container-isolation-").FullName;
        _api = new FakeKubernetesApi();
        _node = new ProcessNode(
            new ProcessNodeOptions
            {
                Name = "n",
                Images = new ImageStore(new LocalImage("busybox", null, new Dictionary<string, ImageProgram>())),
                Directory = Path.Combine(_directory, "n"),
                VolumeDirectory = Path.Combine(_directory, "volumes"),
                SandboxId = Guid.NewGuid().ToString(),
                PodNetwork = System.Net.IPAddress.Parse("127.85.0.0"),
                RetryDelay = TimeSpan.FromMilliseconds(20),
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

    [TestCase("true", "10.0.0.9:1433 tcp://10.0.0.9:1433 127.0.0.1:6443")]
    [TestCase("false", ": 127.0.0.1:6443")]
    public async Task Services_are_variables_and_the_API_server_always_is(string links, string expected)
    {
        await _api.AddAsync(Kinds.Services, """
            {"metadata":{"name":"the-db","namespace":"ns"},"spec":{"clusterIP":"10.0.0.9","ports":[{"name":"tds","port":1433}]} }
            """);
        await _api.AddAsync(Kinds.Services, """{"metadata":{"name":"headless","namespace":"ns"},"spec":{"clusterIP":"None","ports":[{"port":1}]} }""");
        await AddAsync(
            "echo $THE_DB_SERVICE_HOST:$THE_DB_SERVICE_PORT_TDS $THE_DB_PORT_1433_TCP $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT_HTTPS $HEADLESS_SERVICE_HOST; exec sleep 600",
            $",\"enableServiceLinks\":{links}");
        await LogHoldsAsync(expected + "\n");
    }

    [Test]
    public async Task The_account_is_where_a_container_expects_it()
    {
        if (!Isolation.Here.Mounts)
            Assert.Ignore("this process may not mount anything");
        await AddAsync("cat /var/run/secrets/kubernetes.io/serviceaccount/token; echo \" $(cat /run/secrets/kubernetes.io/serviceaccount/namespace) $KUBECONFIG.\"; exec sleep 600");
        await LogHoldsAsync("token-of-default ns .\n");
        Assert.That(Directory.Exists("/run/secrets/kubernetes.io"), Is.False, "only the container sees it");
    }

    [Test]
    public async Task A_container_runs_as_its_user_and_shares_its_volumes()
    {
        if (!Isolation.Here.Users)
            Assert.Ignore("this process may not change users");
        await AddAsync(
            "touch $DIR/file; stat -c '%u %g' $DIR/file; touch $HOME/file 2>/dev/null || echo refused; echo \"$(id -u) $(id -g) $(id -G)\"; exec sleep 600",
            ""","securityContext":{"runAsUser":10001,"fsGroup":10002,"supplementalGroups":[10003]},"volumes":[{"name":"v","emptyDir":{} }]""",
            ""","env":[{"name":"DIR","value":"/v"}],"volumeMounts":[{"name":"v","mountPath":"/v"}],"securityContext":{"runAsGroup":10004}""");
        await LogHoldsAsync("10001 10002\nrefused\n10001 10004 10004 10002 10003\n");
    }

    [TestCase("", "container has runAsNonRoot and image will run as root")]
    [TestCase(",\"runAsUser\":0", "container's runAsUser breaks non-root policy")]
    public async Task Who_must_not_be_root_is_not_started_as_root(string user, string message)
    {
        await AddAsync("exec sleep 600", $$""","securityContext":{"runAsNonRoot":true{{user}}}""");
        await Until.HoldsAsync(() => Container().Text("state", "waiting", "reason") == "CreateContainerConfigError", "the refusal");
        Assert.That(Container().Text("state", "waiting", "message"), Does.StartWith(message));
    }

    private JsonObject? Container() =>
        _api.Find(Kinds.Pods, "ns", "p").Items("status", "containerStatuses") is [var first, ..] ? first : null;

    private async Task LogHoldsAsync(string text)
    {
        var log = new StringBuilder();
        for (var i = 0; i < 1500 && log.ToString() != text; i++, await Task.Delay(20))
        {
            log.Clear();
            await foreach (var block in _node.ReadLogAsync("ns", "p", null, new LogQuery()))
                log.Append(Encoding.UTF8.GetString(block.Span));
        }

        Assert.That(log.ToString(), Is.EqualTo(text));
    }

    private Task AddAsync(string script, string spec = "", string container = "") =>
        _api.AddAsync(Kinds.Pods, $$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns"},"spec":{"nodeName":"n"{{spec}},
             "containers":[{"name":"c","image":"busybox:1","command":["sh","-c",{{JsonValue.Create(script).ToJsonString()}}]{{container}}}]},"status":{"phase":"Pending"} }
            """);
}
