using KubernetesEmulator;

namespace Unit.KubernetesApiServer;

internal sealed class WatchTests : ApiServerFixture
{
    [Test]
    public async Task A_watch_from_nothing_begins_with_what_is_there()
    {
        await Api.Make(Core("secrets"), """{"metadata":{"name":"a"}}""");
        using var watch = await Api.Watch(Core("secrets") + "?watch=1");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        await Api.Make(Core("secrets"), """{"metadata":{"name":"b"}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED b"));
        await Api.Merge(Core("secrets/a"), """{"data":{"k":"MQ=="}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("MODIFIED a"));
        await Api.Delete(Core("secrets/a"));
        Assert.That(await watch.NextShort(), Is.EqualTo("DELETED a"));
    }

    [Test]
    public async Task A_watch_from_a_lists_version_misses_nothing_and_repeats_nothing()
    {
        await Api.Make(Core("secrets"), """{"metadata":{"name":"before"}}""");
        var (_, list) = await Api.Get(Core("secrets"));
        await Api.Make(Core("secrets"), """{"metadata":{"name":"between"}}""");
        using var watch = await Api.Watch(Core("secrets") + $"?watch=true&resourceVersion={list["metadata"]!["resourceVersion"]}");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED between"));
        await Api.Make(Core("secrets"), """{"metadata":{"name":"after"}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED after"));
    }

    [Test]
    public async Task Entering_and_leaving_a_selection_are_ADDED_and_DELETED()
    {
        var (_, list) = await Api.Get(Core("secrets"));
        using var watch = await Api.Watch(Core("secrets") + $"?watch=1&labelSelector=role=primary&resourceVersion={list["metadata"]!["resourceVersion"]}");
        await Api.Make(Core("secrets"), """{"metadata":{"name":"a"}}""");
        await Api.Merge(Core("secrets/a"), """{"metadata":{"labels":{"role":"primary"}}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        var (_, left) = await Api.Merge(Core("secrets/a"), """{"metadata":{"labels":{"role":"secondary"}}}""");
        var deleted = (await watch.Next())!;
        Assert.That((string?)deleted["type"], Is.EqualTo("DELETED"));
        Assert.That((string?)deleted["object"]!["metadata"]!["labels"]!["role"], Is.EqualTo("primary"));
        Assert.That((string?)deleted["object"]!["metadata"]!["resourceVersion"], Is.EqualTo((string?)left["metadata"]!["resourceVersion"]));
    }

    [Test]
    public async Task A_version_that_left_the_history_is_410_Gone()
    {
        await using var api = await ApiClient.StartAsync(new ApiServerOptions { WatchHistory = 3 });
        for (var i = 0; i < 6; i++)
            await api.Make("/api/v1/namespaces/default/secrets", $$$"""{"metadata":{"name":"s{{{i}}}"}}""");
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1&resourceVersion=2");
        var e = (await watch.Next())!;
        Assert.That((string?)e["type"], Is.EqualTo("ERROR"));
        Assert.That((int)e["object"]!["code"]!, Is.EqualTo(410));
        Assert.That((string?)e["object"]!["reason"], Is.EqualTo("Expired"));
        Assert.That(await watch.Next(), Is.Null);
    }

    [Test]
    public async Task A_watch_ends_in_order_when_its_time_is_up()
    {
        using var watch = await Api.Watch(Core("secrets") + "?watch=1&timeoutSeconds=1");
        Assert.That(await watch.Next(), Is.Null);
    }

    [Test]
    public async Task Initial_events_end_with_a_bookmark_when_asked_for()
    {
        await Api.Make(Core("secrets"), """{"metadata":{"name":"a"}}""");
        using var watch = await Api.Watch(Core("secrets") + "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        var bookmark = (await watch.Next())!;
        Assert.That((string?)bookmark["type"], Is.EqualTo("BOOKMARK"));
        Assert.That((string?)bookmark["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"], Is.EqualTo("true"));
    }

    [Test]
    public async Task Stopping_the_server_ends_watches()
    {
        await using var api = await ApiClient.StartAsync();
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1");
        await api.Server.DisposeAsync();
        var ended = false;
        try
        {
            ended = await watch.Next() is null;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            ended = true;
        }

        Assert.That(ended);
    }

    [Test]
    public async Task Tables_can_be_watched()
    {
        using var watch = await Api.Watch(Core("secrets") + "?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        await Api.Make(Core("secrets"), """{"metadata":{"name":"a"}}""");
        var first = (await watch.Next())!["object"]!;
        Assert.That((string?)first["kind"], Is.EqualTo("Table"));
        Assert.That((string?)first["rows"]![0]!["cells"]![0], Is.EqualTo("a"));
        Assert.That(first["columnDefinitions"]!.AsArray(), Is.Not.Empty);
        await Api.Delete(Core("secrets/a"));
        var second = (await watch.Next())!;
        Assert.That((string?)second["type"], Is.EqualTo("DELETED"));
        Assert.That(second["object"]!["columnDefinitions"], Is.Null);
    }
}
