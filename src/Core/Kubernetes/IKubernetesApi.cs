using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>
/// The port to a Kubernetes API server. Every call has a deadline of its own besides <c>cancellationToken</c>, and every
/// failure is a <see cref="KubernetesException"/> whose <see cref="KubernetesException.Failure"/> says what kind it is.
/// </summary>
/// <remarks>
/// Within its deadline a call is made again when the server has not looked at it, or when making it twice does no harm: reads,
/// <see cref="ApplyAsync"/>, and <see cref="DeleteAsync"/> of one uid. Any other write that was not answered fails as
/// <see cref="KubernetesFailure.Unreachable"/>: it may have been made, and the caller looks before it writes again. What is used
/// here is served by every Kubernetes from 1.20 on.
/// </remarks>
public interface IKubernetesApi
{
    /// <summary>Reads one object.</summary>
    /// <returns>The object, or null when the server answered 404.</returns>
    /// <exception cref="KubernetesException">Any other failure.</exception>
    Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class;

    /// <summary>
    /// Lists objects of one namespace, or of all when <paramref name="namespace"/> is null: all as of one version. A long list is read in pages,
    /// each with a deadline of its own.
    /// </summary>
    /// <exception cref="KubernetesException">The server refused or could not be reached.</exception>
    Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
        where T : class;

    /// <summary>
    /// Streams changes after <paramref name="resourceVersion"/> until the server ends the stream, which is normal, or nothing, not even a
    /// bookmark, was heard for two minutes. The caller resumes from the last version seen, and lists anew after
    /// <see cref="KubernetesFailure.Gone"/>; <see cref="ResourceCache{T}"/> does. The deadline is that of opening the stream.
    /// </summary>
    /// <exception cref="KubernetesException">The server refused or the connection broke.</exception>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, CancellationToken cancellationToken)
        where T : class;

    /// <summary>Creates an object; its name may come from <c>metadata.generateName</c>.</summary>
    /// <exception cref="KubernetesException"><see cref="KubernetesFailure.AlreadyExists"/> when the name is taken.</exception>
    Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
        where T : class;

    /// <summary>
    /// Replaces an object (PUT). With <c>metadata.resourceVersion</c> set this is a compare-and-swap.
    /// <paramref name="subresource"/> may be <c>status</c>.
    /// </summary>
    /// <exception cref="KubernetesException"><see cref="KubernetesFailure.Conflict"/> when the stored version is another.</exception>
    Task<T> ReplaceAsync<T>(
        ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
        where T : class;

    /// <summary>Server-side apply with <c>force=true</c> as <paramref name="fieldManager"/>: the object is created when absent.</summary>
    /// <exception cref="KubernetesException">The server refused or could not be reached.</exception>
    Task<T> ApplyAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class;

    /// <summary>JSON merge patch (RFC 7386). A <c>metadata.resourceVersion</c> inside it makes it a compare-and-swap.</summary>
    /// <exception cref="KubernetesException"><see cref="KubernetesFailure.NotFound"/>, <see cref="KubernetesFailure.Conflict"/> and others.</exception>
    Task<T> MergePatchAsync<T>(
        ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class;

    /// <summary>Deletes an object, by default with what it owns in the background; an object that is already gone is no failure.</summary>
    /// <returns>
    /// True when the server accepted the deletion, false when there was nothing to delete, which may be the work of this call's own first attempt.
    /// </returns>
    /// <exception cref="KubernetesException">Any other failure.</exception>
    Task<bool> DeleteAsync<T>(
        ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
        where T : class;
}
