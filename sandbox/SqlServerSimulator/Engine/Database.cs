namespace SqlServerSimulator.Engine;

/// <summary>
/// A user database. Its content is its log: records are appended and shipped; what readers see is the log applied up to
/// <see cref="Applied"/>. Undoing means cutting the log and applying what is left. A checkpoint puts one record, the image, in the place of
/// all records that nobody will ever need one by one.
/// </summary>
internal sealed partial class Database
{
    private readonly IEngineEnvironment _environment;
    private readonly List<LogRecord> _log = [];
    private readonly List<long> _ends = [];
    private bool _recovered;
    private TimeSpan _recoveryEnd;

    public Database(DatabaseEntry entry, IEngineEnvironment environment)
    {
        Entry = entry;
        _environment = environment;
        if (environment.Read(File) is { } content)
        {
            Load(content);
        }
    }

    public DatabaseEntry Entry { get; }

    public string Name => Entry.Name;

    public string File => FileOf(Entry);

    public static string FileOf(DatabaseEntry entry) => $"db-{entry.File:N}.log";

    public Dictionary<int, Table> Tables { get; } = [];

    public Dictionary<string, DatabaseUser> Users { get; } = new(StringComparer.OrdinalIgnoreCase);

    public List<Permission> Permissions { get; } = [];

    /// <summary>Last LSN in the log.</summary>
    public long End => Base + _log.Count;

    /// <summary>Last LSN that readers see.</summary>
    public long Applied { get; private set; }

    /// <summary>Whether readers may look: what is applied is known to be part of the primary's log.</summary>
    public bool Recovered
    {
        get => _recovered && !IsRecovering;
        set
        {
            if (value && !_recovered)
            {
                Recover();
            }

            _recovered = value;
        }
    }

    /// <summary>Whether recovery is under way.</summary>
    public bool IsRecovering => _environment.Now < _recoveryEnd;

    /// <summary>How this copy is lost, until it is recovered anew. A log that is found damaged stays as it is.</summary>
    public Damage Damage { get; set; }

    /// <summary>How long recovery takes.</summary>
    public Func<string, TimeSpan> RecoveryTime { get; init; } = _ => TimeSpan.Zero;

    public DateTime? LastCommit => Applied > Base ? _log[(int)(Applied - Base) - 1].Time : _baseTime;

    public LockTable Locks { get; } = new();

    /// <summary>Transactions that are logged but not acknowledged, by LSN.</summary>
    public Queue<PendingCommit> Pending { get; } = new();

    public LogRecord Append(long epoch, IReadOnlyList<Change> changes)
    {
        var record = LogRecord.Create(End + 1, epoch, _environment.UtcNow, changes);
        Append(record);
        return record;
    }

    public void Append(LogRecord record)
    {
        if (record.Lsn != End + 1 && !(End == 0 && record.IsImage))
        {
            throw new InvalidDataException($"Record {record.Lsn} does not follow {End} in {Name}.");
        }

        _environment.Append(File, LogFrame.Write(record.Payload));
        Remember(record);
    }

    /// <summary>Shows readers the log up to an LSN.</summary>
    public void Apply(long lsn)
    {
        while (Applied < Math.Min(lsn, End))
        {
            foreach (var change in _log[(int)(Applied - Base)].Changes())
            {
                Apply(change);
            }

            Applied++;
        }
    }

    /// <summary>Recovery begins, after a start or a change of role.</summary>
    public void Recover()
    {
        _recovered = true;
        _recoveryEnd = _environment.Now + RecoveryTime(Name);
    }

    /// <summary>Undoes everything after an LSN, which must not lie before <see cref="Base"/>.</summary>
    public void Rewind(long lsn)
    {
        if (lsn >= End)
        {
            return;
        }

        if (lsn < Base)
        {
            throw new InvalidDataException($"The log of {Name} begins at {Base} and cannot be cut at {lsn}.");
        }

        var kept = (int)(lsn - Base);
        _environment.Truncate(File, kept == 0 ? _imageLength : _ends[kept - 1]);
        _log.RemoveRange(kept, _log.Count - kept);
        _ends.RemoveRange(kept, _ends.Count - kept);
        CutEpochs(_epochs, lsn);
        if (Applied > lsn)
        {
            Tables.Clear();
            Users.Clear();
            Permissions.Clear();
            Applied = 0;
            ApplyImage();
            Apply(lsn);
        }
    }

    /// <summary>Whether this very record is in the log. What lies before <see cref="Base"/> is known by its epoch.</summary>
    public bool Holds(LogRecord record) =>
        record.Lsn <= Base
            ? EpochOf(record.Lsn) == record.Epoch
            : record.Lsn <= End && At(record.Lsn).Epoch == record.Epoch && At(record.Lsn).Payload.AsSpan().SequenceEqual(record.Payload);

    /// <summary>Records after an LSN, which is 0 (everything, beginning with the image) or not before <see cref="Base"/>.</summary>
    public IReadOnlyList<byte[]> Records(long after, long maximumBytes)
    {
        List<byte[]> records = [];
        var bytes = 0L;
        if (after < Base)
        {
            records.Add(ReadImage().Payload);
            bytes = records[0].Length;
            after = Base;
        }

        for (var lsn = after + 1; lsn <= End && bytes < maximumBytes; lsn++)
        {
            records.Add(At(lsn).Payload);
            bytes += records[^1].Length;
        }

        return records;
    }

    public IReadOnlyList<EpochEnd> Epochs() => [.. _epochs];

    /// <summary>
    /// The last LSN up to which this log and another are the same: records of the same LSN and epoch came from the same primary, and so did all before.
    /// </summary>
    public long CommonWith(IReadOnlyList<EpochEnd> other)
    {
        var own = _epochs;
        for (var index = other.Count - 1; index >= 0; index--)
        {
            var (epoch, end) = other[index];
            var start = index == 0 ? 0 : other[index - 1].Lsn;
            for (var mine = own.Count - 1; mine >= 0; mine--)
            {
                var myStart = mine == 0 ? 0 : own[mine - 1].Lsn;
                var common = Math.Min(end, own[mine].Lsn);
                if (own[mine].Epoch == epoch && common > Math.Max(start, myStart))
                {
                    return common;
                }
            }
        }

        return 0;
    }

    public Table? Find(string schema, string name) => Tables.Values.FirstOrDefault(table =>
        table.Schema.Equals(schema, StringComparison.OrdinalIgnoreCase) && table.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private LogRecord At(long lsn) => _log[(int)(lsn - Base) - 1];

    private void Remember(LogRecord record)
    {
        if (record.IsImage)
        {
            TakeImage(record);
            return;
        }

        _log.Add(record);
        _ends.Add(Bytes + record.Payload.Length + LogFrame.Overhead);
        AddToEpochs(_epochs, record.Epoch, record.Lsn);
    }

    private void Apply(Change change)
    {
        switch (change)
        {
            case PutRow put:
                Tables[put.Table].Put(put.Row, put.Values);
                break;
            case RemoveRow remove:
                Tables[remove.Table].Remove(remove.Row);
                break;
            case NewTable table:
                Tables[table.Id] = new Table(table);
                break;
            case RemoveTable table:
                Tables.Remove(table.Id);
                break;
            case PutUser user:
                Users[user.User.Name] = user.User;
                break;
            case RemoveUser user:
                Users.Remove(user.Name);
                break;
            case PutPermission put:
                PermissionList.Change(Permissions, put.Permission, put.Remove);
                break;
            case TableState state:
                Tables[state.Table].NextRow = state.NextRow;
                Tables[state.Table].LastIdentity = state.LastIdentity;
                break;
            default:
                break;
        }
    }
}

/// <summary>A commit that waits for its acknowledgement.</summary>
internal sealed record PendingCommit(long Lsn, Transaction Transaction, Operation Operation, TimeSpan Since)
{
    /// <summary>Whether this instance has it on disk.</summary>
    public bool Flushed { get; set; }
}

internal static class PermissionList
{
    public static void Change(List<Permission> list, Permission permission, bool remove)
    {
        list.RemoveAll(existing => IsSame(existing, permission));
        if (!remove)
        {
            list.Add(permission);
        }
    }

    /// <summary>Whether two entries are about the same permission of the same grantee.</summary>
    public static bool IsSame(Permission left, Permission right) => left.Grantee.Equals(right.Grantee, StringComparison.OrdinalIgnoreCase)
        && left.Name == right.Name
        && left.Class == right.Class
        && left.Securable.Equals(right.Securable, StringComparison.OrdinalIgnoreCase);
}
