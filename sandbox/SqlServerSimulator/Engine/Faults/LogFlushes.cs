namespace SqlServerSimulator.Engine;

/// <summary>
/// When log that was written counts as being on disk, as far as a slow disk delays it: one flush at a time, and all that is written during a flush shares
/// the next one.
/// </summary>
internal sealed class LogFlushes(SqlInstance instance)
{
    /// <summary>From here on the engine calls an I/O long.</summary>
    private static readonly TimeSpan LongIo = TimeSpan.FromSeconds(15);

    private readonly List<(Action Done, TimeSpan Since)> _stalled = [];
    private TimeSpan _end;
    private TimeSpan? _next;
    private TimeSpan? _lastLong;
    private TimeSpan? _slowSince;

    /// <summary>Flushes that took long.</summary>
    public int TotalLong { get; private set; }

    /// <summary>Whether what is written is on disk at once.</summary>
    public bool AreFast => instance.Fault<SlowDisk>() is null && instance.Fault<DiskStall>() is null;

    /// <summary>Long flushes that are under way, or ended just now.</summary>
    public int RecentLong
    {
        get
        {
            var now = instance.Now;
            var waiting = (_stalled.Count > 0 && now - _stalled[0].Since >= LongIo) || now - _slowSince >= LongIo ? 1 : 0;
            return waiting + (now - _lastLong <= LongIo ? 1 : 0);
        }
    }

    /// <summary>Calls back when what is written by now is on disk.</summary>
    public void After(Action done)
    {
        var now = instance.Now;
        if (instance.Fault<DiskStall>() is not null)
        {
            _stalled.Add((done, now));
            return;
        }

        if (instance.Fault<SlowDisk>() is not { } slow)
        {
            done();
            return;
        }

        if (now >= _end && _next is { } next)
        {
            (_end, _next) = (next, null);
        }

        var due = now >= _end ? _end = now + slow.Latency : _next ??= _end + slow.Latency;
        _slowSince ??= now;
        instance.Later(due, () =>
        {
            if (slow.Latency >= LongIo)
            {
                TotalLong++;
                _lastLong = instance.Now;
            }

            _slowSince = null;
            After(instance.Fault<DiskStall>() is null, done);
        });
    }

    /// <summary>The disk is back.</summary>
    public void Resume()
    {
        var stalled = _stalled.ToList();
        _stalled.Clear();
        foreach (var (done, since) in stalled)
        {
            if (instance.Now - since >= LongIo)
            {
                TotalLong++;
                _lastLong = instance.Now;
            }

            After(done);
        }
    }

    private void After(bool isDone, Action done)
    {
        if (isDone)
        {
            done();
        }
        else
        {
            _stalled.Add((done, instance.Now));
        }
    }
}
