using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Polly;

namespace Agents.Kubernetes;

/// <summary><see cref="IKubernetesApi"/> over HTTPS.</summary>
public sealed class HttpKubernetesApi : IKubernetesApi, IDisposable
{
    private const int PageSize = 500;
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WatchLength = TimeSpan.FromMinutes(8);

    /// <summary>Bookmarks come about every minute; after two have failed to come the watch is taken for dead.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(2);

    private readonly HttpClient client;
    private readonly Uri server;
    private readonly string? host;
    private readonly BearerToken token;
    private readonly TimeProvider time;
    private readonly TimeSpan deadline;
    private readonly ResiliencePipeline<HttpResponseMessage> retries;

    /// <summary>Makes the client; nothing is connected yet.</summary>
    /// <param name="configuration">Where the server is and who we are.</param>
    /// <param name="time">Clock of the deadlines and of the waits between retries.</param>
    /// <param name="random">Spreads retries; used under a lock.</param>
    /// <param name="userAgent">Name of the program; the server takes it as field manager where none is given.</param>
    /// <param name="deadline">
    /// Bound on each call with all its retries, and on each page of a list and the opening of a watch; 10 s when null.
    /// </param>
    public HttpKubernetesApi(
        KubernetesConfiguration configuration, TimeProvider time, Random random, string userAgent, TimeSpan? deadline = null)
        : this(configuration, time, random, userAgent, deadline, ApiServerConnection.Handler(configuration))
    {
    }

    internal HttpKubernetesApi(
        KubernetesConfiguration configuration, TimeProvider time, Random random, string userAgent, TimeSpan? deadline, HttpMessageHandler handler)
    {
        server = configuration.Server;

        // The name that is asked for and expected in TLS follows the Host header.
        host = configuration.TlsServerName is { Length: > 0 } name ? name : null;
        token = new BearerToken(configuration, time);
        this.time = time;
        this.deadline = deadline ?? DefaultDeadline;
        client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(userAgent, ThisVersion()));
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        retries = Retries.Pipeline(time, random);
    }

    /// <inheritdoc />
    public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class =>
        CallAsync(
            ApiCall.To(type, HttpMethod.Get, "get", @namespace, name) with { Repeatable = true },
            async (call, response, token) => await IsKnownNotFoundAsync(call, response, token).ConfigureAwait(false)
                ? null
                : await ReadAsync(call, response, type.Json, token).ConfigureAwait(false),
            cancellationToken);

    /// <inheritdoc />
    public async Task<ResourceList<T>> ListAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class
    {
        var items = new List<T>();
        string? next = null;
        var paged = true;
        while (true)
        {
            var query = Selectors(options);
            if (paged)
                query.Add(("limit", PageSize.ToString(CultureInfo.InvariantCulture)));
            if (next is not null)
                query.Add(("continue", next));
            try
            {
                var (page, version, following) = await PageAsync(type, @namespace, query, cancellationToken).ConfigureAwait(false);
                items.AddRange(page);
                if (following.Length == 0)
                    return new ResourceList<T>(items, version);
                next = following;
            }
            catch (KubernetesException error) when (error.Failure == KubernetesFailure.Gone && next is not null)
            {
                // The list took so long that the server has forgotten the version of its first page: all at once then.
                items.Clear();
                next = null;
                paged = false;
            }
        }
    }

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

        // Whoever resumes a watch does so after its own waits; it is not for the client to try again beneath them.
        var call = ApiCall.To(type, HttpMethod.Get, "watch", @namespace, null) with { Query = query, Streams = true };
        using var response = await OpenWatchAsync(call, cancellationToken).ConfigureAwait(false);
        using var silence = new CancellationTokenSource(LongestSilence, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        var reader = PipeReader.Create(
            await TranslateAsync(call, () => response.Content.ReadAsStreamAsync(both.Token), cancellationToken).ConfigureAwait(false));
        try
        {
            while (await NextAsync().ConfigureAwait(false) is { } line)
            {
                yield return WatchStream.Event(call, line, element => Typed(type, element));
                silence.CancelAfter(LongestSilence);
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }

        Task<byte[]?> NextAsync() => TranslateAsync(
            call,
            async () =>
            {
                try
                {
                    return await WatchStream.LineAsync(reader, both.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
                {
                    return null;
                }
            },
            cancellationToken);
    }

    /// <inheritdoc />
    public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class =>
        CallAsync(
            ApiCall.To(type, HttpMethod.Post, "create", @namespace, null) with { Body = Body(type, value) },
            (call, response, token) => ReadAsync(call, response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        CallAsync(
            ApiCall.To(type, HttpMethod.Put, "update", @namespace, name, subresource) with { Body = Body(type, value) },
            (call, response, token) => ReadAsync(call, response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class
    {
        var body = (JsonObject)manifest.DeepClone();
        body["apiVersion"] ??= type.ApiVersion;
        body["kind"] ??= type.Kind;
        return CallAsync(
            ApiCall.To(type, HttpMethod.Patch, "apply", @namespace, name, subresource) with
            {
                Query = [("fieldManager", fieldManager), ("force", "true")],
                Body = body,
                ContentType = "application/apply-patch+yaml",
                Repeatable = true,
            },
            (call, response, token) => ReadAsync(call, response, type.Json, token),
            cancellationToken);
    }

    /// <inheritdoc />
    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class =>
        CallAsync(
            ApiCall.To(type, HttpMethod.Patch, "patch", @namespace, name, subresource) with
            {
                Body = patch,
                ContentType = "application/merge-patch+json",
            },
            (call, response, token) => ReadAsync(call, response, type.Json, token),
            cancellationToken);

    /// <inheritdoc />
    public Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class
    {
        var body = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = options?.Orphan == true ? "Orphan" : "Background",
        };
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
            ApiCall.To(type, HttpMethod.Delete, "delete", @namespace, name) with { Body = body, Repeatable = options?.Uid is not null },
            async (call, response, token) =>
            {
                if (await IsKnownNotFoundAsync(call, response, token).ConfigureAwait(false))
                    return false;
                await EnsureAsync(call, response, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => client.Dispose();

    private static string ThisVersion() => typeof(HttpKubernetesApi).Assembly.GetName().Version?.ToString(3) ?? "0";

    private static List<(string Name, string Value)> Selectors(ListOptions options)
    {
        var query = new List<(string, string)>();
        if (options.LabelSelector is { Length: > 0 } labels)
            query.Add(("labelSelector", labels));
        if (options.FieldSelector is { Length: > 0 } fields)
            query.Add(("fieldSelector", fields));
        return query;
    }

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

    private static string Innermost(Exception error)
    {
        while (error.InnerException is not null && error is not AuthenticationException { Message: not "" })
            error = error.InnerException;
        return error.Message;
    }

    private async Task<(List<T> Items, string Version, string Next)> PageAsync<T>(
        ResourceType<T> type, string? @namespace, List<(string Name, string Value)> query, CancellationToken cancellationToken)
        where T : class =>
        await CallAsync(
            ApiCall.To(type, HttpMethod.Get, "list", @namespace, null) with { Query = query, Repeatable = true },
            async (call, response, token) =>
            {
                var list = await ReadAsync(call, response, KubernetesJson.Default.JsonElement, token).ConfigureAwait(false);
                var metadata = list.GetProperty("metadata");
                var items = new List<T>();
                if (list.TryGetProperty("items", out var found) && found.ValueKind == JsonValueKind.Array)
                    foreach (var item in found.EnumerateArray())
                        items.Add(Typed(type, item));
                return (
                    items,
                    metadata.GetProperty("resourceVersion").GetString() ?? string.Empty,
                    metadata.TryGetProperty("continue", out var rest) ? rest.GetString() ?? string.Empty : string.Empty);
            },
            cancellationToken).ConfigureAwait(false);

    private async Task<T> ReadAsync<T>(ApiCall call, HttpResponseMessage response, JsonTypeInfo<T> json, CancellationToken cancellationToken)
    {
        await EnsureAsync(call, response, cancellationToken).ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return await JsonSerializer.DeserializeAsync(stream, json, cancellationToken).ConfigureAwait(false)
            ?? throw new JsonException("an empty document");
    }

    /// <summary>A 404 is only an answer about an object when the API server itself gave it.</summary>
    private async Task<bool> IsKnownNotFoundAsync(ApiCall call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.NotFound)
            return false;
        var failure = await FailureAsync(call, response, cancellationToken).ConfigureAwait(false);
        return failure.Failure == KubernetesFailure.NotFound ? true : throw failure;
    }

    private async Task EnsureAsync(ApiCall call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw await FailureAsync(call, response, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KubernetesException> FailureAsync(ApiCall call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return Failures.Of(call, (int)response.StatusCode, response.ReasonPhrase, token.Hide(text), Retries.RetryAfter(response, time));
    }

    private async Task<HttpResponseMessage> OpenWatchAsync(ApiCall call, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(deadline, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        return await TranslateAsync(
            call,
            async () =>
            {
                var response = await SendAsync(call, both.Token).ConfigureAwait(false);
                try
                {
                    await EnsureAsync(call, response, both.Token).ConfigureAwait(false);
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

    private async Task<T> CallAsync<T>(
        ApiCall call, Func<ApiCall, HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(deadline, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        return await TranslateAsync(
            call,
            async () =>
            {
                using var response = await SendAsync(call, both.Token).ConfigureAwait(false);
                return await read(call, response, both.Token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private Task<HttpResponseMessage> SendAsync(ApiCall call, CancellationToken cancellationToken) => retries.SendAsync(
        call.Repeatable,
        time,
        deadline,
        async token =>
        {
            var login = this.token.Current();
            var response = await OnceAsync(call, login, token).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.Unauthorized || !this.token.IsReplaced(login))
                return response;

            // Whoever is not let in has not done anything yet.
            response.Dispose();
            return await OnceAsync(call, this.token.Current(), token).ConfigureAwait(false);
        },
        cancellationToken);

    private async Task<HttpResponseMessage> OnceAsync(ApiCall call, string? login, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(call.Method, new Uri(server, call.PathAndQuery))
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        request.Headers.Host = host;
        if (login is { Length: > 0 })
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", login);
        if (call.Body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(call.Body, KubernetesJson.Default.JsonObject));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(call.ContentType);
        }

        // Read whole here, an answer that breaks off is asked for again.
        var completion = call.Streams ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead;
        return await client.SendAsync(request, completion, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Turns every way in which a call can fail into a <see cref="KubernetesException"/>, but leaves the caller's own cancellation alone.</summary>
    private async Task<T> TranslateAsync<T>(ApiCall call, Func<Task<T>> work, CancellationToken cancellationToken)
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
            throw NoAnswer($"none within {deadline.TotalSeconds:0.###} s", error);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw NoAnswer(Innermost(error), error);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or NotSupportedException)
        {
            throw new KubernetesException(KubernetesFailure.Other, $"{call.What}: unreadable answer: {error.Message}", error);
        }

        KubernetesException NoAnswer(string why, Exception error) =>
            new(KubernetesFailure.Unreachable, $"{call.What}: no answer from {server.Authority}: {why}", error);
    }
}
