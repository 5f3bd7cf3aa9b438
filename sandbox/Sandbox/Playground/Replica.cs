namespace Sandbox.Playground;

/// <summary>One replica as the primary's views show it.</summary>
/// <param name="Name">Name of the replica, which is its pod's.</param>
/// <param name="Role">PRIMARY, SECONDARY or RESOLVING; null when the primary does not know.</param>
/// <param name="Connection">CONNECTED or DISCONNECTED; null when the primary does not know.</param>
/// <param name="Databases">Synchronization state of each database.</param>
internal sealed record Replica(string Name, string? Role, string? Connection, IReadOnlyList<string> Databases)
{
    /// <summary>Connected, and each of its databases is SYNCHRONIZED; false without a database.</summary>
    public bool Synchronized => Connection == "CONNECTED" && Databases.Count > 0 && Databases.All(x => x == "SYNCHRONIZED");

    public override string ToString() =>
        $"{Name} {Role ?? "?"}{(Connection == "CONNECTED" ? "" : " " + (Connection ?? "?"))} {(Databases.Count == 0 ? "no database" : string.Join('/', Databases))}";
}
