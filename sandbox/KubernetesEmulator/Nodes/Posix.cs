using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KubernetesEmulator.Nodes;

/// <summary>The few calls of the C library that .NET has no equivalent for.</summary>
public static class Posix
{
    /// <summary>Ends a process at once.</summary>
    public const int SigKill = 9;

    /// <summary>Asks a process to end.</summary>
    public const int SigTerm = 15;

    /// <summary>Lets a stopped process go on.</summary>
    public const int SigCont = 18;

    /// <summary>Stops a process without ending it.</summary>
    public const int SigStop = 19;

    /// <summary>Sends a signal to the group that <paramref name="leader"/> leads, or to the process alone while it leads none yet.</summary>
    public static bool SignalGroup(int leader, int signal) => Kill(-leader, signal) == 0 || Kill(leader, signal) == 0;

    /// <summary>Sends a signal to one process; false when there is none.</summary>
    public static bool Signal(int process, int signal) => Kill(process, signal) == 0;

    /// <summary>Renames atomically, also over an existing file.</summary>
    /// <exception cref="IOException">It cannot be renamed.</exception>
    public static void Rename(string from, string to)
    {
        if (RenamePath(from, to) != 0)
            throw new IOException($"Cannot rename {from} to {to}: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Gives a folder and what is in it to a group, unless the folder is the group's already.</summary>
    /// <exception cref="IOException">It may not.</exception>
    internal static async Task ShareAsync(string folder, int group, CancellationToken cancellationToken)
    {
        const string Script = """
            test "$(stat -c %g "$0")" = "$1" && exit 0
            chmod -R g+rwX "$0"
            find "$0" -type d -exec chmod g+s {} +
            chgrp -R "$1" "$0"
            """;
        using var process = Process.Start(new ProcessStartInfo("sh", ["-ec", Script, folder, $"{group}"]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new IOException($"{folder} cannot be given to group {group}: {errors.Trim()}");
    }

    /// <summary>Moves the calling thread to a network namespace.</summary>
    /// <exception cref="IOException">It may not.</exception>
    internal static void EnterNetwork(SafeFileHandle handle)
    {
        const int CloneNewNet = 0x40000000;
        if (SetNamespace(handle, CloneNewNet) != 0)
            throw new IOException($"Cannot enter a network namespace: error {Marshal.GetLastPInvokeError()}.");
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetNamespace(SafeFileHandle handle, int kind);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int RenamePath([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
}
