using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KubernetesEmulator.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// The node's HTTPS endpoint for the API server, as far as <c>kubectl logs</c> needs it: <c>GET /containerLogs/NAMESPACE/POD/CONTAINER</c>. Its own
/// certificate is self-signed, because an API server does not verify it by default; the client must prove that it is the API server.
/// </summary>
internal sealed class KubeletServer : IAsyncDisposable
{
    /// <summary>Common name of the API server's certificate for kubelets.</summary>
    public const string Client = "kube-apiserver-kubelet-client";

    private readonly ProcessNode _node;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _serving;
    private WebListener? _listener;

    private KubeletServer(ProcessNode node, string authority)
    {
        _node = node;
        _authority = X509Certificate2.CreateFromPem(authority);
        _serving = SelfSigned(node.Name);
    }

    public int Port => _listener!.Port;

    /// <param name="node">Whose logs.</param>
    /// <param name="address">The node's address; the port is a free one.</param>
    /// <param name="authority">PEM of the authority that has signed the API server's certificate.</param>
    /// <param name="network">The network to listen in; null for that of this process.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<KubeletServer> StartAsync(
        ProcessNode node, IPAddress address, string authority, NodeNetwork? network, CancellationToken cancellationToken)
    {
        var server = new KubeletServer(node, authority);
        try
        {
            var https = new HttpsConnectionAdapterOptions
            {
                ServerCertificate = server._serving,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (certificate, _, _) => server.IsApiServer(certificate),
            };
            server._listener = await WebListener.StartAsync(address, 0, https, server.AnswerAsync, cancellationToken, network).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        _serving.Dispose();
        _authority.Dispose();
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        var now = DateTimeOffset.UtcNow;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddHours(-1), now.AddYears(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    private static async Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(message, context.RequestAborted).ConfigureAwait(false);
    }

    private static int? Number(IQueryCollection query, string name) =>
        int.TryParse(query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static DateTimeOffset? Time(IQueryCollection query, string name) =>
        DateTimeOffset.TryParse(query[name], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private bool IsApiServer(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate) && certificate.GetNameInfo(X509NameType.SimpleName, false) == Client;
    }

    private async Task AnswerAsync(HttpContext context, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            var words = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
            if (context.Request.Method == HttpMethods.Get && words is ["containerLogs", var @namespace, var pod, var container])
                await WriteLogAsync(context, @namespace, pod, container, end.Token).ConfigureAwait(false);
            else
                await RefuseAsync(context, StatusCodes.Status404NotFound, "404 page not found").ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    private async Task WriteLogAsync(HttpContext context, string @namespace, string pod, string container, CancellationToken cancellationToken)
    {
        var query = context.Request.Query;
        bool Flag(string name) => bool.TryParse(query[name], out var value) && value;
        await _node.AnswersAsync(cancellationToken).ConfigureAwait(false);
        var wanted = new LogQuery
        {
            Follow = Flag("follow"),
            Previous = Flag("previous"),
            TailLines = Number(query, "tailLines"),
            Timestamps = Flag("timestamps"),
            Since = Number(query, "sinceSeconds") is { } seconds ? _node.Now.AddSeconds(-seconds) : Time(query, "sinceTime"),
        };
        if (_node.RefuseLog(@namespace, pod, container, wanted.Previous) is var (status, why))
        {
            await RefuseAsync(context, status, why).ConfigureAwait(false);
            return;
        }

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/plain";
        await context.Response.StartAsync(cancellationToken).ConfigureAwait(false);
        var left = Number(query, "limitBytes") ?? int.MaxValue;
        var blocks = _node.ReadLogAsync(@namespace, pod, container, wanted, cancellationToken);
        await foreach (var block in blocks.ConfigureAwait(false))
        {
            await context.Response.Body.WriteAsync(block[..Math.Min(left, block.Length)], cancellationToken).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
            if ((left -= block.Length) <= 0)
                return;
        }
    }
}
