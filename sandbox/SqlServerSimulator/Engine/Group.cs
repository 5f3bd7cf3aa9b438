using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Roles, numbered as in sys.dm_hadr_availability_replica_states.</summary>
internal enum ReplicaRole : byte
{
    Resolving = 0,
    Primary = 1,
    Secondary = 2,
}

/// <summary>
/// The local replica of one availability group. Its configuration is a register that a majority of voters agrees on: a candidate first
/// collects promises for a new epoch, then proposes configurations in it; whoever promised a later epoch ignores earlier primaries.
/// </summary>
internal sealed partial class Group
{
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(1);

    private readonly SqlInstance _instance;
    private readonly IEngineEnvironment _environment;
    private readonly List<GroupConfiguration> _uncommitted = [];
    private readonly List<(long Sequence, Operation Operation)> _waiting = [];
    private GroupConfiguration _effective;
    private Attempt? _attempt;
    private long _highestEpochSeen;
    private TimeSpan _nextPing;
    private bool _isUnsettled;

    public Group(SqlInstance instance, GroupFile file)
    {
        _instance = instance;
        _environment = instance.Environment;
        File = file;
        _effective = file.Accepted;
        LastConnectTime = instance.Environment.UtcNow;
    }

    public GroupFile File { get; }

    public Guid Id => File.Accepted.Id;

    public string Name => File.Accepted.Name;

    public ReplicaRole Role { get; private set; }

    private UncertainFacts Facts => _instance.Options.Facts;

    /// <summary>The configuration in force: on a primary the last one committed, elsewhere the last one accepted.</summary>
    public GroupConfiguration Configuration => Role == ReplicaRole.Primary ? _effective : File.Accepted;

    public ReplicaConfiguration Local => Configuration.Replica(File.LocalReplica) ?? File.Accepted.Replica(File.LocalReplica) ?? File.LeftOut!;

    public bool IsFailoverPending => _attempt is not null;

    /// <summary>When the oldest configuration change that has no majority yet was proposed.</summary>
    public DateTime? CommitStart { get; private set; }

    /// <summary>End of the write lease; null when it was never extended since the process started.</summary>
    public TimeSpan? LeaseEnd { get; private set; }

    public Dictionary<Guid, Peer> Peers { get; } = [];

    public List<SeedingRecord> Seedings { get; } = [];

    public DateTime LastConnectTime { get; private set; }

    /// <summary>What is left of the write lease.</summary>
    public TimeSpan LeaseRemaining => LeaseEnd is { } end && end > _environment.Now ? end - _environment.Now : TimeSpan.Zero;

    public bool IsLeaseValid => !Configuration.WriteLease || (LeaseEnd is { } end && _environment.Now < end);

    public IEnumerable<Database> Databases => _instance.Databases.Values.Where(database => database.Entry.Group == Id);

    public Database? Database(Guid id) => Databases.FirstOrDefault(database => database.Entry.GroupDatabase == id);

    public void Save() => _instance.SaveGroup(this);

    /// <summary>The creator is primary at once.</summary>
    public void StartAsPrimary()
    {
        Become(ReplicaRole.Primary);
        _effective = File.Accepted;
        File.WasPrimary = File.LedLast = true;
        Save();
        foreach (var database in Databases)
        {
            database.Apply(database.End);
            database.Recovered = true;
        }

        DialPeers();
    }

    /// <summary>The process has started: with external cluster type the replica waits to be told its role.</summary>
    public void Restart()
    {
        var external = File.Accepted.ClusterType == ClusterType.External;
        if (File.WasPrimary && File.PromisedTo == File.LocalReplica && (!external || Facts.RestartsAsPrimary))
        {
            StartAsPrimary();

            // Whether a majority has the last configuration is not known any more.
            _isUnsettled = true;
            Propose(configuration => configuration, null);
        }
        else if (!external)
        {
            Become(ReplicaRole.Secondary);
        }
    }

    /// <summary>WRITE_LEASE_VALIDITY.</summary>
    public SqlError? ExtendLease(long seconds)
    {
        if (!File.Accepted.WriteLease)
        {
            return Errors.Make(
                47116,
                16,
                $"The external lease cannot be set on availability group '{Name}'. External Lease updates are not enabled for this availability group.");
        }

        if (CheckLeaseTime(Name, seconds) is { } wrong)
        {
            return wrong;
        }

        var end = _environment.Now + TimeSpan.FromSeconds(seconds);
        if (LeaseEnd is { } current && end < current)
        {
            return Errors.Make(
                47119,
                16,
                $"The current write lease of the availability group '{Name}' is still valid. The lease expiration time cannot be set to an earlier time than its current value.");
        }

        LeaseEnd = end;
        return null;
    }

    public static SqlError? CheckLeaseTime(string name, long seconds) => seconds switch
    {
        <= 0 => Errors.Make(
            47117,
            16,
            $"The 'WRITE_LEASE_VALIDITY' option must be specified with a valid time value when updating the Availability Group's external write lease status on availability group '{name}'."),
        > int.MaxValue => Errors.Make(
            47118,
            16,
            $"The 'WRITE_LEASE_VALIDITY' option must be specified with a valid value when updating the external lease status on availability group '{name}'."),
        _ => null,
    };

    // Failover

    /// <summary>FAILOVER. The statement ends once the checks pass; the role follows when a majority has answered.</summary>
    public SqlError? FailOver(bool force)
    {
        if (Role == ReplicaRole.Primary)
        {
            return Errors.AlreadyPrimary(Name);
        }

        if (File.Accepted.Replica(File.LocalReplica) is not { } local)
        {
            return Errors.NotSynchronized(Name);
        }

        if (local.Mode == AvailabilityMode.ConfigurationOnly)
        {
            return Errors.Make(
                47109, 16, $"Availability group '{Name}' cannot failover to this replica. Configuration-only replica cannot become primary.");
        }

        if (File.Accepted.Databases.Any(database => Database(database.Id) is not { Damage: Damage.None, Entry: { Seeding: false, Restoring: false } }))
        {
            return Errors.NotSynchronized(Name);
        }

        if (!force
            && (local.Mode != AvailabilityMode.SynchronousCommit
                || File.Accepted.Databases.Any(database =>
                    !local.Synchronized.Contains(database.Id) || Database(database.Id)!.Entry.Suspended)))
        {
            return Errors.NotSynchronized(Name);
        }

        StopFollowing(notify: true);
        _early = null;
        _latchedAt = null;
        Become(ReplicaRole.Resolving);
        EndSessions(Errors.NoRole);
        if (force)
        {
            ForceFailOver();
            return null;
        }

        _effective = File.Accepted;
        _attempt = new Attempt(Math.Max(File.Promised, _highestEpochSeen) + 1);
        File.Promised = _attempt.Epoch;
        File.PromisedTo = File.LocalReplica;
        Save();
        _attempt.Promises.Add(File.LocalReplica);
        DialPeers();
        SendPrepares();
        CheckPromises();
        return null;
    }

    private void ForceFailOver()
    {
        // No majority is asked: whoever forces says that there is none. The wide step keeps clear of epochs that others may be using.
        var epoch = Math.Max(File.Promised, _highestEpochSeen) + 16;
        File.Promised = epoch;
        File.PromisedTo = File.LocalReplica;
        File.Accepted = FirstOf(epoch) with { Forced = epoch };
        _effective = File.Accepted;
        BecomePrimary();
        DialPeers();
    }

    private GroupConfiguration FirstOf(long epoch) => File.Accepted with
    {
        Epoch = epoch,
        Sequence = (epoch << 32) | ((File.Accepted.Sequence + 1) & uint.MaxValue),
        Primary = File.LocalReplica,
        Replicas =
        [
            .. File.Accepted.Replicas.Select(replica => replica with
            {
                Synchronized = replica.Id == File.LocalReplica ? [.. File.Accepted.Databases.Select(database => database.Id)] : [],
            }),
        ],
    };

    private void SendPrepares()
    {
        foreach (var peer in Peers.Values.Where(peer => peer.Up && !_attempt!.Promises.Contains(peer.Replica)))
        {
            Send(peer, new Prepare(Id, File.LocalReplica, peer.Replica, _attempt!.Epoch));
        }
    }

    private void CheckPromises()
    {
        if (_attempt is not { Proposed: false })
        {
            return;
        }

        var voters = File.Accepted.Voters.ToList();
        if (voters.Count(voter => _attempt.Promises.Contains(voter.Id)) * 2 <= voters.Count && voters.Count > 0)
        {
            return;
        }

        _attempt.Proposed = true;
        _effective = File.Accepted;
        Store(FirstOf(_attempt.Epoch));
    }

    private void BecomePrimary()
    {
        Become(ReplicaRole.Primary);
        _attempt = null;
        File.WasPrimary = File.LedLast = true;
        Save();
        foreach (var database in Databases)
        {
            database.Append(_effective.Epoch, [new EpochStart()]);
            database.Apply(database.End);
            database.Recover();
            database.Entry.ResumedAfter = _effective.Forced;
            database.Entry.Suspended = false;
        }

        _instance.SaveMaster();
        foreach (var peer in Peers.Values.Where(peer => peer.Up))
        {
            Greet(peer);
        }

        if (!IsLeaseValid)
        {
            LeaseExpired();
        }
    }

    /// <summary>OFFLINE.</summary>
    public SqlError? TakeOffline()
    {
        if (Role == ReplicaRole.Primary)
        {
            // The strict reading: each joined synchronous secondary must hold every database.
            if (Local.Mode == AvailabilityMode.SynchronousCommit && _effective.Replicas.Any(replica =>
                replica.Id != File.LocalReplica
                && replica is { Joined: true, Mode: AvailabilityMode.SynchronousCommit }
                && (Facts.OfflineCountsDisconnected || _effective.Required > 0 || Peers.GetValueOrDefault(replica.Id) is { Up: true, IsMember: true })
                && _effective.Databases.Any(database => !IsSynchronized(replica, database.Id))))
            {
                return Errors.Make(
                    19416,
                    16,
                    $"One or more databases in availability group '{Name}' are not synchronized. On a synchronous-commit availability replica, ALTER AVAILABILITY GROUP <group_name> OFFLINE is not allowed when one or more databases are not synchronized.");
            }

            StepDown(Errors.GroupEnded(Name));
            return null;
        }

        if (Role == ReplicaRole.Secondary && !Facts.SecondaryGoesOffline)
        {
            return Errors.NotPrimary(Name);
        }

        AbandonAttempt();
        StopFollowing(notify: true);
        Become(ReplicaRole.Resolving);
        EndSessions(Errors.NoRole);
        return null;
    }

    /// <summary>Stops being primary, whatever is under way; what was not acknowledged stays in the log, undecided.</summary>
    public void StepDown(SqlError reason)
    {
        if (Role != ReplicaRole.Primary)
        {
            return;
        }

        _instance.Log($"The local replica of availability group '{Name}' is going offline: {reason.Message}");
        Become(ReplicaRole.Resolving);
        FailSeedings(_ => true, SeedingFailure.PrimaryFailure);
        File.WasPrimary = false;
        Save();
        ForgetProposals(reason);
        HangUp();
        EndSessions(_ => reason);
    }

    private void LeaseExpired()
    {
        if (Facts.LeaseExpiryMessage == 41091)
        {
            _instance.Log(
                $"Error: 41091, Severity: 10, State: 1. Always On: The local replica of availability group '{Name}' is going offline because either the lease expired or lease renewal failed.");
            StepDown(Errors.GroupEnded(Name));
        }
        else
        {
            _instance.Log($"Error: 19407, Severity: 16, State: 1. {Errors.LeaseExpired(Name).Message}");
            StepDown(Errors.LeaseExpired(Name));
        }
    }

    /// <summary>Takes a role, with the line that the error log has for it.</summary>
    private void Become(ReplicaRole role)
    {
        if (role == Role)
        {
            return;
        }

        _instance.Log(
            $"The state of the local availability replica in availability group '{Name}' has changed from '{StateName(Role)}' to '{StateName(role)}'.");
        Role = role;
    }

    private string StateName(ReplicaRole role) => role switch
    {
        ReplicaRole.Primary => "PRIMARY_NORMAL",
        ReplicaRole.Secondary => "SECONDARY_NORMAL",
        _ => _attempt is null ? "RESOLVING_NORMAL" : "RESOLVING_PENDING_FAILOVER",
    };

    private void ForgetProposals(SqlError reason)
    {
        _uncommitted.Clear();
        _isUnsettled = false;
        CommitStart = null;
        var waiting = _waiting.ToList();
        _waiting.Clear();
        foreach (var (_, operation) in waiting)
        {
            operation.Fail(reason);
        }
    }

    private void AbandonAttempt()
    {
        if (_attempt is not null)
        {
            _attempt = null;
            ForgetProposals(Errors.GroupEnded(Name));
            HangUp();
        }
    }

    private void EndSessions(Func<string, SqlError> reason)
    {
        foreach (var database in Databases.ToList())
        {
            _instance.EndSessionsIn(database, reason(database.Name));
        }
    }

    /// <summary>The group leaves this instance.</summary>
    public void Leave(bool restoring)
    {
        var reason = Errors.GroupEnded(Name);
        Become(ReplicaRole.Resolving);
        ForgetProposals(reason);
        _attempt = null;
        HangUp(later: true);
        StopFollowing(notify: false);
        foreach (var database in Databases.ToList())
        {
            Detach(database, restoring);
        }
    }

    public void Detach(Database database, bool restoring)
    {
        if (restoring)
        {
            _instance.EndSessionsIn(database, Errors.Restoring(database.Name));
        }
        else
        {
            SqlInstance.FailPending(database, Errors.GroupEnded(Name));
            database.Apply(database.End);
        }

        database.Entry.Group = null;
        database.Entry.Restoring = restoring;
        database.Entry.Suspended = false;
    }

    // Proposals

    /// <summary>Proposes a change of the configuration; the operation ends when a majority has stored it.</summary>
    public void Propose(Func<GroupConfiguration, GroupConfiguration> change, Operation? operation)
    {
        if (_instance.IsLogFull)
        {
            // It cannot be stored even here.
            CommitStart ??= _environment.UtcNow;
            operation?.Fail(SqlInstance.LogFull("master"));
            return;
        }

        var changed = change(File.Accepted);
        var next = changed with { Sequence = File.Accepted.Sequence + 1, Epoch = File.Promised };
        if (operation is not null)
        {
            _waiting.Add((next.Sequence, operation));
        }

        Store(next);
    }

    private void Store(GroupConfiguration next)
    {
        File.Accepted = next;
        Save();
        _uncommitted.Add(next);
        foreach (var peer in Peers.Values.Where(peer => !IsSynchronousPair(peer.Replica)))
        {
            foreach (var copy in peer.Copies.Values)
            {
                copy.ParticipatesFrom = long.MaxValue;
            }
        }

        CommitStart ??= _environment.UtcNow;
        foreach (var peer in Peers.Values.Where(peer => peer.Up && peer.IsMember))
        {
            Offer(peer);
        }

        CheckMajority();
    }

    private void Offer(Peer peer)
    {
        if (peer.Offered < File.Accepted.Sequence && (Role == ReplicaRole.Primary || _attempt is { Proposed: true }))
        {
            peer.Offered = File.Accepted.Sequence;
            Send(peer, new Accept(Id, File.LocalReplica, peer.Replica, File.Promised, File.Accepted));
        }
    }

    private bool HasMajority(GroupConfiguration configuration)
    {
        var voters = configuration.Voters.ToList();
        return voters.Count == 0
            || voters.Count(voter => voter.Id == File.LocalReplica
                || (Peers.TryGetValue(voter.Id, out var peer) && peer.Accepted == File.Accepted.Sequence)) * 2 > voters.Count;
    }

    private void CheckMajority()
    {
        if (_uncommitted.Count == 0 || !HasMajority(_effective) || !HasMajority(File.Accepted))
        {
            return;
        }

        var before = _effective;
        _effective = File.Accepted;
        _isUnsettled = false;
        _uncommitted.Clear();
        CommitStart = null;
        if (_attempt is not null)
        {
            BecomePrimary();
            if (Role != ReplicaRole.Primary)
            {
                return;
            }
        }

        foreach (var gone in before.Databases.Where(database => _effective.Databases.All(kept => kept.Id != database.Id)))
        {
            if (Database(gone.Id) is { } database)
            {
                FailSeedings(seeding => seeding.Database == gone.Id, SeedingFailure.Cancelled);
                Detach(database, restoring: false);
                _instance.SaveMaster();
            }
        }

        foreach (var peer in Peers.Values.Where(peer => _effective.Replica(peer.Replica) is null).ToList())
        {
            Send(peer, new Removed(Id, File.LocalReplica, peer.Replica, File.Promised));
            FailSeedings(seeding => seeding.Remote == peer.Replica, SeedingFailure.Cancelled);
            HangUp(peer, later: true);
            Peers.Remove(peer.Replica);
        }

        DialPeers();
        foreach (var peer in Peers.Values)
        {
            foreach (var (id, copy) in peer.Copies.Where(pair => pair.Value.Streaming).ToList())
            {
                if (Database(id) is { } database)
                {
                    Pump(peer, database, copy);
                }
            }
        }

        var done = _waiting.Where(wait => wait.Sequence <= _effective.Sequence).ToList();
        _waiting.RemoveAll(wait => wait.Sequence <= _effective.Sequence);
        Reconcile();
        CheckCommits();
        foreach (var (_, operation) in done)
        {
            operation.Succeed();
        }
    }

    /// <summary>Brings the configuration in line with which replicas are there and hold everything.</summary>
    private void Reconcile()
    {
        if (Role != ReplicaRole.Primary)
        {
            return;
        }

        GroupConfiguration Adjust(GroupConfiguration configuration)
        {
            foreach (var replica in configuration.Replicas)
            {
                if (replica.Id == File.LocalReplica)
                {
                    continue;
                }

                var peer = Peers.GetValueOrDefault(replica.Id);
                var joined = replica.Joined || peer is { Up: true, IsMember: true };
                List<Guid> synchronized = [];
                foreach (var database in configuration.Databases)
                {
                    var copy = peer?.Copy(database.Id);
                    if (replica.Mode == AvailabilityMode.SynchronousCommit
                        && IsSynchronousPair(replica.Id)
                        && copy is { Streaming: true, SeedingTarget: null }
                        && (replica.Synchronized.Contains(database.Id) || copy.Hardened >= copy.ParticipatesFrom))
                    {
                        synchronized.Add(database.Id);
                    }
                }

                if (joined != replica.Joined || !synchronized.SequenceEqual(replica.Synchronized))
                {
                    configuration = configuration.WithReplica(replica.Id, old => old with { Joined = joined, Synchronized = synchronized });
                }
            }

            return configuration;
        }

        if (Adjust(File.Accepted) != File.Accepted)
        {
            Propose(Adjust, null);
        }
        else if (_uncommitted.Count == 0)
        {
            CommitStart = null;
        }
    }

    // Commits

    /// <summary>Logs a transaction on the primary, or outside of any group's rule when there is nobody to wait for.</summary>
    public void AfterAppend(Database database)
    {
        if (database.Entry.GroupDatabase is { } id)
        {
            foreach (var peer in Peers.Values)
            {
                if (peer.Copy(id) is { Streaming: true } copy)
                {
                    Pump(peer, database, copy);
                }
            }
        }

        CheckCommits(database);
    }

    public void CheckCommits()
    {
        foreach (var database in Databases.ToList())
        {
            CheckCommits(database);
        }
    }

    private void CheckCommits(Database database)
    {
        if (Role != ReplicaRole.Primary)
        {
            return;
        }

        while (!_isUnsettled && database.Pending.TryPeek(out var pending) && pending.Flushed && IsHardened(database.Entry.GroupDatabase!.Value, pending.Lsn))
        {
            // S3: the lease must be valid at the moment of acknowledgement.
            if (!IsLeaseValid)
            {
                LeaseExpired();
                return;
            }

            database.Pending.Dequeue();
            SqlInstance.Acknowledge(database, pending);
        }

        _instance.CheckpointIfDue(database);
    }

    /// <summary>
    /// The LSN up to which every replica is known to hold the log, which so will never be undone or asked for. On a primary that is nothing as
    /// long as one of them is away, and the log grows; others know what their primary told them.
    /// </summary>
    public long Truncatable(Database database)
    {
        if (Role != ReplicaRole.Primary)
        {
            return database.HeldByAll;
        }

        var held = database.Applied;
        foreach (var replica in _uncommitted.Prepend(_effective).SelectMany(configuration => configuration.Replicas))
        {
            if (replica.Id != File.LocalReplica && replica.Mode != AvailabilityMode.ConfigurationOnly)
            {
                held = Math.Min(
                    held,
                    Peers.GetValueOrDefault(replica.Id)?.Copy(database.Entry.GroupDatabase!.Value) is { Streaming: true, SeedingTarget: null } copy
                        ? copy.Hardened
                        : 0);
            }
        }

        return held;
    }

    private bool IsHardened(Guid database, long lsn)
    {
        var synchronized = 0;
        foreach (var replica in _effective.Replicas)
        {
            if (replica.Id == File.LocalReplica)
            {
                continue;
            }

            var hardened = Peers.GetValueOrDefault(replica.Id)?.Copy(database)?.Hardened >= lsn;
            if (!hardened && MustHarden(replica.Id, database))
            {
                return false;
            }

            if (hardened && replica.Synchronized.Contains(database) && replica.Mode == AvailabilityMode.SynchronousCommit)
            {
                synchronized++;
            }
        }

        return synchronized >= _effective.Required;
    }

    /// <summary>Whether commits wait for a replica: it counts as synchronized in a configuration that may be in force, or is becoming so.</summary>
    public bool MustHarden(Guid replica, Guid database) =>
        _uncommitted.Prepend(_effective).Any(configuration => configuration.Replica(replica)?.Synchronized.Contains(database) == true)
        || Peers.GetValueOrDefault(replica)?.Copy(database) is { Streaming: true, ParticipatesFrom: < long.MaxValue };

    /// <summary>On a primary: connected, and flagged in the configuration in force.</summary>
    public bool IsSynchronized(ReplicaConfiguration replica, Guid database) =>
        replica.Synchronized.Contains(database)
        && (replica.Id == File.LocalReplica || Peers.GetValueOrDefault(replica.Id)?.Copy(database) is { Streaming: true, SeedingTarget: null });

    private void Pump(Peer peer, Database database, CopyState copy)
    {
        // While two blocks are on their way, commits gather for the next.
        while (copy.Sent < database.End && copy.InFlight < 2)
        {
            SendBlock(peer, database, copy, null);
        }

        if (IsSynchronousPair(peer.Replica)
            && copy.ParticipatesFrom == long.MaxValue
            && copy.SeedingTarget is null
            && database.End - copy.Hardened <= 256)
        {
            copy.ParticipatesFrom = database.End;
        }
    }

    /// <summary>Whether commits here may wait for a replica: not when one of the two is asynchronous.</summary>
    private bool IsSynchronousPair(Guid replica) =>
        File.Accepted.Replica(replica)?.Mode == AvailabilityMode.SynchronousCommit
        && File.Accepted.Replica(File.LocalReplica)?.Mode == AvailabilityMode.SynchronousCommit;

    private void SendBlock(Peer peer, Database database, CopyState copy, SeedingStart? seeding)
    {
        ImagePiece? piece = null;
        IReadOnlyList<byte[]> records;
        if (copy.Image is { } image)
        {
            piece = new ImagePiece(copy.ImageSent, image.Length);
            records = [image[copy.ImageSent..Math.Min(image.Length, copy.ImageSent + PieceBytes)]];
        }
        else
        {
            records = database.Records(copy.Sent, PieceBytes);
        }

        Send(
            peer,
            new LogBlock(
                Id, File.LocalReplica, peer.Replica, File.Promised, database.Entry.GroupDatabase!.Value, copy.Sent, records, database.End, seeding,
                Truncatable(database)) { Piece = piece });
        if (piece is not null && (copy.ImageSent += records[0].Length) == piece.Length)
        {
            copy.Image = null;
            copy.Sent = database.Base;
        }
        else if (piece is null)
        {
            copy.Sent = records.Count > 0 ? LogRecord.Parse(records[^1]).Lsn : copy.Sent;
        }

        if (copy.Seeding is { } active)
        {
            active.Transferred += records.Sum(record => (long)record.Length);
        }

        copy.InFlight++;
        copy.LastSent = _environment.UtcNow;
    }

    private sealed class Attempt(long epoch)
    {
        public long Epoch => epoch;

        public HashSet<Guid> Promises { get; } = [];

        /// <summary>A majority has promised; the configuration is proposed.</summary>
        public bool Proposed { get; set; }
    }
}

/// <summary>What a primary knows of another replica.</summary>
internal sealed class Peer(Guid replica)
{
    public Guid Replica => replica;

    public long Link { get; set; }

    public bool Up { get; set; }

    public TimeSpan Heard { get; set; }

    public bool IsMember { get; set; }

    /// <summary>Sequence number of the configuration it has stored.</summary>
    public long Accepted { get; set; }

    public long Offered { get; set; }

    public ReplicaRole Role { get; set; }

    public bool Following { get; set; }

    public Dictionary<Guid, CopyState> Copies { get; } = [];

    /// <summary>Databases that it said it does not have.</summary>
    public HashSet<Guid> Lacking { get; } = [];

    public bool MayCreateDatabases { get; set; }

    /// <summary>It is not dialled any more: its name was not known.</summary>
    public bool Unresolved { get; set; }

    public string LastError { get; set; } = "";

    public DateTime? LastErrorTime { get; set; }

    public CopyState? Copy(Guid database) => Copies.GetValueOrDefault(database);
}

/// <summary>What a primary knows of a copy of a database elsewhere.</summary>
internal sealed class CopyState
{
    public bool Streaming { get; set; }

    public bool Suspended { get; set; }

    public long Sent { get; set; }

    public long Hardened { get; set; }

    /// <summary>Blocks that were sent and not yet answered.</summary>
    public int InFlight { get; set; }

    public DateTime? LastSent { get; set; }

    public DateTime? LastHardened { get; set; }

    /// <summary>LSN at whose hardening a new copy is complete; null when it is.</summary>
    public long? SeedingTarget { get; set; }

    /// <summary>The attempt that makes the copy, until it is complete.</summary>
    public SeedingRecord? Seeding { get; set; }

    /// <summary>The database's image, until all of it is sent; null when there is none.</summary>
    public byte[]? Image { get; set; }

    public int ImageSent { get; set; }

    /// <summary>Commits after this LSN wait for the copy, though the configuration does not yet say so.</summary>
    public long ParticipatesFrom { get; set; } = long.MaxValue;
}

