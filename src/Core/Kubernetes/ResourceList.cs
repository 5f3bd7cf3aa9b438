namespace Agents.Kubernetes;

/// <summary>A consistent list of objects.</summary>
/// <param name="Items">The objects.</param>
/// <param name="ResourceVersion">Version from which a watch continues without a gap.</param>
public sealed record ResourceList<T>(IReadOnlyList<T> Items, string ResourceVersion)
    where T : class;
