using System.Numerics;
using SqlServerSimulator.Contract;

namespace Unit.Tds;

/// <summary>Every type with values of it: the bounds, the odd ones, and random ones that are the same for the same seed.</summary>
internal static class SampleValues
{
    public static IEnumerable<SqlType> Types { get; } =
    [
        new(SqlKind.Bit), new(SqlKind.TinyInt), new(SqlKind.SmallInt), new(SqlKind.Int), new(SqlKind.BigInt),
        .. new (byte, byte)[] { (1, 0), (9, 4), (10, 10), (19, 0), (20, 3), (28, 28), (29, 1), (38, 0), (38, 38) }.Select(digits => new SqlType(SqlKind.Numeric, 0, digits.Item1, digits.Item2)),
        new(SqlKind.Money), new(SqlKind.SmallMoney), new(SqlKind.Real), new(SqlKind.Float),
        new(SqlKind.Date), new(SqlKind.DateTime), new(SqlKind.SmallDateTime),
        .. Enumerable.Range(0, 8).SelectMany(scale => new[] { SqlKind.Time, SqlKind.DateTime2, SqlKind.DateTimeOffset }, (scale, kind) => new SqlType(kind, Scale: (byte)scale)),
        new(SqlKind.UniqueIdentifier),
        .. new[] { 1, 10, 8000 }.SelectMany(length => new[] { SqlKind.Char, SqlKind.VarChar, SqlKind.Binary, SqlKind.VarBinary }, (length, kind) => new SqlType(kind, length)),
        .. new[] { 1, 10, 4000 }.SelectMany(length => new[] { SqlKind.NChar, SqlKind.NVarChar }, (length, kind) => new SqlType(kind, length)),
        new(SqlKind.VarChar, -1), new(SqlKind.NVarChar, -1), new(SqlKind.VarBinary, -1),
    ];

    /// <summary>Values as their type holds them: fixed lengths are filled up, fractions have the type's digits.</summary>
    public static IReadOnlyList<object> Of(SqlType type, int count)
    {
        var random = new Random(((int)type.Kind * 1000) + type.Length + (type.Precision * 50) + type.Scale);
        return [.. Bounds(type).Concat(Enumerable.Range(0, count).Select(_ => Any(type, random)))];
    }

    private static IEnumerable<object> Bounds(SqlType type)
    {
        var most = BigInteger.Pow(10, type.Precision) - 1;
        var unit = (long)Math.Pow(10, 7 - type.Scale);
        return type.Kind switch
        {
            SqlKind.Bit => [true, false],
            SqlKind.TinyInt => [(byte)0, byte.MaxValue],
            SqlKind.SmallInt => [short.MinValue, (short)0, short.MaxValue],
            SqlKind.Int => [int.MinValue, 0, int.MaxValue],
            SqlKind.BigInt => [long.MinValue, 0L, long.MaxValue],
            SqlKind.Numeric => [-most, BigInteger.Zero, BigInteger.One, most],
            SqlKind.Money => [-922337203685477.5808m, 0.0000m, 922337203685477.5807m, 0.0001m],
            SqlKind.SmallMoney => [-214748.3648m, 0.0000m, 214748.3647m],
            SqlKind.Real => [float.MinValue, -0f, float.Epsilon, float.MaxValue],
            SqlKind.Float => [double.MinValue, -0d, double.Epsilon, double.MaxValue],
            SqlKind.Date => [DateTime.MinValue, new DateTime(9999, 12, 31)],
            SqlKind.DateTime => [new DateTime(1753, 1, 1), new DateTime(1900, 1, 1), new DateTime(9999, 12, 31, 23, 59, 59, 997)],
            SqlKind.SmallDateTime => [new DateTime(1900, 1, 1), new DateTime(2079, 6, 6, 23, 59, 0)],
            SqlKind.Time => [TimeSpan.Zero, new TimeSpan(TimeSpan.TicksPerDay - unit)],
            SqlKind.DateTime2 => [DateTime.MinValue, new DateTime((DateTime.MaxValue.Ticks / unit) * unit)],
            SqlKind.DateTimeOffset =>
            [
                new DateTimeOffset(DateTime.MinValue, TimeSpan.Zero), new DateTimeOffset(new DateTime(DateTime.MaxValue.Ticks / unit * unit), TimeSpan.Zero),
                new DateTimeOffset(2024, 2, 29, 1, 2, 3, TimeSpan.FromHours(14)), new DateTimeOffset(2024, 2, 29, 1, 2, 3, TimeSpan.FromMinutes(-570)),
            ],
            SqlKind.UniqueIdentifier => [Guid.Empty, Guid.AllBitsSet],
            SqlKind.Char or SqlKind.NChar => [new string(' ', type.Length)],
            SqlKind.VarChar or SqlKind.NVarChar => ["", Text(type, type.Length < 0 ? (1 << 20) + 1 : type.Length, new Random(1))],
            SqlKind.Binary => [new byte[type.Length]],
            _ => [Array.Empty<byte>(), Bytes(type.Length < 0 ? (1 << 20) + 1 : type.Length, new Random(1))],
        };
    }

    private static object Any(SqlType type, Random random)
    {
        var unit = (long)Math.Pow(10, 7 - type.Scale);
        var length = type.Length < 0 ? random.Next(20_000) : random.Next(type.Length + 1);
        switch (type.Kind)
        {
            case SqlKind.Bit: return random.Next(2) == 0;
            case SqlKind.TinyInt: return (byte)random.Next(256);
            case SqlKind.SmallInt: return (short)random.Next(short.MinValue, short.MaxValue);
            case SqlKind.Int: return random.Next(int.MinValue, int.MaxValue);
            case SqlKind.BigInt: return random.NextInt64(long.MinValue, long.MaxValue);
            case SqlKind.Numeric:
                var digits = BigInteger.Parse(string.Concat(Enumerable.Range(0, random.Next(1, type.Precision + 1)).Select(_ => random.Next(10))));
                return random.Next(2) == 0 ? digits : -digits;
            case SqlKind.Money: return random.NextInt64(long.MinValue, long.MaxValue) / 10_000m + 0.0000m;
            case SqlKind.SmallMoney: return random.Next(int.MinValue, int.MaxValue) / 10_000m + 0.0000m;
            case SqlKind.Real: return (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-30, 30)));
            case SqlKind.Float: return (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-300, 300));
            case SqlKind.Date: return new DateTime(random.NextInt64(DateTime.MaxValue.Ticks)).Date;
            case SqlKind.DateTime:
                return new DateTime(1753, 1, 1).AddDays(random.Next(3_012_153)).AddMilliseconds(Math.Round(random.Next(300 * 86_400) * 10 / 3d, MidpointRounding.AwayFromZero));
            case SqlKind.SmallDateTime: return new DateTime(1900, 1, 1).AddDays(random.Next(65_536)).AddMinutes(random.Next(1440));
            case SqlKind.Time: return new TimeSpan(random.NextInt64(TimeSpan.TicksPerDay / unit) * unit);
            case SqlKind.DateTime2: return new DateTime(random.NextInt64(DateTime.MaxValue.Ticks / unit) * unit);
            case SqlKind.DateTimeOffset:
                var utc = new DateTimeOffset(TimeSpan.TicksPerDay + (random.NextInt64((DateTime.MaxValue.Ticks - (2 * TimeSpan.TicksPerDay)) / unit) * unit), TimeSpan.Zero);
                return utc.ToOffset(TimeSpan.FromMinutes(random.Next(-840, 841)));
            case SqlKind.UniqueIdentifier: return new Guid(Bytes(16, random));
            case SqlKind.Char or SqlKind.NChar: return Text(type, length, random).PadRight(type.Length);
            case SqlKind.VarChar or SqlKind.NVarChar: return Text(type, length, random);
            case SqlKind.Binary: return Bytes(type.Length, random);
            default: return Bytes(length, random);
        }
    }

    private static string Text(SqlType type, int length, Random random)
    {
        const string codePage = "abcXYZ 09'\"\0\n€äöüßÿ¡";
        var wide = type.Kind is SqlKind.NChar or SqlKind.NVarChar;
        // Any code unit may stand in nvarchar, half a surrogate pair too.
        return string.Create(length, random, (text, r) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = wide && r.Next(2) == 0 ? (char)r.Next(char.MaxValue + 1) : codePage[r.Next(codePage.Length)];
        });
    }

    private static byte[] Bytes(int length, Random random)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
