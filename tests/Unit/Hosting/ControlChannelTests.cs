using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Data.SqlClient;
using Sandbox;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.Hosting;
using SqlServerSimulator.Hosting.Control;
using SqlServerSimulator.Tds;
using SqlServerSimulator.TSql.Execution;
using Unit.TSql;

namespace Unit.Hosting;

/// <summary>Faults asked for over the control channel, and what a client over the wire then sees.</summary>
internal sealed class ControlChannelTests
{
    private const string Password = "Sa!Passw0rd";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private string folder = "";
    private InstanceHost host = null!;
    private SqlServer server = null!;
    private ControlChannel channel = null!;

    private string Socket => Path.Combine(folder, "c.sock");

    [SetUp]
    public void Open()
    {
        folder = Directory.CreateTempSubdirectory("faults-").FullName;
        host = new InstanceHost(
            new InstanceOptions { MachineName = "mssql1-0", SaPassword = Password }, folder, IPAddress.Loopback, _ => { }, synchronize: false);
        server = new SqlServer(host, new SqlServerSettings { DiagnosticsDuration = TimeSpan.FromMilliseconds(1) });
        channel = ControlChannel.Open(host, Socket);
    }

    [TearDown]
    public async Task Close()
    {
        await channel.DisposeAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task Faults_are_asked_for_listed_and_cleared_over_the_socket()
    {
        Assert.That((await Ask("""{"fault":"slow-disk","latencyMs":200}""")).ToJsonString(), Is.EqualTo("""{"ok":true}"""));
        await Ask("""{"fault":"link-drop","peer":"b","direction":"in","forMs":100000}""");
        var list = (await Ask("""{"list":true}"""))["faults"]!.AsArray();
        Assert.That(list.Select(entry => (string?)entry!["fault"]), Is.EqualTo(new[] { "slow-disk", "link-drop" }));
        Assert.That((string?)list[1]!["subject"], Is.EqualTo("b"));
        Assert.That((long)list[1]!["leftMs"]!, Is.InRange(1, 100_000));
        Assert.That((int)(await Ask("""{"clear":"slow-disk"}"""))["cleared"]!, Is.EqualTo(1));
        Assert.That((int)(await Ask("""{"clear":"all"}"""))["cleared"]!, Is.EqualTo(1));
        Assert.That((await Ask("""{"list":true}"""))["faults"]!.AsArray(), Is.Empty);
    }

    [TestCase("""{"fault":"slow-disc"}""", "fault: found \"slow-disc\", expected one of ")]
    [TestCase("""{"fault":3}""", "fault: found 3, expected one of ")]
    [TestCase("""{}""", "fault: found nothing, expected the name of a fault.")]
    [TestCase("""{"fault":"slow-disk"}""", "latencyMs: found nothing, expected a number of milliseconds from 1 on.")]
    [TestCase("""{"fault":"slow-disk","latencyMs":"long"}""", "latencyMs: found \"long\", expected a number of milliseconds from 1 on.")]
    [TestCase("""{"fault":"slow-disk","latencyMs":5,"peer":"b"}""", "peer: found a field that this request does not have, expected only fault, forMs, latencyMs.")]
    [TestCase("""{"fault":"freeze","forMs":0}""", "forMs: found 0, expected a number of milliseconds from 1 on.")]
    [TestCase("""{"fault":"link-drop","direction":"up"}""", "direction: found \"up\", expected both, in, out.")]
    [TestCase("""{"fault":"diagnostics","component":"io_subsystem","state":3}""", "state: found 3, expected 0 or 1 or 2.")]
    [TestCase("""{"fault":"diagnostics","component":"events","state":3}""", "component: found \"events\", expected ")]
    [TestCase("""{"fault":"suspect","database":""}""", "database: found \"\", expected a text.")]
    [TestCase("""{"clear":"slow-disc"}""", "clear: found \"slow-disc\", expected all or one of ")]
    [TestCase("""{"fault":""", "found what is no JSON")]
    [TestCase("""[1]""", "found [1], expected an object with fault, list or clear.")]
    public void A_mistake_names_the_field_what_was_found_and_what_was_expected(string line, string start)
    {
        var answer = channel.Answer(line);
        Assert.That((bool)answer["ok"]!, Is.False);
        Assert.That((string?)answer["error"], Does.StartWith(start));
        Assert.That(host.Faults, Is.Empty);
    }

    [Test]
    public void Faults_from_the_start_are_read_or_refused_with_the_variables_name()
    {
        List<string> mistakes = [];
        var faults = FaultCatalog.ReadAll("""[{"fault":"slow-recovery","durationMs":5000},{"fault":"suspect","database":"d"}]""", "SANDBOX_FAULTS", mistakes);
        Assert.That(faults, Is.EqualTo(new Fault[] { new SlowRecovery("*", TimeSpan.FromSeconds(5)), new DamagedDatabase("d", Damage.Suspect) }));
        Assert.That(mistakes, Is.Empty);
        FaultCatalog.ReadAll("""{"fault":"freeze"}""", "SANDBOX_FAULTS", mistakes);
        FaultCatalog.ReadAll("""{"fault":"slow-recovery"}""", "SANDBOX_FAULTS", mistakes);
        FaultCatalog.ReadAll("nonsense", "SANDBOX_FAULTS", mistakes);
        Assert.That(mistakes, Has.Count.EqualTo(3).And.All.StartsWith("SANDBOX_FAULTS: "));
    }

    // Over the wire

    [Test]
    public async Task A_frozen_server_accepts_and_sends_no_byte_until_it_thaws()
    {
        await using var listener = await Listen();
        await using var open = await Connect(listener);
        await Ask("""{"fault":"freeze"}""");
        using var probe = new TcpClient();
        await probe.ConnectAsync(listener.EndPoint);
        await probe.GetStream().WriteAsync(new byte[] { 0x12, 1, 0, 8, 0, 0, 0, 0 });
        var query = Scalar(open, "SELECT 1");
        Assert.That(host.Faults.Single().Fault, Is.EqualTo(new Freeze()), "the channel itself answers");

        // Whatever has not been sent when the freeze is listed cannot come before it is cleared.
        Assert.That(query.IsCompleted, Is.False);
        Assert.That(probe.Available, Is.Zero);
        Assert.That((int)(await Ask("""{"clear":"freeze"}"""))["cleared"]!, Is.EqualTo(1));
        Assert.That(await query.WaitAsync(Bound), Is.EqualTo(1));
    }

    [Test]
    public async Task A_freeze_for_a_time_ends_by_itself()
    {
        await using var listener = await Listen();
        await using var open = await Connect(listener);
        await Ask("""{"fault":"freeze","forMs":200}""");
        Assert.That(await Scalar(open, "SELECT 1").WaitAsync(Bound), Is.EqualTo(1));
        Assert.That(host.Faults, Is.Empty);
    }

    [TestCase(824)]
    [TestCase(823)]
    public async Task A_corrupt_page_ends_the_connection_after_its_error(int number)
    {
        await using var listener = await Listen();
        await using var open = await Connect(listener);
        await Scalar(open, "CREATE DATABASE d; CREATE TABLE d.dbo.t (id int NOT NULL PRIMARY KEY); INSERT INTO d.dbo.t VALUES (1)");
        await Ask($$"""{"fault":"page-corruption","database":"d","table":"t","error":{{number}}}""");
        var error = (await Assert.ThrowsAsync<SqlException>(() => Scalar(open, "BEGIN TRY SELECT id FROM d.dbo.t END TRY BEGIN CATCH SELECT 2 END CATCH; SELECT 3")))!;
        Assert.That((error.Number, (int)error.Class), Is.EqualTo((number, 24)));
        Assert.That(() => host.Read(instance => instance.Sessions.Count), Is.Zero.After(10_000, 10), "the session is gone");
        await Ask("""{"clear":"all"}""");
        await using var again = await Connect(listener);
        Assert.That(await Scalar(again, "SELECT id FROM d.dbo.t"), Is.EqualTo(1));
    }

    [Test]
    public async Task Out_of_memory_refuses_queries_and_leaves_diagnostics()
    {
        await using var session = await LogIn();
        await Ask("""{"fault":"out-of-memory","persistentMs":0}""");
        Assert.That((await SqlFixture.RunAsync(session, "SELECT name FROM sys.databases")).Errors, Is.EqualTo(new[] { 701 }));
        var diagnostics = await SqlFixture.RunAsync(session, "EXEC sp_server_diagnostics");
        Assert.That(diagnostics.Rows.Single(row => Equals(row[2], "resource"))[3], Is.EqualTo(3));
        await Ask("""{"clear":"all"}""");
        Assert.That((await SqlFixture.RunAsync(session, "SELECT name FROM sys.databases")).Errors, Is.Empty);
    }

    [Test]
    public async Task Deadlocked_schedulers_let_logins_and_batches_hang_until_they_are_free()
    {
        await using var session = await LogIn();
        await Ask("""{"fault":"deadlocked-schedulers"}""");
        using var attention = new CancellationTokenSource();
        var output = new RecordingOutput();
        var batch = session.ExecuteBatchAsync("SELECT 1", [], output, attention.Token);
        var login = LogIn();
        await attention.CancelAsync();
        Assert.That((batch.IsCompleted, login.IsCompleted), Is.EqualTo((false, false)), "not even an attention is taken");
        await Ask("""{"clear":"all"}""");
        Assert.That(async () => await batch.WaitAsync(Bound), Throws.InstanceOf<OperationCanceledException>());
        await (await login.WaitAsync(Bound)).DisposeAsync();
    }

    [Test]
    public async Task Silent_diagnostics_never_return_until_they_are_cancelled()
    {
        await using var session = await LogIn();
        await Ask("""{"fault":"silent-diagnostics"}""");
        using var attention = new CancellationTokenSource();
        var output = new RecordingOutput();
        var batch = session.ExecuteBatchAsync("EXEC sp_server_diagnostics", [], output, attention.Token);
        Assert.That((await SqlFixture.RunAsync(await LogIn(), "SELECT 1")).Errors, Is.Empty, "others go on");
        Assert.That(batch.IsCompleted, Is.False);
        await attention.CancelAsync();
        Assert.That(async () => await batch.WaitAsync(Bound), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(output.Rows, Is.Empty);
    }

    [Test]
    public async Task A_clock_jump_moves_the_functions_of_time()
    {
        await using var session = await LogIn();
        await Ask("""{"fault":"clock-jump","offsetMs":-315360000000}""");
        var year = ((DateTime)(await SqlFixture.RunAsync(session, "SELECT SYSUTCDATETIME()")).Rows[0][0]!).Year;
        Assert.That(year, Is.LessThan(DateTime.UtcNow.Year - 5));
    }

    [Test]
    public void A_certificate_that_is_shown_as_expired_has_the_same_key_and_is_not_valid()
    {
        var own = host.CreateCertificate("dbm", DateTime.UtcNow.AddDays(-1), DateTime.UtcNow.AddDays(1));
        var expired = MirroringHandshake.Expire(own, DateTime.UtcNow);
        using var before = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(own.Certificate);
        using var after = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(expired.Certificate);
        Assert.That(after.GetPublicKey(), Is.EqualTo(before.GetPublicKey()));
        Assert.That(after.NotAfter.ToUniversalTime(), Is.LessThan(DateTime.UtcNow));
    }

    [TestCase(false, false, ExpectedResult = "")]
    [TestCase(true, false, ExpectedResult = "expired")]
    [TestCase(false, true, ExpectedResult = "expired")]
    public async Task<string> A_handshake_fails_on_both_sides_when_either_certificate_has_expired(bool dialler, bool listener)
    {
        using var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        var own = host.CreateCertificate("dbm", DateTime.UtcNow.AddDays(-1), DateTime.UtcNow.AddDays(1));
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)port.LocalEndpoint);
        using var accepted = await port.AcceptTcpClientAsync();
        Task Side(TcpClient side, bool dialled, bool expired) => MirroringHandshake.RunAsync(
            side.GetStream(), dialled, expired ? MirroringHandshake.Expire(own, DateTime.UtcNow) : own, DateTime.UtcNow, CancellationToken.None);
        var sides = new[] { Side(client, true, dialler), Side(accepted, false, listener) };
        var errors = new List<string>();
        foreach (var side in sides)
        {
            try
            {
                await side.WaitAsync(Bound);
            }
            catch (InvalidDataException error)
            {
                errors.Add(error.Message);
            }
        }

        Assert.That(errors, Has.Count.EqualTo(dialler || listener ? 2 : 0).And.All.Contains("Certificate expired"));
        return errors.Count == 0 ? "" : "expired";
    }

    // The sandbox's command

    [Test]
    public void Words_of_the_command_line_become_a_request()
    {
        Assert.That(FaultCommand.Request("slow-disk", ["latencyMs=200"], out _)!.ToJsonString(), Is.EqualTo("""{"fault":"slow-disk","latencyMs":200}"""));
        Assert.That(FaultCommand.Request("link-cut", ["peer=mssql2-0"], out _)!.ToJsonString(), Is.EqualTo("""{"fault":"link-cut","peer":"mssql2-0"}"""));
        Assert.That(FaultCommand.Request("list", [], out _)!.ToJsonString(), Is.EqualTo("""{"list":true}"""));
        Assert.That(FaultCommand.Request("clear", [], out _)!.ToJsonString(), Is.EqualTo("""{"clear":"all"}"""));
        Assert.That(FaultCommand.Request("clear", ["freeze"], out _)!.ToJsonString(), Is.EqualTo("""{"clear":"freeze"}"""));
        Assert.That(FaultCommand.Request("slow-disk", ["latencyMs"], out var mistake), Is.Null);
        Assert.That(mistake, Is.EqualTo("found 'latencyMs', expected NAME=VALUE once for each name"));
    }

    private async Task<JsonObject> Ask(string request)
    {
        using var bound = new CancellationTokenSource(Bound);
        return await ControlClient.AskAsync(Socket, JsonNode.Parse(request)!.AsObject(), bound.Token);
    }

    private async Task<ISqlSession> LogIn() =>
        (await server.LoginAsync(new LoginRequest("sa", Password, "", false, "", ""), CancellationToken.None)).Session!;

    private Task<TdsListener> Listen() => TdsListener.StartAsync(
        new IPEndPoint(IPAddress.Loopback, 0), server, new TdsOptions { Wrap = host.Freezable }, CancellationToken.None);

    private static async Task<SqlConnection> Connect(TdsListener listener)
    {
        var connection = new SqlConnection(
            $"Data Source=tcp:127.0.0.1,{listener.EndPoint.Port};User ID=sa;Password={Password};Encrypt=Optional;Pooling=false;ConnectRetryCount=0");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<object?> Scalar(SqlConnection connection, string text)
    {
        await using var command = new SqlCommand(text, connection);
        return await command.ExecuteScalarAsync();
    }
}
