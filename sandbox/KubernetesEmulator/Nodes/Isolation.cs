using System.Diagnostics;

namespace KubernetesEmulator.Nodes;

/// <summary>What this process may give to containers; found out once, by trying.</summary>
/// <param name="Mounts">Files at the places where a container expects them.</param>
/// <param name="Users">Users other than our own.</param>
internal sealed record Isolation(bool Mounts, bool Users)
{
    /// <summary>Where a container finds its ServiceAccount.</summary>
    private const string AccountFolder = "/run/secrets/kubernetes.io/serviceaccount";

    private static readonly Lazy<Isolation> Tried = new(static () => new Isolation(
        Succeeds([.. WithAccount("/"), "true"]), Succeeds([.. AsUser(new ContainerUser(65534, 65534, [65534])), "true"])));

    public static Isolation Here => Tried.Value;

    /// <summary>Runs what follows with a folder in the place of its ServiceAccount, in a mount namespace of its own.</summary>
    public static IEnumerable<string> WithAccount(string folder) =>
    [
        "unshare", "--mount", "sh", "-ec",
        $"""
         test /run -ef /var/run
         mount -t tmpfs tmpfs /run
         mkdir -p {AccountFolder}
         mount --bind "$0" {AccountFolder}
         exec "$@"
         """,
        folder,
    ];

    /// <summary>
    /// Runs what follows as another user. It may read every file, because it lives from the folders of this machine, as ours, instead of from an image.
    /// </summary>
    public static IEnumerable<string> AsUser(ContainerUser user) =>
    [
        "setpriv", $"--reuid={user.Id}", $"--regid={user.Group}",
        user.Groups.Count > 0 ? $"--groups={string.Join(',', user.Groups)}" : "--clear-groups",
        "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
    ];

    private static bool Succeeds(IReadOnlyList<string> command)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
