using System.Data.SqlTypes;
using System.Numerics;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

/// <summary>Comparison and arithmetic on values that are already of one type.</summary>
internal static class Operators
{
    /// <summary>Compares two values of the same type, neither NULL.</summary>
    public static int Compare(object left, object right, SqlType type)
    {
        switch (left)
        {
            case string a:
                // Trailing blanks do not count; the collation ignores case.
                return string.Compare(a.AsSpan().TrimEnd(' ').ToString(), ((string)right).TrimEnd(' '), StringComparison.OrdinalIgnoreCase);
            case int a when right is int b:
                return a.CompareTo(b);
            case long a when right is long b:
                return a.CompareTo(b);
            case Guid a:
                return new SqlGuid(a).CompareTo(new SqlGuid((Guid)right));
            case byte[] a:
                return CompareBytes(a, (byte[])right);
            case IComparable a when left.GetType() == right.GetType():
                return a.CompareTo(right);
            default:
                return CompareVariants(left, right);
        }
    }

    private static int CompareBytes(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        left.TrimEnd((byte)0).SequenceCompareTo(right.TrimEnd((byte)0));

    private static int CompareVariants(object left, object right)
    {
        var (a, b) = (Types.OfCarrier(left), Types.OfCarrier(right));
        (left, right) = (Types.OfVariant(left), Types.OfVariant(right));
        var common = Types.Common(a, b);
        return (Types.IsNumber(a) && Types.IsNumber(b)) || (Types.IsDate(a) && Types.IsDate(b) && a.Kind != SqlKind.Time && b.Kind != SqlKind.Time)
            ? Compare(Conversion.Convert(left, a, common)!, Conversion.Convert(right, b, common)!, common)
            : Types.Rank(b).CompareTo(Types.Rank(a));
    }

    /// <summary>Equality for DISTINCT, GROUP BY and UNION, where NULL equals NULL.</summary>
    public static IEqualityComparer<IReadOnlyList<object?>> RowComparer { get; } = new Rows();

    /// <summary>The type of a result of + - * / % &amp; | ^.</summary>
    public static SqlType ResultType(string symbol, SqlType left, SqlType right)
    {
        if (Types.IsNull(left) && Types.IsNull(right)) return Types.Int;
        var common = Types.Common(left, right);
        if (common.Kind == SqlKind.Variant) throw Invalid(common, symbol);
        if (symbol is "&" or "|" or "^")
        {
            return Types.IsInteger(common)
                ? common
                : throw new SqlErrorException(
                    402, 16, $"The data types {Types.Name(left)} and {Types.Name(right)} are incompatible in the '{symbol}' operator.");
        }

        if (symbol == "+" && Types.IsText(common))
        {
            var limit = Types.IsUnicode(common) ? 4000 : 8000;
            return common with { Length = common.Length < 0 ? -1 : Math.Min(limit, Length(left) + Length(right)), Kind = Types.IsUnicode(common) ? SqlKind.NVarChar : SqlKind.VarChar };
        }

        if (symbol == "+" && Types.IsBinary(common))
            return common with { Kind = SqlKind.VarBinary, Length = common.Length < 0 ? -1 : Math.Min(8000, Length(left) + Length(right)) };
        if (symbol is "+" or "-" && Types.IsOldDate(common) && !Types.IsNewDate(left) && !Types.IsNewDate(right)) return common;
        if (Types.IsNewDate(common) && (Types.IsNumber(left) || Types.IsNumber(right)))
        {
            throw new SqlErrorException(
                206, 16, $"Operand type clash: {Types.Name(left)} is incompatible with {Types.Name(right)}");
        }

        if (symbol == "%" && Types.IsApproximate(common))
        {
            throw new SqlErrorException(
                402, 16, $"The data types {Types.Name(left)} and {Types.Name(right)} are incompatible in the modulo operator.");
        }

        if (!Types.IsNumber(common) || common.Kind == SqlKind.Bit)
        {
            throw common.Kind == SqlKind.Bit || Types.IsText(common) || Types.IsBinary(common)
                ? new SqlErrorException(
                    402, 16, $"The data types {Types.Name(left)} and {Types.Name(right)} are incompatible in the {Verb(symbol)} operator.")
                : Invalid(common, symbol);
        }

        if (common.Kind != SqlKind.Numeric) return common;
        var (a, b) = (Types.AsNumeric(left), Types.AsNumeric(right));
        var (p1, s1, p2, s2) = (a.Precision, a.Scale, b.Precision, b.Scale);
        var (precision, scale) = symbol switch
        {
            "*" => (p1 + p2 + 1, s1 + s2),
            "/" => (p1 - s1 + s2 + Math.Max(6, s1 + p2 + 1), Math.Max(6, s1 + p2 + 1)),
            "%" => (Math.Min(p1 - s1, p2 - s2) + Math.Max(s1, s2), Math.Max(s1, s2)),
            _ => (Math.Max(s1, s2) + Math.Max(p1 - s1, p2 - s2) + 1, Math.Max(s1, s2)),
        };
        if (precision > 38)
        {
            var whole = precision - scale;
            scale = symbol is "*" or "/" ? Math.Max(Math.Min(scale, 6), 38 - whole) : Math.Max(0, 38 - whole);
            scale = Math.Min(scale, 38);
            precision = 38;
        }

        return new SqlType(SqlKind.Numeric, 0, (byte)precision, (byte)scale);
    }

    private static int Length(SqlType type) => Types.IsNull(type) ? 1 : type.Length < 0 ? 8000 : type.Length;

    private static SqlErrorException Invalid(SqlType type, string symbol) =>
        new(8117, 16, $"Operand data type {Types.Name(type)} is invalid for {Verb(symbol)} operator.");

    private static string Verb(string symbol) => symbol switch
    {
        "+" => "add",
        "-" => "subtract",
        "*" => "multiply",
        "/" => "divide",
        "%" => "modulo",
        _ => $"'{symbol}'",
    };

    /// <summary>Computes a result of <paramref name="result"/>; the operands keep their own types.</summary>
    public static object? Compute(string symbol, object? left, SqlType leftType, object? right, SqlType rightType, SqlType result)
    {
        if (left is null || right is null) return null;
        if (result.Kind == SqlKind.Numeric) return ComputeNumeric(symbol, left, leftType, right, rightType, result);
        if (Types.IsOldDate(result)) return ComputeDate(symbol, left, leftType, right, rightType, result);
        var operand = Types.IsText(result) ? result with { Length = -1 } : result;
        var a = Conversion.Convert(left, leftType, operand)!;
        var b = Conversion.Convert(right, rightType, operand)!;
        switch (result.Kind)
        {
            case SqlKind.Float:
                return ComputeFloat(symbol, (double)a, (double)b, result);
            case SqlKind.Real:
                var real = (float)ComputeFloat(symbol, (float)a, (float)b, result);
                return float.IsFinite(real) ? real : throw Overflow(result);
            case SqlKind.Money or SqlKind.SmallMoney:
                return ComputeMoney(symbol, (decimal)a, (decimal)b, result);
            case SqlKind.VarBinary:
                return ((byte[])a).Concat((byte[])b).ToArray();
            case SqlKind.Bit:
                return symbol switch { "&" => (bool)a & (bool)b, "|" => (bool)a | (bool)b, _ => (bool)a ^ (bool)b };
            case var _ when Types.IsText(result):
                var text = (string)a + (string)b;
                return result.Length >= 0 && text.Length > result.Length ? text[..result.Length] : text;
            default:
                return ComputeInteger(symbol, System.Convert.ToInt64(a, null), System.Convert.ToInt64(b, null), result);
        }
    }

    private static double ComputeFloat(string symbol, double left, double right, SqlType result)
    {
        if (symbol == "/" && right == 0) throw DivideByZero();
        var number = symbol switch { "+" => left + right, "-" => left - right, "*" => left * right, "/" => left / right, _ => throw Invalid(result, symbol) };
        return double.IsFinite(number) ? number : throw Overflow(result);
    }

    /// <summary>Money counts ten-thousandths: products are rounded to them, quotients are cut.</summary>
    private static decimal ComputeMoney(string symbol, decimal left, decimal right, SqlType result)
    {
        if (symbol is "/" or "%" && right == 0) throw DivideByZero();
        try
        {
            return Conversion.Money(symbol switch
            {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => Math.Truncate(left / right * 10_000) / 10_000,
                "%" => left % right,
                _ => throw Invalid(result, symbol),
            }, result);
        }
        catch (OverflowException)
        {
            throw Overflow(result);
        }
    }

    private static object ComputeInteger(string symbol, long left, long right, SqlType result)
    {
        if (symbol is "/" or "%" && right == 0) throw DivideByZero();
        Int128 value = symbol switch
        {
            "+" => (Int128)left + right,
            "-" => (Int128)left - right,
            "*" => (Int128)left * right,
            "/" => (Int128)left / right,
            "%" => (Int128)left % right,
            "&" => left & right,
            "|" => left | right,
            _ => left ^ right,
        };
        return Narrow(value, result);
    }

    /// <summary>Brings a whole number to an integer type.</summary>
    public static object Narrow(Int128 value, SqlType result)
    {
        switch (result.Kind)
        {
            case SqlKind.TinyInt when value >= byte.MinValue && value <= byte.MaxValue:
                return (byte)value;
            case SqlKind.SmallInt when value >= short.MinValue && value <= short.MaxValue:
                return (short)value;
            case SqlKind.Int when value >= int.MinValue && value <= int.MaxValue:
                return (int)value;
            case SqlKind.BigInt when value >= long.MinValue && value <= long.MaxValue:
                return (long)value;
            default:
                throw Overflow(result);
        }
    }

    private static BigInteger ComputeNumeric(string symbol, object left, SqlType leftType, object right, SqlType rightType, SqlType result)
    {
        var (a, b) = (Exact(left, leftType), Exact(right, rightType));
        BigInteger value;
        int scale;
        switch (symbol)
        {
            case "*":
                (value, scale) = (a.Value * b.Value, a.Scale + b.Scale);
                break;
            case "/":
                if (b.Value.IsZero) throw DivideByZero();
                (value, scale) = (a.Value * BigInteger.Pow(10, result.Scale + b.Scale) / (b.Value * BigInteger.Pow(10, a.Scale)), result.Scale);
                break;
            default:
                scale = Math.Max(a.Scale, b.Scale);
                var (x, y) = (Conversion.Rescale(a.Value, a.Scale, scale), Conversion.Rescale(b.Value, b.Scale, scale));
                if (symbol == "%" && y.IsZero) throw DivideByZero();
                value = symbol switch { "+" => x + y, "-" => x - y, _ => BigInteger.Remainder(x, y) };
                break;
        }

        value = Conversion.Rescale(value, scale, result.Scale);
        return BigInteger.Abs(value) < BigInteger.Pow(10, result.Precision) ? value : throw Overflow(result);
    }

    private static (BigInteger Value, int Scale) Exact(object value, SqlType type)
    {
        if (type.Kind == SqlKind.Numeric) return ((BigInteger)value, type.Scale);
        var numeric = Types.IsInteger(type) || Types.IsMoney(type) ? Types.AsNumeric(type) : new SqlType(SqlKind.Numeric, 0, 38, 6);
        return ((BigInteger)Conversion.Convert(value, type, numeric)!, numeric.Scale);
    }

    private static object ComputeDate(string symbol, object left, SqlType leftType, object right, SqlType rightType, SqlType result)
    {
        var zero = new DateTime(1900, 1, 1);
        var a = (DateTime)Conversion.Convert(left, leftType, Types.DateTime)! - zero;
        var b = (DateTime)Conversion.Convert(right, rightType, Types.DateTime)! - zero;
        var sum = symbol == "+" ? a + b : a - b;
        var days = (zero - new DateTime(1753, 1, 1)).TotalDays;
        if (sum.TotalDays < -days || sum.TotalDays >= 2958464) throw Overflow(result);
        return Conversion.Convert(zero + sum, Types.DateTime, result)!;
    }

    public static object? Negate(object? value, SqlType type) => value switch
    {
        null => null,
        BigInteger number => -number,
        double number => -number,
        float number => -number,
        decimal number => Conversion.Money(-number, type),
        _ => Compute("-", 0, Types.Int, value, type, ResultType("-", Types.Int, type)),
    };

    public static object? Complement(object? value, SqlType type) => value switch
    {
        null => null,
        bool bit => !bit,
        byte number => (byte)~number,
        short number => (short)~number,
        int number => ~number,
        long number => ~number,
        _ => throw Invalid(type, "~"),
    };

    /// <summary>LIKE, without regard to case.</summary>
    public static bool Like(string text, string pattern, char? escape)
    {
        var steps = new List<(char Kind, string Set)>();
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == escape)
            {
                if (++i >= pattern.Length)
                    throw new SqlErrorException(506, 16, $"The invalid escape character \"{escape}\" was specified in a LIKE predicate.");
                steps.Add(('c', pattern[i].ToString()));
            }
            else if (c == '%')
            {
                steps.Add(('%', ""));
            }
            else if (c == '_')
            {
                steps.Add(('_', ""));
            }
            else if (c == '[' && pattern.IndexOf(']', Math.Min(i + 2, pattern.Length)) is var close and > 0)
            {
                steps.Add(('s', pattern[(i + 1)..close]));
                i = close;
            }
            else
            {
                steps.Add(('c', c.ToString()));
            }
        }

        return Match(text, steps);
    }

    private static bool Match(string text, List<(char Kind, string Set)> steps)
    {
        var (at, step, star, mark) = (0, 0, -1, 0);
        while (at < text.Length)
        {
            if (step < steps.Count && steps[step].Kind == '%')
            {
                star = step++;
                mark = at;
            }
            else if (step < steps.Count && Fits(text[at], steps[step]))
            {
                at++;
                step++;
            }
            else if (star >= 0)
            {
                step = star + 1;
                at = ++mark;
            }
            else
            {
                // Blanks at the end of the text may be left over.
                return step == steps.Count && text.AsSpan(at).TrimEnd(' ').IsEmpty;
            }
        }

        while (step < steps.Count && steps[step].Kind == '%') step++;
        return step == steps.Count;
    }

    private static bool Fits(char c, (char Kind, string Set) step)
    {
        if (step.Kind == '_') return true;
        if (step.Kind == 'c') return char.ToUpperInvariant(c) == char.ToUpperInvariant(step.Set[0]);
        if (step.Kind != 's') return false;
        var set = step.Set;
        var not = set.StartsWith('^');
        var found = false;
        c = char.ToUpperInvariant(c);
        for (var i = not ? 1 : 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= c >= char.ToUpperInvariant(set[i]) && c <= char.ToUpperInvariant(set[i + 2]);
                i += 2;
            }
            else
            {
                found |= c == char.ToUpperInvariant(set[i]);
            }
        }

        return found != not;
    }

    private static SqlErrorException DivideByZero() => new(8134, 16, "Divide by zero error encountered.");

    private static SqlErrorException Overflow(SqlType to) =>
        new(8115, 16, $"Arithmetic overflow error converting expression to data type {Types.Name(to)}.");

    private sealed class Rows : IEqualityComparer<IReadOnlyList<object?>>
    {
        public bool Equals(IReadOnlyList<object?>? left, IReadOnlyList<object?>? right)
        {
            for (var i = 0; i < left!.Count; i++)
            {
                var (a, b) = (left[i], right![i]);
                if (a is null || b is null ? a is not null || b is not null : Compare(a, b, Types.Variant) != 0) return false;
            }

            return true;
        }

        public int GetHashCode(IReadOnlyList<object?> row)
        {
            var hash = new HashCode();
            foreach (var value in row)
            {
                hash.Add(value switch
                {
                    string text => string.GetHashCode(text.AsSpan().TrimEnd(' '), StringComparison.OrdinalIgnoreCase),
                    byte[] bytes => bytes.AsSpan().TrimEnd((byte)0).Length,
                    null => 0,
                    _ => value.GetHashCode(),
                });
            }

            return hash.ToHashCode();
        }
    }
}
