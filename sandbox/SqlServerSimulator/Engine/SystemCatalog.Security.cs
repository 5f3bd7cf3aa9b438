using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace SqlServerSimulator.Engine;

/// <summary>Principals, permissions, keys, certificates and endpoints.</summary>
public static partial class SystemCatalog
{
    private const string PrincipalColumns =
        "name sysname!, principal_id int!, sid varbinary(85), type char(1)!, type_desc nvarchar(60), is_disabled bit, create_date datetime!, modify_date datetime!, default_database_name sysname, default_language_name sysname, credential_id int, owning_principal_id int, is_fixed_role bit!";

    private const string EndpointColumns =
        "name sysname!, endpoint_id int!, principal_id int, protocol tinyint!, protocol_desc nvarchar(60), type tinyint!, type_desc nvarchar(60), state tinyint, state_desc nvarchar(60), is_admin_endpoint bit!";

    private const string PermissionColumns =
        "class tinyint!, class_desc nvarchar(60), major_id int!, minor_id int!, grantee_principal_id int!, grantor_principal_id int!, type char(4)!, permission_name nvarchar(128), state char(1)!, state_desc nvarchar(60)";

    private static readonly DateTime BuiltIn = new(2009, 4, 13, 12, 59, 6);

    private static readonly string[] ServerRoles = ["public", .. PermissionHierarchy.FixedServerRoles.Keys];

    private static readonly string[] DatabaseRoles =
        ["db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "-", "db_backupoperator", "db_datareader", "db_datawriter", "db_denydatareader", "db_denydatawriter"];

    private static void AddSecurityViews()
    {
        Add("server_principals", PrincipalColumns, (instance, session) => VisibleLogins(instance, session).Select(PrincipalRow)
            .Concat(ServerRoles.Select((role, index) => new object?[]
            {
                role, ServerRoleId(instance, role), new byte[] { (byte)(index + 2) }, "R", "SERVER_ROLE", false, BuiltIn, BuiltIn, null, null, null, 1, index > 0,
            }))
            .Concat(instance.Master.ServerRoles.Where(role => instance.IsVisible(session, SecurableClass.ServerRole, role.Name)).Select(role => new object?[]
            {
                role.Name, role.PrincipalId, BitConverter.GetBytes(role.PrincipalId), "R", "SERVER_ROLE", false, role.Created, role.Created, null, null, null,
                instance.FindLogin(role.Owner)?.PrincipalId ?? 1, false,
            })));
        Add("sql_logins", $"{PrincipalColumns}, is_policy_checked bit, is_expiration_checked bit, password_hash varbinary(256)", (instance, session) =>
            VisibleLogins(instance, session).Where(login => login.PasswordHash is not null).Select(login => (object?[])
            [
                .. PrincipalRow(login),
                login.CheckPolicy,
                login.CheckExpiration,
                instance.HasPermission(session, "CONTROL SERVER") ? login.PasswordHash : null,
            ]));
        Add("server_role_members", "role_principal_id int!, member_principal_id int!", (instance, session) => VisibleLogins(instance, session)
            .SelectMany(login => login.Roles.Select(role => new object?[] { ServerRoleId(instance, role), login.PrincipalId })));
        Add("server_permissions", PermissionColumns, (instance, session) => instance.Master.Permissions
            .Select(entry => (Entry: entry, Grantee: ServerPrincipalId(instance, entry.Grantee)))
            .Where(pair => pair.Grantee is not null && MaySee(instance, session, pair.Entry))
            .Select(pair => PermissionRow(
                pair.Entry,
                pair.Entry.Class switch
                {
                    SecurableClass.Endpoint => instance.Master.Endpoint is { } endpoint && SqlInstance.Same(endpoint.Name, pair.Entry.Securable) ? endpoint.Id : 4,
                    SecurableClass.AvailabilityGroup => GroupMetadataId(instance, pair.Entry.Securable),
                    SecurableClass.Login => instance.FindLogin(pair.Entry.Securable)?.PrincipalId ?? 0,
                    SecurableClass.ServerRole => ServerRoleId(instance, pair.Entry.Securable),
                    _ => 0,
                },
                pair.Grantee!.Value,
                ServerPrincipalId(instance, pair.Entry.Grantor) ?? 1))
            .Concat(VisibleLogins(instance, session).Select(login => PermissionRow(new Permission(login.Name, "CONNECT SQL", SecurableClass.Server, "", false, false), 0, login.PrincipalId, 1)))
            .Append(PermissionRow(new Permission("public", "VIEW ANY DATABASE", SecurableClass.Server, "", false, false), 0, 2, 1)));
        Add("database_principals", "name sysname!, principal_id int!, type char(1)!, type_desc nvarchar(60), default_schema_name sysname, create_date datetime!, modify_date datetime!, owning_principal_id int, sid varbinary(85), is_fixed_role bit!, authentication_type int!, authentication_type_desc nvarchar(60), default_language_name sysname, default_language_lcid int, allow_encrypted_value_modifications bit!", (instance, session) =>
            DatabasePrincipals(instance, session));
        Add("database_role_members", "role_principal_id int!, member_principal_id int!", (instance, session) => Access(instance, session) is { } access
            ? access.Users.SelectMany(user => user.Roles.Select(role => new object?[] { DatabasePrincipalId(access, role), user.PrincipalId }))
                .Prepend([DatabasePrincipalId(access, "db_owner"), 1])
            : []);
        Add("database_permissions", PermissionColumns, (instance, session) => Access(instance, session) is { } access
            ? access.Permissions.Where(entry => access.IsDbo || instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Database) || access.Principals.Contains(entry.Grantee, StringComparer.OrdinalIgnoreCase))
                .Select(entry => PermissionRow(
                    entry,
                    entry.Class switch
                    {
                        SecurableClass.Object => instance.ObjectId(session, new TableName("", entry.Securable.Split('.')[0], entry.Securable.Split('.')[^1])) ?? 0,
                        SecurableClass.Schema => 1,
                        SecurableClass.Certificate => instance.FindCertificate(entry.Securable)?.Id ?? 0,
                        SecurableClass.User or SecurableClass.Role => DatabasePrincipalId(access, entry.Securable),
                        _ => 0,
                    },
                    DatabasePrincipalId(access, entry.Grantee),
                    DatabasePrincipalId(access, entry.Grantor)))
                .Concat(access.Users.Where(user => !user.IsRole).Select(user => PermissionRow(new Permission(user.Name, "CONNECT", SecurableClass.Database, "", false, false), 0, user.PrincipalId, 1)))
            : []);
        Add("endpoints", EndpointColumns, (instance, session) => TsqlEndpoint().Concat(MirroringEndpoint(instance, session)));
        Add("tcp_endpoints", $"{EndpointColumns}, port int!, is_dynamic_port bit!, ip_address nvarchar(45)", (instance, session) =>
            TsqlEndpoint().Select(row => (object?[])[.. row, instance.Options.TcpPort, false, null])
                .Concat(MirroringEndpoint(instance, session).Select(row => (object?[])[.. row, instance.Master.Endpoint!.Port, false, instance.Master.Endpoint.ListenerIp])));
        Add("database_mirroring_endpoints", $"{EndpointColumns}, role tinyint, role_desc nvarchar(60), is_encryption_enabled bit!, connection_auth tinyint!, connection_auth_desc nvarchar(60), certificate_id int!, encryption_algorithm tinyint!, encryption_algorithm_desc nvarchar(60)", (instance, session) =>
            MirroringEndpoint(instance, session).Select(row =>
            {
                var endpoint = instance.Master.Endpoint!;
                return (object?[])
                [
                    .. row,
                    (byte)endpoint.Role,
                    Words(endpoint.Role),
                    endpoint.Encrypted,
                    (byte)4,
                    "CERTIFICATE",
                    instance.FindCertificate(endpoint.Certificate)?.Id ?? 0,
                    endpoint.Encrypted ? (byte)2 : (byte)0,
                    endpoint.Encrypted ? "AES" : "NONE",
                ];
            }));
        Add("certificates", "name sysname!, certificate_id int!, principal_id int, pvt_key_encryption_type char(2)!, pvt_key_encryption_type_desc nvarchar(60), is_active_for_begin_dialog bit!, issuer_name nvarchar(442), cert_serial_number nvarchar(64), sid varbinary(85), string_sid nvarchar(128), subject nvarchar(4000), expiry_date datetime, start_date datetime, thumbprint varbinary(32)!, attested_by nvarchar(260), pvt_key_last_backup_date datetime, key_length int", (instance, session) =>
            InMaster(session)
                ? instance.Master.Certificates
                    .Where(certificate => instance.IsVisible(session, SecurableClass.Certificate, certificate.Name))
                    .Select(certificate => CertificateRow(instance, certificate))
                : []);
        Add("symmetric_keys", "name sysname!, principal_id int, symmetric_key_id int!, key_length int!, key_algorithm char(2)!, algorithm_desc nvarchar(60), create_date datetime!, modify_date datetime!, key_guid guid, key_thumbprint variant, provider_type nvarchar(120), cryptographic_provider_guid guid, cryptographic_provider_algid variant", (instance, session) =>
            InMaster(session) && instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Database)
                ? [
                    .. instance.Master.MasterKey is { } key
                        ? [new object?[] { "##MS_DatabaseMasterKey##", 1, 101, 256, "A3", "AES_256", key.Created, key.Modified, key.Key, null, null, null, null }]
                        : Array.Empty<object?[]>(),
                    new object?[] { "##MS_ServiceMasterKey##", 1, 102, 256, "A3", "AES_256", instance.Master.Created, instance.Master.Created, Guid.Empty, null, null, null, null },
                ]
                : []);
        Add("key_encryptions", "key_id int!, thumbprint varbinary(32), crypt_type char(4)!, crypt_type_desc nvarchar(60), crypt_property varbinary(8000)", (instance, session) =>
            InMaster(session) && instance.Master.MasterKey is { } key && instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Database)
                ? [
                    .. key.MorePasswords.Prepend(key.PasswordHash).Select(_ => new object?[] { 101, null, "ESKP", "ENCRYPTION BY PASSWORD", null }),
                    .. key.ByServiceMasterKey ? new object?[][] { [101, null, "ESKM", "ENCRYPTION BY MASTER KEY", null] } : [],
                ]
                : []);
    }

    private static bool InMaster(EngineSession session) => SqlInstance.Same(session.Database, "master");

    private static DatabaseAccess? Access(SqlInstance instance, EngineSession session) => instance.AccessOf(session.Login, session.Database);

    private static IEnumerable<Login> VisibleLogins(SqlInstance instance, EngineSession session) => instance.Master.Logins.Where(login =>
        login == session.Login || login.PrincipalId == 1 || instance.IsVisible(session, SecurableClass.Login, login.Name));

    private static bool MaySee(SqlInstance instance, EngineSession session, Permission entry) =>
        instance.HasPermission(session, "VIEW ANY DEFINITION") || SqlInstance.Same(entry.Grantee, session.LoginName) || SqlInstance.Same(entry.Grantor, session.LoginName)
        || session.Login.Roles.Contains(entry.Grantee)
        || (entry.Class != SecurableClass.Server && instance.HasPermission(session, "CONTROL", entry.Class, entry.Securable));

    private static object?[] PrincipalRow(Login login) =>
    [
        login.Name, login.PrincipalId, login.Sid, login.Certificate is null ? "S" : "C", login.Certificate is null ? "SQL_LOGIN" : "CERTIFICATE_MAPPED_LOGIN",
        login.Disabled, login.Created, login.Modified, login.DefaultDatabase, "us_english", null, null, false,
    ];

    private static int ServerRoleId(SqlInstance instance, string role) => Array.IndexOf(ServerRoles, role) switch
    {
        < 0 => instance.Master.ServerRoles.Find(known => known.Name == role)?.PrincipalId ?? 0,
        < 9 and var index => index + 2,
        var index => index - 9 + 11,
    };

    private static int? ServerPrincipalId(SqlInstance instance, string name) =>
        instance.FindLogin(name)?.PrincipalId ?? (instance.FindServerRole(name) is { } role ? ServerRoleId(instance, role) : null);

    private static int DatabasePrincipalId(DatabaseAccess access, string name) => name.ToUpperInvariant() switch
    {
        "PUBLIC" => 0,
        "DBO" => 1,
        "GUEST" => 2,
        _ => Array.FindIndex(DatabaseRoles, role => SqlInstance.Same(role, name)) is >= 0 and var index ? 16384 + index : access.Find(name)?.PrincipalId ?? 1,
    };

    private static IEnumerable<object?[]> DatabasePrincipals(SqlInstance instance, EngineSession session)
    {
        if (Access(instance, session) is not { } access)
        {
            yield break;
        }

        var owner = instance.FindDatabase(session.Database)?.Entry.Owner ?? "sa";
        yield return Row("public", 0, "R", null, null, 1, [1, 5, 0, 0, 0, 0, 0, 9, 4], false, BuiltIn);
        yield return Row("dbo", 1, "S", "dbo", instance.FindLogin(owner)?.Sid, null, null, false, BuiltIn);
        yield return Row("guest", 2, "S", "guest", [0], null, null, false, BuiltIn);
        yield return Row("INFORMATION_SCHEMA", 3, "S", null, null, null, null, false, BuiltIn);
        yield return Row("sys", 4, "S", null, null, null, null, false, BuiltIn);
        var all = access.IsDbo || instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Database) || instance.HasPermission(session, "ALTER ANY USER", SecurableClass.Database);
        foreach (var user in access.Users.OrderBy(user => user.PrincipalId).Where(user => all || user.IsRole || SqlInstance.Same(user.Name, access.User)))
        {
            yield return Row(
                user.Name, user.PrincipalId, user.IsRole ? "R" : "S", user.IsRole ? null : user.DefaultSchema, user.Sid,
                user.IsRole ? DatabasePrincipalId(access, user.Owner) : null, null, false, user.Created);
        }

        foreach (var role in DatabaseRoles.Where(role => role != "-"))
        {
            yield return Row(role, DatabasePrincipalId(access, role), "R", null, null, 1, null, true, BuiltIn);
        }

        static object?[] Row(string name, int id, string type, string? schema, byte[]? sid, int? owner, byte[]? roleSid, bool isFixed, DateTime created) =>
        [
            name, id, type, type == "R" ? "DATABASE_ROLE" : "SQL_USER", schema, created, created, owner, sid ?? roleSid, isFixed,
            type == "S" && sid is { Length: > 1 } or [1] ? 1 : 0, type == "S" && sid is { Length: > 1 } or [1] ? "INSTANCE" : "NONE", null, null, false,
        ];
    }

    private static object?[] PermissionRow(Permission entry, int id, int grantee, int grantor) =>
    [
        entry.Class switch
        {
            SecurableClass.Database => (byte)0,
            SecurableClass.Object => (byte)1,
            SecurableClass.Schema => (byte)3,
            SecurableClass.User or SecurableClass.Role => (byte)4,
            SecurableClass.Certificate => (byte)25,
            SecurableClass.Server => (byte)100,
            SecurableClass.Login or SecurableClass.ServerRole => (byte)101,
            SecurableClass.Endpoint => (byte)105,
            _ => (byte)108,
        },
        entry.Class switch
        {
            SecurableClass.Object => "OBJECT_OR_COLUMN",
            SecurableClass.User or SecurableClass.Role => "DATABASE_PRINCIPAL",
            SecurableClass.Login or SecurableClass.ServerRole => "SERVER_PRINCIPAL",
            SecurableClass.AvailabilityGroup => "AVAILABILITY GROUP",
            _ => entry.Class.ToString().ToUpperInvariant(),
        },
        id, 0, grantee, grantor, PermissionType(entry.Name), entry.Name,
        entry.Denied ? "D" : entry.WithGrantOption ? "W" : "G", entry.Denied ? "DENY" : entry.WithGrantOption ? "GRANT_WITH_GRANT_OPTION" : "GRANT",
    ];

    private static IEnumerable<object?[]> TsqlEndpoint() => [["TSQL Default TCP", 4, 1, (byte)2, "TCP", (byte)2, "TSQL", (byte)0, "STARTED", false]];

    private static IEnumerable<object?[]> MirroringEndpoint(SqlInstance instance, EngineSession session)
    {
        if (instance.Master.Endpoint is { } endpoint && instance.IsVisible(session, SecurableClass.Endpoint, endpoint.Name))
        {
            var state = endpoint.Started ? EndpointState.Started : endpoint.Disabled ? EndpointState.Disabled : EndpointState.Stopped;
            yield return
            [
                endpoint.Name, endpoint.Id, instance.FindLogin(endpoint.Owner)?.PrincipalId ?? 1, (byte)2, "TCP", (byte)4, "DATABASE_MIRRORING", (byte)state, Words(state), false,
            ];
        }
    }

    private static object?[] CertificateRow(SqlInstance instance, Certificate certificate)
    {
        using var parsed = X509CertificateLoader.LoadCertificate(certificate.Der);
        using var key = parsed.GetRSAPublicKey();
        var owner = instance.Master.Users.Find(user => SqlInstance.Same(user.Name, certificate.Owner));
        var (type, description) = certificate.PrivateKey is null
            ? ("NA", "NO_PRIVATE_KEY")
            : certificate.ByPassword ? ("PW", "ENCRYPTED_BY_PASSWORD") : ("MK", "ENCRYPTED_BY_MASTER_KEY");
        static string Bare(string name) => name.StartsWith("CN=", StringComparison.OrdinalIgnoreCase) ? name[3..] : name;
        var sid = SqlInstance.SidOf(certificate);
        var words = Enumerable.Range(0, 5).Select(index => BinaryPrimitives.ReadUInt32LittleEndian(sid.AsSpan(12 + (4 * index))).ToString(CultureInfo.InvariantCulture));
        return
        [
            certificate.Name, certificate.Id, owner?.PrincipalId ?? 1, type, description, true, Bare(parsed.Issuer),
            string.Join(' ', Convert.ToHexStringLower(parsed.SerialNumberBytes.Span).Chunk(2).Select(pair => new string(pair))), sid, $"S-1-9-1-{string.Join('-', words)}",
            Bare(parsed.Subject), parsed.NotAfter.ToUniversalTime(), parsed.NotBefore.ToUniversalTime(), parsed.GetCertHash(), null, certificate.KeyBackedUp, key?.KeySize,
        ];
    }

    private static string PermissionType(string name) => name switch
    {
        "CONTROL SERVER" or "CONTROL" => "CL  ",
        "ALTER" => "AL  ",
        "CONNECT" => "CO  ",
        "CONNECT SQL" => "COSQ",
        "SELECT" => "SL  ",
        "INSERT" => "IN  ",
        "UPDATE" => "UP  ",
        "DELETE" => "DL  ",
        "EXECUTE" => "EX  ",
        "REFERENCES" => "RF  ",
        "TAKE OWNERSHIP" => "TO  ",
        "IMPERSONATE" => "IM  ",
        "VIEW DEFINITION" => "VW  ",
        "SHUTDOWN" => "SHDN",
        "VIEW SERVER STATE" => "VWSS",
        "VIEW SERVER PERFORMANCE STATE" => "VSPS",
        "VIEW SERVER SECURITY STATE" => "VSSS",
        "VIEW ANY DEFINITION" => "VWAD",
        "VIEW ANY DATABASE" => "VWDB",
        "VIEW DATABASE STATE" => "VWDS",
        "ALTER ANY LOGIN" => "ALLG",
        "ALTER ANY AVAILABILITY GROUP" => "ALAG",
        "ALTER ANY ENDPOINT" => "ALHE",
        "ALTER ANY CONNECTION" => "ALCO",
        "ALTER ANY DATABASE" => "ALDB",
        "ALTER ANY LINKED SERVER" => "ALLS",
        "ALTER ANY SERVER ROLE" => "ALSR",
        "ALTER ANY USER" => "ALUS",
        "ALTER ANY ROLE" => "ALRL",
        "ALTER ANY CERTIFICATE" => "ALCF",
        "ALTER SETTINGS" => "ALST",
        "ALTER SERVER STATE" => "ALSS",
        "ALTER RESOURCES" => "ALRS",
        "CREATE AVAILABILITY GROUP" => "CRAC",
        "CREATE ANY DATABASE" => "CRDB",
        "CREATE DATABASE" => "CRDB",
        "CREATE ENDPOINT" => "CRHE",
        "CREATE SERVER ROLE" => "CRSR",
        "CREATE CERTIFICATE" => "CRCF",
        "CREATE ROLE" => "CRRL",
        "CREATE TABLE" => "CRTB",
        "BACKUP DATABASE" => "BADB",
        "BACKUP LOG" => "BALO",
        "CONNECT ANY DATABASE" => "CADB",
        _ => "    ",
    };
}
