namespace SqlServerSimulator.Engine;

/// <summary>Where backups are preferred: stored preference and priorities, and who is there as far as this replica knows.</summary>
internal sealed partial class Group
{
    private const byte PreferPrimary = 0;
    private const byte SecondaryOnly = 1;
    private const byte PreferSecondary = 2;

    /// <summary>Whether the local replica is the one. Only a primary knows who else is connected; a secondary takes the others to be there.</summary>
    public bool IsPreferredForBackups()
    {
        if (Role == ReplicaRole.Resolving || (Role == ReplicaRole.Secondary && !IsFollowing))
        {
            return false;
        }

        var isPrimary = Role == ReplicaRole.Primary;
        if (Configuration.AutomatedBackupPreference == PreferPrimary)
        {
            return isPrimary;
        }

        var candidates = Configuration.Replicas
            .Where(replica => replica is { BackupPriority: > 0, Mode: not AvailabilityMode.ConfigurationOnly })
            .Where(replica => !isPrimary || replica.Id == File.LocalReplica || Peers.GetValueOrDefault(replica.Id) is { Up: true, IsMember: true })
            .ToList();
        var secondaries = candidates.Where(replica => replica.Id != KnownPrimary).ToList();
        var allowed = Configuration.AutomatedBackupPreference switch
        {
            SecondaryOnly => secondaries,
            PreferSecondary when secondaries.Count > 0 => secondaries,
            _ => candidates,
        };
        return allowed.OrderByDescending(replica => replica.BackupPriority).ThenBy(replica => replica.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault()?.Id
            == File.LocalReplica;
    }
}
