using System.Text.Json.Nodes;

namespace Agents.Operator.Manifests;

/// <summary>Lets evictions (a drain of a node) take only one replica of an availability group at a time.</summary>
internal static class DisruptionBudgetManifest
{
    /// <param name="apiVersion">As the API server has it: see <see cref="Reconciliation.Resources.Budgets"/>.</param>
    /// <param name="namespace">Of the group.</param>
    /// <param name="group">The availability group.</param>
    /// <param name="owners">Its instances.</param>
    public static JsonObject Build(string apiVersion, string @namespace, string group, IEnumerable<(string Name, string Uid)> owners)
    {
        var budget = Metadata.Document(apiVersion, "PodDisruptionBudget", Metadata.OfGroup(@namespace, group, owners));
        budget["spec"] = new JsonObject
        {
            ["maxUnavailable"] = 1,
            ["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { [Names.MembershipLabel(group)] = string.Empty } },
        };
        return budget;
    }
}
