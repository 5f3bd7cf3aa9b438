using System.Globalization;
using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>Types and values as RPC parameters carry them. Types that the engine lacks arrive as their nearest kin.</summary>
internal static class TypeReader
{
    private const int LongestInRow = 8000;
    private const int LargestVariant = 8016;
    private const uint CollationUtf8 = 1u << 26;
    private static readonly DateTime Epoch = new(1900, 1, 1);

    public static (SqlType Type, object? Value) Parameter(ref TdsReader reader)
    {
        var type = (TdsType)reader.Byte();
        switch (type)
        {
            case TdsType.Null: return (new SqlType(SqlKind.Int), null);
            case TdsType.Int1 or TdsType.Bit or TdsType.Int2 or TdsType.Int4 or TdsType.Int8 or TdsType.Real or TdsType.Float or TdsType.Money
                or TdsType.SmallMoney or TdsType.DateTime or TdsType.SmallDateTime:
                return Fixed(ref reader, type, FixedSize(type));
            case TdsType.IntN or TdsType.BitN or TdsType.FloatN or TdsType.MoneyN or TdsType.DateTimeN or TdsType.Guid:
                return SizedByte(ref reader, type);
            case TdsType.DecimalN or TdsType.NumericN or TdsType.LegacyDecimal or TdsType.LegacyNumeric:
                return Numeric(ref reader);
            case TdsType.Date or TdsType.Time or TdsType.DateTime2 or TdsType.DateTimeOffset:
                return Temporal(ref reader, type);
            case TdsType.LegacyVarBinary or TdsType.LegacyBinary or TdsType.LegacyVarChar or TdsType.LegacyChar:
                return Legacy(ref reader, type);
            case TdsType.VarBinary or TdsType.Binary or TdsType.VarChar or TdsType.Char or TdsType.NVarChar or TdsType.NChar:
                return Variable(ref reader, type);
            case TdsType.Text or TdsType.NText or TdsType.Image:
                return LongValue(ref reader, type);
            case TdsType.Variant: return Variant(ref reader);
            default: throw new UnknownTypeException((byte)type);
        }
    }

    private static int FixedSize(TdsType type) => type switch
    {
        TdsType.Int1 or TdsType.Bit => 1,
        TdsType.Int2 => 2,
        TdsType.Int4 or TdsType.Real or TdsType.SmallMoney or TdsType.SmallDateTime => 4,
        _ => 8,
    };

    private static (SqlType Type, object? Value) SizedByte(ref TdsReader reader, TdsType type)
    {
        int declared = reader.Byte();
        int length = reader.Byte();
        var sized = (type, declared) switch
        {
            (TdsType.IntN, 1) => TdsType.Int1,
            (TdsType.IntN, 2) => TdsType.Int2,
            (TdsType.IntN, 4) => TdsType.Int4,
            (TdsType.IntN, 8) => TdsType.Int8,
            (TdsType.BitN, 1) => TdsType.Bit,
            (TdsType.FloatN, 4) => TdsType.Real,
            (TdsType.FloatN, 8) => TdsType.Float,
            (TdsType.MoneyN, 4) => TdsType.SmallMoney,
            (TdsType.MoneyN, 8) => TdsType.Money,
            (TdsType.DateTimeN, 4) => TdsType.SmallDateTime,
            (TdsType.DateTimeN, 8) => TdsType.DateTime,
            (TdsType.Guid, 16) => TdsType.Guid,
            _ => throw new TdsProtocolException("A parameter has a length that its type does not know."),
        };
        if (length == 0) return (NullType(sized), null);
        if (length != declared) throw new TdsProtocolException("A parameter value has another length than its type.");
        return sized == TdsType.Guid ? (new SqlType(SqlKind.UniqueIdentifier), new Guid(reader.Take(16))) : Fixed(ref reader, sized, length);
    }

    private static SqlType NullType(TdsType type) => type switch
    {
        TdsType.Int1 => new SqlType(SqlKind.TinyInt),
        TdsType.Int2 => new SqlType(SqlKind.SmallInt),
        TdsType.Int4 => new SqlType(SqlKind.Int),
        TdsType.Int8 => new SqlType(SqlKind.BigInt),
        TdsType.Bit => new SqlType(SqlKind.Bit),
        TdsType.Real or TdsType.Float => new SqlType(SqlKind.Float),
        TdsType.SmallMoney => new SqlType(SqlKind.Numeric, Precision: 10, Scale: 4),
        TdsType.Money => new SqlType(SqlKind.Numeric, Precision: 19, Scale: 4),
        TdsType.Guid => new SqlType(SqlKind.UniqueIdentifier),
        _ => new SqlType(SqlKind.DateTime),
    };

    private static (SqlType Type, object? Value) Fixed(ref TdsReader reader, TdsType type, int size)
    {
        object value = type switch
        {
            TdsType.Int1 => reader.Byte(),
            TdsType.Bit => reader.Byte() != 0,
            TdsType.Int2 => reader.Int16(),
            TdsType.Int4 => reader.Int32(),
            TdsType.Int8 => reader.Int64(),
            TdsType.Real => (double)BitConverter.Int32BitsToSingle(reader.Int32()),
            TdsType.Float => BitConverter.Int64BitsToDouble(reader.Int64()),
            TdsType.SmallMoney => (BigInteger)reader.Int32(),
            TdsType.Money => (BigInteger)(((long)reader.Int32() << 32) | reader.UInt32()),
            TdsType.SmallDateTime => Moment(reader.UInt16(), reader.UInt16() * TimeSpan.TicksPerMinute),
            TdsType.DateTime => Moment(reader.Int32(), (reader.UInt32() * 10_000_000L + 150) / 300),
            _ => throw new TdsProtocolException($"A fixed value of {size} bytes has no type."),
        };
        return (NullType(type), value);
    }

    private static DateTime Moment(long days, long ticks)
    {
        try
        {
            return Epoch.AddDays(days).AddTicks(ticks);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new TdsProtocolException("A date lies outside the calendar.");
        }
    }

    private static (SqlType Type, object? Value) Numeric(ref TdsReader reader)
    {
        reader.Byte();
        var precision = reader.Byte();
        var scale = reader.Byte();
        var type = Exact(precision, scale);
        int length = reader.Byte();
        return length == 0 ? (type, null) : (type, NumericValue(ref reader, length, precision));
    }

    private static SqlType Exact(byte precision, byte scale) => precision is > 0 and <= 38 && scale <= precision
        ? new SqlType(SqlKind.Numeric, Precision: precision, Scale: scale)
        : throw new TdsProtocolException("A numeric parameter has an impossible precision.");

    private static BigInteger NumericValue(ref TdsReader reader, int length, int precision)
    {
        if (length is < 2 or > 17) throw new TdsProtocolException("A numeric value has an impossible length.");
        var negative = reader.Byte() == 0;
        var magnitude = new BigInteger(reader.Take(length - 1), isUnsigned: true);
        if (magnitude >= BigInteger.Pow(10, precision)) throw new TdsProtocolException("A numeric value has more digits than its type.");
        return negative ? -magnitude : magnitude;
    }

    private static (SqlType Type, object? Value) Temporal(ref TdsReader reader, TdsType type)
    {
        var scale = type == TdsType.Date ? (byte)0 : reader.Byte();
        if (scale > 7) throw new TdsProtocolException("A time has an impossible scale.");
        int length = reader.Byte();
        var target = type == TdsType.Time ? new SqlType(SqlKind.VarChar, 16) : new SqlType(SqlKind.DateTime2, Scale: scale);
        if (length == 0) return (target, null);
        var timeSize = type == TdsType.Date ? 0 : scale switch { <= 2 => 3, <= 4 => 4, _ => 5 };
        var expected = timeSize + type switch { TdsType.Time => 0, TdsType.DateTimeOffset => 5, _ => 3 };
        if (length != expected) throw new TdsProtocolException("A time has another length than its type.");
        var ticks = reader.LowBytes(timeSize) * (long)Math.Pow(10, 7 - scale);
        if (ticks >= TimeSpan.TicksPerDay) throw new TdsProtocolException("A time is longer than a day.");
        if (type == TdsType.Time) return (target, new TimeSpan(ticks).ToString("hh\\:mm\\:ss\\.fffffff", CultureInfo.InvariantCulture));
        var days = reader.LowBytes(3);
        if (days > DateTime.MaxValue.Ticks / TimeSpan.TicksPerDay) throw new TdsProtocolException("A date lies outside the calendar.");
        // An offset travels beside the moment in UTC, which is what stays of it.
        if (type == TdsType.DateTimeOffset) reader.Int16();
        return (target, new DateTime((days * TimeSpan.TicksPerDay) + ticks));
    }

    private static (SqlType Type, object? Value) Legacy(ref TdsReader reader, TdsType type)
    {
        int declared = reader.Byte();
        int length = reader.Byte();
        var binary = type is TdsType.LegacyBinary or TdsType.LegacyVarBinary;
        var target = new SqlType(binary ? SqlKind.VarBinary : SqlKind.VarChar, declared);
        if (length == 0) return (target, null);
        if (length > declared) throw new TdsProtocolException("A parameter value is longer than its type.");
        var bytes = reader.Take(length);
        return (target, binary ? bytes.ToArray() : TypeWriter.CodePage.GetString(bytes));
    }

    private static (SqlType Type, object? Value) Variable(ref TdsReader reader, TdsType type)
    {
        int declared = reader.UInt16();
        var binary = type is TdsType.Binary or TdsType.VarBinary;
        var encoding = binary ? null : TextEncoding(type, reader.Take(5));
        var wide = type is TdsType.NVarChar or TdsType.NChar;
        var max = declared == ushort.MaxValue;
        if (max && type is TdsType.Binary or TdsType.Char or TdsType.NChar && max) throw new TdsProtocolException("A fixed-length parameter claims to be max.");
        if (!max && declared > LongestInRow) throw new TdsProtocolException("A parameter's type is longer than a type can be.");
        var kind = type switch
        {
            TdsType.NVarChar => SqlKind.NVarChar,
            TdsType.NChar => SqlKind.NChar,
            TdsType.VarChar => SqlKind.VarChar,
            TdsType.Char => SqlKind.Char,
            _ => SqlKind.VarBinary,
        };
        var target = new SqlType(kind, max ? -1 : wide ? declared / 2 : declared);
        byte[]? chunks = null;
        ReadOnlySpan<byte> bytes;
        if (max)
        {
            chunks = Plp(ref reader);
            if (chunks is null) return (target, null);
            bytes = chunks;
        }
        else
        {
            int length = reader.UInt16();
            if (length == ushort.MaxValue) return (target, null);
            if (length > declared) throw new TdsProtocolException("A parameter value is longer than its type.");
            bytes = reader.Take(length);
        }

        if (encoding is null) return (target, chunks ?? bytes.ToArray());
        if (wide && bytes.Length % 2 != 0) throw new TdsProtocolException("UTF-16 text has an odd length.");
        return (target, encoding.GetString(bytes));
    }

    private static Encoding TextEncoding(TdsType type, ReadOnlySpan<byte> collation)
    {
        if (type is TdsType.NVarChar or TdsType.NChar or TdsType.NText) return Encoding.Unicode;
        return (BitConverter.ToUInt32(collation) & CollationUtf8) != 0 ? Encoding.UTF8 : TypeWriter.CodePage;
    }

    private static byte[]? Plp(ref TdsReader reader)
    {
        const ulong Null = ulong.MaxValue, Unknown = ulong.MaxValue - 1;
        var total = reader.UInt64();
        if (total == Null) return null;
        if (total != Unknown && total > (ulong)reader.Remaining) throw new TdsProtocolException("A large value is shorter than it says.");
        var start = reader.Position;
        var look = reader;
        long length = 0;
        for (var chunk = look.UInt32(); chunk != 0; chunk = look.UInt32())
        {
            if (chunk > (uint)look.Remaining) throw new TdsProtocolException("A large value is shorter than it says.");
            look.Take((int)chunk);
            length += chunk;
        }

        if (total != Unknown && (ulong)length != total) throw new TdsProtocolException("A large value has another length than it says.");
        var value = new byte[length];
        var position = 0;
        for (var chunk = reader.Int32(); chunk != 0; chunk = reader.Int32())
        {
            reader.Take(chunk).CopyTo(value.AsSpan(position));
            position += chunk;
        }

        return value;
    }

    private static (SqlType Type, object? Value) LongValue(ref TdsReader reader, TdsType type)
    {
        reader.Int32();
        var encoding = type == TdsType.Image ? null : TextEncoding(type, reader.Take(5));
        var target = new SqlType(type switch { TdsType.Image => SqlKind.VarBinary, TdsType.NText => SqlKind.NVarChar, _ => SqlKind.VarChar }, -1);
        var length = reader.Int32();
        if (length == -1) return (target, null);
        var bytes = reader.Take(length);
        if (encoding is null) return (target, bytes.ToArray());
        if (type == TdsType.NText && length % 2 != 0) throw new TdsProtocolException("UTF-16 text has an odd length.");
        return (target, encoding.GetString(bytes));
    }

    private static (SqlType Type, object? Value) Variant(ref TdsReader reader)
    {
        reader.Int32();
        var total = reader.Int32();
        var variant = new SqlType(SqlKind.Variant);
        if (total == 0) return (variant, null);
        if (total > LargestVariant) throw new TdsProtocolException("A sql_variant is larger than one can be.");
        var inner = new TdsReader(reader.Take(total));
        var type = (TdsType)inner.Byte();
        var properties = new TdsReader(inner.Take(inner.Byte()));
        switch (type)
        {
            case TdsType.Guid when inner.Remaining == 16: return (variant, new Guid(inner.Take(16)));
            case TdsType.Int1 or TdsType.Bit or TdsType.Int2 or TdsType.Int4 or TdsType.Int8 or TdsType.Real or TdsType.Float or TdsType.Money
                or TdsType.SmallMoney or TdsType.DateTime or TdsType.SmallDateTime:
                var (fixedType, value) = Fixed(ref inner, type, FixedSize(type));
                return (fixedType, value);
            case TdsType.NumericN or TdsType.DecimalN:
                var numeric = Exact(properties.Byte(), properties.Byte());
                return (numeric, NumericValue(ref inner, inner.Remaining, numeric.Precision));
            case TdsType.VarBinary or TdsType.Binary: return (variant, inner.Take(inner.Remaining).ToArray());
            case TdsType.VarChar or TdsType.Char or TdsType.NVarChar or TdsType.NChar:
                return (variant, TextEncoding(type, properties.Take(5)).GetString(inner.Take(inner.Remaining)));
            default: throw new UnknownTypeException((byte)type);
        }
    }
}

/// <summary>A parameter has a type that this server does not take; the connection can go on.</summary>
internal sealed class UnknownTypeException(byte type) : Exception($"Data type 0x{type:X2} is unknown.")
{
    public byte Type { get; } = type;
}
