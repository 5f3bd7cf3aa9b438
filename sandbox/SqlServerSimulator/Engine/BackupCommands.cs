namespace SqlServerSimulator.Engine;

/// <summary>BACKUP DATABASE or BACKUP LOG.</summary>
public sealed record Backup(string Database, bool Log, bool CopyOnly = false) : EngineCommand
{
    /// <summary>Files, or NUL.</summary>
    public IReadOnlyList<string> Devices { get; init; } = ["NUL"];

    /// <summary>TO URL: an address for which a credential would be needed.</summary>
    public bool Url { get; init; }

    /// <summary>INIT or FORMAT: earlier sets on the device go.</summary>
    public bool Overwrite { get; init; }

    public bool Checksum { get; init; }

    public bool Compression { get; init; }

    public string? Name { get; init; }

    public string? Description { get; init; }

    /// <summary>STATS, in percent.</summary>
    public int? Stats { get; init; }
}

/// <summary>RESTORE DATABASE or RESTORE LOG. Without devices it only recovers.</summary>
public sealed record Restore(string Database, bool Log, IReadOnlyList<string> Devices) : EngineCommand
{
    /// <summary>FILE: which set of the device, from 1.</summary>
    public int File { get; init; } = 1;

    /// <summary>RECOVERY, which is the default, or NORECOVERY.</summary>
    public bool Recovery { get; init; } = true;

    public bool Replace { get; init; }

    /// <summary>MOVE: logical names and new paths.</summary>
    public IReadOnlyList<(string Logical, string Physical)> Moves { get; init; } = [];

    public int? Stats { get; init; }
}

/// <summary>What a statement asks to know of a backup device.</summary>
public enum BackupInspection
{
    HeaderOnly,
    FileListOnly,
    VerifyOnly,
    LabelOnly,
}
