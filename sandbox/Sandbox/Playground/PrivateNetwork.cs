using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using KubernetesEmulator.Nodes;

namespace Sandbox.Playground;

/// <summary>
/// A network namespace in which the addresses of pods and Services belong to this machine. kube-apiserver refuses loopback addresses for Endpoints,
/// and other addresses must not be taken from the machine's own network.
/// </summary>
internal static class PrivateNetwork
{
    private const string Marker = "SANDBOX_PRIVATE_NETWORK";

    public static readonly IPNetwork Pods = IPNetwork.Parse("10.244.0.0/16");

    public static readonly IPNetwork Services = IPNetwork.Parse("10.96.0.0/16");

    /// <summary>Whether this process runs in such a namespace already.</summary>
    public static bool Inside => Environment.GetEnvironmentVariable(Marker) is not null;

    /// <summary>Runs this program again, in a namespace of its own.</summary>
    /// <returns>Its exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("unshare") { Environment = { [Marker] = "1" } };
        start.ArgumentList.Add("--net");
        if (!Environment.IsPrivilegedProcess)
        {
            start.ArgumentList.Add("--user");
            start.ArgumentList.Add("--map-root-user");
        }

        string[] script = ["sh", "-ec", $"ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward; ip route add local {Pods} dev lo; ip route add local {Services} dev lo; exec \"$@\"", "sh"];
        foreach (var word in script.Append(Path.Combine(AppContext.BaseDirectory, "sandbox")).Concat(arguments))
            start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;

        // Ctrl-C reaches the child by itself; SIGTERM does not.
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            Posix.Signal(process.Id, Posix.SigTerm);
        });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static context => context.Cancel = true);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
