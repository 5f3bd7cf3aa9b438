using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using KubernetesEmulator.Faults;

namespace Unit.Faults;

/// <summary>The proxy that makes faults between pods and an API server, before the emulated one.</summary>
[TestFixture]
internal sealed class ApiProxyTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private KubernetesEmulator.ApiServer _server = null!;
    private ApiProxy _proxy = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await KubernetesEmulator.ApiServer.StartAsync();
        _proxy = await ApiProxy.StartAsync(_server.Address, _server.CertificateAuthority, 1, TimeProvider.System, CancellationToken.None);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(_proxy.CertificateAuthority);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { CertificateChainPolicy = trust } })
        {
            BaseAddress = _proxy.Address,
            Timeout = Bound,
            DefaultRequestVersion = HttpVersion.Version20,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("tester", "1"));
        LogIn();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task Without_faults_requests_bodies_and_answers_pass_unchanged()
    {
        using var made = await PostAsync("a");
        var document = await made.Content.ReadAsStringAsync();
        using var missing = await _client.GetAsync($"{Maps}/none");
        using var selected = await _client.GetAsync($"{Maps}?fieldSelector=metadata.name%3Da");
        Assert.Multiple(async () =>
        {
            Assert.That(made.StatusCode, Is.EqualTo(HttpStatusCode.Created));
            Assert.That(document, Does.Contain("\"resourceVersion\""));
            Assert.That(missing.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
            Assert.That(await selected.Content.ReadAsStringAsync(), Does.Contain("\"name\":\"a\""));
        });
    }

    [Test]
    public async Task A_watch_streams_each_change_as_it_happens()
    {
        using var watch = await WatchAsync();
        using var made = await PostAsync("a");
        Assert.That(await LineAsync(watch), Does.StartWith("{\"type\":\"ADDED\"").And.Contain("\"name\":\"a\""));
        Assert.That(_proxy.Traffic.WatchedBytes, Is.GreaterThan(50));
    }

    [Test]
    public async Task A_watch_that_ran_already_ends_with_410_in_its_stream()
    {
        using var watch = await WatchAsync();
        using var made = await PostAsync("a");
        Assert.That(await LineAsync(watch), Does.Contain("ADDED"));
        _proxy.Faults = new ApiFaults { WatchLife = TimeSpan.FromMilliseconds(1) };
        Assert.That(await LineAsync(watch), Does.StartWith("{\"type\":\"ERROR\"").And.Contain("\"code\":410"));
        Assert.That(await LineAsync(watch), Is.Null);
    }

    [Test]
    public async Task A_refused_patch_has_not_reached_the_server_and_reads_still_pass()
    {
        using var made = await PostAsync("a");
        _proxy.Faults = new ApiFaults { Conflicts = 1 };
        using var patched = await PatchAsync("a");
        using var read = await _client.GetAsync($"{Maps}/a");
        Assert.Multiple(async () =>
        {
            Assert.That(patched.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
            Assert.That(await patched.Content.ReadAsStringAsync(), Does.Contain("\"reason\":\"Conflict\""));
            Assert.That(await read.Content.ReadAsStringAsync(), Does.Not.Contain("\"k\""));
        });
    }

    [Test]
    public async Task Too_many_says_when_to_come_again_and_an_error_is_a_status_document()
    {
        _proxy.Faults = new ApiFaults { TooMany = 1 };
        using var many = await _client.GetAsync(Maps);
        _proxy.Faults = new ApiFaults { Errors = 1 };
        using var error = await _client.GetAsync(Maps);
        Assert.Multiple(async () =>
        {
            Assert.That(many.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
            Assert.That(many.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
            Assert.That(error.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
            Assert.That(await error.Content.ReadAsStringAsync(), Does.StartWith("{\"kind\":\"Status\""));
        });
    }

    [Test]
    public async Task Of_requests_that_are_reset_some_have_been_executed_and_some_have_not()
    {
        _proxy.Faults = new ApiFaults { Resets = 1 };
        for (var i = 0; i < 20; i++)
            Assert.That(async () => await PostAsync($"m{i}"), Throws.InstanceOf<HttpRequestException>());
        _proxy.Faults = ApiFaults.None;
        var list = await _client.GetStringAsync(Maps);
        var executed = Enumerable.Range(0, 20).Count(i => list.Contains($"\"name\":\"m{i}\"", StringComparison.Ordinal));
        Assert.That(executed, Is.InRange(1, 19));
    }

    [Test]
    public async Task Silence_answers_nobody_until_it_ends()
    {
        _proxy.Faults = new ApiFaults { Silent = true };
        var reading = _client.GetAsync(Maps);
        using var other = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        Assert.That(async () => await _client.GetAsync($"{Maps}/a", other.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(reading.IsCompleted, Is.False);
        _proxy.Faults = ApiFaults.None;
        using var answer = await reading;
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task An_expired_token_is_refused_until_another_comes()
    {
        using var before = await _client.GetAsync(Maps);
        _proxy.ExpireTokens();
        using var refused = await _client.GetAsync(Maps);
        LogIn();
        using var after = await _client.GetAsync(Maps);
        Assert.That(
            new[] { before.StatusCode, refused.StatusCode, after.StatusCode },
            Is.EqualTo(new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.OK }));
    }

    [Test]
    public async Task A_server_that_is_away_looks_like_a_broken_connection()
    {
        await _server.SuspendAsync();
        Assert.That(async () => await _client.GetAsync(Maps), Throws.InstanceOf<HttpRequestException>());
        await _server.ResumeAsync(CancellationToken.None);
        using var answer = await _client.GetAsync(Maps);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Requests_are_counted_by_client_verb_and_resource()
    {
        using var made = await PostAsync("a");
        using var read = await _client.GetAsync($"{Maps}/a");
        using var listed = await _client.GetAsync(Maps);
        using var patched = await PatchAsync("a");
        using var watch = await WatchAsync();
        using var group = await _client.GetAsync("/apis/coordination.k8s.io/v1/namespaces/default/leases/ag1");
        using var space = await _client.GetAsync("/api/v1/namespaces/default");
        Assert.That(
            _proxy.Traffic.ByKind,
            Is.EquivalentTo(new Dictionary<(string, string, string), long>
            {
                [("tester", "create", "configmaps")] = 1,
                [("tester", "get", "configmaps")] = 1,
                [("tester", "list", "configmaps")] = 2,
                [("tester", "patch", "configmaps")] = 1,
                [("tester", "watch", "configmaps")] = 1,
                [("tester", "get", "leases")] = 1,
                [("tester", "get", "namespaces")] = 1,
            }));
        Assert.That(_proxy.Traffic.Requests, Is.EqualTo(8));
    }

    private void LogIn() =>
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _server.IssueToken("tester", "system:masters"));

    private Task<HttpResponseMessage> PostAsync(string name) => _client.PostAsync(Maps, Json($$$"""{"metadata":{"name":"{{{name}}}"}}"""));

    private Task<HttpResponseMessage> PatchAsync(string name) =>
        _client.PatchAsync($"{Maps}/{name}", Json("""{"data":{"k":"v"}}""", "application/merge-patch+json"));

    private async Task<StreamReader> WatchAsync()
    {
        var list = await _client.GetStringAsync($"{Maps}?fieldSelector=metadata.name%3Dnone");
        var version = System.Text.Json.JsonDocument.Parse(list).RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString();
        return new StreamReader(await _client.GetStreamAsync($"{Maps}?watch=1&resourceVersion={version}"));
    }

    private static async Task<string?> LineAsync(StreamReader reader)
    {
        using var bound = new CancellationTokenSource(Bound);
        return await reader.ReadLineAsync(bound.Token);
    }

    private static StringContent Json(string text, string type = "application/json") => new(text, System.Text.Encoding.UTF8, type);
}
