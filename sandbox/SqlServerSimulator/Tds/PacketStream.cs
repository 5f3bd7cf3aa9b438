using System.Buffers.Binary;

namespace SqlServerSimulator.Tds;

/// <summary>A whole message. The payload is valid until the next one is read.</summary>
internal readonly record struct TdsMessage(PacketType Type, PacketStatus Status, ReadOnlyMemory<byte> Payload);

/// <summary>Joins incoming packets to messages and cuts outgoing tokens into packets. One reader and one writer may work at a time.</summary>
internal sealed class PacketStream(Stream stream, int largestMessage)
{
    private const int ReadSize = 16 * 1024;
    private const int BackgroundThreshold = 64 * 1024;
    private const int LargestKept = 1 << 20;

    private byte[] input = new byte[ReadSize];
    private byte[] message = new byte[Tds.DefaultPacketSize];
    private byte[] frames = new byte[Tds.DefaultPacketSize];
    private int start;
    private int end;
    private byte packetId;
    private Task writing = Task.CompletedTask;

    /// <summary>Tokens that wait to be sent.</summary>
    public TokenBuffer Output { get; } = new();

    public int PacketSize { get; set; } = Tds.DefaultPacketSize;

    public short SessionId { get; set; }

    /// <summary>Whether the client reads rows that tell their NULLs by a bitmap.</summary>
    public bool NullBitmaps { get; set; }

    public int LargestMessage { get; set; } = largestMessage;

    /// <summary>The stream under the packets; encryption may end or begin between two messages.</summary>
    public Stream Stream { get; set; } = stream;

    /// <summary>The next byte, which stays where it is; null at the end.</summary>
    public async ValueTask<byte?> PeekAsync(CancellationToken cancellationToken) =>
        await FillAsync(1, endAllowed: true, cancellationToken) ? input[start] : null;

    /// <summary>Takes out what has been read ahead, for whoever reads the stream from here on.</summary>
    public byte[] TakeBuffered()
    {
        var bytes = input[start..end];
        start = end = 0;
        return bytes;
    }

    /// <summary>Reads the next message.</summary>
    /// <returns>The message, or null when the client has closed its side between messages.</returns>
    public async ValueTask<TdsMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        PacketType? type = null;
        var first = PacketStatus.None;
        while (true)
        {
            if (!await FillAsync(Tds.HeaderSize, type is null, cancellationToken)) return null;
            var header = input.AsSpan(start, Tds.HeaderSize);
            var packetType = (PacketType)header[0];
            var status = (PacketStatus)header[1];
            var remaining = BinaryPrimitives.ReadUInt16BigEndian(header[2..]) - Tds.HeaderSize;
            start += Tds.HeaderSize;
            if (remaining < 0) throw new TdsProtocolException("A packet is shorter than its header.");
            if (!Enum.IsDefined(packetType) || packetType == PacketType.Response) throw new TdsProtocolException("A packet has a type that no client sends.");
            if (type != packetType)
            {
                // An attention may cut off a request that was not sent to its end.
                if (type is not null && packetType != PacketType.Attention) throw new TdsProtocolException("The packets of one message differ in type.");
                type = packetType;
                first = status;
                length = 0;
            }

            if (remaining > LargestMessage - length) throw new TdsProtocolException("A message is larger than this server accepts.");
            Reserve(length, remaining);
            while (remaining > 0)
            {
                if (start == end) await FillAsync(1, false, cancellationToken);
                var count = Math.Min(remaining, end - start);
                input.AsSpan(start, count).CopyTo(message.AsSpan(length));
                start += count;
                length += count;
                remaining -= count;
            }

            if ((status & PacketStatus.EndOfMessage) == 0) continue;
            if ((status & PacketStatus.Ignore) == 0) return new TdsMessage(packetType, first, message.AsMemory(0, length));
            type = null;
            length = 0;
        }
    }

    /// <summary>Starts to send whole packets when much has gathered; nothing waits for the client here.</summary>
    public void Relieve(CancellationToken cancellationToken)
    {
        if (Output.Length < BackgroundThreshold || !writing.IsCompletedSuccessfully) return;
        var perPacket = PacketSize - Tds.HeaderSize;
        var count = Frame(Output.Length / perPacket * perPacket, endOfMessage: false);
        writing = SendAsync(count, cancellationToken);
    }

    /// <summary>Sends all that was written; <paramref name="endOfMessage"/> ends the response.</summary>
    public async ValueTask FlushAsync(bool endOfMessage, CancellationToken cancellationToken)
    {
        await writing;
        if (Output.Length == 0) return;
        var count = Frame(Output.Length, endOfMessage);
        if (endOfMessage) packetId = 0;
        await SendAsync(count, cancellationToken);
        await Stream.FlushAsync(cancellationToken);
    }

    /// <summary>Waits until no write is under way, whatever came of it.</summary>
    public async Task QuiesceAsync()
    {
        try
        {
            await writing;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is gone: what could not be sent is of no use to anyone.
        }
    }

    /// <summary>One write a packet, so that a TLS record holds one, as clients are used to: SqlClient stalls on packets in pieces.</summary>
    private async Task SendAsync(int count, CancellationToken cancellationToken)
    {
        for (var position = 0; position < count; position += PacketSize)
            await Stream.WriteAsync(frames.AsMemory(position, Math.Min(PacketSize, count - position)), cancellationToken);
    }

    private int Frame(int length, bool endOfMessage)
    {
        var payload = Output.Written[..length];
        var perPacket = PacketSize - Tds.HeaderSize;
        var packets = (payload.Length + perPacket - 1) / perPacket;
        var size = payload.Length + (packets * Tds.HeaderSize);
        if (frames.Length < size || frames.Length > LargestKept) frames = GC.AllocateUninitializedArray<byte>(Math.Max(size, Tds.DefaultPacketSize));

        var position = 0;
        while (payload.Length > 0)
        {
            var count = Math.Min(perPacket, payload.Length);
            var header = frames.AsSpan(position, Tds.HeaderSize);
            header[0] = (byte)PacketType.Response;
            header[1] = (byte)(endOfMessage && count == payload.Length ? PacketStatus.EndOfMessage : PacketStatus.None);
            BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(count + Tds.HeaderSize));
            BinaryPrimitives.WriteInt16BigEndian(header[4..], SessionId);
            header[6] = ++packetId;
            header[7] = 0;
            payload[..count].CopyTo(frames.AsSpan(position + Tds.HeaderSize));
            position += count + Tds.HeaderSize;
            payload = payload[count..];
        }

        Output.Discard(length);
        return position;
    }

    private void Reserve(int length, int more)
    {
        if (message.Length - length >= more && (length > 0 || message.Length <= LargestKept)) return;
        var larger = GC.AllocateUninitializedArray<byte>(Math.Max(Math.Max(length + more, Tds.DefaultPacketSize), length > 0 ? message.Length * 2 : 0));
        message.AsSpan(0, length).CopyTo(larger);
        message = larger;
    }

    private async ValueTask<bool> FillAsync(int wanted, bool endAllowed, CancellationToken cancellationToken)
    {
        if (end - start >= wanted) return true;
        input.AsSpan(start, end - start).CopyTo(input);
        (start, end) = (0, end - start);
        while (end < wanted)
        {
            var count = await Stream.ReadAsync(input.AsMemory(end), cancellationToken);
            if (count == 0)
            {
                if (endAllowed && end == 0) return false;
                throw new TdsProtocolException("The client closed the connection within a message.");
            }

            end += count;
        }

        return true;
    }
}
