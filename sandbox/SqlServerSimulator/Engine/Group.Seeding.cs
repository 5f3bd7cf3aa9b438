namespace SqlServerSimulator.Engine;

/// <summary>
/// Automatic seeding: a primary sends a whole database to a replica that lacks it, first its image in pieces, then the log. A copy that is not
/// complete is worth nothing: whatever interrupts it throws it away.
/// </summary>
internal sealed partial class Group
{
    /// <summary>Databases that an instance sends at a time.</summary>
    public const int MostSeedings = 5;

    private const int PieceBytes = 256 * 1024;

    private readonly Dictionary<Guid, Arrival> _arrivals = [];
    private readonly Dictionary<(Guid Database, Guid Replica), int> _failedSeedings = [];

    /// <summary>Databases that this primary is sending to replicas.</summary>
    public IEnumerable<Guid> DatabasesSent => Seedings.Where(seeding => seeding is { IsSource: true, IsRunning: true }).Select(seeding => seeding.Database);

    /// <summary>GRANT or DENY CREATE ANY DATABASE has changed what this replica may do.</summary>
    public void MayCreateChanged()
    {
        if (!File.MayCreateDatabases)
        {
            DropArrivals(SeedingFailure.Denied);
        }

        FollowAgain();
    }

    /// <summary>SEEDING_MODE was set: what failed before may be tried again.</summary>
    public void RetrySeeding(Guid replica)
    {
        ForgetFailures(replica);
        if (Peers.TryGetValue(replica, out var peer) && peer is { Up: true, Following: true, MayCreateDatabases: true })
        {
            foreach (var database in peer.Lacking.Select(Database).OfType<Database>().ToList())
            {
                Seed(peer, database);
            }
        }
    }

    /// <summary>Begins to send databases that waited for others.</summary>
    public void StartSeedings()
    {
        foreach (var seeding in Seedings.Where(seeding => seeding is { IsSource: true, Completed: null, IsRunning: false }).ToList())
        {
            if (Role == ReplicaRole.Primary
                && Peers.TryGetValue(seeding.Remote, out var peer) && peer is { Up: true, Following: true }
                && Database(seeding.Database) is { } database
                && _instance.MaySeed(database))
            {
                Start(peer, database, seeding);
            }
        }
    }

    /// <summary>Plans to send a database to a replica that lacks it, unless that is not wanted, or has failed too often.</summary>
    private void Seed(Peer peer, Database database)
    {
        var id = database.Entry.GroupDatabase!.Value;
        var failed = _failedSeedings.GetValueOrDefault((id, peer.Replica));
        if (_effective.Replica(peer.Replica)?.SeedingMode != SeedingMode.Automatic
            || failed >= _instance.Options.SeedingAttempts
            || database.Entry.Suspended
            || Seedings.Exists(seeding => seeding is { IsSource: true, Completed: null } && seeding.Remote == peer.Replica && seeding.Database == id))
        {
            return;
        }

        Seedings.Add(new SeedingRecord
        {
            Operation = _environment.NewGuid(),
            RemoteOperation = _environment.NewGuid(),
            Started = _environment.UtcNow,
            StartedAt = _environment.Now,
            Database = id,
            Remote = peer.Replica,
            IsSource = true,
            Attempts = failed + 1,
            Size = database.Bytes,
            State = SeedingRecord.Waiting,
        });
        StartSeedings();
    }

    private void Start(Peer peer, Database database, SeedingRecord seeding)
    {
        var copy = new CopyState { Streaming = true, SeedingTarget = database.End, Seeding = seeding, Image = database.Image() };
        peer.Copies[seeding.Database] = copy;
        seeding.State = SeedingRecord.Checking;
        seeding.Size = database.Bytes;
        SendBlock(peer, database, copy, new SeedingStart(database.Name, database.Entry.Recovery, database.End)
        {
            Family = database.Entry.Family,
            Fork = database.Entry.Fork,
            Operation = seeding.Operation,
            RemoteOperation = seeding.RemoteOperation,
            Size = seeding.Size,
        });
        Pump(peer, database, copy);
    }

    /// <summary>Fails what is under way, and forgets the copies that it was to make.</summary>
    private void FailSeedings(Predicate<SeedingRecord> which, SeedingFailure failure, int error = 0)
    {
        foreach (var seeding in Seedings.Where(seeding => seeding is { IsSource: true, Completed: null } && which(seeding)).ToList())
        {
            if (Peers.TryGetValue(seeding.Remote, out var peer) && peer.Copy(seeding.Database)?.Seeding == seeding)
            {
                peer.Copies.Remove(seeding.Database);
            }

            if (failure == SeedingFailure.Denied)
            {
                ForgetFailures(seeding.Remote);
            }
            else if (seeding.IsRunning)
            {
                _failedSeedings[(seeding.Database, seeding.Remote)] = seeding.Attempts;
            }

            EndSeeding(seeding, failure, error);
        }
    }

    private void SeedingHardened(CopyState copy, long lsn)
    {
        if (copy.Seeding is not { } seeding)
        {
            return;
        }

        seeding.State = SeedingRecord.Running;
        if (copy.SeedingTarget is { } target && lsn >= target)
        {
            copy.SeedingTarget = null;
            copy.Seeding = null;
            _failedSeedings.Remove((seeding.Database, seeding.Remote));
            EndSeeding(seeding, null);
        }
    }

    private void ForgetFailures(Guid replica)
    {
        foreach (var key in _failedSeedings.Keys.Where(key => key.Replica == replica).ToList())
        {
            _failedSeedings.Remove(key);
        }
    }

    private void EndSeeding(SeedingRecord seeding, SeedingFailure? failure, int error = 0)
    {
        seeding.Completed = _environment.UtcNow;
        seeding.State = failure is null ? SeedingRecord.Done : SeedingRecord.Failed;
        seeding.Failure = failure;
        seeding.Error = error;
        var name = File.Accepted.Databases.FirstOrDefault(database => database.Id == seeding.Database)?.Name;
        _instance.Log(failure is null
            ? $"Automatic seeding of availability database '{name}' in availability group '{Name}' succeeded."
            : $"Automatic seeding of availability database '{name}' in availability group '{Name}' failed: {(seeding.IsSource ? "1" : "2")}{(int)failure:00}, attempt {seeding.Attempts}.");
        _instance.StartSeedings();
    }

    // The replica that receives

    /// <returns>False when this replica does not take the database.</returns>
    private bool BeginArrival(long link, LogBlock block, SeedingStart start)
    {
        if (!File.MayCreateDatabases || _instance.FindDatabase(start.Name) is not null)
        {
            RefuseSeeding(link, block, File.MayCreateDatabases ? SeedingFailure.NameExists : SeedingFailure.Denied, 0);
            return false;
        }

        _instance.BeginSeeding(this, block.Database, start);
        var seeding = new SeedingRecord
        {
            Operation = start.Operation,
            RemoteOperation = start.RemoteOperation,
            Started = _environment.UtcNow,
            StartedAt = _environment.Now,
            Database = block.Database,
            Remote = block.From,
            Size = start.Size,
            State = SeedingRecord.Running,
        };
        Seedings.Add(seeding);
        _arrivals[block.Database] = new Arrival(seeding, start.Target);
        return true;
    }

    /// <summary>Takes a piece of an image.</summary>
    /// <returns>The image once all its pieces are here.</returns>
    private byte[]? Gather(LogBlock block, ImagePiece piece)
    {
        if (!_arrivals.TryGetValue(block.Database, out var arrival))
        {
            return null;
        }

        arrival.Image ??= new byte[piece.Length];
        block.Records[0].CopyTo(arrival.Image, piece.Offset);
        return piece.Offset + block.Records[0].Length == piece.Length ? arrival.Image : null;
    }

    private void CompleteArrival(Database database)
    {
        if (database.Entry.Seeding
            && _arrivals.TryGetValue(database.Entry.GroupDatabase!.Value, out var arrival) && database.End >= arrival.Target)
        {
            database.Entry.Seeding = false;
            database.Entry.ResumedAfter = File.Accepted.Forced;
            _arrivals.Remove(database.Entry.GroupDatabase.Value);
            _instance.SaveMaster();
            EndSeeding(arrival.Seeding, null);
        }
    }

    private void RefuseSeeding(long link, LogBlock block, SeedingFailure failure, int error) =>
        Send(link, new SeedingRefused(Id, File.LocalReplica, block.From, block.Epoch, block.Database, failure, error));

    /// <summary>Throws away the copies that are not complete.</summary>
    private void DropArrivals(SeedingFailure failure, Database? only = null, int error = 0)
    {
        foreach (var database in Databases.Where(database => database.Entry.Seeding && (only is null || database == only)).ToList())
        {
            _instance.Discard(database);
            if (_arrivals.Remove(database.Entry.GroupDatabase!.Value, out var arrival))
            {
                EndSeeding(arrival.Seeding, failure, error);
            }
        }
    }

    /// <summary>A copy on its way here; complete when <paramref name="target"/> is written.</summary>
    private sealed class Arrival(SeedingRecord seeding, long target)
    {
        public SeedingRecord Seeding => seeding;

        public long Target => target;

        public byte[]? Image { get; set; }
    }
}
