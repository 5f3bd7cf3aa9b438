using Unit.TSql;

namespace Unit.Tds;

/// <summary>One message of a client.</summary>
internal sealed record ClientMessage(byte Type, byte[] Payload, byte Status = 0);

/// <summary>What good clients say from first to last, and what becomes of it when the line or the client is bad.</summary>
internal static class Conversation
{
    private const int PreLogin = 0x12, Login = 0x10, Batch = 1, Call = 3, Attention = 6, Bulk = 7, Transaction = 0x0E;

    /// <summary>Conversations that a server answers without an error.</summary>
    public static IReadOnlyList<IReadOnlyList<ClientMessage>> Good { get; } =
    [
        [.. Opening(), Text("SELECT 1 AS one, N'two' AS two, 0x03 AS three"), Text("PRINT 'hello'; SELECT name, database_id, create_date FROM sys.databases"), Text("SELECT CAST(4 AS bigint)", reset: true)],
        [.. Opening(), Begin(0), Text("SELECT @@TRANCOUNT", within: 1), End(7, 1), Begin(2), End(8, 2), Text("BEGIN TRAN"), Text("ROLLBACK", within: 3)],
        [
            .. Opening(),
            Rpc(10, Unit.Tds.Rpc.NVarChar("SELECT @a + 1, @b"), Unit.Tds.Rpc.NVarChar("@a int, @b nvarchar(40)"), Unit.Tds.Rpc.Int(41, "@a"), Unit.Tds.Rpc.NVarChar("x", "@b")),
            Rpc(13, Unit.Tds.Rpc.Output(Unit.Tds.Rpc.Int(0)), Unit.Tds.Rpc.NVarChar("@p int"), Unit.Tds.Rpc.NVarChar("SELECT @p * 2"), Unit.Tds.Rpc.Int(5)),
            Rpc(12, Unit.Tds.Rpc.Int(1), Unit.Tds.Rpc.Int(8)),
            Rpc(15, Unit.Tds.Rpc.Int(1)),
            Rpc("sp_set_session_context", Unit.Tds.Rpc.NVarChar("k", "@key"), Unit.Tds.Rpc.NVarChar("v", "@value")),
        ],
        [.. Opening(), Text("WAITFOR DELAY '00:00:00.050'"), new(Attention, []), Text("SELECT 1"), new(Attention, [])],
        [.. Opening(features: [0x0A, 1, 0, 0, 0, 1, 0x04, 0, 0, 0, 0, 0xFF]), Text("SELECT REPLICATE(N'abc', 3000)"), Text("SELECT TOP 20 a.name, b.name FROM sys.databases a CROSS JOIN sys.databases b ORDER BY 1, 2")],
        [.. Opening(), .. ParametersOfEveryType()],
    ];

    /// <summary>The same conversation after an accident, the same for the same random numbers.</summary>
    public static byte[] Mutated(Random random)
    {
        var messages = Good[random.Next(Good.Count)].ToList();
        // Most accidents come after the login, where most of the code is.
        var first = random.Next(4) == 0 || messages.Count < 3 ? 0 : 2;
        for (var accident = random.Next(1, 4); accident > 0; accident--)
        {
            var at = random.Next(Math.Min(first, messages.Count - 1), messages.Count);
            var message = messages[at];
            switch (random.Next(10))
            {
                case 0: messages.Insert(at, messages[random.Next(messages.Count)]); break;
                case 1 when messages.Count > 1: messages.RemoveAt(at); break;
                case 2: messages[at] = message with { Type = (byte)random.Next(0, 0x14) }; break;
                case 3: messages[at] = message with { Status = (byte)random.Next(0, 0x20) }; break;
                case 4: messages.Insert(at, new ClientMessage(Attention, [])); break;
                default: messages[at] = message with { Payload = Scramble(random, message.Payload) }; break;
            }
        }

        var bytes = ToBytes(messages, random.Next(3) == 0 ? random.Next(1, 600) : 4088);
        return random.Next(4) == 0 ? Scramble(random, bytes) : random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    public static byte[] ToBytes(IReadOnlyList<ClientMessage> messages, int perPacket = 4088)
    {
        var bytes = new List<byte>();
        foreach (var message in messages)
        {
            var position = 0;
            byte id = 0;
            do
            {
                var count = Math.Min(perPacket, message.Payload.Length - position);
                var last = position + count == message.Payload.Length;
                bytes.AddRange([message.Type, (byte)((last ? 1 : 0) | (position == 0 ? message.Status : 0)), (byte)((count + 8) >> 8), (byte)(count + 8), 0, 0, ++id, 0]);
                bytes.AddRange(message.Payload.AsSpan(position, count));
                position += count;
            }
            while (position < message.Payload.Length);
        }

        return [.. bytes];
    }

    /// <summary>The payloads of whole responses.</summary>
    public static IReadOnlyList<byte[]> Responses(ReadOnlySpan<byte> answers)
    {
        var responses = new List<byte[]>();
        var payload = new List<byte>();
        while (answers.Length > 0)
        {
            Assert.That(answers.Length, Is.GreaterThanOrEqualTo(8), "A packet has less than its header.");
            var length = (answers[2] << 8) | answers[3];
            Assert.That((answers[0], length is >= 8 && length <= answers.Length), Is.EqualTo(((byte)4, true)), "The server's packets lost their frame.");
            payload.AddRange(answers[8..length]);
            if ((answers[1] & 1) != 0)
            {
                responses.Add([.. payload]);
                payload.Clear();
            }

            answers = answers[length..];
        }

        return responses;
    }

    private static byte[] Scramble(Random random, byte[] bytes)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        var scrambled = bytes.ToList();
        for (var change = random.Next(1, 5); change > 0 && scrambled.Count > 0; change--)
        {
            var at = random.Next(scrambled.Count);
            switch (random.Next(7))
            {
                case 0: scrambled[at] = (byte)random.Next(256); break;
                case 1: scrambled[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: scrambled[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)0; break;
                case 3: scrambled.Insert(at, (byte)random.Next(256)); break;
                case 4:
                    for (var i = at; i < Math.Min(at + 4, scrambled.Count); i++) scrambled[i] = 0xFF;
                    break;
                case 5: scrambled.RemoveRange(at, Math.Min(random.Next(1, 9), scrambled.Count - at)); break;
                default: scrambled.RemoveRange(at, scrambled.Count - at); break;
            }
        }

        return [.. scrambled];
    }

    private static IEnumerable<ClientMessage> Opening(byte[]? features = null) =>
        [new(PreLogin, RawTdsClient.PreLogin(2)), new(Login, RawTdsClient.Login("sa", SqlFixture.Password, features: features))];

    private static ClientMessage Text(string text, bool reset = false, long within = 0) => new(Batch, RawTdsClient.Batch(text, within), reset ? (byte)8 : (byte)0);

    private static ClientMessage Rpc(byte procedure, params byte[][] parameters) =>
        new(Call, [.. RawTdsClient.Headers, 0xFF, 0xFF, procedure, 0, 0, 0, .. parameters.SelectMany(bytes => bytes)]);

    private static ClientMessage Rpc(string procedure, params byte[][] parameters) =>
        new(Call, [.. RawTdsClient.Headers, .. Unit.Tds.Rpc.Name(procedure), 0, 0, .. parameters.SelectMany(bytes => bytes)]);

    private static ClientMessage Begin(byte isolation) => new(Transaction, [.. RawTdsClient.Headers, 5, 0, isolation, 0]);

    private static ClientMessage End(byte type, long within) => new(Transaction, RawTdsClient.Within(within, [.. RawTdsClient.Headers, type, 0, 0, 0]));

    private static IEnumerable<ClientMessage> ParametersOfEveryType() => WireParameters.All.Select(parameter => Rpc(
        10, Unit.Tds.Rpc.NVarChar("SELECT @p"), Unit.Tds.Rpc.NVarChar($"@p {parameter.Declaration}"), [2, (byte)'@', 0, (byte)'p', 0, 0, .. parameter.Wire]));
}
