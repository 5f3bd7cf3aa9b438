namespace Sandbox.Playground;

/// <summary>Where the instances of a sandbox take requests for faults: short paths, because a socket's address is short.</summary>
internal static class ControlSockets
{
    /// <summary>Prefix of a sandbox's folder.</summary>
    public const string FolderPrefix = "mssql-sandbox-";

    private const string Folder = "control";

    /// <summary>Makes the folder of a sandbox's sockets.</summary>
    /// <returns>The path of a pod's socket, with the pod's name left open.</returns>
    public static string Prepare(string sandbox)
    {
        // The instances may run as another user; strangers do not get into the sandbox's folder.
        const UnixFileMode Everybody = (UnixFileMode)0b1_111_111_111;
        var folder = Directory.CreateDirectory(Path.Combine(sandbox, Folder)).FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, Everybody);
        return Path.Combine(folder, "{podName}.sock");
    }

    /// <summary>Sockets of an instance in all sandboxes of this machine, the newest first.</summary>
    public static IReadOnlyList<string> Of(string root, string instance) =>
    [
        .. Directory.EnumerateDirectories(root, FolderPrefix + "*")
            .OrderByDescending(Directory.GetCreationTimeUtc)
            .SelectMany(sandbox => new[] { instance, instance + "-0" }.Select(pod => Path.Combine(sandbox, Folder, pod + ".sock")))
            .Where(File.Exists),
    ];
}
