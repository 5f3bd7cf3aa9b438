using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>Names an object within its kind.</summary>
/// <param name="Namespace">Namespace; empty for cluster-scoped kinds.</param>
/// <param name="Name">Name.</param>
public readonly record struct ResourceKey(string Namespace, string Name)
{
    /// <summary>The key of an object, typed or untyped.</summary>
    /// <param name="value">A <see cref="KubernetesObject"/> or a <see cref="JsonObject"/>.</param>
    public static ResourceKey Of(object value) => value switch
    {
        KubernetesObject typed => new ResourceKey(typed.Metadata.Namespace ?? string.Empty, typed.Metadata.Name ?? string.Empty),
        JsonObject document => new ResourceKey(
            (string?)document["metadata"]?["namespace"] ?? string.Empty, (string?)document["metadata"]?["name"] ?? string.Empty),
        _ => throw new ArgumentException($"{value.GetType().Name} is no object of the API.", nameof(value)),
    };

    /// <inheritdoc />
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
