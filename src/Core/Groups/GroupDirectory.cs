namespace Agents.Groups;

/// <summary>What Kubernetes says about an availability group: ConfigMap <c>&lt;ag&gt;</c> and the pods of the group.</summary>
/// <param name="Members">Replicas asked for, sorted by name.</param>
/// <param name="CreatedBy">Member that was chosen to create the group in SQL Server; null as long as none was.</param>
/// <param name="Pods">Pods of the group by name.</param>
/// <param name="Request">The failover request in the mailbox, if any.</param>
/// <param name="Result">The last answer to a failover request, if any.</param>
public sealed record GroupDirectory(
    IReadOnlyList<GroupMember> Members,
    string? CreatedBy,
    IReadOnlyDictionary<string, GroupPod> Pods,
    FailoverRequest? Request,
    FailoverResult? Result)
{
    /// <summary>Server names of the replicas in the catalog as the leader last published them; null when nobody has yet.</summary>
    public IReadOnlyList<string>? Replicas { get; init; }

    /// <summary>The members that do not leave.</summary>
    public IEnumerable<GroupMember> Staying => Members.Where(member => !member.Leaving);

    /// <summary>The primary's last <see cref="GroupReport"/> as it is written; null without.</summary>
    public string? Report { get; init; }

    /// <summary>The member of that name, or null.</summary>
    public GroupMember? Member(string name) => Members.FirstOrDefault(member => Same(member.Name, name));

    /// <summary>Server names compare without regard to case, as SQL Server compares them.</summary>
    internal static bool Same(string? left, string? right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A pod of the group.</summary>
/// <param name="Name">Pod name.</param>
/// <param name="Address">Pod IP; null while it has none.</param>
/// <param name="RoleLabel">Value of the role label for this group; null without.</param>
public sealed record GroupPod(string Name, string? Address, string? RoleLabel);

/// <summary>A failover that somebody asked for through ConfigMap <c>&lt;ag&gt;</c>.</summary>
/// <param name="Id">Tells requests apart.</param>
/// <param name="Target">As the user wrote it: a name or IP, <c>!name</c>, or empty for the best replica.</param>
/// <param name="AllowDataLoss">Whether a forced failover is asked for.</param>
public sealed record FailoverRequest(string Id, string Target, bool AllowDataLoss);

/// <summary>The answer to a <see cref="FailoverRequest"/>.</summary>
/// <param name="Id">Id of the request.</param>
/// <param name="State">How far it is.</param>
/// <param name="Message">The story for people.</param>
/// <param name="Primary">Target when accepted; the primary afterwards.</param>
public sealed record FailoverResult(string Id, FailoverState State, string Message, string? Primary);

/// <summary>States of a failover request.</summary>
public enum FailoverState
{
    /// <summary>Under way.</summary>
    Accepted,

    /// <summary>The target is primary.</summary>
    Succeeded,

    /// <summary>Nothing was changed.</summary>
    Refused,

    /// <summary>It was begun, and something else came of it.</summary>
    Failed,
}
