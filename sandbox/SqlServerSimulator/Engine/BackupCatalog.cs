using System.Numerics;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>What msdb tells of backups, and the result sets of RESTORE ... ONLY.</summary>
public static class BackupCatalog
{
    private static readonly SqlType Name = new(SqlKind.NVarChar, 128);
    private static readonly SqlType Text = new(SqlKind.NVarChar, 260);
    private static readonly SqlType Number = new(SqlKind.Int);
    private static readonly SqlType Bit = new(SqlKind.Bit);
    private static readonly SqlType Time = new(SqlKind.DateTime);
    private static readonly SqlType Guid = new(SqlKind.UniqueIdentifier);
    private static readonly SqlType Lsn = new(SqlKind.Numeric, 0, 25, 0);
    private static readonly SqlType Size = new(SqlKind.Numeric, 0, 20, 0);
    private static readonly SqlType Big = new(SqlKind.BigInt);
    private static readonly SqlType Letter = new(SqlKind.Char, 1);
    private static readonly SqlType Small = new(SqlKind.SmallInt);
    private static readonly SqlType Tiny = new(SqlKind.TinyInt);

    private static readonly (string Name, SqlType Type, Func<BackupRow, object?> Value)[] BackupSets =
    [
        ("backup_set_id", Number, row => row.Id),
        ("backup_set_uuid", Guid, row => row.Set.Id),
        ("media_set_id", Number, row => row.Id),
        ("first_family_number", Tiny, _ => (byte)1),
        ("last_family_number", Tiny, row => (byte)row.Devices.Count),
        ("position", Number, row => row.Position),
        ("name", Name, row => row.Set.Name),
        ("description", new SqlType(SqlKind.NVarChar, 255), row => row.Set.Description),
        ("user_name", Name, row => row.Set.User),
        ("software_major_version", Tiny, _ => (byte)16),
        ("time_zone", Small, _ => (short)0),
        ("first_lsn", Lsn, row => SystemCatalog.Lsn(row.Set.Log ? row.Set.After : row.Set.Last)),
        ("last_lsn", Lsn, row => SystemCatalog.Lsn(row.Set.Last)),
        ("checkpoint_lsn", Lsn, row => SystemCatalog.Lsn(row.Set.Log ? row.Set.After : row.Set.Last)),
        ("database_creation_date", Time, row => row.Set.Created),
        ("backup_start_date", Time, row => row.Set.Started),
        ("backup_finish_date", Time, row => row.Set.Finished),
        ("type", Letter, row => row.Set.Log ? "L" : "D"),
        ("compatibility_level", Tiny, _ => (byte)160),
        ("backup_size", Size, row => new BigInteger(row.Set.Bytes)),
        ("compressed_backup_size", Size, row => new BigInteger(row.Set.Bytes)),
        ("database_name", Name, row => row.Set.Database),
        ("server_name", Name, row => row.Set.Server),
        ("machine_name", Name, row => row.Set.Server),
        ("collation_name", Name, row => row.Set.Collation),
        ("recovery_model", new SqlType(SqlKind.NVarChar, 60), row => Model(row.Set.Recovery)),
        ("has_backup_checksums", Bit, row => row.Set.Checksum),
        ("is_copy_only", Bit, row => row.Set.CopyOnly),
        ("is_damaged", Bit, _ => false),
        ("is_snapshot", Bit, _ => false),
        ("is_readonly", Bit, _ => false),
        ("is_single_user", Bit, _ => false),
        ("first_recovery_fork_guid", Guid, row => row.Set.Fork),
        ("last_recovery_fork_guid", Guid, row => row.Set.Fork),
        ("database_guid", Guid, row => row.Set.Family),
        ("family_guid", Guid, row => row.Set.Family),
    ];

    /// <summary>A table of msdb, or null.</summary>
    public static SystemView? Find(string name) => name.ToUpperInvariant() switch
    {
        "BACKUPSET" => new SystemView(
            [.. BackupSets.Select(column => new SqlColumn(column.Name, column.Type))],
            (instance, _) => [.. instance.History.Backups.Select(row => BackupSets.Select(column => column.Value(row)).ToArray())]),
        "BACKUPMEDIAFAMILY" => new SystemView(
            [new("media_set_id", Number), new("family_sequence_number", Tiny), new("media_family_id", Guid), new("media_count", Number), new("logical_device_name", Name), new("physical_device_name", Text), new("device_type", Tiny), new("mirror", Tiny)],
            (instance, _) => [.. instance.History.Backups.SelectMany(row => row.Devices.Select((device, index) =>
                new object?[] { row.Id, (byte)(index + 1), row.Set.Id, 1, null, device, (byte)2, (byte)0 }))]),
        "RESTOREHISTORY" => new SystemView(
            [new("restore_history_id", Number), new("restore_date", Time), new("destination_database_name", Name), new("user_name", Name), new("backup_set_id", Number), new("restore_type", Letter), new("replace", Bit), new("recovery", Bit)],
            (instance, _) => [.. instance.History.Restores.Select(row => new object?[]
            {
                row.Id, row.Time, row.Database, row.User, row.BackupId, row.Log ? "L" : "D", row.Replace, row.Recovery,
            })]),
        _ => null,
    };

    /// <summary>RESTORE HEADERONLY, FILELISTONLY, LABELONLY and VERIFYONLY, which has no rows. Throws 3201, 3241, 4038.</summary>
    public static (IReadOnlyList<SqlColumn> Columns, IReadOnlyList<object?[]> Rows) Inspect(SqlInstance instance, BackupInspection inspection, string device, int? file)
    {
        var sets = instance.ReadDevice(device);
        if (file is { } number && sets.All(set => set.Position != number))
        {
            throw new SqlErrorException(4038, 16, $"Cannot find file ID {number} on device '{device}'.");
        }

        switch (inspection)
        {
            case BackupInspection.HeaderOnly:
                return (
                    [
                        new("BackupName", Name), new("BackupDescription", new SqlType(SqlKind.NVarChar, 255)), new("BackupType", Small), new("Compressed", Bit), new("Position", Small),
                        new("DeviceType", Tiny), new("UserName", Name), new("ServerName", Name), new("DatabaseName", Name), new("DatabaseCreationDate", Time), new("BackupSize", Size),
                        new("FirstLSN", Lsn), new("LastLSN", Lsn), new("CheckpointLSN", Lsn), new("BackupStartDate", Time), new("BackupFinishDate", Time),
                        new("CompatibilityLevel", Tiny), new("SoftwareVersionMajor", Number), new("MachineName", Name), new("FamilyGUID", Guid), new("HasBackupChecksums", Bit),
                        new("IsDamaged", Bit), new("IsCopyOnly", Bit), new("FirstRecoveryForkID", Guid), new("RecoveryModel", new SqlType(SqlKind.NVarChar, 60)), new("BackupSetGUID", Guid),
                        new("BackupTypeDescription", new SqlType(SqlKind.NVarChar, 60)),
                    ],
                    [
                        .. sets.Where(set => file is null || set.Position == file).Select(set => new object?[]
                        {
                            set.Name, set.Description, set.Log ? (short)2 : (short)1, set.Compressed, (short)set.Position,
                            (byte)2, set.User, set.Server, set.Database, set.Created, new BigInteger(set.Bytes),
                            SystemCatalog.Lsn(set.Log ? set.After : set.Last), SystemCatalog.Lsn(set.Last), SystemCatalog.Lsn(set.Log ? set.After : set.Last), set.Started, set.Finished,
                            (byte)160, 16, set.Server, set.Family, set.Checksum,
                            false, set.CopyOnly, set.Fork, Model(set.Recovery), set.Id,
                            set.Log ? "Transaction Log" : "Database",
                        }),
                    ]);
            case BackupInspection.FileListOnly:
                var chosen = sets.First(set => set.Position == (file ?? 1));
                return (
                    [new("LogicalName", Name), new("PhysicalName", Text), new("Type", Letter), new("FileGroupName", Name), new("Size", Size), new("MaxSize", Size), new("FileId", Big)],
                    [.. chosen.Files.Select((part, index) => new object?[]
                    {
                        part.Logical, part.Physical, part.Log ? "L" : "D", part.Log ? null : "PRIMARY", new BigInteger(part.Log ? 8 << 20 : Math.Max(8 << 20, chosen.Bytes)), new BigInteger(35184372080640), (long)(index + 1),
                    })]);
            case BackupInspection.LabelOnly:
                return (
                    [new("MediaName", Name), new("MediaSetId", Guid), new("FamilyCount", Number), new("FamilySequenceNumber", Number), new("MediaFamilyId", Guid), new("MediaDate", Time)],
                    [[null, sets[0].Id, sets[0].Families, sets[0].FamilyNumber, sets[0].Id, sets[0].Started]]);
            default:
                return ([], []);
        }
    }

    private static string Model(RecoveryModel model) => model switch
    {
        RecoveryModel.BulkLogged => "BULK-LOGGED",
        _ => model.ToString().ToUpperInvariant(),
    };
}
