using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Conformance;

/// <summary>The executables' own client.</summary>
internal sealed class CoreClientTests(Backend backend) : ApiServerFixture(backend)
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Test]
    public async Task The_agents_client_reads_writes_compares_applies_and_watches()
    {
        using var api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(KubeConfig), TimeProvider.System, new Random(1), "test");

        Assert.That(await api.GetAsync(KubernetesTypes.ConfigMaps, Ns, "a", Never), Is.Null);
        var list = await api.ListAsync(KubernetesTypes.ConfigMaps, Ns, ListOptions.All, Never);
        var made = await api.ApplyAsync(KubernetesTypes.ConfigMaps, Ns, "a",
            new() { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = "a" } }, "test", Never);
        var patched = await api.MergePatchAsync(KubernetesTypes.ConfigMaps, Ns, "a", new() { ["data"] = new JsonObject { ["k"] = "v" } }, Never);
        Assert.That(patched.Data!["k"], Is.EqualTo("v"));
        var stale = await Assert.ThrowsAsync<KubernetesException>(() => api.ReplaceAsync(KubernetesTypes.ConfigMaps, Ns, "a", made, Never));
        Assert.That(stale!.Failure, Is.EqualTo(KubernetesFailure.Conflict));
        var taken = await Assert.ThrowsAsync<KubernetesException>(() => api.CreateAsync(KubernetesTypes.ConfigMaps, Ns, made with { Metadata = new() { Name = "a" } }, Never));
        Assert.That(taken!.Failure, Is.EqualTo(KubernetesFailure.AlreadyExists));
        Assert.That(await api.DeleteAsync(KubernetesTypes.ConfigMaps, Ns, "a", Never), Is.True);
        Assert.That(await api.DeleteAsync(KubernetesTypes.ConfigMaps, Ns, "a", Never), Is.False);

        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var seen = new List<WatchEventKind>();
        await foreach (var e in api.WatchAsync(KubernetesTypes.ConfigMaps, Ns, ListOptions.All, list.ResourceVersion, bound.Token))
        {
            if (e.Object?.Metadata.Name != "a")
                continue;
            seen.Add(e.Kind);
            if (e.Kind == WatchEventKind.Deleted)
                break;
        }

        Assert.That(seen, Is.EqualTo(new[] { WatchEventKind.Added, WatchEventKind.Modified, WatchEventKind.Deleted }));
    }
}
