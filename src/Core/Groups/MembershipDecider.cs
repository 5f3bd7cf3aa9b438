using Agents.Promotion;

namespace Agents.Groups;

/// <summary>
/// From who shall belong to a group, and how, to the next change that its primary makes. Each change needs a majority of the voters before it and
/// of those after it, so it is not begun without both: one that is begun and hangs would cost the primary its role (S12).
/// </summary>
internal static class MembershipDecider
{
    private const int MostSynchronous = 5;
    private const int MostBesideConfigurationOnly = 2;

    /// <summary>The next step; a <see cref="AgentDecision.Wait"/> says why there is none yet; null when all is as asked for.</summary>
    /// <param name="name">The primary's server name.</param>
    /// <param name="directory">Members as asked for.</param>
    /// <param name="primary">The primary's own state.</param>
    public static AgentDecision? Decide(string name, GroupDirectory directory, ReplicaState primary)
    {
        AgentDecision? obstacle = null;
        foreach (var step in Steps(name, directory, primary))
        {
            if (step is not AgentDecision.Wait)
                return step;
            obstacle ??= step;
        }

        return obstacle;
    }

    // In this order: who leaves goes first, since a primary cannot be taken offline beside a dead synchronous replica.
    private static IEnumerable<AgentDecision> Steps(string name, GroupDirectory directory, ReplicaState primary)
    {
        foreach (var member in directory.Members)
            if (member.Leaving && !GroupDirectory.Same(member.Name, name) && primary.Replica(member.Name) is { } replica)
                yield return Shrink(
                    name, directory, primary, replica, new AgentDecision.RemoveReplica(replica.Name, $"SqlServer {member.Instance} is deleted or no longer lists the group"));

        if (Resign(name, directory, primary) is { } resignation)
            yield return resignation;

        foreach (var member in directory.Staying)
        {
            if (primary.Replica(member.Name) is not { } replica)
                yield return Limit(member, primary) ?? new AgentDecision.AddReplica(member, $"{member.Name} is a member and not a replica yet");
            else if (replica.Mode != member.Mode && !GroupDirectory.Same(member.Name, name))
                yield return ChangeMode(name, directory, primary, member, replica);
            else if (!GroupDirectory.Same(replica.Endpoint, member.Endpoint) && replica.Mode != AvailabilityMode.ConfigurationOnly)
                yield return new AgentDecision.ModifyEndpoint(member, $"{member.Name} is now at {member.Endpoint}, not {replica.Endpoint}");
        }

        // More is asked for only of secondaries that are there: commits would wait for the others.
        var required = CommitRule.RequiredSecondaries(primary.SynchronousReplicas);
        var ready = primary.Replicas.Count(replica => replica.Mode == AvailabilityMode.SynchronousCommit && replica.Connected == true) - 1;
        if (primary.RequiredSecondaries != required && ready >= required)
            yield return new AgentDecision.SetRequiredSecondaries(required, $"{primary.SynchronousReplicas} synchronous replicas (S10)");
    }

    // A primary that leaves, or is to be what no primary can be, gives its role to another first.
    private static AgentDecision? Resign(string name, GroupDirectory directory, ReplicaState primary)
    {
        var self = directory.Member(name);
        if (self is null or { Leaving: false, Mode: AvailabilityMode.SynchronousCommit })
            return null;
        var why = self.Leaving ? $"{name} is to leave the group" : $"{name} is to be {self.Mode.ToName()}";
        if (TargetRule.BestSecondary(name, directory, primary) is { } heir)
            return new AgentDecision.HandOver(heir, null, $"{why} and {heir} is SYNCHRONIZED");
        if (!self.Leaving || directory.Staying.Any())
            return new AgentDecision.Wait($"{why}, but no other replica can be primary yet, so it stays: it needs a synchronousCommit replica that is SYNCHRONIZED (S12)");
        var others = primary.Replicas.Where(replica => !GroupDirectory.Same(replica.Name, name)).Select(replica => replica.Name).ToArray();
        return others.Length == 0
            ? new AgentDecision.DropGroup(Dissolve: true, $"{why} and is its last replica")
            : new AgentDecision.Wait($"{why} as the last of its members, but {string.Join(", ", others)} must be removed first");
    }

    private static AgentDecision ChangeMode(string name, GroupDirectory directory, ReplicaState primary, GroupMember member, ReplicaRow replica)
    {
        var why = $"{member.Name} is to be {member.Mode.ToName()}, not {replica.Mode.ToName()}";
        if (member.Mode == AvailabilityMode.ConfigurationOnly || replica.Mode == AvailabilityMode.ConfigurationOnly)
            return Shrink(name, directory, primary, replica, new AgentDecision.RemoveReplica(replica.Name, $"{why}, for which it is removed and added"));
        var modify = new AgentDecision.ModifyMode(member, why);
        if (member.Mode == AvailabilityMode.AsynchronousCommit)
            return Shrink(name, directory, primary, replica, modify);
        return replica.Connected == true
            ? Limit(member, primary) ?? modify
            : new AgentDecision.Wait($"{why}, but is not connected, and changes would wait for its vote");
    }

    // What the engine refuses: told in words, so that nobody has to look up 47107, 47108 and 35212.
    private static AgentDecision? Limit(GroupMember member, ReplicaState primary)
    {
        var witness = primary.Replicas.FirstOrDefault(replica => replica.Mode == AvailabilityMode.ConfigurationOnly);
        switch (member.Mode)
        {
            case AvailabilityMode.ConfigurationOnly when witness is not null:
                return new AgentDecision.Wait($"{member.Name} cannot be configurationOnly beside {witness.Name}: a group has one such replica at most (S12)");
            case AvailabilityMode.ConfigurationOnly when primary.SynchronousReplicas > MostBesideConfigurationOnly:
            case AvailabilityMode.SynchronousCommit when witness is not null && primary.SynchronousReplicas >= MostBesideConfigurationOnly:
                return new AgentDecision.Wait(
                    $"{member.Name} cannot be {member.Mode.ToName()}: beside a configurationOnly replica there are at most {MostBesideConfigurationOnly} synchronousCommit ones (S12)");
            case AvailabilityMode.ConfigurationOnly when primary.RequiredSecondaries > 0:
                return new AgentDecision.SetRequiredSecondaries(0, $"{member.Name} is to be configurationOnly, beside which none may be required");
            case AvailabilityMode.SynchronousCommit when primary.SynchronousReplicas >= MostSynchronous:
                return new AgentDecision.Wait($"{member.Name} cannot be synchronousCommit: a group has at most {MostSynchronous} such replicas (S12)");
            default:
                return null;
        }
    }

    // A replica stops being waited for. Rule S10 in order: not more is required than can be there afterwards; what commits wait for is lowered to
    // the rule of the smaller group only when it is smaller.
    private static AgentDecision Shrink(string name, GroupDirectory directory, ReplicaState primary, ReplicaRow leaver, AgentDecision change)
    {
        var synchronous = leaver.Mode == AvailabilityMode.SynchronousCommit;
        var most = Math.Max(0, primary.SynchronousReplicas - (synchronous ? 2 : 1));
        if (primary.RequiredSecondaries > most)
            return new AgentDecision.SetRequiredSecondaries(most, $"without {leaver.Name} there are {most} synchronous secondaries (S10)");

        var voters = primary.Replicas.Where(replica => replica.Joined && replica.Mode.Votes()).ToArray();
        if ((Minority(voters) ?? Minority([.. voters.Where(voter => voter != leaver)])) is { } minority)
            return new AgentDecision.Wait($"{change.Because}, but {minority}; bring back one that is not connected (S12)");

        var successors = primary.Replicas.Where(replica => replica != leaver && replica.Mode == AvailabilityMode.SynchronousCommit
            && !GroupDirectory.Same(replica.Name, name) && directory.Member(replica.Name) is { Leaving: false, Mode: AvailabilityMode.SynchronousCommit }).ToArray();
        return synchronous && leaver.Synchronized == true && successors.Length > 0 && successors.All(replica => replica.Synchronized != true)
            ? new AgentDecision.Wait($"{change.Because}, but it is the only SYNCHRONIZED secondary; waiting for {string.Join(", ", successors.Select(replica => replica.Name))} (S10)")
            : change;
    }

    private static string? Minority(ReplicaRow[] voters)
    {
        var connected = voters.Count(voter => voter.Connected == true);
        var need = PromotionRule.Majority(voters.Length);
        return connected < need && voters.Length > 0 ? $"{connected} of {voters.Length} voters are connected and {need} must agree" : null;
    }
}
