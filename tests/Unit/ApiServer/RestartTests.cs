namespace Unit.KubernetesApiServer;

/// <summary>The API server goes away and comes back, as a process that was started anew over the same store.</summary>
internal sealed class RestartTests
{
    [Test]
    public async Task While_it_is_away_nobody_answers_and_watches_end()
    {
        await using var api = await ApiClient.StartAsync();
        using var watch = await api.Watch("/api/v1/namespaces/default/secrets?watch=1");
        await api.Server.SuspendAsync();
        Assert.That(await watch.Next(), Is.Null);
        Assert.That(async () => await api.Get("/api/v1/namespaces"), Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task Objects_addresses_and_tokens_stay_but_watches_must_list_again()
    {
        await using var api = await ApiClient.StartAsync();
        var (_, made) = await api.Post("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"kept"}}""");
        await api.Post("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"later"}}""");
        await api.Server.SuspendAsync();
        await api.Server.ResumeAsync(CancellationToken.None);

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
        await using var api = await ApiClient.StartAsync();
        Assert.That(async () => await api.Server.ResumeAsync(CancellationToken.None), Throws.InvalidOperationException);
    }
}
