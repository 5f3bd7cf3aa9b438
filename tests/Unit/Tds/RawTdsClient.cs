using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Unit.Tds;

/// <summary>A client that says on the wire exactly what a test wants to be said.</summary>
internal sealed class RawTdsClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Socket socket;

    private RawTdsClient(Socket socket) => this.socket = socket;

    /// <summary>The transaction that the server has begun, as requests carry it.</summary>
    public long Transaction { get; set; }

    /// <summary>Bytes sent at a time; 0 for all at once.</summary>
    public int Fragment { get; set; }

    public static async Task<RawTdsClient> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        return new RawTdsClient(socket);
    }

    public static async Task<RawTdsClient> LogInAsync(
        IPEndPoint endPoint, int packetSize = 4096, string password = FakeSqlServer.Password, uint version = 0x74000004)
    {
        var client = await ConnectAsync(endPoint);
        await client.SendAsync(0x12, PreLogin(2));
        await client.ReceiveAsync();
        await client.SendAsync(0x10, Login("sa", password, packetSize: packetSize, version: version));
        await client.ReceiveAsync();
        return client;
    }

    public static byte[] PreLogin(byte encryption) => [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, encryption];

    public static byte[] Login(
        string user,
        string password,
        string database = "",
        bool readOnly = false,
        int packetSize = 4096,
        uint version = 0x74000004,
        byte optionFlags2 = 0,
        byte[]? features = null)
    {
        var message = new byte[94];
        var data = new List<byte>();
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), version);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), packetSize);
        message[25] = optionFlags2;
        if (readOnly) message[26] = 0x20;
        Put(36, "host");
        Put(40, user);
        var hidden = Encoding.Unicode.GetBytes(password).Select(b => (byte)(((b << 4) | (b >> 4)) ^ 0xA5)).ToArray();
        PutBytes(44, hidden, password.Length);
        Put(48, "raw test");
        Put(68, database);
        if (features is not null)
        {
            message[27] = 0x10;
            PutBytes(56, BitConverter.GetBytes(94 + data.Count + 4), 4);
            data.AddRange(features);
        }

        BinaryPrimitives.WriteInt32LittleEndian(message, 94 + data.Count);
        return [.. message, .. data];

        void Put(int pointer, string text) => PutBytes(pointer, Encoding.Unicode.GetBytes(text), text.Length);

        void PutBytes(int pointer, byte[] bytes, int length)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(pointer), (ushort)(94 + data.Count));
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(pointer + 2), (ushort)length);
            data.AddRange(bytes);
        }
    }

    public static byte[] Headers { get; } = [22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];

    public static byte[] Batch(string text, long transaction = 0) => Within(transaction, [.. Headers, .. Encoding.Unicode.GetBytes(text)]);

    /// <summary>The same request in a transaction.</summary>
    public static byte[] Within(long transaction, byte[] request)
    {
        var copy = request.ToArray();
        if (copy.AsSpan().StartsWith(Headers)) BinaryPrimitives.WriteInt64LittleEndian(copy.AsSpan(10), transaction);
        return copy;
    }

    public async Task<IReadOnlyList<RawToken>> QueryAsync(string text)
    {
        await SendAsync(0x01, Batch(text));
        return await ReceiveTokensAsync();
    }

    public async Task SendAsync(byte type, byte[] payload, byte status = 0, int perPacket = 4088)
    {
        if (Transaction != 0) payload = Within(Transaction, payload);
        var position = 0;
        byte id = 0;
        do
        {
            var count = Math.Min(perPacket, payload.Length - position);
            var last = position + count == payload.Length;
            byte[] header = [type, (byte)((last ? 1 : 0) | (position == 0 ? status : 0)), (byte)((count + 8) >> 8), (byte)(count + 8), 0, 0, ++id, 0];
            await SendRawAsync((byte[])[.. header, .. payload.AsSpan(position, count)]);
            position += count;
        }
        while (position < payload.Length);
    }

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        using var bound = new CancellationTokenSource(Patience);
        while (bytes.Length > 0)
        {
            var count = Fragment == 0 ? bytes.Length : Math.Min(Fragment, bytes.Length);
            await socket.SendAsync(bytes[..count], bound.Token);
            bytes = bytes[count..];
        }
    }

    /// <summary>The payload of the next response, or null when the server has closed the connection.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        var payload = new List<byte>();
        while (true)
        {
            if (await TryReceivePacketAsync() is not { } packet) return null;
            payload.AddRange(packet.Payload);
            if (packet.EndOfMessage) return [.. payload];
        }
    }

    public async Task<(byte[] Payload, bool EndOfMessage, byte Id)> ReceivePacketAsync() =>
        await TryReceivePacketAsync() ?? throw new IOException("The server has closed the connection.");

    public async Task<IReadOnlyList<RawToken>> ReceiveTokensAsync()
    {
        var tokens = RawToken.Parse(await ReceiveAsync() ?? throw new IOException("The server has closed the connection."));
        foreach (var change in tokens.Where(token => token.Type == 0xE3))
        {
            Transaction = change.Number switch
            {
                8 => BinaryPrimitives.ReadInt64LittleEndian(Convert.FromHexString(change.Text).AsSpan(1)),
                9 or 10 => 0,
                _ => Transaction,
            };
        }

        return tokens;
    }

    /// <summary>Waits until the server closes, whatever it sends before.</summary>
    public async Task DrainAsync()
    {
        using var bound = new CancellationTokenSource(Patience);
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, bound.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset is closed, too.
        }
    }

    public void CloseSending() => socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => socket.Dispose();

    private async Task<(byte[] Payload, bool EndOfMessage, byte Id)?> TryReceivePacketAsync()
    {
        if (await ReadAsync(8) is not { } header) return null;
        Assert.That(header[0], Is.EqualTo(0x04));
        var payload = await ReadAsync(((header[2] << 8) | header[3]) - 8) ?? throw new IOException("Cut off.");
        return (payload, (header[1] & 1) != 0, header[6]);
    }

    private async Task<byte[]?> ReadAsync(int count)
    {
        using var bound = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            int got;
            try
            {
                got = await socket.ReceiveAsync(bytes.AsMemory(read), bound.Token);
            }
            catch (SocketException)
            {
                return null;
            }

            if (got == 0) return null;
            read += got;
        }

        return bytes;
    }
}
