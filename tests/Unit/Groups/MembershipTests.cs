using Agents.Groups;
using Agents.Observation;
using static Unit.Groups.Given;

namespace Unit.Groups;

/// <summary>Who leaves a group, in which order, and what an instance does that has left.</summary>
internal sealed class MembershipTests
{
    private static readonly AgentMemory Fresh = new();

    // ---- The primary removes ----

    [Test]
    public void S11_a_replica_is_removed_only_when_its_member_is_marked_as_leaving()
    {
        var missing = Group with
        {
            Members = Members[..2],
            Pods = new Dictionary<string, GroupPod> { ["mssql1-0"] = Group.Pods["mssql1-0"], ["mssql2-0"] = Group.Pods["mssql2-0"] },
        };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Leading(Local(ReplicaRole.Primary)) with { Directory = Seen(missing) }), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Removed(Decide(AsPrimary(Leaving("mssql3-0")))), Is.EqualTo("mssql3-0"));
        });
    }

    [Test]
    public void A_removal_is_not_begun_without_a_majority_before_and_after()
    {
        string? With(string leaving, params string[] dead) =>
            Removed(Decide(AsPrimary(Leaving(leaving), primary => Change(primary, replica => dead.Contains(replica.Name) ? Gone(replica) : replica))));
        Assert.Multiple(() =>
        {
            Assert.That(With("mssql3-0", "mssql3-0"), Is.EqualTo("mssql3-0"), "two of three, then two of two");
            Assert.That(With("mssql3-0", "mssql2-0"), Is.Null, "two of three, then one of two");
            Assert.That(With("mssql3-0", "mssql2-0", "mssql3-0"), Is.Null, "one of three");
        });
    }

    [Test]
    public void One_that_has_never_joined_has_no_vote_and_is_removed_alone()
    {
        var facts = AsPrimary(Leaving("mssql2-0"), primary => primary with
        {
            RequiredSecondaries = 0,
            Replicas = [primary.Replicas[0], Gone(primary.Replicas[1]) with { Joined = false }],
        });
        Assert.That(Removed(Decide(facts)), Is.EqualTo("mssql2-0"));
        var two = Leaving("mssql2-0");
        Assert.That(
            Decide(AsPrimary(two with { Members = two.Members.Take(2).ToArray() }, primary => primary with { RequiredSecondaries = 0, Replicas = [primary.Replicas[0], Gone(primary.Replicas[1])] })),
            Is.InstanceOf<AgentDecision.Wait>().With.Property("Because").Contains("1 of 2 voters"), "one that has joined has a vote");
    }

    [Test]
    public void S10_the_dead_leave_before_the_living_whose_votes_they_need()
    {
        var facts = AsPrimary(Leaving("mssql2-0", "mssql3-0"), primary => Change(primary, replica => replica.Name == "mssql3-0" ? Gone(replica) : replica));
        Assert.That(Removed(Decide(facts)), Is.EqualTo("mssql3-0"));
    }

    [Test]
    public void S10_the_only_synchronized_secondary_waits_for_another_to_catch_up()
    {
        GroupFacts Behind(bool? leaver) => AsPrimary(Leaving("mssql3-0"), primary => Change(primary, replica => replica.Name switch
        {
            "mssql2-0" => replica with { Synchronized = false },
            "mssql3-0" => replica with { Synchronized = leaver },
            _ => replica,
        }));
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Behind(true)), Is.InstanceOf<AgentDecision.Wait>().With.Property("Because").Contains("only SYNCHRONIZED"));
            Assert.That(Removed(Decide(Behind(false))), Is.EqualTo("mssql3-0"), "nothing is lost with one that has not everything itself");
        });
    }

    private static IEnumerable<int[]> PossibleRequirements() =>
        from replicas in Enumerable.Range(2, 4)
        from required in Enumerable.Range(0, replicas)
        select new[] { replicas, required };

    /// <summary>For every number of synchronous replicas and every setting: what is required is possible afterwards, and is lowered no further than that.</summary>
    [TestCaseSource(nameof(PossibleRequirements))]
    public void S10_what_commits_wait_for_is_lowered_before_a_removal_only_as_far_as_the_engine_demands(int replicas, int required)
    {
        var members = Many(replicas);
        var primary = Primary(members) with { RequiredSecondaries = required };
        var leaving = Group with { Members = [.. members[..^1], members[^1] with { Leaving = true }], Replicas = [.. members.Select(member => member.Name)] };
        var decision = Decide(Leading(Local(primary)) with { Directory = Seen(leaving) });
        var possible = replicas - 2;
        if (required <= possible)
            Assert.That(Removed(decision), Is.EqualTo(members[^1].Name));
        else
            Assert.That(decision, Is.InstanceOf<AgentDecision.SetRequiredSecondaries>().With.Property("Required").EqualTo(possible));
    }

    [Test]
    public void S10_the_rule_never_has_to_be_lowered_before_a_removal([Range(2, 9)] int replicas) =>
        Assert.That(Agents.Promotion.CommitRule.RequiredSecondaries(replicas), Is.LessThanOrEqualTo(replicas - 2));

    [Test]
    public void After_the_removal_the_smaller_group_has_its_own_rule() =>
        Assert.That(
            Decide(Leading(Local(Primary(Members[..2]) with { RequiredSecondaries = 1 })) with { Directory = Seen(Group with { Members = Members[..2], Replicas = ["mssql1-0", "mssql2-0"] }) }),
            Is.InstanceOf<AgentDecision.SetRequiredSecondaries>().With.Property("Required").Zero);

    // ---- The primary itself leaves ----

    [Test]
    public void A_primary_that_leaves_hands_over_to_one_that_stays() =>
        Assert.That(Decide(AsPrimary(Leaving("mssql1-0"))), Is.InstanceOf<AgentDecision.HandOver>().With.Property("Successor").EqualTo("mssql2-0"));

    [Test]
    public void A_primary_that_leaves_first_removes_the_others_that_leave()
    {
        Assert.That(Removed(Decide(AsPrimary(Leaving("mssql1-0", "mssql2-0")))), Is.EqualTo("mssql2-0"));
        Assert.That(
            Decide(AsPrimary(Leaving("mssql1-0", "mssql2-0"), primary => Change(primary, replica => replica.Name == "mssql2-0" ? Gone(replica) : replica))),
            Is.InstanceOf<AgentDecision.RemoveReplica>());
    }

    [Test]
    public void A_primary_that_leaves_serves_as_long_as_nobody_else_can() =>
        Assert.That(
            Decide(AsPrimary(Leaving("mssql1-0"), primary => Change(primary, replica => replica with { Synchronized = false }))),
            Is.InstanceOf<AgentDecision.Wait>().With.Property("Because").Contains("no other replica can be primary yet"));

    [Test]
    public void The_last_replica_that_leaves_drops_the_group()
    {
        var alone = Primary(Members[..1]) with { RequiredSecondaries = 0 };
        GroupFacts Facts(ReplicaState primary, GroupDirectory directory) => Leading(Local(primary)) with { Directory = Seen(directory with { Replicas = [.. primary.Replicas.Select(x => x.Name).Order(StringComparer.Ordinal)] }) };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Facts(alone, Leaving("mssql1-0", "mssql2-0", "mssql3-0"))), Is.InstanceOf<AgentDecision.DropGroup>().With.Property("Dissolve").True);
            Assert.That(Decide(Facts(alone, Leaving("mssql1-0", "mssql2-0"))), Is.InstanceOf<AgentDecision.AddReplica>(), "one stays: it takes over once it is there");
            Assert.That(
                Decide(Facts(alone with { Replicas = [.. alone.Replicas, new ReplicaRow("elsewhere", AvailabilityMode.AsynchronousCommit, "TCP://x:5022", true, true)] }, Leaving("mssql1-0", "mssql2-0", "mssql3-0"))),
                Is.InstanceOf<AgentDecision.Wait>(), "a replica that nobody calls a member keeps the group");
        });
    }

    [Test]
    public void A_group_that_was_dropped_is_published_as_gone_even_after_a_restart_in_between()
    {
        var directory = Leaving("mssql1-0", "mssql2-0", "mssql3-0") with { Replicas = ["mssql1-0"] };
        var facts = Leading(Local((ReplicaState?)null)) with { Directory = Seen(directory) };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(facts), Is.InstanceOf<AgentDecision.PublishReplicas>().With.Property("Names").Empty);
            Assert.That(Decide(facts with { Lease = Lease("") }, Fresh), Is.InstanceOf<AgentDecision.AcquireLease>());
            Assert.That(Decide(facts with { Directory = Seen(directory with { Replicas = [], CreatedBy = null }) }), Is.InstanceOf<AgentDecision.ReleaseLease>());
            Assert.That(Decide(facts with { Directory = Seen(directory with { Replicas = [], CreatedBy = null }), Lease = Lease("") }, Fresh), Is.InstanceOf<AgentDecision.End>());
        });
    }

    // ---- The instance that leaves ----

    [Test]
    public void An_instance_that_leaves_ends_its_agent_once_it_is_out_of_both_catalogs()
    {
        AgentDecision In(GroupDirectory directory, ReplicaState? local) =>
            Decide(Following(Local(local)) with { Directory = Seen(directory with { Pods = Labelled(("mssql1-0", "secondary"), ("mssql2-0", "primary")).Pods }) }, Fresh);
        Assert.Multiple(() =>
        {
            Assert.That(In(Leaving("mssql1-0"), null), Is.InstanceOf<AgentDecision.Wait>(), "still published");
            Assert.That(In(Leaving("mssql1-0") with { Replicas = ["mssql2-0"] }, null), Is.InstanceOf<AgentDecision.End>());
            Assert.That(In(Leaving("mssql1-0") with { Replicas = ["mssql2-0"] }, Replica(ReplicaRole.Secondary)), Is.InstanceOf<AgentDecision.Wait>(), "still in its own catalog");
            Assert.That(In(Group with { Replicas = ["mssql2-0"] }, null), Is.InstanceOf<AgentDecision.Wait>(), "it stays");
        });
    }

    [Test]
    public void An_instance_that_leaves_does_not_join() =>
        Assert.That(
            Decide(Following(Local((ReplicaState?)null)) with { Directory = Seen(Leaving("mssql1-0")), Peers = Peers(("mssql2-0", Peer(ReplicaRole.Primary))) }, Fresh),
            Is.Not.InstanceOf<AgentDecision.JoinGroup>());

    [TestCase(ReplicaRole.Primary, "other", true)]
    [TestCase(ReplicaRole.Primary, "mine", false)]
    [TestCase(ReplicaRole.Resolving, "other", false, Description = "S11: only a primary knows who was removed")]
    public void A_copy_that_the_primary_has_removed_is_dropped(ReplicaRole leader, string ids, bool dropped)
    {
        var peer = new Seen<PeerReplica>(((Seen<PeerReplica>)Peer(leader)).Value with { ReplicaIds = [ids] });
        var facts = Following(Local(Replica(ReplicaRole.Resolving) with { ReplicaId = "mine" })) with { Peers = Peers(("mssql2-0", peer)) };
        Assert.That(Decide(facts, Fresh), dropped ? Is.InstanceOf<AgentDecision.DropGroup>().With.Property("Dissolve").False : Is.Not.InstanceOf<AgentDecision.DropGroup>());
    }

    [Test]
    public void A_copy_that_an_instance_kept_is_joined_when_it_follows_the_primary_again()
    {
        var kept = Replica(ReplicaRole.Secondary) with { Databases = [new DatabaseRow("sales", true, string.Empty, false) { LeftOver = true }] };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Following(Local(kept)), Fresh), Is.InstanceOf<AgentDecision.JoinDatabase>().With.Property("Name").EqualTo("sales"));
            Assert.That(Decide(Following(Local(kept)), Fresh with { DatabaseTriedAt = Now - TimeSpan.FromSeconds(29) }), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Following(Local(kept with { Connected = false })), Fresh), Is.Not.InstanceOf<AgentDecision.JoinDatabase>());
        });
    }

    [Test]
    public void S12_one_that_leaves_lets_the_others_try_to_lead_first_and_then_tries_itself()
    {
        GroupFacts Free(double since) => Leading(Local(ReplicaRole.Secondary)) with { Directory = Seen(Leaving("mssql1-0")), Lease = Lease("", since) };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Free(1), Fresh), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Free(3), Fresh), Is.InstanceOf<AgentDecision.AcquireLease>());
            Assert.That(Decide(Free(7) with { Lease = Lease(Other.Holder, 7.1) }, Fresh), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Free(7) with { Lease = Lease(Other.Holder, 10.1) }, Fresh), Is.InstanceOf<AgentDecision.AcquireLease>());
        });
    }

    [Test]
    public void Nobody_fails_over_to_one_that_leaves()
    {
        var facts = AsPrimary(Leaving("mssql3-0") with { Request = new FailoverRequest("r1", "mssql3-0", false) });
        Assert.That(((AgentDecision.Answer)Decide(facts)).Result.Message, Does.Contain("mssql3-0 is to leave"));
        Assert.That(Decide(AsPrimary(Leaving("mssql2-0")), Renewed with { Stopping = true }), Is.InstanceOf<AgentDecision.HandOver>().With.Property("Successor").EqualTo("mssql3-0"));
    }

    [Test]
    public void The_replicas_are_published_when_they_change_and_not_again_before_the_copy_has_followed()
    {
        var facts = AsPrimary(Group with { Replicas = ["mssql1-0"] });
        Assert.That(Decide(facts), Is.InstanceOf<AgentDecision.PublishReplicas>().With.Property("Names").EqualTo(Group.Replicas));
        var published = Renewed with { Published = Group.Replicas, PublishedAt = Now };
        Assert.That(Decide(facts, published), Is.InstanceOf<AgentDecision.Wait>());
        Assert.That(Decide(facts, published with { PublishedAt = Now - TimeSpan.FromSeconds(4) }), Is.InstanceOf<AgentDecision.PublishReplicas>());
    }

    // ---- Modes ----

    [Test]
    public void A_replica_is_made_asynchronous_in_place() =>
        Assert.That(Decide(AsPrimary(As("mssql3-0", AvailabilityMode.AsynchronousCommit))), Is.InstanceOf<AgentDecision.ModifyMode>().With.Property("Member").EqualTo(Members[2] with { Mode = AvailabilityMode.AsynchronousCommit }));

    [Test]
    public void S10_it_is_not_made_asynchronous_while_what_commits_wait_for_could_not_be_met() =>
        Assert.That(
            Decide(AsPrimary(As("mssql3-0", AvailabilityMode.AsynchronousCommit), primary => primary with { RequiredSecondaries = 2 })),
            Is.InstanceOf<AgentDecision.SetRequiredSecondaries>().With.Property("Required").EqualTo(1));

    [TestCase(true)]
    [TestCase(false)]
    public void A_replica_is_made_synchronous_only_when_it_can_vote(bool connected)
    {
        var facts = AsPrimary(Group, primary => Change(primary with { RequiredSecondaries = 0 }, replica => replica.Name == "mssql3-0"
            ? replica with { Mode = AvailabilityMode.AsynchronousCommit, Connected = connected, Synchronized = false } : replica));
        Assert.That(Decide(facts), connected ? Is.InstanceOf<AgentDecision.ModifyMode>() : Is.InstanceOf<AgentDecision.Wait>());
    }

    [Test]
    public void A_data_replica_becomes_configuration_only_by_being_removed_and_added()
    {
        var wanted = As("mssql3-0", AvailabilityMode.ConfigurationOnly);
        Assert.That(Removed(Decide(AsPrimary(wanted))), Is.EqualTo("mssql3-0"));
        var two = Primary(Members[..2]);
        GroupFacts Two(int required) => Leading(Local(two with { RequiredSecondaries = required })) with { Directory = Seen(wanted with { Replicas = ["mssql1-0", "mssql2-0"] }) };
        Assert.That(Decide(Two(1)), Is.InstanceOf<AgentDecision.SetRequiredSecondaries>().With.Property("Required").Zero, "47108");
        Assert.That(Decide(Two(0)), Is.InstanceOf<AgentDecision.AddReplica>());
    }

    [Test]
    public void A_configuration_only_replica_becomes_a_data_replica_by_being_removed_and_added() =>
        Assert.That(
            Removed(Decide(AsPrimary(Group, primary => Change(primary with { RequiredSecondaries = 0 }, replica => replica.Name == "mssql3-0" ? replica with { Mode = AvailabilityMode.ConfigurationOnly } : replica)))),
            Is.EqualTo("mssql3-0"));

    [TestCase(AvailabilityMode.ConfigurationOnly, AvailabilityMode.ConfigurationOnly, "one such replica at most")]
    [TestCase(AvailabilityMode.SynchronousCommit, AvailabilityMode.ConfigurationOnly, "at most 2 synchronousCommit ones")]
    public void What_the_engine_would_refuse_is_told_in_words(AvailabilityMode wanted, AvailabilityMode present, string words)
    {
        var fourth = new GroupMember("mssql4-0", "mssql4", wanted, "TCP://four:5022");
        var primary = Change(Primary(Members) with { RequiredSecondaries = 0 }, replica => replica.Name == "mssql3-0" ? replica with { Mode = present } : replica);
        var directory = As("mssql3-0", present);
        Assert.That(
            Decide(Leading(Local(primary)) with { Directory = Seen(directory with { Members = [.. directory.Members, fourth] }) }),
            Is.InstanceOf<AgentDecision.Wait>().With.Property("Because").Contains(words));
    }

    [Test]
    public void A_primary_that_is_to_be_asynchronous_hands_over_first()
    {
        var wanted = As("mssql1-0", AvailabilityMode.AsynchronousCommit);
        Assert.That(Decide(AsPrimary(wanted)), Is.InstanceOf<AgentDecision.HandOver>());
        Assert.That(
            Decide(AsPrimary(wanted, primary => Change(primary, replica => replica with { Synchronized = false }))),
            Is.InstanceOf<AgentDecision.Wait>().With.Property("Because").Contains("is to be asynchronousCommit"));
    }

    [Test]
    public void S4_nobody_fails_over_to_one_that_is_to_be_asynchronous() =>
        Assert.That(
            ((AgentDecision.Answer)Decide(AsPrimary(As("mssql3-0", AvailabilityMode.AsynchronousCommit) with { Request = new FailoverRequest("r1", "mssql3-0", false) }))).Result.Message,
            Does.Contain("is to be asynchronousCommit"));

    private static Sighting<GroupDirectory> Seen(GroupDirectory directory) => new Seen<GroupDirectory>(directory);

    private static GroupDirectory Leaving(params string[] names) =>
        Group with { Members = [.. Members.Select(member => member with { Leaving = names.Contains(member.Name) })] };

    private static GroupDirectory As(string name, AvailabilityMode mode) =>
        Group with { Members = [.. Members.Select(member => member.Name == name ? member with { Mode = mode } : member)] };

    private static GroupFacts AsPrimary(GroupDirectory directory, Func<ReplicaState, ReplicaState>? change = null)
    {
        var primary = Primary(Members);
        primary = change?.Invoke(primary) ?? primary;
        return Leading(Local(primary)) with { Directory = Seen(directory.Replicas is { Count: 3 } ? directory with { Replicas = [.. primary.Replicas.Select(replica => replica.Name)] } : directory) };
    }

    private static ReplicaState Primary(IReadOnlyList<GroupMember> members) => Replica(ReplicaRole.Primary) with
    {
        Replicas = [.. members.Select(member => new ReplicaRow(member.Name, member.Mode, member.Endpoint, true, true))],
    };

    private static ReplicaState Change(ReplicaState primary, Func<ReplicaRow, ReplicaRow> change) =>
        primary with { Replicas = [primary.Replicas[0], .. primary.Replicas.Skip(1).Select(change)] };

    private static ReplicaRow Gone(ReplicaRow replica) => replica with { Connected = false, Synchronized = false };

    private static GroupMember[] Many(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new GroupMember($"mssql{i}-0", $"mssql{i}", AvailabilityMode.SynchronousCommit, $"TCP://{i}:5022"))];

    private static string? Removed(AgentDecision decision) => (decision as AgentDecision.RemoveReplica)?.Name;
}
