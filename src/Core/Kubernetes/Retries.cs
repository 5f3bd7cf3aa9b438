using System.Net;
using Polly;
using Polly.Retry;

namespace Agents.Kubernetes;

/// <summary>
/// Which requests are sent again within the deadline of their call. One that may have been carried out is repeated only when that does no
/// harm; one that was certainly not, always.
/// </summary>
internal static class Retries
{
    private const int Attempts = 4;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);
    private static readonly ResiliencePropertyKey<Bounds> Key = new("call");

    /// <param name="time">Clock of the waits.</param>
    /// <param name="random">Spreads them; used under a lock.</param>
    public static ResiliencePipeline<HttpResponseMessage> Pipeline(TimeProvider time, Random random)
    {
        var gate = new Lock();
        return new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = Attempts - 1,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = LongestDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true, // Polly's decorrelated jitter
                Randomizer = () =>
                {
                    lock (gate)
                        return random.NextDouble();
                },
                ShouldHandle = arguments =>
                {
                    var (repeatable, start, deadline) = arguments.Context.Properties.GetValue(Key, default);
                    var response = arguments.Outcome.Result;
                    var wait = response is null ? TimeSpan.Zero : RetryAfter(response, time) ?? TimeSpan.Zero;
                    return ValueTask.FromResult(
                        MayRepeat(repeatable, response, arguments.Outcome.Exception)
                        && time.GetElapsedTime(start) + wait < deadline);
                },
                DelayGenerator = arguments => ValueTask.FromResult(
                    arguments.Outcome.Result is { } response ? RetryAfter(response, time) : null),
                OnRetry = arguments =>
                {
                    arguments.Outcome.Result?.Dispose();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Sends, and sends again, until <paramref name="deadline"/> from now at the latest.</summary>
    public static async Task<HttpResponseMessage> SendAsync(
        this ResiliencePipeline<HttpResponseMessage> pipeline, bool repeatable, TimeProvider time, TimeSpan deadline,
        Func<CancellationToken, ValueTask<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        context.Properties.Set(Key, new Bounds(repeatable, time.GetTimestamp(), deadline));
        try
        {
            return await pipeline.ExecuteAsync(
                static (context, send) => send(context.CancellationToken), context, send).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>True when the request may be sent again.</summary>
    /// <param name="repeatable">Carrying it out twice is the same as once.</param>
    /// <param name="response">The answer, or null when there was none.</param>
    /// <param name="error">Why there was none.</param>
    public static bool MayRepeat(bool repeatable, HttpResponseMessage? response, Exception? error) => (response?.StatusCode, error) switch
    {
        // Declined before it was looked at, when it comes with a time to ask again. Without one the server means it: an eviction that a
        // disruption budget does not allow is answered so.
        (HttpStatusCode.TooManyRequests, _) => repeatable || response!.Headers.RetryAfter is not null,

        // Behind these a write may have been made.
        (HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout, _) =>
            repeatable,
        (not null, _) => false,

        // No connection, so nothing was sent.
        (null, HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        }) => true,
        (null, HttpRequestException or IOException) => repeatable,
        _ => false,
    };

    /// <summary>How long the server asked to be left alone, by either form of the header; null when it did not.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow() is var wait && wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
        _ => null,
    };

    private readonly record struct Bounds(bool Repeatable, long Start, TimeSpan Deadline);
}
