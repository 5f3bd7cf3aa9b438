using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Values;

/// <summary>What the types of T-SQL have in common.</summary>
internal static class Types
{
    /// <summary>The type of a bare NULL, which gives way to any other.</summary>
    public static SqlType Null { get; } = new(SqlKind.Int, Length: -7);

    public static SqlType Int { get; } = new(SqlKind.Int);

    public static SqlType BigInt { get; } = new(SqlKind.BigInt);

    public static SqlType Bit { get; } = new(SqlKind.Bit);

    public static SqlType Variant { get; } = new(SqlKind.Variant);

    public static SqlType DateTime { get; } = new(SqlKind.DateTime);

    public static SqlType DateTime2 { get; } = new(SqlKind.DateTime2, Scale: 7);

    public static SqlType Guid { get; } = new(SqlKind.UniqueIdentifier);

    public static SqlType Text(int length) => new(SqlKind.NVarChar, length);

    public static bool IsNull(SqlType type) => type.Length == -7;

    /// <summary>What a client sees of a type: the NULL type is int.</summary>
    public static SqlType Shown(SqlType type) => IsNull(type) ? Int : type;

    public static bool IsText(SqlType type) => type.Kind is SqlKind.Char or SqlKind.VarChar or SqlKind.NChar or SqlKind.NVarChar;

    public static bool IsUnicode(SqlType type) => type.Kind is SqlKind.NChar or SqlKind.NVarChar;

    public static bool IsInteger(SqlType type) =>
        type.Kind is SqlKind.Bit or SqlKind.TinyInt or SqlKind.SmallInt or SqlKind.Int or SqlKind.BigInt;

    public static bool IsNumber(SqlType type) => IsInteger(type) || type.Kind is SqlKind.Numeric or SqlKind.Float;

    public static bool IsDate(SqlType type) => type.Kind is SqlKind.DateTime or SqlKind.DateTime2;

    /// <summary>Precedence: of two types the lower rank wins.</summary>
    public static int Rank(SqlType type) => type.Kind switch
    {
        SqlKind.Variant => 0,
        SqlKind.DateTime2 => 1,
        SqlKind.DateTime => 2,
        SqlKind.Float => 3,
        SqlKind.Numeric => 4,
        SqlKind.BigInt => 5,
        SqlKind.Int => 6,
        SqlKind.SmallInt => 7,
        SqlKind.TinyInt => 8,
        SqlKind.Bit => 9,
        SqlKind.UniqueIdentifier => 10,
        SqlKind.NVarChar => 11,
        SqlKind.NChar => 12,
        SqlKind.VarChar => 13,
        SqlKind.Char => 14,
        SqlKind.VarBinary => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>The type that both sides of CASE, UNION, COALESCE and comparisons are brought to.</summary>
    public static SqlType Common(SqlType left, SqlType right)
    {
        if (IsNull(left)) return right with { Nullable = true };
        if (IsNull(right)) return left with { Nullable = true };
        var nullable = left.Nullable || right.Nullable;
        var winner = Rank(left) <= Rank(right) ? left : right;
        if (IsText(left) && IsText(right))
        {
            var length = left.Length < 0 || right.Length < 0 ? -1 : Math.Max(left.Length, right.Length);
            var unicode = IsUnicode(left) || IsUnicode(right);
            var kind = left.Kind == right.Kind ? left.Kind : unicode ? SqlKind.NVarChar : SqlKind.VarChar;
            return new SqlType(kind, length > (unicode ? 4000 : 8000) ? -1 : length, Nullable: nullable);
        }

        if (winner.Kind == SqlKind.VarBinary && left.Kind == right.Kind)
            return winner with { Length = left.Length < 0 || right.Length < 0 ? -1 : Math.Max(left.Length, right.Length), Nullable = nullable };
        if (winner.Kind == SqlKind.Numeric)
        {
            var (a, b) = (AsNumeric(left), AsNumeric(right));
            var scale = Math.Max(a.Scale, b.Scale);
            var whole = Math.Max(a.Precision - a.Scale, b.Precision - b.Scale);
            return new SqlType(SqlKind.Numeric, 0, (byte)Math.Min(38, whole + scale), (byte)Math.Min(scale, 38 - Math.Min(whole, 38)), nullable);
        }

        if (winner.Kind == SqlKind.DateTime2 && left.Kind == right.Kind)
            return winner with { Scale = Math.Max(left.Scale, right.Scale), Nullable = nullable };
        return winner with { Nullable = nullable };
    }

    /// <summary>The numeric type that holds every value of a number type.</summary>
    public static SqlType AsNumeric(SqlType type) => type.Kind switch
    {
        SqlKind.Numeric => type,
        SqlKind.BigInt => new SqlType(SqlKind.Numeric, 0, 19),
        SqlKind.Int => new SqlType(SqlKind.Numeric, 0, 10),
        SqlKind.SmallInt => new SqlType(SqlKind.Numeric, 0, 5),
        SqlKind.TinyInt => new SqlType(SqlKind.Numeric, 0, 3),
        SqlKind.Bit => new SqlType(SqlKind.Numeric, 0, 1),
        _ => new SqlType(SqlKind.Numeric, 0, 18),
    };

    public static string Name(SqlType type) => type.Kind switch
    {
        SqlKind.Bit => "bit",
        SqlKind.TinyInt => "tinyint",
        SqlKind.SmallInt => "smallint",
        SqlKind.Int => "int",
        SqlKind.BigInt => "bigint",
        SqlKind.Numeric => "numeric",
        SqlKind.Float => "float",
        SqlKind.DateTime => "datetime",
        SqlKind.DateTime2 => "datetime2",
        SqlKind.UniqueIdentifier => "uniqueidentifier",
        SqlKind.Char => "char",
        SqlKind.VarChar => "varchar",
        SqlKind.NChar => "nchar",
        SqlKind.NVarChar => "nvarchar",
        SqlKind.VarBinary => "varbinary",
        _ => "sql_variant",
    };

    /// <summary>The base type of a value inside a sql_variant.</summary>
    public static SqlType OfCarrier(object value) => value switch
    {
        bool => Bit,
        byte => new SqlType(SqlKind.TinyInt),
        short => new SqlType(SqlKind.SmallInt),
        int => Int,
        long => BigInt,
        BigInteger => new SqlType(SqlKind.Numeric, 0, 38),
        double => new SqlType(SqlKind.Float),
        System.DateTime => DateTime,
        System.Guid => Guid,
        string text => Text(text.Length is > 0 and <= 4000 ? text.Length : -1),
        byte[] bytes => new SqlType(SqlKind.VarBinary, bytes.Length is > 0 and <= 8000 ? bytes.Length : -1),
        _ => throw new ArgumentException($"No SQL type for {value.GetType()}.", nameof(value)),
    };

    /// <summary>Digits with their point.</summary>
    public static string Format(BigInteger unscaled, int scale)
    {
        if (scale == 0) return unscaled.ToString(CultureInfo.InvariantCulture);
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return $"{(unscaled.Sign < 0 ? "-" : "")}{digits[..^scale]}.{digits[^scale..]}";
    }
}
