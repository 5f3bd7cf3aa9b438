using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SqlServerSimulator.Tds;

/// <summary>
/// A growing buffer with the primitives of TDS tokens (little-endian unless the name says otherwise). It is kept from one response to the
/// next, and belongs to no pool: a request that was given up may still write to it.
/// </summary>
internal sealed class TokenBuffer
{
    private const int InitialSize = 4096;
    private const int LargestKept = 1 << 20;

    private byte[] bytes = new byte[InitialSize];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>Forgets the first bytes, which have been sent.</summary>
    public void Discard(int count)
    {
        var rest = bytes.AsSpan(count, Length - count);
        Length = rest.Length;
        if (bytes.Length <= LargestKept) rest.CopyTo(bytes);
        else
        {
            var smaller = new byte[Math.Max(InitialSize, rest.Length)];
            rest.CopyTo(smaller);
            bytes = smaller;
        }
    }

    /// <summary>Takes back all that was written after <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    public Span<byte> Take(int count)
    {
        if (bytes.Length - Length < count) Grow(count);
        var span = bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }

    public void Byte(byte value) => Take(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void UInt16BigEndian(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void Int16(short value) => BinaryPrimitives.WriteInt16LittleEndian(Take(2), value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void UInt32BigEndian(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    /// <summary>The low <paramref name="count"/> bytes of a value.</summary>
    public void LowBytes(long value, int count)
    {
        var span = Take(count);
        for (var i = 0; i < count; i++) span[i] = (byte)(value >> (8 * i));
    }

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Utf16(ReadOnlySpan<char> value)
    {
        if (BitConverter.IsLittleEndian) Bytes(MemoryMarshal.AsBytes(value));
        else Encoding.Unicode.GetBytes(value, Take(value.Length * 2));
    }

    /// <summary>UTF-16 text with its length in characters in one byte; longer text is cut.</summary>
    public void ShortText(ReadOnlySpan<char> value)
    {
        if (value.Length > byte.MaxValue) value = value[..byte.MaxValue];
        Byte((byte)value.Length);
        Utf16(value);
    }

    /// <summary>UTF-16 text with its length in characters in two bytes; longer text is cut.</summary>
    public void LongText(ReadOnlySpan<char> value, int limit = ushort.MaxValue)
    {
        if (value.Length > limit) value = value[..limit];
        UInt16((ushort)value.Length);
        Utf16(value);
    }

    /// <summary>Reserves a two-byte length, to be filled by <see cref="EndLength"/>.</summary>
    public int BeginLength()
    {
        Take(2);
        return Length;
    }

    public void EndLength(int begin) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(begin - 2), checked((ushort)(Length - begin)));

    private void Grow(int count)
    {
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max(Length + (long)count, bytes.Length * 2L)));
        Written.CopyTo(larger);
        bytes = larger;
    }
}
