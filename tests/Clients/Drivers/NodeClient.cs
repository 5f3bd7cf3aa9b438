using System.Diagnostics;

namespace Clients.Drivers;

/// <summary>A client of node: <c>tedious</c>, or <c>mssql</c> on top of it.</summary>
internal sealed class NodeClient(string package) : ScriptClient
{
    private static readonly string? Node = Find("node");
    private static readonly string Folder = Source("node");

    public string Package => package;

    public override string Name => package;

    public override Abilities Abilities =>
        Abilities.Notices | Abilities.AllErrors | Abilities.GoesOn | Abilities.Parameters | Abilities.Prepare | Abilities.Cancel | Abilities.Transactions | Abilities.Values
        | Abilities.Procedures | Abilities.ReadOnlyIntent | Abilities.LongText | Abilities.BulkLoad
        | (package == "tedious" ? Abilities.Reset | Abilities.LoginNumbers : Abilities.None);

    public override string? Missing => Node is null
        ? "node is not installed (Debian: nodejs)"
        : Directory.Exists(Path.Combine(Folder, "node_modules", package)) ? null : $"{package} is not installed (npm ci in tests/Clients/node)";

    protected override ProcessStartInfo Program() => new(Node!) { ArgumentList = { Path.Combine(Folder, "client.js"), package } };
}
