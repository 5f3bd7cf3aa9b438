namespace Conformance;

internal sealed class WatchTests(Backend backend) : ApiServerFixture(backend)
{
    /// <summary>A kind of which nobody else makes any.</summary>
    private string Leases => Group("coordination.k8s.io/v1", "leases");

    [Test]
    public async Task A_watch_from_nothing_begins_with_what_is_there()
    {
        await Api.Make(Leases, """{"metadata":{"name":"a"}}""");
        using var watch = await Api.Watch(Leases + "?watch=1");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        await Api.Make(Leases, """{"metadata":{"name":"b"}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED b"));
        await Api.Merge(Leases + "/a", """{"metadata":{"annotations":{"k":"v"}}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("MODIFIED a"));
        await Api.Delete(Leases + "/a");
        Assert.That(await watch.NextShort(), Is.EqualTo("DELETED a"));
    }

    [Test]
    public async Task A_watch_from_a_lists_version_misses_nothing_and_repeats_nothing()
    {
        await Api.Make(Leases, """{"metadata":{"name":"before"}}""");
        var (_, list) = await Api.Get(Leases);
        await Api.Make(Leases, """{"metadata":{"name":"between"}}""");
        using var watch = await Api.Watch(Leases + $"?watch=true&resourceVersion={list["metadata"]!["resourceVersion"]}");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED between"));
        await Api.Make(Leases, """{"metadata":{"name":"after"}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED after"));
    }

    [Test]
    public async Task Entering_and_leaving_a_selection_are_ADDED_and_DELETED()
    {
        var (_, list) = await Api.Get(Leases);
        using var watch = await Api.Watch(Leases + $"?watch=1&labelSelector=role=primary&resourceVersion={list["metadata"]!["resourceVersion"]}");
        await Api.Make(Leases, """{"metadata":{"name":"a"}}""");
        await Api.Merge(Leases + "/a", """{"metadata":{"labels":{"role":"primary"}}}""");
        Assert.That(await watch.NextShort(), Is.EqualTo("ADDED a"));
        var (_, left) = await Api.Merge(Leases + "/a", """{"metadata":{"labels":{"role":"secondary"}}}""");
        var deleted = (await watch.Next())!;
        Assert.That((string?)deleted["type"], Is.EqualTo("DELETED"));
        Assert.That((string?)deleted["object"]!["metadata"]!["labels"]!["role"], Is.EqualTo("primary"));
        Assert.That((string?)deleted["object"]!["metadata"]!["resourceVersion"], Is.EqualTo((string?)left["metadata"]!["resourceVersion"]));
    }

    [Test]
    public async Task A_watch_ends_in_order_when_its_time_is_up()
    {
        using var watch = await Api.Watch(Leases + "?watch=1&timeoutSeconds=1");
        Assert.That(await watch.Next(), Is.Null);
    }

    [Test]
    public async Task Tables_can_be_watched()
    {
        using var watch = await Api.Watch(Leases + "?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        await Api.Make(Leases, """{"metadata":{"name":"a"}}""");
        var first = (await watch.Next())!["object"]!;
        Assert.That((string?)first["kind"], Is.EqualTo("Table"));
        Assert.That((string?)first["rows"]![0]!["cells"]![0], Is.EqualTo("a"));
        Assert.That(first["columnDefinitions"]!.AsArray(), Is.Not.Empty);
        await Api.Delete(Leases + "/a");
        var second = (await watch.Next())!;
        Assert.That((string?)second["type"], Is.EqualTo("DELETED"));
        Assert.That(second["object"]!["columnDefinitions"], Is.Null);
    }
}
