namespace KubernetesEmulator.Nodes;

/// <summary>A container cannot start yet; <see cref="Reason"/> is the waiting reason in its status.</summary>
internal sealed class ContainerConfigException(string reason, string message) : Exception(message)
{
    public string Reason { get; } = reason;
}
