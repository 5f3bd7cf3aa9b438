using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Unit.Kubernetes;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class HttpKubernetesApiTests : IDisposable
{
    private const string PodDocument =
        """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"mssql1-0","namespace":"ag1","uid":"u1","resourceVersion":"7"},"status":{"podIP":"127.80.0.1"}}""";

    private readonly ScriptedServer server = new();

    [Test]
    public async Task An_object_is_read_from_its_path()
    {
        server.Answer(HttpStatusCode.OK, PodDocument);
        using var api = Api();
        var pod = await api.GetAsync(KubernetesTypes.Pods, "ag1", "mssql1-0", default);
        Assert.That(pod?.Status?.PodIP, Is.EqualTo("127.80.0.1"));
        Assert.That(server.Requests.Single().PathAndQuery, Is.EqualTo("/api/v1/namespaces/ag1/pods/mssql1-0"));
        Assert.That(server.Requests.Single().Authorization, Is.EqualTo("Bearer secret-token"));
    }

    [Test]
    public async Task Not_found_is_null_when_the_API_server_says_so()
    {
        server.Answer(HttpStatusCode.NotFound, ScriptedServer.Status(404, "NotFound"));
        using var api = Api();
        Assert.That(await api.GetAsync(KubernetesTypes.Pods, "ag1", "gone", default), Is.Null);
    }

    [Test]
    public async Task S11_a_404_of_anyone_else_is_not_taken_for_absence()
    {
        server.Answer(HttpStatusCode.NotFound, "404 page not found").Answer(HttpStatusCode.NotFound, "<html>nginx</html>");
        using var api = Api();
        Assert.That(await FailureAsync(() => api.GetAsync(KubernetesTypes.SqlServers, "ag1", "x", default)), Is.EqualTo(KubernetesFailure.Other));
        Assert.That(await FailureAsync(() => api.DeleteAsync(KubernetesTypes.Pods, "ag1", "x", default)), Is.EqualTo(KubernetesFailure.Other));
    }

    [TestCase(409, "AlreadyExists", KubernetesFailure.AlreadyExists)]
    [TestCase(409, "Conflict", KubernetesFailure.Conflict)]
    [TestCase(404, "NotFound", KubernetesFailure.NotFound)]
    [TestCase(401, "Unauthorized", KubernetesFailure.Unauthorized)]
    [TestCase(403, "Forbidden", KubernetesFailure.Forbidden)]
    [TestCase(422, "Invalid", KubernetesFailure.Invalid)]
    [TestCase(400, "BadRequest", KubernetesFailure.Invalid)]
    [TestCase(429, "TooManyRequests", KubernetesFailure.Busy)]
    [TestCase(503, "ServiceUnavailable", KubernetesFailure.Busy)]
    [TestCase(410, "Expired", KubernetesFailure.Gone)]
    [TestCase(405, "MethodNotAllowed", KubernetesFailure.Other)]
    public async Task A_refused_write_says_what_kind_and_is_not_repeated(int status, string reason, KubernetesFailure expected)
    {
        server.Answer((HttpStatusCode)status, ScriptedServer.Status(status, reason));
        using var api = Api();
        Assert.That(await FailureAsync(() => api.CreateAsync(KubernetesTypes.Leases, "ag1", new Lease(), default)), Is.EqualTo(expected));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [TestCase(500, "InternalError")]
    [TestCase(504, "Timeout")]
    public async Task A_write_that_the_server_gave_up_on_is_in_doubt(int status, string reason)
    {
        server.Answer((HttpStatusCode)status, ScriptedServer.Status(status, reason));
        using var api = Api();
        Assert.That(
            await FailureAsync(() => api.ReplaceAsync(KubernetesTypes.Leases, "ag1", "ag1", new Lease(), default)), Is.EqualTo(KubernetesFailure.Unreachable));
    }

    [Test]
    public async Task A_busy_server_is_read_again_after_the_time_it_names()
    {
        server
            .Answer(HttpStatusCode.TooManyRequests, ScriptedServer.Status(429, "TooManyRequests"), r => r.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.Zero))
            .Fail(new HttpRequestException("connection refused"))
            .Answer(HttpStatusCode.OK, PodDocument);
        using var api = Api();
        Assert.That(await api.GetAsync(KubernetesTypes.Pods, "ag1", "mssql1-0", default), Is.Not.Null);
        Assert.That(server.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_server_that_wants_to_be_left_alone_for_long_is_busy_at_once()
    {
        server.Answer(HttpStatusCode.ServiceUnavailable, "", r => r.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromMinutes(5)));
        using var api = Api();
        Assert.That(await FailureAsync(() => api.GetAsync(KubernetesTypes.Pods, "ag1", "x", default)), Is.EqualTo(KubernetesFailure.Busy));
    }

    [Test]
    public async Task A_server_that_does_not_answer_is_given_up_on()
    {
        server.Hang();
        using var api = Api(TimeSpan.FromMilliseconds(50));
        Assert.That(
            await FailureAsync(() => api.CreateAsync(KubernetesTypes.Leases, "ag1", new Lease(), default)), Is.EqualTo(KubernetesFailure.Unreachable));
    }

    [Test]
    public async Task The_callers_own_cancellation_is_no_failure_of_the_server()
    {
        server.Hang();
        using var api = Api();
        using var cancelled = new CancellationTokenSource();
        var call = api.GetAsync(KubernetesTypes.Pods, "ag1", "x", cancelled.Token);
        cancelled.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => call);
    }

    [Test]
    public async Task Writes_name_their_kind_and_reads_of_lists_restore_it()
    {
        server
            .Answer(HttpStatusCode.Created, PodDocument)
            .Answer(HttpStatusCode.OK, """{"kind":"RoleList","metadata":{"resourceVersion":"42"},"items":[{"metadata":{"name":"r"}}]}""");
        using var api = Api();
        await api.CreateAsync(KubernetesTypes.Pods, "ag1", new Pod { Metadata = new ObjectMeta { GenerateName = "x-" } }, default);
        var list = await api.ListAsync(
            KubernetesTypes.Untyped("rbac.authorization.k8s.io", "v1", "roles", "Role", true), null, new ListOptions("a=b,c in (d,e)"), default);
        var body = JsonNode.Parse(server.Requests[0].Body!)!;
        Assert.That((string?)body["kind"], Is.EqualTo("Pod"));
        Assert.That((string?)body["metadata"]!["generateName"], Is.EqualTo("x-"));
        Assert.That(list.ResourceVersion, Is.EqualTo("42"));
        Assert.That((string?)list.Items[0]["apiVersion"], Is.EqualTo("rbac.authorization.k8s.io/v1"));
        Assert.That(
            server.Requests[1].PathAndQuery,
            Is.EqualTo("/apis/rbac.authorization.k8s.io/v1/roles?labelSelector=a%3Db%2Cc%20in%20%28d%2Ce%29&limit=500"));
    }

    [Test]
    public async Task Apply_and_patch_use_their_media_types()
    {
        server.Answer(HttpStatusCode.OK, PodDocument).Answer(HttpStatusCode.OK, PodDocument);
        using var api = Api();
        await api.ApplyAsync(KubernetesTypes.Pods, "ag1", "mssql1-0", [], "op", default, "status");
        await api.MergePatchAsync(KubernetesTypes.Pods, "ag1", "mssql1-0", new JsonObject { ["metadata"] = null }, default);
        Assert.That(server.Requests[0].ContentType, Is.EqualTo("application/apply-patch+yaml"));
        Assert.That(server.Requests[0].PathAndQuery, Is.EqualTo("/api/v1/namespaces/ag1/pods/mssql1-0/status?fieldManager=op&force=true"));
        Assert.That(server.Requests[1].ContentType, Is.EqualTo("application/merge-patch+json"));
        Assert.That(server.Requests[1].Body, Is.EqualTo("""{"metadata":null}"""));
    }

    [Test]
    public async Task A_deletion_carries_its_conditions()
    {
        server
            .Answer(HttpStatusCode.OK, ScriptedServer.Status(200, ""))
            .Answer(HttpStatusCode.NotFound, ScriptedServer.Status(404, "NotFound"));
        using var api = Api();
        Assert.That(await api.DeleteAsync(KubernetesTypes.Pods, "ag1", "p", default, new DeleteOptions(0, "u1")), Is.True);
        Assert.That(await api.DeleteAsync(KubernetesTypes.Pods, "ag1", "p", default), Is.False);
        var body = JsonNode.Parse(server.Requests[0].Body!)!;
        Assert.That((int?)body["gracePeriodSeconds"], Is.Zero);
        Assert.That((string?)body["preconditions"]!["uid"], Is.EqualTo("u1"));
        Assert.That((string?)body["propagationPolicy"], Is.EqualTo("Background"));
    }

    [Test]
    public async Task A_watch_gives_events_and_bookmarks_until_the_server_ends_it()
    {
        server.Answer(HttpStatusCode.OK, $$$$"""
            {"type":"ADDED","object":{{{{PodDocument}}}}}
            {"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9"}}}
            {"type":"DELETED","object":{{{{PodDocument}}}}}

            """);
        using var api = Api();
        var events = new List<WatchEvent<Pod>>();
        await foreach (var change in api.WatchAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, "5", default))
            events.Add(change);
        Assert.That(events.Select(e => e.Kind), Is.EqualTo(new[] { WatchEventKind.Added, WatchEventKind.Bookmark, WatchEventKind.Deleted }));
        Assert.That(events[1].Object, Is.Null);
        Assert.That(events[1].ResourceVersion, Is.EqualTo("9"));
        Assert.That(server.Requests[0].PathAndQuery, Does.Contain("resourceVersion=5").And.Contain("allowWatchBookmarks=true"));
    }

    [TestCase("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}""", KubernetesFailure.Gone)]
    [TestCase("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Gone","message":"too old"}}""", KubernetesFailure.Gone)]
    [TestCase("""{"type":"ADDED","obj""", KubernetesFailure.Other)]
    [TestCase("""{"type":"NEW","object":{"metadata":{"resourceVersion":"1"}}}""", KubernetesFailure.Other)]
    public async Task A_watch_that_goes_wrong_says_how(string line, KubernetesFailure expected)
    {
        server.Answer(HttpStatusCode.OK, line + "\n");
        using var api = Api();
        Assert.That(
            await FailureAsync(async () =>
            {
                await foreach (var change in api.WatchAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, "5", default))
                    Assert.Fail($"got {change}");
                return true;
            }),
            Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase("a/b")]
    [TestCase("..")]
    public async Task A_name_cannot_lead_elsewhere(string name)
    {
        using var api = Api();
        await Assert.ThrowsAsync<ArgumentException>(async () => await api.GetAsync(KubernetesTypes.Pods, "ag1", name, default));
    }

    [Test]
    public async Task A_replaced_token_file_is_used_after_the_server_declined_the_old_token()
    {
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(file, "old\n");
        try
        {
            server.Answer(HttpStatusCode.Unauthorized, ScriptedServer.Status(401, "Unauthorized")).Answer(HttpStatusCode.OK, PodDocument);
            using var api = Api(configuration: new KubernetesConfiguration { Server = new Uri("https://server/"), TokenFile = file });
            Assert.That(await FailureAsync(() => api.GetAsync(KubernetesTypes.Pods, "ag1", "p", default)), Is.EqualTo(KubernetesFailure.Unauthorized));
            await File.WriteAllTextAsync(file, "new\n");
            await api.GetAsync(KubernetesTypes.Pods, "ag1", "p", default);
            Assert.That(server.Requests.Select(r => r.Authorization), Is.EqualTo(new[] { "Bearer old", "Bearer new" }));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task A_long_list_is_read_in_pages_and_has_the_version_of_the_last()
    {
        server
            .Answer(HttpStatusCode.OK, """{"metadata":{"resourceVersion":"40","continue":"a/b"},"items":[{"metadata":{"name":"p1"}},{"metadata":{"name":"p2"}}]}""")
            .Answer(HttpStatusCode.OK, """{"metadata":{"resourceVersion":"42","continue":""},"items":[{"metadata":{"name":"p3"}}]}""");
        using var api = Api();
        var list = await api.ListAsync(KubernetesTypes.Pods, "ag1", new ListOptions("a=b"), default);
        Assert.That(list.Items.Select(pod => pod.Metadata.Name), Is.EqualTo(new[] { "p1", "p2", "p3" }));
        Assert.That(list.ResourceVersion, Is.EqualTo("42"));
        Assert.That(server.Requests.Select(request => request.PathAndQuery), Is.EqualTo(new[]
        {
            "/api/v1/namespaces/ag1/pods?labelSelector=a%3Db&limit=500", "/api/v1/namespaces/ag1/pods?labelSelector=a%3Db&limit=500&continue=a%2Fb",
        }));
    }

    [Test]
    public async Task A_list_whose_pages_the_server_has_forgotten_starts_anew_in_one_piece()
    {
        server
            .Answer(HttpStatusCode.OK, """{"metadata":{"resourceVersion":"40","continue":"x"},"items":[{"metadata":{"name":"p1"}}]}""")
            .Answer(HttpStatusCode.Gone, ScriptedServer.Status(410, "Expired"))
            .Answer(HttpStatusCode.OK, """{"metadata":{"resourceVersion":"50"},"items":[{"metadata":{"name":"p2"}},{"metadata":{"name":"p3"}}]}""");
        using var api = Api();
        var list = await api.ListAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, default);
        Assert.That(list.Items.Select(pod => pod.Metadata.Name), Is.EqualTo(new[] { "p2", "p3" }));
        Assert.That(list.ResourceVersion, Is.EqualTo("50"));
        Assert.That(server.Requests[2].PathAndQuery, Is.EqualTo("/api/v1/namespaces/ag1/pods"));
    }

    [Test]
    public async Task A_last_line_that_was_cut_off_is_no_event()
    {
        server.Answer(HttpStatusCode.OK, $$$"""{"type":"ADDED","object":{{{PodDocument}}}}""" + "\n" + """{"type":"ADDED","obj""");
        using var api = Api();
        var versions = new List<string>();
        await foreach (var change in api.WatchAsync(KubernetesTypes.Pods, "ag1", ListOptions.All, "5", default))
            versions.Add(change.ResourceVersion);
        Assert.That(versions, Is.EqualTo(new[] { "7" }));
    }

    [Test]
    public async Task An_error_says_what_was_asked_and_what_was_answered()
    {
        server
            .Answer(HttpStatusCode.Conflict, ScriptedServer.Status(409, "Conflict", "the object has been modified"))
            .Answer(HttpStatusCode.Forbidden, ScriptedServer.Status(403, "Forbidden", "no"))
            .Fail(new HttpRequestException("Connection refused"));
        using var api = Api();
        Assert.That(
            await MessageAsync(() => api.ReplaceAsync(KubernetesTypes.Leases, "ag1", "mssql", new Lease(), default, "status")),
            Is.EqualTo("update Lease ag1/mssql (status): 409 Conflict: the object has been modified"));
        Assert.That(
            await MessageAsync(() => api.ListAsync(KubernetesTypes.SqlServers, null, ListOptions.All, default)),
            Is.EqualTo("list SqlServer in all namespaces: 403 Forbidden: no"));
        Assert.That(
            await MessageAsync(() => api.CreateAsync(KubernetesTypes.Nodes, null, new Node(), default)),
            Is.EqualTo("create Node: no answer from server: Connection refused"));
    }

    [Test]
    public async Task What_quotes_the_token_or_a_Secret_is_not_repeated()
    {
        server
            .Answer(HttpStatusCode.BadRequest, "bad header: Authorization: Bearer secret-token")
            .Answer(HttpStatusCode.Forbidden, ScriptedServer.Status(403, "Forbidden", "not with secret-token"))
            .Answer(HttpStatusCode.BadRequest, ScriptedServer.Status(400, "BadRequest", "error found near hunter2"));
        using var api = Api();
        Assert.That(await TextAsync(() => api.GetAsync(KubernetesTypes.Pods, "ag1", "p", default)), Does.Contain("bad header").And.Not.Contain("secret-token"));
        Assert.That(await TextAsync(() => api.GetAsync(KubernetesTypes.Pods, "ag1", "p", default)), Does.Contain("not with").And.Not.Contain("secret-token"));
        Assert.That(
            await TextAsync(() => api.CreateAsync(KubernetesTypes.Secrets, "ag1", new Secret(), default)),
            Does.Contain("create Secret in ag1: 400 BadRequest").And.Not.Contain("hunter2"));
    }

    [Test]
    public async Task A_token_that_was_replaced_meanwhile_is_used_within_the_call()
    {
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(file, "old\n");
        try
        {
            server
                .Answer(HttpStatusCode.Unauthorized, ScriptedServer.Status(401, "Unauthorized"), _ => File.WriteAllText(file, "new\n"))
                .Answer(HttpStatusCode.Created, PodDocument);
            using var api = Api(configuration: new KubernetesConfiguration { Server = new Uri("https://server/"), TokenFile = file });
            await api.CreateAsync(KubernetesTypes.Pods, "ag1", new Pod(), default);
            Assert.That(server.Requests.Select(r => r.Authorization).ToArray(), Is.EqualTo(new[] { "Bearer old", "Bearer new" }));
        }
        finally
        {
            File.Delete(file);
        }
    }

    public void Dispose() => server.Dispose();

    private static async Task<string> MessageAsync<T>(Func<Task<T>> call) =>
        (await Assert.ThrowsAsync<KubernetesException>(async () => await call()))!.Message;

    private static async Task<string> TextAsync<T>(Func<Task<T>> call) =>
        (await Assert.ThrowsAsync<KubernetesException>(async () => await call()))!.ToString();

    private static async Task<KubernetesFailure> FailureAsync<T>(Func<Task<T>> call) =>
        (await Assert.ThrowsAsync<KubernetesException>(async () => await call()))!.Failure;

    private HttpKubernetesApi Api(TimeSpan? deadline = null, KubernetesConfiguration? configuration = null) => new(
        configuration ?? new KubernetesConfiguration { Server = new Uri("https://server/"), Token = "secret-token" },
        TimeProvider.System, new Random(1), "tests", deadline, server);
}
