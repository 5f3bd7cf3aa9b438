using System.Numerics;
using System.Text;

namespace Unit.Tds;

/// <summary>
/// A column, and its values, read as the protocol's documentation says, without the server's code. Numbers with a point are their digits
/// before it was set; a moment with an offset is local.
/// </summary>
internal sealed record RawColumn(byte Type, int Length, byte Precision, byte Scale, string Name)
{
    private static readonly byte[] Collation = [0x09, 0x04, 0xD0, 0x00, 0x34];
    private static readonly DateTime Epoch = new(1900, 1, 1);

    public bool Nullable { get; private init; }

    public static RawColumn Read(BinaryReader reader, bool named)
    {
        reader.ReadUInt32();
        var nullable = (reader.ReadUInt16() & 1) != 0;
        var column = ReadType(reader) with { Nullable = nullable };
        return named ? column with { Name = Encoding.Unicode.GetString(reader.ReadBytes(reader.ReadByte() * 2)) } : column;
    }

    public object? Value(BinaryReader reader)
    {
        switch (Type)
        {
            case 0x30 or 0x32 or 0x34 or 0x38 or 0x3A or 0x3B or 0x3C or 0x3D or 0x3E or 0x7A or 0x7F:
                return Decode(reader.ReadBytes(Length));
            case 0x62:
                var total = reader.ReadInt32();
                return total == 0 ? null : Variant(reader, total);
            case 0xA7 or 0xE7 or 0xA5 when Length == 0xFFFF:
                var whole = reader.ReadInt64();
                if (whole == -1) return null;
                var all = new List<byte>();
                for (var chunk = reader.ReadInt32(); chunk > 0; chunk = reader.ReadInt32()) all.AddRange(reader.ReadBytes(chunk));
                Assert.That(all, Has.Count.EqualTo(whole));
                return Decode([.. all]);
            case 0xA7 or 0xAF or 0xE7 or 0xEF or 0xA5 or 0xAD:
                int length = reader.ReadUInt16();
                if (length == 0xFFFF) return null;
                Assert.That(length, Is.LessThanOrEqualTo(Length), "A value is longer than its column.");
                return Decode(reader.ReadBytes(length));
            default:
                int size = reader.ReadByte();
                return size == 0 ? null : Decode(reader.ReadBytes(size));
        }
    }

    private static RawColumn ReadType(BinaryReader reader)
    {
        var type = reader.ReadByte();
        var length = 0;
        byte precision = 0, scale = 0;
        switch (type)
        {
            case 0x30 or 0x32: length = 1; break;
            case 0x34: length = 2; break;
            case 0x38 or 0x3A or 0x3B or 0x7A: length = 4; break;
            case 0x3C or 0x3D or 0x3E or 0x7F: length = 8; break;
            case 0x24 or 0x26 or 0x68 or 0x6D or 0x6E or 0x6F: length = reader.ReadByte(); break;
            case 0x28: break;
            case 0x29 or 0x2A or 0x2B: scale = reader.ReadByte(); break;
            case 0x6A or 0x6C:
                length = reader.ReadByte();
                precision = reader.ReadByte();
                scale = reader.ReadByte();
                break;
            case 0xA7 or 0xAF or 0xE7 or 0xEF:
                length = reader.ReadUInt16();
                Assert.That(reader.ReadBytes(5), Is.EqualTo(Collation));
                break;
            case 0xA5 or 0xAD: length = reader.ReadUInt16(); break;
            case 0x62: length = reader.ReadInt32(); break;
            default: throw new InvalidDataException($"Type 0x{type:X2}.");
        }

        return new RawColumn(type, length, precision, scale, "");
    }

    private static object Variant(BinaryReader reader, int total)
    {
        var type = reader.ReadByte();
        var properties = reader.ReadBytes(reader.ReadByte());
        var data = reader.ReadBytes(total - 2 - properties.Length);
        var scale = type switch { 0x29 or 0x2A or 0x2B => properties[0], 0x6A or 0x6C => properties[1], _ => (byte)0 };
        return new RawColumn(type, data.Length, 0, scale, "").Decode(data);
    }

    private object Decode(byte[] bytes) => (Type, bytes.Length) switch
    {
        (0x26 or 0x30 or 0x34 or 0x38 or 0x7F, 1) => bytes[0],
        (0x26 or 0x34, 2) => BitConverter.ToInt16(bytes),
        (0x26 or 0x38, 4) => BitConverter.ToInt32(bytes),
        (0x26 or 0x7F, 8) => BitConverter.ToInt64(bytes),
        (0x68 or 0x32, 1) => bytes[0] == 1,
        (0x6D or 0x3B, 4) => BitConverter.ToSingle(bytes),
        (0x6D or 0x3E, 8) => BitConverter.ToDouble(bytes),
        (0x6E or 0x7A, 4) => BitConverter.ToInt32(bytes) / 10_000m,
        (0x6E or 0x3C, 8) => (((long)BitConverter.ToInt32(bytes) << 32) | BitConverter.ToUInt32(bytes, 4)) / 10_000m,
        (0x6F or 0x3A, 4) => Epoch.AddDays(BitConverter.ToUInt16(bytes)).AddMinutes(BitConverter.ToUInt16(bytes, 2)),
        (0x6F or 0x3D, 8) => Epoch.AddDays(BitConverter.ToInt32(bytes)).AddMilliseconds(Math.Round(BitConverter.ToUInt32(bytes, 4) * 10 / 3d, MidpointRounding.AwayFromZero)),
        (0x24, 16) => new Guid(bytes),
        (0x6A or 0x6C, _) => new BigInteger(bytes.AsSpan(1), isUnsigned: true) * (bytes[0] == 0 ? -1 : 1),
        (0x28, 3) => DateTime.MinValue.AddDays(Low(bytes)),
        (0x29, _) => Clock(bytes),
        (0x2A, _) => DateTime.MinValue.AddDays(Low(bytes.AsSpan(bytes.Length - 3))) + Clock(bytes.AsSpan(0, bytes.Length - 3)),
        (0x2B, _) => Moment(bytes),
        (0xE7 or 0xEF, _) => new string([.. bytes.Chunk(2).Select(unit => (char)(unit[0] | (unit[1] << 8)))]),
        (0xA7 or 0xAF, _) => CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString(bytes),
        (0xA5 or 0xAD, _) => bytes,
        _ => throw new InvalidDataException($"A value of {bytes.Length} bytes for type 0x{Type:X2}."),
    };

    private TimeSpan Clock(ReadOnlySpan<byte> bytes) => new(Low(bytes) * (long)Math.Pow(10, 7 - Scale));

    private DateTimeOffset Moment(byte[] bytes)
    {
        var utc = DateTime.MinValue.AddDays(Low(bytes.AsSpan(bytes.Length - 5, 3))) + Clock(bytes.AsSpan(0, bytes.Length - 5));
        return new DateTimeOffset(utc, TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(BitConverter.ToInt16(bytes, bytes.Length - 2)));
    }

    private static long Low(ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        for (var i = bytes.Length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }
}
