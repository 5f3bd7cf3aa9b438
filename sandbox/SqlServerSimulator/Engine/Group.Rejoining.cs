namespace SqlServerSimulator.Engine;

/// <summary>How a replica comes back to a group that goes on without it: too early, unasked, or with log to undo.</summary>
internal sealed partial class Group
{
    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongLatch = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LatchEnd = TimeSpan.FromMinutes(14);

    private readonly Dictionary<Guid, Undoing> _undoing = [];
    private long _candidateLink;
    private TimeSpan? _early;
    private TimeSpan? _latchedAt;

    /// <summary>Whether a database gives up what its new primary does not have.</summary>
    public bool IsReverting(Guid database) => _undoing.TryGetValue(database, out var undoing) && !undoing.IsOver;

    private bool IsContactReady => _contact is not null && _contact.Epoch == File.Promised && File.Accepted.Epoch == _contact.Epoch;

    /// <summary>An old primary asked to follow. When the new one is connected but not ready, and stays so, the refusal stays too.</summary>
    private void CameEarly()
    {
        if (Facts.NotReadyLatches && File.LedLast && File.PromisedTo != File.LocalReplica && _candidateLink != 0 && !IsContactReady)
        {
            _early ??= _environment.Now;
        }
    }

    private void WatchEarly(TimeSpan now)
    {
        if (_early is { } early && now >= early + ReadyTime)
        {
            _early = null;
            _latchedAt = now;
            _instance.Log($"Availability group '{Name}': {Errors.NotOnline(Name).Message}");
        }

        if (_latchedAt is { } latched && now >= latched + LatchEnd)
        {
            _latchedAt = null;
        }
    }

    /// <summary>Without a cluster manager nobody tells a replica to follow: it does so by itself.</summary>
    private void FollowUnasked()
    {
        if (File.Accepted.ClusterType == ClusterType.None && Role != ReplicaRole.Primary && _attempt is null && IsContactReady
            && !(IsFollowing && _followedEpoch == _contact!.Epoch))
        {
            BecomeSecondary();
        }
    }

    /// <summary>Starts the undo of what goes beyond the primary's log. It takes its time, and the database is REVERTING meanwhile.</summary>
    /// <returns>False when it is over, or there is nothing to wait for.</returns>
    private bool Undo(long link, LogBlock block, Database database)
    {
        if (database.Entry.Seeding || _instance.Options.UndoTime == TimeSpan.Zero || _undoing.Remove(block.Database))
        {
            return false;
        }

        var undoing = new Undoing(_environment.Now + _instance.Options.UndoTime);
        undoing.Held.Add((link, block));
        _undoing.Add(block.Database, undoing);
        database.Recovered = false;
        return true;
    }

    private void WatchUndo(TimeSpan now)
    {
        foreach (var (database, undoing) in _undoing.Where(pair => now >= pair.Value.Due).ToList())
        {
            undoing.IsOver = true;
            foreach (var (link, block) in undoing.Held)
            {
                Receive(link, block);
            }

            if (_undoing.GetValueOrDefault(database) == undoing)
            {
                _undoing.Remove(database);
            }
        }
    }

    private sealed class Undoing(TimeSpan due)
    {
        public TimeSpan Due => due;

        public bool IsOver { get; set; }

        public List<(long Link, LogBlock Block)> Held { get; } = [];
    }
}
