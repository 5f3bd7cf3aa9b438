using System.Text.Json;
using Sandbox.Output;
using Sandbox.Steps;

namespace Unit.Sandbox;

[TestFixture]
internal sealed class DemoReportTests
{
    private static string[] Properties(JsonElement element) => [.. element.EnumerateObject().Select(x => x.Name)];

    [Test]
    public void The_report_has_the_promised_shape()
    {
        var report = DemoReport.Of([new StepResult(
            "lose-node", StepEnd.Held, new Findings("mssql3-0", TimeSpan.FromMilliseconds(6001.2), 0), TimeSpan.FromSeconds(9), null)]);
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(report, DemoReportJson.Default.DemoReport));
        var step = json.RootElement.GetProperty("steps")[0];
        Assert.Multiple(() =>
        {
            Assert.That(Properties(json.RootElement), Is.EqualTo(new[] { "steps", "ok" }));
            Assert.That(Properties(step), Is.EqualTo(new[] { "name", "ok", "primary", "writeGapMs", "lostAcknowledgedWrites" }));
            Assert.That(step.GetProperty("primary").GetString(), Is.EqualTo("mssql3-0"));
            Assert.That(step.GetProperty("writeGapMs").GetInt64(), Is.EqualTo(6002));
            Assert.That(step.GetProperty("lostAcknowledgedWrites").GetInt32(), Is.Zero);
            Assert.That(json.RootElement.GetProperty("ok").GetBoolean());
        });
    }

    [Test]
    public void Nothing_run_is_not_ok() => Assert.That(DemoReport.Of([]).Ok, Is.False);

    [Test]
    public void A_step_that_was_not_run_is_not_ok()
    {
        var report = DemoReport.Of(
        [
            new StepResult("a", StepEnd.Held, new Findings("p", null, 0), default, null),
            new StepResult("b", StepEnd.NotRun, null, default, "stopped"),
        ]);
        Assert.That(report.Ok, Is.False);
        Assert.That(report.Steps[1].LostAcknowledgedWrites, Is.Null);
    }
}
