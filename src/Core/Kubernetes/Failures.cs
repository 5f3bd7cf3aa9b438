using System.Text.Json;

namespace Agents.Kubernetes;

/// <summary>From what the server answered to the kinds of failure that callers tell apart.</summary>
internal static class Failures
{
    private const int LongestForeignText = 300;

    public static KubernetesFailure Classify(int code, string? reason) => reason switch
    {
        "AlreadyExists" => KubernetesFailure.AlreadyExists,
        "Conflict" => KubernetesFailure.Conflict,
        "Gone" or "Expired" => KubernetesFailure.Gone,
        "NotFound" => KubernetesFailure.NotFound,
        "Unauthorized" => KubernetesFailure.Unauthorized,
        "Forbidden" => KubernetesFailure.Forbidden,
        "Invalid" or "BadRequest" => KubernetesFailure.Invalid,
        "TooManyRequests" or "ServiceUnavailable" => KubernetesFailure.Busy,

        // The server gave up waiting for its own store: a write may still have been made.
        "Timeout" or "ServerTimeout" or "InternalError" => KubernetesFailure.Unreachable,
        _ => code switch
        {
            401 => KubernetesFailure.Unauthorized,
            403 => KubernetesFailure.Forbidden,
            409 => KubernetesFailure.Conflict,
            410 => KubernetesFailure.Gone,
            400 or 422 => KubernetesFailure.Invalid,
            429 or 503 => KubernetesFailure.Busy,

            // Without a Status of the API server this 404 says nothing about the object: it may come from a proxy, or from a server
            // that does not know the kind at all.
            404 => KubernetesFailure.Other,
            >= 500 => KubernetesFailure.Unreachable,
            _ => KubernetesFailure.Other,
        },
    };

    /// <summary>What the body of a refusal says.</summary>
    /// <param name="call">What was asked.</param>
    /// <param name="code">HTTP status.</param>
    /// <param name="phrase">Its words, for a body without any.</param>
    /// <param name="text">The body: a Status of the API server, or the words of something in front of it.</param>
    /// <param name="retryAfter">When the server wants to be asked again.</param>
    public static KubernetesException Of(ApiCall call, int code, string? phrase, string text, TimeSpan? retryAfter)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } status && Text(status, "kind") == "Status")
                return Of(call, status, code, phrase, retryAfter);
        }
        catch (JsonException)
        {
            // Not from the API server itself, but from something in front of it.
        }

        var words = text.Length is > 0 and < LongestForeignText ? text.Trim() : phrase;
        return Refused(call, code, null, words, retryAfter);
    }

    /// <summary>What a Status says.</summary>
    public static KubernetesException Of(ApiCall call, JsonElement status, int code, string? phrase = null, TimeSpan? retryAfter = null) =>
        Refused(call, code, Text(status, "reason"), Text(status, "message") ?? phrase, retryAfter);

    private static KubernetesException Refused(ApiCall call, int code, string? reason, string? message, TimeSpan? retryAfter)
    {
        var failure = Classify(code, reason);
        var said = string.IsNullOrEmpty(reason) ? $"{code}" : $"{code} {reason}";

        // A server that cannot read a document quotes what it could not read.
        // Of what is applied and not there yet it says only that it is forbidden.
        if (failure == KubernetesFailure.Forbidden && message?.EndsWith("is forbidden: ", StringComparison.Ordinal) == true)
            message += "applying what does not exist needs the right to create it";
        var words = call.Discreet && failure == KubernetesFailure.Invalid ? "(left out: the words may quote the Secret)" : message;
        return new KubernetesException(failure, $"{call.What}: {said}: {words}") { RetryAfter = retryAfter };
    }

    private static string? Text(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
