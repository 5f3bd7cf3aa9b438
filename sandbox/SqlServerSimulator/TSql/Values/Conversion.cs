using System.Globalization;
using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

/// <summary>Conversion of values between types, with the engine's errors.</summary>
internal static class Conversion
{
    private static readonly string[] s_dates =
    [
        "yyyy-MM-dd", "yyyyMMdd", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-ddTHH:mm:ss",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFF", "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", "yyyy-MM-ddTHH:mm", "yyyyMMdd HH:mm:ss", "yyyyMMdd HH:mm:ss.FFFFFFF",
        "MM/dd/yyyy", "M/d/yyyy", "MM/dd/yyyy HH:mm:ss", "MMM d yyyy", "MMM d yyyy h:mmtt", "MMM dd yyyy hh:mmtt", "MMM d, yyyy", "yyyy/MM/dd",
    ];

    /// <summary>Converts, or throws the engine's error.</summary>
    public static object? Convert(object? value, SqlType from, SqlType to, int style = 0)
    {
        if (value is null) return null;
        if (from.Kind == SqlKind.Variant)
        {
            if (to.Kind == SqlKind.Variant) return value;
            from = Types.OfCarrier(value);
        }

        return to.Kind switch
        {
            SqlKind.Variant => from is { Kind: SqlKind.Numeric, Scale: > 0 } ? (double)(BigInteger)value / Math.Pow(10, from.Scale) : value,
            SqlKind.Bit => ToBit(value, from),
            SqlKind.TinyInt => (byte)ToInteger(value, from, to, byte.MinValue, byte.MaxValue),
            SqlKind.SmallInt => (short)ToInteger(value, from, to, short.MinValue, short.MaxValue),
            SqlKind.Int => (int)ToInteger(value, from, to, int.MinValue, int.MaxValue),
            SqlKind.BigInt => ToInteger(value, from, to, long.MinValue, long.MaxValue),
            SqlKind.Numeric => ToNumeric(value, from, to),
            SqlKind.Float => ToFloat(value, from, to),
            SqlKind.DateTime => ToDate(value, from, to),
            SqlKind.DateTime2 => ToDate(value, from, to),
            SqlKind.UniqueIdentifier => ToGuid(value, from, to),
            SqlKind.VarBinary => ToBinary(value, from, to, style),
            _ => ToText(value, from, to, style),
        };
    }

    /// <summary>Whether a value of one type may stand where the other is wanted, without CAST.</summary>
    public static void RequireImplicit(SqlType from, SqlType to)
    {
        if (Types.IsNull(from) || from.Kind == to.Kind) return;
        RequireExplicit(from, to);
        var refused = (from.Kind == SqlKind.Variant && to.Kind != SqlKind.Variant)
            || (Types.IsText(from) && to.Kind == SqlKind.VarBinary)
            || (from.Kind == SqlKind.VarBinary && to.Kind == SqlKind.Float)
            || (Types.IsDate(from) && (Types.IsNumber(to) || to.Kind == SqlKind.VarBinary));
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
        if (Types.IsNull(from)) return;
        var refused = from.Kind == SqlKind.UniqueIdentifier
            ? Types.IsNumber(to) || Types.IsDate(to)
            : to.Kind == SqlKind.UniqueIdentifier && (Types.IsNumber(from) || Types.IsDate(from));
        refused |= from.Kind == SqlKind.DateTime2 && Types.IsNumber(to);
        refused |= to.Kind == SqlKind.DateTime2 && Types.IsNumber(from);
        if (refused)
        {
            throw new SqlErrorException(
                529, 16, $"Explicit conversion from data type {Types.Name(from)} to {Types.Name(to)} is not allowed.");
        }
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

    private static BigInteger ToNumeric(object value, SqlType from, SqlType to)
    {
        BigInteger number;
        int scale;
        switch (value)
        {
            case BigInteger unscaled:
                (number, scale) = (unscaled, from.Scale);
                break;
            case double d:
                if (double.IsNaN(d) || Math.Abs(d) >= 1e38) throw Overflow(to);
                var rounded = d.ToString("F" + Math.Min((int)to.Scale, 15), CultureInfo.InvariantCulture);
                (number, scale) = Decimal(rounded)!.Value;
                break;
            case string text:
                (number, scale) = Decimal(text.Trim())
                    ?? throw new SqlErrorException(8114, 16, $"Error converting data type {Types.Name(from)} to numeric.");
                break;
            case bool or byte or short or int or long:
                (number, scale) = (ToInteger(value, from, Types.BigInt, long.MinValue, long.MaxValue), 0);
                break;
            default:
                throw Clash(from, to);
        }

        number = Rescale(number, scale, to.Scale);
        if (BigInteger.Abs(number) >= BigInteger.Pow(10, to.Precision)) throw Overflow(to, from);
        return number;
    }

    /// <summary>Brings an unscaled value to another scale, rounding half away from zero.</summary>
    public static BigInteger Rescale(BigInteger number, int from, int to)
    {
        if (to >= from) return number * BigInteger.Pow(10, to - from);
        var divisor = BigInteger.Pow(10, from - to);
        var quotient = BigInteger.DivRem(number, divisor, out var rest);
        return BigInteger.Abs(rest) * 2 >= divisor ? quotient + number.Sign : quotient;
    }

    private static (BigInteger, int)? Decimal(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var scale = point < 0 ? 0 : text.Length - point - 1;
        var digits = point < 0 ? text : text.Remove(point, 1);
        return digits.Length > 0 && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? (number, scale)
            : null;
    }

    private static object ToFloat(object value, SqlType from, SqlType to)
    {
        switch (value)
        {
            case double:
                return value;
            case BigInteger unscaled:
                return double.Parse(Types.Format(unscaled, from.Scale), CultureInfo.InvariantCulture);
            case string text:
                var trimmed = text.Trim();
                if (trimmed.Length == 0) return 0d;
                return double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                    ? number
                    : throw new SqlErrorException(8114, 16, $"Error converting data type {Types.Name(from)} to float.");
            case bool or byte or short or int or long:
                return (double)ToInteger(value, from, Types.BigInt, long.MinValue, long.MaxValue);
            default:
                throw Clash(from, to);
        }
    }

    private static DateTime ToDate(object value, SqlType from, SqlType to)
    {
        DateTime date;
        switch (value)
        {
            case DateTime given:
                date = given;
                break;
            case string text:
                if (text.Trim().Length == 0)
                {
                    date = new DateTime(1900, 1, 1);
                }
                else if (!DateTime.TryParseExact(
                    text.Trim(), s_dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date))
                {
                    throw new SqlErrorException(241, 16, "Conversion failed when converting date and/or time from character string.");
                }

                break;
            case bool or byte or short or int or long or double or BigInteger when to.Kind == SqlKind.DateTime:
                date = new DateTime(1900, 1, 1).AddDays((double)ToFloat(value, from, to));
                break;
            default:
                throw Clash(from, to);
        }

        date = DateTime.SpecifyKind(date, DateTimeKind.Unspecified);
        return to.Kind == SqlKind.DateTime ? ToTicksOf300(date) : ToScale(date, to.Scale);
    }

    /// <summary>datetime counts three-hundredths of a second.</summary>
    private static DateTime ToTicksOf300(DateTime date)
    {
        if (date.Year < 1753)
        {
            throw new SqlErrorException(
                242, 16, "The conversion of a datetime2 data type to a datetime data type resulted in an out-of-range value.");
        }

        var ticks = date.TimeOfDay.Ticks;
        var units = (long)Math.Round(ticks * 300 / (double)TimeSpan.TicksPerSecond, MidpointRounding.AwayFromZero);
        return date.Date.AddMilliseconds(Math.Round(units * 1000 / 300d, MidpointRounding.AwayFromZero));
    }

    private static DateTime ToScale(DateTime date, int scale)
    {
        var unit = (long)Math.Pow(10, 7 - scale);
        var ticks = (date.Ticks + (unit / 2)) / unit * unit;
        return new DateTime(Math.Min(ticks, DateTime.MaxValue.Ticks));
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
                bytes = Types.IsUnicode(from) ? Encoding.Unicode.GetBytes(text) : Encoding.Latin1.GetBytes(text);
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
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes, i);
                break;
            case long l:
                bytes = new byte[8];
                System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, l);
                break;
            default:
                throw new SqlErrorException(50505, 16, $"Conversion of {Types.Name(from)} to varbinary is not simulated.");
        }

        if (to.Length >= 0 && bytes.Length > to.Length)
            bytes = Types.IsInteger(from) ? bytes[^to.Length..] : bytes[..to.Length];
        return bytes;
    }

    private static string ToText(object value, SqlType from, SqlType to, int style)
    {
        var text = value switch
        {
            string given => given,
            bool bit => bit ? "1" : "0",
            BigInteger unscaled => Types.Format(unscaled, from.Scale),
            double number => FormatFloat(number, style),
            Guid guid => guid.ToString().ToUpperInvariant(),
            DateTime date => FormatDate(date, from, style),
            byte[] bytes when style == 1 => "0x" + System.Convert.ToHexString(bytes),
            byte[] bytes when style == 2 => System.Convert.ToHexString(bytes),
            byte[] bytes => Types.IsUnicode(to) ? Encoding.Unicode.GetString(bytes) : Encoding.Latin1.GetString(bytes),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => throw Clash(from, to),
        };
        if (to.Length >= 0 && text.Length > to.Length)
        {
            if (Types.IsInteger(from))
                return to.Kind is SqlKind.Char or SqlKind.VarChar ? Fill("*", to) : throw Overflow(to, from);
            if (from.Kind is SqlKind.Numeric or SqlKind.Float) throw Overflow(to, from);
            if (from.Kind == SqlKind.UniqueIdentifier)
                throw new SqlErrorException(8170, 16, "Insufficient result space to convert uniqueidentifier value to char.");
            text = text[..to.Length];
        }

        return Fill(text, to);
    }

    private static string Fill(string text, SqlType to) => to.Kind is SqlKind.Char or SqlKind.NChar ? text.PadRight(to.Length) : text;

    private static string FormatFloat(double number, int style)
    {
        if (style != 0) return number.ToString("e15", CultureInfo.InvariantCulture);
        if (number == 0) return "0";
        var size = Math.Abs(number);
        return size is >= 1e-4 and < 1e6
            ? double.Parse(number.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("0.##########", CultureInfo.InvariantCulture)
            : number.ToString("0.#####e+000", CultureInfo.InvariantCulture);
    }

    private static string FormatDate(DateTime date, SqlType from, int style)
    {
        var fraction = from.Kind == SqlKind.DateTime ? ".fff" : from.Scale == 0 ? "" : "." + new string('f', from.Scale);
        return style switch
        {
            0 or 100 when from.Kind == SqlKind.DateTime => $"{date:MMM} {date.Day,2} {date:yyyy} {(date.Hour % 12 == 0 ? 12 : date.Hour % 12),2}:{date:mmtt}",
            0 => date.ToString("yyyy-MM-dd HH:mm:ss" + fraction, CultureInfo.InvariantCulture),
            101 => date.ToString("MM/dd/yyyy", CultureInfo.InvariantCulture),
            112 => date.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
            108 => date.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
            23 => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            120 => date.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            121 or 21 or 25 => date.ToString("yyyy-MM-dd HH:mm:ss" + fraction, CultureInfo.InvariantCulture),
            126 => date.ToString("yyyy-MM-ddTHH:mm:ss" + (fraction.Length > 0 ? ".FFFFFFF" : ""), CultureInfo.InvariantCulture),
            127 => date.ToString("yyyy-MM-ddTHH:mm:ss" + (fraction.Length > 0 ? ".FFFFFFF" : "") + "Z", CultureInfo.InvariantCulture),
            _ => throw new SqlErrorException(50505, 16, $"CONVERT of dates with style {style} is not simulated."),
        };
    }

    private static SqlErrorException Failed(string text, SqlType from, SqlType to) =>
        new(245, 16, $"Conversion failed when converting the {Types.Name(from)} value '{text}' to data type {Types.Name(to)}.");

    private static SqlErrorException Overflow(SqlType to) =>
        new(8115, 16, $"Arithmetic overflow error converting expression to data type {Types.Name(to)}.");

    private static SqlErrorException Overflow(SqlType to, SqlType from) =>
        new(8115, 16, $"Arithmetic overflow error converting {Types.Name(from)} to data type {Types.Name(to)}.");

    private static SqlErrorException Clash(SqlType from, SqlType to) =>
        new(206, 16, $"Operand type clash: {Types.Name(from)} is incompatible with {Types.Name(to)}");
}
