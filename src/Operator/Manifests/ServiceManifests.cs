using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Agents.Operator.Manifests;

/// <summary>The headless Services.</summary>
internal static class ServiceManifests
{
    /// <summary>Governs the StatefulSet; replicas must reach each other before they are ready.</summary>
    public static JsonObject Internal(InstanceSpec spec) =>
        Headless(Metadata.OfInstance(spec, Names.InternalService(spec.Name)), new JsonObject { [Names.InstanceLabel] = spec.Name });

    /// <summary>For clients of one instance, whatever its roles are; <paramref name="template"/> is the user's.</summary>
    public static JsonObject Client(InstanceSpec spec, JsonObject template)
    {
        var metadata = Metadata.OfInstance(spec, Names.ClientService(spec.Name));
        metadata["labels"] = Overlay.Merge(template["labels"] as JsonObject ?? [], metadata["labels"] as JsonObject);
        if (template["annotations"] is { } annotations)
            metadata["annotations"] = annotations.DeepClone();
        var service = Metadata.Document("v1", "Service", metadata);
        var details = new JsonObject
        {
            ["type"] = "ClusterIP",
            ["selector"] = new JsonObject { [Names.InstanceLabel] = spec.Name },
            ["ports"] = Json.List(Port("tds", Names.TdsPort)),
        };
        service["spec"] = Overlay.Merge(details, template["spec"] as JsonObject);
        return service;
    }

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
