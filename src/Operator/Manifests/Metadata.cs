using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>Heads of the generated documents.</summary>
internal static class Metadata
{
    public static JsonObject Document(string apiVersion, string kind, JsonObject metadata) =>
        new() { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = metadata };

    public static JsonObject OfInstance(InstanceSpec spec, string name) => new()
    {
        ["name"] = name,
        ["namespace"] = spec.Namespace,
        ["labels"] = new JsonObject
        {
            [Names.ManagedBy] = Names.FieldManager,
            [Names.InstanceLabel] = spec.Name,
        },
        ["ownerReferences"] = Json.List(Owner(spec.Name, spec.Uid, controller: true)),
    };

    public static JsonObject OfGroup(string @namespace, string group, IEnumerable<(string Name, string Uid)> owners) => new()
    {
        ["name"] = group,
        ["namespace"] = @namespace,
        ["labels"] = new JsonObject { [Names.ManagedBy] = Names.FieldManager, [Names.GroupLabel] = group },
        ["ownerReferences"] = Json.List(owners.OrderBy(owner => owner.Name, StringComparer.Ordinal)
            .Select(JsonNode? (owner) => Owner(owner.Name, owner.Uid, controller: false))),
    };

    private static JsonObject Owner(string name, string uid, bool controller)
    {
        var owner = new JsonObject { ["apiVersion"] = Names.ApiVersion, ["kind"] = Names.Kind, ["name"] = name, ["uid"] = uid };
        if (controller)
            owner["controller"] = true;
        return owner;
    }
}
