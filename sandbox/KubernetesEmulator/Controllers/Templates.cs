using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Controllers;

/// <summary>Makes objects from the templates in others.</summary>
internal static class Templates
{
    /// <summary>A short stable hash, in characters that names may have.</summary>
    public static string Hash(string text, int length = 10) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..length];

    public static string Hash(JsonObject owner) => Hash(owner.At("spec", "template")?.ToJsonString() ?? "");

    /// <summary>The n-th name that <paramref name="owner"/> gives.</summary>
    public static string Name(JsonObject owner, int n) => $"{owner.Name()}-{Hash($"{owner.Uid()}/{n}", 5)}";

    /// <summary>The first name of <paramref name="owner"/> that nothing in <paramref name="taken"/> has.</summary>
    public static string FreeName(JsonObject owner, ISet<string> taken)
    {
        for (var n = 0; ; n++)
        {
            if (!taken.Contains(Name(owner, n)))
                return Name(owner, n);
        }
    }

    public static JsonObject Owned(JsonObject owner, ResourceType<JsonObject> ownerType, string apiVersion, string kind, string name) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = owner.Namespace(),
            ["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = ownerType.ApiVersion,
                ["kind"] = ownerType.Kind,
                ["name"] = owner.Name(),
                ["uid"] = owner.Uid(),
                ["controller"] = true,
                ["blockOwnerDeletion"] = true,
            }),
        },
    };

    public static JsonObject Pod(JsonObject owner, ResourceType<JsonObject> ownerType, string name, params ReadOnlySpan<(string Key, string Value)> labels)
    {
        var pod = Owned(owner, ownerType, "v1", "Pod", name);
        var template = owner.Document("spec", "template");
        var all = Clone(template, "metadata", "labels");
        foreach (var (key, value) in labels)
            all[key] = value;
        pod["metadata"]!["labels"] = all;
        if (template.Document("metadata", "annotations") is { } annotations)
            pod["metadata"]!["annotations"] = annotations.DeepClone();
        pod["spec"] = Clone(template, "spec");
        return pod;
    }

    public static JsonObject Clone(JsonNode? node, params ReadOnlySpan<string> path) => (JsonObject?)node.Document(path)?.DeepClone() ?? [];

    /// <summary>Writes the status when it differs from the present one.</summary>
    public static async Task WriteStatusAsync(
        IKubernetesApi api, ResourceType<JsonObject> type, JsonObject owner, JsonObject status, CancellationToken cancellationToken)
    {
        var present = owner.Document("status");
        if (status.All(x => JsonNode.DeepEquals(present.At(x.Key), x.Value)))
            return;
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = owner.Version() }, ["status"] = status };
        await api.MergePatchAsync(type, owner.Namespace(), owner.Name(), patch, cancellationToken, "status").ConfigureAwait(false);
    }

    public static bool Ready(this JsonObject pod) => !pod.Deleting() && pod.Phase() == "Running" && pod.IsTrue("Ready");
}
