using System.Data.Common;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Data.SqlClient;

namespace Agents.Sql;

/// <summary><see cref="ISqlInstance"/> over Microsoft.Data.SqlClient, encrypted, with a pool per login.</summary>
public sealed class SqlClientInstance : ISqlInstance
{
    private const int ClientTimeoutNumber = -2;

    // Client-side numbers that mean "no connection, or it broke".
    private static readonly HashSet<int> BrokenNumbers =
        [-1, 0, 2, 20, 35, 40, 53, 64, 121, 232, 233, 258, 1225, 10053, 10054, 10060, 10061, 11001];

    private static readonly HashSet<int> LoginNumbers = [4060, 18401, 18451, 18452, 18456, 18461, 18470, 18486, 18487, 18488];

    private readonly string host;
    private readonly int port;
    private readonly Func<SqlLogin> login;
    private readonly string applicationName;
    private readonly TimeProvider time;

    /// <summary>Makes the adapter; nothing is connected yet.</summary>
    /// <param name="host">Host name or IP address.</param>
    /// <param name="port">TDS port.</param>
    /// <param name="login">Gives the login for each connection, so that a rotated password is taken up.</param>
    /// <param name="applicationName">Shown as program_name by the server.</param>
    /// <param name="time">Clock of the bounds.</param>
    public SqlClientInstance(string host, int port, Func<SqlLogin> login, string applicationName, TimeProvider time)
    {
        this.host = host;
        this.port = port;
        this.login = login;
        this.applicationName = applicationName;
        this.time = time;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<SqlResultSet>> QueryAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token);
        var token = both.Token;
        return await BoundedAsync(() => RunAsync(batch, timeout, token), timeout, token, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<SqlResultSet> StreamAsync(
        SqlText batch, TimeSpan connectTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var connection = new SqlConnection(ConnectionString(connectTimeout, pooled: false));
        try
        {
            DbDataReader reader;
            using (var bound = new CancellationTokenSource(connectTimeout, time))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bound.Token))
            {
                var token = both.Token;
                reader = await BoundedAsync(() => OpenStreamAsync(connection, batch, token), connectTimeout, token, cancellationToken)
                    .ConfigureAwait(false);
            }

            while (await BoundedAsync(() => ReadSetAsync(reader, cancellationToken), default, cancellationToken, cancellationToken)
                .ConfigureAwait(false) is { } set)
            {
                yield return set;
                if (!await BoundedAsync(() => reader.NextResultAsync(cancellationToken), default, cancellationToken, cancellationToken)
                    .ConfigureAwait(false))
                    break;
            }
        }
        finally
        {
            // Closing an unread stream makes SqlClient wait for the server; a frozen one must not hold the caller.
            Abandon(Task.Run(connection.Dispose, CancellationToken.None));
        }
    }

    private static void Abandon(Task work) => _ = work.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private static async Task<DbDataReader> OpenStreamAsync(SqlConnection connection, SqlText batch, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        var command = connection.CreateCommand();
        command.CommandText = batch.Text;
        command.CommandTimeout = 0;
        return await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<SqlResultSet?> ReadSetAsync(DbDataReader reader, CancellationToken cancellationToken)
    {
        if (reader.FieldCount == 0)
            return null;
        var columns = new string[reader.FieldCount];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = reader.GetName(i);
        var rows = new List<SqlRow>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var values = new object?[columns.Length];
            for (var i = 0; i < values.Length; i++)
                values[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(new SqlRow(columns, values));
        }

        return new SqlResultSet(columns, rows);
    }

    private static int WholeSeconds(TimeSpan timeout) => Math.Max(1, (int)Math.Ceiling(timeout.TotalSeconds));

    private static SqlFailure Classify(SqlException error)
    {
        var items = error.Errors.Cast<SqlError>().ToArray();
        if (items.Any(item => LoginNumbers.Contains(item.Number)))
            return SqlFailure.LoginFailed;
        if (items.Any(item => item.Number == ClientTimeoutNumber))
            return SqlFailure.Timeout;
        return items.Any(item => BrokenNumbers.Contains(item.Number) || item.Class >= 20) ? SqlFailure.Unreachable : SqlFailure.Statement;
    }

    /// <summary>
    /// Waits for work until <paramref name="token"/> ends it, and then leaves it to end by itself: a server that has stopped answering does not
    /// acknowledge the cancellation of a command either, for which SqlClient waits seconds.
    /// </summary>
    private async Task<T> BoundedAsync<T>(Func<Task<T>> start, TimeSpan bound, CancellationToken token, CancellationToken callers)
    {
        var work = Task.Run(start, CancellationToken.None);
        try
        {
            return await work.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (callers.IsCancellationRequested)
        {
            Abandon(work);
            throw;
        }
        catch (SqlException) when (callers.IsCancellationRequested)
        {
            throw new OperationCanceledException(callers);
        }
        catch (Exception error) when (token.IsCancellationRequested && error is OperationCanceledException or SqlException { Number: 0 })
        {
            Abandon(work);
            throw new SqlInstanceException(SqlFailure.Timeout, [], $"No answer from {host}:{port} within {bound.TotalSeconds:0.###} s.");
        }
        catch (SqlException error)
        {
            var failure = Classify(error);
            var text = error.Errors.Count > 0 ? error.Errors[0].Message : error.Message;
            throw new SqlInstanceException(
                failure,
                [.. error.Errors.Cast<SqlError>().Select(item => item.Number)],
                failure == SqlFailure.Statement ? $"Msg {error.Number}: {text}" : $"{host}:{port}: {text}",
                error);
        }
        catch (Exception error) when (error is SocketException or InvalidOperationException or IOException)
        {
            throw new SqlInstanceException(SqlFailure.Unreachable, [], $"No connection to {host}:{port}: {error.Message}", error);
        }
    }

    private async Task<IReadOnlyList<SqlResultSet>> RunAsync(SqlText batch, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await ReachAsync(cancellationToken).ConfigureAwait(false);
        using var connection = new SqlConnection(ConnectionString(timeout, pooled: true));
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            using var command = connection.CreateCommand();
            command.CommandText = batch.Text;
            command.CommandTimeout = WholeSeconds(timeout);
            using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            var sets = new List<SqlResultSet>();
            do
            {
                if (await ReadSetAsync(reader, cancellationToken).ConfigureAwait(false) is { } set)
                    sets.Add(set);
            }
            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false));
            return sets;
        }
        catch (SqlException error) when (Classify(error) is SqlFailure.Unreachable or SqlFailure.Timeout)
        {
            // One dead connection means that its pooled siblings are dead too; each would cost a time-out of its own.
            SqlConnection.ClearPool(connection);
            throw;
        }
    }

    // SqlClient tries a refused connection again until its time-out is over, also when a pooled one turned out to be dead. A server that is not
    // there is to be told apart at once; asking costs one round trip.
    private async Task ReachAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host, port, cancellationToken).ConfigureAwait(false);
    }

    private string ConnectionString(TimeSpan timeout, bool pooled)
    {
        var current = login();
        var isV6 = IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
        return new SqlConnectionStringBuilder
        {
            DataSource = isV6 ? $"tcp:[{host}],{port}" : $"tcp:{host},{port}",
            InitialCatalog = "master",
            UserID = current.User,
            Password = current.Password.Reveal(),
            ApplicationName = applicationName,
            Encrypt = SqlConnectionEncryptOption.Mandatory,
            TrustServerCertificate = true,
            // The same for all pooled calls, because it is part of the pool's key; the caller's bound is kept by BoundedAsync.
            ConnectTimeout = pooled ? 15 : WholeSeconds(timeout),
            ConnectRetryCount = 0,
            PoolBlockingPeriod = PoolBlockingPeriod.NeverBlock,
            Pooling = pooled,
        }.ConnectionString;
    }
}
