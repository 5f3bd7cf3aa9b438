using Agents.Health;
using Agents.Observation;
using Agents.Sql;
using Microsoft.Extensions.Logging;

namespace Agents.HealthAgent;

/// <summary>Keeps one long connection on which the instance sends its diagnostics, and remembers what came of it.</summary>
internal sealed partial class HealthMonitor
{
    private const int ReportInterval = 5;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ISqlInstance instance;
    private readonly HealthPolicy policy;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();

    private bool everReached;
    private string? declined;
    private string? failure = "not tried yet";
    private TimeSpan lastContact;
    private TimeSpan? expectedSince;
    private bool reportedSince;
    private DiagnosticsReport? report;
    private HealthVerdict? lastVerdict;

    public HealthMonitor(ISqlInstance instance, HealthPolicy policy, TimeProvider time, ILogger logger)
    {
        this.instance = instance;
        this.policy = policy;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Judges what is known at this moment.</summary>
    public HealthVerdict Judge()
    {
        lock (gate)
        {
            var now = time.Monotonic();
            Contact contact = declined is not null ? new Declined(declined)
                : failure is null ? new Connected()
                : everReached ? new Lost(failure, now - lastContact)
                : new NeverReached(failure);
            var verdict = HealthDecider.Decide(new HealthFacts(contact, report, now - expectedSince), policy);
            if (lastVerdict is null || lastVerdict.State != verdict.State || lastVerdict.IsAlive != verdict.IsAlive)
                LogVerdict(verdict.IsAlive ? LogLevel.Information : LogLevel.Warning, verdict.State, verdict.Because);
            lastVerdict = verdict;
            return verdict;
        }
    }

    /// <summary>Connects and listens, again and again, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    await ListenAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (SqlInstanceException error)
                {
                    Note(error);
                }

                await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end that was asked for.
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        // A login of its own, because the procedure sends nothing before its first interval has passed.
        await instance.QueryAsync(SqlText.Of($"SELECT 1 AS [alive]"), policy.LostFor, cancellationToken).ConfigureAwait(false);
        NoteContact();

        using var silent = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var firstWithin = policy.SilentFor + TimeSpan.FromSeconds(ReportInterval);
        var reports = instance.StreamAsync(SqlText.Of($"EXEC sp_server_diagnostics {ReportInterval}"), firstWithin, silent.Token)
            .GetAsyncEnumerator(CancellationToken.None);
        await using (reports.ConfigureAwait(false))
        {
            while (await NextAsync(reports, silent, cancellationToken).ConfigureAwait(false))
                NoteReport(DiagnosticsReport.Read(reports.Current));
        }

        if (!silent.IsCancellationRequested)
            throw new SqlInstanceException(SqlFailure.Unreachable, [], "the server ended the diagnostics");
    }

    /// <summary>The next report; false when the stream has ended or been silent for so long that another connection may do better.</summary>
    private async Task<bool> NextAsync(
        IAsyncEnumerator<SqlResultSet> reports, CancellationTokenSource silent, CancellationToken cancellationToken)
    {
        var next = reports.MoveNextAsync().AsTask();
        try
        {
            return await next.WaitAsync(policy.SilentFor + TimeSpan.FromSeconds(ReportInterval), time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await silent.CancelAsync().ConfigureAwait(false);
            try
            {
                await next.ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or SqlInstanceException)
            {
                // Given up.
            }

            LogSilent(policy.SilentFor.TotalSeconds);
            return false;
        }
        catch (OperationCanceledException)
        {
            // The enumerator must be at rest before it is disposed of.
            await silent.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private void NoteContact()
    {
        lock (gate)
        {
            // After a loss, diagnostics can be expected only from now on. But a server that comes and goes without ever sending any does not
            // get that grace again and again.
            if (expectedSince is null || (failure is not null && reportedSince))
            {
                expectedSince = time.Monotonic();
                reportedSince = false;
            }

            everReached = true;
            failure = null;
            declined = null;
            lastContact = time.Monotonic();
        }
    }

    private void NoteReport(DiagnosticsReport received)
    {
        lock (gate)
        {
            report = received;
            reportedSince = true;
            expectedSince = lastContact = time.Monotonic();
        }
    }

    private void Note(SqlInstanceException error)
    {
        LogFailure(error.Failure, error.Message);
        lock (gate)
        {
            if (error.Failure is SqlFailure.LoginFailed or SqlFailure.Statement)
            {
                declined = error.Message;
                failure = null;
                everReached = true;
                expectedSince = null;
                report = null;
                lastContact = time.Monotonic();
            }
            else
            {
                failure = error.Message;
                declined = null;
                report = null;
            }
        }
    }

    [LoggerMessage(Message = "{State}: {Because}")]
    private partial void LogVerdict(LogLevel level, HealthState state, string because);

    [LoggerMessage(LogLevel.Debug, "{Failure}: {Message}")]
    private partial void LogFailure(SqlFailure failure, string message);

    [LoggerMessage(LogLevel.Warning, "No diagnostics for more than {Seconds} s: connecting anew")]
    private partial void LogSilent(double seconds);
}
