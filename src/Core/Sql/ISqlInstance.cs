namespace Agents.Sql;

/// <summary>The port to one SQL Server instance. Every call is bounded, even when the server has stopped answering altogether.</summary>
public interface ISqlInstance
{
    /// <summary>Runs one batch in <c>master</c> on one session and reads all its result sets.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="timeout">Bound on connecting and running together.</param>
    /// <param name="cancellationToken">Gives up early.</param>
    /// <exception cref="SqlInstanceException">Not connected, not in time, or an error of the server.</exception>
    Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Runs a batch that goes on sending result sets, such as a repeating <c>sp_server_diagnostics</c>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="connectTimeout">Bound on connecting and on the first answer; later silence is for the caller to judge.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <exception cref="SqlInstanceException">Not connected, or the stream broke.</exception>
    IAsyncEnumerable<SqlResultSet> StreamAsync(SqlText batch, TimeSpan connectTimeout, CancellationToken cancellationToken);
}
