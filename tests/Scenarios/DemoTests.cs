using System.Text.Json;

namespace Scenarios;

/// <summary>The demonstration as a whole, as the README tells people to run it.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class DemoTests
{
    private static readonly string[] Steps = ["form-ag", "kill-sqlservr", "planned-failover", "lose-node", "rejoin"];

    [Test]
    [Platform("Linux")]
    public void Every_step_holds_and_no_acknowledged_write_is_lost([Values] Backend backend)
    {
        backend.Require();
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"demo-{Guid.NewGuid():n}.json");
        using var sandbox = SandboxProcess.Start(["demo", "--json", file, .. backend.Arguments()]);
        var ended = sandbox.WaitForExit(TimeSpan.FromMinutes(4));
        TestContext.Out.WriteLine(sandbox.Output);
        Assert.That(ended, "the demonstration has not ended within four minutes");
        using var report = JsonDocument.Parse(File.ReadAllText(file));
        File.Delete(file);
        var steps = report.RootElement.GetProperty("steps").EnumerateArray().ToList();
        Assert.Multiple(() =>
        {
            Assert.That(steps.Select(x => x.GetProperty("name").GetString()), Is.EqualTo(Steps));
            Assert.That(steps.Select(x => x.GetProperty("ok").GetBoolean()), Is.All.True);
            Assert.That(steps.Where(x => x.GetProperty("lostAcknowledgedWrites").GetRawText() != "0"), Is.Empty);
            Assert.That(steps.Select(x => x.GetProperty("primary").GetString()), Is.All.Match("^mssql[123]-0$"));
            Assert.That(report.RootElement.GetProperty("ok").GetBoolean());
            Assert.That(sandbox.ExitCode, Is.Zero);
            Assert.That(sandbox.Output.Contains('\u001b'), Is.False, "escape sequences in a pipe");
        });
    }
}
