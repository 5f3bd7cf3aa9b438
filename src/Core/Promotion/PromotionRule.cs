using Agents.Groups;
using Agents.Observation;

namespace Agents.Promotion;

/// <summary>
/// Rule S4: a candidate must be synchronous, know a majority of the voters' sequence numbers, its own included, and hold the highest one, which is
/// not zero. The majority meets the one that committed the last change of configuration, and with it the mark of every replica that fell behind.
/// </summary>
public static class PromotionRule
{
    /// <summary>Answers needed: ⌊V/2⌋+1 of V synchronous and configuration-only replicas.</summary>
    public static int Majority(int voters) => (voters / 2) + 1;

    /// <summary>Judges the local replica as a candidate.</summary>
    /// <param name="name">Its server name.</param>
    /// <param name="candidate">Its own state.</param>
    /// <param name="peers">What its peers said, by server name, read while the candidate held the Lease.</param>
    public static PromotionVerdict Judge(string name, ReplicaState candidate, IReadOnlyDictionary<string, Sighting<PeerReplica>> peers)
    {
        if (candidate.Mode != AvailabilityMode.SynchronousCommit)
            return new PromotionVerdict.Unfit($"{name} is {candidate.Mode.ToName()}; only a synchronous-commit replica may become primary (S4)", null);
        if (candidate.SequenceNumber == 0)
            return new PromotionVerdict.Unfit($"{name} has no configuration yet: its sequence number is 0 (S4)", null);

        var voters = candidate.Replicas.Where(replica => replica.Mode.Votes()).Select(replica => replica.Name).ToArray();
        if (!voters.Contains(name, StringComparer.OrdinalIgnoreCase))
            return new PromotionVerdict.Unfit($"{name} is not a voting replica of its own catalog (S4)", null);

        var need = Majority(voters.Length);
        var have = 1;
        var highest = (Name: name, Number: candidate.SequenceNumber);
        var silent = new List<string>();
        foreach (var voter in voters)
        {
            if (GroupDirectory.Same(voter, name))
                continue;
            var sighting = peers.Of(voter);
            if (sighting is null || !sighting.TryGet(out var peer) || peer.Role is null)
            {
                silent.Add(sighting is null ? $"{voter} (not asked)" : sighting.Why.Length > 0 ? $"{voter} ({sighting.Why})" : $"{voter} (not joined)");
                continue;
            }

            // It will step down by itself, or lose its write lease; until then there is doubt, and doubt refuses (S11).
            if (peer.Role == ReplicaRole.Primary)
                return new PromotionVerdict.NotYet($"{voter} still says that it is PRIMARY (S11)");

            have++;
            if (peer.SequenceNumber > highest.Number && peer.Mode == AvailabilityMode.SynchronousCommit)
                highest = (voter, peer.SequenceNumber);
            else if (peer.SequenceNumber > highest.Number)
                return new PromotionVerdict.Unfit(
                    $"{voter} knows configuration {Show(peer.SequenceNumber)}, which is newer than {Show(candidate.SequenceNumber)} on {name} (S4)", null);
        }

        if (!GroupDirectory.Same(highest.Name, name))
            return new PromotionVerdict.Unfit(
                $"{highest.Name} knows configuration {Show(highest.Number)}, which is newer than {Show(candidate.SequenceNumber)} on {name} (S4)", highest.Name);
        return have < need
            ? new PromotionVerdict.NotYet($"need {need} of {voters.Length} sequence numbers but have {have}; no answer from {string.Join(", ", silent)} (S4)")
            : new PromotionVerdict.Fit($"{have} of {voters.Length} voters know no configuration newer than {Show(candidate.SequenceNumber)} (S4)");
    }

    /// <summary>A sequence number as the Linux agent prints it: high and low 32 bits.</summary>
    public static string Show(long sequenceNumber) => $"{sequenceNumber >> 32:x}:{sequenceNumber & 0xFFFFFFFF:x}";
}

/// <summary>What <see cref="PromotionRule"/> found.</summary>
/// <param name="Because">The reason, for people.</param>
public abstract record PromotionVerdict(string Because)
{
    /// <summary>The candidate may run FAILOVER, which has the last word (rule S5).</summary>
    public sealed record Fit(string Because) : PromotionVerdict(Because);

    /// <summary>Not now: too few voters have answered, or another replica still acts as primary. Asking again may help.</summary>
    public sealed record NotYet(string Because) : PromotionVerdict(Because);

    /// <summary>The candidate must not be promoted; somebody else may.</summary>
    /// <param name="Because">The reason, for people.</param>
    /// <param name="Better">Server name of a better candidate, if one is known.</param>
    public sealed record Unfit(string Because, string? Better) : PromotionVerdict(Because);
}
