using System.Numerics;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>The system views.</summary>
public static partial class SystemCatalog
{
    private static readonly Dictionary<string, SystemView> Views = new(StringComparer.OrdinalIgnoreCase);

    static SystemCatalog()
    {
        AddServerViews();
        AddDatabaseViews();
        AddGroupViews();
    }

    /// <summary>Names of all views, without their schema.</summary>
    public static IReadOnlyCollection<string> Names => Views.Keys;

    /// <summary>Finds a view, or null. The schema is normally "sys".</summary>
    public static SystemView? Find(string schema, string name) =>
        schema.Equals("sys", StringComparison.OrdinalIgnoreCase) && Views.TryGetValue(name, out var view) ? view : null;

    private static void Add(string name, string columns, Func<SqlInstance, EngineSession, IEnumerable<object?[]>> rows)
    {
        var parsed = columns.Split(',', StringSplitOptions.TrimEntries).Select(Column).ToArray();
        Views.Add(name, new SystemView(parsed, (instance, session) => [.. rows(instance, session)]));
    }

    /// <summary>A view over server state: without the permission an error, not an empty result.</summary>
    private static void AddState(string name, string columns, Func<SqlInstance, EngineSession, IEnumerable<object?[]>> rows) =>
        Add(name, columns, (instance, session) =>
        {
            if (!instance.HasPermission(session, "VIEW SERVER STATE") && !instance.HasPermission(session, "VIEW SERVER PERFORMANCE STATE"))
            {
                throw new SqlErrorException(Errors.ServerPermissionDenied("VIEW SERVER STATE"));
            }

            return rows(instance, session);
        });

    private static SqlColumn Column(string text)
    {
        var parts = text.Split(' ');
        var type = parts[1];
        var length = 0;
        if (type.IndexOf('(', StringComparison.Ordinal) is var open and > 0)
        {
            var inner = type[(open + 1)..^1];
            length = inner == "max" ? -1 : int.Parse(inner, System.Globalization.CultureInfo.InvariantCulture);
            type = type[..open];
        }

        return new SqlColumn(parts[0], type switch
        {
            "bit" => new SqlType(SqlKind.Bit),
            "tinyint" => new SqlType(SqlKind.TinyInt),
            "smallint" => new SqlType(SqlKind.SmallInt),
            "int" => new SqlType(SqlKind.Int),
            "bigint" => new SqlType(SqlKind.BigInt),
            "guid" => new SqlType(SqlKind.UniqueIdentifier),
            "datetime" => new SqlType(SqlKind.DateTime),
            "sysname" => new SqlType(SqlKind.NVarChar, 128),
            "nvarchar" => new SqlType(SqlKind.NVarChar, length),
            "varchar" => new SqlType(SqlKind.VarChar, length),
            "char" => new SqlType(SqlKind.Char, length),
            "varbinary" => new SqlType(SqlKind.VarBinary, length),
            "variant" => new SqlType(SqlKind.Variant),
            "lsn" => new SqlType(SqlKind.Numeric, 0, 25, 0),
            _ => throw new ArgumentException($"Unknown type {type}.", nameof(text)),
        });
    }

    /// <summary>An LSN as views show it: log file, block, slot.</summary>
    internal static BigInteger Lsn(long lsn) => (new BigInteger(37) * BigInteger.Pow(10, 15)) + (new BigInteger(lsn) * 100000) + 1;

    private static string Words(Enum value) =>
        string.Concat(value.ToString().Select((c, index) => index > 0 && char.IsUpper(c) ? $"_{c}" : $"{char.ToUpperInvariant(c)}"));
}
