using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KubernetesEmulator.Http;
using KubernetesEmulator.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KubernetesEmulator.Faults;

/// <summary>
/// A TLS reverse proxy between pods and an API server, whichever it is. It lets everything pass, bearer tokens too, except for the faults that it is
/// told to make; an API server that is away looks through it like one whose connections break.
/// </summary>
public sealed class ApiProxy : IAsyncDisposable
{
    private static readonly HashSet<string> HopByHop =
        new(StringComparer.OrdinalIgnoreCase) { "Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE" };

    private readonly Uri _upstream;
    private readonly HttpClient _client;
    private readonly Certificates _certificates;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Lock _lock = new();
    private readonly HashSet<string> _tokens = [];
    private readonly HashSet<string> _expired = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ApiFaults _faults = ApiFaults.None;
    private WebListener? _listener;

    private ApiProxy(Uri upstream, string authority, int seed, TimeProvider time)
    {
        (_upstream, _time, _random) = (upstream, time, new Random(seed));
        _certificates = Certificates.Create(Host(upstream), null);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.ImportFromPem(authority);
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Where it listens: on the API server's host, at another port.</summary>
    public Uri Address => new UriBuilder(_upstream) { Port = _listener!.Port }.Uri;

    /// <summary>The certificate authority that its clients must trust, as PEM.</summary>
    public string CertificateAuthority => _certificates.AuthorityPem;

    /// <summary>What has come by.</summary>
    public ApiTraffic Traffic { get; } = new();

    /// <summary>What it does from now on, also to the watches that run.</summary>
    public ApiFaults Faults
    {
        get
        {
            lock (_lock)
                return _faults;
        }

        set
        {
            lock (_lock)
            {
                _faults = value;
                _changed.SetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>Starts a proxy.</summary>
    /// <param name="upstream">The API server.</param>
    /// <param name="authority">Its certificate authority, as PEM.</param>
    /// <param name="seed">Decides which requests the shares hit.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ApiProxy> StartAsync(Uri upstream, string authority, int seed, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(time);
        var proxy = new ApiProxy(upstream, authority, seed, time);
        proxy._listener = await WebListener.StartAsync(Host(upstream), 0, proxy._certificates.Serving, proxy.HandleAsync, cancellationToken).ConfigureAwait(false);
        return proxy;
    }

    /// <summary>Every token that came by until now is answered with 401 from now on.</summary>
    public void ExpireTokens()
    {
        lock (_lock)
            _expired.UnionWith(_tokens);
    }

    /// <summary>Ends all requests.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _certificates.Dispose();
    }

    private async Task HandleAsync(HttpContext context, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, context.RequestAborted);
        var stop = either.Token;
        try
        {
            await AnswerAsync(context, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // Whatever happened on one side happens on the other.
            context.Abort();
        }
    }

    private async Task AnswerAsync(HttpContext context, CancellationToken stop)
    {
        var request = context.Request;
        var watch = request.Query["watch"] is ["1" or "true"];
        Traffic.Add(request.Headers.UserAgent.ToString(), request.Method, request.Path, watch);
        await SpeakAsync(stop).ConfigureAwait(false);
        if (Faults.Delay is { Ticks: > 0 } delay)
            await Task.Delay(delay, _time, stop).ConfigureAwait(false);
        if (Expired(request.Headers.Authorization.ToString()))
        {
            await RefuseAsync(context, 401, "Unauthorized", "Unauthorized", stop).ConfigureAwait(false);
            return;
        }

        switch (Choose(request.Method))
        {
            case Fate.Conflict:
                await RefuseAsync(context, 409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again", stop)
                    .ConfigureAwait(false);
                break;
            case Fate.TooMany:
                context.Response.Headers.RetryAfter = "1";
                await RefuseAsync(context, 429, "TooManyRequests", "too many requests", stop).ConfigureAwait(false);
                break;
            case Fate.Error:
                await RefuseAsync(context, 500, "InternalError", "an error on the server", stop).ConfigureAwait(false);
                break;
            case Fate.ResetBefore:
                context.Abort();
                break;
            case Fate.ResetAfter:
                using (await SendAsync(request, stop).ConfigureAwait(false))
                    context.Abort();
                break;
            default:
                await PassAsync(context, watch, stop).ConfigureAwait(false);
                break;
        }
    }

    private async Task PassAsync(HttpContext context, bool watch, CancellationToken stop)
    {
        using var answer = await SendAsync(context.Request, stop).ConfigureAwait(false);
        var response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(x => !HopByHop.Contains(x.Key)))
            response.Headers[name] = values.ToArray();
        var body = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            if (watch && answer.IsSuccessStatusCode)
                await StreamAsync(body, response, stop).ConfigureAwait(false);
            else
                await body.CopyToAsync(response.Body, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Passes a watch on, until either side ends it or its time is over.</summary>
    private async Task StreamAsync(Stream body, HttpResponse response, CancellationToken stop)
    {
        var begun = _time.GetTimestamp();
        var buffer = new byte[16384];
        var wholeLine = true;
        await response.Body.FlushAsync(stop).ConfigureAwait(false);
        var reading = body.ReadAsync(buffer, stop).AsTask();
        while (true)
        {
            Task changed;
            lock (_lock)
                changed = _changed.Task;
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var left = Faults.WatchLife is { } life ? life - _time.GetElapsedTime(begun) : Timeout.InfiniteTimeSpan;
            if (left < TimeSpan.Zero && left != Timeout.InfiniteTimeSpan)
                left = TimeSpan.Zero;
            var over = Task.Delay(left, _time, wait.Token);
            var first = await Task.WhenAny(reading, over, changed).ConfigureAwait(false);
            await wait.CancelAsync().ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            await SpeakAsync(stop).ConfigureAwait(false);
            if (first == over && wholeLine)
            {
                var gone = $$"""{"type":"ERROR","object":{{Status(410, "Expired", "too old resource version")}}}""" + "\n";
                await response.Body.WriteAsync(Encoding.UTF8.GetBytes(gone), stop).ConfigureAwait(false);
                return;
            }

            if (!reading.IsCompleted)
            {
                if (first == over)
                    await reading.WaitAsync(stop).ConfigureAwait(false);
                continue;
            }

            var count = await reading.ConfigureAwait(false);
            if (count == 0)
                return;
            Traffic.AddWatched(count);
            wholeLine = buffer[count - 1] == '\n';
            await response.Body.WriteAsync(buffer.AsMemory(0, count), stop).ConfigureAwait(false);
            await response.Body.FlushAsync(stop).ConfigureAwait(false);
            reading = body.ReadAsync(buffer, stop).AsTask();
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequest request, CancellationToken stop)
    {
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), new Uri(_upstream, target))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0 || (request.ContentLength is null && request.ContentType is not null))
            message.Content = new StreamContent(request.Body);
        foreach (var (name, values) in request.Headers.Where(x => !HopByHop.Contains(x.Key) && x.Key[0] != ':'))
        {
            if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                message.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        return await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
    }

    /// <summary>Waits while it is to be silent.</summary>
    private async Task SpeakAsync(CancellationToken stop)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (!_faults.Silent)
                    return;
                changed = _changed.Task;
            }

            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    private bool Expired(string authorization)
    {
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(authorization)));
        lock (_lock)
        {
            _tokens.Add(hash);
            return _expired.Contains(hash);
        }
    }

    private Fate Choose(string method)
    {
        lock (_lock)
        {
            bool Hit(double share) => share > 0 && _random.NextDouble() < share;
            return method is "PUT" or "PATCH" && Hit(_faults.Conflicts) ? Fate.Conflict
                : Hit(_faults.TooMany) ? Fate.TooMany
                : Hit(_faults.Errors) ? Fate.Error
                : Hit(_faults.Resets) ? Hit(0.5) ? Fate.ResetBefore : Fate.ResetAfter
                : Fate.Pass;
        }
    }

    private static async Task RefuseAsync(HttpContext context, int code, string reason, string message, CancellationToken stop)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(Status(code, reason, message), stop).ConfigureAwait(false);
    }

    private static string Status(int code, string reason, string message) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{{message}}","reason":"{{reason}}","code":{{code}}}""");

    private static IPAddress Host(Uri server) => IPAddress.TryParse(server.Host.Trim('[', ']'), out var address) ? address : IPAddress.Loopback;

    private enum Fate
    {
        Pass,
        Conflict,
        TooMany,
        Error,
        ResetBefore,
        ResetAfter,
    }
}
