using Sandbox.Output;
using Sandbox.Steps;

namespace Unit.Sandbox;

[TestFixture]
internal sealed class StepRunnerTests
{
    private static readonly Findings Held = new("mssql1-0", TimeSpan.FromMilliseconds(812.3), 0);
    private readonly StringWriter _output = new();

    [TearDown]
    public void Forget() => _output.GetStringBuilder().Clear();

    [OneTimeTearDown]
    public void Dispose() => _output.Dispose();

    private Task<IReadOnlyList<StepResult>> RunAsync(CancellationToken token, params IStep[] steps) =>
        new StepRunner(new PlainScreen(_output), TimeProvider.System).RunAsync(steps, static _ => { }, token);

    [Test]
    public async Task A_step_that_holds_ends_in_one_line_with_primary_gap_and_lost_writes()
    {
        var results = await RunAsync(default, new Step("kill", _ => Task.FromResult(Held)));
        Assert.That(results.Single().Ok);
        Assert.That(_output.ToString(), Does.Contain("primary mssql1-0, write gap 812 ms, acknowledged writes lost 0"));
        Assert.That(_output.ToString().Contains('\u001b'), Is.False);
    }

    [Test]
    public async Task A_lost_write_fails_the_step_even_though_it_came_to_its_end()
    {
        var results = await RunAsync(default, new Step("kill", _ => Task.FromResult(Held with { Lost = 1 })));
        Assert.That(results.Single(), Has.Property(nameof(StepResult.End)).EqualTo(StepEnd.Failed));
        Assert.That(DemoReport.Of(results).Ok, Is.False);
    }

    [Test]
    public async Task After_a_failed_step_the_rest_is_not_run()
    {
        var ran = false;
        var results = await RunAsync(
            default,
            new Step("one", _ => throw new StepFailedException("no primary")),
            new Step("two", _ =>
            {
                ran = true;
                return Task.FromResult(Held);
            }));
        Assert.Multiple(() =>
        {
            Assert.That(ran, Is.False);
            Assert.That(results.Select(x => x.End), Is.EqualTo(new[] { StepEnd.Failed, StepEnd.NotRun }));
            Assert.That(results[0].Reason, Is.EqualTo("no primary"));
            Assert.That(results[1].Reason, Is.EqualTo("one failed"));
        });
    }

    [Test]
    public async Task A_step_that_does_not_end_is_ended_at_its_bound_and_says_what_it_did()
    {
        var results = await RunAsync(default, new Step("form", Forever, TimeSpan.FromMilliseconds(20)));
        Assert.That(results.Single().Reason, Does.Contain("looking at nothing"));
        Assert.That(results.Single().End, Is.EqualTo(StepEnd.Failed));

        static async Task<Findings> Forever(CancellationToken token)
        {
            await Task.Delay(Timeout.Infinite, token);
            return Held;
        }
    }

    [Test]
    public async Task A_failure_that_nobody_expected_is_a_failed_step_too()
    {
        var results = await RunAsync(default, new Step("one", _ => throw new FormatException("odd")));
        Assert.That(results.Single().Reason, Is.EqualTo("FormatException while looking at nothing: odd"));
    }

    [Test]
    public void Stopping_from_outside_is_not_a_failed_step()
    {
        using var stop = new CancellationTokenSource();
        Assert.That(
            () => RunAsync(stop.Token, new Step("one", async token =>
            {
                await stop.CancelAsync();
                token.ThrowIfCancellationRequested();
                return Held;
            })),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private sealed class Step(string name, Func<CancellationToken, Task<Findings>> run, TimeSpan? bound = null) : IStep
    {
        public string Name => name;

        public string Title => "";

        public TimeSpan Bound => bound ?? TimeSpan.FromMinutes(1);

        public Task<Findings> RunAsync(Action<string> progress, CancellationToken cancellationToken)
        {
            progress("looking at nothing");
            return run(cancellationToken);
        }
    }
}
