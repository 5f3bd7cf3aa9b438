using System.Net;
using Agents.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.Kubernetes;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ResourceCacheTests : IDisposable
{
    private readonly ScriptedServer server = new();
    private readonly CancellationTokenSource stop = new(TimeSpan.FromSeconds(30));

    [Test]
    public async Task The_copy_follows_list_watch_and_resumes_where_it_was()
    {
        server
            .Answer(HttpStatusCode.OK, List("1", Pod("a", 1), Pod("b", 1)))
            .Answer(HttpStatusCode.OK, Event("ADDED", Pod("c", 2)) + Event("DELETED", Pod("a", 3)) + Event("MODIFIED", Pod("b", 4)))
            .Hang();
        await RunUntil(cache => Names(cache) == "b@4,c@2" && server.Requests.Count >= 3);
        Assert.That(server.Requests[1].PathAndQuery, Does.Contain("resourceVersion=1&"));
        Assert.That(server.Requests[2].PathAndQuery, Does.Contain("resourceVersion=4&"));
    }

    [Test]
    public async Task A_version_that_is_too_old_means_a_new_list_that_forgets_what_is_gone()
    {
        server
            .Answer(HttpStatusCode.OK, List("1", Pod("a", 1), Pod("b", 1)))
            .Answer(HttpStatusCode.OK, """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}""" + "\n")
            .Answer(HttpStatusCode.OK, List("9", Pod("b", 8)))
            .Hang();
        await RunUntil(cache => Names(cache) == "b@8" && server.Requests.Count >= 4);
        Assert.That(server.Requests[3].PathAndQuery, Does.Contain("resourceVersion=9&"));
    }

    [Test]
    public async Task While_the_server_is_away_the_copy_stays_and_says_so()
    {
        server
            .Answer(HttpStatusCode.OK, List("1", Pod("a", 1)))
            .Fail(new HttpRequestException("connection refused"))
            .Hang();
        string? failure = null;
        await RunUntil(cache =>
        {
            if (server.Requests.Count >= 2)
                failure ??= cache.IsSynced ? cache.Failure : null;
            return server.Requests.Count >= 3 && Names(cache) == "a@1";
        });
        Assert.That(failure, Does.Contain("connection refused"));
        Assert.That(server.Requests[2].PathAndQuery, Does.Contain("resourceVersion=1&"));
    }

    public void Dispose()
    {
        stop.Dispose();
        server.Dispose();
    }

    private static string Pod(string name, int version) =>
        $$$"""{"kind":"Pod","metadata":{"name":"{{{name}}}","namespace":"ag1","resourceVersion":"{{{version}}}"}}""";

    private static string List(string version, params string[] items) =>
        $$$"""{"metadata":{"resourceVersion":"{{{version}}}"},"items":[{{{string.Join(',', items)}}}]}""";

    private static string Event(string type, string item) => $$$"""{"type":"{{{type}}}","object":{{{item}}}}""" + "\n";

    private static string Names(ResourceCache<Pod> cache) => string.Join(
        ',', cache.Items.OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).Select(pod => $"{pod.Metadata.Name}@{pod.Metadata.ResourceVersion}"));

    private async Task RunUntil(Func<ResourceCache<Pod>, bool> condition)
    {
        using var api = new HttpKubernetesApi(
            new KubernetesConfiguration { Server = new Uri("https://server/") }, TimeProvider.System, new Random(1), "tests", null, server);
        var cache = new ResourceCache<Pod>(
            api, KubernetesTypes.Pods, "ag1", ListOptions.All, TimeProvider.System, new Random(1), NullLogger.Instance);
        var run = cache.RunAsync(stop.Token);
        while (!condition(cache))
        {
            stop.Token.ThrowIfCancellationRequested();
            Assert.That(run.IsCompleted, Is.False, "The cache gave up.");
            await Task.Delay(5);
        }

        await stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
