using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

/// <summary>Conversion of values between types, with the engine's errors.</summary>
internal static partial class Conversion
{
    /// <summary>Converts, or throws the engine's error.</summary>
    public static object? Convert(object? value, SqlType from, SqlType to, int style = 0)
    {
        if (value is null) return null;
        if (from.Kind == SqlKind.Variant)
        {
            if (to.Kind == SqlKind.Variant) return value;
            (from, value) = (Types.OfCarrier(value), Types.OfVariant(value));
        }

        return to.Kind switch
        {
            SqlKind.Variant => Types.ToVariant(value, from),
            SqlKind.Bit => ToBit(value, from),
            SqlKind.TinyInt => (byte)ToInteger(value, from, to, byte.MinValue, byte.MaxValue),
            SqlKind.SmallInt => (short)ToInteger(value, from, to, short.MinValue, short.MaxValue),
            SqlKind.Int => (int)ToInteger(value, from, to, int.MinValue, int.MaxValue),
            SqlKind.BigInt => ToInteger(value, from, to, long.MinValue, long.MaxValue),
            SqlKind.Numeric => ToNumeric(value, from, to),
            SqlKind.Float => ToFloat(value, from, to),
            SqlKind.Real => ToReal(value, from, to),
            SqlKind.Money or SqlKind.SmallMoney => ToMoney(value, from, to),
            _ when Types.IsDate(to) => ToDate(value, from, to, style),
            SqlKind.UniqueIdentifier => ToGuid(value, from, to),
            SqlKind.VarBinary or SqlKind.Binary => ToBinary(value, from, to, style),
            _ => ToText(value, from, to, style),
        };
    }

    /// <summary>Whether a value of one type may stand where the other is wanted, without CAST.</summary>
    public static void RequireImplicit(SqlType from, SqlType to)
    {
        if (Types.IsNull(from) || from.Kind == to.Kind) return;
        if (IsRefused(from, to)) throw Clash(from, to);
        var refused = (from.Kind == SqlKind.Variant && to.Kind != SqlKind.Variant)
            || (Types.IsText(from) && Types.IsBinary(to))
            || (Types.IsBinary(from) && Types.IsApproximate(to))
            || (Types.IsMoney(from) && Types.IsText(to))
            || (Types.IsOldDate(from) && (Types.IsNumber(to) || Types.IsBinary(to)))
            || (Types.IsNewDate(from) && Types.IsBinary(to));
        if (refused)
        {
            throw new SqlErrorException(
                257,
                16,
                $"Implicit conversion from data type {Types.Name(from)} to {Types.Name(to)} is not allowed. Use the CONVERT function to run this query.");
        }
    }

    /// <summary>Whether CAST knows the way at all.</summary>
    public static void RequireExplicit(SqlType from, SqlType to)
    {
        if (Types.IsNull(from) || !IsRefused(from, to)) return;
        throw new SqlErrorException(529, 16, $"Explicit conversion from data type {Types.Name(from)} to {Types.Name(to)} is not allowed.");
    }

    private static bool IsRefused(SqlType from, SqlType to)
    {
        if (from.Kind == SqlKind.UniqueIdentifier) return Types.IsNumber(to) || Types.IsDate(to);
        if (to.Kind == SqlKind.UniqueIdentifier) return Types.IsNumber(from) || Types.IsDate(from);
        if (Types.IsNewDate(from) && Types.IsNumber(to)) return true;
        if (Types.IsNewDate(to) && Types.IsNumber(from)) return true;
        return (from.Kind, to.Kind) is (SqlKind.Date, SqlKind.Time) or (SqlKind.Time, SqlKind.Date);
    }

    private static object ToBit(object value, SqlType from)
    {
        switch (value)
        {
            case bool:
                return value;
            case string text:
                var trimmed = text.Trim();
                if (trimmed.Equals("true", StringComparison.OrdinalIgnoreCase)) return true;
                if (trimmed.Equals("false", StringComparison.OrdinalIgnoreCase)) return false;
                if (trimmed.Length == 0) return false;
                return long.TryParse(trimmed, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole)
                    ? whole != 0
                    : throw Failed(text, from, Types.Bit);
            case double number:
                return number != 0;
            case float number:
                return number != 0;
            case decimal number:
                return number != 0;
            case BigInteger number:
                return !number.IsZero;
            case byte[] bytes:
                return bytes.Any(b => b != 0);
            default:
                return ToInteger(value, from, Types.BigInt, long.MinValue, long.MaxValue) != 0;
        }
    }

    private static long ToInteger(object value, SqlType from, SqlType to, long least, long most)
    {
        BigInteger number;
        switch (value)
        {
            case bool bit:
                return bit ? 1 : 0;
            case byte b:
                number = b;
                break;
            case short s:
                number = s;
                break;
            case int i:
                number = i;
                break;
            case long l:
                number = l;
                break;
            case double d:
                if (double.IsNaN(d) || d >= 9.3e18 || d <= -9.3e18) throw Overflow(to);
                number = new BigInteger(Math.Truncate(d));
                break;
            case float f:
                return ToInteger((double)f, from, to, least, most);
            case decimal money:
                number = new BigInteger(decimal.Round(money, MidpointRounding.AwayFromZero));
                break;
            case BigInteger unscaled:
                number = unscaled / BigInteger.Pow(10, from.Scale);
                break;
            case string text:
                var trimmed = text.Trim();
                if (trimmed.Length == 0) return 0;
                if (!BigInteger.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)) throw Failed(text, from, to);
                if (number < least || number > most)
                {
                    throw to.Kind == SqlKind.Int
                        ? new SqlErrorException(248, 16, $"The conversion of the {Types.Name(from)} value '{trimmed}' overflowed an int column.")
                        : to.Kind == SqlKind.BigInt
                            ? Overflow(to)
                            : new SqlErrorException(
                                244,
                                16,
                                $"The conversion of the {Types.Name(from)} value '{trimmed}' overflowed an {(to.Kind == SqlKind.TinyInt ? "INT1" : "INT2")} column. Use a larger integer column.");
                }

                break;
            case byte[] bytes:
                number = BigEndian(bytes, to.Kind switch { SqlKind.TinyInt => 1, SqlKind.SmallInt => 2, SqlKind.Int => 4, _ => 8 });
                break;
            case DateTime date:
                number = new BigInteger(Math.Floor((date - new DateTime(1900, 1, 1)).TotalDays + 0.5));
                break;
            default:
                throw Clash(from, to);
        }

        if (number < least || number > most)
        {
            throw to.Kind is SqlKind.TinyInt or SqlKind.SmallInt && Types.IsInteger(from)
                ? new SqlErrorException(220, 16, $"Arithmetic overflow error for data type {Types.Name(to)}, value = {number}.")
                : Overflow(to);
        }

        return (long)number;
    }

    private static BigInteger BigEndian(byte[] bytes, int size)
    {
        var tail = bytes.Length > size ? bytes.AsSpan(bytes.Length - size) : bytes;
        return tail.Length < size ? new BigInteger(tail, isUnsigned: true, isBigEndian: true) : new BigInteger(tail, isUnsigned: size == 1, isBigEndian: true);
    }

    private static object ToGuid(object value, SqlType from, SqlType to) => value switch
    {
        Guid => value,
        string text => Guid.TryParse(text.Length > 36 && !text.StartsWith('{') ? text[..36] : text.Trim(), out var guid)
            ? guid
            : throw new SqlErrorException(8169, 16, "Conversion failed when converting from a character string to uniqueidentifier."),
        byte[] bytes => new Guid([.. bytes.Take(16), .. new byte[Math.Max(0, 16 - bytes.Length)]]),
        _ => throw Clash(from, to),
    };

    private static byte[] ToBinary(object value, SqlType from, SqlType to, int style)
    {
        byte[] bytes;
        switch (value)
        {
            case byte[] given:
                bytes = given;
                break;
            case string text when style is 1 or 2:
                var digits = style == 1 && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
                if ((style == 1 && digits.Length == text.Length) || digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit))
                    throw new SqlErrorException(8114, 16, $"Error converting data type {Types.Name(from)} to varbinary.");
                bytes = System.Convert.FromHexString(digits);
                break;
            case string text:
                bytes = Types.IsUnicode(from) ? [.. MemoryMarshal.AsBytes(text.AsSpan())] : Types.CodePage.GetBytes(text);
                break;
            case Guid guid:
                bytes = guid.ToByteArray();
                break;
            case bool bit:
                bytes = [bit ? (byte)1 : (byte)0];
                break;
            case byte b:
                bytes = [b];
                break;
            case short s:
                bytes = [(byte)(s >> 8), (byte)s];
                break;
            case int i:
                bytes = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(bytes, i);
                break;
            case long l:
                bytes = new byte[8];
                BinaryPrimitives.WriteInt64BigEndian(bytes, l);
                break;
            case double d:
                bytes = new byte[8];
                BinaryPrimitives.WriteDoubleBigEndian(bytes, d);
                break;
            case float f:
                bytes = new byte[4];
                BinaryPrimitives.WriteSingleBigEndian(bytes, f);
                break;
            case decimal money:
                bytes = new byte[8];
                BinaryPrimitives.WriteInt64BigEndian(bytes, (long)(money * 10_000));
                if (from.Kind == SqlKind.SmallMoney) bytes = bytes[4..];
                break;
            default:
                throw new SqlErrorException(50505, 16, $"Conversion of {Types.Name(from)} to {Types.Name(to)} is not simulated.");
        }

        if (to.Length < 0 || bytes.Length == to.Length) return bytes;
        // Numbers keep their low bytes, on the right; all else its first bytes, on the left.
        var number = Types.IsNumber(from);
        if (bytes.Length > to.Length) return number ? bytes[^to.Length..] : bytes[..to.Length];
        if (to.Kind == SqlKind.VarBinary) return bytes;
        var padding = new byte[to.Length - bytes.Length];
        return number ? [.. padding, .. bytes] : [.. bytes, .. padding];
    }

    private static string ToText(object value, SqlType from, SqlType to, int style)
    {
        var text = value switch
        {
            string given => given,
            bool bit => bit ? "1" : "0",
            BigInteger unscaled => Types.Format(unscaled, from.Scale),
            double number => FormatFloat(number, style),
            float number => FormatFloat(number, style),
            decimal number => FormatMoney(number, style),
            Guid guid => guid.ToString().ToUpperInvariant(),
            DateTime or TimeSpan or DateTimeOffset => FormatDate(value, from, style),
            byte[] bytes when style == 1 => "0x" + System.Convert.ToHexString(bytes),
            byte[] bytes when style == 2 => System.Convert.ToHexString(bytes),
            byte[] bytes => Types.IsUnicode(to) ? new string(MemoryMarshal.Cast<byte, char>(bytes)) : Types.CodePage.GetString(bytes),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => throw Clash(from, to),
        };
        if (Types.IsUnicode(from) && !Types.IsUnicode(to)) text = Types.InCodePage(text);
        if (to.Length >= 0 && text.Length > to.Length)
        {
            if (Types.IsInteger(from))
                return to.Kind is SqlKind.Char or SqlKind.VarChar ? Fill("*", to) : throw Overflow(to, from);
            if (from.Kind == SqlKind.Numeric || Types.IsApproximate(from)) throw Overflow(to, from);
            if (Types.IsMoney(from))
                throw new SqlErrorException(234, 16, $"There is insufficient result space to convert a {Types.Name(from)} value to {Types.Name(to)}.");
            if (from.Kind == SqlKind.UniqueIdentifier)
                throw new SqlErrorException(8170, 16, "Insufficient result space to convert uniqueidentifier value to char.");
            text = text[..to.Length];
        }

        return Fill(text, to);
    }

    private static string Fill(string text, SqlType to) => to.Kind is SqlKind.Char or SqlKind.NChar ? text.PadRight(to.Length) : text;

    private static SqlErrorException Failed(string text, SqlType from, SqlType to) =>
        new(245, 16, $"Conversion failed when converting the {Types.Name(from)} value '{text}' to data type {Types.Name(to)}.");

    private static SqlErrorException Overflow(SqlType to) =>
        new(8115, 16, $"Arithmetic overflow error converting expression to data type {Types.Name(to)}.");

    private static SqlErrorException Overflow(SqlType to, SqlType from) =>
        new(8115, 16, $"Arithmetic overflow error converting {Types.Name(from)} to data type {Types.Name(to)}.");

    private static SqlErrorException Clash(SqlType from, SqlType to) =>
        new(206, 16, $"Operand type clash: {Types.Name(from)} is incompatible with {Types.Name(to)}");
}
