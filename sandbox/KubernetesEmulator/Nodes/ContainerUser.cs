using System.Text.Json.Nodes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>Whom a container runs as.</summary>
/// <param name="Id">User.</param>
/// <param name="Group">Primary group.</param>
/// <param name="Groups">Further groups.</param>
internal sealed record ContainerUser(long Id, long Group, IReadOnlyList<long> Groups)
{
    /// <summary>As the security contexts of pod and container say; null leaves it to the image, and images are root's here.</summary>
    /// <exception cref="ContainerConfigException">It would be root, which the contexts forbid.</exception>
    public static ContainerUser? Of(JsonObject pod, JsonObject container)
    {
        var (own, general) = (container.Document("securityContext"), pod.Document("spec", "securityContext"));
        long? Number(string name) => own.Number(name) ?? general.Number(name);
        var id = Number("runAsUser");
        if ((own.Flag("runAsNonRoot") ?? general.Flag("runAsNonRoot")) == true && id is null or 0)
        {
            throw new ContainerConfigException("CreateContainerConfigError", (id is null
                ? "container has runAsNonRoot and image will run as root"
                : "container's runAsUser breaks non-root policy") + $" (pod: \"{pod.Name()}_{pod.Namespace()}({pod.Uid()})\", container: {container.Text("name")})");
        }

        var group = Number("runAsGroup");
        if (id is null && group is null)
            return null;
        long[] shared = general.Number("fsGroup") is { } files ? [files] : [];
        var further = (general.At("supplementalGroups") as JsonArray ?? []).Select(x => x!.GetValue<long>());
        return new ContainerUser(id ?? 0, group ?? 0, [.. shared.Concat(further).Distinct()]);
    }
}
