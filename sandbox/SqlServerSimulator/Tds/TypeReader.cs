using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.Tds;

/// <summary>A type as it is declared ahead of its values.</summary>
/// <param name="Token">Which type.</param>
/// <param name="Length">Declared length in bytes, where it has one.</param>
/// <param name="Precision">Digits of a numeric.</param>
/// <param name="Scale">Digits after the point.</param>
/// <param name="Encoding">Encoding of text.</param>
internal readonly record struct TypeInfo(TdsType Token, int Length = 0, byte Precision = 0, byte Scale = 0, Encoding? Encoding = null);

/// <summary>
/// Types and values as RPC parameters and rows of a bulk load carry them. The long types of old arrive as the max types that replaced them.
/// </summary>
internal static class TypeReader
{
    private const int LongestInRow = 8000;
    private const int LargestVariant = 8016;
    private const uint CollationUtf8 = 1u << 26;
    private static readonly DateTime Epoch = new(1900, 1, 1);

    public static (SqlType Type, object? Value) Parameter(ref TdsReader reader)
    {
        var info = Info(ref reader);
        return Value(ref reader, info);
    }

    public static TypeInfo Info(ref TdsReader reader)
    {
        var type = (TdsType)reader.Byte();
        switch (type)
        {
            case TdsType.Null or TdsType.Int1 or TdsType.Bit or TdsType.Int2 or TdsType.Int4 or TdsType.Int8 or TdsType.Real or TdsType.Float
                or TdsType.Money or TdsType.SmallMoney or TdsType.DateTime or TdsType.SmallDateTime or TdsType.Date:
                return new TypeInfo(type);
            case TdsType.IntN or TdsType.BitN or TdsType.FloatN or TdsType.MoneyN or TdsType.DateTimeN or TdsType.Guid
                or TdsType.LegacyVarBinary or TdsType.LegacyBinary or TdsType.LegacyVarChar or TdsType.LegacyChar:
                return new TypeInfo(type, reader.Byte());
            case TdsType.DecimalN or TdsType.NumericN or TdsType.LegacyDecimal or TdsType.LegacyNumeric:
                return new TypeInfo(type, reader.Byte(), reader.Byte(), reader.Byte());
            case TdsType.Time or TdsType.DateTime2 or TdsType.DateTimeOffset:
                var scale = reader.Byte();
                return scale <= 7 ? new TypeInfo(type, Scale: scale) : throw new TdsProtocolException("A time has an impossible scale.");
            case TdsType.VarBinary or TdsType.Binary:
                return new TypeInfo(type, reader.UInt16());
            case TdsType.VarChar or TdsType.Char or TdsType.NVarChar or TdsType.NChar:
                return new TypeInfo(type, reader.UInt16(), Encoding: TextEncoding(type, reader.Take(5)));
            case TdsType.Text or TdsType.NText:
                return new TypeInfo(type, reader.Int32(), Encoding: TextEncoding(type, reader.Take(5)));
            case TdsType.Image or TdsType.Variant:
                return new TypeInfo(type, reader.Int32());
            default: throw new UnknownTypeException((byte)type);
        }
    }

    public static (SqlType Type, object? Value) Value(ref TdsReader reader, TypeInfo info) => info.Token switch
    {
        TdsType.Null => (new SqlType(SqlKind.Int), null),
        TdsType.Int1 or TdsType.Bit or TdsType.Int2 or TdsType.Int4 or TdsType.Int8 or TdsType.Real or TdsType.Float or TdsType.Money
            or TdsType.SmallMoney or TdsType.DateTime or TdsType.SmallDateTime => Fixed(ref reader, info.Token, FixedSize(info.Token)),
        TdsType.IntN or TdsType.BitN or TdsType.FloatN or TdsType.MoneyN or TdsType.DateTimeN or TdsType.Guid => SizedByte(ref reader, info),
        TdsType.DecimalN or TdsType.NumericN or TdsType.LegacyDecimal or TdsType.LegacyNumeric => Numeric(ref reader, info),
        TdsType.Date or TdsType.Time or TdsType.DateTime2 or TdsType.DateTimeOffset => Temporal(ref reader, info),
        TdsType.LegacyVarBinary or TdsType.LegacyBinary or TdsType.LegacyVarChar or TdsType.LegacyChar => Legacy(ref reader, info),
        TdsType.Text or TdsType.NText or TdsType.Image => LongValue(ref reader, info),
        TdsType.Variant => Variant(ref reader),
        _ => Variable(ref reader, info),
    };

    private static int FixedSize(TdsType type) => type switch
    {
        TdsType.Int1 or TdsType.Bit => 1,
        TdsType.Int2 => 2,
        TdsType.Int4 or TdsType.Real or TdsType.SmallMoney or TdsType.SmallDateTime => 4,
        _ => 8,
    };

    private static (SqlType Type, object? Value) SizedByte(ref TdsReader reader, TypeInfo info)
    {
        int length = reader.Byte();
        var sized = (info.Token, info.Length) switch
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
        if (length != info.Length) throw new TdsProtocolException("A parameter value has another length than its type.");
        return sized == TdsType.Guid ? (new SqlType(SqlKind.UniqueIdentifier), new Guid(reader.Take(16))) : Fixed(ref reader, sized, length);
    }

    private static SqlType NullType(TdsType type) => type switch
    {
        TdsType.Int1 => new SqlType(SqlKind.TinyInt),
        TdsType.Int2 => new SqlType(SqlKind.SmallInt),
        TdsType.Int4 => new SqlType(SqlKind.Int),
        TdsType.Int8 => new SqlType(SqlKind.BigInt),
        TdsType.Bit => new SqlType(SqlKind.Bit),
        TdsType.Real => new SqlType(SqlKind.Real),
        TdsType.Float => new SqlType(SqlKind.Float),
        TdsType.SmallMoney => new SqlType(SqlKind.SmallMoney),
        TdsType.Money => new SqlType(SqlKind.Money),
        TdsType.SmallDateTime => new SqlType(SqlKind.SmallDateTime),
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
            TdsType.Real => Finite(BitConverter.Int32BitsToSingle(reader.Int32())),
            TdsType.Float => Finite(BitConverter.Int64BitsToDouble(reader.Int64())),
            TdsType.SmallMoney => reader.Int32() / 10_000m + 0.0000m,
            TdsType.Money => (((long)reader.Int32() << 32) | reader.UInt32()) / 10_000m + 0.0000m,
            TdsType.SmallDateTime => SmallDateTime(reader.UInt16(), reader.UInt16()),
            TdsType.DateTime => DateTime(reader.Int32(), reader.UInt32()),
            _ => throw new TdsProtocolException($"A fixed value of {size} bytes has no type."),
        };
        return (NullType(type), value);
    }

    private static T Finite<T>(T number)
        where T : IFloatingPoint<T> => T.IsFinite(number) ? number : throw new TdsProtocolException("A number is none, or infinite.");

    private static DateTime SmallDateTime(ushort days, ushort minutes) => minutes < 24 * 60
        ? Epoch.AddDays(days).AddMinutes(minutes)
        : throw new TdsProtocolException("A time is longer than a day.");

    /// <summary>Three-hundredths of a second, shown in milliseconds as the engine does.</summary>
    private static DateTime DateTime(int days, uint units)
    {
        if (days is < -53_690 or > 2_958_463 || units >= 300 * 86_400) throw new TdsProtocolException("A date lies outside the calendar.");
        return Epoch.AddDays(days).AddMilliseconds(Math.Round(units * 1000d / 300, MidpointRounding.AwayFromZero));
    }

    private static (SqlType Type, object? Value) Numeric(ref TdsReader reader, TypeInfo info)
    {
        var type = Exact(info.Precision, info.Scale);
        int length = reader.Byte();
        return length == 0 ? (type, null) : (type, NumericValue(ref reader, length, info.Precision));
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

    private static (SqlType Type, object? Value) Temporal(ref TdsReader reader, TypeInfo info)
    {
        var (type, scale) = (info.Token, info.Scale);
        int length = reader.Byte();
        var target = new SqlType(
            type switch { TdsType.Date => SqlKind.Date, TdsType.Time => SqlKind.Time, TdsType.DateTime2 => SqlKind.DateTime2, _ => SqlKind.DateTimeOffset },
            Scale: scale);
        return length == 0 ? (target, null) : (target, TemporalValue(ref reader, type, scale, length));
    }

    private static object TemporalValue(ref TdsReader reader, TdsType type, byte scale, int length)
    {
        var timeSize = type == TdsType.Date ? 0 : scale switch { <= 2 => 3, <= 4 => 4, _ => 5 };
        var expected = timeSize + type switch { TdsType.Time => 0, TdsType.DateTimeOffset => 5, _ => 3 };
        if (length != expected) throw new TdsProtocolException("A time has another length than its type.");
        var units = reader.LowBytes(timeSize);
        var unit = (long)Math.Pow(10, 7 - scale);
        if (units >= TimeSpan.TicksPerDay / unit) throw new TdsProtocolException("A time is longer than a day.");
        var time = new TimeSpan(units * unit);
        if (type == TdsType.Time) return time;
        var days = reader.LowBytes(3);
        if (days > System.DateTime.MaxValue.Ticks / TimeSpan.TicksPerDay) throw new TdsProtocolException("A date lies outside the calendar.");
        var moment = new DateTime(days * TimeSpan.TicksPerDay) + time;
        if (type != TdsType.DateTimeOffset) return moment;
        // The moment is UTC, the offset goes beside it.
        var offset = reader.Int16();
        try
        {
            return new DateTimeOffset(moment, TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(offset));
        }
        catch (Exception e) when (e is ArgumentException)
        {
            throw new TdsProtocolException("An offset lies outside the world or the calendar.");
        }
    }

    private static (SqlType Type, object? Value) Legacy(ref TdsReader reader, TypeInfo info)
    {
        var (type, declared) = (info.Token, info.Length);
        int length = reader.Byte();
        var binary = type is TdsType.LegacyBinary or TdsType.LegacyVarBinary;
        var target = new SqlType(
            type switch { TdsType.LegacyVarBinary => SqlKind.VarBinary, TdsType.LegacyBinary => SqlKind.Binary, TdsType.LegacyChar => SqlKind.Char, _ => SqlKind.VarChar },
            Math.Max(declared, 1));
        if (length == 0) return (target, null);
        if (length > declared) throw new TdsProtocolException("A parameter value is longer than its type.");
        var bytes = reader.Take(length);
        return (target, binary ? bytes.ToArray() : Types.CodePage.GetString(bytes));
    }

    private static (SqlType Type, object? Value) Variable(ref TdsReader reader, TypeInfo info)
    {
        var (type, declared, encoding) = (info.Token, info.Length, info.Encoding);
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
            TdsType.Binary => SqlKind.Binary,
            _ => SqlKind.VarBinary,
        };
        var target = new SqlType(kind, max ? -1 : Math.Max(wide ? declared / 2 : declared, 1));
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
        return (target, wide ? TdsReader.Utf16(bytes) : encoding.GetString(bytes));
    }

    private static Encoding TextEncoding(TdsType type, ReadOnlySpan<byte> collation)
    {
        if (type is TdsType.NVarChar or TdsType.NChar or TdsType.NText) return Encoding.Unicode;
        return (BitConverter.ToUInt32(collation) & CollationUtf8) != 0 ? Encoding.UTF8 : Types.CodePage;
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

    private static (SqlType Type, object? Value) LongValue(ref TdsReader reader, TypeInfo info)
    {
        var (type, encoding) = (info.Token, info.Encoding);
        var target = new SqlType(type switch { TdsType.Image => SqlKind.VarBinary, TdsType.NText => SqlKind.NVarChar, _ => SqlKind.VarChar }, -1);
        var length = reader.Int32();
        if (length == -1) return (target, null);
        var bytes = reader.Take(length);
        if (encoding is null) return (target, bytes.ToArray());
        if (type == TdsType.NText && length % 2 != 0) throw new TdsProtocolException("UTF-16 text has an odd length.");
        return (target, type == TdsType.NText ? TdsReader.Utf16(bytes) : encoding.GetString(bytes));
    }

    /// <summary>A sql_variant; a value of a type that its carrier does not tell takes the type with it.</summary>
    private static (SqlType Type, object? Value) Variant(ref TdsReader reader)
    {
        var total = reader.Int32();
        var variant = new SqlType(SqlKind.Variant);
        if (total == 0) return (variant, null);
        if (total > LargestVariant) throw new TdsProtocolException("A sql_variant is larger than one can be.");
        var inner = new TdsReader(reader.Take(total));
        var type = (TdsType)inner.Byte();
        var properties = new TdsReader(inner.Take(inner.Byte()));
        var (baseType, value) = VariantValue(ref inner, ref properties, type);
        if (!inner.AtEnd || !properties.AtEnd) throw new TdsProtocolException("A sql_variant has another length than its value.");
        return (variant, Types.ToVariant(value, baseType));
    }

    private static (SqlType Type, object Value) VariantValue(ref TdsReader inner, ref TdsReader properties, TdsType type)
    {
        switch (type)
        {
            case TdsType.Guid:
                return (new SqlType(SqlKind.UniqueIdentifier), new Guid(inner.Take(16)));
            case TdsType.Int1 or TdsType.Bit or TdsType.Int2 or TdsType.Int4 or TdsType.Int8 or TdsType.Real or TdsType.Float or TdsType.Money
                or TdsType.SmallMoney or TdsType.DateTime or TdsType.SmallDateTime:
                var (fixedType, value) = Fixed(ref inner, type, FixedSize(type));
                return (fixedType, value!);
            case TdsType.NumericN or TdsType.DecimalN:
                var numeric = Exact(properties.Byte(), properties.Byte());
                return (numeric, NumericValue(ref inner, inner.Remaining, numeric.Precision));
            case TdsType.Date:
                return (new SqlType(SqlKind.Date), TemporalValue(ref inner, type, 0, inner.Remaining));
            case TdsType.Time or TdsType.DateTime2 or TdsType.DateTimeOffset:
                var scale = properties.Byte();
                if (scale > 7) throw new TdsProtocolException("A time has an impossible scale.");
                var kind = type switch { TdsType.Time => SqlKind.Time, TdsType.DateTime2 => SqlKind.DateTime2, _ => SqlKind.DateTimeOffset };
                return (new SqlType(kind, Scale: scale), TemporalValue(ref inner, type, scale, inner.Remaining));
            case TdsType.VarBinary or TdsType.Binary:
                return (new SqlType(SqlKind.VarBinary, properties.UInt16()), Bytes(ref inner).ToArray());
            case TdsType.VarChar or TdsType.Char or TdsType.NVarChar or TdsType.NChar:
                var encoding = TextEncoding(type, properties.Take(5));
                properties.UInt16();
                var text = Bytes(ref inner);
                var wide = type is TdsType.NVarChar or TdsType.NChar;
                if (wide && text.Length % 2 != 0) throw new TdsProtocolException("UTF-16 text has an odd length.");
                return (new SqlType(SqlKind.NVarChar, 4000), wide ? TdsReader.Utf16(text) : encoding.GetString(text));
            default: throw new UnknownTypeException((byte)type);
        }
    }

    private static ReadOnlySpan<byte> Bytes(ref TdsReader inner) =>
        inner.Remaining <= LongestInRow ? inner.Take(inner.Remaining) : throw new TdsProtocolException("A value in a sql_variant is longer than one can be.");
}

/// <summary>A parameter has a type that this server does not take; the connection can go on.</summary>
internal sealed class UnknownTypeException(byte type) : Exception($"Data type 0x{type:X2} is unknown.")
{
    public byte Type { get; } = type;
}
