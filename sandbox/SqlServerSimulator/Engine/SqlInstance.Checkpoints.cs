using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    internal void CheckpointIfDue(Database database)
    {
        if (database.IsCheckpointDue(Options.CheckpointBytes))
        {
            database.Checkpoint(Truncatable(database));
        }
    }

    /// <summary>CHECKPOINT, of the session's database.</summary>
    private void CheckpointDatabase(EngineSession session)
    {
        if (IsSystem(session.Database))
        {
            return;
        }

        var database = OpenForReading(session, session.Database);
        if (!Owns(session, database))
        {
            throw new SqlErrorException(262, 14, $"CHECKPOINT permission denied in database '{database.Name}'.");
        }

        database.Checkpoint(Truncatable(database));
    }

    private long Truncatable(Database database) =>
        database.Entry.Group is not { } id ? Math.Min(database.Applied, UnbackedLog(database)) : Groups.TryGetValue(id, out var group) ? group.Truncatable(database) : 0;

    /// <summary>Outside of a group the log waits for its backup. In a group it must not grow without end: its backup then begins with an image.</summary>
    private static long UnbackedLog(Database database) =>
        database.Entry is { BackedUp: true, Recovery: not RecoveryModel.Simple } ? database.Entry.LogBackup : long.MaxValue;
}
