using Agents.Election;
using Agents.Groups;
using Agents.Observation;

namespace Unit.Groups;

/// <summary>A healthy group of three seen from mssql1-0, which leads and is primary; tests change what matters to them.</summary>
internal static class Given
{
    public static readonly AgentIdentity Me = new("mssql1-0", "uid-1");
    public static readonly AgentIdentity Other = new("mssql2-0", "uid-2");
    public static readonly GroupSettings Settings = new("ag1", Me, LeaseTimings.Default);
    public static readonly TimeSpan Now = TimeSpan.FromMinutes(10);

    public static readonly GroupMember[] Members =
    [
        new("mssql1-0", "mssql1", AvailabilityMode.SynchronousCommit, "TCP://one:5022"),
        new("mssql2-0", "mssql2", AvailabilityMode.SynchronousCommit, "TCP://two:5022"),
        new("mssql3-0", "mssql3", AvailabilityMode.SynchronousCommit, "TCP://three:5022"),
    ];

    public static GroupDirectory Group { get; } = new(
        Members,
        "mssql1-0",
        new Dictionary<string, GroupPod>
        {
            ["mssql1-0"] = new("mssql1-0", "127.0.0.11", "primary"),
            ["mssql2-0"] = new("mssql2-0", "127.0.0.12", "secondary"),
            ["mssql3-0"] = new("mssql3-0", "127.0.0.13", "secondary"),
        },
        null,
        null)
    {
        Replicas = [.. Members.Select(member => member.Name)],
    };

    public static ReplicaState Replica(ReplicaRole role, long sequence = 100) => new(
        role, AvailabilityMode.SynchronousCommit, sequence, 1, role == ReplicaRole.Resolving ? null : role == ReplicaRole.Primary ? Me.Pod : Other.Pod,
        Connected: role != ReplicaRole.Resolving, null,
        [.. Members.Select(member => new ReplicaRow(
            member.Name, member.Mode, member.Endpoint, role == ReplicaRole.Primary ? true : null, role == ReplicaRole.Primary ? true : null))],
        [new DatabaseRow("sales", true, "SYNCHRONIZED", false)]);

    public static Sighting<LocalReplica> Local(ReplicaState? state) =>
        new Seen<LocalReplica>(new LocalReplica(Me.Pod, 5_000_000, TimeSpan.FromHours(1), state));

    public static Sighting<LocalReplica> Local(ReplicaRole role) => Local(Replica(role));

    public static Sighting<LocalReplica> Silent { get; } = new Unreachable<LocalReplica>("no answer");

    public static Sighting<LeaseView?> Lease(string holder, double unchangedSeconds = 0.5, string successor = "") =>
        new Seen<LeaseView?>(new LeaseView(holder, successor, "41", TimeSpan.FromSeconds(unchangedSeconds)));

    public static Sighting<LeaseView?> NoLease { get; } = new Seen<LeaseView?>(null);

    public static Dictionary<string, Sighting<PeerReplica>> Peers(params (string Name, Sighting<PeerReplica> Sighting)[] peers) =>
        peers.ToDictionary(peer => peer.Name, peer => peer.Sighting);

    public static Sighting<PeerReplica> Peer(
        ReplicaRole? role, long sequence = 100, AvailabilityMode? mode = AvailabilityMode.SynchronousCommit) =>
        new Seen<PeerReplica>(new PeerReplica(role, role is null ? null : mode, role is null ? 0 : sequence, [.. Members.Select(member => member.Name)]));

    public static GroupFacts Leading(Sighting<LocalReplica> local) => new(
        Now, Lease(Me.Holder), local, EngineProcess.Running, new Seen<GroupDirectory>(Group), Peers());

    public static GroupFacts Following(Sighting<LocalReplica> local) => Leading(local) with
    {
        Lease = Lease(Other.Holder),
        Directory = new Seen<GroupDirectory>(Labelled(("mssql1-0", "secondary"), ("mssql2-0", "primary"))),
    };

    public static AgentMemory Renewed { get; } = new()
    {
        RenewedAt = Now - TimeSpan.FromMilliseconds(200),
        LeadingSince = Now - TimeSpan.FromSeconds(2),
        WriteLeaseEndsBy = Now + TimeSpan.FromSeconds(2),
    };

    public static GroupDirectory Labelled(params (string Pod, string? Role)[] labels)
    {
        var pods = Group.Pods.ToDictionary();
        foreach (var (pod, role) in labels)
            pods[pod] = pods[pod] with { RoleLabel = role };
        return Group with { Pods = pods };
    }

    public static AgentDecision Decide(GroupFacts facts, AgentMemory? memory = null) =>
        AgentDecider.Decide(Settings, facts, memory ?? Renewed);
}
