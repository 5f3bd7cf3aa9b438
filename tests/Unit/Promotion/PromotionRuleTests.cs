using Agents.Groups;
using Agents.Observation;
using Agents.Promotion;

namespace Unit.Promotion;

internal sealed class PromotionRuleTests
{
    [TestCase(1, 1)]
    [TestCase(2, 2)]
    [TestCase(3, 2)]
    [TestCase(4, 3)]
    [TestCase(5, 3)]
    [TestCase(6, 4)]
    [TestCase(7, 4)]
    [TestCase(9, 5)]
    public void S4_a_majority_is_more_than_half(int voters, int need) => Assert.That(PromotionRule.Majority(voters), Is.EqualTo(need));

    /// <summary>
    /// The argument of S4, exhaustively for three, four and five voters: whichever majority committed the newest configuration, a candidate that is
    /// found fit from whichever set of answers has that configuration.
    /// </summary>
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(5)]
    public void S4_a_fit_candidate_has_the_newest_committed_configuration(int voters)
    {
        var fit = 0;
        for (var committed = 0; committed < 1 << voters; committed++)
        {
            if (int.PopCount(committed) < PromotionRule.Majority(voters))
                continue;
            for (var answered = 0; answered < 1 << voters; answered++)
            {
                if ((answered & 1) == 0)
                    continue;
                var verdict = PromotionRule.Judge("r0", State(voters, Sequence(0)), Enumerable.Range(1, voters - 1).Where(i => (answered & (1 << i)) != 0)
                    .ToDictionary(i => $"r{i}", i => (Sighting<PeerReplica>)new Seen<PeerReplica>(
                        new PeerReplica(ReplicaRole.Secondary, AvailabilityMode.SynchronousCommit, Sequence(i), []))));
                if (verdict is not PromotionVerdict.Fit)
                    continue;
                fit++;
                Assert.That((committed & 1) != 0, Is.True, $"committed {committed:b}, answered {answered:b}");
            }

            long Sequence(int i) => (committed & (1 << i)) != 0 ? 8 : 7;
        }

        Assert.That(fit, Is.GreaterThan(0));
    }

    [Test]
    public void S4_a_sequence_number_of_zero_is_not_fit() =>
        Assert.That(PromotionRule.Judge("r0", State(1, 0), new Dictionary<string, Sighting<PeerReplica>>()), Is.InstanceOf<PromotionVerdict.Unfit>());

    [Test]
    public void S4_asynchronous_replicas_neither_vote_nor_count()
    {
        var state = State(3, 7);
        state = state with { Replicas = [.. state.Replicas, new ReplicaRow("far", AvailabilityMode.AsynchronousCommit, "", null, null)] };
        var verdict = PromotionRule.Judge("r0", state, new Dictionary<string, Sighting<PeerReplica>>
        {
            ["far"] = new Seen<PeerReplica>(new PeerReplica(ReplicaRole.Secondary, AvailabilityMode.AsynchronousCommit, 7, [])),
        });
        Assert.That(verdict, Is.InstanceOf<PromotionVerdict.NotYet>().With.Property("Because").Contains("need 2 of 3 sequence numbers but have 1"));
    }

    [Test]
    public void S4_a_configuration_only_replica_votes()
    {
        var state = State(2, 7);
        state = state with { Replicas = [.. state.Replicas, new ReplicaRow("witness", AvailabilityMode.ConfigurationOnly, "", null, null)] };
        var answer = new PeerReplica(ReplicaRole.Secondary, AvailabilityMode.ConfigurationOnly, 7, []);
        Assert.Multiple(() =>
        {
            Assert.That(PromotionRule.Judge("r0", state, One(answer)), Is.InstanceOf<PromotionVerdict.Fit>());
            Assert.That(PromotionRule.Judge("r0", state, One(answer with { SequenceNumber = 8 })), Is.InstanceOf<PromotionVerdict.Unfit>());
        });

        static Dictionary<string, Sighting<PeerReplica>> One(PeerReplica peer) => new() { ["witness"] = new Seen<PeerReplica>(peer) };
    }

    [TestCase(1, 0)]
    [TestCase(2, 0)]
    [TestCase(3, 1)]
    [TestCase(4, 2)]
    [TestCase(5, 2)]
    [TestCase(6, 3)]
    public void S10_required_secondaries(int synchronous, int required) => Assert.That(CommitRule.RequiredSecondaries(synchronous), Is.EqualTo(required));

    private static ReplicaState State(int voters, long sequence) => new(
        ReplicaRole.Secondary, AvailabilityMode.SynchronousCommit, sequence, 1, null, false, null,
        [.. Enumerable.Range(0, voters).Select(i => new ReplicaRow($"r{i}", AvailabilityMode.SynchronousCommit, "", null, null))], []);
}
