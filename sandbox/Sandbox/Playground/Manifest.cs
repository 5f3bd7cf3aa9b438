using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Wire;

namespace Sandbox.Playground;

/// <summary>The manifests that come with this program.</summary>
internal static class Manifest
{
    /// <summary>Reads one and puts values in the place of <c>${NAME}</c>.</summary>
    public static IReadOnlyList<JsonObject> Read(string name, params IReadOnlyList<(string Name, string Value)> values)
    {
        using var stream = typeof(Manifest).Assembly.GetManifestResourceStream($"Manifests/{name}.yaml")
            ?? throw new ArgumentException($"There is no manifest {name}.", nameof(name));
        using var reader = new StreamReader(stream);
        var text = values.Aggregate(reader.ReadToEnd(), (x, y) => x.Replace($"${{{y.Name}}}", y.Value, StringComparison.Ordinal));
        return [.. Yaml.Parse(text).Select(x => x.AsObject())];
    }

    /// <summary>Applies documents as a user would.</summary>
    public static async Task ApplyAsync(this IKubernetesApi api, IEnumerable<JsonObject> documents, CancellationToken cancellationToken)
    {
        foreach (var document in documents)
        {
            var name = document["metadata"]!["name"]!.GetValue<string>();
            var @namespace = document["metadata"]!["namespace"]?.GetValue<string>();
            await api.ApplyAsync(Kinds.Of(document), @namespace, name, document, "sandbox", cancellationToken);
        }
    }
}
