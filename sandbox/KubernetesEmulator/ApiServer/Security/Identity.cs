namespace KubernetesEmulator.Security;

/// <summary>Who a request comes from.</summary>
/// <param name="Name">User name.</param>
/// <param name="Groups">Groups; <c>system:authenticated</c> among them unless nobody vouches for the user.</param>
public sealed record Identity(string Name, IReadOnlyList<string> Groups)
{
    /// <summary>Identity of the account beyond its name, or empty.</summary>
    internal string Uid { get; init; } = "";

    /// <summary>Members may do everything, whatever roles say.</summary>
    internal const string Masters = "system:masters";

    internal const string Authenticated = "system:authenticated";

    internal const string Unauthenticated = "system:unauthenticated";

    /// <summary>Whoever shows no credential.</summary>
    internal static readonly Identity Anonymous = new("system:anonymous", [Unauthenticated]);

    internal bool IsMaster => Groups.Contains(Masters);

    internal static Identity OfServiceAccount(string @namespace, string name) =>
        new($"system:serviceaccount:{@namespace}:{name}", ["system:serviceaccounts", $"system:serviceaccounts:{@namespace}", Authenticated]);
}
