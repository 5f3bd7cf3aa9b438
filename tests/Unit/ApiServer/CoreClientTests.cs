using Agents.Kubernetes;

namespace Unit.KubernetesApiServer;

/// <summary>The executables' own client against the server, as a kubeconfig sets it up.</summary>
internal sealed class CoreClientTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Test]
    public async Task The_agents_client_reads_writes_compares_applies_and_watches()
    {
        var folder = Directory.CreateTempSubdirectory("kubeconfig").FullName;
        await using var server = await KubernetesEmulator.ApiServer.StartAsync();
        try
        {
            var path = Path.Combine(folder, "config");
            await File.WriteAllTextAsync(path, server.KubeConfig("agent", @namespace: "default", tokenFile: Path.Combine(folder, "token")));
            using var api = new HttpKubernetesApi(KubernetesConfiguration.FromFile(path), TimeProvider.System, new Random(1), "test");

            Assert.That(await api.GetAsync(KubernetesTypes.ConfigMaps, "default", "a", Never), Is.Null);
            var list = await api.ListAsync(KubernetesTypes.ConfigMaps, "default", ListOptions.All, Never);
            var made = await api.ApplyAsync(KubernetesTypes.ConfigMaps, "default", "a",
                new() { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "a" } }, "test", Never);
            var patched = await api.MergePatchAsync(KubernetesTypes.ConfigMaps, "default", "a", new() { ["data"] = new System.Text.Json.Nodes.JsonObject { ["k"] = "v" } }, Never);
            Assert.That(patched.Data!["k"], Is.EqualTo("v"));
            var stale = await Assert.ThrowsAsync<KubernetesException>(() => api.ReplaceAsync(KubernetesTypes.ConfigMaps, "default", "a", made, Never));
            Assert.That(stale!.Failure, Is.EqualTo(KubernetesFailure.Conflict));
            var taken = await Assert.ThrowsAsync<KubernetesException>(() => api.CreateAsync(KubernetesTypes.ConfigMaps, "default", made with { Metadata = new() { Name = "a" } }, Never));
            Assert.That(taken!.Failure, Is.EqualTo(KubernetesFailure.AlreadyExists));
            Assert.That(await api.DeleteAsync(KubernetesTypes.ConfigMaps, "default", "a", Never), Is.True);
            Assert.That(await api.DeleteAsync(KubernetesTypes.ConfigMaps, "default", "a", Never), Is.False);

            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var seen = new List<WatchEventKind>();
            await foreach (var e in api.WatchAsync(KubernetesTypes.ConfigMaps, "default", ListOptions.All, list.ResourceVersion, bound.Token))
            {
                seen.Add(e.Kind);
                if (e.Kind == WatchEventKind.Deleted)
                    break;
            }

            Assert.That(seen, Is.EqualTo(new[] { WatchEventKind.Added, WatchEventKind.Modified, WatchEventKind.Deleted }));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Test]
    public async Task The_shipped_definition_is_accepted_and_established()
    {
        var root = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(root, "Agents.sln")))
            root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("Agents.sln");
        await using var api = await ApiClient.StartAsync();
        var manifest = await File.ReadAllTextAsync(Path.Combine(root, "deploy", "crds", "sqlservers.mssql.microsoft.com.json"));
        var (code, crd) = await api.Apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sqlservers.mssql.microsoft.com", "operator", manifest);
        Assert.That(code, Is.EqualTo(201), crd.ToJsonString());
        Assert.That((await api.Get("/apis/mssql.microsoft.com/v1/namespaces/default/sqlservers")).Code, Is.EqualTo(200));
    }
}
