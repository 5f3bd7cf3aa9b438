using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using SqlServerSimulator.Tds;
using Unit.TSql;

namespace Unit.Tds;

/// <summary>
/// Damaged conversations against the whole server, T-SQL and engine included. Each stream is the same for the same seed; a stream that
/// fails names its number. FUZZ_STREAMS runs more or fewer of them.
/// </summary>
internal sealed class TdsFuzzTests
{
    private const int Seed = 20_240_601;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly int Streams = int.Parse(Environment.GetEnvironmentVariable("FUZZ_STREAMS") ?? "10000", CultureInfo.InvariantCulture);

    private readonly ConcurrentQueue<string> log = new();
    private SqlFixture sql = null!;
    private TdsListener listener = null!;

    private TdsOptions Options => new() { Log = log.Enqueue, LargestMessage = 1 << 20 };

    [OneTimeSetUp]
    public async Task Start()
    {
        sql = await SqlFixture.OpenAsync();
        listener = await TdsListener.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), sql.Server, Options, CancellationToken.None);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await listener.DisposeAsync();
        await sql.DisposeAsync();
    }

    [Test]
    public async Task Good_conversations_are_answered_to_the_end([Range(0, 5)] int which)
    {
        // An attention that finds its request running shares its answer.
        var expected = Conversation.Good[which].Count(message => message.Type != 6);
        var stream = new ScriptedStream(Conversation.ToBytes(Conversation.Good[which]), new Random(which)) { Expected = expected };
        await ServeAsync(stream, 0);
        var responses = Conversation.Responses(stream.Answers);
        Assert.That(responses, Has.Count.GreaterThanOrEqualTo(expected));
        var tokens = responses.Skip(1).SelectMany(RawToken.Parse).ToList();
        Assert.That(tokens.Where(token => token.Type == 0xAA).Select(token => $"{token.Number}: {token.Text}"), Is.Empty);
    }

    [Test]
    public async Task Damaged_streams_leave_no_session_and_disturb_nobody()
    {
        var baseline = sql.SessionCount;
        using var neighbour = await LogInAsync();
        var damage = Parallel.ForEachAsync(Enumerable.Range(0, Streams), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (number, _) =>
        {
            var random = new Random(Seed + number);
            var stream = new ScriptedStream(Conversation.Mutated(random), random);
            await ServeAsync(stream, number);
            try
            {
                foreach (var response in Conversation.Responses(stream.Answers).Skip(1)) RawToken.Parse(response);
            }
            catch (Exception e)
            {
                throw new AssertionException($"Stream {number} has an answer that no client can read: {e.Message} {Convert.ToHexString(stream.Answers)}", e);
            }
        });
        var asked = 0;
        do
        {
            var answer = await neighbour.QueryAsync($"SELECT {++asked}");
            Assert.That(answer.Select(token => token.ToString()), Is.EqualTo(new[] { "columns ", $"row {asked}", "done 1" }));
            await Task.WhenAny(damage, Task.Delay(TimeSpan.FromMilliseconds(5)));
        }
        while (!damage.IsCompleted);
        await damage;
        neighbour.Dispose();
        Assert.That(() => sql.SessionCount, Is.EqualTo(baseline).After(30).Seconds.PollEvery(10));
    }

    private async Task ServeAsync(ScriptedStream stream, int number)
    {
        var certificate = new Lazy<Task<SslStreamCertificateContext>>(() => throw new IOException("No certificate here."));
        using var connection = new TdsConnection(stream, $"stream {number}", sql.Server, Options, certificate);
        await connection.RunAsync().WaitAsync(Patience);
        Assert.That(log.Where(line => line.Contains("Exception", StringComparison.Ordinal)), Is.Empty, $"Stream {number} met a defect.");
    }

    private async Task<RawTdsClient> LogInAsync()
    {
        var client = await RawTdsClient.ConnectAsync(listener.EndPoint);
        await client.SendAsync(0x12, RawTdsClient.PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, RawTdsClient.Login("sa", SqlFixture.Password));
        await client.ReceiveAsync();
        return client;
    }
}
