using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Polly;
using Polly.Retry;

namespace Agents.Kubernetes;

/// <summary><see cref="IKubernetesApi"/> over HTTPS.</summary>
public sealed class HttpKubernetesApi : IKubernetesApi, IDisposable
{
    private static readonly TimeSpan WatchLength = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(3);

    private readonly HttpClient client;
    private readonly Uri server;
    private readonly BearerToken token;
    private readonly TimeProvider time;
    private readonly TimeSpan deadline;
    private readonly ResiliencePipeline<HttpResponseMessage> reads;

    /// <summary>Makes the client; nothing is connected yet.</summary>
    /// <param name="configuration">Where the server is and who we are.</param>
    /// <param name="time">Clock of the deadlines.</param>
    /// <param name="random">Spreads retries; used under a lock.</param>
    /// <param name="userAgent">Name of the program; the server takes it as field manager where none is given.</param>
    /// <param name="deadline">Bound on each call but a watch; 10 s when null.</param>
    public HttpKubernetesApi(
        KubernetesConfiguration configuration, TimeProvider time, Random random, string userAgent, TimeSpan? deadline = null)
        : this(configuration, time, random, userAgent, deadline, Handler(configuration))
    {
    }

    internal HttpKubernetesApi(
        KubernetesConfiguration configuration, TimeProvider time, Random random, string userAgent, TimeSpan? deadline, HttpMessageHandler handler)
    {
        server = configuration.Server;
        token = new BearerToken(configuration, time);
        this.time = time;
        this.deadline = deadline ?? TimeSpan.FromSeconds(10);
        client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(userAgent, ThisVersion()));
        reads = Reads(time, random);
    }

    /// <inheritdoc />
    public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class =>
        CallAsync(
            new Call(HttpMethod.Get, Path(type, @namespace, name), Retry: true),
            async (response, token) =>
            {
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    await KnownNotFoundAsync(response, token).ConfigureAwait(false);
                    return null;
                }

                return await ReadAsync(response, type.Json, token).ConfigureAwait(false);
            },
            cancellationToken);

    /// <inheritdoc />
    public Task<ResourceList<T>> ListAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class =>
        CallAsync(
            new Call(HttpMethod.Get, Path(type, @namespace, null) + Query(Selectors(options)), Retry: true),
            async (response, token) =>
            {
                var list = await ReadAsync(response, KubernetesJson.Default.JsonElement, token).ConfigureAwait(false);
                var version = list.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? string.Empty;
                var items = new List<T>();
                if (list.TryGetProperty("items", out var found) && found.ValueKind == JsonValueKind.Array)
                    foreach (var item in found.EnumerateArray())
                        items.Add(Typed(type, item));
                return new ResourceList<T>(items, version);
            },
            cancellationToken);

    /// <inheritdoc />
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var query = Selectors(options);
        query.Add(("watch", "1"));
        query.Add(("resourceVersion", resourceVersion));
        query.Add(("allowWatchBookmarks", "true"));
        query.Add(("timeoutSeconds", WatchLength.TotalSeconds.ToString(CultureInfo.InvariantCulture)));
        var path = Path(type, @namespace, null) + Query(query);

        // The server ends the stream after the time that was asked for; one that goes on for longer is dead.
        using var bound = new CancellationTokenSource(WatchLength + WatchGrace, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        using var response = await OpenWatchAsync(path, cancellationToken).ConfigureAwait(false);
        using var reader = new StreamReader(
            await TranslateAsync(path, () => response.Content.ReadAsStreamAsync(both.Token), cancellationToken).ConfigureAwait(false));
        while (await TranslateAsync(path, () => reader.ReadLineAsync(both.Token).AsTask(), cancellationToken).ConfigureAwait(false) is { } line)
            if (line.Length > 0)
                yield return Event(type, line);
    }

    /// <inheritdoc />
    public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class =>
        CallAsync(
            new Call(HttpMethod.Post, Path(type, @namespace, null), Body(type, value)),
            (response, token) => ReadAsync(response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        CallAsync(
            new Call(HttpMethod.Put, Path(type, @namespace, name, subresource), Body(type, value)),
            (response, token) => ReadAsync(response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class
    {
        var path = Path(type, @namespace, name, subresource) + Query([("fieldManager", fieldManager), ("force", "true")]);
        var body = (JsonObject)manifest.DeepClone();
        body["apiVersion"] ??= type.ApiVersion;
        body["kind"] ??= type.Kind;
        return CallAsync(
            new Call(HttpMethod.Patch, path, body, "application/apply-patch+yaml"),
            (response, token) => ReadAsync(response, type.Json, token),
            cancellationToken);
    }

    /// <inheritdoc />
    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        CallAsync(
            new Call(HttpMethod.Patch, Path(type, @namespace, name, subresource), patch, "application/merge-patch+json"),
            (response, token) => ReadAsync(response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class
    {
        var body = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = "Background" };
        if (options?.GracePeriodSeconds is { } grace)
            body["gracePeriodSeconds"] = grace;
        var preconditions = new JsonObject();
        if (options?.Uid is { } uid)
            preconditions["uid"] = uid;
        if (options?.ResourceVersion is { } version)
            preconditions["resourceVersion"] = version;
        if (preconditions.Count > 0)
            body["preconditions"] = preconditions;
        return CallAsync(
            new Call(HttpMethod.Delete, Path(type, @namespace, name), body),
            async (response, token) =>
            {
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    await KnownNotFoundAsync(response, token).ConfigureAwait(false);
                    return false;
                }

                await EnsureAsync(response, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => client.Dispose();

    private static string ThisVersion() => typeof(HttpKubernetesApi).Assembly.GetName().Version?.ToString(3) ?? "0";

    private static SocketsHttpHandler Handler(KubernetesConfiguration configuration)
    {
        var tls = new SslClientAuthenticationOptions();
        if (configuration.TlsServerName is { Length: > 0 } name)
            tls.TargetHost = name;
        if (configuration.Authorities.Count > 0)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(configuration.Authorities);
        }

        if (configuration.ClientCertificate is { } certificate)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        return new SocketsHttpHandler
        {
            SslOptions = tls,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            ConnectCallback = ConnectAsync,
        };
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A watch over HTTP/1.1 has no pings: without these a cut cable would look like silence for hours.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static ResiliencePipeline<HttpResponseMessage> Reads(TimeProvider time, Random random)
    {
        var gate = new Lock();
        return new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 3,
                Delay = TimeSpan.FromMilliseconds(100),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = () =>
                {
                    lock (gate)
                        return random.NextDouble();
                },
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result is { } response
                        ? IsBusy(response.StatusCode) && (RetryAfter(response) ?? TimeSpan.Zero) <= LongestRetryAfter
                        : arguments.Outcome.Exception is HttpRequestException or IOException),
                DelayGenerator = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result is { } response ? RetryAfter(response) : null),
                OnRetry = arguments =>
                {
                    arguments.Outcome.Result?.Dispose();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    private static bool IsBusy(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta;

    private static string Path<T>(ResourceType<T> type, string? @namespace, string? name, string? subresource = null)
        where T : class
    {
        if (name is not null && (name.Length == 0 || name.Contains('/', StringComparison.Ordinal) || name is "." or ".."))
            throw new ArgumentException($"'{name}' is no name of an object.", nameof(name));
        if (type.Namespaced && name is not null && string.IsNullOrEmpty(@namespace))
            throw new ArgumentException($"A {type.Kind} is in a namespace.", nameof(@namespace));
        var path = type.Group.Length == 0 ? $"api/{type.Version}" : $"apis/{type.Group}/{type.Version}";
        if (type.Namespaced && !string.IsNullOrEmpty(@namespace))
            path += $"/namespaces/{Uri.EscapeDataString(@namespace)}";
        path += $"/{type.Plural}";
        if (name is not null)
            path += $"/{Uri.EscapeDataString(name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }

    private static List<(string Name, string Value)> Selectors(ListOptions options)
    {
        var query = new List<(string, string)>();
        if (options.LabelSelector is { Length: > 0 } labels)
            query.Add(("labelSelector", labels));
        if (options.FieldSelector is { Length: > 0 } fields)
            query.Add(("fieldSelector", fields));
        return query;
    }

    private static string Query(List<(string Name, string Value)> query) =>
        query.Count == 0 ? string.Empty : "?" + string.Join('&', query.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}"));

    private static JsonObject Body<T>(ResourceType<T> type, T value)
        where T : class
    {
        var document = (JsonObject)JsonSerializer.SerializeToNode(value, type.Json)!;
        document["apiVersion"] ??= type.ApiVersion;
        document["kind"] ??= type.Kind;
        return document;
    }

    private static T Typed<T>(ResourceType<T> type, JsonElement element)
        where T : class
    {
        var value = element.Deserialize(type.Json) ?? throw new JsonException($"null instead of a {type.Kind}");
        if (value is JsonObject document)
        {
            // Items of a list come without.
            document["apiVersion"] ??= type.ApiVersion;
            document["kind"] ??= type.Kind;
        }

        return value;
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> json, CancellationToken cancellationToken)
    {
        await EnsureAsync(response, cancellationToken).ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return await JsonSerializer.DeserializeAsync(stream, json, cancellationToken).ConfigureAwait(false)
            ?? throw new JsonException("an empty document");
    }

    /// <summary>A 404 is only an answer about an object when the API server itself gave it.</summary>
    private static async Task KnownNotFoundAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var failure = await FailureAsync(response, cancellationToken).ConfigureAwait(false);
        if (failure.Failure != KubernetesFailure.NotFound)
            throw failure;
    }

    private static async Task EnsureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw await FailureAsync(response, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<KubernetesException> FailureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        string? reason = null;
        string? message = null;
        try
        {
            if (JsonNode.Parse(text) is JsonObject status && (string?)status["kind"] == "Status")
            {
                reason = (string?)status["reason"];
                message = (string?)status["message"];
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not from the API server itself, but from something in front of it.
        }

        message ??= text.Length is > 0 and < 300 ? text.Trim() : response.ReasonPhrase;
        var code = (int)response.StatusCode;
        return new KubernetesException(Failures.Classify(code, reason), $"{code}: {message}");
    }

    private static WatchEvent<T> Event<T>(ResourceType<T> type, string line)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var kind = document.RootElement.GetProperty("type").GetString();
            var element = document.RootElement.GetProperty("object");
            if (kind == "ERROR")
            {
                var code = element.TryGetProperty("code", out var number) ? number.GetInt32() : 0;
                var reason = element.TryGetProperty("reason", out var text) ? text.GetString() : null;
                var message = element.TryGetProperty("message", out var words) ? words.GetString() : null;
                throw new KubernetesException(Failures.Classify(code, reason), $"{code}: {message}");
            }

            var version = element.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? string.Empty;
            return kind switch
            {
                "BOOKMARK" => new WatchEvent<T>(WatchEventKind.Bookmark, null, version),
                "ADDED" => new WatchEvent<T>(WatchEventKind.Added, Typed(type, element), version),
                "MODIFIED" => new WatchEvent<T>(WatchEventKind.Modified, Typed(type, element), version),
                "DELETED" => new WatchEvent<T>(WatchEventKind.Deleted, Typed(type, element), version),
                _ => throw new KubernetesException(KubernetesFailure.Other, $"unknown kind of watch event '{kind}'"),
            };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new KubernetesException(KubernetesFailure.Other, $"unreadable watch event: {error.Message}", error);
        }
    }

    private static KubernetesException NoAnswer(string path, string why, Exception? inner) =>
        new(KubernetesFailure.Unreachable, $"No answer to {path.Split('?')[0]}: {why}", inner);

    private static string Innermost(Exception error)
    {
        while (error.InnerException is not null && error is not AuthenticationException)
            error = error.InnerException;
        return error.Message;
    }

    private async Task<HttpResponseMessage> OpenWatchAsync(string path, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(deadline, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        return await TranslateAsync(
            path,
            async () =>
            {
                using var request = Request(new Call(HttpMethod.Get, path));
                var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
                try
                {
                    NoteLogin(response);
                    await EnsureAsync(response, both.Token).ConfigureAwait(false);
                    return response;
                }
                catch
                {
                    response.Dispose();
                    throw;
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> CallAsync<T>(Call call, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(deadline, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        return await TranslateAsync(
            $"{call.Method} {call.Path}",
            async () =>
            {
                using var response = await SendAsync(call, both.Token).ConfigureAwait(false);
                NoteLogin(response);
                return await read(response, both.Token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendAsync(Call call, CancellationToken cancellationToken)
    {
        if (!call.Retry)
            return await OnceAsync(cancellationToken).ConfigureAwait(false);
        return await reads.ExecuteAsync(OnceAsync, cancellationToken).ConfigureAwait(false);

        async ValueTask<HttpResponseMessage> OnceAsync(CancellationToken token)
        {
            using var request = Request(call);
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token).ConfigureAwait(false);
        }
    }

    private HttpRequestMessage Request(Call call)
    {
        var request = new HttpRequestMessage(call.Method, new Uri(server, call.Path))
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (token.Current() is { Length: > 0 } current)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", current);
        if (call.Body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(call.Body, KubernetesJson.Default.JsonObject));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(call.ContentType);
        }

        return request;
    }

    private void NoteLogin(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            token.Distrust();
    }

    /// <summary>Turns every way in which a call can fail into a <see cref="KubernetesException"/>, but leaves the caller's own cancellation alone.</summary>
    private async Task<T> TranslateAsync<T>(string path, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException error)
        {
            throw NoAnswer(path, $"none within {deadline.TotalSeconds:0.###} s", error);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw NoAnswer(path, Innermost(error), error);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or NotSupportedException)
        {
            throw new KubernetesException(KubernetesFailure.Other, $"Unreadable answer to {path.Split('?')[0]}: {error.Message}", error);
        }
    }

    private sealed record Call(
        HttpMethod Method, string Path, JsonObject? Body = null, string ContentType = "application/json", bool Retry = false);
}
