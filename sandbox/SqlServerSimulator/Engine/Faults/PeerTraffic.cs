namespace SqlServerSimulator.Engine;

/// <summary>Messages that a fault of a link holds back. They stay in order, and vanish with their connection.</summary>
internal sealed class PeerTraffic(SqlInstance instance)
{
    private readonly Dictionary<(long Link, Ways Way), Queue<Message>> _held = [];

    /// <summary>Lets a message through, now or later.</summary>
    public void Pass(long link, Ways way, string? peer, Action deliver)
    {
        if (_held.Count == 0 && !instance.HasFaults)
        {
            deliver();
            return;
        }

        if (!_held.TryGetValue((link, way), out var queue))
        {
            _held[(link, way)] = queue = new Queue<Message>();
        }

        queue.Enqueue(new Message(peer, instance.Now, deliver));
        Pump((link, way));
    }

    /// <summary>The connection is gone, and all that was on its way.</summary>
    public void Forget(long link)
    {
        _held.Remove((link, Ways.In));
        _held.Remove((link, Ways.Out));
    }

    /// <summary>The faults have changed.</summary>
    public void PumpAll()
    {
        foreach (var key in _held.Keys.ToList())
        {
            Pump(key);
        }
    }

    /// <summary>Whether connections to a peer are refused.</summary>
    public bool IsCut(string? peer) => instance.Faults.Any(active => active.Fault is LinkCut cut && cut.Concerns(peer));

    private void Pump((long Link, Ways Way) key)
    {
        while (_held.TryGetValue(key, out var queue) && queue.TryPeek(out var message))
        {
            if (instance.Faults.Any(active => active.Fault is LinkDrop drop && drop.Ways.HasFlag(key.Way) && drop.Concerns(message.Peer)))
            {
                return;
            }

            var delay = instance.Faults
                .Select(active => active.Fault)
                .OfType<LinkDelay>()
                .Where(delay => delay.Ways.HasFlag(key.Way) && delay.Concerns(message.Peer))
                .Aggregate(TimeSpan.Zero, (sum, delay) => sum + delay.Delay);
            var due = message.Since + delay;
            if (due > instance.Now)
            {
                instance.Later(due, () => Pump(key));
                return;
            }

            queue.Dequeue();
            if (queue.Count == 0)
            {
                _held.Remove(key);
            }

            message.Deliver();
        }
    }

    private sealed record Message(string? Peer, TimeSpan Since, Action Deliver);
}
