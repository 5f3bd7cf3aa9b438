using System.Threading.Channels;

namespace Agents.Hosting;

/// <summary>Wakes a loop: signals that come while it works or sleeps are merged into one.</summary>
public sealed class WakeUp
{
    private readonly TimeProvider time;
    private readonly Channel<bool> signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Makes one without a signal.</summary>
    /// <param name="time">Clock of the waiting.</param>
    public WakeUp(TimeProvider time) => this.time = time;

    /// <summary>Wakes the loop, now or when it next waits.</summary>
    public void Set() => signal.Writer.TryWrite(true);

    /// <summary>Waits for a signal, but never longer than <paramref name="atMost"/>.</summary>
    /// <returns>True when there was a signal.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var bound = new CancellationTokenSource(atMost, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        try
        {
            return await signal.Reader.ReadAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
