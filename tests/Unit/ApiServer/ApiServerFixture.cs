namespace Unit.KubernetesApiServer;

/// <summary>One server per fixture and a namespace of its own per test.</summary>
internal abstract class ApiServerFixture
{
    private int _namespaces;

    protected ApiClient Api { get; private set; } = null!;

    protected string Ns { get; private set; } = "";

    protected string Core(string resource) => $"/api/v1/namespaces/{Ns}/{resource}";

    protected string Group(string group, string resource) => $"/apis/{group}/namespaces/{Ns}/{resource}";

    [OneTimeSetUp]
    public async Task Start() => Api = await ApiClient.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await Api.DisposeAsync();

    [SetUp]
    public async Task MakeNamespace()
    {
        Ns = $"test-{Interlocked.Increment(ref _namespaces)}";
        await Api.Make("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Ns}}}"}}""");
    }

    protected static string Pod(string name, string spec = "", string metadata = "") =>
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"{{{metadata}}}},"spec":{"containers":[{"name":"main","image":"busybox:1"}]{{{spec}}}}}""";

    protected static string ConfigMap(string name, string metadata = "", string data = "") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{metadata}}}},"data":{{{{data}}}}}""";
}
