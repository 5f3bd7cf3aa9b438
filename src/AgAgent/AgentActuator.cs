using Agents.Groups;
using Agents.Observation;
using Agents.Sql;

namespace Agents.AgAgent;

/// <summary>Carries out decisions. What it learned in doing so comes back as the next turn's memory.</summary>
internal sealed class AgentActuator(GroupSettings settings, AgentTimeouts timeouts, GroupStore store, ISqlInstance instance, TimeProvider time)
{
    private static readonly TimeSpan RolePoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RejoinPause = TimeSpan.FromMilliseconds(200);

    // RAISERROR without a number, which our own batch uses when it finds itself too late.
    private const int LateMessage = 50000;

    // With these the engine declines a FAILOVER; any other error leaves open whether it still happens.
    private static readonly int[] Refusals = [15151, 41100, 41122, 41142, 41191, 47104, 47109, 47116, 47119, LateMessage];

    private readonly string group = settings.Group;

    /// <summary>True for decisions that take long and are carried out beside the renewals.</summary>
    public static bool IsLong(AgentDecision decision) =>
        decision is not (AgentDecision.Wait or AgentDecision.End or AgentDecision.AcquireLease or AgentDecision.RenewLease or AgentDecision.ReleaseLease);

    /// <summary>Carries out one decision.</summary>
    /// <returns>What changes in memory.</returns>
    public Task<ActOutcome> ActAsync(AgentDecision decision, CancellationToken cancellationToken) => decision switch
    {
        AgentDecision.Wait or AgentDecision.End => Task.FromResult(ActOutcome.Nothing),
        AgentDecision.AcquireLease acquire => AcquireAsync(acquire, cancellationToken),
        AgentDecision.RenewLease renew => RenewAsync(renew, cancellationToken),
        AgentDecision.ReleaseLease release => ReleaseAsync(release, cancellationToken),
        AgentDecision.CreateGroup create => CreateAsync(create, cancellationToken),
        AgentDecision.AddReplica add => ChangeAsync(GroupStatements.AddReplica(group, add.Member), cancellationToken),
        AgentDecision.RemoveReplica remove => ChangeAsync(GroupStatements.RemoveReplica(group, remove.Name), cancellationToken),
        AgentDecision.ModifyMode modify => ChangeAsync(GroupStatements.ModifyMode(group, modify.Member), cancellationToken),
        AgentDecision.DropGroup drop => DropAsync(drop, cancellationToken),
        AgentDecision.PublishReplicas publish => PublishAsync(publish.Names, cancellationToken),
        AgentDecision.ModifyEndpoint modify => ChangeAsync(GroupStatements.ModifyEndpoint(group, modify.Member), cancellationToken),
        AgentDecision.SetRequiredSecondaries set => ChangeAsync(GroupStatements.SetRequiredSecondaries(group, set.Required), cancellationToken),
        AgentDecision.JoinGroup => JoinAsync(cancellationToken),
        AgentDecision.JoinDatabase join => JoinDatabaseAsync(join.Name, cancellationToken),
        AgentDecision.BecomeSecondary => BecomeSecondaryAsync(cancellationToken),
        AgentDecision.Promote promote => PromoteAsync(promote, cancellationToken),
        AgentDecision.StepDown => StepDownAsync(cancellationToken),
        AgentDecision.HandOver handOver => HandOverAsync(handOver, cancellationToken),
        AgentDecision.Answer answer => AnswerAsync(answer.Result, cancellationToken),
        AgentDecision.SetRoleLabel label => LabelAsync(label.Pod, label.Role, cancellationToken),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private async Task<ActOutcome> AcquireAsync(AgentDecision.AcquireLease acquire, CancellationToken cancellationToken)
    {
        var start = time.Monotonic();
        await store.AcquireAsync(acquire.ResourceVersion, cancellationToken).ConfigureAwait(false);
        return new ActOutcome("acquired the Lease", memory => memory with
        {
            RenewedAt = start,
            RenewedJustNow = true,
            LeadingSince = start,
            FailoverUncertain = false,
        });
    }

    private async Task<ActOutcome> RenewAsync(AgentDecision.RenewLease renew, CancellationToken cancellationToken)
    {
        var start = time.Monotonic();
        await store.RenewAsync(renew.ResourceVersion, cancellationToken).ConfigureAwait(false);
        if (!renew.ExtendWriteLease)
            return new ActOutcome("renewed the Lease", memory => memory with
            {
                RenewedAt = start,
                RenewedJustNow = true,
                LeadingSince = memory.LeadingSince ?? start,
            });

        // The next renewal does not begin before this statement has ended: the argument for 2·W in docs/safety-rules.md needs them in sequence.
        try
        {
            await instance.QueryAsync(
                GroupStatements.ExtendWriteLease(group, settings.Timings.WriteLeaseSeconds, renew.SetWithin), settings.Timings.WriteLease, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (SqlInstanceException error)
        {
            var uncertain = error.Failure is SqlFailure.Timeout or SqlFailure.Unreachable;
            return new ActOutcome($"renewed the Lease, but could not extend the write lease: {error.Message}", memory => memory with
            {
                RenewedAt = start,
                RenewedJustNow = true,
                LeadingSince = memory.LeadingSince ?? start,
                WriteLeaseEndsBy = uncertain ? Later(memory.WriteLeaseEndsBy, start) + settings.Timings.WriteLeaseAtMost : memory.WriteLeaseEndsBy,
            })
            { Failed = true };
        }

        var end = time.Monotonic() + settings.Timings.WriteLeaseAtMost;
        return new ActOutcome("renewed the Lease and the write lease", memory => memory with
        {
            RenewedAt = start,
            RenewedJustNow = true,
            LeadingSince = memory.LeadingSince ?? start,
            WriteLeaseEndsBy = Later(memory.WriteLeaseEndsBy, end),
        });
    }

    private async Task<ActOutcome> ReleaseAsync(AgentDecision.ReleaseLease release, CancellationToken cancellationToken)
    {
        await store.ReleaseAsync(release.ResourceVersion, release.Successor, cancellationToken).ConfigureAwait(false);
        return Released("released the Lease");
    }

    private ActOutcome Released(string what)
    {
        var until = time.Monotonic() + settings.Deferral;
        return new ActOutcome(what, memory => memory with { DeferUntil = until, RenewedAt = null, LeadingSince = null });
    }

    private async Task<ActOutcome> CreateAsync(AgentDecision.CreateGroup create, CancellationToken cancellationToken)
    {
        await store.NoteCreatorAsync(create.Self.Name, cancellationToken).ConfigureAwait(false);
        var outcome = await ChangeAsync(
            GroupStatements.Create(group, create.Self, settings.Timings.WriteLeaseSeconds), cancellationToken, GroupStatements.GrantCreateDatabase(group))
            .ConfigureAwait(false);
        var end = time.Monotonic() + settings.Timings.WriteLeaseAtMost;
        return outcome with { Remember = memory => outcome.Remember(memory) with { WriteLeaseEndsBy = Later(memory.WriteLeaseEndsBy, end) } };
    }

    private async Task<ActOutcome> ChangeAsync(SqlText statement, CancellationToken cancellationToken, SqlText? then = null)
    {
        try
        {
            await instance.QueryAsync(statement, timeouts.Query, cancellationToken).ConfigureAwait(false);
            if (then is not null)
                await instance.QueryAsync(then, timeouts.Query, cancellationToken).ConfigureAwait(false);
            return new ActOutcome(statement.ToString(), memory => memory with { ChangeFailedAt = null });
        }
        catch (SqlInstanceException error)
        {
            var now = time.Monotonic();
            return new ActOutcome($"{statement} failed: {error.Message}", memory => memory with { ChangeFailedAt = now }) { Failed = true };
        }
    }

    private async Task<ActOutcome> DropAsync(AgentDecision.DropGroup drop, CancellationToken cancellationToken)
    {
        var outcome = await ChangeAsync(GroupStatements.Drop(group), cancellationToken).ConfigureAwait(false);
        return outcome.Failed || !drop.Dissolve ? outcome : await PublishAsync([], cancellationToken).ConfigureAwait(false);
    }

    private async Task<ActOutcome> PublishAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        await store.PublishReplicasAsync(names, cancellationToken).ConfigureAwait(false);
        var now = time.Monotonic();
        return new ActOutcome($"published {names.Count} replicas", memory => memory with { Published = names, PublishedAt = now });
    }

    private async Task<ActOutcome> JoinAsync(CancellationToken cancellationToken)
    {
        var tried = time.Monotonic();
        ActOutcome Done(string what, bool failed) => new(what, memory => memory with { JoinTriedAt = tried }) { Failed = failed };
        try
        {
            await instance.QueryAsync(GroupStatements.Join(group), timeouts.Join, cancellationToken).ConfigureAwait(false);
            await instance.QueryAsync(GroupStatements.GrantCreateDatabase(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            await instance.QueryAsync(GroupStatements.BecomeSecondary(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            return Done("joined the group", failed: false);
        }
        catch (SqlInstanceException error)
        {
            return Done($"could not join: {error.Message}", failed: true);
        }
    }

    private async Task<ActOutcome> JoinDatabaseAsync(string database, CancellationToken cancellationToken)
    {
        var tried = time.Monotonic();
        ActOutcome Done(string what, bool failed) => new(what, memory => memory with { DatabaseTriedAt = tried }) { Failed = failed };
        try
        {
            await instance.QueryAsync(GroupStatements.JoinDatabase(group, database), timeouts.Join, cancellationToken).ConfigureAwait(false);
            return Done($"joined {database}", failed: false);
        }
        catch (SqlInstanceException error)
        {
            return Done($"could not join {database}: {error.Message}", failed: true);
        }
    }

    private async Task<ActOutcome> BecomeSecondaryAsync(CancellationToken cancellationToken)
    {
        var tried = time.Monotonic();
        ActOutcome Done(string what, TimeSpan at, bool failed) => new(what, memory => memory with { RejoinedAt = at }) { Failed = failed };
        try
        {
            await instance.QueryAsync(GroupStatements.BecomeSecondary(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            await instance.QueryAsync(GroupStatements.GrantCreateDatabase(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            return Done("follows the primary", tried, failed: false);
        }
        catch (SqlInstanceException error)
        {
            // 41104: the new primary was not ready yet. It may be waiting for this very replica before it can commit, so the next try comes soon.
            var counted = error.Has(41104) ? tried - settings.RetryPause + RejoinPause : tried;
            return Done($"could not become secondary: {error.Message}", counted, failed: true);
        }
    }

    private async Task<ActOutcome> PromoteAsync(AgentDecision.Promote promote, CancellationToken cancellationToken)
    {
        var start = time.Monotonic();
        try
        {
            await instance.QueryAsync(
                GroupStatements.Failover(group, settings.Timings.WriteLeaseSeconds, promote.SetWithin), timeouts.Query, cancellationToken)
                .ConfigureAwait(false);
            if (!await WaitForRoleAsync(ReplicaRole.Primary, timeouts.Query, cancellationToken).ConfigureAwait(false))
                throw new SqlInstanceException(SqlFailure.Timeout, [], "FAILOVER was accepted, but the role did not become PRIMARY in time.");
        }
        catch (SqlInstanceException error)
        {
            // Refused is refused; without an answer it may still happen, bounded by the write lease that was set before it (S6).
            var uncertain = error.Failure != SqlFailure.Statement || !Refusals.Any(error.Has);
            var until = (uncertain ? time.Monotonic() : start) + settings.Timings.WriteLeaseAtMost;
            if (error.Has(LateMessage))
                return new ActOutcome($"FAILOVER: {error.Message}", memory => memory with { RenewedAt = null }) { Failed = true };
            if (!uncertain)
                await YieldAsync(cancellationToken).ConfigureAwait(false);
            return new ActOutcome($"FAILOVER: {error.Message}", memory => memory with
            {
                FailoverUncertain = uncertain,
                WriteLeaseEndsBy = Later(memory.WriteLeaseEndsBy, until),
                DeferUntil = uncertain ? memory.DeferUntil : start + settings.Deferral,
                RenewedAt = uncertain ? memory.RenewedAt : null,
                LeadingSince = uncertain ? memory.LeadingSince : null,
            })
            { Failed = true };
        }

        var end = time.Monotonic() + settings.Timings.WriteLeaseAtMost;
        var story = $"promoted in {(time.Monotonic() - start).TotalMilliseconds:0} ms";

        // Routing follows at once; what fails here is repaired in the next turns. First nobody else is called primary (S9).
        if (store.Directory().TryGet(out var directory))
        {
            foreach (var pod in directory.Pods.Values.Where(pod => pod.RoleLabel == "primary" && pod.Name != settings.Identity.Pod))
                await store.SetRoleLabelAsync(pod.Name, "secondary", cancellationToken).ConfigureAwait(false);
            await store.SetRoleLabelAsync(settings.Identity.Pod, "primary", cancellationToken).ConfigureAwait(false);
        }

        return new ActOutcome(story, memory => memory with { FailoverUncertain = false, WriteLeaseEndsBy = Later(memory.WriteLeaseEndsBy, end) });
    }

    // FAILOVER refused: not this replica, not now (S5). The role was not changed, so the Lease goes to the others.
    private async Task YieldAsync(CancellationToken cancellationToken)
    {
        var role = await RoleAsync(cancellationToken).ConfigureAwait(false);
        if (role is ReplicaRole.Resolving or ReplicaRole.Secondary)
            await store.ReleaseHeldAsync(string.Empty, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ActOutcome> StepDownAsync(CancellationToken cancellationToken)
    {
        try
        {
            await instance.QueryAsync(GroupStatements.Offline(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            var resolving = await WaitForRoleAsync(ReplicaRole.Resolving, timeouts.Query, cancellationToken).ConfigureAwait(false);
            return new ActOutcome(resolving ? "stepped down" : "OFFLINE was accepted, but the role is not RESOLVING yet", memory => memory) { Failed = !resolving };
        }
        catch (SqlInstanceException error)
        {
            return new ActOutcome($"could not step down, the write lease will end it: {error.Message}", memory => memory) { Failed = true };
        }
    }

    private async Task<ActOutcome> HandOverAsync(AgentDecision.HandOver handOver, CancellationToken cancellationToken)
    {
        if (handOver.RequestId is { } id)
            await store.AnswerAsync(
                new FailoverResult(id, FailoverState.Accepted, $"handing over to {handOver.Successor}", handOver.Successor), cancellationToken)
                .ConfigureAwait(false);
        try
        {
            await instance.QueryAsync(GroupStatements.Offline(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
            if (!await WaitForRoleAsync(ReplicaRole.Resolving, timeouts.Query, cancellationToken).ConfigureAwait(false))
                return new ActOutcome("OFFLINE was accepted, but the role is not RESOLVING yet", memory => memory) { Failed = true };
        }
        catch (SqlInstanceException error)
        {
            if (handOver.RequestId is { } failed)
                await store.AnswerAsync(
                    new FailoverResult(failed, FailoverState.Refused, $"the primary could not be taken offline: {error.Message}", settings.Identity.Pod),
                    cancellationToken).ConfigureAwait(false);
            var now = time.Monotonic();
            return new ActOutcome($"could not hand over: {error.Message}", memory => memory with { ChangeFailedAt = now }) { Failed = true };
        }

        await store.ReleaseHeldAsync(handOver.Successor, cancellationToken).ConfigureAwait(false);
        return Released($"handed over to {handOver.Successor}");
    }

    private async Task<ActOutcome> AnswerAsync(FailoverResult result, CancellationToken cancellationToken)
    {
        await store.AnswerAsync(result, cancellationToken).ConfigureAwait(false);
        return new ActOutcome("answered", memory => memory);
    }

    private async Task<ActOutcome> LabelAsync(string pod, string? role, CancellationToken cancellationToken)
    {
        await store.SetRoleLabelAsync(pod, role, cancellationToken).ConfigureAwait(false);
        return new ActOutcome($"labelled {pod} {role ?? "without a role"}", memory => memory);
    }

    private async Task<ReplicaRole?> RoleAsync(CancellationToken cancellationToken)
    {
        var sets = await instance.QueryAsync(GroupQueries.Role(group), timeouts.Query, cancellationToken).ConfigureAwait(false);
        return sets is [{ Rows: [var row, ..] }, ..] ? (ReplicaRole)row.Number("role") : null;
    }

    private async Task<bool> WaitForRoleAsync(ReplicaRole role, TimeSpan bound, CancellationToken cancellationToken)
    {
        var until = time.Monotonic() + bound;
        while (await RoleAsync(cancellationToken).ConfigureAwait(false) != role)
        {
            if (time.Monotonic() >= until)
                return false;
            await Task.Delay(RolePoll, time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static TimeSpan Later(TimeSpan left, TimeSpan right) => left > right ? left : right;
}

/// <summary>What came of a decision.</summary>
/// <param name="What">The outcome, for the log.</param>
/// <param name="Remember">Changes memory accordingly.</param>
internal sealed record ActOutcome(string What, Func<AgentMemory, AgentMemory> Remember)
{
    /// <summary>Nothing was done.</summary>
    public static ActOutcome Nothing { get; } = new(string.Empty, memory => memory);

    /// <summary>True when it did not work.</summary>
    public bool Failed { get; init; }
}

/// <summary>Bounds of the statements, from the resource.</summary>
/// <param name="Query">Statements other than JOIN.</param>
/// <param name="Join">JOIN.</param>
internal sealed record AgentTimeouts(TimeSpan Query, TimeSpan Join);
