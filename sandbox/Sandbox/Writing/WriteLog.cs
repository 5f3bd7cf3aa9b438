namespace Sandbox.Writing;

/// <summary>Every acknowledged write, in the order of the acknowledgements. Safe to read while the writer adds.</summary>
internal sealed class WriteLog
{
    private readonly Lock _lock = new();
    private readonly List<AcknowledgedWrite> _writes = [];

    public AcknowledgedWrite? Last
    {
        get
        {
            lock (_lock)
                return _writes.Count == 0 ? null : _writes[^1];
        }
    }

    public void Add(AcknowledgedWrite write)
    {
        lock (_lock)
            _writes.Add(write);
    }

    public IReadOnlyList<AcknowledgedWrite> Snapshot()
    {
        lock (_lock)
            return [.. _writes];
    }

    /// <summary>How many writes <paramref name="server"/> has taken since <paramref name="from"/>.</summary>
    public int TakenBy(string server, TimeSpan from)
    {
        lock (_lock)
        {
            var count = 0;
            for (var i = _writes.Count - 1; i >= 0 && _writes[i].At >= from; i--)
            {
                if (_writes[i].Server == server)
                    count++;
            }

            return count;
        }
    }

    /// <summary>
    /// The largest gap between consecutive acknowledgements that ended at or after <paramref name="from"/>: after a disturbance at
    /// <paramref name="from"/>, the time from the last write before it to the first one after it.
    /// </summary>
    /// <returns>Null when there are not two acknowledgements of which the second came after <paramref name="from"/>.</returns>
    public TimeSpan? LargestGap(TimeSpan from)
    {
        lock (_lock)
        {
            TimeSpan? largest = null;
            for (var i = _writes.Count - 1; i >= 1 && _writes[i].At >= from; i--)
            {
                var gap = _writes[i].At - _writes[i - 1].At;
                if (largest is null || gap > largest)
                    largest = gap;
            }

            return largest;
        }
    }

    /// <summary>Acknowledged keys that are not among <paramref name="present"/>.</summary>
    public static IReadOnlyList<long> Missing(IEnumerable<AcknowledgedWrite> acknowledged, IReadOnlySet<long> present) =>
        [.. acknowledged.Select(x => x.Key).Where(x => !present.Contains(x))];
}
