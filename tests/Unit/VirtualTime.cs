namespace Unit;

/// <summary>
/// Time that passes when told to, timers included, or that jumps to the next timer whenever nothing else is left to do. What runs under the latter
/// must do everything else on the thread that started it; then a run is the same each time.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Entry> timers = [];
    private long now = TimeSpan.FromDays(1).Ticks;
    private long made;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Entry(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Runs work to its end.</summary>
    public Task RunAsync(Func<Task> work) => Task.Run(async () =>
    {
        var running = work();
        while (!running.IsCompleted)
            if (!Jump())
                await running.WaitAsync(TimeSpan.FromSeconds(10));
        await running;
    });

    /// <summary>Runs work to its end.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        T result = default!;
        await RunAsync(async () => { result = await work(); });
        return result;
    }

    /// <summary>Waits, and goes on where the timer or the cancellation ran: <see cref="Task.Delay(TimeSpan)"/> would leave the thread when cancelled.</summary>
    public async Task DelayAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        var over = new TaskCompletionSource();
        await using var timer = CreateTimer(_ => over.TrySetResult(), null, wait, Timeout.InfiniteTimeSpan);
        await using var cancelled = cancellationToken.Register(() => over.TrySetCanceled(cancellationToken));
        await over.Task.ConfigureAwait(false);
    }

    /// <summary>Lets the next timer elapse; false when there is none.</summary>
    public bool Jump()
    {
        Entry next;
        lock (gate)
        {
            if (timers.Count == 0)
                return false;
            next = timers.MinBy(timer => (timer.DueAt, timer.Order))!;
            timers.Remove(next);
            now = Math.Max(now, next.DueAt);
        }

        next.Fire();
        return true;
    }

    /// <summary>Lets time pass, and the timers that are due by then elapse.</summary>
    public void Advance(TimeSpan by)
    {
        List<Entry> due;
        lock (gate)
        {
            now += by.Ticks;
            due = [.. timers.Where(timer => timer.DueAt <= now).OrderBy(timer => (timer.DueAt, timer.Order))];
            timers.RemoveAll(due.Contains);
        }

        foreach (var timer in due)
            timer.Fire();
    }

    private sealed class Entry(VirtualTime time, Action fire) : ITimer
    {
        public long DueAt { get; private set; }

        public long Order { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                DueAt = time.now + dueTime.Ticks;
                Order = time.made++;
                time.timers.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
