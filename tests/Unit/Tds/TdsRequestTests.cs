using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;

namespace Unit.Tds;

internal sealed class TdsRequestTests : TdsFixture
{
    private static readonly SqlType Int = new(SqlKind.Int);

    [Test]
    public async Task Login_answers_in_the_order_clients_rely_on()
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        Assert.That((await client.ReceiveAsync())!.AsSpan(0, 10).ToArray(), Is.EqualTo(new byte[] { 0, 0, 26, 0, 6, 1, 0, 32, 0, 1 }));
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, "sales", readOnly: true));
        var tokens = await client.ReceiveTokensAsync();
        Assert.That(Lines(tokens), Is.EqualTo(new[] { "env 1", "info 5701", "env 2", "info 5703", "env 7", "loginack", "env 4", "done" }));
        Assert.That(tokens[5].Text, Does.StartWith("0174000004").And.EndWith("10001027"));
        Assert.That(Server.Logins.Single(), Is.EqualTo(new LoginRequest("sa", FakeSqlServer.Password, "sales", true, "raw test", "host")));
    }

    [Test]
    public async Task Login_failure_hides_its_state_and_closes()
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, RawTdsClient.Login("sa", "secret-guess"));
        var tokens = await client.ReceiveTokensAsync();
        Assert.That(Lines(tokens), Is.EqualTo(new[] { "error 18456", "done failed" }));
        Assert.That(tokens[0].Status, Is.EqualTo(1));
        Assert.That(await client.ReceiveAsync(), Is.Null);
        Assert.That(Log, Has.Some.Contains("state 8").And.None.Contains("secret-guess"));
    }

    [Test]
    public async Task Routed_login_names_the_other_server()
    {
        Server.OnLogin = _ => new LoginOutcome(null, []) { Route = ("other.example", 1444) };
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, readOnly: true));
        var route = (await client.ReceiveTokensAsync()).Single(token => token is { Type: 0xE3, Number: 20 });
        Assert.That(route.Text, Is.EqualTo("1F0000A4050D00" + Convert.ToHexString(Encoding.Unicode.GetBytes("other.example")) + "0000"));
    }

    [TestCase(0x71000001u, (byte)0, 17828)]
    [TestCase(0x74000004u, (byte)0x80, 18452)]
    public async Task Logins_of_other_kinds_are_refused(uint version, byte flags, int number)
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, version: version, optionFlags2: flags));
        Assert.That((await client.ReceiveTokensAsync())[0].Number, Is.EqualTo(number));
        Assert.That(Server.Logins, Is.Empty);
    }

    [Test]
    public async Task Federated_login_is_refused()
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        byte[] features = [0x02, 5, 0, 0, 0, 3, 0, 0, 0, 0, 0xFF];
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, features: features));
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "error 18456", "done failed" }));
        Assert.That(Server.Logins, Is.Empty);
    }

    [Test]
    public async Task Several_active_results_are_not_offered_and_cannot_be_had()
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        // VERSION, ENCRYPTION and MARS, which is asked for.
        await client.SendAsync(0x12, [0, 0, 16, 0, 6, 1, 0, 22, 0, 1, 4, 0, 23, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 2, 1]);
        var reply = (await client.ReceiveAsync())!;
        var mars = Enumerable.Range(0, 5).Select(i => reply.AsSpan(i * 5, 5).ToArray()).Single(option => option[0] == 4);
        Assert.That(reply[(mars[1] << 8) | mars[2]], Is.Zero);
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password));
        await client.ReceiveAsync();
        // The first packet of a multiplexed session.
        await client.SendRawAsync(new byte[] { 0x53, 1, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0 });
        Assert.That(await client.ReceiveAsync(), Is.Null);
    }

    [Test]
    public async Task Only_the_feature_that_is_there_is_acknowledged()
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        byte[] features = [0x0A, 0, 0, 0, 0, 0x01, 2, 0, 0, 0, 7, 7, 0xFF];
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, features: features));
        Assert.That(Lines(await client.ReceiveTokensAsync()).TakeLast(4), Is.EqualTo(new[] { "loginack", "env 4", "features 0A", "done" }));
    }

    [Test]
    public async Task Each_statement_has_its_done_and_only_the_last_is_final()
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("a", Int)]);
            output.Row([1]);
            output.Row([null]);
            output.StatementDone(2);
            output.Message(new SqlError(50000, 0, 1, "printed"));
            output.StatementDone(null);
            output.StatementDone(7);
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "columns a", "row 1", "row -", "done more 2", "info 50000", "done more", "done 7" }));
    }

    [Test]
    public async Task Errors_mark_the_done_that_follows_even_when_the_session_forgets_it()
    {
        Server.OnBatch = (_, text, _, output, _) =>
        {
            output.Message(new SqlError(208, 16, 1, "no"));
            if (text == "twice") output.StatementDone(null);
            output.Columns([new SqlColumn("a", Int)]);
            output.Message(new SqlError(8134, 16, 1, "zero"));
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        string[] expected = ["error 208", "done more failed", "columns a", "error 8134", "done failed"];
        Assert.That(Lines(await client.QueryAsync("once")), Is.EqualTo(expected));
        Assert.That(Lines(await client.QueryAsync("twice")), Is.EqualTo(expected));
    }

    [Test]
    public async Task Information_after_the_last_statement_is_followed_by_a_done()
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.StatementDone(1);
            output.Message(new SqlError(50000, 0, 1, "late"));
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "done more 1", "info 50000", "done" }));
    }

    [Test]
    public async Task Change_of_database_brings_its_message_once()
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.DatabaseChanged("master", "sales");
            output.Message(new SqlError(5701, 10, 2, "Changed database context to 'sales'."));
            output.StatementDone(null);
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("use")), Is.EqualTo(new[] { "env 1", "info 5701", "done" }));
    }

    [Test]
    public async Task Flush_sends_what_is_there_while_the_batch_goes_on()
    {
        var goOn = new TaskCompletionSource();
        Server.OnBatch = async (_, _, _, output, attention) =>
        {
            output.Columns([new SqlColumn("a", Int)]);
            output.Row([1]);
            output.StatementDone(1);
            await output.FlushAsync();
            await goOn.Task.WaitAsync(Patience, attention);
            output.StatementDone(2);
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("x"));
        var first = await client.ReceivePacketAsync();
        Assert.That(first.EndOfMessage, Is.False);
        Assert.That(Lines(RawToken.Parse(first.Payload)), Is.EqualTo(new[] { "columns a", "row 1", "done more 1" }));
        goOn.SetResult();
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done 2" }));
    }

    [TestCase(0, 4096)]
    [TestCase(1, 512)]
    [TestCase(512, 512)]
    [TestCase(777, 777)]
    [TestCase(4096, 4096)]
    [TestCase(32767, 32767)]
    [TestCase(32768, 32767)]
    public async Task Packets_are_as_large_as_agreed_and_numbered(int asked, int agreed)
    {
        var text = new string('x', 3000);
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("a", new SqlType(SqlKind.NVarChar, 4000))]);
            for (var i = 0; i < 20; i++) output.Row([text]);
            output.StatementDone(20);
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password, packetSize: asked));
        var size = (await client.ReceiveTokensAsync()).Single(token => token is { Type: 0xE3, Number: 4 });
        Assert.That(size.Text, Does.StartWith($"{agreed.ToString().Length:X2}{Convert.ToHexString(Encoding.Unicode.GetBytes(agreed.ToString()))}"));
        await client.SendAsync(0x01, RawTdsClient.Batch("x"), perPacket: agreed - 8);
        var all = new List<byte>();
        for (var id = 1; ; id++)
        {
            var packet = await client.ReceivePacketAsync();
            all.AddRange(packet.Payload);
            Assert.That(packet.Id, Is.EqualTo((byte)id));
            if (packet.EndOfMessage) break;
            Assert.That(packet.Payload, Has.Length.EqualTo(agreed - 8));
        }

        Assert.That(RawToken.Parse([.. all])[1].Values[0], Is.EqualTo(text));
    }

    [TestCase(4096)]
    [TestCase(8000)]
    [TestCase(32767)]
    public async Task Large_results_arrive_whole_and_in_full_packets(int packetSize)
    {
        var text = string.Concat(Enumerable.Range(0, 400_000).Select(i => (char)('a' + (i % 26)) + "☖"));
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("t", new SqlType(SqlKind.NVarChar, -1)), new SqlColumn("b", new SqlType(SqlKind.Int))]);
            for (var i = 0; i < 3; i++) output.Row([text, i]);
            for (var i = 3; i < 100_000; i++) output.Row(["", i]);
            output.StatementDone(100_000);
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint, packetSize);
        await client.SendAsync(0x01, RawTdsClient.Batch("x"));
        var all = new List<byte>();
        while (true)
        {
            var packet = await client.ReceivePacketAsync();
            all.AddRange(packet.Payload);
            if (packet.EndOfMessage) break;
            Assert.That(packet.Payload, Has.Length.EqualTo(packetSize - 8));
        }

        var tokens = RawToken.Parse([.. all]);
        Assert.That(tokens, Has.Count.EqualTo(100_002));
        Assert.That(tokens.Skip(1).Take(3).All(token => text.Equals(token.Values[0])));
        Assert.That(tokens.Skip(1).Take(100_000).Select(token => token.Values[1]), Is.EqualTo(Enumerable.Range(0, 100_000)));
    }

    [TestCase(1)]
    [TestCase(7)]
    public async Task Requests_may_arrive_in_any_pieces(int fragment)
    {
        var received = "";
        Server.OnBatch = (_, text, _, _, _) =>
        {
            received = text;
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        client.Fragment = fragment;
        var text = "select '" + new string('ü', 700) + "'";
        await client.SendAsync(0x01, RawTdsClient.Batch(text), perPacket: 100);
        await client.ReceiveTokensAsync();
        Assert.That(received, Is.EqualTo(text));
    }

    [Test]
    public async Task Attention_ends_a_running_batch()
    {
        var started = new TaskCompletionSource();
        Server.OnBatch = async (_, text, _, output, attention) =>
        {
            if (text == "after") return;
            output.StatementDone(1);
            started.SetResult();
            await Task.Delay(Timeout.Infinite, attention);
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("slow"));
        await started.Task.WaitAsync(Patience);
        await client.SendAsync(0x06, []);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done more 1", "done failed" }));
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done attention" }), "in a message of its own");
        Assert.That(Lines(await client.QueryAsync("after")), Is.EqualTo(new[] { "done" }));
    }

    [Test]
    public async Task Attention_ends_a_batch_that_never_awaits()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.OnBatch = (_, _, _, _, attention) =>
        {
            started.SetResult();
            attention.WaitHandle.WaitOne(Patience);
            attention.ThrowIfCancellationRequested();
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("spin"));
        await started.Task.WaitAsync(Patience);
        await client.SendAsync(0x06, []);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done failed" }));
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done attention" }));
    }

    [Test]
    public async Task Attention_after_the_reply_is_answered_alone()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "done" }));
        await client.SendAsync(0x06, []);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done attention" }));
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "done" }));
    }

    [Test]
    public async Task Attention_may_cut_off_a_request_half_sent()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        var batch = RawTdsClient.Batch("never runs");
        await client.SendRawAsync(new byte[] { 0x01, 0, 0, (byte)(8 + batch.Length), 0, 0, 1, 0 }.Concat(batch).ToArray());
        await client.SendAsync(0x06, []);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "done attention" }));
    }

    [Test]
    public async Task Ignored_request_is_not_run()
    {
        var count = 0;
        Server.OnBatch = (_, _, _, _, _) =>
        {
            count++;
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("ignored"), status: 0x02);
        await client.QueryAsync("run");
        Assert.That(count, Is.EqualTo(1));
    }

    [TestCase((byte)0x08, "env 18,env 10,done")]
    [TestCase((byte)0x18, "env 18,env 10,done")]
    [TestCase((byte)0x10, "env 18,done intran")]
    public async Task Reset_comes_before_the_request_and_ends_the_transaction_unless_it_is_to_stay(byte status, string expected)
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Server.OnBatch = (session, _, _, output, _) =>
        {
            session.InTransaction = true;
            output.StatementDone(null);
            return Task.CompletedTask;
        };
        Assert.That(Lines(await client.QueryAsync("begin")), Is.EqualTo(new[] { "done more", "env 8", "done intran" }));
        var resetsSeen = 0;
        Server.OnBatch = (session, _, _, _, _) =>
        {
            resetsSeen = session.Resets;
            return Task.CompletedTask;
        };
        await client.SendAsync(0x01, RawTdsClient.Batch("x"), status);
        Assert.That(string.Join(',', Lines(await client.ReceiveTokensAsync())), Is.EqualTo(expected));
        Assert.That(resetsSeen, Is.EqualTo(1));
    }

    [Test]
    public async Task Transaction_manager_begins_commits_and_rolls_back()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, 5, 0, 2, 0]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "env 8", "done intran" }));
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, 7, 0, 0, 0]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "env 9", "done" }));
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, 5, 0, 2, 0]);
        await client.ReceiveTokensAsync();
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, 8, 0, 0, 0]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "env 10", "done" }));
        await client.SendAsync(0x0E, [.. RawTdsClient.Headers, 6, 0]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "error 8522", "done failed" }));
    }

    [Test]
    public async Task Rows_of_a_bulk_load_arrive_with_their_columns()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        byte[] integer = [0, 0, 0, 0, 9, 0, 0x26, 4, 1, (byte)'n', 0];
        byte[] text = [0, 0, 0, 0, 9, 0, 0xE7, 20, 0, 9, 4, 0xD0, 0, 0x34, 1, (byte)'t', 0];
        byte[] rows = [0xD1, 4, 7, 0, 0, 0, 2, 0, (byte)'x', 0, 0xD1, 0, 0xFF, 0xFF];
        byte[] done = [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        await client.SendAsync(0x07, [0x81, 2, 0, .. integer, .. text, .. rows, .. done]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "columns n,t", "row 7,x", "row -,-", "done 2" }));
    }

    [TestCase(new byte[] { 1, 2, 3 }, TestName = "A_bulk_load_of_no_columns")]
    [TestCase(new byte[] { 0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0x26, 4, 0, 0xD1, 4, 7 }, TestName = "A_bulk_load_that_is_cut_off")]
    [TestCase(new byte[] { 0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0x26, 4, 0, 0xFF }, TestName = "A_bulk_load_of_something_else")]
    public async Task Broken(byte[] load)
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x07, load);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "error 4002", "done failed" }));
        Assert.That(await client.ReceiveAsync(), Is.Null);
    }

    [Test]
    public async Task A_bulk_load_of_a_type_of_old_is_refused_and_the_connection_goes_on()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x07, [0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0x22, 0, 0, 0, 1]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "error 4816", "done failed" }));
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "done" }));
    }

    [Test]
    public async Task Defect_of_the_engine_closes_only_its_connection()
    {
        Server.OnBatch = (_, text, _, output, _) => text == "break"
            ? throw new InvalidOperationException("a defect")
            : Task.CompletedTask;
        using var other = await RawTdsClient.LogInAsync(Listener.EndPoint);
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("break")), Is.EqualTo(new[] { "error 3624", "done failed" }));
        Assert.That(await client.ReceiveAsync(), Is.Null);
        Assert.That(Log, Has.Some.Contains("a defect"));
        Assert.That(Lines(await other.QueryAsync("x")), Is.EqualTo(new[] { "done" }));
    }

    [Test]
    public async Task Row_that_cannot_be_written_leaves_no_half_token()
    {
        Server.OnBatch = (_, _, _, output, _) =>
        {
            output.Columns([new SqlColumn("a", Int), new SqlColumn("b", new SqlType(SqlKind.UniqueIdentifier))]);
            output.Row([1, "not a guid"]);
            return Task.CompletedTask;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "columns a,b", "error 3624", "done failed" }));
    }

    [Test]
    public async Task Session_that_the_server_ends_closes_its_connection()
    {
        var started = new TaskCompletionSource();
        Server.OnBatch = async (_, _, _, _, attention) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, attention);
        };
        using var idle = await RawTdsClient.LogInAsync(Listener.EndPoint);
        using var busy = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await busy.SendAsync(0x01, RawTdsClient.Batch("slow"));
        await started.Task.WaitAsync(Patience);
        foreach (var session in Server.Sessions) session.Kill();
        Assert.That(await idle.ReceiveAsync(), Is.Null);
        Assert.That(await busy.ReceiveAsync(), Is.Null);
        foreach (var session in Server.Sessions) await session.Disposed.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task Client_that_leaves_cancels_its_batch()
    {
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        Server.OnBatch = async (_, _, _, _, attention) =>
        {
            started.SetResult();
            await using var registration = attention.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, attention);
        };
        var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("slow"));
        await started.Task.WaitAsync(Patience);
        client.Dispose();
        await cancelled.Task.WaitAsync(Patience);
        await Server.Sessions.Single().Disposed.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task Procedure_by_name_returns_status_and_output()
    {
        Server.OnProcedure = (name, parameters, output) =>
        {
            output.Columns([new SqlColumn("a", Int)]);
            output.StatementDone(0);
            output.OutputValue(parameters[1] with { Value = name + parameters[0].Value });
            return 7;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        var tokens = await client.CallAsync("sp_it", Rpc.Int(3, "@a"), Rpc.Output(Rpc.NVarChar("", "@b")));
        Assert.That(Lines(tokens), Is.EqualTo(new[] { "columns a", "doneinproc more 0", "return 7", "output @b=sp_it3", "doneproc" }));
        Assert.That(tokens[3].Number, Is.EqualTo(1));
    }

    [Test]
    public async Task Several_calls_in_one_message_all_answer()
    {
        Server.OnProcedure = (name, _, _) => name.Length;
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x03, [.. RawTdsClient.Headers, .. Rpc.Name("a"), 0, 0, 0xFF, .. Rpc.Name("bb"), 0, 0, .. Rpc.Int(1)]);
        Assert.That(Lines(await client.ReceiveTokensAsync()), Is.EqualTo(new[] { "return 1", "doneproc more", "return 2", "doneproc" }));
    }

    [TestCaseSource(nameof(Parameters))]
    public async Task Parameter(byte[] wire, SqlType type, object? value)
    {
        SqlParameterValue? seen = null;
        Server.OnProcedure = (_, parameters, _) =>
        {
            seen = parameters[0];
            Assert.That(parameters[1].Value, Is.EqualTo(77));
            return 0;
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That(Lines(await client.CallAsync("p", [0, 0, .. wire], Rpc.Int(77))), Is.EqualTo(new[] { "return 0", "doneproc" }));
        Assert.That(seen!.Value, Is.EqualTo(value));
        Assert.That(seen.Type, Is.EqualTo(type));
    }

    [Test]
    public async Task Parameter_of_a_type_not_taken_is_refused_and_the_connection_goes_on()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        var tokens = await client.CallAsync("p", Rpc.Int(1), [0, 0, 0xF3, 0, 0, 0, 0]);
        Assert.That(tokens[0].Number, Is.EqualTo(8009));
        Assert.That(tokens[0].Text, Does.Contain("Parameter 2").And.Contain("0xF3"));
        Assert.That(Lines(await client.QueryAsync("x")), Is.EqualTo(new[] { "done" }));
    }

    private static IEnumerable<TestCaseData> Parameters()
    {
        byte[] collation = [9, 4, 0xD0, 0, 0x34];
        byte[] utf8 = [9, 4, 0xD0, 4, 0x34];
        yield return Case("tinyint", [0x26, 1, 1, 200], new(SqlKind.TinyInt), (byte)200);
        yield return Case("smallint", [0x26, 2, 2, 0xFE, 0xFF], new(SqlKind.SmallInt), (short)-2);
        yield return Case("int null", [0x26, 4, 0], Int, null);
        yield return Case("bigint", [0x26, 8, 8, 1, 0, 0, 0, 0, 0, 0, 0x80], new(SqlKind.BigInt), long.MinValue + 1);
        yield return Case("int fixed", [0x38, 5, 0, 0, 0], Int, 5);
        yield return Case("bit", [0x68, 1, 1, 1], new(SqlKind.Bit), true);
        yield return Case("bit null", [0x68, 1, 0], new(SqlKind.Bit), null);
        yield return Case("real", [0x6D, 4, 4, 0, 0, 0xC0, 0x3F], new(SqlKind.Real), 1.5f);
        yield return Case("float", [0x6D, 8, 8, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F], new(SqlKind.Float), 1.5);
        yield return Case("guid", [0x24, 16, 16, .. Guid.Parse("00112233-4455-6677-8899-aabbccddeeff").ToByteArray()], new(SqlKind.UniqueIdentifier), Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"));
        yield return Case("guid null", [0x24, 16, 0], new(SqlKind.UniqueIdentifier), null);
        yield return Case("numeric", [0x6C, 5, 9, 2, 5, 0, 0x39, 0x30, 0, 0], new(SqlKind.Numeric, 0, 9, 2), new BigInteger(-12345));
        yield return Case("decimal null", [0x6A, 17, 38, 0, 0], new(SqlKind.Numeric, 0, 38), null);
        yield return Case("money", [0x6E, 8, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0, 0xD8, 0xFF, 0xFF], new(SqlKind.Money), -1m);
        yield return Case("smallmoney", [0x6E, 4, 4, 0x10, 0x27, 0, 0], new(SqlKind.SmallMoney), 1m);
        yield return Case("datetime", [0x6F, 8, 8, 1, 0, 0, 0, 0x2C, 1, 0, 0], new(SqlKind.DateTime), new DateTime(1900, 1, 2, 0, 0, 1));
        yield return Case("smalldatetime", [0x6F, 4, 4, 1, 0, 61, 0], new(SqlKind.SmallDateTime), new DateTime(1900, 1, 2, 1, 1, 0));
        yield return Case("date", [0x28, 3, 1, 0, 0], new(SqlKind.Date), new DateTime(1, 1, 2));
        yield return Case("time", [0x29, 0, 3, 61, 0, 0], new(SqlKind.Time), new TimeSpan(0, 1, 1));
        yield return Case("datetime2", [0x2A, 7, 8, 0x80, 0x96, 0x98, 0, 0, 2, 0, 0], new(SqlKind.DateTime2, 0, 0, 7), new DateTime(1, 1, 3, 0, 0, 1));
        yield return Case("datetimeoffset", [0x2B, 0, 8, 1, 0, 0, 2, 0, 0, 60, 0], new(SqlKind.DateTimeOffset), new DateTimeOffset(1, 1, 3, 1, 0, 1, TimeSpan.FromHours(1)));
        yield return Case("nvarchar", [0xE7, 8, 0, .. collation, 4, 0, 0xE4, 0, 0x16, 0x26], new(SqlKind.NVarChar, 4), "ä☖");
        yield return Case("nvarchar empty", [0xE7, 8, 0, .. collation, 0, 0], new(SqlKind.NVarChar, 4), "");
        yield return Case("nvarchar null", [0xE7, 8, 0, .. collation, 0xFF, 0xFF], new(SqlKind.NVarChar, 4), null);
        yield return Case("nvarchar max in chunks", [0xE7, 0xFF, 0xFF, .. collation, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0x61, 3, 0, 0, 0, 0, 0x62, 0, 0, 0, 0, 0], new(SqlKind.NVarChar, -1), "ab");
        yield return Case("nvarchar max null", [0xE7, 0xFF, 0xFF, .. collation, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], new(SqlKind.NVarChar, -1), null);
        yield return Case("varchar 1252", [0xA7, 8, 0, .. collation, 2, 0, 0x80, 0xE4], new(SqlKind.VarChar, 8), "€ä");
        yield return Case("varchar utf-8", [0xA7, 8, 0, .. utf8, 3, 0, 0xE2, 0x82, 0xAC], new(SqlKind.VarChar, 8), "€");
        yield return Case("nchar", [0xEF, 4, 0, .. collation, 4, 0, 0x61, 0, 0x20, 0], new(SqlKind.NChar, 2), "a ");
        yield return Case("varbinary", [0xA5, 8, 0, 2, 0, 1, 2], new(SqlKind.VarBinary, 8), new byte[] { 1, 2 });
        yield return Case("varbinary max", [0xA5, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 0, 0, 0, 0], new(SqlKind.VarBinary, -1), new byte[] { 1, 2 });
        yield return Case("ntext", [0x63, 0xFF, 0xFF, 0xFF, 0x7F, .. collation, 2, 0, 0, 0, 0x61, 0], new(SqlKind.NVarChar, -1), "a");
        yield return Case("text null", [0x23, 0xFF, 0xFF, 0xFF, 0x7F, .. collation, 0xFF, 0xFF, 0xFF, 0xFF], new(SqlKind.VarChar, -1), null);
        yield return Case("image", [0x22, 0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 0, 0, 9], new(SqlKind.VarBinary, -1), new byte[] { 9 });
        yield return Case("variant int", [0x62, 0x49, 0x1F, 0, 0, 6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0], new(SqlKind.Variant), 7);
        yield return Case("variant nvarchar", [0x62, 0x49, 0x1F, 0, 0, 11, 0, 0, 0, 0xE7, 7, .. collation, 8, 0, 0x61, 0], new(SqlKind.Variant), "a");
        yield return Case("variant null", [0x62, 0x49, 0x1F, 0, 0, 0, 0, 0, 0], new(SqlKind.Variant), null);

        static TestCaseData Case(string name, byte[] wire, SqlType type, object? value) => new TestCaseData(wire, type, value).SetArgDisplayNames(name);
    }

    private static string[] Lines(IReadOnlyList<RawToken> tokens) => [.. tokens.Select(token => token.ToString())];
}
