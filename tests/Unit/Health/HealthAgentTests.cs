using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Agents.Health;
using Agents.HealthAgent;
using Agents.Sql;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.Health;

/// <summary>The monitor against an instance that the test plays.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class HealthAgentTests : IDisposable
{
    private readonly PlayedInstance instance = new();
    private readonly CancellationTokenSource stop = new();
    private readonly VirtualTime time = new();
    private readonly HealthMonitor monitor;
    private readonly Task run;

    public HealthAgentTests()
    {
        monitor = new HealthMonitor(
            instance, new HealthPolicy(3, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), time, NullLogger.Instance);
        run = monitor.RunAsync(stop.Token);
    }

    [Test]
    public async Task From_unreachable_through_unknown_to_healthy_and_ill()
    {
        await Until(v => v is { State: HealthState.Unknown, IsAlive: false });
        instance.Up();
        await Until(v => v is { State: HealthState.Unknown, IsAlive: true });
        instance.Report(1);
        await Until(v => v is { State: HealthState.Healthy, IsAlive: true });
        instance.Report(3);
        await Until(v => v is { State: HealthState.Unhealthy, IsAlive: false });
        instance.Report(1);
        await Until(v => v.State == HealthState.Healthy);
    }

    [Test]
    public async Task A_loss_is_tolerated_for_its_time_and_no_longer()
    {
        instance.Up();
        instance.Report(1);
        await Until(v => v.State == HealthState.Healthy);
        instance.Fail(SqlFailure.Unreachable);
        await Until(v => v is { State: HealthState.Unknown, IsAlive: true }, advance: false);
        await Until(v => v.State == HealthState.Unhealthy && v.Because.Contains("level 1", StringComparison.Ordinal));
        instance.Up();
        await Until(v => v is { State: HealthState.Unknown, IsAlive: true });
        instance.Report(1);
        await Until(v => v.State == HealthState.Healthy);
    }

    [Test]
    public async Task A_server_that_declines_the_login_is_not_called_down()
    {
        instance.Fail(SqlFailure.LoginFailed);
        await Until(v => v is { State: HealthState.Unknown, IsAlive: true } && v.Because.Contains("answers", StringComparison.Ordinal));
    }

    [Test]
    public async Task Silence_stays_silence_when_only_new_connections_work()
    {
        instance.Up();
        instance.Report(1);
        await Until(v => v.State == HealthState.Healthy);
        await Until(v => v.State == HealthState.Unhealthy && v.Because.Contains("level 2", StringComparison.Ordinal));
        var streams = instance.Streams;
        await Until(_ => instance.Streams > streams + 1);
        Assert.That(monitor.Judge().State, Is.EqualTo(HealthState.Unhealthy));
        instance.Report(1);
        await Until(v => v.State == HealthState.Healthy);
    }

    [Test]
    public async Task The_endpoint_answers_200_or_503_with_the_reason()
    {
        var port = FreePort();
        var verdict = new HealthVerdict(HealthState.Healthy, true, "fine");
        var handOver = new HandOverWatch(instance, () => verdict, time, NullLogger.Instance);
        await using var endpoint = HealthEndpoint.Build(IPAddress.Loopback, port, () => verdict, handOver, NullLoggerFactory.Instance);
        await endpoint.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.That(await client.GetStringAsync(new Uri("/healthz", UriKind.Relative)), Is.EqualTo("Healthy: fine\n"));
        verdict = new HealthVerdict(HealthState.Unhealthy, false, "level 1:\r\nbad");
        using var answer = await client.GetAsync(new Uri("/healthz", UriKind.Relative));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("Unhealthy: level 1: bad\n"));
        using var other = await client.GetAsync(new Uri("/", UriKind.Relative));
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    public void Dispose()
    {
        stop.Cancel();
        Assert.That(run.Wait(TimeSpan.FromSeconds(20)), Is.True, "The monitor did not end.");
        stop.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task Until(Func<HealthVerdict, bool> condition, bool advance = true)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition(monitor.Judge()))
        {
            Assert.That(run.IsCompleted, Is.False, $"The monitor has ended: {run.Exception}");
            Assert.That(bound.IsCancellationRequested, Is.False, $"Still {monitor.Judge()}");
            await Task.Delay(2);
            if (advance)
                time.Advance(TimeSpan.FromSeconds(0.5));
        }
    }

#pragma warning disable CA1001 // Its token sources have no timers and nothing to free.
    private sealed class PlayedInstance : ISqlInstance
#pragma warning restore CA1001
    {
        private readonly Channel<SqlResultSet> reports = Channel.CreateUnbounded<SqlResultSet>();
        private readonly Lock gate = new();
        private CancellationTokenSource session = new();
        private SqlFailure? failure = SqlFailure.Unreachable;
        private int streams;

        public int Streams => streams;

        public void Up()
        {
            lock (gate)
            {
                failure = null;
                session = new CancellationTokenSource();
            }
        }

        public void Fail(SqlFailure with)
        {
            lock (gate)
            {
                failure = with;
                session.Cancel();
            }
        }

        public void Report(int system)
        {
            string[] columns = ["component_type", "component_name", "state"];
            reports.Writer.TryWrite(new SqlResultSet(columns,
            [
                new SqlRow(columns, ["instance", "system", system]), new SqlRow(columns, ["instance", "resource", 1]),
                new SqlRow(columns, ["instance", "query_processing", 1]),
            ]));
        }

        public Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken)
        {
            lock (gate)
                return failure is { } kind
                    ? Task.FromException<IReadOnlyList<SqlResultSet>>(new SqlInstanceException(kind, [], "as played"))
                    : Task.FromResult<IReadOnlyList<SqlResultSet>>([]);
        }

        public async IAsyncEnumerable<SqlResultSet> StreamAsync(
            SqlText batch, TimeSpan connectTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref streams);
            CancellationToken current;
            lock (gate)
                current = session.Token;
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, current);
            while (true)
            {
                SqlResultSet set;
                try
                {
                    set = await reports.Reader.ReadAsync(both.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    throw new SqlInstanceException(SqlFailure.Unreachable, [], "the connection broke");
                }

                yield return set;
            }
        }
    }
}
