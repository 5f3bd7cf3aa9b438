namespace Agents.Kubernetes;

/// <summary>From what the server answered to the kinds of failure that callers tell apart.</summary>
internal static class Failures
{
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
}
