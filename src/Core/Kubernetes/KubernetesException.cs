namespace Agents.Kubernetes;

/// <summary>
/// A call to the API server that did not succeed. The message says what was asked (verb, kind, namespace and name), and the server's status,
/// reason and message or why there was no answer; never a token or the content of a Secret.
/// </summary>
public sealed class KubernetesException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="failure">What kind of failure.</param>
    /// <param name="message">What was asked and how it went wrong.</param>
    /// <param name="inner">The cause, if any.</param>
    public KubernetesException(KubernetesFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>What kind of failure.</summary>
    public KubernetesFailure Failure { get; }

    /// <summary>How long the server asked to be left alone, counted from its answer; null when it did not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Kinds of failure that callers tell apart.</summary>
public enum KubernetesFailure
{
    /// <summary>No answer: connection, TLS, time-out or a broken stream. The call may or may not have taken effect.</summary>
    Unreachable,

    /// <summary>404.</summary>
    NotFound,

    /// <summary>409 because the name is taken.</summary>
    AlreadyExists,

    /// <summary>409 because the stored version is another, or an apply conflict.</summary>
    Conflict,

    /// <summary>410: the version to watch from is too old; list anew.</summary>
    Gone,

    /// <summary>401.</summary>
    Unauthorized,

    /// <summary>403.</summary>
    Forbidden,

    /// <summary>422, or 400: the document is not acceptable.</summary>
    Invalid,

    /// <summary>429 or 503: ask again later.</summary>
    Busy,

    /// <summary>Any other refusal.</summary>
    Other,
}
