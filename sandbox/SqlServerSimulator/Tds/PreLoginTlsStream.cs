using System.Buffers.Binary;

namespace SqlServerSimulator.Tds;

/// <summary>Carries a TLS handshake inside PRELOGIN packets, as TDS 7 does; afterwards it is transparent.</summary>
internal sealed class PreLoginTlsStream(Stream inner) : DuplexStream(inner)
{
    private readonly byte[] header = new byte[Tds.HeaderSize];
    private int remaining;
    private byte packetId;

    public bool HandshakeDone { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0) return 0;
        while (remaining == 0 && !HandshakeDone)
        {
            await Inner.ReadExactlyAsync(header, cancellationToken);
            if (header[0] != (byte)PacketType.PreLogin) throw new IOException("The TLS handshake left the PRELOGIN packets.");
            remaining = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2)) - Tds.HeaderSize;
            if (remaining < 0) throw new IOException("A PRELOGIN packet is shorter than its header.");
        }

        if (remaining == 0) return await Inner.ReadAsync(buffer, cancellationToken);
        var count = await Inner.ReadAsync(buffer[..Math.Min(buffer.Length, remaining)], cancellationToken);
        remaining -= count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (HandshakeDone)
        {
            await Inner.WriteAsync(buffer, cancellationToken);
            return;
        }

        const int perPacket = Tds.DefaultPacketSize - Tds.HeaderSize;
        while (buffer.Length > 0)
        {
            var count = Math.Min(perPacket, buffer.Length);
            var packet = new byte[count + Tds.HeaderSize];
            packet[0] = (byte)PacketType.PreLogin;
            packet[1] = (byte)(count == buffer.Length ? PacketStatus.EndOfMessage : PacketStatus.None);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[6] = ++packetId;
            buffer[..count].CopyTo(packet.AsMemory(Tds.HeaderSize));
            await Inner.WriteAsync(packet, cancellationToken);
            buffer = buffer[count..];
        }
    }
}
