using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>Functions that ask about principals, permissions, databases and objects.</summary>
internal sealed partial class SessionEnvironment
{
    private Bound? CatalogFunction(string key, IReadOnlyList<Bound> arguments) => key switch
    {
        "USER_NAME" when arguments.Count == 0 => Of(Types.Text(128), arguments, [], _ => Instance.UserName(session.Engine)),
        "USER_NAME" => Of(Types.Text(128), arguments, [Types.Int], a => Lookup("database_principals", "principal_id", a[0]!, "name")),
        "USER_ID" or "DATABASE_PRINCIPAL_ID" when arguments.Count == 0 =>
            Of(Types.Int, arguments, [], _ => Instance.UserName(session.Engine) is { } user ? Lookup("database_principals", "name", user, "principal_id") : null),
        "USER_ID" or "DATABASE_PRINCIPAL_ID" => Of(Types.Int, arguments, [Types.Text(128)], a => Lookup("database_principals", "name", a[0]!, "principal_id")),
        "SUSER_ID" when arguments.Count == 0 => Of(Types.Int, arguments, [], _ => Lookup("server_principals", "name", session.Engine.LoginName, "principal_id")),
        "IS_MEMBER" or "IS_ROLEMEMBER" => Of(Types.Int, arguments, [Types.Text(128)], a => Number(Instance.IsDatabaseRoleMember(session.Engine, (string)a[0]!))),
        "HAS_DBACCESS" => Of(Types.Int, arguments, [Types.Text(128)], a => Number(Instance.HasDatabaseAccess(session.Engine, (string)a[0]!))),
        "ORIGINAL_DB_NAME" => Of(Types.Text(128), arguments, [], _ => session.Engine.OriginalDatabase),
        "OBJECT_NAME" => Of(Types.Text(128), arguments, [Types.Int], a => Lookup("objects", "object_id", a[0]!, "name")),
        "SCHEMA_NAME" when arguments.Count == 0 => Of(Types.Text(128), arguments, [], _ => "dbo"),
        "SCHEMA_NAME" => Of(Types.Text(128), arguments, [Types.Int], a => Lookup("schemas", "schema_id", a[0]!, "name")),
        "SCHEMA_ID" when arguments.Count == 0 => Of(Types.Int, arguments, [], _ => 1),
        "SCHEMA_ID" => Of(Types.Int, arguments, [Types.Text(128)], a => Lookup("schemas", "name", a[0]!, "schema_id")),
        "TYPE_NAME" => Of(Types.Text(128), arguments, [Types.Int], a => Lookup("types", "user_type_id", a[0]!, "name")),
        "TYPE_ID" => Of(Types.Int, arguments, [Types.Text(128)], a => Lookup("types", "name", a[0]!, "user_type_id")),
        "DATABASEPROPERTYEX" => Of(Types.Variant, arguments, [Types.Text(128), Types.Text(128)], a => DatabaseProperty((string)a[0]!, (string)a[1]!)),
        "CONNECTIONPROPERTY" => Of(Types.Variant, arguments, [Types.Text(128)], a => ConnectionProperty((string)a[0]!)),
        "CERTPROPERTY" => Of(Types.Variant, arguments, [Types.Int, Types.Text(128)], a => CertificateProperty((int)a[0]!, (string)a[1]!)),
        _ => null,
    };

    private static int? Number(bool? value) => value is { } known ? (known ? 1 : 0) : null;

    private object? DatabaseProperty(string database, string property)
    {
        var row = Rows("databases").Find(row => database.Equals((string?)row["name"], StringComparison.OrdinalIgnoreCase));
        return row is null
            ? null
            : property.ToUpperInvariant() switch
            {
                "STATUS" => row["state_desc"],
                "RECOVERY" => row["recovery_model_desc"],
                "UPDATEABILITY" => row["is_read_only"] is true || IsReadOnlyReplica(row) ? "READ_ONLY" : "READ_WRITE",
                "USERACCESS" => row["user_access_desc"],
                "COLLATION" => row["collation_name"],
                "VERSION" => row["state"] is (byte)0 ? 957 : null,
                "ISINSTANDBY" => Number((bool?)row["is_in_standby"]),
                "ISAUTOCLOSE" => Number((bool?)row["is_auto_close_on"]),
                _ => null,
            };
    }

    private bool IsReadOnlyReplica(Dictionary<string, object?> row) =>
        row["group_database_id"] is not null && Instance.IsPrimaryReplica((string)row["name"]!) != true;

    private object? ConnectionProperty(string property) => property.ToUpperInvariant() switch
    {
        "NET_TRANSPORT" or "PHYSICAL_NET_TRANSPORT" => "TCP",
        "PROTOCOL_TYPE" => "TSQL",
        "AUTH_SCHEME" => "SQL",
        "LOCAL_TCP_PORT" => Instance.Options.TcpPort,
        _ => null,
    };

    private object? CertificateProperty(int id, string property)
    {
        var row = Rows("certificates").Find(row => row["certificate_id"] is int found && found == id);
        return row is null
            ? null
            : property.ToUpperInvariant() switch
            {
                "EXPIRY_DATE" => row["expiry_date"],
                "START_DATE" => row["start_date"],
                "ISSUER_NAME" => row["issuer_name"],
                "CERT_SERIAL_NUMBER" => row["cert_serial_number"],
                "SUBJECT" => row["subject"],
                "SID" => row["sid"],
                "STRING_SID" => row["string_sid"],
                _ => null,
            };
    }

    private Bound HasPermission(IReadOnlyList<Bound> arguments)
    {
        if (arguments.Count != 3) throw new SqlErrorException(50505, 16, "HAS_PERMS_BY_NAME with sub-securables is not simulated.");
        var (securable, kind, permission) =
            (Binder.As(arguments[0], Types.Text(776)), Binder.As(arguments[1], Types.Text(60)), Binder.As(arguments[2], Types.Text(60)));
        return new Bound(Types.Int, frame =>
        {
            if (permission.Value(frame) is not string wanted) return null;
            var written = (string?)securable.Value(frame);
            var name = written is null ? null : Parser.TryParseName(written) ?? new ObjectName(null, null, null, written);
            SecurableClass? @class = ((string?)kind.Value(frame))?.ToUpperInvariant() switch
            {
                null => written is null ? SecurableClass.Server : null,
                "SERVER" => SecurableClass.Server,
                "DATABASE" => SecurableClass.Database,
                "AVAILABILITY GROUP" => SecurableClass.AvailabilityGroup,
                "ENDPOINT" => SecurableClass.Endpoint,
                "CERTIFICATE" => SecurableClass.Certificate,
                "LOGIN" => SecurableClass.Login,
                "SERVER ROLE" => SecurableClass.ServerRole,
                "USER" => SecurableClass.User,
                "ROLE" => SecurableClass.Role,
                "OBJECT" => SecurableClass.Object,
                "SCHEMA" => SecurableClass.Schema,
                _ => null,
            };
            var full = name is null ? null : @class == SecurableClass.Object ? $"{name.Schema ?? "dbo"}.{name.Name}" : name.Name;
            return @class is { } known ? Number(Instance.HasPermissionByName(session.Engine, full, known, wanted.Trim().ToUpperInvariant())) : null;
        });
    }
}
