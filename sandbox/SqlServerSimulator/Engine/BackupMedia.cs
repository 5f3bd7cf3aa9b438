using System.Text.Json;
using System.Text.Json.Serialization;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>What a backup set says of itself. Its content is the database's log: all of it, or what came after an earlier backup of the log.</summary>
internal sealed record BackupSet
{
    public const string CurrentFormat = "sqlservr-simulator backup 1";

    public string Format { get; init; } = "";

    public Guid Id { get; init; }

    public string Database { get; init; } = "";

    /// <summary>The database that this and its restored or seeded copies are.</summary>
    public Guid Family { get; init; }

    /// <summary>The course of history since the last recovery from a backup.</summary>
    public Guid Fork { get; init; }

    public bool Log { get; init; }

    public bool CopyOnly { get; init; }

    /// <summary>The content begins after this LSN; 0 in a full backup.</summary>
    public long After { get; init; }

    public long Last { get; init; }

    public RecoveryModel Recovery { get; init; }

    public string Collation { get; init; } = "";

    public IReadOnlyList<DatabaseFile> Files { get; init; } = [];

    public string Server { get; init; } = "";

    public string User { get; init; } = "";

    public string? Name { get; init; }

    public string? Description { get; init; }

    public DateTime Started { get; init; }

    public DateTime Finished { get; init; }

    public DateTime Created { get; init; }

    public bool Checksum { get; init; }

    public bool Compressed { get; init; }

    /// <summary>How many devices the set was written to, and which of them this is; the first has the content.</summary>
    public int Families { get; init; } = 1;

    public int FamilyNumber { get; init; } = 1;

    public int Records { get; init; }

    public long Bytes { get; init; }

    /// <summary>Place on the device, from 1; not stored.</summary>
    [JsonIgnore]
    public int Position { get; init; }

    [JsonIgnore]
    public IReadOnlyList<byte[]> Content { get; init; } = [];

    public byte[] Write()
    {
        using var stream = new MemoryStream();
        stream.Write(LogFrame.Write(JsonSerializer.SerializeToUtf8Bytes(this, EngineJson.Default.BackupSet)));
        foreach (var record in FamilyNumber == 1 ? Content : [])
        {
            stream.Write(LogFrame.Write(record));
        }

        return stream.ToArray();
    }

    /// <summary>Reads the sets of a device; null when it holds something else or is damaged.</summary>
    public static List<BackupSet>? ReadAll(byte[] device)
    {
        var (frames, good) = LogFrame.ReadAll(device);
        List<BackupSet> sets = [];
        for (var at = 0; at < frames.Count;)
        {
            if (ReadHeader(frames[at]) is not { } header)
            {
                return null;
            }

            var records = header.FamilyNumber == 1 ? header.Records : 0;
            if (at + 1 + records > frames.Count)
            {
                return null;
            }

            sets.Add(header with { Position = sets.Count + 1, Content = frames.GetRange(at + 1, records) });
            at += 1 + records;
        }

        return sets.Count > 0 && good == device.Length ? sets : null;
    }

    private static BackupSet? ReadHeader(byte[] frame)
    {
        try
        {
            return JsonSerializer.Deserialize(frame, EngineJson.Default.BackupSet) is { Format: CurrentFormat } header ? header : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What msdb remembers of backups and restores on this instance.</summary>
internal sealed class BackupHistory
{
    public List<BackupRow> Backups { get; set; } = [];

    public List<RestoreRow> Restores { get; set; } = [];
}

internal sealed record BackupRow(int Id, BackupSet Set, IReadOnlyList<string> Devices, int Position);

internal sealed record RestoreRow(int Id, DateTime Time, string Database, string User, int? BackupId, bool Log, bool Replace, bool Recovery);

/// <summary>A file of backups, as BACKUP and RESTORE name it.</summary>
public static class BackupDevice
{
    private const string Home = "/var/opt/mssql/";

    internal static bool IsNull(string device) => device.Equals("NUL", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a path lies in the real image's folder, which here is the data folder.</summary>
    public static bool IsInHome(string path) => path.StartsWith(Home, StringComparison.Ordinal);

    /// <summary>The name by which the instance's environment knows a device.</summary>
    internal static string FileOf(InstanceOptions options, string device)
    {
        var path = device.StartsWith('/') ? device : $"{options.BackupFolder.TrimEnd('/')}/{device}";
        if (!IsInHome(path))
        {
            return path;
        }

        // What the instance itself keeps is no place for backups.
        var inside = path[Home.Length..];
        return inside.Contains('/', StringComparison.Ordinal) && !inside.StartsWith("secrets/", StringComparison.Ordinal)
            ? inside
            : throw new SqlErrorException(CannotOpen(device, "5(Access is denied.)"));
    }

    internal static SqlError CannotOpen(string device, string reason) =>
        Errors.Make(3201, 16, $"Cannot open backup device '{device}'. Operating system error {reason}.");
}
