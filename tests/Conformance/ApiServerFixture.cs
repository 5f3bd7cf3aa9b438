namespace Conformance;

/// <summary>One server for all tests and a namespace of its own for each.</summary>
[TestFixture(Backend.Emulator)]
[TestFixture(Backend.ControlPlane)]
internal abstract class ApiServerFixture(Backend backend)
{
    private static int _namespaces;

    protected Backend Backend => backend;

    protected string KubeConfig { get; private set; } = "";

    protected ApiClient Api { get; private set; } = null!;

    /// <summary>The server's version: 20 for 1.20.</summary>
    protected int Minor { get; private set; }

    protected string Ns { get; private set; } = "";

    protected string Core(string resource) => $"/api/v1/namespaces/{Ns}/{resource}";

    protected string Group(string group, string resource) => $"/apis/{group}/namespaces/{Ns}/{resource}";

    /// <summary>Of a core resource by its name, of others by group, version and name.</summary>
    protected string Named(string collection) => collection.LastIndexOf('/') is > 0 and var slash ? Group(collection[..slash], collection[(slash + 1)..]) : Core(collection);

    [OneTimeSetUp]
    public async Task Connect()
    {
        KubeConfig = await StartAsync();
        Api = ApiClient.Of(KubeConfig);
        var (_, version) = await Api.Get("/version");
        Minor = int.Parse(((string)version["minor"]!).TrimEnd('+'));
    }

    /// <summary>Starts the server, unless it runs already, and returns its administrator's kubeconfig file.</summary>
    protected virtual Task<string> StartAsync() => ApiServers.KubeConfigAsync(backend);

    [OneTimeTearDown]
    public void Disconnect() => Api?.Dispose();

    [SetUp]
    public async Task MakeNamespace()
    {
        Ns = $"test-{Interlocked.Increment(ref _namespaces)}";
        await Api.Make("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Ns}}}"}}""");
        // Before 1.24 pods are refused until the account has a Secret.
        await Api.Until(Core("serviceaccounts/default"), (code, account) => code == 200 && (Minor >= 24 || account["secrets"] is not null));
    }

    protected static string Pod(string name, string spec = "", string metadata = "") =>
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"{{{metadata}}}},"spec":{"containers":[{"name":"main","image":"busybox:1"}]{{{spec}}}}}""";

    protected static string ConfigMap(string name, string metadata = "", string data = "") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{metadata}}}},"data":{{{{data}}}}}""";

    protected static string StatefulSet(string name) =>
        $$$$$"""
        {"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"{{{{{name}}}}}"},"spec":{"serviceName":"svc","selector":{"matchLabels":{"app":"{{{{{name}}}}}"}},
        "template":{"metadata":{"labels":{"app":"{{{{{name}}}}}"}},"spec":{"containers":[{"name":"main","image":"busybox:1"}]}}}}
        """;

    /// <summary>The text at a path of field names and indices.</summary>
    protected static string? Text(System.Text.Json.Nodes.JsonNode? node, params object[] path) =>
        path.Aggregate(node, (n, step) => step is int i ? n?[i] : n?[(string)step]) switch
        {
            null => null,
            System.Text.Json.Nodes.JsonValue v => v.ToString(),
            var other => other.ToJsonString(),
        };
}
