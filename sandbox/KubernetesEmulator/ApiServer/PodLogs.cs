namespace KubernetesEmulator;

/// <summary>A request for the log of one container.</summary>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="Pod">Name of the pod.</param>
/// <param name="Uid">Uid of the pod.</param>
/// <param name="Container">Container; never empty.</param>
/// <param name="Node">Node that the pod is bound to.</param>
/// <param name="Follow">Whether to keep sending what the container writes until it ends or the client leaves.</param>
/// <param name="Previous">Whether the log of the container's previous run is wanted.</param>
/// <param name="TailLines">How many last lines, or null for all.</param>
/// <param name="Timestamps">Whether each line begins with its time.</param>
public sealed record PodLogRequest(
    string Namespace, string Pod, string Uid, string Container, string Node, bool Follow, bool Previous, int? TailLines, bool Timestamps);

/// <summary>
/// Writes the wanted log to <paramref name="output"/>; each write is sent at once. A <see cref="FileNotFoundException"/> thrown before
/// the first write tells the client that there is no such log yet.
/// </summary>
public delegate Task PodLogs(PodLogRequest request, Stream output, CancellationToken cancellationToken);
