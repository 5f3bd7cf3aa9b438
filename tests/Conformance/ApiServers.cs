using System.Diagnostics;
using KubernetesEmulator;
using KubernetesEmulator.ControlPlane;
using KubernetesEmulator.Nodes;
using Sandbox.Playground;

namespace Conformance;

/// <summary>The API servers, each started when the first fixture asks for it and shared by all.</summary>
[SetUpFixture]
internal sealed class ApiServers
{
    private static readonly string Folder = Directory.CreateTempSubdirectory("conformance").FullName;
    private static readonly Dictionary<Backend, Task<string>> KubeConfigs = [];
    private static readonly Dictionary<Backend, Task<ICluster>> Clusters = [];
    private static readonly List<IAsyncDisposable> Started = [];
    private static readonly List<IDisposable> Addresses = [];

    /// <summary>Where <c>eng/control-plane</c> is.</summary>
    public static string Script => Path.Combine(TestContext.CurrentContext.TestDirectory, "control-plane");

    /// <summary>An administrator's kubeconfig file; ends the test as ignored where this machine lacks what the backend needs.</summary>
    public static Task<string> KubeConfigAsync(Backend backend)
    {
        if (backend == Backend.ControlPlane && Missing() is { } missing)
            Assert.Ignore(missing);
        lock (KubeConfigs)
        {
            if (!KubeConfigs.TryGetValue(backend, out var kubeConfig))
                KubeConfigs[backend] = kubeConfig = backend == Backend.Emulator ? StartEmulatorAsync() : StartControlPlaneAsync();
            return kubeConfig;
        }
    }

    /// <summary>A whole cluster with two nodes, whose images are the programs of this machine; ignored as above.</summary>
    public static Task<ICluster> ClusterAsync(Backend backend)
    {
        if (backend == Backend.ControlPlane && Missing() is { } missing)
            Assert.Ignore(missing);
        lock (Clusters)
        {
            if (!Clusters.TryGetValue(backend, out var cluster))
                Clusters[backend] = cluster = StartClusterAsync(backend);
            return cluster;
        }
    }

    [OneTimeTearDown]
    public static async Task Stop()
    {
        foreach (var server in Started)
            await server.DisposeAsync();
        foreach (var block in Addresses)
            block.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static async Task<string> StartEmulatorAsync()
    {
        var server = await KubernetesEmulator.ApiServer.StartAsync();
        Started.Add(server);
        var path = Path.Combine(Folder, "emulator.kubeconfig");
        await File.WriteAllTextAsync(path, server.KubeConfig("admin"));
        return path;
    }

    private static async Task<ICluster> StartClusterAsync(Backend backend)
    {
        var addresses = LoopbackBlock.Take(Path.GetTempPath());
        var options = new ClusterOptions
        {
            Directory = Path.Combine(Folder, $"cluster-{backend}"),
            Images = new ImageStore(new LocalImage("busybox", null, new Dictionary<string, ImageProgram>())),
            Nodes = ["node-1", "node-2"],
            PodNetwork = addresses.Pods,
            ServiceRange = addresses.Services,
        };
        ICluster cluster = backend == Backend.Emulator
            ? await EmulatedCluster.StartAsync(options, CancellationToken.None)
            : await ControlPlaneCluster.StartAsync(options, Script, CancellationToken.None);
        Started.Add(cluster);
        Addresses.Add(addresses);
        return cluster;
    }

    private static async Task<string> StartControlPlaneAsync()
    {
        var process = await ControlPlaneProcess.StartAsync(Script, Path.Combine(Folder, "control-plane"), new Dictionary<string, string>(), CancellationToken.None);
        Started.Add(process);
        // There are no nodes: the scheduler would only write its regrets into the pods of the tests.
        await process.CommandAsync("stop", "kube-scheduler", CancellationToken.None);
        return process.KubeConfig;
    }

    private static string? Missing()
    {
        using var check = Process.Start(new ProcessStartInfo(Script, "check") { RedirectStandardError = true })!;
        var why = check.StandardError.ReadToEnd().Trim();
        check.WaitForExit();
        return check.ExitCode == 0 ? null : why;
    }
}
