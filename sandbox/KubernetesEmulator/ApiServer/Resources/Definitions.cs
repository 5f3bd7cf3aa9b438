using System.Text.Json.Nodes;
using KubernetesEmulator.Wire;

namespace KubernetesEmulator.Resources;

/// <summary>The status that a CustomResourceDefinition gets once its names are accepted.</summary>
internal static class Definitions
{
    public static void Accept(JsonObject definition, TimeProvider time)
    {
        var spec = definition.Child("spec");
        var status = definition.Ensure("status");
        status.Put("acceptedNames", spec.Child("names"));
        var storage = spec.Objects("versions").FirstOrDefault(v => v.Flag("storage")).Text("name");
        var versions = status.Texts("storedVersions").ToList();
        if (storage is not null && !versions.Contains(storage))
            versions.Add(storage);
        status["storedVersions"] = new JsonArray([.. versions]);
        Condition(status, "NamesAccepted", "NoConflicts", "no conflicts found", time);
        Condition(status, "Established", "InitialNamesAccepted", "the initial names have been accepted", time);
    }

    private static void Condition(JsonObject status, string type, string reason, string message, TimeProvider time)
    {
        if (status["conditions"] is not JsonArray conditions)
            status["conditions"] = conditions = [];
        if (conditions.Objects().Any(c => c.Text("type") == type && c.Text("status") == "True"))
            return;
        foreach (var stale in conditions.Objects().Where(c => c.Text("type") == type).ToArray())
            conditions.Remove(stale);
        conditions.Add((JsonNode)new JsonObject
        {
            ["type"] = type,
            ["status"] = "True",
            ["lastTransitionTime"] = Document.Time(time.GetUtcNow()),
            ["reason"] = reason,
            ["message"] = message,
        });
    }
}
