namespace Agents.Operator.Reconciliation;

/// <summary>A pod as far as its restart is concerned.</summary>
/// <param name="Name">Pod name.</param>
/// <param name="Uid">Pod uid; empty when there is no pod now.</param>
/// <param name="Outdated">It was made from another template than the current one.</param>
/// <param name="Ready">Its Ready condition is True and it is not being deleted.</param>
/// <param name="Roles">Role label by availability group; an empty role when the label is missing.</param>
internal sealed record RestartCandidate(string Name, string Uid, bool Outdated, bool Ready, IReadOnlyDictionary<string, string> Roles);

/// <summary>
/// Says which outdated pods to restart now. Pods that serve are restarted one replica of a group at a time, only while all other replicas
/// of their groups are ready and have a role, secondaries before primaries. A pod that does not serve is restarted at once.
/// </summary>
internal static class RestartPlanner
{
    private const string Primary = "primary";

    public static IReadOnlyList<Step.RestartPod> Plan(string @namespace, IReadOnlyList<RestartCandidate> pods)
    {
        var steps = new List<Step.RestartPod>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pod in pods.Where(pod => pod is { Outdated: true, Uid.Length: > 0 }).OrderBy(IsPrimary).ThenBy(pod => pod.Name, StringComparer.Ordinal))
        {
            if (!pod.Ready)
            {
                steps.Add(new Step.RestartPod(@namespace, pod.Name, pod.Uid, "its template has changed and it is not ready anyway"));
                continue;
            }

            var peers = pods.Where(other => other.Name != pod.Name && other.Roles.Keys.Any(pod.Roles.ContainsKey)).ToList();
            if (pod.Roles.Keys.Any(taken.Contains) || !peers.All(peer => Serves(peer, pod)))
                continue;
            if (IsPrimary(pod) && peers.Exists(peer => peer.Outdated))
                continue;
            taken.UnionWith(pod.Roles.Keys);
            steps.Add(new Step.RestartPod(@namespace, pod.Name, pod.Uid, "its template has changed"));
        }

        return steps;
    }

    private static bool IsPrimary(RestartCandidate pod) => pod.Roles.Values.Contains(Primary);

    private static bool Serves(RestartCandidate peer, RestartCandidate pod) =>
        peer.Ready && peer.Uid.Length > 0 && peer.Roles.All(role => !pod.Roles.ContainsKey(role.Key) || role.Value.Length > 0);
}
