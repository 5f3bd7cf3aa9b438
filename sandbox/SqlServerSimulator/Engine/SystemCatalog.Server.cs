using System.Security.Cryptography.X509Certificates;

namespace SqlServerSimulator.Engine;

public static partial class SystemCatalog
{
    private const string PrincipalColumns =
        "name sysname, principal_id int, sid varbinary(85), type char(1), type_desc nvarchar(60), is_disabled bit, create_date datetime, modify_date datetime, default_database_name sysname, default_language_name sysname, credential_id int, owning_principal_id int, is_fixed_role bit";

    private const string EndpointColumns =
        "name sysname, endpoint_id int, principal_id int, protocol tinyint, protocol_desc nvarchar(60), type tinyint, type_desc nvarchar(60), state tinyint, state_desc nvarchar(60), is_admin_endpoint bit";

    private static readonly string[] ServerRoles =
        ["public", "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin"];

    /// <summary>Options of sp_configure that are known, with id, default and whether advanced.</summary>
    internal static Dictionary<string, (int Id, int Default, bool Advanced)> Configurations { get; } = new(StringComparer.OrdinalIgnoreCase)
    {
        ["show advanced options"] = (518, 0, false),
        ["max server memory (MB)"] = (1544, int.MaxValue, true),
        ["min server memory (MB)"] = (1543, 0, true),
        ["max degree of parallelism"] = (1539, 0, true),
        ["cost threshold for parallelism"] = (1538, 5, true),
        ["remote access"] = (117, 1, false),
        ["contained database authentication"] = (16393, 0, false),
        ["hadr enabled"] = (16398, 1, false),
        ["clr enabled"] = (1562, 0, false),
        ["Agent XPs"] = (16384, 0, true),
        ["xp_cmdshell"] = (16390, 0, true),
    };

    private static void AddServerViews()
    {
        Add("server_principals", PrincipalColumns, (instance, session) => VisibleLogins(instance, session).Select(PrincipalRow)
            .Concat(ServerRoles.Select((role, index) => new object?[]
            {
                role, index == 0 ? 2 : index + 2, new byte[] { (byte)(index + 2) }, "R", "SERVER_ROLE", false, new DateTime(2009, 4, 13), new DateTime(2009, 4, 13), null, null, null, 1, index > 0,
            })));
        Add("sql_logins", $"{PrincipalColumns}, is_policy_checked bit, is_expiration_checked bit, password_hash varbinary(256)", (instance, session) =>
            VisibleLogins(instance, session).Where(login => login.PasswordHash is not null).Select(login => (object?[])
            [
                .. PrincipalRow(login),
                login.CheckPolicy,
                false,
                instance.HasPermission(session, "CONTROL SERVER") ? login.PasswordHash : null,
            ]));
        Add("server_role_members", "role_principal_id int, member_principal_id int", (instance, session) => VisibleLogins(instance, session)
            .SelectMany(login => login.Roles.Select(role => new object?[] { Array.IndexOf(ServerRoles, role) + 2, login.PrincipalId })));
        Add("server_permissions", "class tinyint, class_desc nvarchar(60), major_id int, minor_id int, grantee_principal_id int, grantor_principal_id int, type char(4), permission_name nvarchar(128), state char(1), state_desc nvarchar(60)", (instance, session) =>
            instance.Master.Permissions.Select(entry => (Entry: entry, Login: instance.FindLogin(entry.Grantee))).Where(pair => pair.Login is not null).Select(pair => new object?[]
            {
                pair.Entry.Class switch { SecurableClass.Server => (byte)100, SecurableClass.Endpoint => (byte)105, SecurableClass.AvailabilityGroup => (byte)108, SecurableClass.Login => (byte)101, _ => (byte)0 },
                pair.Entry.Class switch { SecurableClass.Server => "SERVER", SecurableClass.Endpoint => "ENDPOINT", SecurableClass.AvailabilityGroup => "AVAILABILITY GROUP", SecurableClass.Login => "SERVER_PRINCIPAL", _ => "DATABASE" },
                pair.Entry.Class switch { SecurableClass.Endpoint => instance.Master.Endpoint?.Id ?? 0, SecurableClass.AvailabilityGroup => GroupMetadataId(instance, pair.Entry.Securable), SecurableClass.Login => instance.FindLogin(pair.Entry.Securable)?.PrincipalId ?? 0, _ => 0 },
                0,
                pair.Login!.PrincipalId,
                1,
                PermissionType(pair.Entry.Name),
                pair.Entry.Name,
                pair.Entry.Denied ? "D" : pair.Entry.WithGrantOption ? "W" : "G",
                pair.Entry.Denied ? "DENY" : pair.Entry.WithGrantOption ? "GRANT_WITH_GRANT_OPTION" : "GRANT",
            }));
        Add("endpoints", EndpointColumns, (instance, session) => TsqlEndpoint(instance).Concat(MirroringEndpoint(instance, session)));
        Add("tcp_endpoints", $"{EndpointColumns}, port int, is_dynamic_port bit, ip_address nvarchar(45)", (instance, session) =>
            TsqlEndpoint(instance).Select(row => (object?[])[.. row, instance.Options.TcpPort, false, null])
                .Concat(MirroringEndpoint(instance, session).Select(row => (object?[])[.. row, instance.Master.Endpoint!.Port, false, instance.Master.Endpoint.ListenerIp])));
        Add("database_mirroring_endpoints", $"{EndpointColumns}, role tinyint, role_desc nvarchar(60), is_encryption_enabled bit, connection_auth tinyint, connection_auth_desc nvarchar(60), certificate_id int, encryption_algorithm tinyint, encryption_algorithm_desc nvarchar(60)", (instance, session) =>
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
                    instance.FindCertificate(endpoint.Certificate)?.Id,
                    endpoint.Encrypted ? (byte)2 : (byte)0,
                    endpoint.Encrypted ? "AES" : "NONE",
                ];
            }));
        Add("certificates", "name sysname, certificate_id int, principal_id int, pvt_key_encryption_type char(2), pvt_key_encryption_type_desc nvarchar(60), is_active_for_begin_dialog bit, issuer_name nvarchar(442), cert_serial_number nvarchar(64), sid varbinary(85), string_sid nvarchar(128), subject nvarchar(4000), expiry_date datetime, start_date datetime, thumbprint varbinary(32), attested_by nvarchar(260), pvt_key_last_backup_date datetime, key_length int", (instance, session) =>
            session.Database.Equals("master", StringComparison.OrdinalIgnoreCase)
                ? instance.Master.Certificates
                    .Where(certificate => instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Certificate, certificate.Name))
                    .Select(certificate => CertificateRow(instance, certificate))
                : []);
        Add("symmetric_keys", "name sysname, principal_id int, symmetric_key_id int, key_length int, key_algorithm char(2), algorithm_desc nvarchar(60), create_date datetime, modify_date datetime, key_guid guid, key_thumbprint variant, provider_type nvarchar(120), cryptographic_provider_guid guid, cryptographic_provider_algid variant", (instance, session) =>
            session.Database.Equals("master", StringComparison.OrdinalIgnoreCase)
                ? [
                    .. instance.Master.MasterKey is { } key
                        ? [new object?[] { "##MS_DatabaseMasterKey##", 1, 101, 256, "A3", "AES_256", key.Created, key.Modified, Guid.Empty, null, null, null, null }]
                        : Array.Empty<object?[]>(),
                    new object?[] { "##MS_ServiceMasterKey##", 1, 102, 256, "A3", "AES_256", instance.Master.Created, instance.Master.Created, Guid.Empty, null, null, null, null },
                ]
                : []);
        Add("servers", "server_id int, name sysname, product sysname, provider sysname, data_source nvarchar(4000), location nvarchar(4000), provider_string nvarchar(4000), catalog sysname, connect_timeout int, query_timeout int, is_linked bit, is_remote_login_enabled bit, is_rpc_out_enabled bit, is_data_access_enabled bit, modify_date datetime", (instance, session) =>
        {
            var local = instance.Master.RemoteServers.Contains("-local") ? null : instance.Master.NextServerName ?? instance.Master.ServerName;
            return instance.Master.RemoteServers.Where(name => name != "-local").Select((name, index) => (Id: index + 1, Name: name))
                .Concat(local is null ? [] : [(0, local)])
                .OrderBy(server => server.Item1)
                .Select(server => new object?[]
                {
                    server.Item1, server.Item2, "SQL Server", "SQLNCLI", server.Item2, null, null, null, 0, 0, server.Item1 != 0, true, true, false, instance.Master.Created,
                });
        });
        Add("configurations", "configuration_id int, name nvarchar(35), value variant, minimum variant, maximum variant, value_in_use variant, description nvarchar(255), is_dynamic bit, is_advanced bit", (instance, _) =>
            Configurations.Select(option =>
            {
                var value = option.Key == "hadr enabled"
                    ? instance.Options.HadrEnabled ? 1 : 0
                    : instance.Master.Configuration.GetValueOrDefault(option.Key.ToLowerInvariant(), option.Value.Default);
                return new object?[] { option.Value.Id, option.Key, value, 0, int.MaxValue, value, option.Key, true, option.Value.Advanced };
            }));
        AddState("dm_os_sys_info", "cpu_ticks bigint, ms_ticks bigint, cpu_count int, hyperthread_ratio int, physical_memory_kb bigint, virtual_memory_kb bigint, committed_kb bigint, committed_target_kb bigint, max_workers_count int, scheduler_count int, sqlserver_start_time_ms_ticks bigint, sqlserver_start_time datetime, virtual_machine_type int, virtual_machine_type_desc nvarchar(60), container_type int, container_type_desc nvarchar(60)", (instance, _) =>
            [[
                (long)instance.Now.TotalMilliseconds * 1000000, (long)instance.Now.TotalMilliseconds, 2, 1, 4194304L, 8589934591L, 1048576L, 2097152L, 512, 2,
                (long)instance.StartNow.TotalMilliseconds, instance.StartTime, 0, "NONE", 1, "LINUX CONTAINER",
            ]]);
        AddState("dm_server_services", "servicename nvarchar(256), startup_type int, startup_type_desc nvarchar(256), status int, status_desc nvarchar(256), process_id int, last_startup_time datetime, service_account nvarchar(256)", (instance, _) =>
            [["SQL Server (MSSQLSERVER)", 2, "Automatic", 4, "Running", (int)instance.ServerProperty("ProcessId")!, instance.StartTime, "mssql"]]);
        AddState("dm_tcp_listener_states", "listener_id int, ip_address nvarchar(48), is_ipv4 bit, port int, type smallint, type_desc nvarchar(20), state smallint, state_desc nvarchar(16), start_time datetime", (instance, _) =>
        [
            [1, "0.0.0.0", true, instance.Options.TcpPort, (short)0, "TSQL", (short)0, "ONLINE", instance.StartTime],
            .. instance.EndpointStarted
                ? new object?[][] { [2, "0.0.0.0", true, instance.Master.Endpoint!.Port, (short)2, "Database Mirroring", (short)0, "ONLINE", instance.StartTime] }
                : [],
        ]);
        AddState("dm_exec_sessions", "session_id smallint, login_time datetime, host_name nvarchar(128), program_name nvarchar(128), login_name nvarchar(128), original_login_name nvarchar(128), status nvarchar(30), is_user_process bit, database_id smallint, open_transaction_count int", (instance, _) =>
            instance.Sessions.Select(session => new object?[]
            {
                session.Id, session.LoginTime, session.HostName, session.ApplicationName, session.LoginName, session.LoginName, "running", true,
                (short)(instance.DatabaseId(session.Database) ?? 0), session.InTransaction ? 1 : 0,
            }));
    }

    private static IEnumerable<Login> VisibleLogins(SqlInstance instance, EngineSession session)
    {
        var all = instance.HasPermission(session, "VIEW ANY DEFINITION") || instance.HasPermission(session, "ALTER ANY LOGIN");
        return instance.Master.Logins.Where(login => all || login == session.Login || login.PrincipalId == 1);
    }

    private static object?[] PrincipalRow(Login login) =>
    [
        login.Name, login.PrincipalId, login.Sid, login.Certificate is null ? "S" : "C", login.Certificate is null ? "SQL_LOGIN" : "CERTIFICATE_MAPPED_LOGIN",
        login.Disabled, login.Created, login.Modified, login.DefaultDatabase, "us_english", null, null, false,
    ];

    private static IEnumerable<object?[]> TsqlEndpoint(SqlInstance instance)
    {
        _ = instance;
        yield return ["TSQL Default TCP", 4, 1, (byte)2, "TCP", (byte)2, "TSQL", (byte)0, "STARTED", false];
    }

    private static IEnumerable<object?[]> MirroringEndpoint(SqlInstance instance, EngineSession session)
    {
        if (instance.Master.Endpoint is { } endpoint && instance.HasPermission(session, "VIEW DEFINITION", SecurableClass.Endpoint, endpoint.Name))
        {
            yield return
            [
                endpoint.Name, endpoint.Id, instance.FindLogin(endpoint.Owner)?.PrincipalId ?? 1, (byte)2, "TCP", (byte)4, "DATABASE_MIRRORING",
                endpoint.Started ? (byte)0 : (byte)1, endpoint.Started ? "STARTED" : "STOPPED", false,
            ];
        }
    }

    private static object?[] CertificateRow(SqlInstance instance, Certificate certificate)
    {
        using var parsed = X509CertificateLoader.LoadCertificate(certificate.Der);
        using var key = parsed.GetRSAPublicKey();
        var owner = instance.Master.Users.FirstOrDefault(user => user.Name.Equals(certificate.Owner, StringComparison.OrdinalIgnoreCase));
        var (type, description) = certificate.PrivateKey is null
            ? ("NA", "NO_PRIVATE_KEY")
            : certificate.ByPassword ? ("PW", "ENCRYPTED_BY_PASSWORD") : ("MK", "ENCRYPTED_BY_MASTER_KEY");
        static string Bare(string name) => name.StartsWith("CN=", StringComparison.OrdinalIgnoreCase) ? name[3..] : name;
        return
        [
            certificate.Name, certificate.Id, owner?.PrincipalId ?? 1, type, description, true, Bare(parsed.Issuer), parsed.SerialNumber, null, null,
            Bare(parsed.Subject), parsed.NotAfter.ToUniversalTime(), parsed.NotBefore.ToUniversalTime(), parsed.GetCertHash(), null, null, key?.KeySize,
        ];
    }

    private static string PermissionType(string name) => name switch
    {
        "VIEW SERVER STATE" => "VWSS",
        "VIEW ANY DEFINITION" => "VWAD",
        "CONTROL SERVER" or "CONTROL" => "CL  ",
        "ALTER" => "AL  ",
        "CONNECT" => "CO  ",
        "VIEW DEFINITION" => "VW  ",
        "ALTER ANY LOGIN" => "ALLG",
        "ALTER ANY AVAILABILITY GROUP" => "ALAG",
        "CREATE AVAILABILITY GROUP" => "CRAC",
        "CREATE ANY DATABASE" => "CRDB",
        "ALTER ANY DATABASE" => "ALDB",
        _ => "    ",
    };
}
