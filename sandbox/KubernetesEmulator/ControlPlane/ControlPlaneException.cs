namespace KubernetesEmulator.ControlPlane;

/// <summary>The control plane did not start, or refused a command.</summary>
public sealed class ControlPlaneException(string message) : Exception(message);
