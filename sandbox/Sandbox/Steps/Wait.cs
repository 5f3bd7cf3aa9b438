namespace Sandbox.Steps;

/// <summary>Looks again and again until there is something to see, or the caller's bound is reached.</summary>
internal static class Wait
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    /// <param name="look">Returns null while there is nothing to see yet. A failure counts as nothing, and is told.</param>
    /// <param name="failed">Told why a look failed.</param>
    /// <param name="cancellationToken">The bound.</param>
    /// <param name="period">Time between two looks; 50 ms when left out.</param>
    public static async Task<T> ForAsync<T>(
        Func<CancellationToken, Task<T?>> look, Action<string> failed, CancellationToken cancellationToken, TimeSpan? period = null)
        where T : class
    {
        while (true)
        {
            try
            {
                if (await look(cancellationToken) is { } found)
                    return found;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not StepFailedException)
            {
                failed(e.Message.ReplaceLineEndings(" "));
            }

            await Task.Delay(period ?? Period, cancellationToken);
        }
    }
}
