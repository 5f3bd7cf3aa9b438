using System.Globalization;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>A variable of a batch.</summary>
internal sealed class Variable(SqlType type, object? value)
{
    public SqlType Type => type;

    public object? Value { get; set; } = value;
}

/// <summary>What expressions see of their session. Used only under the gate.</summary>
internal sealed partial class SessionEnvironment(SqlSession session, BatchRunner runner, CancellationToken cancellation) : IQueryEnvironment
{
    private static readonly string[] s_perDatabase =
    [
        "tables", "objects", "columns", "all_objects", "all_columns", "certificates", "symmetric_keys", "database_principals", "database_permissions",
        "schemas", "indexes", "identity_columns", "types", "partitions", "database_role_members", "database_files",
    ];

    public Dictionary<string, Variable> Variables { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<CommonTable> CommonTables { get; set; } = [];

    private SqlInstance Instance => session.Instance;

    public DateTime UtcNow => session.Server.Settings.Time.GetUtcNow().UtcDateTime + (Instance.Fault<ClockJump>()?.Offset ?? TimeSpan.Zero);

    public void Check() => cancellation.ThrowIfCancellationRequested();

    public Guid NewGuid() => Guid.NewGuid();

    public (SqlType Type, Func<object?> Value) Variable(string name)
    {
        if (Variables.TryGetValue(name, out var variable)) return (variable.Type, () => variable.Value);
        return name.ToUpperInvariant() switch
        {
            "@@ROWCOUNT" => (Types.Int, () => (int)Math.Min(session.RowCount, int.MaxValue)),
            "@@ERROR" => (Types.Int, () => session.LastError),
            "@@TRANCOUNT" => (Types.Int, () => session.TransactionCount),
            "@@SPID" => (new SqlType(SqlKind.SmallInt), () => session.SessionId),
            "@@IDENTITY" => (new SqlType(SqlKind.Numeric, 0, 38), () => session.Identity),
            "@@SERVERNAME" => (Types.Text(128), () => Instance.ServerName),
            "@@VERSION" => (Types.Text(300), Version),
            "@@LOCK_TIMEOUT" => (Types.Int, () => session.Engine.LockTimeout is { } wait ? (int)wait.TotalMilliseconds : -1),
            "@@NESTLEVEL" => (Types.Int, () => runner.NestLevel),
            "@@LANGUAGE" => (Types.Text(128), () => "us_english"),
            "@@DATEFIRST" => (new SqlType(SqlKind.TinyInt), () => (byte)7),
            "@@SERVICENAME" => (Types.Text(128), () => "MSSQLSERVER"),
            "@@MAX_PRECISION" => (new SqlType(SqlKind.TinyInt), () => (byte)38),
            "@@LANGID" => (new SqlType(SqlKind.SmallInt), () => (short)0),
            "@@MAX_CONNECTIONS" => (Types.Int, () => 32767),
            "@@TEXTSIZE" => (Types.Int, () => int.MaxValue),
            "@@PROCID" => (Types.Int, () => 0),
            "@@REMSERVER" => (Types.Text(128), () => null),
            "@@MICROSOFTVERSION" => (Types.Int, () => (16 << 24) | int.Parse((string)Instance.ServerProperty("ProductBuild")!, CultureInfo.InvariantCulture)),
            "@@FETCH_STATUS" or "@@CURSOR_ROWS" or "@@OPTIONS" or "@@DBTS" or "@@CONNECTIONS" or "@@CPU_BUSY" or "@@IDLE" or "@@IO_BUSY" =>
                throw new SqlErrorException(50505, 16, $"{name} is not simulated."),
            _ => throw new SqlErrorException(137, 15, $"Must declare the scalar variable \"{name}\"."),
        };
    }

    private string Version()
    {
        var edition = Instance.ServerProperty("Edition");
        return $"Microsoft SQL Server 2022 - {Instance.ServerProperty("ProductVersion")} (X64) \n\tCopyright (C) 2022 Microsoft Corporation\n\t{edition} on Linux (simulator) <X64>";
    }

    public Relation Find(ObjectName name)
    {
        if (name.Server is not null && !name.Server.Equals(Instance.ServerName, StringComparison.OrdinalIgnoreCase))
            throw new SqlErrorException(7202, 11, $"Could not find server '{name.Server}' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers.");
        if (name.Schema is not null && name.Schema.Equals("sys", StringComparison.OrdinalIgnoreCase))
        {
            if (SystemCatalog.Find("sys", name.Name) is not { } view)
                throw new SqlErrorException(50505, 16, $"System view sys.{name.Name} is not simulated.");
            if (name.Database is not null && !name.Database.Equals(session.Database, StringComparison.OrdinalIgnoreCase))
            {
                if (Instance.DatabaseId(name.Database) is null) throw new SqlErrorException(208, 16, $"Invalid object name '{name}'.");
                if (s_perDatabase.Contains(name.Name, StringComparer.OrdinalIgnoreCase))
                    throw new SqlErrorException(50505, 16, $"System view sys.{name.Name} of another database is not simulated.");
            }

            return new Relation(view.Columns, () => view.Rows(Instance, session.Engine));
        }

        if (name.Schema is not null && name.Schema.Equals("INFORMATION_SCHEMA", StringComparison.OrdinalIgnoreCase))
        {
            var view = SystemCatalog.Find("INFORMATION_SCHEMA", name.Name) ?? throw new SqlErrorException(50505, 16, $"INFORMATION_SCHEMA.{name.Name} is not simulated.");
            return new Relation(view.Columns, () => view.Rows(Instance, session.Engine));
        }

        if ((name.Database ?? session.Database).Equals("msdb", StringComparison.OrdinalIgnoreCase)
            && (name.Schema is null || name.Schema.Equals("dbo", StringComparison.OrdinalIgnoreCase))
            && BackupCatalog.Find(name.Name) is { } history)
        {
            return new Relation(history.Columns, () => history.Rows(Instance, session.Engine));
        }

        var table = TemporaryTables.Is(TableOf(name)) ? session.Temporary.Describe(TableOf(name)) : Instance.Read(session.Engine, TableOf(name));
        return new Relation(table.Columns.Select(column => new SqlColumn(column.Name, column.Type)).ToList(), () => table.Rows)
        {
            Key = table.PrimaryKey,
            Seek = table.Seek,
        };
    }

    public static TableName TableOf(ObjectName name) => new(name.Database ?? "", name.Schema ?? "", name.Name);

    public Bound? Function(ObjectName name, IReadOnlyList<Bound> arguments)
    {
        var key = (name.Schema is null ? name.Name : $"{name.Schema}.{name.Name}").ToUpperInvariant();
        return key switch
        {
            "SERVERPROPERTY" => Of(Types.Variant, arguments, [Types.Text(128)], a => Instance.ServerProperty((string)a[0]!)),
            "LOGINPROPERTY" => Of(Types.Variant, arguments, [Types.Text(128), Types.Text(128)], a => Instance.LoginProperty(session.Engine, (string)a[0]!, (string)a[1]!)),
            "SESSION_CONTEXT" => Of(Types.Variant, arguments, [Types.Text(128)], a => session.Engine.Context((string)a[0]!)),
            "DB_NAME" when arguments.Count == 0 => Of(Types.Text(128), arguments, [], _ => session.Database),
            "DB_NAME" => Of(Types.Text(128), arguments, [Types.Int], a => Instance.DatabaseName((int)a[0]!)),
            "DB_ID" when arguments.Count == 0 => Of(new SqlType(SqlKind.SmallInt), arguments, [], _ => (short?)Instance.DatabaseId(session.Database)),
            "DB_ID" => Of(new SqlType(SqlKind.SmallInt), arguments, [Types.Text(128)], a => (short?)Instance.DatabaseId((string)a[0]!)),
            "OBJECT_ID" => ObjectId(arguments),
            "CERT_ID" => Of(Types.Int, arguments, [Types.Text(258)], a => Instance.CertificateId(session.Engine, Parser.TryParseName((string)a[0]!)?.Name ?? (string)a[0]!)),
            "CERTENCODED" => Of(new SqlType(SqlKind.VarBinary, -1), arguments, [Types.Int], a => Instance.CertificateDer(session.Engine, (int)a[0]!)),
            "CERTPRIVATEKEY" => PrivateKey(arguments),
            "SUSER_SNAME" or "SUSER_NAME" when arguments.Count == 0 => Of(Types.Text(128), arguments, [], _ => session.Engine.LoginName),
            "SUSER_SNAME" => Of(Types.Text(128), arguments, [new SqlType(SqlKind.VarBinary, 85)], a => Lookup("server_principals", "sid", a[0]!, "name")),
            "SUSER_SID" when arguments.Count == 0 => Of(new SqlType(SqlKind.VarBinary, 85), arguments, [], _ => Lookup("server_principals", "name", session.Engine.LoginName, "sid")),
            "SUSER_SID" => Of(new SqlType(SqlKind.VarBinary, 85), arguments, [Types.Text(128)], a => Lookup("server_principals", "name", a[0]!, "sid")),
            "SUSER_ID" => Of(Types.Int, arguments, [Types.Text(128)], a => Lookup("server_principals", "name", a[0]!, "principal_id")),
            "ORIGINAL_LOGIN" or "SYSTEM_USER" => Of(Types.Text(128), arguments, [], _ => session.Engine.LoginName),
            "APP_NAME" => Of(Types.Text(128), arguments, [], _ => session.Engine.ApplicationName),
            "HOST_NAME" => Of(Types.Text(128), arguments, [], _ => session.Engine.HostName),
            "IS_SRVROLEMEMBER" => RoleMember(arguments),
            "HAS_PERMS_BY_NAME" => HasPermission(arguments),
            "SCOPE_IDENTITY" => Of(new SqlType(SqlKind.Numeric, 0, 38), arguments, [], _ => session.Identity),
            "XACT_STATE" => Of(new SqlType(SqlKind.SmallInt), arguments, [], _ => (short)(session.TransactionCount == 0 ? 0 : session.Doomed ? -1 : 1)),
            "ERROR_NUMBER" => Of(Types.Int, arguments, [], _ => runner.Caught?.Number),
            "ERROR_SEVERITY" => Of(Types.Int, arguments, [], _ => (int?)runner.Caught?.Severity),
            "ERROR_STATE" => Of(Types.Int, arguments, [], _ => (int?)runner.Caught?.State),
            "ERROR_LINE" => Of(Types.Int, arguments, [], _ => runner.Caught?.Line),
            "ERROR_MESSAGE" => Of(Types.Text(4000), arguments, [], _ => runner.Caught?.Message),
            "ERROR_PROCEDURE" => Of(Types.Text(128), arguments, [], _ => runner.Caught is { Procedure.Length: > 0 } error ? error.Procedure : null),
            "SYS.FN_HADR_IS_PRIMARY_REPLICA" => Of(Types.Bit, arguments, [Types.Text(128)], a => Instance.IsPrimaryReplica((string)a[0]!)),
            "SYS.FN_HADR_BACKUP_IS_PREFERRED_REPLICA" => Of(Types.Bit, arguments, [Types.Text(128)], a => Instance.IsPreferredBackupReplica((string)a[0]!)),
            _ => CatalogFunction(key, arguments),
        };
    }

    /// <summary>A function of non-NULL arguments; sql_variant arguments are not taken.</summary>
    private static Bound Of(SqlType result, IReadOnlyList<Bound> arguments, SqlType[] types, Func<object?[], object?> compute)
    {
        Require(arguments, types.Length, types.Length);
        var converted = arguments.Zip(types, Binder.As).ToArray();
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

    private static void Require(IReadOnlyList<Bound> arguments, int least, int most)
    {
        if (arguments.Count < least || arguments.Count > most)
            throw new SqlErrorException(174, 15, $"The function requires {most.ToString(CultureInfo.InvariantCulture)} argument(s).");
    }

    private Bound ObjectId(IReadOnlyList<Bound> arguments)
    {
        Require(arguments, 1, 2);
        var types = new[] { Types.Text(776), Types.Text(10) }[..arguments.Count];
        return Of(Types.Int, arguments, types, a =>
        {
            if (a.Length > 1 && !((string)a[1]!).Trim().Equals("U", StringComparison.OrdinalIgnoreCase)) return null;
            return Parser.TryParseName((string)a[0]!) is not { } name ? null
                : TemporaryTables.Is(TableOf(name)) ? name.Database?.Equals("tempdb", StringComparison.OrdinalIgnoreCase) == true ? session.Temporary.ObjectId(TableOf(name)) : null
                : Instance.ObjectId(session.Engine, TableOf(name));
        });
    }

    private Bound PrivateKey(IReadOnlyList<Bound> arguments)
    {
        Require(arguments, 2, 3);
        var types = new[] { Types.Int, Types.Text(128), Types.Text(128) }[..arguments.Count];
        return Of(new SqlType(SqlKind.VarBinary, -1), arguments, types, a =>
            Instance.CertificatePrivateKey(session.Engine, (int)a[0]!, (string)a[1]!, a.Length > 2 ? (string)a[2]! : null));
    }

    private Bound RoleMember(IReadOnlyList<Bound> arguments)
    {
        Require(arguments, 1, 2);
        var types = new[] { Types.Text(128), Types.Text(128) }[..arguments.Count];
        return Of(Types.Int, arguments, types, a =>
            Instance.IsServerRoleMember(session.Engine, (string)a[0]!, a.Length > 1 ? (string)a[1]! : null) is { } member ? (member ? 1 : 0) : null);
    }

    private List<Dictionary<string, object?>> Rows(string view)
    {
        var found = SystemCatalog.Find("sys", view) ?? throw new SqlErrorException(50505, 16, $"System view sys.{view} is not simulated.");
        return found.Rows(Instance, session.Engine).Select(row => found.Columns
            .Select((column, i) => (column.Name, Value: row[i]))
            .ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.OrdinalIgnoreCase)).ToList();
    }

    private object? Lookup(string view, string key, object value, string column) =>
        Rows(view).Find(row => row[key] is { } found && Operators.Compare(found, value, Types.Variant) == 0)?[column];
}
