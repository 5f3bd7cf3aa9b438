using Agents.Kubernetes;
using KubernetesEmulator;

namespace Conformance;

/// <summary>An emulated server that one test has for itself, to do with as it likes.</summary>
internal sealed class OwnServer : IAsyncDisposable
{
    private OwnServer(KubernetesEmulator.ApiServer server)
    {
        Server = server;
        Api = new ApiClient(KubernetesConfiguration.FromText(server.KubeConfig("admin"), "kubeconfig", "."));
    }

    public KubernetesEmulator.ApiServer Server { get; }

    public ApiClient Api { get; }

    public static async Task<OwnServer> StartAsync(ApiServerOptions? options = null) => new(await KubernetesEmulator.ApiServer.StartAsync(options));

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await Server.DisposeAsync();
    }
}
