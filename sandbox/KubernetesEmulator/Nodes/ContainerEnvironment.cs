using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>Resolves a container's variables.</summary>
internal static class ContainerEnvironment
{
    /// <param name="api">Where Secrets and ConfigMaps are.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="container">The container.</param>
    /// <param name="services">Variables that are there before; the container's own take their place.</param>
    /// <param name="field">The pod's fields.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ContainerConfigException">A Secret, ConfigMap or key does not exist and is not optional.</exception>
    public static async Task<Dictionary<string, string>> ResolveAsync(
        IKubernetesApi api, JsonObject pod, JsonObject container, Dictionary<string, string> services, Func<string, string?> field,
        CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, string>(services);
        var sources = new Dictionary<string, IReadOnlyDictionary<string, string>?>();

        async Task<IReadOnlyDictionary<string, string>?> SourceAsync(bool secret, string name)
        {
            var key = $"{(secret ? "secret" : "configmap")} \"{name}\"";
            if (!sources.TryGetValue(key, out var data))
            {
                var type = secret ? Kinds.Secrets : Kinds.ConfigMaps;
                var found = await api.GetAsync(type, pod.Namespace(), name, cancellationToken).ConfigureAwait(false);
                data = found is null ? null
                    : secret ? found.Map("data").ToDictionary(x => x.Key, x => Encoding.UTF8.GetString(Convert.FromBase64String(x.Value)))
                    : found.Map("data");
                sources[key] = data;
            }

            return data;
        }

        foreach (var from in container.Items("envFrom"))
        {
            var (reference, secret) = from.Document("secretRef") is { } s ? (s, true) : (from.Document("configMapRef"), false);
            var data = await SourceAsync(secret, reference.Text("name") ?? "").ConfigureAwait(false);
            if (data is null && reference.Flag("optional") != true)
                throw Missing(secret, reference.Text("name"));
            foreach (var (name, value) in data ?? new Dictionary<string, string>())
                values[(from.Text("prefix") ?? "") + name] = value;
        }

        foreach (var variable in container.Items("env"))
        {
            var name = variable.Text("name") ?? "";
            if (variable.Document("valueFrom") is not { } from)
            {
                values[name] = Expand(variable.Text("value") ?? "", values);
                continue;
            }

            if (from.Text("fieldRef", "fieldPath") is { } path)
            {
                values[name] = field(path) ?? throw new ContainerConfigException("CreateContainerConfigError", $"unsupported fieldPath: {path}");
                continue;
            }

            var secret = from.Document("secretKeyRef") is not null;
            if ((from.Document("secretKeyRef") ?? from.Document("configMapKeyRef")) is not { } reference)
            {
                throw new ContainerConfigException("CreateContainerConfigError", $"The source of variable {name} is not supported.");
            }

            var data = await SourceAsync(secret, reference.Text("name") ?? "").ConfigureAwait(false);
            if (data is not null && data.TryGetValue(reference.Text("key") ?? "", out var value))
                values[name] = value;
            else if (reference.Flag("optional") != true)
            {
                throw data is null
                    ? Missing(secret, reference.Text("name"))
                    : new ContainerConfigException(
                        "CreateContainerConfigError",
                        $"couldn't find key {reference.Text("key")} in {(secret ? "Secret" : "ConfigMap")} {pod.Namespace()}/{reference.Text("name")}");
            }
        }

        return values;
    }

    /// <summary>Replaces <c>$(NAME)</c> where NAME is known; <c>$$</c> stands for one dollar sign.</summary>
    public static string Expand(string text, IReadOnlyDictionary<string, string> values)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '$' && i + 1 < text.Length)
            {
                if (text[i + 1] == '$')
                {
                    result.Append('$');
                    i++;
                    continue;
                }

                var end = text[i + 1] == '(' ? text.IndexOf(')', i) : -1;
                if (end > 0 && values.TryGetValue(text[(i + 2)..end], out var value))
                {
                    result.Append(value);
                    i = end;
                    continue;
                }
            }

            result.Append(text[i]);
        }

        return result.ToString();
    }

    private static ContainerConfigException Missing(bool secret, string? name) =>
        new("CreateContainerConfigError", $"{(secret ? "secret" : "configmap")} \"{name}\" not found");
}
