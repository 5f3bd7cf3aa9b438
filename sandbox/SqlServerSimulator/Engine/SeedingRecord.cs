namespace SqlServerSimulator.Engine;

/// <summary>Why a seeding failed, numbered as in sys.dm_hadr_automatic_seeding.</summary>
internal enum SeedingFailure
{
    Cancelled = 1,
    SqlError = 2,
    Denied = 3,
    PrimaryFailure = 5,
    Transport = 6,
    Seeding = 15,
    NameExists = 23,
}

/// <summary>One attempt to seed a database: a row of sys.dm_hadr_automatic_seeding, and while it runs of sys.dm_hadr_physical_seeding_stats.</summary>
internal sealed class SeedingRecord
{
    public const string Waiting = "LIMIT_CONCURRENT_BACKUPS";
    public const string Checking = "CHECK_IF_SEEDING_NEEDED";
    public const string Running = "SEEDING";
    public const string Done = "COMPLETED";
    public const string Failed = "FAILED";

    public Guid Operation { get; init; }

    /// <summary>The same attempt on the other side.</summary>
    public Guid RemoteOperation { get; init; }

    public DateTime Started { get; init; }

    public TimeSpan StartedAt { get; init; }

    public DateTime? Completed { get; set; }

    public Guid Database { get; init; }

    public Guid Remote { get; init; }

    public bool IsSource { get; init; }

    public string State { get; set; } = Running;

    public bool IsRunning => State is Running or Checking;

    public SeedingFailure? Failure { get; set; }

    public int Error { get; set; }

    public int Attempts { get; init; } = 1;

    /// <summary>Bytes that the source had when the attempt began.</summary>
    public long Size { get; set; }

    public long Transferred { get; set; }

    public string? FailureText => Failure switch
    {
        null => null,
        SeedingFailure.Cancelled => "User Cancel",
        SeedingFailure.SqlError => "SQL Error",
        SeedingFailure.Denied => "Seeding Request Denied",
        SeedingFailure.PrimaryFailure => "Primary Failure",
        SeedingFailure.Transport => "Transport Failure",
        SeedingFailure.NameExists => "Database With Name Already Exists",
        _ => "Seeding",
    };
}
