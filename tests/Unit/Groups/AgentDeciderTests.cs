using Agents.Groups;
using Agents.Observation;
using static Unit.Groups.Given;

namespace Unit.Groups;

internal sealed class AgentDeciderTests
{
    private static readonly AgentMemory Fresh = new();

    // ---- Nobody holds the Lease ----

    [Test]
    public void S1_the_first_agent_creates_the_lease() =>
        Assert.That(Decide(Leading(Local((ReplicaState?)null)) with { Lease = NoLease, Directory = Uncreated }, Fresh), Is.InstanceOf<AgentDecision.AcquireLease>()
            .With.Property(nameof(AgentDecision.AcquireLease.ResourceVersion)).Null);

    [TestCase(0)]
    [TestCase(6.9)]
    public void S2_a_lease_of_another_is_left_alone_until_it_was_watched_for_L(double unchangedSeconds) =>
        Assert.That(Decide(Following(Local(ReplicaRole.Resolving)) with { Lease = Lease(Other.Holder, unchangedSeconds) }, Fresh), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void S2_a_lease_watched_for_L_without_a_change_is_taken_by_compare_and_swap() =>
        Assert.That(Decide(Following(Local(ReplicaRole.Secondary)) with { Lease = Lease(Other.Holder, 7) }, Fresh),
            Is.EqualTo(new AgentDecision.AcquireLease("41", "the Lease of mssql2-0 has not changed for 7.0 s (S2)")));

    [Test]
    public void S11_nothing_is_done_without_knowing_the_lease() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Primary)) with { Lease = new Unreachable<Agents.Election.LeaseView?>("API away") }), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void S11_an_agent_that_does_not_know_its_instance_is_no_candidate() =>
        Assert.That(Decide(Leading(Silent) with { Lease = Lease("") }, Fresh), Is.InstanceOf<AgentDecision.Wait>());

    [TestCase(AvailabilityMode.AsynchronousCommit)]
    [TestCase(AvailabilityMode.ConfigurationOnly)]
    public void S4_only_a_synchronous_replica_is_a_candidate(AvailabilityMode mode) =>
        Assert.That(Decide(Leading(Local(Replica(ReplicaRole.Secondary) with { Mode = mode })) with { Lease = Lease("") }, Fresh), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void A_released_lease_is_kept_for_its_successor() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Secondary)) with { Lease = Lease("", 1, "mssql3-0") }, Fresh), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void S12_a_successor_that_does_not_come_is_not_waited_for() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Secondary)) with { Lease = Lease("", 3, "mssql3-0") }, Fresh), Is.InstanceOf<AgentDecision.AcquireLease>());

    [Test]
    public void The_successor_takes_a_released_lease_at_once_even_after_it_deferred() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Secondary)) with { Lease = Lease("", 0, "mssql1-0") }, Fresh with { DeferUntil = Now + TimeSpan.FromSeconds(2) }),
            Is.InstanceOf<AgentDecision.AcquireLease>());

    [Test]
    public void Who_gave_the_lease_up_lets_others_try_first() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Secondary)) with { Lease = Lease("") }, Fresh with { DeferUntil = Now + TimeSpan.FromSeconds(1) }),
            Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void An_instance_without_the_group_is_no_candidate_once_somebody_created_it() =>
        Assert.That(Decide(Leading(Local((ReplicaState?)null)) with { Lease = Lease(""), Directory = new Seen<GroupDirectory>(Group with { CreatedBy = "mssql2-0" }) }, Fresh),
            Is.InstanceOf<AgentDecision.Wait>());

    // ---- This agent holds the Lease ----

    [Test]
    public void S3_a_primary_renews_and_extends_its_write_lease_with_a_bound_on_its_own_clock() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Primary)), Renewed with { RenewedAt = Now - TimeSpan.FromSeconds(1) }),
            Is.EqualTo(new AgentDecision.RenewLease("41", true, 5_000_000 + Settings.Timings.SetWithinTicks, "the renewal is due")));

    [Test]
    public void S3_who_is_not_primary_renews_without_touching_the_write_lease() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Resolving)), Fresh), Is.InstanceOf<AgentDecision.RenewLease>()
            .With.Property(nameof(AgentDecision.RenewLease.ExtendWriteLease)).False);

    [Test]
    public void Renewing_comes_before_any_other_work()
    {
        var facts = Leading(Local(ReplicaRole.Primary)) with { Directory = new Seen<GroupDirectory>(Labelled(("mssql2-0", "primary"))) };
        Assert.That(Decide(facts, Renewed with { RenewedAt = Now - TimeSpan.FromSeconds(1) }), Is.InstanceOf<AgentDecision.RenewLease>());
    }

    [Test]
    public void After_a_renewal_that_took_longer_than_the_period_there_is_a_turn_for_other_work()
    {
        var slow = Renewed with { RenewedAt = Now - TimeSpan.FromSeconds(2), RenewedJustNow = true };
        var candidate = Candidate(("mssql3-0", Peer(ReplicaRole.Resolving)));
        Assert.Multiple(() =>
        {
            Assert.That(Decide(candidate, slow), Is.InstanceOf<AgentDecision.Promote>());
            Assert.That(Decide(candidate, slow with { RenewedJustNow = false }), Is.InstanceOf<AgentDecision.RenewLease>());
            Assert.That(Decide(candidate, slow with { RenewedAt = null }), Is.InstanceOf<AgentDecision.RenewLease>());
        });
    }

    [Test]
    public void Renewing_goes_on_beside_long_work() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Primary)), Renewed with { RenewedAt = Now - TimeSpan.FromSeconds(1), Busy = "AddReplica" }), Is.InstanceOf<AgentDecision.RenewLease>());

    [Test]
    public void S4_S5_a_candidate_with_a_majority_behind_it_is_promoted() =>
        Assert.That(Decide(Candidate(("mssql3-0", Peer(ReplicaRole.Resolving)))), Is.InstanceOf<AgentDecision.Promote>());

    [Test]
    public void S6_the_time_since_the_renewal_is_taken_off_the_bound_for_the_promotion()
    {
        var promote = (AgentDecision.Promote)Decide(Candidate(("mssql3-0", Peer(ReplicaRole.Resolving))), Renewed with { RenewedAt = Now - TimeSpan.FromMilliseconds(900) });
        Assert.That(promote.SetWithin, Is.LessThanOrEqualTo(5_000_000 + Settings.Timings.SetWithinTicks - 900));
    }

    [Test]
    public void S4_a_candidate_without_a_majority_waits_and_then_lets_others_try()
    {
        var facts = Candidate(("mssql2-0", new Unreachable<PeerReplica>("refused")), ("mssql3-0", new Unreachable<PeerReplica>("no answer")));
        Assert.Multiple(() =>
        {
            Assert.That(Decide(facts), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(facts, Renewed with { LeadingSince = Now - TimeSpan.FromSeconds(11) }), Is.InstanceOf<AgentDecision.ReleaseLease>());
        });
    }

    [Test]
    public void S4_a_candidate_that_is_behind_gives_the_lease_to_the_one_that_is_ahead() =>
        Assert.That(Decide(Candidate(("mssql3-0", Peer(ReplicaRole.Resolving, sequence: 101)))), Is.InstanceOf<AgentDecision.ReleaseLease>()
            .With.Property(nameof(AgentDecision.ReleaseLease.Successor)).EqualTo("mssql3-0"));

    [Test]
    public void S11_no_promotion_while_a_peer_still_says_that_it_is_primary() =>
        Assert.That(Decide(Candidate(("mssql2-0", Peer(ReplicaRole.Primary)), ("mssql3-0", Peer(ReplicaRole.Secondary)))), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void S6_no_promotion_after_the_hold_on_the_lease_has_run_out()
    {
        var timings = new Agents.Election.LeaseTimings(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(1), 3);
        Assert.That(Decide(Candidate(("mssql3-0", Peer(ReplicaRole.Resolving))), Renewed with { RenewedAt = Now - timings.Hold }), Is.Not.InstanceOf<AgentDecision.Promote>());
    }

    [Test]
    public void A_server_that_was_started_again_lets_the_others_go_first_and_then_may_be_promoted_itself()
    {
        var restarted = new Seen<LocalReplica>(new LocalReplica(Me.Pod, 5_000_000, TimeSpan.FromSeconds(1), Replica(ReplicaRole.Resolving)));
        var facts = Candidate(("mssql3-0", Peer(ReplicaRole.Secondary))) with { Local = restarted };
        var alone = Replica(ReplicaRole.Resolving);
        alone = alone with { Replicas = [alone.Replicas[0]] };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(facts, Renewed with { LeadingSince = Now - TimeSpan.FromSeconds(30) }), Is.InstanceOf<AgentDecision.ReleaseLease>());
            Assert.That(Decide(facts, Renewed with { LeadingSince = Now - TimeSpan.FromMilliseconds(100) }), Is.InstanceOf<AgentDecision.Promote>());
            Assert.That(
                Decide(facts with { Local = new Seen<LocalReplica>(restarted.Value with { Group = alone }) }, Renewed with { LeadingSince = Now - TimeSpan.FromSeconds(30) }),
                Is.InstanceOf<AgentDecision.Promote>());
        });
    }

    [Test]
    public void S8_a_failover_without_an_answer_keeps_the_lease_until_its_write_lease_has_ended()
    {
        var facts = Candidate(("mssql3-0", Peer(ReplicaRole.Resolving, sequence: 101)));
        var uncertain = Renewed with { FailoverUncertain = true };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(facts, uncertain), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(facts, uncertain with { WriteLeaseEndsBy = Now }), Is.InstanceOf<AgentDecision.ReleaseLease>());
        });
    }

    [Test]
    public void S8_a_silent_instance_keeps_the_lease_until_its_write_lease_has_ended()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Leading(Silent)), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Leading(Silent), Renewed with { WriteLeaseEndsBy = Now }), Is.InstanceOf<AgentDecision.ReleaseLease>());
        });
    }

    [Test]
    public void S8_a_refused_connection_alone_proves_nothing() =>
        Assert.That(Decide(Leading(new Unreachable<LocalReplica>("connection refused")) with { Process = EngineProcess.Unknown }), Is.Not.InstanceOf<AgentDecision.ReleaseLease>());

    [Test]
    public void S8_a_process_proven_gone_releases_the_lease_at_once() =>
        Assert.That(Decide(Leading(Silent) with { Process = EngineProcess.Gone }), Is.InstanceOf<AgentDecision.ReleaseLease>());

    [Test]
    public void S9_a_stale_primary_label_goes_before_the_own_one_comes()
    {
        var facts = Leading(Local(ReplicaRole.Primary)) with { Directory = new Seen<GroupDirectory>(Labelled(("mssql1-0", "secondary"), ("mssql2-0", "primary"))) };
        Assert.That(Decide(facts), Is.InstanceOf<AgentDecision.SetRoleLabel>().With.Property("Pod").EqualTo("mssql2-0").And.Property("Role").EqualTo("secondary"));
        facts = Leading(Local(ReplicaRole.Primary)) with { Directory = new Seen<GroupDirectory>(Labelled(("mssql1-0", null))) };
        Assert.That(Decide(facts), Is.InstanceOf<AgentDecision.SetRoleLabel>().With.Property("Pod").EqualTo("mssql1-0").And.Property("Role").EqualTo("primary"));
    }

    [Test]
    public void S10_the_required_secondaries_are_set_by_the_rule() =>
        Assert.That(Decide(Leading(Local(Replica(ReplicaRole.Primary) with { RequiredSecondaries = 0 }))), Is.InstanceOf<AgentDecision.SetRequiredSecondaries>().With.Property("Required").EqualTo(1));

    [Test]
    public void S12_a_change_of_configuration_stuck_for_a_minute_makes_the_primary_step_down() =>
        Assert.That(Decide(Leading(Local(Replica(ReplicaRole.Primary) with { CommitPendingFor = TimeSpan.FromSeconds(61) }))), Is.InstanceOf<AgentDecision.StepDown>());

    [Test]
    public void A_healthy_primary_has_nothing_to_do() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Primary))), Is.InstanceOf<AgentDecision.Wait>().With.Property("Settled").True);

    // ---- The group comes into being, once ----

    [Test]
    public void The_group_is_created_when_a_majority_says_that_it_has_none() =>
        Assert.That(Decide(Bootstrap(("mssql2-0", Peer(null)))), Is.InstanceOf<AgentDecision.CreateGroup>());

    [Test]
    public void S11_the_group_is_not_created_while_too_few_members_have_answered() =>
        Assert.That(Decide(Bootstrap(("mssql2-0", new Unreachable<PeerReplica>("no answer")), ("mssql3-0", new Refused<PeerReplica>("login failed")))), Is.InstanceOf<AgentDecision.Wait>());

    [Test]
    public void The_group_is_never_created_a_second_time_beside_a_member_that_has_it() =>
        Assert.That(Decide(Bootstrap(("mssql2-0", Peer(null)), ("mssql3-0", Peer(ReplicaRole.Resolving)))), Is.InstanceOf<AgentDecision.ReleaseLease>()
            .With.Property("Successor").EqualTo("mssql3-0"));

    [Test]
    public void The_group_is_never_created_by_anyone_but_the_member_that_was_noted() =>
        Assert.That(Decide(Bootstrap(("mssql2-0", Peer(null)), ("mssql3-0", Peer(null))) with { Directory = new Seen<GroupDirectory>(Group with { CreatedBy = "mssql2-0" }) }),
            Is.InstanceOf<AgentDecision.ReleaseLease>());

    [Test]
    public void A_member_that_is_no_replica_yet_is_added() =>
        Assert.That(Decide(Leading(Local(Replica(ReplicaRole.Primary) with { Replicas = [.. Replica(ReplicaRole.Primary).Replicas.Take(2)] }))),
            Is.InstanceOf<AgentDecision.AddReplica>().With.Property("Member").EqualTo(Members[2]));

    [Test]
    public void A_replica_whose_endpoint_has_moved_is_pointed_to_it() =>
        Assert.That(Decide(Leading(Local(Replica(ReplicaRole.Primary) with
        {
            Replicas = [.. Replica(ReplicaRole.Primary).Replicas.Select(replica => replica with { Endpoint = replica.Endpoint.Replace("two", "old", StringComparison.Ordinal) })],
        }))), Is.InstanceOf<AgentDecision.ModifyEndpoint>().With.Property("Member").EqualTo(Members[1]));

    // ---- Somebody else holds the Lease ----

    [Test]
    public void S7_a_primary_that_does_not_lead_steps_down_whatever_else_it_is_doing() =>
        Assert.That(Decide(Following(Local(ReplicaRole.Primary)), Fresh with { Busy = "AddReplica" }), Is.InstanceOf<AgentDecision.StepDown>());

    [Test]
    public void S9_who_does_not_lead_takes_off_its_primary_label() =>
        Assert.That(Decide(Following(Local(ReplicaRole.Resolving)) with { Directory = new Seen<GroupDirectory>(Group) }, Fresh),
            Is.InstanceOf<AgentDecision.SetRoleLabel>().With.Property("Pod").EqualTo("mssql1-0").And.Property("Role").EqualTo("secondary"));

    [Test]
    public void A_resolving_replica_waits_until_the_leader_is_seen_as_primary()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Decide(Following(Local(ReplicaRole.Resolving)), Fresh), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Following(Local(ReplicaRole.Resolving)) with { Peers = Peers(("mssql2-0", Peer(ReplicaRole.Resolving))) }, Fresh), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Following(Local(ReplicaRole.Resolving)) with { Peers = Peers(("mssql2-0", Peer(ReplicaRole.Primary))) }, Fresh), Is.InstanceOf<AgentDecision.BecomeSecondary>());
        });
    }

    [Test]
    public void A_secondary_of_an_earlier_primary_is_turned_to_the_present_one() =>
        Assert.That(Decide(Following(Local(Replica(ReplicaRole.Secondary) with { PrimaryName = "mssql3-0" })) with { Peers = Peers(("mssql2-0", Peer(ReplicaRole.Primary))) }, Fresh),
            Is.InstanceOf<AgentDecision.BecomeSecondary>());

    [Test]
    public void Seeding_is_not_cancelled_by_another_set_role()
    {
        var seeding = Replica(ReplicaRole.Secondary) with { Connected = false, Databases = [new DatabaseRow("sales", false, string.Empty, false)] };
        Assert.That(Decide(Following(Local(seeding)) with { Peers = Peers(("mssql2-0", Peer(ReplicaRole.Primary))) }, Fresh), Is.InstanceOf<AgentDecision.Wait>());
    }

    [Test]
    public void An_instance_joins_once_the_primary_has_added_it()
    {
        var facts = Following(Local((ReplicaState?)null)) with { Peers = Peers(("mssql2-0", Peer(ReplicaRole.Primary))) };
        var without = facts with { Peers = Peers(("mssql2-0", new Seen<PeerReplica>(new PeerReplica(ReplicaRole.Primary, AvailabilityMode.SynchronousCommit, 5, ["mssql2-0"])))) };
        Assert.Multiple(() =>
        {
            Assert.That(Decide(facts, Fresh), Is.InstanceOf<AgentDecision.JoinGroup>());
            Assert.That(Decide(without, Fresh), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(facts, Fresh with { JoinTriedAt = Now - TimeSpan.FromSeconds(1) }), Is.InstanceOf<AgentDecision.Wait>());
        });
    }

    // ---- The mailbox ----

    [Test]
    public void A_failover_to_a_synchronized_secondary_is_a_hand_over() =>
        Assert.That(Asked("mssql3-0"), Is.InstanceOf<AgentDecision.HandOver>().With.Property("Successor").EqualTo("mssql3-0"));

    [TestCase("mssql9-0", "there is no replica 'mssql9-0'")]
    [TestCase("!mssql9", "there is no replica 'mssql9' to avoid")]
    public void A_failover_to_an_unknown_replica_is_refused(string target, string reason) => AssertRefused(Asked(target), reason);

    [Test]
    public void A_failover_to_an_asynchronous_replica_is_refused() =>
        AssertRefused(Asked("mssql3-0", replica => replica with { Mode = AvailabilityMode.AsynchronousCommit }), "mssql3-0 is asynchronousCommit");

    [Test]
    public void A_failover_to_an_unsynchronized_replica_is_refused() =>
        AssertRefused(Asked("mssql3-0", replica => replica with { Synchronized = false }), "mssql3-0 is not SYNCHRONIZED");

    [Test]
    public void A_forced_failover_is_refused_while_there_is_a_primary_and_the_target_is_behind() =>
        AssertRefused(Asked("mssql3-0", replica => replica with { Synchronized = false }, allowDataLoss: true), "would lose");

    [Test]
    public void S5_a_forced_failover_without_a_primary_is_refused_in_words_and_never_carried_out() =>
        AssertRefused(
            Decide(Candidate(("mssql2-0", new Unreachable<PeerReplica>("dead"))) with { Directory = new Seen<GroupDirectory>(Group with { Request = new FailoverRequest("r1", "mssql1-0", true) }) }),
            "not supported yet");

    [Test]
    public void A_request_that_has_its_answer_is_not_answered_again() =>
        Assert.That(Decide(Mail(new FailoverRequest("r1", "mssql9-0", false), new FailoverResult("r1", FailoverState.Refused, "no", null))), Is.InstanceOf<AgentDecision.Wait>());

    [TestCase("mssql1-0", FailoverState.Succeeded)]
    [TestCase("mssql3-0", FailoverState.Failed)]
    public void The_new_primary_tells_what_came_of_an_accepted_request(string target, FailoverState expected) =>
        Assert.That(((AgentDecision.Answer)Decide(Mail(new FailoverRequest("r1", target, false), new FailoverResult("r1", FailoverState.Accepted, "handing over", target)))).Result.State,
            Is.EqualTo(expected));

    [Test]
    public void An_ending_agent_hands_its_primary_over() =>
        Assert.That(Decide(Leading(Local(ReplicaRole.Primary)), Renewed with { Stopping = true }), Is.InstanceOf<AgentDecision.HandOver>().With.Property("RequestId").Null);

    [Test]
    public void An_ending_agent_that_has_handed_over_turns_its_replica_to_the_new_primary_and_only_that()
    {
        var ending = Renewed with { Stopping = true };
        var promoted = Peers(("mssql2-0", Peer(ReplicaRole.Primary)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Decide(Following(Local(ReplicaRole.Resolving)), ending), Is.InstanceOf<AgentDecision.Wait>());
            Assert.That(Decide(Following(Local(ReplicaRole.Resolving)) with { Peers = promoted }, ending), Is.InstanceOf<AgentDecision.BecomeSecondary>());
            Assert.That(Decide(Following(Local(ReplicaRole.Secondary)) with { Peers = promoted }, ending), Is.InstanceOf<AgentDecision.Wait>());
        }
    }

    [Test]
    public void Only_a_primary_that_leads_reports_on_its_replicas()
    {
        var report = GroupReport.Of(Settings, Leading(Local(ReplicaRole.Primary)))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Primary, Is.EqualTo("mssql1-0"));
            Assert.That(report.Replicas.Select(replica => replica.Name), Is.EqualTo(Members.Select(member => member.Name)));
            Assert.That(GroupReport.Of(Settings, Leading(Local(ReplicaRole.Resolving))), Is.Null);
            Assert.That(GroupReport.Of(Settings, Following(Local(ReplicaRole.Primary))), Is.Null);
            Assert.That(GroupReport.Of(Settings, Leading(Silent)), Is.Null);
        }
    }

    // ---- Whatever the facts, S1 and S5 hold ----

    [Test]
    public void Nobody_promotes_without_holding_the_lease_and_nobody_ever_forces()
    {
        Sighting<Agents.Election.LeaseView?>[] leases = [NoLease, Lease(""), Lease("", 9, "mssql2-0"), Lease(Other.Holder), Lease(Other.Holder, 8), Lease(Me.Holder), Lease("mssql1-0_older-uid")];
        Sighting<LocalReplica>[] locals = [Silent, new Refused<LocalReplica>("login"), Local((ReplicaState?)null), Local(ReplicaRole.Primary), Local(ReplicaRole.Secondary), Local(ReplicaRole.Resolving)];
        Sighting<PeerReplica>[] peers = [new Unreachable<PeerReplica>("x"), Peer(null), Peer(ReplicaRole.Primary), Peer(ReplicaRole.Secondary), Peer(ReplicaRole.Resolving, 101)];
        Sighting<GroupDirectory>[] directories = [new Seen<GroupDirectory>(Group), new Seen<GroupDirectory>(Labelled(("mssql1-0", "secondary"))), Uncreated, new Refused<GroupDirectory>("none")];
        AgentMemory[] memories = [Fresh, Renewed, Renewed with { Busy = "x" }, Renewed with { Stopping = true }, Renewed with { RenewedAt = Now - TimeSpan.FromSeconds(1) }, Renewed with { FailoverUncertain = true }];
        var seen = new HashSet<Type>();
        foreach (var lease in leases)
            foreach (var local in locals)
                foreach (var process in Enum.GetValues<EngineProcess>())
                    foreach (var two in peers)
                        foreach (var three in peers)
                            foreach (var directory in directories)
                                foreach (var memory in memories)
                                {
                                    var decision = Decide(new GroupFacts(Now, lease, local, process, directory, Peers(("mssql2-0", two), ("mssql3-0", three))), memory);
                                    seen.Add(decision.GetType());
                                    Assert.That(decision.Because, Is.Not.Empty);
                                    var mine = lease.TryGet(out var view) && view?.Holder == Me.Holder;
                                    var isPrimary = local.TryGet(out var own) && own.Group?.Role == ReplicaRole.Primary;
                                    if (decision is AgentDecision.Promote or AgentDecision.CreateGroup or AgentDecision.AddReplica or AgentDecision.RenewLease or AgentDecision.ReleaseLease or AgentDecision.HandOver)
                                        Assert.That(mine, Is.True, $"{decision} without the Lease");
                                    if (decision is AgentDecision.ReleaseLease)
                                        Assert.That(isPrimary, Is.False, $"{decision} of a live primary (S8)");
                                    if (isPrimary && view is not null && view.Holder == Other.Holder && view.UnchangedFor < Settings.Timings.LeaseDuration)
                                        Assert.That(decision, Is.InstanceOf<AgentDecision.StepDown>(), "S7");
                                }

        // The table is no table if it does not reach the dangerous decisions.
        Type[] dangerous =
        [
            typeof(AgentDecision.AcquireLease), typeof(AgentDecision.RenewLease), typeof(AgentDecision.ReleaseLease), typeof(AgentDecision.CreateGroup),
            typeof(AgentDecision.Promote), typeof(AgentDecision.StepDown), typeof(AgentDecision.HandOver), typeof(AgentDecision.BecomeSecondary),
        ];
        Assert.That(seen, Is.SupersetOf(dangerous));
    }

    private static Sighting<GroupDirectory> Uncreated { get; } = new Seen<GroupDirectory>(Group with { CreatedBy = null });

    private static GroupFacts Candidate(params (string, Sighting<PeerReplica>)[] peers) => Leading(Local(ReplicaRole.Secondary)) with { Peers = Peers(peers) };

    private static GroupFacts Bootstrap(params (string, Sighting<PeerReplica>)[] peers) => Leading(Local((ReplicaState?)null)) with { Peers = Peers(peers), Directory = Uncreated };

    private static GroupFacts Mail(FailoverRequest request, FailoverResult? result, Func<ReplicaRow, ReplicaRow>? third = null)
    {
        var primary = Replica(ReplicaRole.Primary);
        if (third is not null)
            primary = primary with { Replicas = [primary.Replicas[0], primary.Replicas[1], third(primary.Replicas[2])] };
        return Leading(Local(primary)) with { Directory = new Seen<GroupDirectory>(Group with { Request = request, Result = result }) };
    }

    private static AgentDecision Asked(string target, Func<ReplicaRow, ReplicaRow>? third = null, bool allowDataLoss = false) =>
        Decide(Mail(new FailoverRequest("r1", target, allowDataLoss), null, third));

    private static void AssertRefused(AgentDecision decision, string reason)
    {
        Assert.That(decision, Is.InstanceOf<AgentDecision.Answer>());
        var result = ((AgentDecision.Answer)decision).Result;
        Assert.Multiple(() =>
        {
            Assert.That(result.State, Is.EqualTo(FailoverState.Refused));
            Assert.That(result.Message, Does.Contain(reason));
        });
    }
}
