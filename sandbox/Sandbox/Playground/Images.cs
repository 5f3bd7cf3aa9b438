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
    public static IImageStore In(string folder)
    {
        var server = new ImageProgram(
            Path.Combine(folder, "sqlservr"), "--listen", "{podIP}:1433", "--data", "{mount:/var/opt/mssql}", "--name", "{podName}");
        return new ImageStore(
            new LocalImage(Server, SqlServr, new Dictionary<string, ImageProgram> { [SqlServr] = server }),
            new LocalImage(Agents, null, AgentPrograms.ToDictionary(x => "/" + x, x => new ImageProgram(Path.Combine(folder, x)))));
    }
}
