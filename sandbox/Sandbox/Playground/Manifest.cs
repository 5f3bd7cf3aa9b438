using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Wire;

namespace Sandbox.Playground;

/// <summary>The manifests that come with this program.</summary>
internal static class Manifest
{
    /// <summary>Reads one of the sandbox's own.</summary>
    public static IReadOnlyList<JsonObject> Read(string name) => Parse(Text($"Manifests/{name}.yaml"));

    /// <summary>
    /// Reads some that are shipped in <c>deploy</c>, and does with them what their kustomization would: the namespace, and the images that this
    /// machine has.
    /// </summary>
    public static IReadOnlyList<JsonObject> ReadShipped(string @namespace, params IEnumerable<string> paths)
    {
        var documents = paths.SelectMany(x => Parse(Text($"deploy/{x}"))).ToList();
        foreach (var document in documents)
        {
            if (Kinds.Of(document).Namespaced)
                document["metadata"]!["namespace"] = @namespace;
            if (document["spec"]?["sqlServerContainer"] is { } server)
            {
                server["image"] = Images.Server;
                document["spec"]!["agentsContainerImage"] = Images.Agents;
            }

            foreach (var container in document["spec"]?["template"]?["spec"]?["containers"]?.AsArray() ?? [])
                container!["image"] = Images.Agents;
            foreach (var subject in document["subjects"]?.AsArray() ?? [])
                subject!["namespace"] ??= @namespace;
        }

        return documents;
    }

    /// <summary>Sets the value of a variable of the containers in these documents; where there is none of that name, it is added.</summary>
    public static void SetVariable(this IEnumerable<JsonObject> documents, string name, string value)
    {
        foreach (var container in documents.SelectMany(x => x["spec"]?["template"]?["spec"]?["containers"]?.AsArray() ?? []))
        {
            var variables = container!["env"]!.AsArray();
            var variable = variables.FirstOrDefault(x => x!["name"]!.GetValue<string>() == name);
            if (variable is null)
                variables.Add(new JsonObject { ["name"] = name, ["value"] = value });
            else
                variable["value"] = value;
        }
    }

    /// <summary>Gives the Job among these documents another name.</summary>
    public static void NameJob(this IEnumerable<JsonObject> documents, string name) =>
        documents.Single(x => (string?)x["kind"] == "Job")["metadata"]!["name"] = name;

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

    private static string Text(string resource)
    {
        using var stream = typeof(Manifest).Assembly.GetManifestResourceStream(resource) ?? throw new ArgumentException($"There is no manifest {resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static IReadOnlyList<JsonObject> Parse(string text) => [.. Yaml.Parse(text).Select(x => x.AsObject())];
}
