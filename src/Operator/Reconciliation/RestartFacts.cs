using System.Text.Json.Nodes;
using Agents.Groups;

namespace Agents.Operator.Reconciliation;

/// <summary>A pod as far as its restart is concerned.</summary>
/// <param name="Name">Pod name.</param>
/// <param name="Uid">Pod uid; empty when there is no pod now.</param>
/// <param name="Outdated">It was made from another template than the current one.</param>
/// <param name="Ready">Its Ready condition is True and it is not being deleted.</param>
/// <param name="Roles">Role label by availability group; an empty role when the label is missing.</param>
internal sealed record RestartCandidate(string Name, string Uid, bool Outdated, bool Ready, IReadOnlyDictionary<string, string> Roles)
{
    /// <summary>Why it will not become ready by itself; null when nothing says so.</summary>
    public string? Trouble { get; init; }

    public bool IsPrimary => Roles.Values.Contains("primary");
}

/// <summary>An availability group as far as restarts are concerned.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Report">What its primary says of the replicas; null when that is not known.</param>
/// <param name="Request">The failover request in its mailbox, if any.</param>
/// <param name="Result">The last answer to one, if any.</param>
internal sealed record RestartGroup(string Name, GroupReport? Report, FailoverRequest? Request = null, FailoverResult? Result = null)
{
    /// <summary>From ConfigMap <c>&lt;ag&gt;</c>. What cannot be read is not known (rule S11).</summary>
    public static RestartGroup Read(string name, JsonObject map)
    {
        string? Text(string key) => (string?)map["data"]?[key];
        try
        {
            return new RestartGroup(
                name,
                Text(GroupDocuments.ReportKey) is { } report ? GroupDocuments.ReadReport(report) : null,
                Text(GroupDocuments.RequestKey) is { } request ? GroupDocuments.ReadRequest(request) : null,
                Text(GroupDocuments.ResultKey) is { } result ? GroupDocuments.ReadResult(result) : null);
        }
        catch (InvalidDataException)
        {
            return new RestartGroup(name, null);
        }
    }
}

/// <summary>What to do now, and why the other outdated pods are left alone.</summary>
/// <param name="Steps">Restarts and requests for failovers.</param>
/// <param name="Holds">By pod name, one for each outdated pod that exists.</param>
internal sealed record RestartPlan(IReadOnlyList<Step> Steps, IReadOnlyDictionary<string, RestartHold> Holds);

/// <summary>Where an outdated pod stands.</summary>
/// <param name="Reason">One word.</param>
/// <param name="Message">For people.</param>
/// <param name="IsTrouble">It will not go on before somebody or something changes; otherwise it is a matter of time.</param>
internal sealed record RestartHold(string Reason, string Message, bool IsTrouble = false);
