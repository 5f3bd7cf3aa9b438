using SqlServerSimulator.Tds;

namespace Unit.Tds;

/// <summary>What a broken or hostile client may do to itself, and to nobody else.</summary>
internal sealed class TdsMalformedTests : TdsFixture
{
    protected override TdsOptions Options => base.Options with { LargestMessage = 1 << 20 };

    [TearDown]
    public void Nothing_unforeseen_was_logged() => Assert.That(Log, Has.None.Contains("Exception:"));

    [TestCaseSource(nameof(Openings))]
    public async Task Opening_that_is_wrong_is_closed(byte[] bytes)
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        await client.SendRawAsync(bytes);
        client.CloseSending();
        await client.DrainAsync();
        await StillServesAsync();
    }

    [TestCaseSource(nameof(Requests))]
    public async Task Request_that_is_wrong_is_answered_with_4002_and_closed(byte type, byte[] payload)
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(type, payload);
        Assert.That((await client.ReceiveTokensAsync())[0].Number, Is.EqualTo(4002));
        Assert.That(await client.ReceiveAsync(), Is.Null);
        await StillServesAsync();
    }

    [Test]
    public async Task Login_whose_fields_lie_outside_is_closed()
    {
        foreach (var pointer in new[] { 36, 40, 44, 48, 68 })
        {
            using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
            await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
            await client.ReceiveAsync();
            var login = RawTdsClient.Login("sa", FakeSqlServer.Password);
            login[pointer + 2] = 0xFF;
            login[pointer + 3] = 0x7F;
            await client.SendAsync(0x10, login);
            Assert.That(await client.ReceiveAsync(), Is.Null);
        }

        Assert.That(Server.Logins, Is.Empty);
        await StillServesAsync();
    }

    [Test]
    public async Task Message_larger_than_the_limit_is_closed()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        var packet = new byte[32000];
        (packet[0], packet[2], packet[3]) = (1, 32000 >> 8, unchecked((byte)32000));
        try
        {
            for (var sent = 0; sent < 2 << 20; sent += packet.Length) await client.SendRawAsync(packet);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Closed before all was sent.
        }

        await client.DrainAsync();
        await StillServesAsync();
    }

    [Test]
    public async Task Random_requests_harm_nobody([Range(1, 8)] int seed)
    {
        var random = new Random(seed);
        Server.OnProcedure = (_, parameters, output) =>
        {
            foreach (var parameter in parameters) output.OutputValue(parameter);
            return 0;
        };
        using var bystander = await RawTdsClient.LogInAsync(Listener.EndPoint);
        byte[][] seeds =
        [
            RawTdsClient.Batch("select 1"),
            [.. RawTdsClient.Headers, 0xFF, 0xFF, 10, 0, 0, 0, .. Rpc.NVarChar("select @a, @b"), .. Rpc.NVarChar("@a int, @b nvarchar(max)"), .. Rpc.Int(1), .. Rpc.NVarChar("x")],
            [.. RawTdsClient.Headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x6C, 5, 9, 2, 5, 0, 0x39, 0x30, 0, 0, 0, 0, 0x2A, 7, 8, 0x80, 0x96, 0x98, 0, 0, 2, 0, 0],
            [.. RawTdsClient.Headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x62, 0x49, 0x1F, 0, 0, 6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0, 0, 0, 0xA5, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 0, 0, 0, 0],
            [.. RawTdsClient.Headers, 5, 0, 2, 0],
        ];
        byte[] types = [1, 3, 3, 3, 0x0E];
        for (var i = 0; i < 60; i++)
        {
            var which = random.Next(seeds.Length);
            using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
            await client.SendAsync(types[which], Mutate(random, seeds[which]));
            // Every message that is whole has an answer.
            Assert.That(await client.ReceiveAsync(), Is.Not.Null);
        }

        await bystander.QueryAsync("still here");
    }

    [Test]
    public async Task Random_streams_harm_nobody([Range(1, 4)] int seed)
    {
        var random = new Random(seed);
        byte[] conversation =
        [
            .. Packet(0x12, RawTdsClient.PreLogin(2)), .. Packet(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password)),
            .. Packet(1, RawTdsClient.Batch("select 1")), .. Packet(6, []), .. Packet(1, RawTdsClient.Batch("select 2")),
        ];
        using var bystander = await RawTdsClient.LogInAsync(Listener.EndPoint);
        for (var i = 0; i < 60; i++)
        {
            using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
            await client.SendRawAsync(Mutate(random, conversation));
            client.CloseSending();
            await client.DrainAsync();
        }

        await bystander.QueryAsync("still here");
    }

    [Test]
    public async Task Random_TLS_handshakes_harm_nobody()
    {
        var random = new Random(11);
        for (var i = 0; i < 40; i++)
        {
            using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
            await client.SendAsync(0x12, RawTdsClient.PreLogin(1));
            await client.ReceiveAsync();
            var hello = new byte[random.Next(1, 300)];
            random.NextBytes(hello);
            if (i % 2 == 0) hello[0] = 0x16;
            await client.SendAsync((byte)(i % 5 == 0 ? 1 : 0x12), hello);
            client.CloseSending();
            await client.DrainAsync();
        }

        await StillServesAsync();
    }

    private static byte[] Packet(byte type, byte[] payload) => [type, 1, (byte)((payload.Length + 8) >> 8), (byte)(payload.Length + 8), 0, 0, 1, 0, .. payload];

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        var mutated = bytes.ToList();
        for (var change = random.Next(1, 5); change > 0; change--)
        {
            var position = random.Next(mutated.Count);
            switch (random.Next(4))
            {
                case 0: mutated[position] = (byte)random.Next(256); break;
                case 1: mutated[position] ^= (byte)(1 << random.Next(8)); break;
                case 2: mutated.Insert(position, (byte)random.Next(256)); break;
                default:
                    if (mutated.Count > position + 1) mutated.RemoveRange(position, random.Next(1, mutated.Count - position));
                    break;
            }
        }

        return [.. mutated];
    }

    private static IEnumerable<TestCaseData> Openings()
    {
        yield return Case("nothing", []);
        yield return Case("HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        yield return Case("half a header", [0x12, 1, 0]);
        yield return Case("packet shorter than its header", [0x12, 1, 0, 4, 0, 0, 1, 0]);
        yield return Case("packet cut off", [0x12, 1, 0, 40, 0, 0, 1, 0, 0]);
        yield return Case("login before prelogin", Packet(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password)));
        yield return Case("batch before login", [.. Packet(0x12, RawTdsClient.PreLogin(2)), .. Packet(1, RawTdsClient.Batch("x"))]);
        yield return Case("prelogin without end", Packet(0x12, [0, 0, 5, 0, 0]));
        yield return Case("prelogin option outside", Packet(0x12, [1, 0xFF, 0, 0, 1, 0xFF]));
        yield return Case("prelogin empty", Packet(0x12, []));
        yield return Case("login empty", [.. Packet(0x12, RawTdsClient.PreLogin(2)), .. Packet(0x10, [])]);
        yield return Case("login longer than it is", [.. Packet(0x12, RawTdsClient.PreLogin(2)), .. Packet(0x10, [0xFF, 0xFF, .. new byte[100]])]);
        yield return Case("TLS garbage", [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]);
        yield return Case("packets of one message differ", [0x12, 0, 0, 9, 0, 0, 1, 0, 0, 0x10, 1, 0, 8, 0, 0, 2, 0]);

        static TestCaseData Case(string name, byte[] bytes) => new TestCaseData(bytes).SetArgDisplayNames(name);
    }

    private static IEnumerable<TestCaseData> Requests()
    {
        byte[] headers = RawTdsClient.Headers;
        yield return Case("batch without headers", 1, [1]);
        yield return Case("headers too long", 1, [0xFF, 0, 0, 0, 1]);
        yield return Case("headers too short", 1, [3, 0, 0, 0]);
        yield return Case("header too long", 1, [10, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
        yield return Case("half a character", 1, [.. headers, 1]);
        yield return Case("call without name", 3, headers);
        yield return Case("call of no known number", 3, [.. headers, 0xFF, 0xFF, 99, 0, 0, 0]);
        yield return Case("value cut off", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x26, 4, 4, 1]);
        yield return Case("value longer than its type", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x26, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        yield return Case("integer of three bytes", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x26, 3, 3, 1, 2, 3]);
        yield return Case("chunk of 4 GB", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0xA5, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        yield return Case("chunks never end", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0xA5, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 7]);
        yield return Case("negative text length", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x22, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]);
        yield return Case("date outside the calendar", 3, [.. headers, .. Rpc.Name("p"), 0, 0, 0, 0, 0x6F, 8, 8, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0]);
        yield return Case("second login", 0x10, RawTdsClient.Login("sa", FakeSqlServer.Password));

        static TestCaseData Case(string name, byte type, byte[] payload) => new TestCaseData(type, payload).SetArgDisplayNames(name);
    }

    private async Task StillServesAsync()
    {
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        Assert.That((await client.QueryAsync("x")).Single().Type, Is.EqualTo(0xFD));
    }
}

internal sealed class TdsListenerTests : TdsFixture
{
    protected override TdsOptions Options => base.Options with { LoginTimeout = TimeSpan.FromMilliseconds(200), CancelTimeout = TimeSpan.FromMilliseconds(100), LargestConnectionCount = 3 };

    [TestCaseSource(nameof(FallingSilent))]
    public async Task Client_that_falls_silent_before_it_has_logged_in_is_closed(byte[][] packets)
    {
        using var client = await RawTdsClient.ConnectAsync(Listener.EndPoint);
        foreach (var packet in packets) await client.SendRawAsync(packet);
        await client.DrainAsync();
        Assert.That(() => Listener.ConnectionCount, Is.Zero.After(30).Seconds.PollEvery(5));
        Assert.That(Server.Logins, Is.Empty);
    }

    private static IEnumerable<TestCaseData> FallingSilent()
    {
        byte[] Packet(byte type, byte[] payload) => [type, 1, (byte)((payload.Length + 8) >> 8), (byte)(payload.Length + 8), 0, 0, 1, 0, .. payload];
        var login = Packet(0x10, RawTdsClient.Login("sa", FakeSqlServer.Password));
        yield return new TestCaseData((object)Array.Empty<byte[]>()).SetArgDisplayNames("at once");
        yield return new TestCaseData((object)new[] { new byte[] { 0x12, 1, 0 } }).SetArgDisplayNames("within a header");
        yield return new TestCaseData((object)new[] { Packet(0x12, RawTdsClient.PreLogin(2)) }).SetArgDisplayNames("after PRELOGIN");
        yield return new TestCaseData((object)new[] { Packet(0x12, RawTdsClient.PreLogin(1)) }).SetArgDisplayNames("before its TLS handshake");
        yield return new TestCaseData((object)new[] { new byte[] { 0x16, 3, 1, 0, 200, 1 } }).SetArgDisplayNames("within its TLS handshake");
        yield return new TestCaseData((object)new[] { Packet(0x12, RawTdsClient.PreLogin(2)), login[..^1] }).SetArgDisplayNames("within its login");
    }

    [Test]
    public async Task Session_that_ignores_its_cancellation_loses_its_connection_and_is_disposed_of_later()
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server.OnBatch = (_, _, _, _, _) => end.Task;
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("deaf"));
        await client.SendAsync(0x06, []);
        Assert.That(await client.ReceiveAsync(), Is.Null);
        Assert.That(Log, Has.Some.Contains("did not end its cancelled request"));
        Assert.That(Server.Sessions.Single().Disposed.Task.IsCompleted, Is.False);
        end.SetResult();
        await Server.Sessions.Single().Disposed.Task.WaitAsync(Patience);
    }

    [Test]
    public async Task Connections_over_the_limit_are_closed_at_once()
    {
        var clients = new List<RawTdsClient>();
        for (var i = 0; i < 3; i++) clients.Add(await RawTdsClient.LogInAsync(Listener.EndPoint));
        using (var fourth = await RawTdsClient.ConnectAsync(Listener.EndPoint)) Assert.That(await fourth.ReceiveAsync(), Is.Null);
        clients.ForEach(client => client.Dispose());
        Assert.That(() => Listener.ConnectionCount, Is.Zero.After(30).Seconds.PollEvery(5));
        using var fifth = await RawTdsClient.LogInAsync(Listener.EndPoint);
    }

    [Test]
    public async Task Disposing_ends_running_batches_and_frees_the_port()
    {
        var started = new TaskCompletionSource();
        Server.OnBatch = async (_, _, _, _, attention) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, attention);
        };
        using var client = await RawTdsClient.LogInAsync(Listener.EndPoint);
        await client.SendAsync(0x01, RawTdsClient.Batch("slow"));
        await started.Task.WaitAsync(Patience);
        await Listener.DisposeAsync();
        Assert.That(Server.Sessions.Single().Disposed.Task.IsCompleted);
        Assert.That(await client.ReceiveAsync(), Is.Null);
        await using var again = await TdsListener.StartAsync(Listener.EndPoint, Server, Options, CancellationToken.None);
        Assert.That(again.EndPoint, Is.EqualTo(Listener.EndPoint));
    }

    [Test]
    public void Self_made_certificate_is_kept_and_only_its_owner_can_read_it()
    {
        var folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var file = Path.Combine(folder, "secrets", "tls.pem");
        try
        {
            using var first = ServerCertificate.LoadOrCreate(file, "one", TimeProvider.System);
            using var second = ServerCertificate.LoadOrCreate(file, "one", TimeProvider.System);
            Assert.That(second.Thumbprint, Is.EqualTo(first.Thumbprint));
            Assert.That(second.HasPrivateKey);
            if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            File.WriteAllText(file, "damaged");
            using var third = ServerCertificate.LoadOrCreate(file, "one", TimeProvider.System);
            Assert.That(third.Thumbprint, Is.Not.EqualTo(first.Thumbprint));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
