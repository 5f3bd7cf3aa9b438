namespace SqlServerSimulator.Hosting;

/// <summary>Holds everything back while the process counts as frozen.</summary>
internal sealed class Freezer
{
    private volatile TaskCompletionSource? thaw;

    public bool IsFrozen => thaw is not null;

    public void Freeze() => thaw ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw()
    {
        var waiting = thaw;
        thaw = null;
        waiting?.TrySetResult();
    }

    /// <summary>Goes on when nothing is frozen.</summary>
    public ValueTask PassAsync(CancellationToken cancellationToken)
    {
        return thaw is null ? ValueTask.CompletedTask : WaitAsync();

        async ValueTask WaitAsync()
        {
            while (thaw is { } waiting)
                await waiting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Blocks the thread, as a stopped process would.</summary>
    public void Pass()
    {
        while (thaw is { } waiting)
            waiting.Task.GetAwaiter().GetResult();
    }
}
