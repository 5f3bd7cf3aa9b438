using System.Globalization;
using Agents.Groups;

namespace Agents.Operator.Reconciliation;

/// <summary>
/// Says which outdated pods to restart now. Pods that serve are restarted one replica of a group at a time, secondaries first, and only while all
/// other replicas of their groups are ready and SYNCHRONIZED. A primary's pod is restarted when another replica has taken its role over, which is asked for
/// as the failover Job does. A pod that does not serve is restarted at once. What does not go on says why, and goes on by itself when the
/// reason is gone.
/// </summary>
internal static class RestartPlanner
{
    public const string Restarting = "Restarting";
    public const string WaitingForFailover = "WaitingForFailover";
    private const string Primary = "primary";

    /// <summary>A failover that was refused is asked for again after this long at most.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(30);

    public static RestartPlan Plan(string @namespace, IReadOnlyList<RestartCandidate> pods, IReadOnlyList<RestartGroup> groups, DateTimeOffset now)
    {
        var steps = new List<Step>();
        var holds = new Dictionary<string, RestartHold>(StringComparer.Ordinal);
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pod in pods.Where(pod => pod is { Outdated: true, Uid.Length: > 0 })
            .OrderBy(pod => pod.Ready).ThenBy(pod => pod.IsPrimary).ThenBy(pod => pod.Name, StringComparer.Ordinal))
        {
            var hold = !pod.Ready ? null
                : Turn(pod, taken) ?? Peers(pod, pods) ?? Replicas(pod, pods, groups) ?? Roles(@namespace, pod, pods, groups, now, steps);
            if (hold is null)
            {
                var because = pod.Ready ? "its template has changed" : "its template has changed and it is not ready anyway";
                steps.Add(new Step.RestartPod(@namespace, pod.Name, pod.Uid, because));
                hold = new RestartHold(Restarting, $"Pod {pod.Name} is restarted with its new template.");
            }

            holds[pod.Name] = hold;

            // A pod that waits for another leaves the way free: it may be the other that has to be restarted.
            if (hold.Reason is Restarting or WaitingForFailover)
                foreach (var group in pod.Roles.Keys)
                    taken.TryAdd(group, pod.Name);
        }

        return new RestartPlan(steps, holds);
    }

    private static RestartHold? Turn(RestartCandidate pod, Dictionary<string, string> taken) =>
        pod.Roles.Keys.Where(taken.ContainsKey).Select(group => taken[group]).FirstOrDefault() is { } before
            ? new("WaitingForTurn", $"Pod {before} comes before {pod.Name}; one replica of a group is restarted at a time, the primary last.")
            : null;

    private static RestartHold? Peers(RestartCandidate pod, IReadOnlyList<RestartCandidate> pods)
    {
        foreach (var peer in PeersOf(pod, pods))
        {
            if (peer.Uid.Length == 0 || !peer.Ready)
                return peer.Trouble is { } trouble
                    ? new("PodNotReady", $"Pod {pod.Name} is not restarted while pod {peer.Name} is not ready: {trouble}.", IsTrouble: true)
                    : new("WaitingForPod", $"Pod {pod.Name} is restarted when pod {peer.Name} is ready.");
            if (peer.Roles.FirstOrDefault(role => pod.Roles.ContainsKey(role.Key) && role.Value.Length == 0) is { Key: { } group })
                return new("WaitingForRole", $"Pod {pod.Name} is restarted when pod {peer.Name} has a role in {group}.");
        }

        return null;
    }

    /// <summary>All other replicas must be as current as their modes let them be, by the report of the primary that the labels name (rule S11).</summary>
    private static RestartHold? Replicas(RestartCandidate pod, IReadOnlyList<RestartCandidate> pods, IReadOnlyList<RestartGroup> groups)
    {
        foreach (var name in pod.Roles.Keys.Order(StringComparer.Ordinal))
        {
            var members = pods.Where(other => other.Roles.ContainsKey(name)).ToList();
            if (members.Count == 1)
                continue;
            var primary = members.Find(member => member.Roles[name] == Primary)?.Name;
            if (groups.FirstOrDefault(group => group.Name == name)?.Report is not { } report || !Same(report.Primary, primary))
                return new("WaitingForPrimary", $"Pod {pod.Name} is restarted when the primary of {name} has said how its replicas are.");
            foreach (var member in members.Where(member => member.Name != pod.Name))
            {
                var replica = report.Replicas.FirstOrDefault(replica => Same(replica.Name, member.Name));
                if (replica is not { IsCurrent: true })
                    return new("WaitingForReplica", $"Pod {pod.Name} is restarted when replica {member.Name} of {name} is "
                        + $"{(replica is null ? "added" : replica.Connected ? "SYNCHRONIZED" : "connected")}.");
            }
        }

        return null;
    }

    /// <summary>Asks for the failovers that take the pod's primary roles away.</summary>
    /// <returns>Null when it has none that another replica could take over.</returns>
    private static RestartHold? Roles(
        string @namespace, RestartCandidate pod, IReadOnlyList<RestartCandidate> pods, IReadOnlyList<RestartGroup> groups, DateTimeOffset now, List<Step> steps)
    {
        var prefix = $"restart-{pod.Uid}-";
        foreach (var (name, _) in pod.Roles.Where(role => role.Value == Primary).OrderBy(role => role.Key, StringComparer.Ordinal))
        {
            if (PeersOf(pod, pods).FirstOrDefault(peer => peer.Outdated && !peer.IsPrimary) is { } before)
                return new("WaitingForTurn", $"Pod {before.Name} comes before {pod.Name}, which is the primary of {name}.");
            var group = groups.FirstOrDefault(group => group.Name == name);

            // Nobody could take over without losing data, so waiting would help nobody.
            if (group?.Report is not { } report || !report.Replicas.Any(replica => !Same(replica.Name, pod.Name) && replica.Mode == AvailabilityMode.SynchronousCommit))
                continue;
            string Id(int turn) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{(now.ToUnixTimeSeconds() / (long)AskAgain.TotalSeconds) - turn}");
            var refused = group.Result is { State: FailoverState.Refused or FailoverState.Failed } no && no.Id.StartsWith(prefix, StringComparison.Ordinal)
                ? new RestartHold("FailoverRefused", $"Pod {pod.Name} is the primary of {name} and stays as it is: a planned failover was refused: {no.Message}.", IsTrouble: true)
                : null;
            if (group.Request is { } open && (group.Result?.Id != open.Id || group.Result.State == FailoverState.Accepted))
                return !open.Id.StartsWith(prefix, StringComparison.Ordinal)
                    ? new(WaitingForFailover, $"Pod {pod.Name} is restarted after failover request {open.Id} of {name} is answered.")
                    : refused ?? Moving(pod, name, open.Id == Id(0) || open.Id == Id(1) ? null : "nobody has answered yet");
            if (group.Request?.Id != Id(0))
                steps.Add(new Step.RequestFailover(@namespace, name, Id(0), $"!{pod.Name}", $"{pod.Name} is to be restarted and is its primary"));
            if (refused is not null)
                return refused;
            return Moving(pod, name, null);
        }

        return null;
    }

    private static RestartHold Moving(RestartCandidate pod, string group, string? trouble) => new(
        WaitingForFailover, $"Pod {pod.Name} is restarted when another replica is the primary of {group}{(trouble is null ? string.Empty : $"; {trouble}")}.",
        IsTrouble: trouble is not null);

    private static IEnumerable<RestartCandidate> PeersOf(RestartCandidate pod, IReadOnlyList<RestartCandidate> pods) =>
        pods.Where(other => other.Name != pod.Name && other.Roles.Keys.Any(pod.Roles.ContainsKey)).OrderBy(other => other.Name, StringComparer.Ordinal);

    private static bool Same(string left, string? right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
