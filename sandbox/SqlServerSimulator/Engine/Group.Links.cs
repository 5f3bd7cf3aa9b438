using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Connections between replicas and what they say on them.</summary>
internal sealed partial class Group
{
    /// <summary>The error code of a connection that broke.</summary>
    private const int LostConnection = 10054;

    private PrimaryContact? _contact;
    private long? _followedEpoch;
    private Guid _followedPrimary;
    private bool _following;

    /// <summary>Whether log flows, or could flow, from the primary that SET (ROLE = SECONDARY) chose.</summary>
    public bool IsFollowing => Role == ReplicaRole.Secondary && _following && _contact is not null;

    public Guid KnownPrimary => Role == ReplicaRole.Primary ? File.LocalReplica : _followedEpoch == File.Promised ? _followedPrimary : File.Accepted.Primary;

    public long EndSent { get; private set; }

    /// <summary>SET (ROLE = SECONDARY).</summary>
    public SqlError? BecomeSecondary()
    {
        // The new primary must be here, and so must its configuration: it may say that copies are suspended.
        if (Role == ReplicaRole.Primary)
        {
            if (!Facts.SetRoleDemotesPrimary && File.Accepted.ClusterType == ClusterType.External)
            {
                return Errors.NotOnline(Name);
            }

            // Accepted is not done: there may be nobody to follow yet.
            StepDown(Errors.GroupEnded(Name));
            return null;
        }

        if (_contact is null || !IsContactReady || _latchedAt is not null)
        {
            CameEarly();
            return Errors.NotOnline(Name);
        }

        AbandonAttempt();
        var wasFollowing = IsFollowing && _followedEpoch == _contact.Epoch;
        if (wasFollowing && !Facts.SetRoleCancelsSeeding && Databases.Any(database => database.Entry.Seeding))
        {
            return null;
        }

        Become(ReplicaRole.Secondary);
        if (File.LedLast)
        {
            File.LedLast = false;
            Save();
        }

        _followedEpoch = _contact.Epoch;
        _followedPrimary = _contact.Replica;
        if (!wasFollowing)
        {
            foreach (var database in Databases)
            {
                database.Recovered = false;
            }
        }

        StartFollowing();
        return null;
    }

    /// <summary>Asks the followed primary for the log again, after something local has changed.</summary>
    public void FollowAgain()
    {
        if (IsFollowing)
        {
            AskForLog();
        }
    }

    /// <summary>A local copy is lost: as a secondary it takes no more log.</summary>
    public void CopyLost() => FollowAgain();

    /// <summary>Closes the connections to peers of these names.</summary>
    public void CutOff(Predicate<string> concerned)
    {
        foreach (var peer in Peers.Values.Where(peer => peer.Link != 0 && _effective.Replica(peer.Replica) is { } replica && concerned(replica.Name)).ToList())
        {
            HangUp(peer);
            peer.LastError = "An existing connection was forcibly closed by the remote host.";
            peer.LastErrorTime = _environment.UtcNow;
        }

        if (_contact is { } contact && Configuration.Replica(contact.Replica) is { } primary && concerned(primary.Name))
        {
            _instance.CloseLink(contact.Link);
            LostContact();
        }
    }

    /// <summary>The group is dropped on its primary.</summary>
    public void TellRemoved()
    {
        foreach (var peer in Peers.Values)
        {
            Send(peer, new Removed(Id, File.LocalReplica, peer.Replica, File.Promised));
        }
    }

    /// <summary>A database was suspended or resumed here.</summary>
    public void MovementChanged(Database database)
    {
        if (Role != ReplicaRole.Primary)
        {
            FollowAgain();
            return;
        }

        foreach (var peer in Peers.Values.Where(peer => peer.Following).ToList())
        {
            if (database.Entry.Suspended)
            {
                FailSeedings(seeding => seeding.Database == database.Entry.GroupDatabase && seeding.Remote == peer.Replica, SeedingFailure.Cancelled);
                peer.Copies[database.Entry.GroupDatabase!.Value] = new CopyState { Suspended = true };
            }
            else
            {
                Redial(peer.Replica);
            }
        }

        Reconcile();
        CheckCommits();
    }

    private void StartFollowing()
    {
        _following = true;
        DropArrivals(SeedingFailure.Seeding);
        AskForLog();
    }

    private void AskForLog()
    {
        List<LogPosition> positions = [];
        foreach (var member in File.Accepted.Databases)
        {
            var database = Database(member.Id);
            if (database is { Entry.Seeding: true })
            {
                continue;
            }

            if (database is not null && database.Entry.ResumedAfter < File.Accepted.Forced && !database.Entry.Suspended)
            {
                database.Entry.Suspended = true;
                database.Entry.SuspendReason = 1;
                _instance.SaveMaster();
            }

            var stopped = database is not null && (database.Entry.Suspended || database.Damage != Damage.None);
            positions.Add(new LogPosition(member.Id, database is not null, stopped, database?.Epochs() ?? []));
        }

        Send(
            _contact!.Link,
            new Follow(Id, File.LocalReplica, _contact.Replica, _contact.Epoch, File.MayCreateDatabases, positions));
    }

    private void StopFollowing(bool notify)
    {
        var contact = _contact;
        var wasFollowing = _following;
        _following = false;
        _followedEpoch = null;
        _undoing.Clear();
        if (notify && wasFollowing && contact is not null)
        {
            SendStatus(contact.Link, contact.Replica);
        }

        DropArrivals(SeedingFailure.Cancelled);
    }

    private void DialPeers()
    {
        if (!_instance.EndpointStarted || (Role != ReplicaRole.Primary && _attempt is null))
        {
            return;
        }

        foreach (var replica in _effective.Replicas.Where(replica => replica.Id != File.LocalReplica))
        {
            if (!Peers.TryGetValue(replica.Id, out var peer))
            {
                peer = new Peer(replica.Id);
                Peers.Add(replica.Id, peer);
            }

            if (peer is { Link: 0, Unresolved: false } && !_instance.Traffic.IsCut(replica.Name))
            {
                peer.Link = _instance.OpenLink(this, replica.EndpointUrl);
            }
        }

        _instance.ScheduleTick();
    }

    public void HangUp(bool later = false)
    {
        foreach (var peer in Peers.Values)
        {
            HangUp(peer, later);
        }

        Peers.Clear();
    }

    private void HangUp(Peer peer, bool later = false)
    {
        if (later)
        {
            // What was said last must still arrive.
            _instance.CloseLinkLater(peer.Link);
        }
        else
        {
            _instance.CloseLink(peer.Link);
        }

        peer.Link = 0;
        Forget(peer);
    }

    private void Forget(Peer peer)
    {
        peer.Up = false;
        peer.IsMember = false;
        peer.Following = false;
        peer.Accepted = 0;
        peer.Offered = 0;
        FailSeedings(seeding => seeding.Remote == peer.Replica, SeedingFailure.Transport, LostConnection);
        peer.Copies.Clear();
        peer.Lacking.Clear();
    }

    /// <summary>The endpoint was stopped or its address changed: all connections begin anew.</summary>
    public void EndpointChanged()
    {
        _latchedAt = null;
        _early = null;
        HangUp();
        LostContact();
        DialPeers();
        Reconcile();
    }

    public void Redial(Guid replica)
    {
        if (Peers.TryGetValue(replica, out var peer))
        {
            HangUp(peer);
            Peers.Remove(replica);
            DialPeers();
            Reconcile();
        }
    }

    public void OutgoingUp(long link)
    {
        if (Peers.Values.FirstOrDefault(peer => peer.Link == link) is not { } peer)
        {
            return;
        }

        Forget(peer);
        peer.Up = true;
        peer.Heard = _environment.Now;
        if (Role == ReplicaRole.Primary)
        {
            Greet(peer);
        }
        else if (_attempt is not null)
        {
            Send(peer, new Prepare(Id, File.LocalReplica, peer.Replica, _attempt.Epoch));
        }
    }

    /// <summary>The name of a replica is not known. A replica that never joined may stay without a connection because of it.</summary>
    public void OutgoingUnresolved(long link)
    {
        if (Facts.UnresolvedNameIsFinal
            && Peers.Values.FirstOrDefault(peer => peer.Link == link) is { } peer
            && _effective.Replica(peer.Replica) is { Joined: false })
        {
            HangUp(peer);
            peer.Unresolved = true;
            peer.LastError = "11001: no such host is known.";
            peer.LastErrorTime = _environment.UtcNow;
        }
    }

    public void OutgoingDown(long link, string why)
    {
        if (Peers.Values.FirstOrDefault(peer => peer.Link == link) is not { } peer)
        {
            return;
        }

        Forget(peer);
        peer.LastError = why;
        peer.LastErrorTime = _environment.UtcNow;
        Reconcile();
        CheckCommits();
    }

    public void OutgoingFailed(long link, string why)
    {
        if (Peers.Values.FirstOrDefault(peer => peer.Link == link) is { Up: false } peer)
        {
            peer.LastError = why;
            peer.LastErrorTime = _environment.UtcNow;
        }
    }

    public void IncomingDown(long link)
    {
        if (_candidateLink == link)
        {
            _candidateLink = 0;
            _early = null;
        }

        if (_contact?.Link == link)
        {
            LostContact();
        }
    }

    private void LostContact()
    {
        _contact = null;
        _undoing.Clear();
        DropArrivals(SeedingFailure.Transport, error: LostConnection);
    }

    public void Tick()
    {
        var now = _environment.Now;
        if (Role == ReplicaRole.Primary && !IsLeaseValid)
        {
            LeaseExpired();
        }

        WatchEarly(now);
        WatchUndo(now);

        if (_contact is { } contact && now - contact.Heard > TimeSpan.FromSeconds(contact.SessionTimeout))
        {
            _instance.CloseLink(contact.Link);
            LostContact();
        }

        if (Role != ReplicaRole.Primary && _attempt is null)
        {
            return;
        }

        foreach (var peer in Peers.Values.Where(peer => peer.Up).ToList())
        {
            var timeout = TimeSpan.FromSeconds(_effective.Replica(peer.Replica)?.SessionTimeout ?? 10);
            if (now - peer.Heard > timeout)
            {
                HangUp(peer);
                peer.LastError = "A connection timeout has occurred on a previously established connection.";
                peer.LastErrorTime = _environment.UtcNow;
            }
        }

        if (now >= _nextPing)
        {
            _nextPing = now + PingPeriod;
            foreach (var peer in Peers.Values.Where(peer => peer.Up))
            {
                if (Role == ReplicaRole.Primary)
                {
                    Greet(peer);
                }
            }

            if (_attempt is not null)
            {
                SendPrepares();
            }
        }

        DialPeers();
        Reconcile();
        CheckCommits();
    }

    public TimeSpan? NextTick()
    {
        TimeSpan? next = null;
        void Consider(TimeSpan at) => next = next is { } current && current < at ? current : at;

        if (Role == ReplicaRole.Primary && _effective.WriteLease && LeaseEnd is { } end)
        {
            Consider(end);
        }

        if (_contact is { } contact)
        {
            Consider(contact.Heard + TimeSpan.FromSeconds(contact.SessionTimeout) + TimeSpan.FromMilliseconds(1));
        }

        if (Peers.Count > 0)
        {
            Consider(_nextPing);
        }

        if (_early is { } early)
        {
            Consider(early + ReadyTime);
        }

        if (_latchedAt is { } latched)
        {
            Consider(latched + LatchEnd);
        }

        foreach (var undo in _undoing.Values)
        {
            Consider(undo.Due);
        }

        return next;
    }

    private void Greet(Peer peer) => Send(
        peer,
        new Hello(
            Id,
            File.LocalReplica,
            peer.Replica,
            File.Promised,
            Name,
            _effective.ClusterType,
            _effective.Replica(peer.Replica)?.SessionTimeout ?? 10));

    private void Send(Peer peer, PeerMessage message)
    {
        if (peer.Up)
        {
            Send(peer.Link, message);
        }
    }

    private void Send(long link, PeerMessage message) => _instance.Send(link, message);

    private void SendStatus(long link, Guid to) => Send(
        link,
        new PeerStatus(
            Id, File.LocalReplica, to, true, File.Promised, File.PromisedTo, File.Accepted.Sequence, (byte)Role, _following && Role == ReplicaRole.Secondary));

    public void Receive(long link, PeerMessage message)
    {
        if (message.To != File.LocalReplica)
        {
            return;
        }

        switch (message)
        {
            case Prepare or Accept when _instance.IsLogFull:
                // Neither a promise nor a configuration can be kept.
                break;
            case Hello hello:
                if (Obey(link, hello.From, hello.Epoch))
                {
                    Meet(link, hello);
                }

                SendStatus(link, hello.From);
                break;
            case Prepare prepare:
                var promise = Consider(prepare);
                if (promise.Granted)
                {
                    _candidateLink = link;
                }

                Send(link, promise);
                break;
            case Accept accept:
                if (Obey(link, accept.From, accept.Epoch) && accept.Configuration.Sequence > File.Accepted.Sequence)
                {
                    Take(accept.Configuration);
                }

                SendStatus(link, accept.From);
                break;
            case LogBlock block:
                if (IsFollowing && link == _contact!.Link && block.Epoch == _followedEpoch && block.Epoch == File.Promised)
                {
                    TakeLog(link, block);
                }

                break;
            case LogBackedUp backup:
                if (Role == ReplicaRole.Primary || (IsFollowing && link == _contact!.Link))
                {
                    Learn(backup);
                }

                break;
            case Removed removed:
                if (removed.Epoch >= File.Promised)
                {
                    _instance.RemoveGroup(this, restoring: true);
                }

                break;
            default:
                if (Peers.TryGetValue(message.From, out var peer) && peer.Link == link)
                {
                    peer.Heard = _environment.Now;
                    Receive(peer, message);
                }

                break;
        }
    }

    /// <summary>A leader is obeyed unless a later epoch was promised. Whoever leads an epoch was promised it by a majority.</summary>
    private bool Obey(long link, Guid from, long epoch)
    {
        if (epoch < File.Promised || (epoch == File.Promised && Role == ReplicaRole.Primary))
        {
            return false;
        }

        if (epoch > File.Promised || File.PromisedTo != from)
        {
            Yield(from, epoch);
        }

        return true;
    }

    private void Yield(Guid to, long epoch)
    {
        File.Promised = epoch;
        File.PromisedTo = to;
        File.WasPrimary = false;
        Save();
        StepDown(Errors.GroupEnded(Name));
        AbandonAttempt();
        if (_contact is not null && _contact.Epoch < epoch)
        {
            _instance.CloseLink(_contact.Link);
            LostContact();
        }

        // A secondary does not change to another primary by itself: it waits for SET (ROLE = SECONDARY).
        _following = false;
    }

    private void Meet(long link, Hello hello)
    {
        var isNew = _contact?.Link != link;
        if (isNew && _contact is not null)
        {
            _instance.CloseLink(_contact.Link);
            LostContact();
        }

        if (isNew)
        {
            _contact = new PrimaryContact(link, hello.From, hello.Epoch);
            LastConnectTime = _environment.UtcNow;
            _instance.Log(
                $"A connection for availability group '{Name}' from availability replica '{Local.Name}' with id  [{File.LocalReplica}] to '{File.Accepted.Replica(hello.From)?.Name}' with id [{hello.From}] has been successfully established.");
            if (_latchedAt is { } latched && _environment.Now - latched >= LongLatch)
            {
                _latchedAt = null;
            }
        }

        _contact!.Heard = _environment.Now;
        _contact.SessionTimeout = hello.SessionTimeout;
        if (IsContactReady)
        {
            _early = null;
        }

        if (isNew && Role == ReplicaRole.Secondary && _followedEpoch == hello.Epoch && _followedPrimary == hello.From)
        {
            StartFollowing();
        }

        FollowUnasked();
    }

    private Promise Consider(Prepare prepare)
    {
        var granted = prepare.Epoch > File.Promised || (prepare.Epoch == File.Promised && File.PromisedTo == prepare.From);
        if (granted && prepare.Epoch > File.Promised)
        {
            Yield(prepare.From, prepare.Epoch);
        }

        return new Promise(Id, File.LocalReplica, prepare.From, prepare.Epoch, granted, File.Promised);
    }

    private void Take(GroupConfiguration configuration)
    {
        var before = File.Accepted;
        File.Accepted = configuration;
        File.LeftOut = configuration.Replica(File.LocalReplica) is null ? before.Replica(File.LocalReplica) ?? File.LeftOut : null;
        Save();
        if (configuration.Replica(File.LocalReplica) is null)
        {
            return;
        }

        foreach (var gone in before.Databases.Where(database => configuration.Databases.All(kept => kept.Id != database.Id)))
        {
            if (Database(gone.Id) is { Entry.Seeding: true } unfinished)
            {
                DropArrivals(SeedingFailure.Cancelled, unfinished);
            }
            else if (Database(gone.Id) is { } database)
            {
                Detach(database, restoring: true);
                _instance.SaveMaster();
            }
        }

        if (configuration.Databases.Any(database => before.Databases.All(known => known.Id != database.Id)))
        {
            FollowAgain();
        }

        FollowUnasked();
    }

    private void TakeLog(long link, LogBlock block)
    {
        _contact!.Heard = _environment.Now;
        EndSent = block.End;
        var database = Database(block.Database);
        if (block.Seeding is { } seeding)
        {
            if (database is not null && !database.Entry.Seeding)
            {
                return;
            }

            if (database is not null)
            {
                DropArrivals(SeedingFailure.Seeding, database);
            }

            if (!BeginArrival(link, block, seeding))
            {
                return;
            }

            database = Database(block.Database);
        }

        if (database is not null && _undoing.TryGetValue(block.Database, out var undoing) && !undoing.IsOver)
        {
            undoing.Held.Add((link, block));
            return;
        }

        if (database is null || database.Entry.Suspended || database.Damage != Damage.None || block.After > database.End)
        {
            return;
        }

        if (_instance.IsLogFull && block.Records.Count > 0)
        {
            if (database.Entry.Seeding)
            {
                var full = SqlInstance.LogFull(database.Name).Number;
                DropArrivals(SeedingFailure.SqlError, database, full);
                RefuseSeeding(link, block, SeedingFailure.SqlError, full);
                return;
            }

            database.Entry.Suspended = true;
            database.Entry.SuspendReason = 3;
            FollowAgain();
            return;
        }

        if (_arrivals.TryGetValue(block.Database, out var arrival))
        {
            arrival.Seeding.Transferred += block.Records.Sum(record => (long)record.Length);
        }

        var image = block.Piece is { } piece ? Gather(block, piece) : null;
        var after = block.After;
        var records = (block.Piece is null ? block.Records : image is null ? [] : [image]).Select(LogRecord.Parse).ToList();

        // What is already here and the same stays: it may have been acknowledged because it is here.
        while (records.Count > 0 && database.Holds(records[0]))
        {
            after = records[0].Lsn;
            records.RemoveAt(0);
        }

        if ((records.Count > 0 || block.End <= after) && after < database.End)
        {
            if (after < database.Base)
            {
                _instance.Log($"Error: 1412, Severity: 16, State: 0. The local copy of database \"{database.Name}\" cannot be taken back to where the primary's log parts from it.");
                return;
            }

            if (Undo(link, block, database))
            {
                return;
            }

            database.Rewind(after);
        }

        foreach (var record in records)
        {
            database.Append(record);
        }

        database.Apply(database.End);
        database.Recovered = true;
        database.HeldByAll = block.HeldByAll;
        _instance.CheckpointIfDue(database);
        CompleteArrival(database);
        var written = database.End;
        _instance.Flushes.After(() =>
        {
            if (link == _contact?.Link && block.Epoch == _followedEpoch && block.Epoch == File.Promised)
            {
                Send(link, new Hardened(Id, File.LocalReplica, block.From, block.Epoch, block.Database, Math.Min(written, database.End)));
            }
        });
    }

    private void Receive(Peer peer, PeerMessage message)
    {
        switch (message)
        {
            case PeerStatus status:
                _highestEpochSeen = Math.Max(_highestEpochSeen, status.Promised);
                if (status.Promised > File.Promised)
                {
                    StepDown(Errors.GroupEnded(Name));
                    AbandonAttempt();
                    return;
                }

                peer.IsMember = status.IsMember;
                peer.Accepted = status.IsMember ? status.Accepted : 0;
                peer.Role = (ReplicaRole)status.Role;
                if (!status.Following)
                {
                    peer.Following = false;
                    FailSeedings(seeding => seeding.Remote == peer.Replica, SeedingFailure.Cancelled);
                    peer.Copies.Clear();
                }

                if (status.IsMember)
                {
                    Offer(peer);
                }

                Reconcile();
                CheckMajority();
                CheckCommits();
                break;
            case Promise promise when _attempt is not null && promise.Epoch == _attempt.Epoch:
                _highestEpochSeen = Math.Max(_highestEpochSeen, promise.Promised);
                if (!promise.Granted)
                {
                    _instance.Log($"Availability group '{Name}': another replica has promised a later configuration. The failover is given up.");
                    AbandonAttempt();
                    return;
                }

                peer.IsMember = true;
                _attempt.Promises.Add(peer.Replica);
                if (_attempt.Proposed)
                {
                    Offer(peer);
                }
                else
                {
                    CheckPromises();
                }

                break;
            case JoinRequest when Role == ReplicaRole.Primary && _effective.Replica(peer.Replica) is not null:
                Send(peer, new JoinAnswer(Id, File.LocalReplica, peer.Replica, _effective));
                break;
            case Joined when Role == ReplicaRole.Primary:
                FailSeedings(seeding => seeding.Remote == peer.Replica, SeedingFailure.Cancelled);
                ForgetFailures(peer.Replica);
                peer.Copies.Clear();
                Reconcile();
                Greet(peer);
                break;
            case Follow follow when Role == ReplicaRole.Primary && follow.Epoch == File.Promised:
                Serve(peer, follow);
                break;
            case Hardened hardened when Role == ReplicaRole.Primary && hardened.Epoch == File.Promised:
                if (peer.Copy(hardened.Database) is { } copy && Database(hardened.Database) is { } database)
                {
                    copy.Hardened = hardened.Lsn;
                    copy.InFlight = hardened.Lsn >= copy.Sent && copy.Image is null ? 0 : Math.Max(0, copy.InFlight - 1);
                    copy.LastHardened = _environment.UtcNow;
                    SeedingHardened(copy, hardened.Lsn);
                    Pump(peer, database, copy);
                    CheckCommits(database);
                    Reconcile();
                }

                break;
            case SeedingRefused refused:
                FailSeedings(
                    seeding => seeding.Remote == peer.Replica && seeding.Database == refused.Database, refused.Failure, refused.Error);
                break;
            default:
                break;
        }
    }

    /// <summary>Sends a secondary what it lacks.</summary>
    private void Serve(Peer peer, Follow follow)
    {
        peer.Following = true;
        peer.Role = ReplicaRole.Secondary;
        peer.MayCreateDatabases = follow.MayCreateDatabases;
        foreach (var database in Databases)
        {
            TellLogBackup(database, peer);
        }

        var replica = _effective.Replica(peer.Replica);
        foreach (var position in follow.Positions)
        {
            if (replica is null || replica.Mode == AvailabilityMode.ConfigurationOnly || Database(position.Database) is not { } database)
            {
                continue;
            }

            var end = position.Epochs.Count > 0 ? position.Epochs[^1].Lsn : 0;
            if (position is { Present: true, Suspended: false }
                && peer.Copy(position.Database) is { Streaming: true, SeedingTarget: null } known
                && end >= known.Hardened)
            {
                continue;
            }

            FailSeedings(
                seeding => seeding.Remote == peer.Replica && seeding.Database == position.Database,
                follow.MayCreateDatabases ? SeedingFailure.Seeding : SeedingFailure.Denied);
            peer.Copies.Remove(position.Database);
            if (!position.Present)
            {
                peer.Lacking.Add(position.Database);
                if (follow.MayCreateDatabases)
                {
                    Seed(peer, database);
                }

                continue;
            }

            peer.Lacking.Remove(position.Database);
            var copy = new CopyState();
            peer.Copies[position.Database] = copy;
            if (position.Suspended || database.Entry.Suspended)
            {
                copy.Suspended = true;
                continue;
            }

            copy.Sent = copy.Hardened = database.CommonWith(position.Epochs);
            if (copy.Sent < database.Base && end > 0)
            {
                _instance.Log($"Error: 1412, Severity: 16, State: 0. The remote copy of database \"{database.Name}\" has not been rolled forward to a point in time that is encompassed in the local copy of the database log.");
                peer.Copies.Remove(position.Database);
                continue;
            }

            copy.Streaming = true;
            SendBlock(peer, database, copy, null);
            Pump(peer, database, copy);
        }

        Reconcile();
        CheckCommits();
    }

    private sealed class PrimaryContact(long link, Guid replica, long epoch)
    {
        public long Link => link;

        public Guid Replica => replica;

        public long Epoch => epoch;

        public TimeSpan Heard { get; set; }

        public int SessionTimeout { get; set; } = 10;
    }
}
