namespace Agents.Kubernetes;

/// <summary>The token to log in with; one from a file is read again soon after it was replaced.</summary>
internal sealed class BearerToken
{
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(10);

    private readonly string? fixedToken;
    private readonly string? file;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private string? cached;
    private long readAt;

    public BearerToken(KubernetesConfiguration configuration, TimeProvider time)
    {
        fixedToken = configuration.Token;
        file = configuration.TokenFile;
        this.time = time;
    }

    public string? Current()
    {
        if (file is null)
            return fixedToken;
        lock (gate)
        {
            if (cached is null || time.GetElapsedTime(readAt) >= ReadAgainAfter)
                Read(file);
            return cached;
        }
    }

    /// <summary>The server declined <paramref name="declined"/>: reads the file at once, and says whether it holds another by now.</summary>
    public bool IsReplaced(string? declined)
    {
        if (file is null)
            return false;
        lock (gate)
        {
            Read(file);
            if (cached != declined)
                return true;

            // Its replacement is on its way.
            readAt = long.MinValue / 2;
            return false;
        }
    }

    /// <summary>Takes the token out of words of somebody else that may quote it.</summary>
    public string Hide(string text)
    {
        lock (gate)
            return (cached ?? fixedToken) is { Length: > 0 } secret ? text.Replace(secret, "(token)", StringComparison.Ordinal) : text;
    }

    private void Read(string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            if (text.Length > 0)
                cached = text;
            readAt = time.GetTimestamp();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Between two versions of the mounted file there may be none; the one we know is still good.
            if (cached is null)
                throw new KubernetesException(KubernetesFailure.Unauthorized, $"No token: {error.Message}", error);
        }
    }
}
