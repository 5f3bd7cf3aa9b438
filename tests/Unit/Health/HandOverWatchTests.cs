using System.Net;
using Agents.Health;
using Agents.HealthAgent;
using Agents.Observation;
using Agents.Sql;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.Health;

/// <summary>How long the end of SQL Server is held up, against an instance that the test plays.</summary>
internal sealed class HandOverWatchTests
{
    private static readonly HealthVerdict Healthy = new(HealthState.Healthy, true, "fine");

    private readonly VirtualTime time = new();

    [Test]
    public async Task A_server_whose_replicas_follow_may_end_at_once()
    {
        var over = await time.RunAsync(() => Watch(0).WaitAsync(CancellationToken.None));
        Assert.That(over, Does.StartWith("no replica"));
    }

    [Test]
    public async Task It_lives_until_the_last_replica_was_handed_over_and_no_longer()
    {
        var start = time.Monotonic();
        var over = await time.RunAsync(() => Watch(2, 2, 1, 0).WaitAsync(CancellationToken.None));
        Assert.That(over, Does.StartWith("no replica"));
        Assert.That(time.Monotonic() - start, Is.LessThan(HandOverWatch.Bound));
    }

    [Test]
    public async Task A_replica_that_nobody_takes_over_holds_it_up_for_the_bound_only()
    {
        var start = time.Monotonic();
        var over = await time.RunAsync(() => Watch(1).WaitAsync(CancellationToken.None));
        Assert.That(over, Does.Contain("was not handed over"));
        Assert.That(time.Monotonic() - start, Is.EqualTo(HandOverWatch.Bound).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task An_unhealthy_instance_is_restarted_alone_so_nobody_waits() =>
        Assert.That(
            await time.RunAsync(() => Watch(() => new HealthVerdict(HealthState.Unhealthy, false, "level 1"), 1).WaitAsync(CancellationToken.None)),
            Is.EqualTo("the instance is Unhealthy: level 1"));

    [TestCase(SqlFailure.Unreachable)]
    [TestCase(SqlFailure.LoginFailed)]
    [TestCase(SqlFailure.Statement)]
    public async Task An_instance_that_cannot_be_asked_holds_nothing_up(SqlFailure failure) =>
        Assert.That(await time.RunAsync(() => Watch(failure).WaitAsync(CancellationToken.None)), Does.StartWith("the instance cannot be asked"));

    [Test]
    public async Task One_answer_that_is_late_does_not_end_the_wait() =>
        Assert.That(await time.RunAsync(() => Watch(SqlFailure.Timeout, 0).WaitAsync(CancellationToken.None)), Does.StartWith("no replica"));

    [Test]
    public async Task The_agent_ends_after_the_question_was_answered()
    {
        var watch = Watch(1, 1, 0);
        var start = time.Monotonic();
        await time.RunAsync(async () =>
        {
            var asked = watch.WaitAsync(CancellationToken.None);
            await watch.FinishAsync();
            Assert.That(asked.IsCompleted);
        });
        Assert.That(time.Monotonic() - start, Is.LessThan(HandOverWatch.Slack));
    }

    [Test]
    public async Task The_agent_waits_a_little_for_a_question_and_then_ends_without()
    {
        var watch = Watch(0);
        await time.RunAsync(() => watch.WaitAsync(CancellationToken.None));
        time.Advance(HandOverWatch.Slack);
        var start = time.Monotonic();
        await time.RunAsync(watch.FinishAsync);
        Assert.That(time.Monotonic() - start, Is.EqualTo(HandOverWatch.Slack).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task The_endpoint_answers_when_the_server_may_end()
    {
        await using var endpoint = HealthEndpoint.Build(IPAddress.Loopback, 0, () => Healthy, Watch(0), NullLoggerFactory.Instance);
        await endpoint.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(endpoint.Urls.Single()) };
        Assert.That(await client.GetStringAsync(new Uri("/handover", UriKind.Relative)), Is.EqualTo("no replica of the instance is to be handed over\n"));
    }

    private HandOverWatch Watch(params object[] answers) => Watch(() => Healthy, answers);

    private HandOverWatch Watch(Func<HealthVerdict> judge, params object[] answers) => new(new Instance(answers), judge, time, NullLogger.Instance);

    /// <summary>Gives one answer after the other, and the last one for ever: how many replicas do not follow, or a failure.</summary>
    private sealed class Instance(object[] answers) : ISqlInstance
    {
        private int next;

        public Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken)
        {
            string[] columns = ["open"];
            return answers[Math.Min(next++, answers.Length - 1)] switch
            {
                SqlFailure failure => Task.FromException<IReadOnlyList<SqlResultSet>>(new SqlInstanceException(failure, [], "as played")),
                var open => Task.FromResult<IReadOnlyList<SqlResultSet>>([new SqlResultSet(columns, [new SqlRow(columns, [open])])]),
            };
        }

        public IAsyncEnumerable<SqlResultSet> StreamAsync(SqlText batch, TimeSpan connectTimeout, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
