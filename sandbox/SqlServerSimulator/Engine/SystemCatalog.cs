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
        AddSecurityViews();
        AddSessionViews();
        AddDatabaseViews();
        AddObjectViews();
        AddGroupViews();
    }

    /// <summary>Names of all views, those of INFORMATION_SCHEMA with their schema.</summary>
    public static IReadOnlyCollection<string> Names => Views.Keys;

    /// <summary>Finds a view, or null. The schema is normally "sys".</summary>
    public static SystemView? Find(string schema, string name) =>
        schema.ToUpperInvariant() switch
        {
            "SYS" => Views.GetValueOrDefault(name),
            "INFORMATION_SCHEMA" => Views.GetValueOrDefault($"INFORMATION_SCHEMA.{name}"),
            _ => null,
        };

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

    /// <summary>"name type", with ! behind a type that is NOT NULL.</summary>
    private static SqlColumn Column(string text)
    {
        var parts = text.Split(' ');
        var nullable = !parts[1].EndsWith('!');
        var type = parts[1].TrimEnd('!');
        var length = 0;
        if (type.IndexOf('(', StringComparison.Ordinal) is var open and > 0)
        {
            var inner = type[(open + 1)..^1];
            length = inner == "max" ? -1 : int.Parse(inner, System.Globalization.CultureInfo.InvariantCulture);
            type = type[..open];
        }

        var found = type switch
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
            "float" => new SqlType(SqlKind.Float),
            "nchar" => new SqlType(SqlKind.NChar, length),
            _ => throw new ArgumentException($"Unknown type {type}.", nameof(text)),
        };
        return new SqlColumn(parts[0], found with { Nullable = nullable });
    }

    /// <summary>An LSN as views show it: log file, block, slot.</summary>
    internal static BigInteger Lsn(long lsn) => (new BigInteger(37) * BigInteger.Pow(10, 15)) + (new BigInteger(lsn) * 100000) + 1;

    private static string Words(Enum value) =>
        string.Concat(value.ToString().Select((c, index) => index > 0 && char.IsUpper(c) ? $"_{c}" : $"{char.ToUpperInvariant(c)}"));
}
