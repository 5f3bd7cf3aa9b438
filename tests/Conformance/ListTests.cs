using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>Lists in pages.</summary>
internal sealed class ListTests(Backend backend) : ApiServerFixture(backend)
{
    private string Leases => Group("coordination.k8s.io/v1", "leases");

    [SetUp]
    public async Task MakeFive()
    {
        foreach (var name in new[] { "a", "b", "c", "d", "e" })
            await Api.Make(Leases, $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"odd":"{{{{name is "a" or "c" or "e"}}}}"}}}""");
    }

    [Test]
    public async Task Pages_together_are_the_list_and_the_last_has_no_continue()
    {
        var (_, first) = await Api.Get(Leases + "?limit=2");
        Assert.That(Names(first), Is.EqualTo("a,b"));
        Assert.That((int)first["metadata"]!["remainingItemCount"]!, Is.EqualTo(3));
        var (_, second) = await Api.Get(Next(first));
        Assert.That(Names(second), Is.EqualTo("c,d"));
        var (_, third) = await Api.Get(Next(second));
        Assert.That(Names(third), Is.EqualTo("e"));
        Assert.That(Text(third, "metadata", "continue"), Is.Null.Or.Empty);
        Assert.That(third["metadata"]!["remainingItemCount"], Is.Null);
    }

    [Test]
    public async Task Later_pages_show_the_moment_of_the_first()
    {
        var (_, first) = await Api.Get(Leases + "?limit=2");
        await Api.Delete(Leases + "/c");
        await Api.Merge(Leases + "/d", """{"metadata":{"labels":{"new":"yes"}}}""");
        await Api.Make(Leases, """{"metadata":{"name":"bb"}}""");
        var (_, second) = await Api.Get(Next(first));
        Assert.That(Names(second), Is.EqualTo("c,d"));
        Assert.That(Text(second, "metadata", "resourceVersion"), Is.EqualTo(Text(first, "metadata", "resourceVersion")));
        Assert.That(Text(second, "items", 1, "metadata", "labels", "new"), Is.Null);
        Assert.That(Names((await Api.Get(Leases)).Body), Is.EqualTo("a,b,bb,d,e"));
    }

    [Test]
    public async Task Pages_of_a_selection_are_full()
    {
        var (_, first) = await Api.Get(Leases + "?limit=2&labelSelector=odd=True");
        Assert.That(Names(first), Is.EqualTo("a,c"));
        Assert.That(first["metadata"]!["remainingItemCount"], Is.Null, "unknown");
        Assert.That(Names((await Api.Get(Next(first, "&labelSelector=odd=True"))).Body), Is.EqualTo("e"));
    }

    [Test]
    public async Task A_continue_that_is_none_and_one_with_a_version_are_bad_requests()
    {
        var (code, status) = await Api.Get(Leases + "?limit=2&continue=nonsense");
        Assert.That(code, Is.EqualTo(400));
        Assert.That(Text(status, "message"), Does.Contain("continue key is not valid: "));
        var (_, first) = await Api.Get(Leases + "?limit=2");
        (code, _) = await Api.Get(Next(first, $"&resourceVersion={Text(first, "metadata", "resourceVersion")}"));
        Assert.That(code, Is.EqualTo(400));
    }

    [Test]
    public async Task A_list_at_version_0_is_whole()
    {
        var (_, list) = await Api.Get(Leases + "?resourceVersion=0&limit=2");
        Assert.That(list["items"]!.AsArray(), Has.Count.AtLeast(2));
    }

    [Test]
    public async Task A_table_has_pages_too()
    {
        const string Accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        var (_, first) = await Api.Get(Leases + "?limit=3", Accept);
        Assert.That(first["rows"]!.AsArray(), Has.Count.EqualTo(3));
        var (_, second) = await Api.Get(Next(first), Accept);
        Assert.That(second["rows"]!.AsArray().Select(r => (string?)r!["cells"]![0]), Is.EqualTo(new[] { "d", "e" }));
    }

    private string Next(JsonNode page, string more = "") =>
        $"{Leases}?limit={(page["rows"] is null ? 2 : 3)}{more}&continue={Uri.EscapeDataString(Text(page, "metadata", "continue") ?? "")}";

    private static string Names(JsonNode list) => string.Join(",", list["items"]!.AsArray().Select(i => Text(i, "metadata", "name")));
}
