namespace SqlServerSimulator.Engine;

/// <summary>What is fixed for the life of one process.</summary>
public sealed record InstanceOptions
{
    /// <summary>Where the real image puts databases and their backups.</summary>
    public const string DefaultBackupFolder = SqlInstance.DataFolder;

    /// <summary>Name of the machine: the server name, unless sp_addserver gave another.</summary>
    public required string MachineName { get; init; }

    /// <summary>Password of sa, used only when the instance is created.</summary>
    public string? SaPassword { get; init; }

    /// <summary>MSSQL_ENABLE_HADR.</summary>
    public bool HadrEnabled { get; init; } = true;

    /// <summary>MSSQL_BACKUP_DIR: where backups without a folder go.</summary>
    public string BackupFolder { get; init; } = DefaultBackupFolder;

    /// <summary>TDS port, for sys.tcp_endpoints.</summary>
    public int TcpPort { get; init; } = 1433;

    /// <summary>Edition as SERVERPROPERTY('Edition') names it.</summary>
    public string Edition { get; init; } = "Developer Edition (64-bit)";

    /// <summary>Engine edition, 3 for Enterprise and Developer.</summary>
    public int EngineEdition { get; init; } = 3;

    /// <summary>How to read what is not certain about the real engine.</summary>
    public UncertainFacts Facts { get; init; } = new();

    /// <summary>How long undoing takes once a copy must give up what its new primary does not have.</summary>
    public TimeSpan UndoTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Log that gathers behind a database's image before a checkpoint writes another.</summary>
    public long CheckpointBytes { get; init; } = 4 << 20;

    /// <summary>How often in a row seeding a database is tried, until SEEDING_MODE is set again.</summary>
    public int SeedingAttempts { get; init; } = 5;

    /// <summary>How long JOIN waits for the primary's configuration.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong from the start.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>Wrong passwords in a row after which a login with CHECK_POLICY is locked out (18486); 0 is never, as no policy of Linux names one.</summary>
    public int LockoutThreshold { get; init; }

    /// <summary>Age at which the password of a login with CHECK_EXPIRATION expires (18487); null is never, the default on Linux.</summary>
    public TimeSpan? PasswordMaximumAge { get; init; }

    /// <summary>How exported private keys are encrypted.</summary>
    public PrivateKeyEncryption PrivateKeyEncryption { get; init; } = PrivateKeyEncryption.TripleDes;
}
