using System.Diagnostics;

namespace Scenarios;

/// <summary>Whose API server and controllers a scenario runs on.</summary>
internal enum Backend
{
    /// <summary>Ours.</summary>
    Emulator,

    /// <summary>kube-apiserver, kube-controller-manager and kube-scheduler.</summary>
    ControlPlane,
}

internal static class Backends
{
    /// <summary>Ends the test as ignored, in one line, where this machine lacks what the backend needs.</summary>
    public static void Require(this Backend backend)
    {
        if (backend == Backend.ControlPlane && Missing() is { } missing)
            Assert.Ignore(missing);
    }

    /// <summary>Ends the test as ignored, in one line, where this machine has no network namespaces.</summary>
    public static void RequireNetworks()
    {
        if (MissingNetworks() is { } missing)
            Assert.Ignore(missing);
    }

    /// <summary>The sandbox's arguments for it.</summary>
    public static string[] Arguments(this Backend backend) => backend == Backend.ControlPlane ? ["--control-plane"] : [];

    private static string? Missing()
    {
        var (ok, why) = Run(Path.Combine(TestContext.CurrentContext.TestDirectory, "control-plane"), "check");
        return ok ? MissingNetworks() : why;
    }

    private static string? MissingNetworks()
    {
        var (ok, why) = Run("unshare", Environment.IsPrivilegedProcess ? "--net ip link set lo up" : "--user --map-root-user --net ip link set lo up");
        return ok ? null : $"No network namespaces here: {why}";
    }

    private static (bool Ok, string Why) Run(string program, string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return (process.ExitCode == 0, error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (false, $"{program}: {e.Message}");
        }
    }
}
