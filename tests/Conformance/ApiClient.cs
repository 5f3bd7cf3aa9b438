using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;

namespace Conformance;

/// <summary>A plain HTTPS client, as a kubeconfig sets it up.</summary>
internal sealed class ApiClient(KubernetesConfiguration configuration) : IDisposable
{
    public const string UserAgent = "tester";

    public HttpClient Http { get; } = Client(configuration, configuration.Token, configuration.ClientCertificate);

    public static ApiClient Of(string kubeConfig) => new(KubernetesConfiguration.FromFile(kubeConfig));

    /// <summary>A client of the same server with this token, or with none.</summary>
    public HttpClient Client(string? token) => Client(configuration, token, null);

    /// <summary>A client of the administrator's that asks as somebody else would.</summary>
    public HttpClient As(string user, params IEnumerable<string> groups)
    {
        var client = Client(configuration, configuration.Token, configuration.ClientCertificate);
        client.DefaultRequestHeaders.Add("Impersonate-User", user);
        foreach (var group in groups)
            client.DefaultRequestHeaders.Add("Impersonate-Group", group);
        return client;
    }

    public Task<(int Code, JsonNode Body)> SendAsync(HttpMethod method, string path, string? body = null, string type = "application/json", string? accept = null) =>
        SendAsync(Http, method, path, body, type, accept);

    public static async Task<(int Code, JsonNode Body)> SendAsync(
        HttpClient http, HttpMethod method, string path, string? body = null, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, JsonNode.Parse(text)!);
    }

    public Task<(int Code, JsonNode Body)> Get(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, accept: accept);

    public Task<(int Code, JsonNode Body)> Post(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public Task<(int Code, JsonNode Body)> Put(string path, JsonNode body) => SendAsync(HttpMethod.Put, path, body.ToJsonString());

    public Task<(int Code, JsonNode Body)> Merge(string path, string body) => SendAsync(HttpMethod.Patch, path, body, "application/merge-patch+json");

    public Task<(int Code, JsonNode Body)> Strategic(string path, string body) => SendAsync(HttpMethod.Patch, path, body, "application/strategic-merge-patch+json");

    public Task<(int Code, JsonNode Body)> JsonPatch(string path, string body) => SendAsync(HttpMethod.Patch, path, body, "application/json-patch+json");

    public Task<(int Code, JsonNode Body)> Apply(string path, string manager, string yaml, bool force = false) =>
        SendAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}&force={(force ? "true" : "false")}", yaml, "application/apply-patch+yaml");

    public Task<(int Code, JsonNode Body)> Delete(string path, string? options = null) => SendAsync(HttpMethod.Delete, path, options);

    /// <summary>Creates and expects success.</summary>
    public async Task<JsonNode> Make(string path, string body)
    {
        var (code, made) = await Post(path, body);
        Assert.That(code, Is.EqualTo(201), made.ToJsonString());
        return made;
    }

    /// <summary>Opens a watch and reads its events one by one.</summary>
    public async Task<WatchReader> Watch(string pathAndQuery, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, pathAndQuery);
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        return new WatchReader(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>Asks until the answer is as wanted; fails after a bound.</summary>
    public async Task<JsonNode> Until(string path, Func<int, JsonNode, bool> wanted)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var (code, body) = await Get(path);
            if (wanted(code, body))
                return body;
            if (bound.IsCancellationRequested)
                Assert.Fail($"{path} is still {code}: {body.ToJsonString()}");
            await Task.Delay(10);
        }
    }

    public void Dispose() => Http.Dispose();

    private static HttpClient Client(KubernetesConfiguration configuration, string? token, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(configuration.Authorities);
        if (certificate is not null)
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        var client = new HttpClient(handler) { BaseAddress = configuration.Server, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent + "/1.0");
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
