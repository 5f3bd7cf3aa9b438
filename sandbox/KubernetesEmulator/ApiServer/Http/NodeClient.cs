using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KubernetesEmulator.Storage;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Http;

/// <summary>Asks the kubelets: at the address and port of the Node object, with the server's certificate, not verifying theirs.</summary>
internal sealed class NodeClient(Store store, X509Certificate2 certificate) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        SslOptions = new SslClientAuthenticationOptions
        {
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
#pragma warning disable CA5359 // A real API server does not verify them either, unless --kubelet-certificate-authority is given.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
        },
    }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <exception cref="ApiError">The node does not exist, or nobody answers there.</exception>
    public async Task<HttpResponseMessage> GetAsync(string node, string pathAndQuery, CancellationToken cancellationToken)
    {
        var status = store.Get("nodes", "", node)?.Json.Child("status") ?? throw new ApiError(404, "NotFound", $"nodes \"{node}\" not found");
        var address = status.Objects("addresses").FirstOrDefault(a => a.Text("type") == "InternalIP").Text("address") ?? node;
        var uri = new Uri($"https://{address}:{status.Number("daemonEndpoints", "kubeletEndpoint", "Port") ?? 10250}{pathAndQuery}");
        try
        {
            return await _http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ApiError(500, "InternalError", $"Get \"{uri}\": {e.Message}");
        }
    }

    public void Dispose() => _http.Dispose();
}
