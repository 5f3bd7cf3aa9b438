using System.Diagnostics;
using System.Text.Json;

namespace Scenarios;

/// <summary>A node that lives on but that nobody reaches, and that reaches nobody: its pods are silent, it is not ready, and it heals.</summary>
[TestFixture]
[NonParallelizable]
[Platform("Linux")]
internal sealed class CutNodeTests
{
    [Test]
    public void Another_replica_takes_over_from_a_primary_that_is_cut_off_and_the_old_one_rejoins([Values] Backend backend)
    {
        backend.Require();
        Backends.RequireNetworks();
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"cut-{Guid.NewGuid():n}.json");
        string[] names = ["form-namespaced", "cut-node", "cut-api", "cut-peers"];
        using var sandbox = SandboxProcess.Start(["scenario", .. names, "--private-network", "--json", file, .. backend.Arguments()]);
        var ended = sandbox.WaitForExit(TimeSpan.FromMinutes(6));
        TestContext.Out.WriteLine(sandbox.Output);
        Assert.That(ended, "the scenarios have not ended within six minutes");
        using var report = JsonDocument.Parse(File.ReadAllText(file));
        File.Delete(file);
        var steps = report.RootElement.GetProperty("steps").EnumerateArray().ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(steps.Select(x => x.GetProperty("name").GetString()), Is.EqualTo(names));
            Assert.That(steps.Select(x => x.GetProperty("ok").GetBoolean()), Is.All.True);
            Assert.That(steps.Select(x => x.GetProperty("lostAcknowledgedWrites").GetRawText()), Is.All.EqualTo("0"));
        }
    }

    [Test]
    public async Task Kubectl_reads_a_pods_log_through_the_real_API_server()
    {
        Backend.ControlPlane.Require();
        var kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(x => Path.Combine(x, "kubectl")).FirstOrDefault(File.Exists);
        Assume.That(kubectl, Is.Not.Null, "kubectl is not installed on this machine");
        using var sandbox = SandboxProcess.Start("up", "--control-plane");
        await sandbox.WaitForOutputAsync("Running until Ctrl-C.", TimeSpan.FromMinutes(3));
        var inside = LocalSystem.Processes().First(x => LocalSystem.Parent(x) == sandbox.Id);
        string[] words = [kubectl!, "--kubeconfig", sandbox.Line("kubeconfig: "), "logs", "mssql1-0", "-c", "mssql-ha-supervisor", "-n", "ag1", "--tail=3"];
        string[] namespaces = Environment.IsPrivilegedProcess ? ["--net"] : ["--user", "--preserve-credentials", "--net"];
        using var process = Process.Start(new ProcessStartInfo("nsenter", ["-t", $"{inside}", .. namespaces, .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, await errors);
        Assert.That(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(3).And.All.StartsWith("[ag1]"));
        sandbox.Terminate();
        Assert.That(sandbox.WaitForExit(TimeSpan.FromSeconds(60)), "it has not ended");
    }
}
