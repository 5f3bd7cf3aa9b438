using Agents.Election;
using Agents.Observation;

namespace Agents.Groups;

/// <summary>All that an agent knows in one turn. The decider gets nothing else besides its memory.</summary>
/// <param name="Now">Monotonic time at which everything had been read.</param>
/// <param name="Lease">The Lease; the fact is null when there is none yet.</param>
/// <param name="Local">The local instance.</param>
/// <param name="Process">Evidence about the local SQL Server process.</param>
/// <param name="Directory">Members, pods and mailbox.</param>
/// <param name="Peers">
/// The peers' replicas by server name, read in this very turn, after the Lease was; only those that the observer had reason to ask.
/// </param>
public sealed record GroupFacts(
    TimeSpan Now,
    Sighting<LeaseView?> Lease,
    Sighting<LocalReplica> Local,
    EngineProcess Process,
    Sighting<GroupDirectory> Directory,
    IReadOnlyDictionary<string, Sighting<PeerReplica>> Peers);
