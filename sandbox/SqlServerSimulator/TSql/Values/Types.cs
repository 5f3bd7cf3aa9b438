using System.Globalization;
using System.Numerics;
using System.Text;
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

    public static SqlType Float { get; } = new(SqlKind.Float);

    public static SqlType Guid { get; } = new(SqlKind.UniqueIdentifier);

    /// <summary>Windows-1252, the code page of the server's collation.</summary>
    public static Encoding CodePage { get; } = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>What becomes of text in varchar: characters that the code page lacks turn into question marks, or into what looks like them.</summary>
    public static string InCodePage(string text) => Ascii.IsValid(text) ? text : CodePage.GetString(CodePage.GetBytes(text));

    public static SqlType Text(int length) => new(SqlKind.NVarChar, length);

    public static bool IsNull(SqlType type) => type.Length == -7;

    /// <summary>What a client sees of a type: the NULL type is int.</summary>
    public static SqlType Shown(SqlType type) => IsNull(type) ? Int : type;

    public static bool IsText(SqlType type) => type.Kind is SqlKind.Char or SqlKind.VarChar or SqlKind.NChar or SqlKind.NVarChar;

    public static bool IsUnicode(SqlType type) => type.Kind is SqlKind.NChar or SqlKind.NVarChar;

    public static bool IsInteger(SqlType type) =>
        type.Kind is SqlKind.Bit or SqlKind.TinyInt or SqlKind.SmallInt or SqlKind.Int or SqlKind.BigInt;

    public static bool IsMoney(SqlType type) => type.Kind is SqlKind.Money or SqlKind.SmallMoney;

    public static bool IsApproximate(SqlType type) => type.Kind is SqlKind.Float or SqlKind.Real;

    public static bool IsNumber(SqlType type) => IsInteger(type) || type.Kind == SqlKind.Numeric || IsMoney(type) || IsApproximate(type);

    public static bool IsBinary(SqlType type) => type.Kind is SqlKind.VarBinary or SqlKind.Binary;

    public static bool IsDate(SqlType type) => IsOldDate(type) || IsNewDate(type);

    /// <summary>The types that count as numbers of days.</summary>
    public static bool IsOldDate(SqlType type) => type.Kind is SqlKind.DateTime or SqlKind.SmallDateTime;

    /// <summary>The types of SQL Server 2008, which are strict about conversions.</summary>
    public static bool IsNewDate(SqlType type) => type.Kind is SqlKind.Date or SqlKind.Time or SqlKind.DateTime2 or SqlKind.DateTimeOffset;

    /// <summary>Precedence: of two types the lower rank wins.</summary>
    public static int Rank(SqlType type) => type.Kind switch
    {
        SqlKind.Variant => 0,
        SqlKind.DateTimeOffset => 1,
        SqlKind.DateTime2 => 2,
        SqlKind.DateTime => 3,
        SqlKind.SmallDateTime => 4,
        SqlKind.Date => 5,
        SqlKind.Time => 6,
        SqlKind.Float => 7,
        SqlKind.Real => 8,
        SqlKind.Numeric => 9,
        SqlKind.Money => 10,
        SqlKind.SmallMoney => 11,
        SqlKind.BigInt => 12,
        SqlKind.Int => 13,
        SqlKind.SmallInt => 14,
        SqlKind.TinyInt => 15,
        SqlKind.Bit => 16,
        SqlKind.UniqueIdentifier => 17,
        SqlKind.NVarChar => 18,
        SqlKind.NChar => 19,
        SqlKind.VarChar => 20,
        SqlKind.Char => 21,
        SqlKind.VarBinary => 22,
        SqlKind.Binary => 23,
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

        if (IsBinary(left) && IsBinary(right))
            return winner with { Length = left.Length < 0 || right.Length < 0 ? -1 : Math.Max(left.Length, right.Length), Nullable = nullable };
        if (winner.Kind == SqlKind.Numeric)
        {
            var (a, b) = (AsNumeric(left), AsNumeric(right));
            var scale = Math.Max(a.Scale, b.Scale);
            var whole = Math.Max(a.Precision - a.Scale, b.Precision - b.Scale);
            return new SqlType(SqlKind.Numeric, 0, (byte)Math.Min(38, whole + scale), (byte)Math.Min(scale, 38 - Math.Min(whole, 38)), nullable);
        }

        if (winner.Kind is SqlKind.DateTime2 or SqlKind.DateTimeOffset or SqlKind.Time)
            return winner with { Scale = Math.Max(FractionDigits(left), FractionDigits(right)), Nullable = nullable };
        return winner with { Nullable = nullable };
    }

    private static byte FractionDigits(SqlType type) => type.Kind switch
    {
        SqlKind.DateTime => 3,
        SqlKind.DateTime2 or SqlKind.DateTimeOffset or SqlKind.Time => type.Scale,
        _ => 0,
    };

    /// <summary>The numeric type that holds every value of a number type.</summary>
    public static SqlType AsNumeric(SqlType type) => type.Kind switch
    {
        SqlKind.Numeric => type,
        SqlKind.BigInt => new SqlType(SqlKind.Numeric, 0, 19),
        SqlKind.Int => new SqlType(SqlKind.Numeric, 0, 10),
        SqlKind.SmallInt => new SqlType(SqlKind.Numeric, 0, 5),
        SqlKind.TinyInt => new SqlType(SqlKind.Numeric, 0, 3),
        SqlKind.Bit => new SqlType(SqlKind.Numeric, 0, 1),
        SqlKind.Money => new SqlType(SqlKind.Numeric, 0, 19, 4),
        SqlKind.SmallMoney => new SqlType(SqlKind.Numeric, 0, 10, 4),
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
        SqlKind.Binary => "binary",
        SqlKind.Money => "money",
        SqlKind.SmallMoney => "smallmoney",
        SqlKind.Real => "real",
        SqlKind.Date => "date",
        SqlKind.Time => "time",
        SqlKind.SmallDateTime => "smalldatetime",
        SqlKind.DateTimeOffset => "datetimeoffset",
        _ => "sql_variant",
    };

    /// <summary>The base type of a value inside a sql_variant.</summary>
    public static SqlType OfCarrier(object value) => value switch
    {
        SqlVariant variant => variant.Type,
        decimal => new SqlType(SqlKind.Money),
        float => new SqlType(SqlKind.Real),
        TimeSpan => new SqlType(SqlKind.Time, Scale: 7),
        System.DateTimeOffset => new SqlType(SqlKind.DateTimeOffset, Scale: 7),
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

    /// <summary>A value as sql_variant carries it.</summary>
    public static object ToVariant(object value, SqlType type) =>
        type.Kind is SqlKind.Numeric or SqlKind.SmallMoney or SqlKind.Date or SqlKind.SmallDateTime or SqlKind.DateTime2
            || (type.Kind is SqlKind.Time or SqlKind.DateTimeOffset && type.Scale != 7)
            ? new SqlVariant(type with { Nullable = false }, value)
            : value;

    /// <summary>The value in a sql_variant by the carrier of its own type.</summary>
    public static object OfVariant(object value) => value is SqlVariant variant ? variant.Value : value;

    /// <summary>Digits with their point.</summary>
    public static string Format(BigInteger unscaled, int scale)
    {
        if (scale == 0) return unscaled.ToString(CultureInfo.InvariantCulture);
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return $"{(unscaled.Sign < 0 ? "-" : "")}{digits[..^scale]}.{digits[^scale..]}";
    }
}
