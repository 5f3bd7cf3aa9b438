using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>One request to the API server.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path, relative to the server's address.</param>
/// <param name="What">What is asked, for messages: <c>update Lease ag1/mssql</c>, <c>list Pod in ag1</c>.</param>
/// <param name="Discreet">True when what the server says about the document must not be repeated, because it may quote a Secret.</param>
internal sealed record ApiCall(HttpMethod Method, string Path, string What, bool Discreet)
{
    public IReadOnlyList<(string Name, string Value)> Query { get; init; } = [];

    public JsonObject? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    /// <summary>True when carrying it out twice is the same as once.</summary>
    public bool Repeatable { get; init; }

    /// <summary>True when the answer goes on for as long as it may.</summary>
    public bool Streams { get; init; }

    public string PathAndQuery => Query.Count == 0
        ? Path
        : $"{Path}?{string.Join('&', Query.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}"))}";

    /// <summary>A call to one object, or to the collection when <paramref name="name"/> is null.</summary>
    /// <exception cref="ArgumentException">The name is none, or the namespace is missing.</exception>
    public static ApiCall To<T>(
        ResourceType<T> type, HttpMethod method, string verb, string? @namespace, string? name, string? subresource = null)
        where T : class
    {
        var target = (type.Namespaced, name) switch
        {
            (false, null) => string.Empty,
            (false, _) => $" {name}",
            (true, null) => string.IsNullOrEmpty(@namespace) ? " in all namespaces" : $" in {@namespace}",
            (true, _) => $" {@namespace}/{name}",
        };
        var what = $"{verb} {type.Kind}{target}{(subresource is null ? string.Empty : $" ({subresource})")}";
        return new ApiCall(method, PathOf(type, @namespace, name, subresource), what, type.Plural == "secrets");
    }

    private static string PathOf<T>(ResourceType<T> type, string? @namespace, string? name, string? subresource)
        where T : class
    {
        if (name is not null && (name.Length == 0 || name.Contains('/', StringComparison.Ordinal) || name is "." or ".."))
            throw new ArgumentException($"'{name}' is no name of an object.", nameof(name));
        if (type.Namespaced && name is not null && string.IsNullOrEmpty(@namespace))
            throw new ArgumentException($"A {type.Kind} is in a namespace.", nameof(@namespace));
        var path = type.Group.Length == 0 ? $"api/{type.Version}" : $"apis/{type.Group}/{type.Version}";
        if (type.Namespaced && !string.IsNullOrEmpty(@namespace))
            path += $"/namespaces/{Uri.EscapeDataString(@namespace)}";
        path += $"/{type.Plural}";
        if (name is not null)
            path += $"/{Uri.EscapeDataString(name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }
}
