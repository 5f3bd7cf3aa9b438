using System.Diagnostics;

namespace Scenarios;

/// <summary>The cluster that <c>up</c> leaves running.</summary>
[TestFixture]
[NonParallelizable]
[Platform("Linux")]
internal sealed class UpTests
{
    private const string Ready = "Running until Ctrl-C.";
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan End = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_killed_sandbox_leaves_no_process_no_port_and_no_file()
    {
        var before = LocalSystem.Listeners();
        using var sandbox = SandboxProcess.Start("up");
        await sandbox.WaitForOutputAsync(Ready, Start);
        var folder = sandbox.Line("logs and volumes: ");
        var id = LocalSystem.Processes()
            .Where(x => LocalSystem.Variable(x, "SANDBOX_HOSTS_FILE")?.StartsWith(folder, StringComparison.Ordinal) == true)
            .Select(x => LocalSystem.Variable(x, "SANDBOX_ID"))
            .First(x => x is not null)!;
        var opened = LocalSystem.Listeners().Except(before).ToHashSet();
        Assert.That(LocalSystem.ProcessesWith("SANDBOX_ID", id), Has.Count.GreaterThan(9), "the test looks for the wrong processes");
        Assert.That(opened.Any(x => x.Port == 1433), "the test looks for the wrong ports");

        sandbox.Kill();

        await EventuallyAsync(() => LocalSystem.ProcessesWith("SANDBOX_ID", id).Count == 0, "processes are left");
        await EventuallyAsync(() => !LocalSystem.Listeners().Overlaps(opened), "somebody still listens");
        await EventuallyAsync(() => !Directory.Exists(folder), "the folder is left");
    }

    [Test]
    public async Task A_killed_sandbox_leaves_no_network_namespace()
    {
        Backends.RequireNetworks();
        using var sandbox = SandboxProcess.Start("up", "--private-network");
        await sandbox.WaitForOutputAsync("operator ready", Start);
        var inside = LocalSystem.Processes().Single(x => LocalSystem.Parent(x) == sandbox.Id);
        var id = LocalSystem.Processes().Where(x => LocalSystem.Parent(x) == inside).Select(x => LocalSystem.Variable(x, "SANDBOX_ID")).First(x => x is not null)!;
        var networks = LocalSystem.ProcessesWith("SANDBOX_ID", id).Append(inside).Select(LocalSystem.Network).ToHashSet();
        Assert.That(networks, Has.Count.EqualTo(4).And.None.Null, "one for the cluster and one for each node");

        using var killed = Process.GetProcessById(inside);
        killed.Kill();

        await EventuallyAsync(() => !LocalSystem.Processes().Any(x => networks.Contains(LocalSystem.Network(x))), "somebody holds a namespace");
    }

    [Test]
    public async Task Kubectl_reads_the_cluster_and_SIGTERM_ends_it_cleanly()
    {
        var kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(x => Path.Combine(x, "kubectl")).FirstOrDefault(File.Exists);
        Assume.That(kubectl, Is.Not.Null, "kubectl is not installed on this machine");
        using var sandbox = SandboxProcess.Start("up");
        await sandbox.WaitForOutputAsync(Ready, Start);
        var folder = sandbox.Line("logs and volumes: ");

        var start = new ProcessStartInfo(kubectl!, ["get", "sqlservers,pods,leases", "-n", "ag1", "--request-timeout=20s"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KUBECONFIG"] = sandbox.Line("kubeconfig: ");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        TestContext.Out.WriteLine(output);
        var mistakes = await errors;
        Assert.Multiple(() =>
        {
            Assert.That(process.ExitCode, Is.Zero, mistakes);
            Assert.That(output, Does.Contain("sqlserver.mssql.microsoft.com/mssql1"));
            Assert.That(output, Does.Contain("pod/mssql2-0"));
            Assert.That(output, Does.Contain("lease.coordination.k8s.io/ag1"));
        });

        sandbox.Terminate();
        Assert.That(sandbox.WaitForExit(End), "it has not ended");
        Assert.That(Directory.Exists(folder), Is.False, "the folder is left");
    }

    private static async Task EventuallyAsync(Func<bool> holds, string otherwise)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(begun) > End)
                Assert.Fail(otherwise);
            await Task.Delay(50);
        }
    }
}
