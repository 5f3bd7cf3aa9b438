using System.Threading.Channels;
using Agents.Health;
using Agents.HealthAgent;
using Agents.Sql;
using Microsoft.Extensions.Logging.Abstractions;
using SqlServerSimulator.Contract;
using Unit.Tds;

namespace Unit.Health;

/// <summary>The monitor through SqlClient: one connection on which result sets keep coming.</summary>
internal sealed class HealthOverTdsTests : TdsFixture
{
    private static readonly SqlType Text = new(SqlKind.NVarChar, 128);
    private static readonly SqlType Number = new(SqlKind.Int);

    [Test]
    public async Task Diagnostics_stream_in_until_the_connection_breaks()
    {
        var states = Channel.CreateUnbounded<int>();
        Server.OnBatch = async (session, text, _, output, attention) =>
        {
            if (!text.Contains("sp_server_diagnostics", StringComparison.Ordinal))
                return;
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(attention, session.Ended);
            while (!ended.IsCancellationRequested)
            {
                var state = await states.Reader.ReadAsync(ended.Token);
                output.Columns([new SqlColumn("component_type", Text), new SqlColumn("component_name", Text), new SqlColumn("state", Number)]);
                foreach (var component in new[] { "system", "resource", "query_processing" })
                    output.Row(["instance", component, state]);
                output.StatementDone(3);
                await output.FlushAsync();
            }
        };
        var instance = new SqlClientInstance(
            "127.0.0.1", Listener.EndPoint.Port, () => new SqlLogin("sa", new SqlSecret(FakeSqlServer.Password)), "test", TimeProvider.System);
        var monitor = new HealthMonitor(
            instance, new HealthPolicy(3, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var run = monitor.RunAsync(stop.Token);

        await Until(v => v.Because.Contains("no diagnostics yet", StringComparison.Ordinal));

        // SqlClient sees the end of a result set only when the next one begins, so that a report takes effect one interval late.
        states.Writer.TryWrite(1);
        states.Writer.TryWrite(1);
        await Until(v => v.State == HealthState.Healthy);
        states.Writer.TryWrite(3);
        states.Writer.TryWrite(3);
        await Until(v => v.State == HealthState.Unhealthy);
        foreach (var session in Server.Sessions)
            session.Kill();
        await Until(v => v.State == HealthState.Unknown);
        await stop.CancelAsync();
        await run.WaitAsync(Patience);

        async Task Until(Func<HealthVerdict, bool> condition)
        {
            using var bound = new CancellationTokenSource(Patience);
            while (!condition(monitor.Judge()))
            {
                Assert.That(run.IsCompleted, Is.False, $"The monitor has ended: {run.Exception}");
                Assert.That(bound.IsCancellationRequested, Is.False, $"Still {monitor.Judge()}");
                await Task.Delay(5);
            }
        }
    }
}
