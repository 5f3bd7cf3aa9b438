using System.Net;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

/// <summary>All parts together, over HTTPS.</summary>
[TestFixture, NonParallelizable]
internal sealed class EmulatedClusterTests
{
    private readonly string _id = Guid.NewGuid().ToString();
    private string _directory = "";
    private EmulatedCluster _cluster = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _directory = Directory.CreateTempSubdirectory("cluster-").FullName;
        _cluster = await EmulatedCluster.StartAsync(
            new ClusterOptions
            {
                Directory = _directory,
                Images = new ImageStore(new LocalImage("busybox", null, new Dictionary<string, ImageProgram>())),
                Nodes = ["a", "b"],
                SandboxId = _id,
                PodNetwork = IPAddress.Parse("127.81.0.0"),
                ServiceRange = IPNetwork.Parse("127.97.0.0/16"),
            },
            CancellationToken.None);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _cluster.DisposeAsync();
        Assert.That(ProcessGuardian.Processes(_id), Is.Empty);
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_StatefulSet_gets_running_pods_with_names_identity_and_logs()
    {
        await CreateAsync(Kinds.Services, """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"svc"},"spec":{"clusterIP":"None","selector":{"app":"x"},"ports":[{"port":80}]} }
            """);
        await CreateAsync(Kinds.StatefulSets, """
            {"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"s"},"spec":{"replicas":2,"serviceName":"svc","selector":{"matchLabels":{"app":"x"} },
             "template":{"metadata":{"labels":{"app":"x"} },"spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"busybox",
               "command":["sh","-c","test -r ${KUBECONFIG:-/var/run/secrets/kubernetes.io/serviceaccount/token}; echo $? >>$DATA/log; echo hello; exec sleep 600"],"env":[{"name":"DATA","value":"/data"}],"volumeMounts":[{"name":"root","mountPath":"/data"}]}]} },
             "volumeClaimTemplates":[{"metadata":{"name":"root"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"} } } }]} }
            """);
        await Until.HoldsAsync(() => Get(Kinds.StatefulSets, "s").Number("status", "readyReplicas") == 2, "two ready replicas");
        var pod = Get(Kinds.Pods, "s-0")!;
        var address = pod.Text("status", "podIP")!;
        await Until.HoldsAsync(
            () => File.ReadAllText(Path.Combine(_directory, "hosts")).Contains("s-0.svc.default.svc.cluster.local", StringComparison.Ordinal)
                && File.ReadAllText(Path.Combine(_directory, "hosts")).Contains(address, StringComparison.Ordinal),
            "the pod's name");

        var kubeConfig = Directory.GetFiles(_directory, "kubeconfig", SearchOption.AllDirectories).Single(x => x.Contains(pod.Uid(), StringComparison.Ordinal));
        using var api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(kubeConfig), TimeProvider.System, new Random(1), "test");
        Assert.That(
            async () => await api.GetAsync(Kinds.Pods, "default", "s-0", default),
            Throws.TypeOf<KubernetesException>().With.Message.Contains("User \"system:serviceaccount:default:default\" cannot get resource \"pods\""));
        await CreateAsync(new ResourceType<JsonObject>("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", true, DocumentJson.Default.JsonObject), """
            {"metadata":{"name":"view"},"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[{"kind":"ServiceAccount","name":"default"}]}
            """);
        Assert.That(await api.GetAsync(Kinds.Pods, "default", "s-0", default), Is.Not.Null);

        using var http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true });
        http.DefaultRequestHeaders.Authorization = new("Bearer", _cluster.Server.IssueToken("admin", "system:masters"));
        var log = new Uri(_cluster.Server.Address, "/api/v1/namespaces/default/pods/s-0/log?container=c");
        await Until.HoldsAsync(() => http.GetStringAsync(log).GetAwaiter().GetResult() == "hello\n", "the log");

        var node = _cluster.Nodes.Single(x => x.Name == pod.Text("spec", "nodeName"));
        Assert.That(await node.KillContainerAsync("default", "s-0", "c"));
        await Until.HoldsAsync(
            () => Get(Kinds.Pods, "s-0").Items("status", "containerStatuses") is [var c] && c.Number("restartCount") == 1
                && c.Number("lastState", "terminated", "exitCode") == 137,
            "the death and the restart");

        var volume = Directory.GetDirectories(Path.Combine(_directory, "volumes")).Single(x => x.Contains("root-s-0", StringComparison.Ordinal));
        await Until.HoldsAsync(() => File.ReadAllLines(Path.Combine(volume, "log")).Length == 2, "two runs on one volume");

        await _cluster.Client.DeleteAsync(Kinds.Pods, "default", "s-0", default);
        await Until.HoldsAsync(() => Get(Kinds.Pods, "s-0") is { } next && next.Uid() != pod.Uid() && next.IsTrue("Ready"), "a new s-0");
        Assert.That(Get(Kinds.Pods, "s-0").Text("spec", "nodeName"), Is.EqualTo(node.Name));
        await Until.HoldsAsync(() => File.ReadAllText(Path.Combine(volume, "log")) == "0\n0\n0\n", "three runs on one volume, each with its identity");
    }

    [Test]
    public async Task A_Job_completes()
    {
        await CreateAsync(Kinds.Jobs, """
            {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[
             {"name":"c","image":"busybox","command":["sh","-c","exit 0"]}]} } } }
            """);
        await Until.HoldsAsync(() => Get(Kinds.Jobs, "j")!.IsTrue("Complete"), "complete");
    }

    [Test]
    public async Task A_Service_reaches_the_pod_that_listens()
    {
        await CreateAsync(Kinds.Services, """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":8088,"targetPort":8080}]} }
            """);
        await CreateAsync(Kinds.Pods, """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"} },"spec":{"containers":[{"name":"c","image":"busybox","command":["sleep","600"]}]} }
            """);
        await Until.HoldsAsync(() => Get(Kinds.Pods, "web")!.IsTrue("Ready"), "ready");
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Parse(Get(Kinds.Pods, "web").Text("status", "podIP")!), 8080);
        listener.Start();
        var service = new IPEndPoint(IPAddress.Parse(Get(Kinds.Services, "web").Text("spec", "clusterIP")!), 8088);
        await Until.HoldsAsync(() =>
        {
            try
            {
                using var client = new System.Net.Sockets.TcpClient();
                client.Connect(service);
                return listener.Pending();
            }
            catch (System.Net.Sockets.SocketException)
            {
                return false;
            }
        }, "a connection through the Service");
    }

    private JsonObject? Get(ResourceType<JsonObject> type, string name) =>
        _cluster.Client.GetAsync(type, "default", name, CancellationToken.None).GetAwaiter().GetResult();

    private Task<JsonObject> CreateAsync(ResourceType<JsonObject> type, string json) =>
        _cluster.Client.CreateAsync(type, "default", JsonNode.Parse(json)!.AsObject(), CancellationToken.None);
}
