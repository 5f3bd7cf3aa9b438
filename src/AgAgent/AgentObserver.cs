using Agents.Groups;
using Agents.Observation;
using Agents.Sql;

namespace Agents.AgAgent;

/// <summary>Gathers the facts of one turn, each with a deadline of its own.</summary>
internal sealed class AgentObserver(GroupSettings settings, GroupStore store, ISqlInstance instance, PeerInstances peers, TimeProvider time)
{
    private static readonly TimeSpan LocalTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PeerTimeout = TimeSpan.FromSeconds(1);

    // Once a majority has answered, the others get this much longer: they may hold a newer configuration, but they may also be dead.
    private static readonly TimeSpan StragglerGrace = TimeSpan.FromMilliseconds(250);

    private readonly EngineProcessWatch process = new(time);

    public async Task<GroupFacts> ObserveAsync(CancellationToken cancellationToken)
    {
        var lease = store.Lease();
        var directory = store.Directory();
        var local = await LocalAsync(cancellationToken).ConfigureAwait(false);
        process.Note(local, store.ServerContainer());
        var asked = Ask(lease, directory, local);
        var sightings = asked.Count == 0
            ? new Dictionary<string, Sighting<PeerReplica>>()
            : await PeersAsync(asked, directory, cancellationToken).ConfigureAwait(false);
        return new GroupFacts(
            time.Monotonic(), store.Lease(), local, process.Evidence(store.ServerContainer()), store.Directory(), sightings);
    }

    private async Task<Sighting<LocalReplica>> LocalAsync(CancellationToken cancellationToken)
    {
        try
        {
            var sets = await instance.QueryAsync(GroupQueries.Local(settings.Group), LocalTimeout, cancellationToken).ConfigureAwait(false);
            return new Seen<LocalReplica>(GroupQueries.ReadLocal(sets));
        }
        catch (SqlInstanceException error)
        {
            return error.Failure is SqlFailure.LoginFailed or SqlFailure.Statement
                ? new Refused<LocalReplica>(error.Message)
                : new Unreachable<LocalReplica>(error.Message);
        }
        catch (InvalidDataException error)
        {
            return new Refused<LocalReplica>(error.Message);
        }
    }

    // Peers are asked only when the answer can matter: by a holder that is not primary, and by a replica that does not follow its leader.
    private List<GroupMember> Ask(
        Sighting<Election.LeaseView?> lease, Sighting<GroupDirectory> directory, Sighting<LocalReplica> local)
    {
        if (!lease.TryGet(out var view) || view is null || !directory.TryGet(out var group) || !local.TryGet(out var own))
            return [];
        if (view.Holder == settings.Identity.Holder)
            return own.Group?.Role == ReplicaRole.Primary ? [] : [.. group.Members.Where(member => member.Name != settings.Identity.Pod)];
        var leader = Election.AgentIdentity.PodOf(view.Holder);
        var follows = own.Group is { Role: ReplicaRole.Secondary, Connected: true } replica
            && string.Equals(replica.PrimaryName, leader, StringComparison.OrdinalIgnoreCase);
        return follows || view.Holder.Length == 0 || group.Member(leader) is not { } member ? [] : [member];
    }

    private async Task<Dictionary<string, Sighting<PeerReplica>>> PeersAsync(
        List<GroupMember> members, Sighting<GroupDirectory> directory, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asked = members.ToDictionary(member => member.Name, member => PeerAsync(member, directory, stop.Token));
        var open = asked.Values.ToList();
        var seen = 1;
        Task? grace = null;
        while (open.Count > 0)
        {
            var next = await Task.WhenAny(grace is null ? open : [.. open, grace]).ConfigureAwait(false);
            if (next == grace)
                break;
            var answer = (Task<Sighting<PeerReplica>>)next;
            open.Remove(answer);
            if (await answer.ConfigureAwait(false) is Seen<PeerReplica>)
                seen++;
            if (grace is null && seen >= Promotion.PromotionRule.Majority(members.Count + 1))
                grace = Task.Delay(StragglerGrace, time, stop.Token);
        }

        var result = asked.ToDictionary(
            pair => pair.Key,
            pair => pair.Value.IsCompletedSuccessfully ? pair.Value.Result : new Unreachable<PeerReplica>("no answer yet"));
        await stop.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    private async Task<Sighting<PeerReplica>> PeerAsync(
        GroupMember member, Sighting<GroupDirectory> sighting, CancellationToken cancellationToken)
    {
        try
        {
            if (!sighting.TryGet(out var directory) || !directory.Pods.TryGetValue(member.Name, out var pod) || pod.Address is null)
                return new Unreachable<PeerReplica>("its pod has no address");
            var peer = await peers.ForAsync(member, pod.Address, cancellationToken).ConfigureAwait(false);
            var sets = await peer.QueryAsync(GroupQueries.Peer(settings.Group), PeerTimeout, cancellationToken).ConfigureAwait(false);
            return new Seen<PeerReplica>(GroupQueries.ReadPeer(sets));
        }
        catch (SqlInstanceException error)
        {
            if (error.Failure == SqlFailure.LoginFailed)
                peers.Forget(member);
            return error.Failure is SqlFailure.LoginFailed or SqlFailure.Statement
                ? new Refused<PeerReplica>(error.Message)
                : new Unreachable<PeerReplica>(error.Message);
        }
        catch (Kubernetes.KubernetesException error)
        {
            return new Unreachable<PeerReplica>($"its login is not known: {error.Message}");
        }
        catch (InvalidDataException error)
        {
            return new Refused<PeerReplica>(error.Message);
        }
    }
}
