using System.Globalization;
using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Tds;

/// <summary>Types and values as results and output parameters carry them.</summary>
internal static class TypeWriter
{
    private const int VariantLimit = 8009;
    private static readonly DateTime Epoch = new(1900, 1, 1);

    /// <summary>Windows-1252, the code page of the server's collation.</summary>
    public static Encoding CodePage { get; } = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

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
            case SqlKind.DateTime: Sized(buffer, TdsType.DateTimeN, 8); break;
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
            case SqlKind.DateTime2:
                DateTime2(buffer, Math.Min(type.Scale, (byte)7), (DateTime)value);
                break;
            case SqlKind.UniqueIdentifier:
                buffer.Byte(16);
                ((Guid)value).TryWriteBytes(buffer.Take(16));
                break;
            case SqlKind.Char: Short(buffer, CodePage.GetBytes(((string)value).PadRight(type.Length))); break;
            case SqlKind.NChar: Short(buffer, ((string)value).PadRight(type.Length)); break;
            case SqlKind.VarChar when IsMax(type): Plp(buffer, CodePage.GetBytes((string)value)); break;
            case SqlKind.VarChar: Short(buffer, CodePage.GetBytes((string)value)); break;
            case SqlKind.NVarChar when IsMax(type): Plp(buffer, Encoding.Unicode.GetBytes((string)value)); break;
            case SqlKind.NVarChar: Short(buffer, (string)value); break;
            case SqlKind.VarBinary when IsMax(type): Plp(buffer, (byte[])value); break;
            case SqlKind.VarBinary: Short(buffer, (byte[])value); break;
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
        SqlKind.DateTime => TdsType.DateTime,
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
            default: DateTime(buffer, (DateTime)value); break;
        }
    }

    private static void Null(TokenBuffer buffer, SqlType type)
    {
        if (Fixed(type) is not null) throw new InvalidOperationException($"NULL in a column of type {type.Kind} that cannot be NULL.");
        switch (type.Kind)
        {
            case SqlKind.Char or SqlKind.NChar: buffer.UInt16(ushort.MaxValue); break;
            case SqlKind.VarChar or SqlKind.NVarChar or SqlKind.VarBinary when IsMax(type): buffer.Int64(-1); break;
            case SqlKind.VarChar or SqlKind.NVarChar or SqlKind.VarBinary: buffer.UInt16(ushort.MaxValue); break;
            case SqlKind.Variant: buffer.Int32(0); break;
            default: buffer.Byte(0); break;
        }
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

    private static void DateTime2(TokenBuffer buffer, byte scale, DateTime value)
    {
        var timeSize = scale switch { <= 2 => 3, <= 4 => 4, _ => 5 };
        var unit = (long)Math.Pow(10, 7 - scale);
        buffer.Byte((byte)(timeSize + 3));
        buffer.LowBytes(value.TimeOfDay.Ticks / unit, timeSize);
        buffer.LowBytes(value.Date.Ticks / TimeSpan.TicksPerDay, 3);
    }

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
        switch (value)
        {
            case bool b: VariantHead(buffer, TdsType.Bit, 0, 1); buffer.Byte(b ? (byte)1 : (byte)0); break;
            case byte b: VariantHead(buffer, TdsType.Int1, 0, 1); buffer.Byte(b); break;
            case short s: VariantHead(buffer, TdsType.Int2, 0, 2); buffer.Int16(s); break;
            case int i: VariantHead(buffer, TdsType.Int4, 0, 4); buffer.Int32(i); break;
            case long l: VariantHead(buffer, TdsType.Int8, 0, 8); buffer.Int64(l); break;
            case double d: VariantHead(buffer, TdsType.Float, 0, 8); buffer.Double(d); break;
            case DateTime t: VariantHead(buffer, TdsType.DateTime, 0, 8); DateTime(buffer, t); break;
            case Guid g: VariantHead(buffer, TdsType.Guid, 0, 16); g.TryWriteBytes(buffer.Take(16)); break;
            case BigInteger n:
                var type = new SqlType(SqlKind.Numeric, Precision: 38);
                VariantHead(buffer, TdsType.NumericN, 2, 17);
                buffer.Byte(38);
                buffer.Byte(0);
                Numeric(buffer, type, n);
                break;
            case string text:
                if (text.Length > 4000) throw new InvalidOperationException("Text is longer than sql_variant can carry.");
                VariantHead(buffer, TdsType.NVarChar, 7, text.Length * 2);
                buffer.Bytes(Tds.Collation);
                buffer.UInt16(8000);
                buffer.Utf16(text);
                break;
            case byte[] bytes:
                if (bytes.Length > 8000) throw new InvalidOperationException("Bytes are longer than sql_variant can carry.");
                VariantHead(buffer, TdsType.VarBinary, 2, bytes.Length);
                buffer.UInt16(8000);
                buffer.Bytes(bytes);
                break;
            default: throw new InvalidOperationException($"sql_variant cannot carry {value.GetType().Name}.");
        }
    }

    private static void VariantHead(TokenBuffer buffer, TdsType type, byte properties, int dataLength)
    {
        buffer.Int32(2 + properties + dataLength);
        buffer.Byte((byte)type);
        buffer.Byte(properties);
    }
}
