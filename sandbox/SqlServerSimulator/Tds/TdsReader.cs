using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SqlServerSimulator.Tds;

/// <summary>Reads the fields of one message; running out of bytes is a protocol error, never an index error.</summary>
internal ref struct TdsReader(ReadOnlySpan<byte> bytes)
{
    private const ushort TransactionHeader = 2;

    private readonly ReadOnlySpan<byte> bytes = bytes;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == bytes.Length;

    public readonly int Remaining => bytes.Length - Position;

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > bytes.Length - Position) throw new TdsProtocolException("The message ends before its last field.");
        var span = bytes.Slice(Position, count);
        Position += count;
        return span;
    }

    public readonly byte Peek() => AtEnd ? throw new TdsProtocolException("The message ends before its last field.") : bytes[Position];

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public ushort UInt16BigEndian() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public short Int16() => BinaryPrimitives.ReadInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long LowBytes(int count)
    {
        long value = 0;
        var span = Take(count);
        for (var i = 0; i < count; i++) value |= (long)span[i] << (8 * i);
        return value;
    }

    public string Utf16(int characters) => Utf16(Take(checked(characters * 2)));

    /// <summary>Code units as they are: nvarchar holds any, half a surrogate pair too.</summary>
    public static string Utf16(ReadOnlySpan<byte> bytes) =>
        BitConverter.IsLittleEndian ? new string(MemoryMarshal.Cast<byte, char>(bytes)) : Encoding.Unicode.GetString(bytes);

    public string ShortText() => Utf16(Byte());

    /// <summary>Reads the headers that precede each request since TDS 7.2.</summary>
    /// <returns>The transaction in which the client believes itself to be; 0 is none.</returns>
    public long AllHeaders()
    {
        long transaction = 0;
        var total = UInt32();
        if (total < 4 || total - 4 > (uint)Remaining) throw new TdsProtocolException("The request headers do not fit the message.");
        var headers = new TdsReader(Take((int)total - 4));
        while (!headers.AtEnd)
        {
            var length = headers.UInt32();
            if (length < 6 || length - 4 > (uint)headers.Remaining) throw new TdsProtocolException("A request header does not fit its headers.");
            var header = new TdsReader(headers.Take((int)length - 4));
            if (header.UInt16() == TransactionHeader) transaction = header.Int64();
        }

        return transaction;
    }
}
