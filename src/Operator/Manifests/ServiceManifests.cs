using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>The headless Services.</summary>
internal static class ServiceManifests
{
    /// <summary>Governs the StatefulSet; replicas must reach each other before they are ready.</summary>
    public static JsonObject Internal(InstanceSpec spec) =>
        Headless(Metadata.OfInstance(spec, Names.InternalService(spec.Name)), new JsonObject { [Names.InstanceLabel] = spec.Name });

    public static JsonObject Group(string @namespace, string group, IEnumerable<(string Name, string Uid)> owners) =>
        Headless(Metadata.OfGroup(@namespace, group, owners), new JsonObject { [Names.MembershipLabel(group)] = string.Empty });

    private static JsonObject Headless(JsonObject metadata, JsonObject selector)
    {
        var service = Metadata.Document("v1", "Service", metadata);
        service["spec"] = new JsonObject
        {
            ["clusterIP"] = "None",
            ["publishNotReadyAddresses"] = true,
            ["selector"] = selector,
            ["ports"] = Json.List(Port("tds", Names.TdsPort), Port("mirroring", Names.MirroringPort)),
        };
        return service;
    }

    private static JsonObject Port(string name, int port) =>
        new() { ["name"] = name, ["port"] = port, ["targetPort"] = port, ["protocol"] = "TCP" };
}
