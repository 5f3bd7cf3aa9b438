namespace KubernetesEmulator.Security;

/// <summary>What a request wants to do: with objects, or, when it has a <paramref name="Path"/>, with something else that the server offers.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete or deletecollection; of a path, the HTTP method.</param>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Resource">Plural name.</param>
/// <param name="Subresource">Subresource, or empty.</param>
/// <param name="Namespace">Namespace, or empty.</param>
/// <param name="Name">Object name, or empty.</param>
/// <param name="Path">Path that names no resource, or null.</param>
public sealed record AccessRequest(
    string Verb, string Group, string Resource, string Subresource, string Namespace, string Name, string? Path = null)
{
    /// <summary>The resource with its subresource, as roles name it.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
}

/// <summary>Whether a request may pass.</summary>
/// <param name="Allowed">True to let it pass.</param>
/// <param name="Reason">Which binding allows it, or what kept bindings from being looked at.</param>
public sealed record AccessDecision(bool Allowed, string Reason);
