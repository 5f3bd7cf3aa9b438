using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>RESTORE.</summary>
public sealed partial class SqlInstance
{
    private void Restore(EngineSession session, Restore restore, Operation operation)
    {
        if (IsSystem(restore.Database))
        {
            throw restore.Database.Equals("tempdb", StringComparison.OrdinalIgnoreCase)
                ? new SqlErrorException(3147, 16, "Backup and restore operations are not allowed on database tempdb.")
                : new SqlErrorException(50505, 16, $"RESTORE of {restore.Database} is not simulated.");
        }

        var database = FindDatabase(restore.Database);
        if (database is null ? !Has(session.Login, "CREATE ANY DATABASE", SecurableClass.Server, "") : !Owns(session, database) && !session.Login.Roles.Contains("dbcreator"))
        {
            throw new SqlErrorException(3110, 14, $"User does not have permission to RESTORE database '{restore.Database}'.");
        }

        if (database?.Entry.Group is not null)
        {
            throw new SqlErrorException(
                3104, 16, $"RESTORE cannot operate on database '{database.Name}' because it is configured for database mirroring or has joined an availability group.");
        }

        if (restore.Devices.Count == 0)
        {
            RecoverOnly(restore, database);
            Remember(session, restore, null);
            return;
        }

        var set = SetOf(restore.Devices, restore.File);
        if (set.Log != restore.Log)
        {
            throw new SqlErrorException(
                3135, 16, $"The backup set in file '{restore.Devices[0]}' was created by {(set.Log ? "BACKUP LOG" : "BACKUP DATABASE")} and cannot be used for this restore operation.");
        }

        if (restore.Log)
        {
            RollForward(restore, set, database ?? throw new SqlErrorException(
                3118, 16, $"The database \"{restore.Database}\" does not exist. RESTORE can only create a database when restoring either a full backup or a file backup of the primary file."));
        }
        else
        {
            Replace(session, restore, set, database);
        }

        Remember(session, restore, set);
        Report(operation, restore.Log ? "RESTORE LOG" : "RESTORE DATABASE", set, set.Position, restore.Stats);
    }

    /// <summary>A backup set with its content; all devices that it was written to must be named.</summary>
    private BackupSet SetOf(IReadOnlyList<string> devices, int number)
    {
        var parts = devices.Select(device => (Device: device, Set: ReadDevice(device).FirstOrDefault(set => set.Position == number)
            ?? throw new SqlErrorException(4038, 16, $"Cannot find file ID {number} on device '{device}'."))).ToList();
        var first = parts.Select(part => part.Set).FirstOrDefault(set => set.FamilyNumber == 1) ?? parts[0].Set;
        var other = parts.Find(part => part.Set.Id != first.Id);
        if (other.Set is not null)
        {
            throw new SqlErrorException(3258, 16, $"The volume on the device \"{other.Device}\" is not part of the media set that is currently being processed.");
        }

        return parts.Count == first.Families
            ? first
            : throw new SqlErrorException(
                3132, 16, $"The media set has {first.Families} media families but only {parts.Count} are provided. All members must be provided.");
    }

    private static void RecoverOnly(Restore restore, Database? database)
    {
        if (database is null)
        {
            throw new SqlErrorException(Errors.NoDatabase(restore.Database));
        }

        if (!database.Entry.Restoring)
        {
            throw new SqlErrorException(3153, 16, "The database is already fully recovered.");
        }

        if (restore.Recovery)
        {
            Recover(database);
        }
    }

    private void Replace(EngineSession session, Restore restore, BackupSet set, Database? old)
    {
        if (old is not null)
        {
            RequireReplaceable(restore, set, old);
        }

        var files = set.Files.ToList();
        foreach (var (logical, physical) in restore.Moves)
        {
            var index = files.FindIndex(file => file.Logical.Equals(logical, StringComparison.OrdinalIgnoreCase));
            files[index >= 0 ? index : throw new SqlErrorException(
                3234, 16, $"Logical file '{logical}' is not part of database '{restore.Database}'. Use RESTORE FILELISTONLY to list the logical file names.")] =
                files[index] with { Physical = physical };
        }

        foreach (var file in files)
        {
            if (Databases.Values.FirstOrDefault(other => other != old && other.Entry.Files.Exists(used => used.Physical == file.Physical)) is { } owner)
            {
                throw new SqlErrorException(1834, 16, $"The file '{file.Physical}' cannot be overwritten.  It is being used by database '{owner.Name}'.");
            }
        }

        var entry = NewEntry(old?.Name ?? restore.Database, old?.Entry.Owner ?? session.LoginName);
        if (old is not null)
        {
            entry.Id = old.Entry.Id;
            Discard(old);
        }

        entry.Created = Environment.UtcNow;
        entry.Files = files;
        entry.Recovery = set.Recovery;
        entry.Collation = set.Collation;
        entry.Family = set.Family;
        entry.Fork = set.Fork;
        entry.LogBackup = set.Last;
        entry.Restoring = true;
        var database = Add(entry);
        foreach (var record in set.Content)
        {
            database.Append(LogRecord.Parse(record));
        }

        if (restore.Recovery)
        {
            Recover(database);
        }
    }

    private void RequireReplaceable(Restore restore, BackupSet set, Database old)
    {
        if (OthersIn(old, null).Any())
        {
            throw new SqlErrorException(3101, 16, "Exclusive access could not be obtained because the database is in use.");
        }

        if (restore.Replace)
        {
            return;
        }

        if (old.Entry.Family != set.Family)
        {
            throw new SqlErrorException(3154, 16, $"The backup set holds a backup of a database other than the existing '{old.Name}' database.");
        }

        if (!old.Entry.Restoring && old.Entry.Recovery != RecoveryModel.Simple)
        {
            throw new SqlErrorException(
                3159, 16, $"The tail of the log for the database \"{old.Name}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the contents of the log.");
        }
    }

    private void RollForward(Restore restore, BackupSet set, Database database)
    {
        if (!database.Entry.Restoring)
        {
            throw new SqlErrorException(3117, 16, "The log or differential backup cannot be restored because no files are ready to rollforward.");
        }

        if (database.Entry.Family != set.Family)
        {
            throw new SqlErrorException(3154, 16, $"The backup set holds a backup of a database other than the existing '{database.Name}' database.");
        }

        var records = set.Content.Select(LogRecord.Parse).ToList();
        if (database.Entry.Fork != set.Fork || records.Exists(record => !record.IsImage && record.Lsn <= database.End && !database.Holds(record)))
        {
            throw new SqlErrorException(
                4330, 16, "This backup set cannot be applied because it is on a recovery path that is inconsistent with the database. The recovery path is the sequence of data and log backups that have brought the database to a particular recovery point. Find a compatible backup to restore, or restore the rest of the database to match a recovery point within this backup set, which will restore the database to a different point in time.");
        }

        if (set.After > database.End)
        {
            throw new SqlErrorException(
                4305, 16, $"The log in this backup set begins at LSN {SystemCatalog.Lsn(set.After)}, which is too recent to apply to the database. An earlier log backup that includes LSN {SystemCatalog.Lsn(database.End)} can be restored.");
        }

        if (set.Last < database.End)
        {
            throw new SqlErrorException(
                4326, 16, $"The log in this backup set terminates at LSN {SystemCatalog.Lsn(set.Last)}, which is too early to apply to the database. A more recent log backup that includes LSN {SystemCatalog.Lsn(database.End)} can be restored.");
        }

        if (records.Exists(record => record.IsImage && record.Lsn > database.End))
        {
            // What lies between is in the image.
            Discard(database);
            database.Entry.File = Environment.NewGuid();
            database = Add(database.Entry);
        }

        foreach (var record in records.Where(record => record.Lsn > database.End))
        {
            database.Append(record);
        }

        database.Entry.LogBackup = set.Last;
        if (restore.Recovery)
        {
            Recover(database);
        }
    }

    /// <summary>Ends the restore: the database goes its own way from here, and needs a full backup before one of its log.</summary>
    private static void Recover(Database database)
    {
        database.Entry.Restoring = false;
        database.Entry.BackedUp = false;
        database.Entry.Fork = Guid.Empty;
        database.Apply(database.End);
        database.Recovered = true;
    }

    private void Remember(EngineSession session, Restore restore, BackupSet? set)
    {
        // A fork of its own, which no other recovery of the same backup has.
        if (FindDatabase(restore.Database) is { } database && database.Entry.Fork == Guid.Empty)
        {
            database.Entry.Fork = Environment.NewGuid();
        }

        SaveMaster();
        History.Restores.Add(new RestoreRow(
            (History.Restores.LastOrDefault()?.Id ?? 0) + 1, Environment.UtcNow, restore.Database, session.LoginName,
            History.Backups.Find(row => row.Set.Id == set?.Id)?.Id, restore.Log, restore.Replace, restore.Recovery));
        SaveHistory();
    }
}
