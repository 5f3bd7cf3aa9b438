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
            if (cached is not null && time.GetElapsedTime(readAt) < ReadAgainAfter)
                return cached;
            try
            {
                cached = File.ReadAllText(file).Trim();
                readAt = time.GetTimestamp();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Between two versions of the mounted file there may be none; the one we know is still good.
                if (cached is null)
                    throw new KubernetesException(KubernetesFailure.Unauthorized, $"No token: {error.Message}", error);
            }

            return cached;
        }
    }

    /// <summary>The server did not accept the token: read the file before the next call.</summary>
    public void Distrust()
    {
        lock (gate)
            readAt = long.MinValue / 2;
    }
}
