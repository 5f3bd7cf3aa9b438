using System.Data.SqlTypes;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Data.SqlClient;
using SqlServerSimulator.Contract;
using SqlError = SqlServerSimulator.Contract.SqlError;

namespace Unit.Tds;

/// <summary>The wire as Microsoft's own client sees it.</summary>
internal sealed class TdsSqlClientTests : TdsFixture
{
    private static readonly Guid SomeGuid = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

    [TestCase("Optional", false)]
    [TestCase("Mandatory", true)]
    [TestCase("Mandatory", false)]
    public async Task Login_and_query(string encrypt, bool pooled)
    {
        Server.OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.Int), 42);
        for (var i = 0; i < 2; i++)
        {
            await using var connection = await OpenAsync(encrypt, pooled);
            Assert.That(connection.ServerVersion, Is.EqualTo("16.00.4135"));
            Assert.That(await ScalarAsync(connection, "select 42"), Is.EqualTo(42));
        }

        Assert.That(Server.Logins, Has.Count.EqualTo(pooled ? 1 : 2));
        Assert.That(Server.Logins.First().Password, Is.EqualTo(FakeSqlServer.Password));
    }

    [Test]
    public async Task Strict_encryption()
    {
        Server.OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.NVarChar, 4000), "over TLS first");
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, Options.Certificate!.Export(X509ContentType.Cert));
            await using var connection = new SqlConnection(new SqlConnectionStringBuilder(ConnectionString("Strict", pooled: false))
            {
                ServerCertificate = file,
                TrustServerCertificate = false,
            }.ConnectionString);
            await connection.OpenAsync();
            Assert.That(await ScalarAsync(connection, "x"), Is.EqualTo("over TLS first"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task Wrong_password_is_18456()
    {
        var builder = new SqlConnectionStringBuilder(ConnectionString("Mandatory", pooled: false)) { Password = "other" };
        using var connection = new SqlConnection(builder.ConnectionString);
        var e = await Assert.ThrowsAsync<SqlException>(() => connection.OpenAsync());
        Assert.That((e!.Number, e.State, e.Class), Is.EqualTo((18456, (byte)1, (byte)14)));
    }

    [Test]
    public async Task Database_that_cannot_be_opened_is_4060_and_18456()
    {
        Server.OnLogin = login => new LoginOutcome(null, [
            new SqlError(4060, 11, 1, $"Cannot open database \"{login.Database}\" requested by the login. The login failed."),
            new SqlError(18456, 14, 38, $"Login failed for user '{login.User}'.")]);
        using var connection = new SqlConnection(ConnectionString("Optional", pooled: false) + ";Database=gone");
        var e = await Assert.ThrowsAsync<SqlException>(() => connection.OpenAsync());
        Assert.That(e!.Errors.Cast<Microsoft.Data.SqlClient.SqlError>().Select(error => error.Number), Is.EqualTo(new[] { 4060, 18456 }));
    }

    [TestCaseSource(nameof(Values))]
    public async Task Value(SqlType type, object? value, object? expected)
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("before", new SqlType(SqlKind.Int)), new SqlColumn("value", type), new SqlColumn("after", new SqlType(SqlKind.Int))]);
            output.Row([1, value, 2]);
            output.Row([3, null, 4]);
            output.StatementDone(2);
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync("Optional");
        await using var command = new SqlCommand("x", connection);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.That(await reader.ReadAsync());
        Assert.That((reader[0], reader[2]), Is.EqualTo(((object)1, (object)2)));
        Assert.That(reader[1], Is.EqualTo(expected));
        Assert.That(reader.GetName(1), Is.EqualTo("value"));
        Assert.That(await reader.ReadAsync());
        Assert.That((reader[0], reader[1], reader[2]), Is.EqualTo(((object)3, (object)DBNull.Value, (object)4)));
        Assert.That(await reader.ReadAsync(), Is.False);
    }

    [Test]
    public async Task Numeric_of_every_size_keeps_its_digits([Values(1, 9, 10, 19, 20, 28, 29, 38)] int precision)
    {
        var unscaled = BigInteger.Pow(10, precision) - 1;
        Server.OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.Numeric, Precision: (byte)precision), unscaled);
        await using var connection = await OpenAsync("Optional");
        await using var command = new SqlCommand("x", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        Assert.That(reader.GetSqlDecimal(0), Is.EqualTo(SqlDecimal.Parse(unscaled.ToString())));
    }

    [TestCase("Optional")]
    [TestCase("Mandatory")]
    public async Task Large_values_and_many_rows(string encrypt)
    {
        var text = string.Concat(Enumerable.Range(0, 10_000).Select(i => (char)('a' + (i % 26)) + "☖"));
        var bytes = new byte[3_000_000];
        new Random(7).NextBytes(bytes);
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("t", new SqlType(SqlKind.NVarChar, -1)), new SqlColumn("b", new SqlType(SqlKind.VarBinary, -1))]);
            output.Row([text, bytes]);
            output.StatementDone(1);
            output.Columns([new SqlColumn("n", new SqlType(SqlKind.Int))]);
            for (var i = 0; i < 100_000; i++) output.Row([i]);
            output.StatementDone(100_000);
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync(encrypt);
        await using var command = new SqlCommand("x", connection);
        // Not asynchronously, and with most of it in binary: this client fails on long text and on asynchronous reads over many packets
        // that arrive in pieces (dotnet/SqlClient issue 3519). What the server sends then is checked byte by byte in TdsRequestTests.
        await Task.Run(() =>
        {
            using var reader = command.ExecuteReader();
            Assert.That(reader.Read());
            Assert.That(reader.GetString(0) == text);
            Assert.That(((byte[])reader[1]).AsSpan().SequenceEqual(bytes));
            Assert.That(reader.NextResult());
            var count = 0;
            while (reader.Read()) Assert.That(reader.GetInt32(0), Is.EqualTo(count++));
            Assert.That(count, Is.EqualTo(100_000));
        });
    }

    /// <summary>
    /// Encrypted, as this client is by default: a TLS record brings it a whole packet. Without encryption it loses a character that TCP cuts in
    /// two (dotnet/SqlClient issue 3519), whoever the server is; bytes in the same packets it reads.
    /// </summary>
    [Test]
    public async Task Text_of_a_megabyte([Values] bool asynchronously)
    {
        var text = string.Concat(Enumerable.Range(0, 250_000).Select(i => (char)('a' + (i % 26)) + "☖"));
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("t", new SqlType(SqlKind.NVarChar, -1)), new SqlColumn("odd", new SqlType(SqlKind.VarChar, -1))]);
            for (var i = 0; i < 3; i++) output.Row([text, new string('x', i)]);
            output.StatementDone(3);
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync("Mandatory");
        await using var command = new SqlCommand("x", connection);
        await using var reader = asynchronously ? await command.ExecuteReaderAsync() : await Task.Run(() => command.ExecuteReader());
        var count = 0;
        while (asynchronously ? await reader.ReadAsync() : await Task.Run(reader.Read))
        {
            Assert.That(reader.GetString(0) == text);
            Assert.That(reader.GetString(1), Has.Length.EqualTo(count++));
        }

        Assert.That(count, Is.EqualTo(3));
    }

    [Test]
    public async Task Large_batch_arrives_whole()
    {
        var received = "";
        Server.OnBatch = (_, text, _, _, _) =>
        {
            received = text;
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync("Mandatory");
        var batch = "select '" + new string('x', 1_000_000) + "'";
        await ScalarAsync(connection, batch);
        Assert.That(received == batch);
    }

    [Test]
    public async Task Several_results_messages_and_counts()
    {
        Server.OnBatch = async (_, _, _, output, _) =>
        {
            output.Message(new SqlError(50000, 0, 1, "hello", "", 3));
            output.StatementDone(null);
            await One(output, new SqlType(SqlKind.Int), 1);
            output.StatementDone(5);
            await One(output, new SqlType(SqlKind.NVarChar, 10), "two");
        };
        await using var connection = await OpenAsync("Optional");
        var messages = new List<string>();
        connection.InfoMessage += (_, e) => messages.Add(e.Message);
        await using var command = new SqlCommand("x", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        Assert.That(reader[0], Is.EqualTo(1));
        Assert.That(await reader.NextResultAsync());
        await reader.ReadAsync();
        Assert.That(reader[0], Is.EqualTo("two"));
        Assert.That(await reader.NextResultAsync(), Is.False);
        Assert.That(reader.RecordsAffected, Is.EqualTo(5));
        Assert.That(messages, Is.EqualTo(new[] { "hello" }));
    }

    [Test]
    public async Task All_errors_of_a_batch_arrive_in_order_and_the_connection_goes_on()
    {
        Server.OnBatch = (_, text, _, output, _) =>
        {
            if (text == "fine") return One(output, new SqlType(SqlKind.Int), 1);
            output.Message(new SqlError(41158, 16, 3, "Failed to join.", "sp_outer", 12));
            output.StatementDone(null);
            output.Message(new SqlError(41142, 16, 1, "Not synchronized."));
            output.StatementDone(null);
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync("Optional");
        var e = await Assert.ThrowsAsync<SqlException>(() => ScalarAsync(connection, "bad"));
        Assert.That(e!.Errors.Cast<Microsoft.Data.SqlClient.SqlError>().Select(error => error.Number), Is.EqualTo(new[] { 41158, 41142 }));
        Assert.That((e.Procedure, e.LineNumber, e.State, e.Class), Is.EqualTo(("sp_outer", 12, (byte)3, (byte)16)));
        Assert.That(await ScalarAsync(connection, "fine"), Is.EqualTo(1));
    }

    [TestCase("Optional")]
    [TestCase("Mandatory")]
    public async Task Cancelled_batch_leaves_a_usable_connection(string encrypt)
    {
        var started = new SemaphoreSlim(0);
        Server.OnBatch = async (_, text, _, output, attention) =>
        {
            if (text == "fast")
            {
                await One(output, new SqlType(SqlKind.Int), 1);
                return;
            }

            output.Columns([new SqlColumn("a", new SqlType(SqlKind.Int))]);
            output.Row([1]);
            await output.FlushAsync();
            started.Release();
            await Task.Delay(Timeout.Infinite, attention);
        };
        await using var connection = await OpenAsync(encrypt);
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            await using (var command = new SqlCommand("slow", connection))
            await using (var reader = await command.ExecuteReaderAsync(cancel.Token))
            {
                Assert.That(await started.WaitAsync(Patience));
                Assert.That(await reader.ReadAsync(cancel.Token));
                var second = reader.ReadAsync(cancel.Token);
                await cancel.CancelAsync();
                await Assert.CatchAsync(() => second);
            }

            Assert.That(await ScalarAsync(connection, "fast"), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Batch_cancelled_before_it_answered_leaves_a_usable_connection()
    {
        var started = new SemaphoreSlim(0);
        Server.OnBatch = async (_, text, _, output, attention) =>
        {
            started.Release();
            if (text == "slow") await Task.Delay(Timeout.Infinite, attention);
            await One(output, new SqlType(SqlKind.Int), 1);
        };
        await using var connection = await OpenAsync("Mandatory");
        using var cancel = new CancellationTokenSource();
        await using var command = new SqlCommand("slow", connection);
        var running = command.ExecuteNonQueryAsync(cancel.Token);
        Assert.That(await started.WaitAsync(Patience));
        await cancel.CancelAsync();
        await Assert.CatchAsync(() => running);
        Assert.That(await ScalarAsync(connection, "fast"), Is.EqualTo(1));
    }

    [Test]
    public async Task Command_timeout_is_minus_2()
    {
        Server.OnBatch = (_, _, _, _, attention) => Task.Delay(Timeout.Infinite, attention);
        await using var connection = await OpenAsync("Optional");
        await using var command = new SqlCommand("slow", connection) { CommandTimeout = 1 };
        Assert.That((await Assert.ThrowsAsync<SqlException>(() => command.ExecuteNonQueryAsync()))!.Number, Is.EqualTo(-2));
    }

    [Test]
    public async Task Pooled_connection_is_reset_before_its_next_use()
    {
        Server.OnBatch = (session, _, _, output, _) => One(output, new SqlType(SqlKind.Int), session.Resets);
        await using (var first = await OpenAsync("Mandatory", pooled: true)) Assert.That(await ScalarAsync(first, "x"), Is.Zero);
        await using (var second = await OpenAsync("Mandatory", pooled: true))
        {
            Assert.That(await ScalarAsync(second, "x"), Is.EqualTo(1));
            Assert.That(await ScalarAsync(second, "x"), Is.EqualTo(1));
        }

        Assert.That(Server.Sessions, Has.Count.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Transaction_by_the_client(bool commit)
    {
        Server.OnBatch = (session, _, _, output, _) => One(output, new SqlType(SqlKind.Bit), session.InTransaction);
        await using var connection = await OpenAsync("Optional");
        await using (var transaction = (SqlTransaction)await connection.BeginTransactionAsync())
        {
            await using var command = new SqlCommand("x", connection, transaction);
            Assert.That(await command.ExecuteScalarAsync(), Is.True);
            if (commit) await transaction.CommitAsync();
            else await transaction.RollbackAsync();
        }

        Assert.That(await ScalarAsync(connection, "x"), Is.False);
    }

    [Test]
    public async Task Procedure_without_parameters()
    {
        Server.OnProcedure = (name, _, output) =>
        {
            One(output, new SqlType(SqlKind.NVarChar, 128), name);
            return 3;
        };
        await using var connection = await OpenAsync("Optional");
        await using var command = new SqlCommand("sp_help_it", connection) { CommandType = System.Data.CommandType.StoredProcedure };
        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo("sp_help_it"));
    }

    [Test]
    public async Task Use_changes_the_database_the_client_knows()
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.DatabaseChanged("master", "sales");
            output.StatementDone(null);
            return Task.CompletedTask;
        };
        await using var connection = await OpenAsync("Optional");
        Assert.That(connection.Database, Is.EqualTo("master"));
        await ScalarAsync(connection, "use sales");
        Assert.That(connection.Database, Is.EqualTo("sales"));
    }

    [Test]
    public async Task Killed_session_is_noticed_and_the_pool_makes_another()
    {
        Server.OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.Int), 1);
        await using (var first = await OpenAsync("Mandatory", pooled: true)) await ScalarAsync(first, "x");
        Server.Sessions.Single().Kill();
        await Server.Sessions.Single().Disposed.Task.WaitAsync(Patience);
        Assert.That(() => Listener.ConnectionCount, Is.Zero.After(30).Seconds.PollEvery(5));
        await using (var second = await OpenAsync("Mandatory", pooled: true)) Assert.That(await ScalarAsync(second, "x"), Is.EqualTo(1));
        Assert.That(Server.Sessions, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Read_only_clients_follow_the_route()
    {
        Server.OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.NVarChar, 20), "here");
        var target = new FakeSqlServer { OnBatch = (_, _, _, output, _) => One(output, new SqlType(SqlKind.NVarChar, 20), "there") };
        await using var other = await SqlServerSimulator.Tds.TdsListener.StartAsync(new(System.Net.IPAddress.Loopback, 0), target, Options, CancellationToken.None);
        Server.OnLogin = login => login.ReadOnlyIntent ? new LoginOutcome(null, []) { Route = ("127.0.0.1", (ushort)other.EndPoint.Port) } : null;
        await using var connection = new SqlConnection(ConnectionString("Mandatory", pooled: false) + ";ApplicationIntent=ReadOnly");
        await connection.OpenAsync();
        Assert.That(await ScalarAsync(connection, "x"), Is.EqualTo("there"));
    }

    [Test]
    public async Task Many_clients_at_once()
    {
        Server.OnBatch = async (_, text, _, output, _) =>
        {
            await Task.Yield();
            await One(output, new SqlType(SqlKind.NVarChar, -1), text);
        };
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async client =>
        {
            await using var connection = await OpenAsync(client % 2 == 0 ? "Optional" : "Mandatory");
            for (var i = 0; i < 20; i++) Assert.That(await ScalarAsync(connection, $"{client}/{i}"), Is.EqualTo($"{client}/{i}"));
        }));
    }

    private static IEnumerable<TestCaseData> Values()
    {
        yield return Case(new(SqlKind.Bit), true, true);
        yield return Case(new(SqlKind.TinyInt), (byte)255, (byte)255);
        yield return Case(new(SqlKind.SmallInt), short.MinValue, short.MinValue);
        yield return Case(new(SqlKind.Int), int.MinValue, int.MinValue);
        yield return Case(new(SqlKind.BigInt), long.MinValue, long.MinValue);
        yield return Case(new(SqlKind.Float), -1.5e300, -1.5e300);
        yield return Case(new(SqlKind.Numeric, 0, 10, 3), new BigInteger(-1234567), -1234.567m);
        yield return Case(new(SqlKind.Numeric, 0, 25, 0), BigInteger.Parse("4294967297123"), 4294967297123m);
        yield return Case(new(SqlKind.DateTime), new DateTime(2026, 11, 21, 23, 59, 59, 997), new DateTime(2026, 11, 21, 23, 59, 59, 997));
        yield return Case(new(SqlKind.DateTime), new DateTime(2026, 11, 21, 23, 59, 59, 999), new DateTime(2026, 11, 22));
        yield return Case(new(SqlKind.DateTime2, 0, 0, 7), DateTime.MaxValue, DateTime.MaxValue);
        yield return Case(new(SqlKind.DateTime2, 0, 0, 3), new DateTime(1, 1, 1, 1, 2, 3, 456), new DateTime(1, 1, 1, 1, 2, 3, 456));
        yield return Case(new(SqlKind.DateTime2), new DateTime(2026, 1, 2, 3, 4, 5), new DateTime(2026, 1, 2, 3, 4, 5));
        yield return Case(new(SqlKind.UniqueIdentifier), SomeGuid, SomeGuid);
        yield return Case(new(SqlKind.Char, 4), "ab", "ab  ");
        yield return Case(new(SqlKind.NChar, 3), "☖", "☖  ");
        yield return Case(new(SqlKind.VarChar, 10), "aä€", "aä€");
        yield return Case(new(SqlKind.VarChar, -1), new string('ä', 20_000), new string('ä', 20_000));
        yield return Case(new(SqlKind.NVarChar, 10), "", "");
        yield return Case(new(SqlKind.NVarChar, -1), "", "");
        yield return Case(SqlType.Sysname, "name", "name");
        yield return Case(new(SqlKind.VarBinary, 10), new byte[] { 0, 1, 255 }, new byte[] { 0, 1, 255 });
        yield return Case(new(SqlKind.VarBinary, -1), Array.Empty<byte>(), Array.Empty<byte>());
        foreach (var value in new object[]
                 {
                     true, (byte)1, (short)-1, 1, 1L, 0.5, SomeGuid, "wide ☖", new byte[] { 1, 2 }, new DateTime(2026, 11, 21, 1, 2, 3),
                 })
            yield return Case(new(SqlKind.Variant), value, value);
        yield return Case(new(SqlKind.Variant), new BigInteger(-77), -77m);

        static TestCaseData Case(SqlType type, object? value, object? expected) => new TestCaseData(type, value, expected)
            .SetArgDisplayNames($"{type.Kind}({type.Length},{type.Precision},{type.Scale}) {value?.GetType().Name}");
    }

    private static Task One(IResultOutput output, SqlType type, object? value)
    {
        output.Columns([new SqlColumn("", type)]);
        output.Row([value]);
        output.StatementDone(1);
        return Task.CompletedTask;
    }

    private async Task<SqlConnection> OpenAsync(string encrypt, bool pooled = false)
    {
        var connection = new SqlConnection(ConnectionString(encrypt, pooled));
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<object?> ScalarAsync(SqlConnection connection, string text)
    {
#pragma warning disable CA2100 // The text is the test's own.
        await using var command = new SqlCommand(text, connection);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    private string ConnectionString(string encrypt, bool pooled) => new SqlConnectionStringBuilder
    {
        DataSource = $"tcp:127.0.0.1,{Listener.EndPoint.Port}",
        UserID = "sa",
        Password = FakeSqlServer.Password,
        Encrypt = SqlConnectionEncryptOption.Parse(encrypt),
        TrustServerCertificate = encrypt != "Strict",
        Pooling = pooled,
        ConnectTimeout = 30,
        ConnectRetryCount = 0,
    }.ConnectionString;
}
