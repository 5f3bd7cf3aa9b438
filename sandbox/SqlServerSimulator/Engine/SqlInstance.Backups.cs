using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    private void BackUp(EngineSession session, Backup backup)
    {
        if (IsSystem(backup.Database))
        {
            return;
        }

        var database = FindDatabase(backup.Database) ?? throw new SqlErrorException(Errors.NoDatabase(backup.Database));
        if (!Owns(session, database))
        {
            throw new SqlErrorException(262, 14, $"BACKUP DATABASE permission denied in database '{database.Name}'.");
        }

        if (database.Entry.Restoring || database.Entry.Seeding)
        {
            throw new SqlErrorException(Errors.Restoring(database.Name));
        }

        if (database.Entry.Group is { } id && Groups.TryGetValue(id, out var group) && group.Role != ReplicaRole.Primary)
        {
            if (group.Role == ReplicaRole.Resolving)
            {
                throw new SqlErrorException(Errors.NoRole(database.Name));
            }

            if (!group.IsFollowing || (!backup.Log && !backup.CopyOnly))
            {
                throw new SqlErrorException(
                    3059, 16, "This BACKUP or RESTORE command is not supported on a database mirror or secondary replica.");
            }
        }

        if (backup.Log)
        {
            if (database.Entry.Recovery == RecoveryModel.Simple)
            {
                throw new SqlErrorException(4208, 16, "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.");
            }

            if (!database.Entry.BackedUp)
            {
                throw new SqlErrorException(4214, 16, "BACKUP LOG cannot be performed because there is no current database backup.");
            }
        }
        else if (!backup.CopyOnly && database.Entry.Recovery != RecoveryModel.Simple)
        {
            database.Entry.BackedUp = true;
            SaveMaster();
        }
    }
}
