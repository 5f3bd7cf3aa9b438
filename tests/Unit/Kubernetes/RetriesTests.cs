using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Unit.Kubernetes;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class RetriesTests : IDisposable
{
    private const string LeaseDocument = """{"metadata":{"name":"ag1","namespace":"ag1","resourceVersion":"8"}}""";
    private static readonly CancellationToken Never = CancellationToken.None;

    private readonly ScriptedServer server = new();
    private readonly VirtualTime time = new();

    public enum Verb
    {
        Get,
        List,
        Apply,
        DeleteByUid,
        Create,
        Update,
        Patch,
        Delete,
    }

    [Test]
    public async Task A_call_that_may_be_made_twice_is_made_again_after_an_answer_that_may_hide_a_success(
        [Values(Verb.Get, Verb.List, Verb.Apply, Verb.DeleteByUid)] Verb verb, [Values(500, 502, 503, 504)] int status)
    {
        server.Answer((HttpStatusCode)status, ScriptedServer.Status(status, "")).Fail(new HttpRequestException("reset")).Answer(HttpStatusCode.OK, Good(verb));
        using var api = Api();
        await time.RunAsync(() => CallAsync(api, verb));
        Assert.That(server.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_call_that_may_not_be_made_twice_is_in_doubt_after_one_answer_that_may_hide_a_success(
        [Values(Verb.Create, Verb.Update, Verb.Patch, Verb.Delete)] Verb verb, [Values(0, 500, 502, 504)] int status)
    {
        if (status == 0)
            server.Fail(new HttpRequestException(HttpRequestError.ResponseEnded));
        else
            server.Answer((HttpStatusCode)status, ScriptedServer.Status(status, ""));
        using var api = Api();
        var error = await time.RunAsync(() => ErrorAsync(() => CallAsync(api, verb)));
        Assert.That(error.Failure, Is.EqualTo(KubernetesFailure.Unreachable));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Every_call_is_made_again_when_the_server_did_not_look_at_it([Values] Verb verb)
    {
        server
            .Fail(new HttpRequestException(HttpRequestError.ConnectionError))
            .Answer(HttpStatusCode.TooManyRequests, ScriptedServer.Status(429, "TooManyRequests"), After(TimeSpan.FromSeconds(1)))
            .Answer(HttpStatusCode.OK, Good(verb));
        using var api = Api();
        var start = time.GetTimestamp();
        await time.RunAsync(() => CallAsync(api, verb));
        Assert.That(server.Requests, Has.Count.EqualTo(3));
        Assert.That(time.GetElapsedTime(start), Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task The_time_to_ask_again_may_be_a_date()
    {
        server
            .Answer(HttpStatusCode.TooManyRequests, "", answer => answer.Headers.RetryAfter = new RetryConditionHeaderValue(time.GetUtcNow().AddSeconds(4)))
            .Answer(HttpStatusCode.OK, LeaseDocument);
        using var api = Api();
        var start = time.GetTimestamp();
        await time.RunAsync(() => CallAsync(api, Verb.Get));
        Assert.That(time.GetElapsedTime(start).TotalSeconds, Is.EqualTo(4).Within(1));
    }

    [Test]
    public async Task A_wait_beyond_the_deadline_is_left_to_the_caller()
    {
        server.Answer(HttpStatusCode.TooManyRequests, "", After(TimeSpan.FromMinutes(5)));
        using var api = Api();
        var start = time.GetTimestamp();
        var error = await time.RunAsync(() => ErrorAsync(() => CallAsync(api, Verb.Create)));
        Assert.That(error.Failure, Is.EqualTo(KubernetesFailure.Busy));
        Assert.That(error.RetryAfter, Is.EqualTo(TimeSpan.FromMinutes(5)));
        Assert.That(time.GetElapsedTime(start), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task S3_a_renewal_is_never_sent_after_its_deadline()
    {
        var sent = new List<TimeSpan>();
        var start = time.GetTimestamp();
        for (var i = 0; i < 20; i++)
            server.Answer(
                HttpStatusCode.TooManyRequests, "", answer =>
                {
                    sent.Add(time.GetElapsedTime(start));
                    After(TimeSpan.FromSeconds(2))(answer);
                });
        using var api = Api(TimeSpan.FromSeconds(5));
        var error = await time.RunAsync(() => ErrorAsync(() => CallAsync(api, Verb.Patch)));
        Assert.That(error.Failure, Is.EqualTo(KubernetesFailure.Busy));
        Assert.That(sent, Has.Count.EqualTo(3));
        Assert.That(sent[^1], Is.LessThan(TimeSpan.FromSeconds(5)));
        Assert.That(time.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public async Task A_server_that_is_silent_costs_the_deadline_and_no_more()
    {
        server.Fail(new HttpRequestException(HttpRequestError.ConnectionError)).Hang();
        using var api = Api(TimeSpan.FromSeconds(5));
        var start = time.GetTimestamp();
        var error = await time.RunAsync(() => ErrorAsync(() => CallAsync(api, Verb.Get)));
        Assert.That(error.Failure, Is.EqualTo(KubernetesFailure.Unreachable));
        Assert.That(time.GetElapsedTime(start), Is.EqualTo(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public async Task Retries_end_and_are_spread()
    {
        var waits = new HashSet<TimeSpan>();
        for (var seed = 0; seed < 8; seed++)
        {
            using var away = new ScriptedServer();
            for (var i = 0; i < 10; i++)
                away.Fail(new HttpRequestException(HttpRequestError.ConnectionError));
            using var api = Api(handler: away, seed: seed);
            var start = time.GetTimestamp();
            await time.RunAsync(() => ErrorAsync(() => CallAsync(api, Verb.Get)));
            Assert.That(away.Requests, Has.Count.EqualTo(4));
            waits.Add(time.GetElapsedTime(start));
        }

        Assert.That(waits, Has.Count.GreaterThan(4));
    }

    public void Dispose() => server.Dispose();

    private static Action<HttpResponseMessage> After(TimeSpan wait) => answer => answer.Headers.RetryAfter = new RetryConditionHeaderValue(wait);

    private static string Good(Verb verb) => verb == Verb.List ? """{"metadata":{"resourceVersion":"8"},"items":[]}""" : LeaseDocument;

    private static async Task<KubernetesException> ErrorAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (KubernetesException error)
        {
            return error;
        }

        throw new AssertionException("The call succeeded.");
    }

    private static Task CallAsync(HttpKubernetesApi api, Verb verb) => verb switch
    {
        Verb.Get => api.GetAsync(KubernetesTypes.Leases, "ag1", "ag1", Never),
        Verb.List => api.ListAsync(KubernetesTypes.Leases, "ag1", ListOptions.All, Never),
        Verb.Apply => api.ApplyAsync(KubernetesTypes.Leases, "ag1", "ag1", [], "tests", Never),
        Verb.DeleteByUid => api.DeleteAsync(KubernetesTypes.Leases, "ag1", "ag1", Never, new DeleteOptions(Uid: "u1")),
        Verb.Create => api.CreateAsync(KubernetesTypes.Leases, "ag1", new Lease(), Never),
        Verb.Update => api.ReplaceAsync(KubernetesTypes.Leases, "ag1", "ag1", new Lease(), Never),
        Verb.Patch => api.MergePatchAsync(KubernetesTypes.Leases, "ag1", "ag1", new JsonObject { ["spec"] = new JsonObject() }, Never),
        Verb.Delete => api.DeleteAsync(KubernetesTypes.Leases, "ag1", "ag1", Never),
        _ => throw new ArgumentOutOfRangeException(nameof(verb)),
    };

    private HttpKubernetesApi Api(TimeSpan? deadline = null, ScriptedServer? handler = null, int seed = 1) => new(
        new KubernetesConfiguration { Server = new Uri("https://server/"), Token = "t" }, time, new Random(seed), "tests", deadline, handler ?? server);
}
