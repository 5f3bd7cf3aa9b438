namespace KubernetesEmulator.Security;

/// <summary>Who a request comes from.</summary>
/// <param name="Name">User name.</param>
/// <param name="Groups">Groups, <c>system:authenticated</c> among them.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Groups);

/// <summary>What a request wants to do.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete or deletecollection.</param>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Resource">Plural name.</param>
/// <param name="Subresource">Subresource, or empty.</param>
/// <param name="Namespace">Namespace, or empty.</param>
/// <param name="Name">Object name, or empty.</param>
public sealed record AccessRequest(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name);

/// <summary>Decides whether an authenticated user may do what a request wants.</summary>
public interface IAuthorizer
{
    /// <summary>True to let the request pass.</summary>
    bool Allows(Identity identity, AccessRequest request);
}

internal sealed class AllowAll : IAuthorizer
{
    public bool Allows(Identity identity, AccessRequest request) => true;
}
