using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.Tds;

/// <summary>Types and values as results and output parameters carry them.</summary>
internal static class TypeWriter
{
    private const int VariantLimit = 8009;
    private static readonly DateTime Epoch = new(1900, 1, 1);

    public static void Info(TokenBuffer buffer, SqlType type)
    {
        if (Fixed(type) is { } token)
        {
            buffer.Byte((byte)token);
            return;
        }

        switch (type.Kind)
        {
            case SqlKind.Bit: Sized(buffer, TdsType.BitN, 1); break;
            case SqlKind.TinyInt: Sized(buffer, TdsType.IntN, 1); break;
            case SqlKind.SmallInt: Sized(buffer, TdsType.IntN, 2); break;
            case SqlKind.Int: Sized(buffer, TdsType.IntN, 4); break;
            case SqlKind.BigInt: Sized(buffer, TdsType.IntN, 8); break;
            case SqlKind.Float: Sized(buffer, TdsType.FloatN, 8); break;
            case SqlKind.Real: Sized(buffer, TdsType.FloatN, 4); break;
            case SqlKind.Money: Sized(buffer, TdsType.MoneyN, 8); break;
            case SqlKind.SmallMoney: Sized(buffer, TdsType.MoneyN, 4); break;
            case SqlKind.DateTime: Sized(buffer, TdsType.DateTimeN, 8); break;
            case SqlKind.SmallDateTime: Sized(buffer, TdsType.DateTimeN, 4); break;
            case SqlKind.Date: buffer.Byte((byte)TdsType.Date); break;
            case SqlKind.Time: Sized(buffer, TdsType.Time, Math.Min(type.Scale, (byte)7)); break;
            case SqlKind.DateTimeOffset: Sized(buffer, TdsType.DateTimeOffset, Math.Min(type.Scale, (byte)7)); break;
            case SqlKind.UniqueIdentifier: Sized(buffer, TdsType.Guid, 16); break;
            case SqlKind.DateTime2: Sized(buffer, TdsType.DateTime2, Math.Min(type.Scale, (byte)7)); break;
            case SqlKind.Numeric:
                Sized(buffer, TdsType.NumericN, (byte)NumericSize(type));
                buffer.Byte(Precision(type));
                buffer.Byte(type.Scale);
                break;
            case SqlKind.Char: Text(buffer, TdsType.Char, type.Length); break;
            case SqlKind.NChar: Text(buffer, TdsType.NChar, type.Length * 2); break;
            case SqlKind.VarChar: Text(buffer, TdsType.VarChar, IsMax(type) ? ushort.MaxValue : type.Length); break;
            case SqlKind.NVarChar: Text(buffer, TdsType.NVarChar, IsMax(type) ? ushort.MaxValue : type.Length * 2); break;
            case SqlKind.VarBinary:
                buffer.Byte((byte)TdsType.VarBinary);
                buffer.UInt16(IsMax(type) ? ushort.MaxValue : (ushort)Math.Max(type.Length, 1));
                break;
            case SqlKind.Binary:
                buffer.Byte((byte)TdsType.Binary);
                buffer.UInt16((ushort)Math.Max(type.Length, 1));
                break;
            case SqlKind.Variant:
                buffer.Byte((byte)TdsType.Variant);
                buffer.Int32(VariantLimit);
                break;
            default: throw new InvalidOperationException($"No encoding for the type {type.Kind}.");
        }
    }

    public static void Value(TokenBuffer buffer, SqlType type, object? value)
    {
        if (value is null or DBNull)
        {
            Null(buffer, type);
            return;
        }

        if (Fixed(type) is not null)
        {
            FixedValue(buffer, type, value);
            return;
        }

        switch (type.Kind)
        {
            case SqlKind.Bit:
                buffer.Byte(1);
                buffer.Byte(Integer(value) != 0 ? (byte)1 : (byte)0);
                break;
            case SqlKind.TinyInt:
                buffer.Byte(1);
                buffer.Byte(checked((byte)Integer(value)));
                break;
            case SqlKind.SmallInt:
                buffer.Byte(2);
                buffer.Int16(checked((short)Integer(value)));
                break;
            case SqlKind.Int:
                buffer.Byte(4);
                buffer.Int32(checked((int)Integer(value)));
                break;
            case SqlKind.BigInt:
                buffer.Byte(8);
                buffer.Int64(Integer(value));
                break;
            case SqlKind.Float:
                buffer.Byte(8);
                buffer.Double(Convert.ToDouble(value, CultureInfo.InvariantCulture));
                break;
            case SqlKind.Numeric:
                buffer.Byte((byte)NumericSize(type));
                Numeric(buffer, type, value);
                break;
            case SqlKind.DateTime:
                buffer.Byte(8);
                DateTime(buffer, (DateTime)value);
                break;
            case SqlKind.Real or SqlKind.Money or SqlKind.SmallMoney or SqlKind.SmallDateTime:
                buffer.Byte(type.Kind == SqlKind.Money ? (byte)8 : (byte)4);
                FixedValue(buffer, type, value);
                break;
            case SqlKind.Date or SqlKind.Time or SqlKind.DateTime2 or SqlKind.DateTimeOffset:
                var scale = Math.Min(type.Scale, (byte)7);
                buffer.Byte((byte)TemporalSize(type.Kind, scale));
                Temporal(buffer, type.Kind, scale, value);
                break;
            case SqlKind.UniqueIdentifier:
                buffer.Byte(16);
                ((Guid)value).TryWriteBytes(buffer.Take(16));
                break;
            case SqlKind.Char: Short(buffer, Types.CodePage.GetBytes(((string)value).PadRight(type.Length))); break;
            case SqlKind.NChar: Short(buffer, ((string)value).PadRight(type.Length)); break;
            case SqlKind.VarChar when IsMax(type): Plp(buffer, Types.CodePage.GetBytes((string)value)); break;
            case SqlKind.VarChar: Short(buffer, Types.CodePage.GetBytes((string)value)); break;
            case SqlKind.NVarChar when IsMax(type): Plp(buffer, (string)value); break;
            case SqlKind.NVarChar: Short(buffer, (string)value); break;
            case SqlKind.VarBinary when IsMax(type): Plp(buffer, (byte[])value); break;
            case SqlKind.VarBinary: Short(buffer, (byte[])value); break;
            case SqlKind.Binary: Short(buffer, Padded((byte[])value, type.Length)); break;
            case SqlKind.Variant: Variant(buffer, value); break;
            default: throw new InvalidOperationException($"No encoding for the type {type.Kind}.");
        }
    }

    /// <summary>Whether a string or binary type travels in chunks.</summary>
    public static bool IsMax(SqlType type) => type.Kind switch
    {
        SqlKind.NVarChar => type.Length is < 0 or > 4000,
        SqlKind.VarChar or SqlKind.VarBinary => type.Length is < 0 or > 8000,
        _ => false,
    };

    // A type of fixed size that cannot be NULL has a token of its own, and its values no length: SqlClient does not read it otherwise.
    private static TdsType? Fixed(SqlType type) => type.Nullable ? null : type.Kind switch
    {
        SqlKind.Bit => TdsType.Bit,
        SqlKind.TinyInt => TdsType.Int1,
        SqlKind.SmallInt => TdsType.Int2,
        SqlKind.Int => TdsType.Int4,
        SqlKind.BigInt => TdsType.Int8,
        SqlKind.Float => TdsType.Float,
        SqlKind.Real => TdsType.Real,
        SqlKind.Money => TdsType.Money,
        SqlKind.SmallMoney => TdsType.SmallMoney,
        SqlKind.DateTime => TdsType.DateTime,
        SqlKind.SmallDateTime => TdsType.SmallDateTime,
        _ => null,
    };

    private static void FixedValue(TokenBuffer buffer, SqlType type, object value)
    {
        switch (type.Kind)
        {
            case SqlKind.Bit: buffer.Byte(Integer(value) != 0 ? (byte)1 : (byte)0); break;
            case SqlKind.TinyInt: buffer.Byte(checked((byte)Integer(value))); break;
            case SqlKind.SmallInt: buffer.Int16(checked((short)Integer(value))); break;
            case SqlKind.Int: buffer.Int32(checked((int)Integer(value))); break;
            case SqlKind.BigInt: buffer.Int64(Integer(value)); break;
            case SqlKind.Float: buffer.Double(Convert.ToDouble(value, CultureInfo.InvariantCulture)); break;
            case SqlKind.Real: buffer.Int32(BitConverter.SingleToInt32Bits(Convert.ToSingle(value, CultureInfo.InvariantCulture))); break;
            case SqlKind.SmallMoney: buffer.Int32(checked((int)(Convert.ToDecimal(value, CultureInfo.InvariantCulture) * 10_000))); break;
            case SqlKind.Money:
                var amount = checked((long)(Convert.ToDecimal(value, CultureInfo.InvariantCulture) * 10_000));
                buffer.Int32((int)(amount >> 32));
                buffer.Int32((int)amount);
                break;
            case SqlKind.SmallDateTime:
                buffer.UInt16(checked((ushort)(((DateTime)value).Date - Epoch).Days));
                buffer.UInt16((ushort)((DateTime)value).TimeOfDay.TotalMinutes);
                break;
            default: DateTime(buffer, (DateTime)value); break;
        }
    }

    /// <summary>Bytes that NULL takes.</summary>
    public static int NullSize(SqlType type)
    {
        if (Fixed(type) is not null) throw new InvalidOperationException($"NULL in a column of type {type.Kind} that cannot be NULL.");
        return type.Kind switch
        {
            SqlKind.VarChar or SqlKind.NVarChar or SqlKind.VarBinary when IsMax(type) => 8,
            SqlKind.Char or SqlKind.NChar or SqlKind.Binary or SqlKind.VarChar or SqlKind.NVarChar or SqlKind.VarBinary => 2,
            SqlKind.Variant => 4,
            _ => 1,
        };
    }

    // A length of zero, or for what may be empty the greatest there is.
    private static void Null(TokenBuffer buffer, SqlType type)
    {
        var size = NullSize(type);
        buffer.Take(size).Fill(size is 1 or 4 ? (byte)0 : byte.MaxValue);
    }

    private static void Sized(TokenBuffer buffer, TdsType type, byte size)
    {
        buffer.Byte((byte)type);
        buffer.Byte(size);
    }

    private static void Text(TokenBuffer buffer, TdsType type, int bytes)
    {
        buffer.Byte((byte)type);
        buffer.UInt16((ushort)Math.Max(bytes, type is TdsType.NVarChar or TdsType.NChar ? 2 : 1));
        buffer.Bytes(Tds.Collation);
    }

    private static long Integer(object value) => value switch
    {
        int i => i,
        long l => l,
        bool b => b ? 1 : 0,
        BigInteger big => (long)big,
        _ => Convert.ToInt64(value, CultureInfo.InvariantCulture),
    };

    private static byte Precision(SqlType type) => type.Precision == 0 ? (byte)18 : type.Precision;

    private static int NumericSize(SqlType type) => Precision(type) switch
    {
        <= 9 => 5,
        <= 19 => 9,
        <= 28 => 13,
        _ => 17,
    };

    private static void Numeric(TokenBuffer buffer, SqlType type, object value)
    {
        var unscaled = value is BigInteger big ? big : Integer(value);
        var magnitude = BigInteger.Abs(unscaled);
        var target = buffer.Take(NumericSize(type));
        target.Clear();
        target[0] = unscaled.Sign < 0 ? (byte)0 : (byte)1;
        if (!magnitude.TryWriteBytes(target[1..], out _, isUnsigned: true))
            throw new InvalidOperationException($"A value does not fit numeric({type.Precision},{type.Scale}).");
    }

    private static void DateTime(TokenBuffer buffer, DateTime value)
    {
        var days = (value.Date - Epoch).Days;
        var units = ((value.TimeOfDay.Ticks * 300) + 5_000_000) / 10_000_000;
        if (units == 300L * 86_400) (days, units) = (days + 1, 0);
        buffer.Int32(days);
        buffer.UInt32((uint)units);
    }

    private static int TemporalSize(SqlKind kind, byte scale) =>
        (kind == SqlKind.Date ? 0 : TimeSize(scale)) + kind switch { SqlKind.Time => 0, SqlKind.DateTimeOffset => 5, _ => 3 };

    private static int TimeSize(byte scale) => scale switch { <= 2 => 3, <= 4 => 4, _ => 5 };

    private static void Temporal(TokenBuffer buffer, SqlKind kind, byte scale, object value)
    {
        var (date, offset) = value switch
        {
            DateTimeOffset moment => (moment.UtcDateTime, moment.Offset),
            TimeSpan time => (System.DateTime.MinValue + time, TimeSpan.Zero),
            _ => ((DateTime)value, TimeSpan.Zero),
        };
        if (kind != SqlKind.Date) buffer.LowBytes(date.TimeOfDay.Ticks / (long)Math.Pow(10, 7 - scale), TimeSize(scale));
        if (kind != SqlKind.Time) buffer.LowBytes(date.Date.Ticks / TimeSpan.TicksPerDay, 3);
        if (kind == SqlKind.DateTimeOffset) buffer.Int16((short)offset.TotalMinutes);
    }

    private static byte[] Padded(byte[] value, int length) => value.Length >= length ? value : [.. value, .. new byte[length - value.Length]];

    private static void Short(TokenBuffer buffer, ReadOnlySpan<byte> value)
    {
        if (value.Length >= ushort.MaxValue) throw new InvalidOperationException("A value is longer than its type can carry.");
        buffer.UInt16((ushort)value.Length);
        buffer.Bytes(value);
    }

    private static void Short(TokenBuffer buffer, string value)
    {
        if (value.Length > ushort.MaxValue / 2) throw new InvalidOperationException("A value is longer than its type can carry.");
        buffer.UInt16((ushort)(value.Length * 2));
        buffer.Utf16(value);
    }

    private static void Plp(TokenBuffer buffer, string value)
    {
        buffer.Int64(value.Length * 2L);
        if (value.Length > 0)
        {
            buffer.Int32(checked(value.Length * 2));
            buffer.Utf16(value);
        }

        buffer.Int32(0);
    }

    private static void Plp(TokenBuffer buffer, ReadOnlySpan<byte> value)
    {
        buffer.Int64(value.Length);
        if (value.Length > 0)
        {
            buffer.Int32(value.Length);
            buffer.Bytes(value);
        }

        buffer.Int32(0);
    }

    private static void Variant(TokenBuffer buffer, object value)
    {
        var type = Types.OfCarrier(value) with { Nullable = false };
        value = Types.OfVariant(value);
        switch (type.Kind)
        {
            case SqlKind.UniqueIdentifier:
                VariantHead(buffer, TdsType.Guid, 0, 16);
                ((Guid)value).TryWriteBytes(buffer.Take(16));
                break;
            case SqlKind.Numeric:
                VariantHead(buffer, TdsType.NumericN, 2, NumericSize(type));
                buffer.Byte(Precision(type));
                buffer.Byte(type.Scale);
                Numeric(buffer, type, value);
                break;
            case SqlKind.Date:
                VariantHead(buffer, TdsType.Date, 0, 3);
                Temporal(buffer, type.Kind, 0, value);
                break;
            case SqlKind.Time or SqlKind.DateTime2 or SqlKind.DateTimeOffset:
                var token = type.Kind switch { SqlKind.Time => TdsType.Time, SqlKind.DateTime2 => TdsType.DateTime2, _ => TdsType.DateTimeOffset };
                VariantHead(buffer, token, 1, TemporalSize(type.Kind, type.Scale));
                buffer.Byte(type.Scale);
                Temporal(buffer, type.Kind, type.Scale, value);
                break;
            case SqlKind.NVarChar:
                var text = (string)value;
                if (text.Length > 4000) throw new InvalidOperationException("Text is longer than sql_variant can carry.");
                VariantHead(buffer, TdsType.NVarChar, 7, text.Length * 2);
                buffer.Bytes(Tds.Collation);
                buffer.UInt16(8000);
                buffer.Utf16(text);
                break;
            case SqlKind.VarBinary:
                var bytes = (byte[])value;
                if (bytes.Length > 8000) throw new InvalidOperationException("Bytes are longer than sql_variant can carry.");
                VariantHead(buffer, TdsType.VarBinary, 2, bytes.Length);
                buffer.UInt16(8000);
                buffer.Bytes(bytes);
                break;
            default:
                if (Fixed(type) is not { } simple) throw new InvalidOperationException($"sql_variant cannot carry {value.GetType().Name}.");
                VariantHead(buffer, simple, 0, FixedSize(type.Kind));
                FixedValue(buffer, type, value);
                break;
        }
    }

    private static int FixedSize(SqlKind kind) => kind switch
    {
        SqlKind.Bit or SqlKind.TinyInt => 1,
        SqlKind.SmallInt => 2,
        SqlKind.Int or SqlKind.Real or SqlKind.SmallMoney or SqlKind.SmallDateTime => 4,
        _ => 8,
    };

    private static void VariantHead(TokenBuffer buffer, TdsType type, byte properties, int dataLength)
    {
        buffer.Int32(2 + properties + dataLength);
        buffer.Byte((byte)type);
        buffer.Byte(properties);
    }
}
