using System.Text.Json;
using Sandbox.Scenarios;

namespace Scenarios;

/// <summary>
/// The scenario library on both backends. SCENARIOS names what is run, as on the sandbox's command line; by default it is every scenario once, each
/// with a disturbance in its middle, and each disturbance at least once.
/// </summary>
[TestFixture(Backend.Emulator)]
[TestFixture(Backend.ControlPlane)]
[NonParallelizable]
[Platform("Linux")]
internal sealed class ScenarioTests(Backend backend)
{
    private const int Seed = 4;

    private Dictionary<string, JsonElement> _results = [];
    private SandboxProcess? _sandbox;

    private static IReadOnlyList<Plan> Plans { get; } =
        Plan.ParseAll((Environment.GetEnvironmentVariable("SCENARIOS") is { Length: > 0 } asked ? asked : "representative").Split(' ', ','), Seed);

    private static IEnumerable<string> Names => Plans.Select(x => x.Name);

    [OneTimeSetUp]
    public void Run()
    {
        backend.Require();
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"scenarios-{Guid.NewGuid():n}.json");
        _sandbox = SandboxProcess.Start(["scenario", .. Names, "--seed", $"{Seed}", "--json", file, .. backend.Arguments()]);
        var ended = _sandbox.WaitForExit(TimeSpan.FromMinutes(3 + (2 * Plans.Count)));
        TestContext.Progress.WriteLine(_sandbox.Output);
        Assert.That(ended, "the scenarios have not ended in time");
        using var report = JsonDocument.Parse(File.ReadAllText(file));
        File.Delete(file);
        _results = report.RootElement.GetProperty("steps").EnumerateArray().ToDictionary(x => x.GetProperty("name").GetString()!, x => x.Clone());
    }

    [OneTimeTearDown]
    public void Stop() => _sandbox?.Dispose();

    [TestCaseSource(nameof(Names))]
    public void It_ends_calm_with_every_acknowledged_write_and_one_primary(string name)
    {
        Assert.That(_results, Does.ContainKey(name), _sandbox!.Output);
        var result = _results[name];
        Assert.That(result.GetProperty("ok").GetBoolean(), $"{result}");
        Assert.That(result.GetProperty("lostAcknowledgedWrites").GetInt32(), Is.Zero);
    }
}
