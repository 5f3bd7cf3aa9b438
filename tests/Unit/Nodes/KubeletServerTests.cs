using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KubernetesEmulator.Nodes;
using KubernetesEmulator.Objects;

namespace Unit.Nodes;

/// <summary>What an API server gets from a node's own endpoint, and who else gets nothing.</summary>
[TestFixture]
internal sealed class KubeletServerTests
{
    private const string ApiServer = "kube-apiserver-kubelet-client";

    private readonly X509Certificate2 _authority = Authority();
    private string _directory = "";
    private FakeKubernetesApi _api = null!;
    private ProcessNode _node = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _directory = Directory.CreateTempSubdirectory("kubelet-server-").FullName;
        _api = new FakeKubernetesApi();
        _node = new ProcessNode(
            new ProcessNodeOptions
            {
                Name = "n",
                Images = new ImageStore(new LocalImage("busybox", null, new Dictionary<string, ImageProgram>())),
                Directory = Path.Combine(_directory, "n"),
                VolumeDirectory = Path.Combine(_directory, "volumes"),
                SandboxId = Guid.NewGuid().ToString(),
                PodNetwork = IPAddress.Parse("127.82.0.0"),
                ClientAuthority = _authority.ExportCertificatePem(),
            },
            _api);
        await _node.StartAsync(CancellationToken.None);
        await _api.CreateAsync(Kinds.Pods, "ns", (JsonObject)JsonNode.Parse("""
            {"metadata":{"name":"p"},"spec":{"nodeName":"n","automountServiceAccountToken":false,"containers":[
              {"name":"c","image":"busybox","command":["sh","-c","printf '1\\n2\\n3\\n'; exec sleep 600"]}]}}
            """)!, default);
        await Until.HoldsAsync(() => _api.Find(Kinds.Pods, "ns", "p")!.IsTrue("Ready"), "the pod is ready");
        await _api.CreateAsync(Kinds.Pods, "ns", (JsonObject)JsonNode.Parse("""
            {"metadata":{"name":"w"},"spec":{"nodeName":"n","automountServiceAccountToken":false,"containers":[{"name":"c","image":"nowhere"}]}}
            """)!, default);
        await Until.HoldsAsync(() => _node.RefuseLog("ns", "w", "c", false) is (400, var why) && why.EndsWith("image", StringComparison.Ordinal), "it cannot start");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
        _authority.Dispose();
    }

    [Test]
    public async Task The_API_server_reads_a_log_where_the_node_says_that_it_serves_it()
    {
        using var http = Client(Issue(_authority, ApiServer));
        await Until.HoldsAsync(() => http.GetStringAsync(Log("p/c")).GetAwaiter().GetResult() == "1\n2\n3\n", "the log");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await http.GetStringAsync(Log("p/c?tailLines=2")), Is.EqualTo("2\n3\n"));
            Assert.That(await http.GetStringAsync(Log("p/c?limitBytes=3")), Is.EqualTo("1\n2"));
        }
    }

    [Test]
    public async Task A_followed_log_is_sent_while_the_container_runs()
    {
        using var http = Client(Issue(_authority, ApiServer));
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var stream = await http.GetStreamAsync(Log("p/c?follow=true"), bound.Token);
        using var reader = new StreamReader(stream);
        Assert.That(await reader.ReadLineAsync(bound.Token), Is.EqualTo("1"));
        Assert.That(_node.ProcessId("ns", "p", "c"), Is.Not.Null);
    }

    [TestCase("p/c?previous=true", HttpStatusCode.BadRequest, "previous terminated container \"c\" in pod \"p\" not found")]
    [TestCase("p/d", HttpStatusCode.NotFound, "container \"d\" not found in pod \"p\"")]
    [TestCase("q/c", HttpStatusCode.NotFound, "pod does not exist")]
    [TestCase("w/c", HttpStatusCode.BadRequest, "container \"c\" in pod \"w\" is waiting to start: trying and failing to pull image")]
    public async Task A_log_that_does_not_exist_is_refused_with_the_reason(string path, HttpStatusCode status, string reason)
    {
        using var http = Client(Issue(_authority, ApiServer));
        using var answer = await http.GetAsync(Log(path));
        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo(reason));
    }

    [Test]
    public void Nobody_else_gets_an_answer()
    {
        using var stranger = Authority();
        X509Certificate2?[] certificates = [null, Issue(_authority, "admin"), Issue(stranger, ApiServer)];
        foreach (var certificate in certificates)
        {
            using var http = Client(certificate);
            Assert.That(async () => await http.GetStringAsync(Log("p/c")), Throws.InstanceOf<HttpRequestException>(), certificate?.Subject ?? "without a certificate");
        }
    }

    private static HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
        if (certificate is not null)
            handler.ClientCertificates.Add(certificate);
        return new HttpClient(handler);
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var signed = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null);
    }

    private Uri Log(string path)
    {
        var status = _api.Find(Kinds.Nodes, null, "n")!.Document("status")!;
        var address = status.Items("addresses").Single(x => x.Text("type") == "InternalIP").Text("address");
        return new Uri($"https://{address}:{status.Number("daemonEndpoints", "kubeletEndpoint", "Port")}/containerLogs/ns/{path}");
    }
}
