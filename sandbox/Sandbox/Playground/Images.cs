using KubernetesEmulator.Nodes;

namespace Sandbox.Playground;

/// <summary>The two images, as tables from their programs to the executables that lie beside this one.</summary>
internal static class Images
{
    public const string Agents = "sandbox/mssql-server-k8s-agents";
    public const string Server = "sandbox/mssql-server";
    private const string SqlServr = "/opt/mssql/bin/sqlservr";

    private static readonly string[] AgentPrograms =
    [
        "mssql-server-k8s-operator", "mssql-server-k8s-sqlhealth-agent", "mssql-server-k8s-ag-agent-supervisor", "mssql-server-k8s-ag-agent",
        "mssql-server-k8s-init-sql", "mssql-server-k8s-rotate-creds", "mssql-server-k8s-failover",
    ];

    /// <param name="folder">Where the executables lie.</param>
    /// <param name="control">Path of a SQL Server's socket for faults, with the pod's name left open.</param>
    public static IImageStore In(string folder, string control)
    {
        var server = new ImageProgram(
            Path.Combine(folder, "sqlservr"), "--listen", "{podIP}:1433", "--data", "{mount:/var/opt/mssql}", "--name", "{podName}",
            "--control", control);
        return new ImageStore(
            new LocalImage(Server, SqlServr, new Dictionary<string, ImageProgram> { [SqlServr] = server }),
            new LocalImage(Agents, null, AgentPrograms.ToDictionary(x => "/" + x, x => new ImageProgram(Path.Combine(folder, x)))));
    }
}
