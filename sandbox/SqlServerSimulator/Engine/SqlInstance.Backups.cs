using System.Text.Json;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>BACKUP, and the devices and the history that RESTORE shares with it.</summary>
public sealed partial class SqlInstance
{
    private const string HistoryFile = "msdb.json";
    private const int LargestHistory = 1000;

    private BackupHistory? _history;

    internal BackupHistory History => _history ??= Environment.Read(HistoryFile) is { } content
        ? JsonSerializer.Deserialize(content, EngineJson.Default.BackupHistory)!
        : new BackupHistory();

    private void BackUp(EngineSession session, Backup backup, Operation operation)
    {
        var statement = backup.Log ? "BACKUP LOG" : "BACKUP DATABASE";
        if (backup.Database.Equals("tempdb", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(3147, 16, "Backup and restore operations are not allowed on database tempdb.");
        }

        if (backup.Url)
        {
            throw new SqlErrorException(BackupDevice.CannotOpen(backup.Devices[0], "86(The specified network password is not correct.)"));
        }

        var set = IsSystem(backup.Database) ? OfSystem(session, backup) : OfUser(session, backup);
        var started = Environment.UtcNow;
        set = set with
        {
            Format = BackupSet.CurrentFormat,
            Id = Environment.NewGuid(),
            Log = backup.Log,
            CopyOnly = backup.CopyOnly,
            Server = ServerName,
            User = session.LoginName,
            Name = backup.Name,
            Description = backup.Description,
            Started = started,
            Finished = started,
            Checksum = backup.Checksum,
            Compressed = backup.Compression,
            Families = backup.Devices.Count,
            Records = set.Content.Count,
            Bytes = set.Content.Sum(record => (long)record.Length),
        };
        var position = WriteTo(backup, set);
        if (FindDatabase(backup.Database) is { } database)
        {
            Remember(database, backup, set);
        }

        History.Backups.Add(new BackupRow((History.Backups.LastOrDefault()?.Id ?? 0) + 1, set with { Content = [] }, backup.Devices, position));
        SaveHistory();
        Report(operation, statement, set, position, backup.Stats);
    }

    private BackupSet OfSystem(EngineSession session, Backup backup)
    {
        if (!session.Login.Roles.Contains("sysadmin"))
        {
            throw new SqlErrorException(262, 14, $"BACKUP DATABASE permission denied in database '{backup.Database}'.");
        }

        return backup.Log && !(backup.Database.Equals("model", StringComparison.OrdinalIgnoreCase) && Master.ModelRecovery != RecoveryModel.Simple)
            ? throw new SqlErrorException(
                4208, 16, "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.")
            : new BackupSet { Database = backup.Database.ToLowerInvariant(), Recovery = RecoveryModel.Simple, Collation = DefaultCollation, Created = Master.Created };
    }

    private BackupSet OfUser(EngineSession session, Backup backup)
    {
        var database = FindDatabase(backup.Database) ?? throw new SqlErrorException(Errors.NoDatabase(backup.Database));
        var entry = database.Entry;
        if (!HasInDatabase(session.Login, database.Name, backup.Log ? "BACKUP LOG" : "BACKUP DATABASE"))
        {
            throw new SqlErrorException(262, 14, $"{(backup.Log ? "BACKUP LOG" : "BACKUP DATABASE")} permission denied in database '{database.Name}'.");
        }

        if (Obstacle(database) is { } obstacle)
        {
            throw new SqlErrorException(obstacle);
        }

        if (entry.Group is { } id)
        {
            RequireRoleForBackup(database, Groups.GetValueOrDefault(id), backup);
        }

        if (backup.Log && entry.Recovery == RecoveryModel.Simple)
        {
            throw new SqlErrorException(4208, 16, "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.");
        }

        if (backup.Log && !entry.BackedUp)
        {
            throw new SqlErrorException(4214, 16, "BACKUP LOG cannot be performed because there is no current database backup.");
        }

        var after = backup.Log ? entry.LogBackup : 0;
        var last = database.Applied;
        return new BackupSet
        {
            Database = database.Name,
            Family = entry.Family,
            Fork = entry.Fork,
            After = after,
            Last = Math.Max(after, last),
            Recovery = entry.Recovery,
            Collation = entry.Collation,
            Files = entry.Files,
            Created = entry.Created,
            Content = [.. database.Records(after, long.MaxValue).TakeWhile(record => LogRecord.Parse(record).Lsn <= last)],
        };
    }

    /// <summary>Secondaries take backups of the log, and full ones that are copies only, while they are connected.</summary>
    private static void RequireRoleForBackup(Database database, Group? group, Backup backup)
    {
        if (group is null || group.Role == ReplicaRole.Resolving)
        {
            throw new SqlErrorException(Errors.NoRole(database.Name));
        }

        if (group.Role == ReplicaRole.Primary)
        {
            return;
        }

        if (backup.Log == backup.CopyOnly)
        {
            throw new SqlErrorException(3059, 16, "This BACKUP or RESTORE command is not supported on a database mirror or secondary replica.");
        }

        if (!group.IsFollowing || database.Entry.Suspended || !database.Recovered)
        {
            throw backup.Log
                ? new SqlErrorException(
                    35294, 16, $"Log backup for database \"{database.Name}\" on a secondary replica failed because a synchronization point could not be established on the primary database.")
                : new SqlErrorException(35250, 16, "The connection to the primary replica is not active.  The command cannot be processed.");
        }
    }

    /// <summary>The effect on the log chain. A group has one, whichever replica backs up.</summary>
    private void Remember(Database database, Backup backup, BackupSet set)
    {
        var entry = database.Entry;
        if (backup.CopyOnly || entry.Recovery == RecoveryModel.Simple)
        {
            return;
        }

        if (backup.Log)
        {
            entry.LogBackup = set.Last;
        }
        else if (!entry.BackedUp)
        {
            entry.BackedUp = true;
            entry.LogBackup = set.Last;
        }

        SaveMaster();
        if (entry.Group is { } id && Groups.TryGetValue(id, out var group))
        {
            group.TellLogBackup(database);
        }
    }

    // Devices

    private int WriteTo(Backup backup, BackupSet set)
    {
        var position = 1;
        for (var index = 0; index < backup.Devices.Count; index++)
        {
            var device = backup.Devices[index];
            if (BackupDevice.IsNull(device))
            {
                continue;
            }

            var content = (set with { FamilyNumber = index + 1 }).Write();
            OnDevice(device, file =>
            {
                if (backup.Overwrite || Environment.Read(file) is not { Length: > 0 } old)
                {
                    Environment.Replace(file, content);
                    return;
                }

                position = (BackupSet.ReadAll(old) ?? throw new SqlErrorException(Malformed(device))).Count + 1;
                Environment.Replace(file, [.. old, .. content]);
            });
        }

        return position;
    }

    /// <summary>The sets on a device. Throws 3201 and 3241.</summary>
    internal IReadOnlyList<BackupSet> ReadDevice(string device)
    {
        byte[]? content = null;
        OnDevice(device, file => content = Environment.Read(file));
        if (content is null)
        {
            throw new SqlErrorException(BackupDevice.CannotOpen(device, "2(The system cannot find the file specified.)"));
        }

        return BackupSet.ReadAll(content) ?? throw new SqlErrorException(Malformed(device));
    }

    private void OnDevice(string device, Action<string> work)
    {
        try
        {
            work(BackupDevice.FileOf(Options, device));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SqlErrorException(BackupDevice.CannotOpen(
                device, error is DirectoryNotFoundException ? "3(The system cannot find the path specified.)" : error is IOException ? "112(There is not enough space on the disk.)" : "5(Access is denied.)"));
        }
    }

    private static SqlError Malformed(string device) => Errors.Make(
        3241, 16, $"The media family on device '{device}' is incorrectly formed. SQL Server cannot process this media family.");

    private static void Report(Operation operation, string statement, BackupSet set, int position, int? stats)
    {
        for (var percent = stats ?? 0; stats > 0 && percent <= 100; percent += stats.Value)
        {
            operation.Inform(Errors.Make(3211, 0, $"{percent} percent processed."));
        }

        var pages = Math.Max(1, set.Bytes / 8192);
        var file = set.Files.FirstOrDefault(file => file.Log == set.Log)?.Logical ?? set.Database;
        operation.Inform(Errors.Make(4035, 0, $"Processed {pages} pages for database '{set.Database}', file '{file}' on file {position}."));
        operation.Inform(Errors.Make(3014, 0, $"{statement} successfully processed {pages} pages in 0.001 seconds ({pages * 7.8125:0.000} MB/sec)."));
    }

    private void SaveHistory()
    {
        History.Backups.RemoveRange(0, Math.Max(0, History.Backups.Count - LargestHistory));
        History.Restores.RemoveRange(0, Math.Max(0, History.Restores.Count - LargestHistory));
        Environment.Replace(HistoryFile, JsonSerializer.SerializeToUtf8Bytes(History, EngineJson.Default.BackupHistory));
    }
}
