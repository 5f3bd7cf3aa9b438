namespace SqlServerSimulator.Engine;

/// <summary>
/// A user database. Its content is its log: records are appended and shipped; what readers see is the log applied up to
/// <see cref="Applied"/>. Undoing means cutting the log and applying what is left.
/// </summary>
internal sealed class Database
{
    private readonly IEngineEnvironment _environment;
    private readonly List<LogRecord> _log = [];
    private readonly List<long> _ends = [];

    public Database(DatabaseEntry entry, IEngineEnvironment environment)
    {
        Entry = entry;
        _environment = environment;
        var content = environment.Read(File);
        if (content is null)
        {
            return;
        }

        var (payloads, good) = LogFrame.ReadAll(content);
        if (good < content.Length)
        {
            environment.Truncate(File, good);
        }

        foreach (var payload in payloads)
        {
            Remember(LogRecord.Parse(payload));
        }
    }

    public DatabaseEntry Entry { get; }

    public string Name => Entry.Name;

    public string File => $"db-{Entry.File:N}.log";

    public Dictionary<int, Table> Tables { get; } = [];

    public Dictionary<string, DatabaseUser> Users { get; } = new(StringComparer.OrdinalIgnoreCase);

    public List<Permission> Permissions { get; } = [];

    /// <summary>Last LSN in the log.</summary>
    public long End => _log.Count;

    /// <summary>Last LSN that readers see.</summary>
    public long Applied { get; private set; }

    /// <summary>Whether readers may look: what is applied is known to be part of the primary's log.</summary>
    public bool Recovered { get; set; }

    public DateTime? LastCommit => Applied > 0 ? _log[(int)Applied - 1].Time : null;

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
        if (record.Lsn != End + 1)
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
            foreach (var change in _log[(int)Applied].Changes())
            {
                Apply(change);
            }

            Applied++;
        }
    }

    /// <summary>Undoes everything after an LSN.</summary>
    public void Rewind(long lsn)
    {
        if (lsn >= End)
        {
            return;
        }

        _environment.Truncate(File, lsn == 0 ? 0 : _ends[(int)lsn - 1]);
        _log.RemoveRange((int)lsn, _log.Count - (int)lsn);
        _ends.RemoveRange((int)lsn, _ends.Count - (int)lsn);
        if (Applied > lsn)
        {
            Tables.Clear();
            Users.Clear();
            Permissions.Clear();
            Applied = 0;
            Apply(lsn);
        }
    }

    /// <summary>Whether this very record is in the log.</summary>
    public bool Holds(LogRecord record) =>
        record.Lsn <= End && _log[(int)record.Lsn - 1].Epoch == record.Epoch && _log[(int)record.Lsn - 1].Payload.AsSpan().SequenceEqual(record.Payload);

    public IReadOnlyList<byte[]> Records(long after, long maximumBytes)
    {
        List<byte[]> records = [];
        for (long index = after, bytes = 0; index < End && bytes < maximumBytes; index++)
        {
            records.Add(_log[(int)index].Payload);
            bytes += _log[(int)index].Payload.Length;
        }

        return records;
    }

    public IReadOnlyList<EpochEnd> Epochs()
    {
        List<EpochEnd> epochs = [];
        foreach (var record in _log)
        {
            if (epochs.Count > 0 && epochs[^1].Epoch == record.Epoch)
            {
                epochs[^1] = new EpochEnd(record.Epoch, record.Lsn);
            }
            else
            {
                epochs.Add(new EpochEnd(record.Epoch, record.Lsn));
            }
        }

        return epochs;
    }

    /// <summary>
    /// The last LSN up to which this log and another are the same: records of the same LSN and epoch came from the same primary, and so did all before.
    /// </summary>
    public long CommonWith(IReadOnlyList<EpochEnd> other)
    {
        var own = Epochs();
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

    private void Remember(LogRecord record)
    {
        _log.Add(record);
        _ends.Add((_ends.Count > 0 ? _ends[^1] : 0) + record.Payload.Length + LogFrame.Overhead);
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
                Users[user.Name] = new DatabaseUser { Name = user.Name, PrincipalId = user.PrincipalId, Sid = user.Sid };
                break;
            case RemoveUser user:
                Users.Remove(user.Name);
                break;
            case PutPermission put:
                PermissionList.Change(Permissions, put.Permission, put.Remove);
                break;
            default:
                break;
        }
    }
}

/// <summary>A commit that waits for its acknowledgement.</summary>
internal sealed record PendingCommit(long Lsn, Transaction Transaction, Operation Operation, TimeSpan Since);

internal static class PermissionList
{
    public static void Change(List<Permission> list, Permission permission, bool remove)
    {
        list.RemoveAll(existing => existing.Grantee.Equals(permission.Grantee, StringComparison.OrdinalIgnoreCase)
            && existing.Name == permission.Name
            && existing.Class == permission.Class
            && existing.Securable.Equals(permission.Securable, StringComparison.OrdinalIgnoreCase));
        if (!remove)
        {
            list.Add(permission);
        }
    }
}
