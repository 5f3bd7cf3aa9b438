using Agents.AgAgent;
using Agents.Groups;
using Agents.Kubernetes;
using Agents.Observation;

namespace Unit.AgAgent;

/// <summary>S8: what the container's status proves about the process that last answered.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EngineProcessWatchTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly EngineProcessWatch watch = new(new FixedTime());

    [Test]
    public void S8_the_run_that_answered_and_then_terminated_is_gone()
    {
        watch.Note(Answered(minutesUp: 10), Running("run-1"));
        Assert.That(watch.Evidence(Terminated("run-1", Now)), Is.EqualTo(EngineProcess.Gone));
    }

    [Test]
    public void S8_it_is_still_gone_when_the_next_run_has_begun()
    {
        watch.Note(Answered(minutesUp: 10), Running("run-1"));
        Assert.That(watch.Evidence(Running("run-2") with { LastState = Terminated("run-1", Now).State }), Is.EqualTo(EngineProcess.Gone));
    }

    [Test]
    public void S8_the_end_of_an_earlier_run_proves_nothing_about_the_one_that_answered()
    {
        watch.Note(Answered(minutesUp: 10), Running("run-2") with { LastState = Terminated("run-1", Now.AddMinutes(-11)).State });
        Assert.That(watch.Evidence(Running("run-2") with { LastState = Terminated("run-1", Now.AddMinutes(-11)).State }), Is.EqualTo(EngineProcess.Running));
    }

    /// <summary>
    /// The status lagged: run-1 was still reported as running when run-2 already answered. Its end, reported later, lies before run-2 began.
    /// </summary>
    [Test]
    public void S8_a_status_that_lagged_behind_proves_nothing()
    {
        watch.Note(Answered(minutesUp: 1), Running("run-1"));
        Assert.That(watch.Evidence(Terminated("run-1", Now.AddMinutes(-2))), Is.Not.EqualTo(EngineProcess.Gone));
    }

    [Test]
    public void S8_without_an_answer_ever_there_is_no_proof() =>
        Assert.That(watch.Evidence(Terminated("run-1", Now)), Is.EqualTo(EngineProcess.Unknown));

    [Test]
    public void S8_silence_does_not_make_the_next_run_the_one_that_answered()
    {
        watch.Note(Answered(minutesUp: 10), Running("run-1"));
        watch.Note(new Unreachable<LocalReplica>("no answer"), Running("run-2"));
        Assert.That(watch.Evidence(Terminated("run-2", Now)), Is.Not.EqualTo(EngineProcess.Gone));
    }

    private static Seen<LocalReplica> Answered(double minutesUp) => new(new LocalReplica("mssql1-0", 1, TimeSpan.FromMinutes(minutesUp), null));

    private static ContainerStatus Running(string id) =>
        new() { Name = "mssql-server", ContainerId = id, State = new ContainerState { Running = new ContainerStateRunning() } };

    private static ContainerStatus Terminated(string id, DateTimeOffset at) => new()
    {
        Name = "mssql-server",
        ContainerId = id,
        State = new ContainerState { Terminated = new ContainerStateTerminated { ContainerId = id, FinishedAt = at } },
    };

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
