namespace SqlServerSimulator.Engine;

/// <summary>Checkpoints: the beginning of the log gives way to an image of what it amounts to.</summary>
internal sealed partial class Database
{
    private readonly List<EpochEnd> _epochs = [];
    private long _imageLength;
    private DateTime? _baseTime;

    // The database as it was at some LSN: has no file.
    private Database(Database original)
    {
        Entry = original.Entry;
        _environment = original._environment;
    }

    /// <summary>LSN of the image; 0 while there is none. The log before it is gone.</summary>
    public long Base { get; private set; }

    /// <summary>Size of the file.</summary>
    public long Bytes => _ends.Count > 0 ? _ends[^1] : _imageLength;

    /// <summary>In a group: every replica holds the log up to here, so that nothing before it will ever be undone or asked for.</summary>
    public long HeldByAll { get; set; }

    /// <summary>The log after this LSN is kept, whoever holds it.</summary>
    public long KeepAfter { get; set; } = long.MaxValue;

    /// <summary>Whether enough log has gathered behind the image to write another: at least so many bytes, and at least as much as the image has.</summary>
    public bool IsCheckpointDue(long bytes) => Bytes - _imageLength > Math.Max(bytes, _imageLength);

    /// <summary>
    /// Replaces the log up to an LSN, or as much of it as readers see and nobody needs, by an image. The file is replaced as a whole: a crash
    /// leaves the old one or the new one.
    /// </summary>
    public void Checkpoint(long lsn)
    {
        lsn = Math.Min(Math.Min(lsn, Applied), KeepAfter);
        if (lsn <= Base || Damage != Damage.None)
        {
            return;
        }

        var image = ImageAt(lsn);
        var kept = _log.GetRange((int)(lsn - Base), (int)(End - lsn));
        using var content = new MemoryStream();
        content.Write(LogFrame.Write(image.Payload));
        foreach (var record in kept)
        {
            content.Write(LogFrame.Write(record.Payload));
        }

        _environment.Replace(File, content.ToArray());
        SetBase(image);
        _log.Clear();
        _ends.Clear();
        foreach (var record in kept)
        {
            _log.Add(record);
            _ends.Add(Bytes + record.Payload.Length + LogFrame.Overhead);
        }
    }

    private void Load(byte[] content)
    {
        var (payloads, good) = LogFrame.ReadAll(content);
        foreach (var payload in payloads)
        {
            Remember(LogRecord.Parse(payload));
        }

        if (good == content.Length)
        {
            return;
        }

        // A restore appends the image too; one that was cut off is begun anew.
        if (!Entry.Restoring && LogFrame.IsDamaged(content, (int)good, End))
        {
            Damage = Damage.Suspect;
        }
        else
        {
            _environment.Truncate(File, good);
        }
    }

    private void TakeImage(LogRecord image)
    {
        SetBase(image);
        _epochs.AddRange(image.Changes().OfType<ImageStart>().Single().Epochs);
        Apply(image);
    }

    private void SetBase(LogRecord image)
    {
        Base = image.Lsn;
        _baseTime = image.Time;
        _imageLength = image.Payload.Length + LogFrame.Overhead;
    }

    private void ApplyImage()
    {
        if (Base > 0)
        {
            Apply(ReadImage());
        }
    }

    private void Apply(LogRecord image)
    {
        foreach (var change in image.Changes())
        {
            Apply(change);
        }

        Applied = image.Lsn;
    }

    /// <summary>The image as a record's payload; null while there is none.</summary>
    public byte[]? Image() => Base > 0 ? ReadImage().Payload : null;

    private LogRecord ReadImage() => LogRecord.Parse(LogFrame.ReadAll(_environment.Read(File)![..(int)_imageLength]).Payloads[0]);

    /// <summary>Everything but rows is kept as it was logged, in its order; of the rows, the last state.</summary>
    private LogRecord ImageAt(long lsn)
    {
        var then = new Database(this);
        List<Change> changes = [new ImageStart(EpochsUntil(lsn))];
        var records = _log.Take((int)(lsn - Base));
        foreach (var change in (Base > 0 ? records.Prepend(ReadImage()) : records).SelectMany(record => record.Changes()))
        {
            then.Apply(change);
            if (change is not (ImageStart or PutRow or RemoveRow or TableState))
            {
                changes.Add(change);
            }
        }

        foreach (var table in then.Tables.Values)
        {
            changes.AddRange(table.Rows.Select(row => new PutRow(table.Id, row.Key, row.Value)));
            changes.Add(new TableState(table.Id, table.NextRow, table.LastIdentity));
        }

        return LogRecord.Create(lsn, At(lsn).Epoch, At(lsn).Time, changes);
    }

    private long EpochOf(long lsn) => _epochs.First(epoch => epoch.Lsn >= lsn).Epoch;

    private List<EpochEnd> EpochsUntil(long lsn)
    {
        var epochs = _epochs.ToList();
        CutEpochs(epochs, lsn);
        return epochs;
    }

    private static void AddToEpochs(List<EpochEnd> epochs, long epoch, long lsn)
    {
        if (epochs.Count > 0 && epochs[^1].Epoch == epoch)
        {
            epochs[^1] = new EpochEnd(epoch, lsn);
        }
        else
        {
            epochs.Add(new EpochEnd(epoch, lsn));
        }
    }

    private static void CutEpochs(List<EpochEnd> epochs, long lsn)
    {
        while (epochs.Count > 0 && (epochs.Count == 1 ? 0 : epochs[^2].Lsn) >= lsn)
        {
            epochs.RemoveAt(epochs.Count - 1);
        }

        if (epochs.Count > 0 && epochs[^1].Lsn > lsn)
        {
            epochs[^1] = epochs[^1] with { Lsn = lsn };
        }
    }
}
