using System.Buffers.Binary;
using System.Numerics;

namespace SqlServerSimulator.Engine;

/// <summary>Length, checksum and content of what an append-only file holds.</summary>
internal static class LogFrame
{
    public const int Overhead = 8;

    public static byte[] Write(byte[] payload)
    {
        var frame = new byte[payload.Length + Overhead];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), Checksum(payload));
        payload.CopyTo(frame, Overhead);
        return frame;
    }

    /// <summary>Reads whole frames; the length returned is where the good part ends.</summary>
    public static (List<byte[]> Payloads, long Length) ReadAll(byte[] file)
    {
        List<byte[]> payloads = [];
        var at = 0;
        while (file.Length - at >= Overhead)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));
            if (!IsWhole(file, at, length))
            {
                break;
            }

            payloads.Add(file.AsSpan(at + Overhead, length).ToArray());
            at += Overhead + length;
        }

        return (payloads, at);
    }

    /// <summary>
    /// Whether a log that is not good from here on was damaged. The write during which a process ended leaves a beginning of what it wrote, and
    /// nothing behind it; an image is written by other means, which leave no beginning.
    /// </summary>
    /// <param name="file">The log.</param>
    /// <param name="at">Where the good part ends.</param>
    /// <param name="lsn">LSN of the last good record, or 0.</param>
    public static bool IsDamaged(ReadOnlySpan<byte> file, int at, long lsn)
    {
        if (lsn == 0 && file.Length - at > Overhead + LogRecord.SmallestLength && !LogRecord.IsFirst(file[(at + Overhead)..]))
        {
            return true;
        }

        for (at++; file.Length - at >= Overhead + LogRecord.SmallestLength; at++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(file[at..]);
            if (length >= LogRecord.SmallestLength && BinaryPrimitives.ReadInt64LittleEndian(file[(at + Overhead)..]) > lsn && IsWhole(file, at, length))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWhole(ReadOnlySpan<byte> file, int at, int length) =>
        length > 0
        && length <= file.Length - at - Overhead
        && Checksum(file.Slice(at + Overhead, length)) == BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
