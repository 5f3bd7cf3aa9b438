using KubernetesEmulator;

namespace Conformance;

/// <summary>What a test can do only to an emulated server: end it, start it again, shorten its memory.</summary>
internal sealed class EmulatorTests
{
    [Test]
    public async Task While_it_is_away_nobody_answers_and_watches_end()
    {
        await using var own = await OwnServer.StartAsync();
        var api = own.Api;
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1");
        await own.Server.SuspendAsync();
        Assert.That(await watch.Next(), Is.Null);
        Assert.That(async () => await api.Get("/api/v1/namespaces"), Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task Objects_addresses_and_tokens_stay_but_watches_must_list_again()
    {
        await using var own = await OwnServer.StartAsync();
        var api = own.Api;
        var (_, made) = await api.Post("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"kept"}}""");
        await api.Post("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"later"}}""");
        await own.Server.SuspendAsync();
        await own.Server.ResumeAsync(CancellationToken.None);

        var (code, kept) = await api.Get("/api/v1/namespaces/default/secrets/kept");
        Assert.That(code, Is.EqualTo(200));
        var version = (string?)kept["metadata"]!["resourceVersion"];
        Assert.That(version, Is.EqualTo((string?)made["metadata"]!["resourceVersion"]));
        using var watch = await api.Watch($"/api/v1/namespaces/default/secrets?watch=1&resourceVersion={version}");
        Assert.That((int)(await watch.Next())!["object"]!["code"]!, Is.EqualTo(410));
    }

    [Test]
    public async Task Only_a_suspended_server_resumes()
    {
        await using var own = await OwnServer.StartAsync();
        Assert.That(async () => await own.Server.ResumeAsync(CancellationToken.None), Throws.InvalidOperationException);
    }

    [Test]
    public async Task A_version_that_left_the_history_is_410_Gone()
    {
        await using var own = await OwnServer.StartAsync(new ApiServerOptions { WatchHistory = 3 });
        var api = own.Api;
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
    public async Task A_page_whose_first_left_the_history_is_410_Expired()
    {
        await using var own = await OwnServer.StartAsync(new ApiServerOptions { WatchHistory = 3 });
        for (var i = 0; i < 6; i++)
            await own.Api.Make("/api/v1/namespaces/default/secrets", $$$"""{"metadata":{"name":"s{{{i}}}"}}""");
        var (_, first) = await own.Api.Get("/api/v1/namespaces/default/secrets?limit=2");
        for (var i = 0; i < 6; i++)
            await own.Api.Delete($"/api/v1/namespaces/default/secrets/s{i}");
        var (code, status) = await own.Api.Get($"/api/v1/namespaces/default/secrets?limit=2&continue={Uri.EscapeDataString((string)first["metadata"]!["continue"]!)}");
        Assert.That(code, Is.EqualTo(410));
        Assert.That((string?)status["reason"], Is.EqualTo("Expired"));
    }

    [Test]
    public async Task Stopping_the_server_ends_watches()
    {
        await using var own = await OwnServer.StartAsync();
        var api = own.Api;
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1");
        await own.Server.DisposeAsync();
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
    public async Task Initial_events_end_with_a_bookmark_when_asked_for()
    {
        await using var own = await OwnServer.StartAsync();
        var api = own.Api;
        await api.Make("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"a"}}""");
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        var bookmark = (await watch.Next())!;
        Assert.That((string?)bookmark["type"], Is.EqualTo("BOOKMARK"));
        Assert.That((string?)bookmark["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"], Is.EqualTo("true"));
    }
}
