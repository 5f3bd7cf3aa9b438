using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>Built-in functions that need nothing but their arguments and the time.</summary>
internal static class ScalarFunctions
{
    /// <summary>Binds a call, or returns null when the name is not known here.</summary>
    public static Bound? Bind(string name, IReadOnlyList<Bound> arguments, IQueryEnvironment environment)
    {
        var call = new Call(name.ToUpperInvariant(), arguments);
        switch (call.Name)
        {
            case "ISNULL":
                call.Require(2);
                return IsNull(arguments);
            case "COALESCE":
                call.RequireBetween(2, 254);
                return Coalesce(arguments);
            case "NULLIF":
                call.Require(2);
                return NullIf(arguments);
            case "LEN":
                return call.Of(Types.Int, [Types.Text(-1)], a => ((string)a[0]!).TrimEnd(' ').Length);
            case "DATALENGTH":
                call.Require(1);
                return DataLength(arguments[0]);
            case "UPPER":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => ((string)a[0]!).ToUpperInvariant());
            case "LOWER":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => ((string)a[0]!).ToLowerInvariant());
            case "LTRIM":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => ((string)a[0]!).TrimStart(' '));
            case "RTRIM":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => ((string)a[0]!).TrimEnd(' '));
            case "TRIM":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => ((string)a[0]!).Trim(' '));
            case "REVERSE":
                return call.Of(call.TextLike(0), [Types.Text(-1)], a => new string(((string)a[0]!).Reverse().ToArray()));
            case "SUBSTRING":
                return Substring(call);
            case "LEFT":
                return call.Of(call.TextLike(0), [Types.Text(-1), Types.Int], a => Cut((string)a[0]!, 0, Length(a[1], "left")));
            case "RIGHT":
                return call.Of(call.TextLike(0), [Types.Text(-1), Types.Int], a => Last((string)a[0]!, Length(a[1], "right")));
            case "REPLACE":
                return call.Of(Types.Text(-1), [Types.Text(-1), Types.Text(-1), Types.Text(-1)], a => Replace((string)a[0]!, (string)a[1]!, (string)a[2]!));
            case "REPLICATE":
                return call.Of(Types.Text(-1), [Types.Text(-1), Types.Int], a => Replicate((string)a[0]!, (int)a[1]!));
            case "SPACE":
                return call.Of(Types.Text(4000), [Types.Int], a => (int)a[0]! < 0 ? null : new string(' ', Math.Min((int)a[0]!, 8000)));
            case "CHARINDEX":
                return CharIndex(call);
            case "CONCAT":
                call.RequireBetween(2, 254);
                return Concat(arguments, null);
            case "CONCAT_WS":
                call.RequireBetween(3, 254);
                return Concat(arguments.Skip(1).ToList(), Binder.As(arguments[0], Types.Text(-1)));
            case "QUOTENAME":
                return QuoteName(call);
            case "ASCII" or "UNICODE":
                return call.Of(Types.Int, [Types.Text(-1)], a => ((string)a[0]!).Length == 0 ? null : (int)((string)a[0]!)[0]);
            case "CHAR":
                return call.Of(new SqlType(SqlKind.Char, 1), [Types.Int], a => a[0] is int code and >= 0 and <= 255 ? ((char)code).ToString() : null);
            case "NCHAR":
                return call.Of(new SqlType(SqlKind.NChar, 1), [Types.Int], a => a[0] is int code and >= 0 and <= 65535 ? ((char)code).ToString() : null);
            case "ABS" or "CEILING" or "FLOOR" or "SIGN":
                call.Require(1);
                return OneNumber(call.Name, arguments[0]);
            case "ROUND":
                return Round(call);
            case "POWER":
                return call.Of(new SqlType(SqlKind.Float), [new SqlType(SqlKind.Float), new SqlType(SqlKind.Float)], a => Math.Pow((double)a[0]!, (double)a[1]!));
            case "SQRT":
                return call.Of(new SqlType(SqlKind.Float), [new SqlType(SqlKind.Float)], a => (double)a[0]! < 0
                    ? throw new SqlErrorException(3623, 16, "An invalid floating point operation occurred.")
                    : Math.Sqrt((double)a[0]!));
            case "ISNUMERIC":
                call.Require(1);
                return IsNumeric(arguments[0]);
            case "NEWID":
                call.Require(0);
                return new Bound(Types.Guid with { Nullable = false }, _ => environment.NewGuid());
            case "HASHBYTES":
                return HashBytes(call);
            default:
                return DateFunctions.Bind(call, environment);
        }
    }

    internal sealed record Call(string Name, IReadOnlyList<Bound> Arguments)
    {
        public void Require(int count)
        {
            if (Arguments.Count != count)
                throw new SqlErrorException(174, 15, $"The {Name.ToLowerInvariant()} function requires {count} argument(s).");
        }

        public void RequireBetween(int least, int most)
        {
            if (Arguments.Count < least || Arguments.Count > most)
                throw new SqlErrorException(189, 15, $"The {Name.ToLowerInvariant()} function requires {least} to {most} arguments.");
        }

        /// <summary>A function of non-NULL arguments that is NULL when one of them is.</summary>
        public Bound Of(SqlType result, SqlType[] types, Func<object?[], object?> compute)
        {
            Require(types.Length);
            var converted = Arguments.Zip(types, Convert).ToArray();
            return new Bound(result with { Nullable = true }, frame =>
            {
                var values = new object?[converted.Length];
                for (var i = 0; i < values.Length; i++)
                {
                    if ((values[i] = converted[i].Value(frame)) is null) return null;
                }

                return compute(values);
            });
        }

        private Bound Convert(Bound argument, SqlType type)
        {
            if (argument.Type.Kind == SqlKind.Variant)
            {
                throw new SqlErrorException(
                    8116, 16, $"Argument data type sql_variant is invalid for argument 1 of {Name.ToLowerInvariant()} function.");
            }

            return Binder.As(argument, type);
        }

        /// <summary>A varying text type as long as an argument's.</summary>
        public SqlType TextLike(int index)
        {
            if (index >= Arguments.Count) return Types.Text(-1);
            var type = Arguments[index].Type;
            return Types.IsText(type)
                ? new SqlType(Types.IsUnicode(type) ? SqlKind.NVarChar : SqlKind.VarChar, type.Length)
                : new SqlType(SqlKind.VarChar, 8000);
        }

        /// <summary>The word that stands first in a call about dates.</summary>
        public string Word() => ((string)Arguments[0].Value(Frame.Empty)!).ToUpperInvariant();
    }

    private static Bound IsNull(IReadOnlyList<Bound> arguments)
    {
        var type = (Types.IsNull(arguments[0].Type) ? arguments[1].Type : arguments[0].Type) with { Nullable = arguments[1].Type.Nullable };
        var (first, second) = (Binder.As(arguments[0], type), Binder.As(arguments[1], type));
        return new Bound(type, frame => first.Value(frame) ?? second.Value(frame));
    }

    private static Bound Coalesce(IReadOnlyList<Bound> arguments)
    {
        if (arguments.All(argument => Types.IsNull(argument.Type)))
        {
            throw new SqlErrorException(
                4127, 16, "At least one of the arguments to COALESCE must be an expression that is not the NULL constant.");
        }

        var type = arguments.Select(argument => argument.Type).Aggregate(Types.Common) with { Nullable = arguments.All(a => a.Type.Nullable) };
        var values = arguments.Select(argument => Binder.As(argument, type)).ToArray();
        return new Bound(type, frame =>
        {
            foreach (var value in values)
            {
                if (value.Value(frame) is { } found) return found;
            }

            return null;
        });
    }

    private static Bound NullIf(IReadOnlyList<Bound> arguments)
    {
        if (Types.IsNull(arguments[0].Type)) throw new SqlErrorException(4151, 16, "The type of the first argument to NULLIF cannot be the NULL constant because the type of the first argument has to be known.");
        var common = Types.Common(arguments[0].Type, arguments[1].Type);
        var (left, right) = (Binder.As(arguments[0], common), Binder.As(arguments[1], common));
        return new Bound(arguments[0].Type with { Nullable = true }, frame =>
            left.Value(frame) is { } a && right.Value(frame) is { } b && Operators.Compare(a, b, common) == 0 ? null : arguments[0].Value(frame));
    }

    private static Bound DataLength(Bound argument) => new(Types.Int, frame => argument.Value(frame) switch
    {
        null => null,
        string text => argument.Type.Kind is SqlKind.Char or SqlKind.VarChar ? text.Length : text.Length * 2,
        byte[] bytes => bytes.Length,
        bool or byte => 1,
        short => 2,
        int => 4,
        Guid => 16,
        float => 4,
        decimal => argument.Type.Kind == SqlKind.SmallMoney ? 4 : 8,
        DateTime or TimeSpan or DateTimeOffset => DateSize(argument.Type),
        SqlVariant variant => DataLength(new Bound(variant.Type, _ => variant.Value)).Value(frame),
        BigInteger => argument.Type.Precision switch { <= 9 => 5, <= 19 => 9, <= 28 => 13, _ => 17 },
        _ => 8,
    });

    private static int DateSize(SqlType type)
    {
        var time = type.Scale switch { <= 2 => 3, <= 4 => 4, _ => 5 };
        return type.Kind switch
        {
            SqlKind.Date => 3,
            SqlKind.SmallDateTime => 4,
            SqlKind.Time => time,
            SqlKind.DateTime2 => time + 3,
            SqlKind.DateTimeOffset => time + 5,
            _ => 8,
        };
    }

    private static Bound Substring(Call call)
    {
        call.Require(3);
        if (Types.IsBinary(call.Arguments[0].Type))
        {
            return call.Of(new SqlType(SqlKind.VarBinary, -1), [new SqlType(SqlKind.VarBinary, -1), Types.Int, Types.Int], a =>
            {
                var (start, length) = Window(((byte[])a[0]!).Length, (int)a[1]!, (int)a[2]!);
                return ((byte[])a[0]!)[start..(start + length)];
            });
        }

        return call.Of(call.TextLike(0), [Types.Text(-1), Types.Int, Types.Int], a =>
        {
            var (start, length) = Window(((string)a[0]!).Length, (int)a[1]!, (int)a[2]!);
            return ((string)a[0]!).Substring(start, length);
        });
    }

    private static (int Start, int Length) Window(int size, int start, int length)
    {
        if (length < 0) throw new SqlErrorException(537, 16, "Invalid length parameter passed to the LEFT or SUBSTRING function.");
        var first = Math.Clamp((long)start - 1, 0, size);
        var end = Math.Clamp((long)start - 1 + length, first, size);
        return ((int)first, (int)(end - first));
    }

    private static int Length(object? value, string function) => (int)value! >= 0
        ? (int)value
        : throw (function == "left"
            ? new SqlErrorException(537, 16, "Invalid length parameter passed to the LEFT or SUBSTRING function.")
            : new SqlErrorException(536, 16, "Invalid length parameter passed to the RIGHT function."));

    private static string Cut(string text, int start, int length) => text.Substring(start, Math.Min(length, text.Length - start));

    private static string Last(string text, int length) => length >= text.Length ? text : text[^length..];

    private static string Replace(string text, string find, string with) =>
        find.Length == 0 ? text : text.Replace(find, with, StringComparison.OrdinalIgnoreCase);

    private static string? Replicate(string text, int times)
    {
        if (times < 0) return null;
        const int most = 16 * 1024 * 1024;
        if ((long)text.Length * times > most) throw new SqlErrorException(50505, 16, "REPLICATE beyond 16 million characters is not simulated.");
        return string.Concat(Enumerable.Repeat(text, times));
    }

    private static Bound CharIndex(Call call)
    {
        call.RequireBetween(2, 3);
        var types = new[] { Types.Text(-1), Types.Text(-1), Types.Int }[..call.Arguments.Count];
        return call.Of(Types.Int, types, a =>
        {
            var (find, text) = ((string)a[0]!, (string)a[1]!);
            var start = a.Length > 2 ? Math.Max((int)a[2]! - 1, 0) : 0;
            return start > text.Length || find.Length == 0 ? 0 : text.IndexOf(find, start, StringComparison.OrdinalIgnoreCase) + 1;
        });
    }

    private static Bound Concat(IReadOnlyList<Bound> arguments, Bound? separator)
    {
        var values = arguments.Select(argument => argument.Type.Kind == SqlKind.Variant
            ? new Bound(Types.Text(-1), frame => Conversion.Convert(argument.Value(frame), Types.Variant, Types.Text(-1)))
            : Binder.As(argument, Types.Text(-1))).ToArray();
        var length = arguments.Sum(a => Types.IsText(a.Type) ? (a.Type.Length < 0 ? 8000L : a.Type.Length) : 40);
        return new Bound(Types.Text(length > 4000 ? -1 : (int)length) with { Nullable = false }, frame =>
        {
            var parts = values.Select(value => (string?)value.Value(frame));
            return separator is null
                ? string.Concat(parts)
                : string.Join((string?)separator.Value(frame) ?? "", parts.Where(part => part is not null));
        });
    }

    private static Bound QuoteName(Call call)
    {
        call.RequireBetween(1, 2);
        var types = new[] { Types.Text(-1), Types.Text(-1) }[..call.Arguments.Count];
        return call.Of(Types.Text(258), types, a =>
        {
            var text = (string)a[0]!;
            if (text.Length > 128) return null;
            return (a.Length > 1 ? (string)a[1]! : "[") switch
            {
                "[" or "]" or "" => $"[{text.Replace("]", "]]", StringComparison.Ordinal)}]",
                "'" => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
                "\"" => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
                "(" or ")" => $"({text.Replace(")", "))", StringComparison.Ordinal)})",
                _ => null,
            };
        });
    }

    private static Bound OneNumber(string name, Bound argument)
    {
        var type = Types.IsText(argument.Type) || Types.IsNull(argument.Type) || argument.Type.Kind == SqlKind.Real ? Types.Float
            : argument.Type.Kind == SqlKind.SmallMoney ? new SqlType(SqlKind.Money) : argument.Type;
        if (!Types.IsNumber(type) || type.Kind == SqlKind.Bit)
            throw new SqlErrorException(8116, 16, $"Argument data type {Types.Name(type)} is invalid for argument 1 of {name.ToLowerInvariant()} function.");
        var value = Binder.As(argument, type);
        var result = type.Kind == SqlKind.Numeric && name is "CEILING" or "FLOOR" ? type with { Scale = 0 } : type;
        return new Bound(result with { Nullable = true }, frame => value.Value(frame) switch
        {
            null => null,
            double number => name switch { "ABS" => Math.Abs(number), "CEILING" => Math.Ceiling(number), "FLOOR" => Math.Floor(number), _ => (double)Math.Sign(number) },
            BigInteger number => Whole(name, number, type.Scale),
            decimal money => Conversion.Money(name switch { "ABS" => Math.Abs(money), "CEILING" => Math.Ceiling(money), "FLOOR" => Math.Floor(money), _ => Math.Sign(money) }, type),
            var whole => Operators.Narrow(name switch
            {
                "ABS" => Int128.Abs(Convert.ToInt64(whole, null)),
                "SIGN" => Math.Sign(Convert.ToInt64(whole, null)),
                _ => Convert.ToInt64(whole, null),
            }, type),
        });
    }

    private static BigInteger Whole(string name, BigInteger number, int scale)
    {
        var unit = BigInteger.Pow(10, scale);
        if (name == "ABS") return BigInteger.Abs(number);
        if (name == "SIGN") return number.Sign * unit;
        var quotient = BigInteger.DivRem(number, unit, out var rest);
        if (name == "CEILING" && rest.Sign > 0) return quotient + 1;
        return name == "FLOOR" && rest.Sign < 0 ? quotient - 1 : quotient;
    }

    private static Bound Round(Call call)
    {
        call.Require(2);
        var type = call.Arguments[0].Type;
        var digits = Binder.As(call.Arguments[1], Types.Int);
        if (type.Kind == SqlKind.Numeric)
        {
            return new Bound(type with { Nullable = true }, frame =>
            {
                if (call.Arguments[0].Value(frame) is not BigInteger number || digits.Value(frame) is not int places) return null;
                if (places >= type.Scale) return number;
                return places < -38 ? BigInteger.Zero : Conversion.Rescale(Conversion.Rescale(number, type.Scale - places, 0), 0, type.Scale - places);
            });
        }

        if (type.Kind is not (SqlKind.Float or SqlKind.Int or SqlKind.BigInt))
            throw new SqlErrorException(50505, 16, $"ROUND of {Types.Name(type)} is not simulated.");
        return new Bound(type with { Nullable = true }, frame =>
        {
            var value = call.Arguments[0].Value(frame);
            if (value is null || digits.Value(frame) is not int places) return null;
            if (value is double number)
            {
                if (places >= 0) return Math.Round(number, Math.Min(places, 15), MidpointRounding.AwayFromZero);
                var unit = Math.Pow(10, -places);
                return Math.Round(number / unit, MidpointRounding.AwayFromZero) * unit;
            }

            if (places >= 0) return value;
            var whole = new BigInteger(Convert.ToInt64(value, null));
            return Operators.Narrow(places < -19 ? 0 : (Int128)(Conversion.Rescale(whole, -places, 0) * BigInteger.Pow(10, -places)), type);
        });
    }

    private static Bound IsNumeric(Bound argument) => new(Types.Int with { Nullable = false }, frame => argument.Value(frame) switch
    {
        null => 0,
        string text => double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? 1 : 0,
        _ => Types.IsNumber(argument.Type) ? 1 : 0,
    });

    private static Bound HashBytes(Call call)
    {
        call.Require(2);
        var algorithm = Binder.As(call.Arguments[0], Types.Text(128));
        var type = call.Arguments[1].Type;
        if (!Types.IsText(type) && !Types.IsBinary(type))
            throw new SqlErrorException(8116, 16, $"Argument data type {Types.Name(type)} is invalid for argument 2 of hashbytes function.");
        return new Bound(new SqlType(SqlKind.VarBinary, 8000), frame =>
        {
            var bytes = (byte[]?)Conversion.Convert(call.Arguments[1].Value(frame), type, new SqlType(SqlKind.VarBinary, -1));
            return bytes is null ? null : ((string?)algorithm.Value(frame))?.ToUpperInvariant() switch
            {
                "SHA2_256" => System.Security.Cryptography.SHA256.HashData(bytes),
                "SHA2_512" => System.Security.Cryptography.SHA512.HashData(bytes),
                _ => throw new SqlErrorException(50505, 16, "HASHBYTES other than SHA2_256 and SHA2_512 is not simulated."),
            };
        });
    }
}
