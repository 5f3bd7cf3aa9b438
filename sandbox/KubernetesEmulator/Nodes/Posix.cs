using System.Runtime.InteropServices;

namespace KubernetesEmulator.Nodes;

/// <summary>The few calls of the C library that .NET has no equivalent for.</summary>
internal static class Posix
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>Sends a signal to the group that <paramref name="leader"/> leads, or to the process alone while it leads none yet.</summary>
    public static bool SignalGroup(int leader, int signal) => Kill(-leader, signal) == 0 || Kill(leader, signal) == 0;

    public static bool Signal(int process, int signal) => Kill(process, signal) == 0;

    public static void Rename(string from, string to)
    {
        if (RenamePath(from, to) != 0)
            throw new IOException($"Cannot rename {from} to {to}: error {Marshal.GetLastPInvokeError()}.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int RenamePath([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
}
