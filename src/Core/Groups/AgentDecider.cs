using Agents.Election;
using Agents.Observation;
using Agents.Promotion;

namespace Agents.Groups;

/// <summary>
/// Decides what an agent does in one turn. Pure: facts and memory in, one decision out; no clock, no input or output. The rules are those of
/// docs/safety-rules.md.
/// </summary>
public static class AgentDecider
{
    private const string Primary = "primary";
    private const string Secondary = "secondary";

    // Uptimes are whole seconds.
    private static readonly TimeSpan RestartSlack = TimeSpan.FromSeconds(1.5);

    /// <summary>Decides.</summary>
    /// <param name="settings">What the agent was configured with.</param>
    /// <param name="facts">What it knows in this turn.</param>
    /// <param name="memory">What it remembers.</param>
    public static AgentDecision Decide(GroupSettings settings, GroupFacts facts, AgentMemory memory)
    {
        if (!facts.Lease.TryGet(out var lease))
            return new AgentDecision.Wait($"the Lease is not known: {facts.Lease.Why} (S11)");

        if (lease is null || lease.Holder.Length == 0)
            return WhenFree(settings, facts, memory, lease);
        if (lease.Holder == settings.Identity.Holder)
            return WhenHeld(settings, facts, memory, lease);
        return lease.UnchangedFor >= settings.Timings.LeaseDuration
            ? WhenFree(settings, facts, memory, lease)
            : WhenOthers(settings, facts, memory, lease);
    }

    // Nobody holds the Lease, or its holder has been silent for L.
    private static AgentDecision WhenFree(GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView? lease)
    {
        var state = lease is null ? "there is no Lease yet"
            : lease.Holder.Length == 0 ? "the Lease was released"
            : $"the Lease of {AgentIdentity.PodOf(lease.Holder)} has not changed for {lease.UnchangedFor.TotalSeconds:0.0} s (S2)";
        if (memory.Busy is { } busy)
            return new AgentDecision.Wait($"{state}; still busy: {busy}");
        if (memory.Stopping)
            return new AgentDecision.Wait($"{state}; this agent is ending");
        if (!facts.Directory.TryGet(out var directory))
            return new AgentDecision.Wait($"{state}; the members are not known: {facts.Directory.Why} (S11)");
        if (directory.Member(settings.Identity.Pod) is not { } self)
            return new AgentDecision.Wait($"{state}; {settings.Identity.Pod} is not a member");
        if (!facts.Local.TryGet(out var local))
            return new AgentDecision.Wait($"{state}; the local instance is not known: {facts.Local.Why} (S11)");
        if (self.Leaving && local.Group is null)
            return Dissolving(directory, self) ? new AgentDecision.AcquireLease(lease?.ResourceVersion, state) : Leave(directory, self, state);
        if (self.Leaving && directory.Staying.Any(member => member.Mode == AvailabilityMode.SynchronousCommit)
            && lease is not null && lease.UnchangedFor < (lease.Holder.Length == 0 ? settings.Deferral : settings.Timings.LeaseDuration + settings.Deferral))
            return new AgentDecision.Wait($"{state}; {self.Name} is to leave the group, so others may try first");

        var isPrimary = local.Group?.Role == ReplicaRole.Primary;
        if (lease is { Holder.Length: 0, Successor.Length: > 0 } && lease.UnchangedFor < settings.SuccessorGrace
            && !GroupDirectory.Same(lease.Successor, settings.Identity.Pod))
            return new AgentDecision.Wait($"{state} for {lease.Successor}");
        if (facts.Now < memory.DeferUntil && !isPrimary && !GroupDirectory.Same(lease?.Successor, settings.Identity.Pod))
            return new AgentDecision.Wait($"{state}; others may try for another {(memory.DeferUntil - facts.Now).TotalSeconds:0.0} s");
        if (local.Group is { } replica && replica.Mode != AvailabilityMode.SynchronousCommit)
            return new AgentDecision.Wait($"{state}; the local replica is {replica.Mode.ToName()} and is never promoted (S4)");
        if (local.Group is null && self.Mode != AvailabilityMode.SynchronousCommit)
            return new AgentDecision.Wait($"{state}; {self.Name} is {self.Mode.ToName()} and is never promoted (S4)");
        if (local.Group is null && directory.CreatedBy is { } creator && !GroupDirectory.Same(creator, self.Name))
            return new AgentDecision.Wait($"{state}; the group was created by {creator} and is not on this instance yet");

        return new AgentDecision.AcquireLease(lease?.ResourceVersion, state);
    }

    // Somebody else holds the Lease.
    private static AgentDecision WhenOthers(GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease)
    {
        var leader = AgentIdentity.PodOf(lease.Holder);
        if (!facts.Local.TryGet(out var local))
            return new AgentDecision.Wait($"{leader} leads; the local instance is not known: {facts.Local.Why} (S11)");
        if (local.Group?.Role == ReplicaRole.Primary)
            return new AgentDecision.StepDown($"{leader} leads, so this primary must step down (S7)");
        if (memory.Busy is { } busy)
            return new AgentDecision.Wait($"{leader} leads; still busy: {busy}");

        if (!facts.Directory.TryGet(out var directory))
            return new AgentDecision.Wait($"{leader} leads; the members are not known: {facts.Directory.Why}");
        if (directory.Pods.TryGetValue(settings.Identity.Pod, out var own) && own.RoleLabel == Primary)
            return new AgentDecision.SetRoleLabel(own.Name, local.Group is null ? null : Secondary, $"{leader} leads (S9)");
        if (memory.Stopping && local.Group?.Role != ReplicaRole.Resolving)
            return new AgentDecision.Wait($"{leader} leads; this agent is ending");

        var peer = facts.Peers.Of(leader);
        var leaderIsPrimary = peer is not null && peer.TryGet(out var seen) && seen.Role == ReplicaRole.Primary ? seen : null;
        if (local.Group is null && directory.Member(settings.Identity.Pod) is { Leaving: true } self)
            return Leave(directory, self, $"{leader} leads");
        if (local.Group is { ReplicaId.Length: > 0 } stale && leaderIsPrimary is { ReplicaIds.Count: > 0 } && !leaderIsPrimary.ReplicaIds.Contains(stale.ReplicaId))
            return Pausing(memory.ChangeFailedAt, facts.Now, settings.RetryPause)
                ? new AgentDecision.Wait("the stale copy of the group could not be dropped a moment ago")
                : new AgentDecision.DropGroup(Dissolve: false, $"{leader} is primary and has removed the replica of this copy; its databases stay RESTORING");
        if (local.Group is null)
        {
            if (leaderIsPrimary is null)
                return new AgentDecision.Wait($"{leader} leads and is not seen as PRIMARY yet{Why(peer)}");
            if (!leaderIsPrimary.ReplicaNames.Contains(local.ServerName, StringComparer.OrdinalIgnoreCase))
                return new AgentDecision.Wait($"{leader} has not added {local.ServerName} as a replica yet");
            return Pausing(memory.JoinTriedAt, facts.Now, settings.RetryPause)
                ? new AgentDecision.Wait("JOIN was tried a moment ago")
                : new AgentDecision.JoinGroup($"{leader} is primary and has added {local.ServerName}");
        }

        var follows = local.Group.Role == ReplicaRole.Secondary && GroupDirectory.Same(local.Group.PrimaryName, leader) && local.Group.Connected;
        if (!follows)
        {
            // Before the new primary is there, a replica is left as it is: a recovery begun too early would only delay its failover.
            if (leaderIsPrimary is null)
                return new AgentDecision.Wait($"{leader} leads and is not seen as PRIMARY yet{Why(peer)}");
            if (local.Group.Role == ReplicaRole.Secondary && local.Group.Databases.Any(database => !database.Present)
                && GroupDirectory.Same(local.Group.PrimaryName, leader))
                return new AgentDecision.Wait("a database is being seeded, which SET (ROLE = SECONDARY) would cancel");
            return Pausing(memory.RejoinedAt, facts.Now, settings.RetryPause)
                ? new AgentDecision.Wait($"{leader} is primary; waiting for the connection to it")
                : new AgentDecision.BecomeSecondary(
                    local.Group.Role == ReplicaRole.Resolving ? $"{leader} is primary and this replica is RESOLVING"
                    : $"{leader} is primary and this secondary follows {local.Group.PrimaryName ?? "nobody"}{(local.Group.Connected ? string.Empty : ", not connected")}");
        }

        if (local.Group.Databases.FirstOrDefault(database => database.LeftOver) is { } copy && !Pausing(memory.DatabaseTriedAt, facts.Now, settings.DatabasePause))
            return new AgentDecision.JoinDatabase(copy.Name, $"this instance has an older copy of {copy.Name}; where it cannot be joined, drop it, and it is seeded anew (S12)");
        return own is not null && own.RoleLabel != Secondary
            ? new AgentDecision.SetRoleLabel(own.Name, Secondary, $"this replica follows {leader} (S9)")
            : new AgentDecision.Wait($"{leader} leads and this replica follows it", Settled: true);
    }

    // This agent holds the Lease.
    private static AgentDecision WhenHeld(GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease)
    {
        if (!facts.Local.TryGet(out var local))
            return WithoutEngine(settings, facts, memory, lease);

        var isPrimary = local.Group?.Role == ReplicaRole.Primary;
        if (isPrimary && memory.Busy is null && local.Group!.CommitPendingFor > settings.CommitPatience)
            return new AgentDecision.StepDown(
                $"a change of configuration has waited {local.Group.CommitPendingFor.Value.TotalSeconds:0} s for a majority, so this primary cannot serve (S12)");

        // Renewing comes before everything else that may take time. An agent that has just started renews at once. Where a renewal takes longer than
        // the period between two, the next one is due at once; every other turn is then for what else there is to do.
        if (memory.RenewedAt is not { } renewedAt || (facts.Now - renewedAt >= settings.Timings.RenewPeriod && !memory.RenewedJustNow))
            return new AgentDecision.RenewLease(
                lease.ResourceVersion, isPrimary, local.Ticks + settings.Timings.SetWithinTicks, "the renewal is due");
        if (memory.Busy is { } busy)
            return new AgentDecision.Wait($"this agent leads; still busy: {busy}");
        if (!facts.Directory.TryGet(out var directory))
            return new AgentDecision.Wait($"this agent leads; the members are not known: {facts.Directory.Why} (S11)");

        if (local.Group is null)
            return WithoutGroup(settings, facts, memory, lease, directory);
        if (!isPrimary && directory.Request is { AllowDataLoss: true } forced && directory.Result?.Id != forced.Id)
            return new AgentDecision.Answer(
                new FailoverResult(forced.Id, FailoverState.Refused, "a forced failover is not supported yet; nothing was changed (S5)", null),
                $"failover request {forced.Id} allows data loss");
        return isPrimary
            ? AsPrimary(settings, facts, memory, lease, directory, local.ServerName, local.Group)
            : AsCandidate(settings, facts, memory, lease, local, local.Group);
    }

    private static AgentDecision WithoutEngine(GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease)
    {
        if (memory.Busy is { } busy && facts.Process != EngineProcess.Gone)
            return Renew($"still busy: {busy}");
        if (facts.Process == EngineProcess.Gone)
            return new AgentDecision.ReleaseLease(lease.ResourceVersion, string.Empty, "the local SQL Server process has ended (S8)");
        if (facts.Now >= memory.WriteLeaseEndsBy)
            return new AgentDecision.ReleaseLease(
                lease.ResourceVersion, string.Empty, $"the local instance does not answer and its write lease has ended (S8): {facts.Local.Why}");
        return Renew($"the local instance does not answer, but may still be able to write for {(memory.WriteLeaseEndsBy - facts.Now).TotalSeconds:0.0} s: {facts.Local.Why}");

        AgentDecision Renew(string why) => memory.RenewedAt is { } at && facts.Now - at < settings.Timings.RenewPeriod
            ? new AgentDecision.Wait(why)
            : new AgentDecision.RenewLease(lease.ResourceVersion, ExtendWriteLease: false, 0, why);
    }

    // The holder's instance does not have the group: create it, once and only once.
    private static AgentDecision WithoutGroup(
        GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease, GroupDirectory directory)
    {
        var self = directory.Member(settings.Identity.Pod);
        if (self is null)
            return new AgentDecision.ReleaseLease(lease.ResourceVersion, string.Empty, $"{settings.Identity.Pod} is not a member and has no replica (S8)");
        if (memory.Stopping)
            return new AgentDecision.ReleaseLease(lease.ResourceVersion, string.Empty, "this agent is ending and has no replica (S8)");
        if (Dissolving(directory, self))
            return new AgentDecision.PublishReplicas([], $"{self.Name} was the last replica and the group is dropped");
        if (self.Leaving)
            return new AgentDecision.ReleaseLease(lease.ResourceVersion, string.Empty, $"{self.Name} is to leave the group and has no replica (S8)");
        if (directory.CreatedBy is { } creator && !GroupDirectory.Same(creator, self.Name))
            return new AgentDecision.ReleaseLease(
                lease.ResourceVersion, string.Empty, $"the group was created by {creator} and is not on this instance (S8)");

        // Creating a second group beside one that exists would split it; so every voter must say that it has none, and a majority must say anything.
        var voters = directory.Members.Where(member => member.Mode.Votes()).ToArray();
        var without = 1;
        var silent = new List<string>();
        foreach (var voter in voters)
        {
            if (GroupDirectory.Same(voter.Name, self.Name))
                continue;
            var peer = facts.Peers.Of(voter.Name);
            if (peer is null || !peer.TryGet(out var seen))
                silent.Add($"{voter.Name}{Why(peer)}");
            else if (seen.Role is not null)
                return new AgentDecision.ReleaseLease(
                    lease.ResourceVersion, voter.Name, $"{voter.Name} has the group and this instance does not (S8)");
            else
                without++;
        }

        var need = PromotionRule.Majority(voters.Length);
        if (without >= need && !Pausing(memory.ChangeFailedAt, facts.Now, settings.RetryPause))
            return new AgentDecision.CreateGroup(self, $"{without} of {voters.Length} voters have no group of this name");
        return facts.Now - memory.LeadingSince > settings.PromotionPatience
            ? new AgentDecision.ReleaseLease(lease.ResourceVersion, string.Empty, $"no majority to create the group with: {string.Join(", ", silent)} (S8)")
            : new AgentDecision.Wait($"before the group is created, {need} of {voters.Length} voters must say that they have none; silent: {string.Join(", ", silent)}");
    }

    private static AgentDecision AsCandidate(
        GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease, LocalReplica local, ReplicaState replica)
    {
        if (memory.Stopping)
            return Release(string.Empty, "this agent is ending");

        // A server that was started again may recover for long, and the others hold the data ready; they go first. A group of one has no others.
        if (replica.Replicas.Count > 1 && facts.Now - memory.LeadingSince > local.UpFor + RestartSlack)
            return Release(string.Empty, $"SQL Server of {local.ServerName} was started again while this agent led");
        switch (PromotionRule.Judge(local.ServerName, replica, facts.Peers))
        {
            case PromotionVerdict.Unfit unfit:
                return Release(unfit.Better ?? string.Empty, unfit.Because);
            case PromotionVerdict.NotYet notYet:
                return facts.Now - memory.LeadingSince > settings.PromotionPatience
                    ? Release(string.Empty, $"{notYet.Because}; others may have more luck")
                    : new AgentDecision.Wait(notYet.Because);
            case PromotionVerdict.Fit fit:
                // The bound counts from the start of the renewal, and the instance's clock was read up to this much later.
                var elapsed = (facts.Now - memory.RenewedAt!.Value) * (1 + LeaseTimings.ClockTolerance) * (1 + LeaseTimings.ClockTolerance);
                var within = settings.Timings.SetWithinTicks - (long)Math.Ceiling(elapsed.TotalMilliseconds);
                return within > 0
                    ? new AgentDecision.Promote(local.Ticks + within, fit.Because)
                    : new AgentDecision.RenewLease(lease.ResourceVersion, ExtendWriteLease: false, 0, "too little of the hold is left for a promotion (S6)");
            default:
                throw new System.Diagnostics.UnreachableException();
        }

        // A FAILOVER without an answer may still take effect for as long as the write lease that was set before it lasts (S6).
        AgentDecision Release(string successor, string because) => memory.FailoverUncertain && facts.Now < memory.WriteLeaseEndsBy
            ? new AgentDecision.Wait($"{because}; but the last FAILOVER may still take effect (S8)")
            : new AgentDecision.ReleaseLease(lease.ResourceVersion, successor, $"{because}; this replica is {Name(replica.Role)} (S8)");
    }

    private static AgentDecision AsPrimary(
        GroupSettings settings, GroupFacts facts, AgentMemory memory, LeaseView lease, GroupDirectory directory, string name, ReplicaState primary)
    {
        // Routing follows the role: first nobody else is called primary, then this pod is (S9).
        var stale = directory.Pods.Values.FirstOrDefault(pod => pod.RoleLabel == Primary && pod.Name != settings.Identity.Pod);
        if (stale is not null)
            return new AgentDecision.SetRoleLabel(stale.Name, Secondary, $"{name} is primary, not {stale.Name} (S9)");
        if (directory.Pods.TryGetValue(settings.Identity.Pod, out var own) && own.RoleLabel != Primary)
            return new AgentDecision.SetRoleLabel(own.Name, Primary, $"{name} is primary (S9)");

        if (memory.Stopping)
            return TargetRule.BestSecondary(name, directory, primary) is { } heir
                ? new AgentDecision.HandOver(heir, null, $"this agent is ending and {heir} is SYNCHRONIZED")
                : new AgentDecision.Wait("this agent is ending, but no other replica is SYNCHRONIZED");
        if (Mailbox(directory, name, primary) is { } mail)
            return mail;
        if (primary.CommitPendingFor is not null)
            return new AgentDecision.Wait("a change of configuration waits for a majority");
        var change = Pausing(memory.ChangeFailedAt, facts.Now, settings.RetryPause)
            ? new AgentDecision.Wait("the last change of configuration failed a moment ago")
            : MembershipDecider.Decide(name, directory, primary);
        return change is null or AgentDecision.Wait && Publish(settings, facts, memory, directory, primary) is { } publish
            ? publish
            : change ?? new AgentDecision.Wait("this agent leads and its replica is primary", Settled: true);
    }

    // The operator lets a SqlServer go once its replica is out of this list.
    private static AgentDecision.PublishReplicas? Publish(
        GroupSettings settings, GroupFacts facts, AgentMemory memory, GroupDirectory directory, ReplicaState primary)
    {
        string[] names = [.. primary.Replicas.Select(replica => replica.Name).Order(StringComparer.Ordinal)];
        return directory.Replicas?.SequenceEqual(names) == true
            || (memory.Published?.SequenceEqual(names) == true && Pausing(memory.PublishedAt, facts.Now, settings.RetryPause))
            ? null
            : new AgentDecision.PublishReplicas(names, $"the replicas are {string.Join(", ", names)}");
    }

    // The last member has dropped the group, or has died in between: the others must learn that there is none.
    private static bool Dissolving(GroupDirectory directory, GroupMember self) =>
        self.Leaving && !directory.Staying.Any() && directory.CreatedBy is not null
        && directory.Replicas?.All(name => GroupDirectory.Same(name, self.Name)) == true;

    private static AgentDecision Leave(GroupDirectory directory, GroupMember self, string state) =>
        directory.Replicas?.Contains(self.Name, StringComparer.OrdinalIgnoreCase) ?? directory.CreatedBy is not null
            ? new AgentDecision.Wait($"{state}; {self.Name} is to leave the group, and the primary has yet to remove its replica")
            : new AgentDecision.End($"{self.Name} has left the group");

    private static AgentDecision? Mailbox(GroupDirectory directory, string name, ReplicaState primary)
    {
        if (directory.Request is not { } request)
            return null;
        if (directory.Result is { } result && result.Id == request.Id)
        {
            if (result.State != FailoverState.Accepted)
                return null;
            return GroupDirectory.Same(result.Primary, name)
                ? Reply(FailoverState.Succeeded, $"{name} is primary", name)
                : Reply(FailoverState.Failed, $"{result.Primary} did not become primary; {name} is primary", name);
        }

        return TargetRule.Judge(request, directory, name, primary) switch
        {
            TargetVerdict.AlreadyPrimary already => Reply(FailoverState.Succeeded, already.Because, name),
            TargetVerdict.Refused refused when request.AllowDataLoss => Reply(
                FailoverState.Refused, $"{refused.Because}; while {name} is primary, a forced failover would lose what it alone has", name),
            TargetVerdict.Refused refused => Reply(FailoverState.Refused, refused.Because, name),
            TargetVerdict.Target target => new AgentDecision.HandOver(target.Name, request.Id, $"failover request {request.Id} asks for {target.Name}"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

        AgentDecision.Answer Reply(FailoverState state, string message, string now) =>
            new(new FailoverResult(request.Id, state, message, now), $"failover request {request.Id}: {message}");
    }

    private static bool Pausing(TimeSpan? since, TimeSpan now, TimeSpan pause) => since is { } at && now - at < pause;

    private static string Why(Sighting<PeerReplica>? peer) => peer is null ? " (not asked)" : peer.Why.Length == 0 ? string.Empty : $" ({peer.Why})";

    private static string Name(ReplicaRole role) => role.ToString().ToUpperInvariant();
}
