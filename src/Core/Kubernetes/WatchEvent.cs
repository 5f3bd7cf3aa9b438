namespace Agents.Kubernetes;

/// <summary>One change on a watch.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Object">The object after the change (before it, when deleted); null on a bookmark.</param>
/// <param name="ResourceVersion">Version to resume from.</param>
public sealed record WatchEvent<T>(WatchEventKind Kind, T? Object, string ResourceVersion)
    where T : class;

/// <summary>Kinds of <see cref="WatchEvent{T}"/>.</summary>
public enum WatchEventKind
{
    /// <summary>The object came into the selection.</summary>
    Added,

    /// <summary>The object changed.</summary>
    Modified,

    /// <summary>The object left the selection.</summary>
    Deleted,

    /// <summary>Nothing changed; only the version moved on.</summary>
    Bookmark,
}
