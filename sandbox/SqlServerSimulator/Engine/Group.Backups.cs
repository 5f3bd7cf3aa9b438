namespace SqlServerSimulator.Engine;

/// <summary>The log chain of a group's databases is one, whichever replica takes the backups.</summary>
internal sealed partial class Group
{
    private readonly Dictionary<Guid, LogBackedUp> _logBackups = [];

    /// <summary>Tells the others how far the log is backed up: the primary tells all, a secondary the primary.</summary>
    public void TellLogBackup(Database database)
    {
        if (Role != ReplicaRole.Primary)
        {
            if (_contact is { } contact)
            {
                Send(contact.Link, Message(database, contact.Replica));
            }

            return;
        }

        foreach (var peer in Peers.Values.Where(peer => peer.Following))
        {
            TellLogBackup(database, peer);
        }
    }

    /// <summary>What keeps a restored copy out of the group; null when nothing does.</summary>
    public Contract.SqlError? WhyNotJoin(Database copy, GroupDatabase member)
    {
        if (!_logBackups.TryGetValue(member.Id, out var known))
        {
            return null;
        }

        return known.Family != copy.Entry.Family || copy.End < known.Lsn
            ? Errors.Make(
                1408, 16, $"The remote copy of database \"{copy.Name}\" is not recovered far enough to enable database mirroring or to join it to the availability group. You need to apply missing log records to the remote database by restoring the current log backups from the principal/primary database.")
            : null;
    }

    private void TellLogBackup(Database database, Peer peer) => Send(peer, Message(database, peer.Replica));

    private LogBackedUp Message(Database database, Guid to) => new(
        Id, File.LocalReplica, to, File.Promised, database.Entry.GroupDatabase!.Value, database.Entry.Family, database.Entry.LogBackup);

    private void Learn(LogBackedUp backup)
    {
        _logBackups[backup.Database] = backup;
        if (Database(backup.Database) is not { } database || database.Entry.LogBackup >= backup.Lsn)
        {
            return;
        }

        database.Entry.LogBackup = backup.Lsn;
        _instance.SaveMaster();
        if (Role == ReplicaRole.Primary)
        {
            TellLogBackup(database);
        }
    }
}
