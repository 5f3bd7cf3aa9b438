namespace SqlServerSimulator.Contract;

/// <summary>The SQL Server types that the simulator knows. CLR carriers of values are named with each.</summary>
public enum SqlKind
{
    /// <summary>bit, <see cref="bool"/>.</summary>
    Bit,

    /// <summary>tinyint, <see cref="byte"/>.</summary>
    TinyInt,

    /// <summary>smallint, <see cref="short"/>.</summary>
    SmallInt,

    /// <summary>int, <see cref="int"/>.</summary>
    Int,

    /// <summary>bigint, <see cref="long"/>.</summary>
    BigInt,

    /// <summary>numeric(p,s), <see cref="System.Numerics.BigInteger"/> of the unscaled value.</summary>
    Numeric,

    /// <summary>float, <see cref="double"/>.</summary>
    Float,

    /// <summary>datetime, <see cref="System.DateTime"/>.</summary>
    DateTime,

    /// <summary>datetime2(n), <see cref="System.DateTime"/>.</summary>
    DateTime2,

    /// <summary>uniqueidentifier, <see cref="System.Guid"/>.</summary>
    UniqueIdentifier,

    /// <summary>char(n), <see cref="string"/>.</summary>
    Char,

    /// <summary>varchar(n) or varchar(max), <see cref="string"/>.</summary>
    VarChar,

    /// <summary>nchar(n), <see cref="string"/>.</summary>
    NChar,

    /// <summary>nvarchar(n) or nvarchar(max), <see cref="string"/>.</summary>
    NVarChar,

    /// <summary>varbinary(n) or varbinary(max), byte[].</summary>
    VarBinary,

    /// <summary>sql_variant; the carrier is that of the base type, or a <see cref="SqlVariant"/> where that does not tell the type.</summary>
    Variant,

    /// <summary>binary(n), byte[].</summary>
    Binary,

    /// <summary>money, <see cref="decimal"/> with four digits after the point.</summary>
    Money,

    /// <summary>smallmoney, <see cref="decimal"/> with four digits after the point.</summary>
    SmallMoney,

    /// <summary>real, <see cref="float"/>.</summary>
    Real,

    /// <summary>date, <see cref="System.DateTime"/> at midnight.</summary>
    Date,

    /// <summary>time(n), <see cref="System.TimeSpan"/> of less than a day.</summary>
    Time,

    /// <summary>smalldatetime, <see cref="System.DateTime"/>.</summary>
    SmallDateTime,

    /// <summary>datetimeoffset(n), <see cref="System.DateTimeOffset"/>.</summary>
    DateTimeOffset,
}

/// <summary>A type with its parameters.</summary>
/// <param name="Kind">Which type.</param>
/// <param name="Length">Characters or bytes; -1 is max. Zero where the type has no length.</param>
/// <param name="Precision">Digits of numeric.</param>
/// <param name="Scale">Digits after the point of numeric, or of the second of datetime2, time and datetimeoffset.</param>
/// <param name="Nullable">Whether NULL may occur. NULL is carried as C# null.</param>
public readonly record struct SqlType(SqlKind Kind, int Length = 0, byte Precision = 0, byte Scale = 0, bool Nullable = true)
{
    /// <summary>nvarchar(128) NOT NULL, the type of names.</summary>
    public static SqlType Sysname { get; } = new(SqlKind.NVarChar, 128, Nullable: false);
}

/// <summary>A value in a sql_variant that does not tell its base type by its carrier.</summary>
/// <param name="Type">The base type.</param>
/// <param name="Value">The value by the carrier of that type.</param>
public sealed record SqlVariant(SqlType Type, object Value);

/// <summary>A column of a result or relation.</summary>
/// <param name="Name">Column name; empty for an unnamed expression.</param>
/// <param name="Type">Its type.</param>
public sealed record SqlColumn(string Name, SqlType Type);
