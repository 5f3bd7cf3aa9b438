using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

// Numbers with a fraction.
internal static partial class Conversion
{
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
            case float f:
                return ToNumeric((double)f, from, to);
            case decimal money:
                (number, scale) = (new BigInteger(money * 10_000), 4);
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
            case float f:
                return (double)f;
            case decimal money:
                return (double)money;
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

    private static object ToReal(object value, SqlType from, SqlType to)
    {
        if (value is float) return value;
        var real = (float)(double)ToFloat(value, from, Types.Float);
        return float.IsFinite(real) ? real : throw Overflow(to);
    }

    private static decimal ToMoney(object value, SqlType from, SqlType to)
    {
        switch (value)
        {
            case decimal money:
                return Money(money, to);
            case string text:
                var digits = text.Trim().Replace(",", "", StringComparison.Ordinal);
                var negative = digits.StartsWith('-');
                digits = digits.TrimStart('-', '+').TrimStart('$', '€', '£', '¥');
                if (digits.Length == 0 && !negative) return 0m;
                return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
                    ? Money(negative ? -amount : amount, to)
                    : throw new SqlErrorException(235, 16, $"Cannot convert a char value to money. The char value has incorrect syntax.");
            case byte[] bytes:
                var whole = BigEndian(bytes, to.Kind == SqlKind.SmallMoney ? 4 : 8);
                return Money((decimal)whole / 10_000, to);
            case bool or byte or short or int or long:
                return Money(ToInteger(value, from, Types.BigInt, long.MinValue, long.MaxValue), to);
            case double or float or BigInteger:
                try
                {
                    return Money((decimal)ToNumeric(value, from, new SqlType(SqlKind.Numeric, 0, 38, 4)) / 10_000, to);
                }
                catch (OverflowException)
                {
                    throw Overflow(to);
                }

            default:
                throw Clash(from, to);
        }
    }

    /// <summary>Brings an amount to four digits after the point and into the bounds of its type.</summary>
    public static decimal Money(decimal amount, SqlType type)
    {
        const decimal largest = long.MaxValue / 10_000m, largestSmall = int.MaxValue / 10_000m;
        var most = type.Kind == SqlKind.SmallMoney ? largestSmall : largest;
        amount = decimal.Round(amount, 4, MidpointRounding.AwayFromZero);
        // One more below zero than above; and always four digits, so that equal amounts look alike.
        return amount <= most && amount >= -most - 0.0001m ? amount + 0.0000m : throw Overflow(type);
    }

    private static string FormatMoney(decimal amount, int style) => style switch
    {
        0 => decimal.Round(amount, 2, MidpointRounding.AwayFromZero).ToString("0.00", CultureInfo.InvariantCulture),
        1 => decimal.Round(amount, 2, MidpointRounding.AwayFromZero).ToString("#,##0.00", CultureInfo.InvariantCulture),
        2 or 126 => amount.ToString("0.0000", CultureInfo.InvariantCulture),
        _ => throw new SqlErrorException(50505, 16, $"CONVERT of money with style {style} is not simulated."),
    };

    private static string FormatFloat(double number, int style)
    {
        if (style != 0) return number.ToString("e15", CultureInfo.InvariantCulture);
        if (number == 0) return "0";
        var size = Math.Abs(number);
        return size is >= 1e-4 and < 1e6
            ? double.Parse(number.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("0.##########", CultureInfo.InvariantCulture)
            : number.ToString("0.#####e+000", CultureInfo.InvariantCulture);
    }
}
