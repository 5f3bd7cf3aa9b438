using Agents.Groups;

namespace Agents.Promotion;

/// <summary>Chooses the replica that a planned failover goes to, or says why there is none. Nothing is changed by asking.</summary>
public static class TargetRule
{
    /// <summary>Judges a request at the primary.</summary>
    /// <param name="request">The request.</param>
    /// <param name="directory">Members and pods.</param>
    /// <param name="primaryName">The primary's server name.</param>
    /// <param name="primary">The primary's own state, which alone knows who is synchronized.</param>
    public static TargetVerdict Judge(FailoverRequest request, GroupDirectory directory, string primaryName, ReplicaState primary)
    {
        var target = request.Target.Trim();
        if (target.StartsWith('!'))
        {
            var avoided = Resolve(target[1..], directory);
            return avoided is null
                ? new TargetVerdict.Refused($"there is no replica '{target[1..]}' to avoid; the replicas are {Names(directory)}")
                : GroupDirectory.Same(avoided, primaryName)
                    ? Best(primaryName, directory, primary, avoided)
                    : new TargetVerdict.AlreadyPrimary($"{primaryName} is primary already, and it is not {avoided}");
        }

        if (target.Length == 0)
            return Best(primaryName, directory, primary, avoided: null);

        var name = Resolve(target, directory);
        if (name is null)
            return new TargetVerdict.Refused($"there is no replica '{target}'; the replicas are {Names(directory)}");
        if (GroupDirectory.Same(name, primaryName))
            return new TargetVerdict.AlreadyPrimary($"{name} is primary already");
        return Unready(name, directory, primary) is { } why ? new TargetVerdict.Refused(why) : new TargetVerdict.Target(name);
    }

    /// <summary>The best secondary to hand over to, or null when none is ready.</summary>
    /// <param name="primaryName">The primary's server name.</param>
    /// <param name="directory">Members and pods.</param>
    /// <param name="primary">The primary's own state.</param>
    public static string? BestSecondary(string primaryName, GroupDirectory directory, ReplicaState primary) =>
        (Best(primaryName, directory, primary, avoided: null) as TargetVerdict.Target)?.Name;

    private static TargetVerdict Best(string primaryName, GroupDirectory directory, ReplicaState primary, string? avoided)
    {
        var others = primary.Replicas
            .Where(replica => !GroupDirectory.Same(replica.Name, primaryName) && !GroupDirectory.Same(replica.Name, avoided))
            .OrderBy(replica => replica.Name, StringComparer.Ordinal)
            .ToArray();
        var ready = others.FirstOrDefault(replica => Unready(replica.Name, directory, primary) is null);
        if (ready is not null)
            return new TargetVerdict.Target(ready.Name);
        return new TargetVerdict.Refused(
            others.Length == 0 ? "there is no other replica" : $"no replica is ready: {string.Join("; ", others.Select(replica => Unready(replica.Name, directory, primary)))}");
    }

    private static string? Unready(string name, GroupDirectory directory, ReplicaState primary) => (directory.Member(name), primary.Replica(name)) switch
    {
        ({ Leaving: true }, _) => $"{name} is to leave the availability group",
        (_, null) => $"{name} has not been added to the availability group yet",
        (_, { Mode: AvailabilityMode.ConfigurationOnly }) => $"{name} is configurationOnly and can never become primary",
        (_, { Mode: AvailabilityMode.AsynchronousCommit }) => $"{name} is asynchronousCommit; a failover to it could lose data",
        (_, { Connected: not true }) => $"{name} is not connected to the primary",
        ({ Mode: not AvailabilityMode.SynchronousCommit } member, _) => $"{name} is to be {member.Mode.ToName()}",
        (_, { Synchronized: not true }) => $"{name} is not SYNCHRONIZED",
        _ => null,
    };

    /// <summary>Finds a member by pod, StatefulSet, server or host name, or by pod IP.</summary>
    private static string? Resolve(string target, GroupDirectory directory)
    {
        var host = target.Split('.')[0];
        var member = directory.Members.FirstOrDefault(member => GroupDirectory.Same(member.Name, target))
            ?? directory.Members.FirstOrDefault(member => GroupDirectory.Same(member.Instance, target))
            ?? directory.Members.FirstOrDefault(member => directory.Pods.TryGetValue(member.Name, out var pod) && pod.Address == target)
            ?? directory.Members.FirstOrDefault(member => target.Contains('.', StringComparison.Ordinal) && GroupDirectory.Same(member.Name, host));
        return member?.Name;
    }

    private static string Names(GroupDirectory directory) => string.Join(", ", directory.Members.Select(member => member.Name));
}

/// <summary>What <see cref="TargetRule"/> found.</summary>
public abstract record TargetVerdict
{
    private TargetVerdict()
    {
    }

    /// <summary>Fail over to this replica.</summary>
    /// <param name="Name">Its server name.</param>
    public sealed record Target(string Name) : TargetVerdict;

    /// <summary>What was asked for holds already.</summary>
    /// <param name="Because">The reason, for people.</param>
    public sealed record AlreadyPrimary(string Because) : TargetVerdict;

    /// <summary>It cannot be done; nothing has changed.</summary>
    /// <param name="Because">The reason, for people.</param>
    public sealed record Refused(string Because) : TargetVerdict;
}
