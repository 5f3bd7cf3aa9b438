namespace Unit.Tds;

/// <summary>A value as RPC carries it, written by hand.</summary>
internal sealed record WireParameter(string Declaration, byte[] Wire);

/// <summary>One parameter of each type.</summary>
internal static class WireParameters
{
    private static readonly byte[] Collation = [9, 4, 0xD0, 0, 0x34];

    public static IReadOnlyList<WireParameter> All { get; } =
    [
        new("tinyint", [0x26, 1, 1, 200]),
        new("smallint", [0x26, 2, 2, 0xFE, 0xFF]),
        new("int", [0x26, 4, 0]),
        new("bigint", [0x26, 8, 8, 1, 0, 0, 0, 0, 0, 0, 0x80]),
        new("bit", [0x68, 1, 1, 1]),
        new("float", [0x6D, 8, 8, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
        new("uniqueidentifier", [0x24, 16, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
        new("numeric(9,2)", [0x6C, 5, 9, 2, 5, 0, 0x39, 0x30, 0, 0]),
        new("datetime", [0x6F, 8, 8, 1, 0, 0, 0, 0x2C, 1, 0, 0]),
        new("datetime2(7)", [0x2A, 7, 8, 0x80, 0x96, 0x98, 0, 0, 2, 0, 0]),
        new("nvarchar(4)", [0xE7, 8, 0, .. Collation, 4, 0, 0xE4, 0, 0x16, 0x26]),
        new("nvarchar(max)", [0xE7, 0xFF, 0xFF, .. Collation, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0x61, 3, 0, 0, 0, 0, 0x62, 0, 0, 0, 0, 0]),
        new("varchar(8)", [0xA7, 8, 0, .. Collation, 2, 0, 0x80, 0xE4]),
        new("nchar(2)", [0xEF, 4, 0, .. Collation, 4, 0, 0x61, 0, 0x20, 0]),
        new("char(2)", [0xAF, 2, 0, .. Collation, 2, 0, 0x61, 0x20]),
        new("varbinary(8)", [0xA5, 8, 0, 2, 0, 1, 2]),
        new("varbinary(max)", [0xA5, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 0, 0, 0, 0]),
        new("real", [0x6D, 4, 4, 0, 0, 0xC0, 0x3F]),
        new("money", [0x6E, 8, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0, 0xD8, 0xFF, 0xFF]),
        new("smallmoney", [0x6E, 4, 4, 0x10, 0x27, 0, 0]),
        new("smalldatetime", [0x6F, 4, 4, 1, 0, 61, 0]),
        new("date", [0x28, 3, 1, 0, 0]),
        new("time(0)", [0x29, 0, 3, 61, 0, 0]),
        new("datetimeoffset(0)", [0x2B, 0, 8, 1, 0, 0, 2, 0, 0, 60, 0]),
        new("binary(4)", [0xAD, 4, 0, 2, 0, 1, 2]),
        new("sql_variant", [0x62, 0x49, 0x1F, 0, 0, 5, 0, 0, 0, 0x28, 0, 1, 2, 3]),
        new("sql_variant", [0x62, 0x49, 0x1F, 0, 0, 6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0]),
    ];
}
