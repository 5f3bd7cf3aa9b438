namespace Agents.Election;

/// <summary>The availability group's Lease as one agent sees it.</summary>
/// <param name="Holder">Identity of the holder; empty when it was released.</param>
/// <param name="Successor">Pod for which the last holder gave it up; empty when for nobody in particular.</param>
/// <param name="ResourceVersion">Version that a compare-and-swap must name.</param>
/// <param name="UnchangedFor">
/// How long this very version has been watched on the agent's own monotonic clock. The times written in the Lease are never used (rule S2).
/// </param>
public sealed record LeaseView(string Holder, string Successor, string ResourceVersion, TimeSpan UnchangedFor);

/// <summary>Who an agent is to the election.</summary>
/// <param name="Pod">Pod name, which is also the server and replica name.</param>
/// <param name="Uid">Pod uid: a pod made anew under the same name is another holder.</param>
public sealed record AgentIdentity(string Pod, string Uid)
{
    /// <summary>The holder identity written to the Lease.</summary>
    public string Holder => $"{Pod}_{Uid}";

    /// <summary>Pod name within a holder identity.</summary>
    public static string PodOf(string holder)
    {
        var end = holder.LastIndexOf('_');
        return end < 0 ? holder : holder[..end];
    }
}
