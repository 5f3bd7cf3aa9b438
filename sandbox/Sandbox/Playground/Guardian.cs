using KubernetesEmulator.Nodes;

namespace Sandbox.Playground;

/// <summary>The child process that cleans up when this one dies in whatever way.</summary>
internal static class Guardian
{
    /// <summary>Hidden subcommand under which this program is the guardian.</summary>
    public const string Command = "guardian";

    public static int Run(string id, string directory) => ProcessGuardian.Run(id, directory);

    public static ProcessGuardian Start(string id, string directory) =>
        ProcessGuardian.Start(Path.Combine(AppContext.BaseDirectory, "sandbox"), [Command, id, directory]);
}
