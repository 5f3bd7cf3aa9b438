namespace SqlServerSimulator.Engine;

/// <summary>A permission on something.</summary>
internal readonly record struct PermissionOn(string Name, SecurableClass Class, string Securable);

/// <summary>Which permissions there are, and which imply which, as the documentation of each securable lists them.</summary>
internal static class PermissionHierarchy
{
    private static readonly Dictionary<SecurableClass, string[]> ByClass = new()
    {
        [SecurableClass.Server] =
        [
            "ADMINISTER BULK OPERATIONS", "ALTER ANY AVAILABILITY GROUP", "ALTER ANY CONNECTION", "ALTER ANY CREDENTIAL", "ALTER ANY DATABASE",
            "ALTER ANY ENDPOINT", "ALTER ANY EVENT NOTIFICATION", "ALTER ANY EVENT SESSION", "ALTER ANY LINKED SERVER", "ALTER ANY LOGIN",
            "ALTER ANY SERVER AUDIT", "ALTER ANY SERVER ROLE", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS", "ALTER TRACE",
            "AUTHENTICATE SERVER", "CONNECT ANY DATABASE", "CONNECT SQL", "CONTROL SERVER", "CREATE ANY DATABASE", "CREATE AVAILABILITY GROUP",
            "CREATE DDL EVENT NOTIFICATION", "CREATE ENDPOINT", "CREATE LOGIN", "CREATE SERVER ROLE", "CREATE TRACE EVENT NOTIFICATION",
            "EXTERNAL ACCESS ASSEMBLY", "IMPERSONATE ANY LOGIN", "SELECT ALL USER SECURABLES", "SHUTDOWN", "UNSAFE ASSEMBLY", "VIEW ANY DATABASE",
            "VIEW ANY DEFINITION", "VIEW ANY ERROR LOG", "VIEW ANY PERFORMANCE DEFINITION", "VIEW ANY SECURITY DEFINITION",
            "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE", "VIEW SERVER STATE",
        ],
        [SecurableClass.Database] =
        [
            "ALTER", "ALTER ANY APPLICATION ROLE", "ALTER ANY ASSEMBLY", "ALTER ANY ASYMMETRIC KEY", "ALTER ANY CERTIFICATE", "ALTER ANY DATASPACE",
            "ALTER ANY ROLE", "ALTER ANY SCHEMA", "ALTER ANY SYMMETRIC KEY", "ALTER ANY USER", "AUTHENTICATE", "BACKUP DATABASE", "BACKUP LOG",
            "CHECKPOINT", "CONNECT", "CONTROL", "CREATE ASYMMETRIC KEY", "CREATE CERTIFICATE", "CREATE DATABASE", "CREATE DEFAULT", "CREATE FUNCTION",
            "CREATE PROCEDURE", "CREATE ROLE", "CREATE SCHEMA", "CREATE SYMMETRIC KEY", "CREATE SYNONYM", "CREATE TABLE", "CREATE TYPE",
            "CREATE USER", "CREATE VIEW", "DELETE", "EXECUTE", "INSERT", "REFERENCES", "SELECT", "SHOWPLAN", "TAKE OWNERSHIP", "UPDATE",
            "VIEW DATABASE PERFORMANCE STATE", "VIEW DATABASE SECURITY STATE", "VIEW DATABASE STATE", "VIEW DEFINITION",
        ],
        [SecurableClass.Endpoint] = ["ALTER", "CONNECT", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION"],
        [SecurableClass.AvailabilityGroup] = ["ALTER", "CONNECT", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION"],
        [SecurableClass.Login] = ["ALTER", "CONTROL", "IMPERSONATE", "VIEW DEFINITION"],
        [SecurableClass.ServerRole] = ["ALTER", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION"],
        [SecurableClass.Certificate] = ["ALTER", "CONTROL", "REFERENCES", "TAKE OWNERSHIP", "VIEW DEFINITION"],
        [SecurableClass.User] = ["ALTER", "CONTROL", "IMPERSONATE", "VIEW DEFINITION"],
        [SecurableClass.Role] = ["ALTER", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION"],
        [SecurableClass.Schema] =
        [
            "ALTER", "CONTROL", "CREATE SEQUENCE", "DELETE", "EXECUTE", "INSERT", "REFERENCES", "SELECT", "TAKE OWNERSHIP", "UPDATE", "VIEW CHANGE TRACKING", "VIEW DEFINITION",
        ],
        [SecurableClass.Object] =
        [
            "ALTER", "CONTROL", "DELETE", "EXECUTE", "INSERT", "REFERENCES", "SELECT", "TAKE OWNERSHIP", "UPDATE", "VIEW CHANGE TRACKING", "VIEW DEFINITION",
        ],
    };

    /// <summary>What the fixed server roles may do.</summary>
    public static IReadOnlyDictionary<string, string[]> FixedServerRoles { get; } = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase)
    {
        ["sysadmin"] = ["CONTROL SERVER"],
        ["securityadmin"] = ["ALTER ANY LOGIN"],
        ["serveradmin"] = ["ALTER ANY ENDPOINT", "ALTER RESOURCES", "ALTER SERVER STATE", "ALTER SETTINGS", "SHUTDOWN", "VIEW SERVER STATE"],
        ["setupadmin"] = ["ALTER ANY LINKED SERVER"],
        ["processadmin"] = ["ALTER ANY CONNECTION", "ALTER SERVER STATE"],
        ["diskadmin"] = ["ALTER RESOURCES"],
        ["dbcreator"] = ["CREATE ANY DATABASE", "ALTER ANY DATABASE"],
        ["bulkadmin"] = ["ADMINISTER BULK OPERATIONS"],
        ["##MS_ServerStateReader##"] = ["VIEW SERVER STATE"],
        ["##MS_ServerStateManager##"] = ["ALTER SERVER STATE"],
        ["##MS_DefinitionReader##"] = ["VIEW ANY DATABASE", "VIEW ANY DEFINITION"],
        ["##MS_DatabaseConnector##"] = ["CONNECT ANY DATABASE"],
        ["##MS_DatabaseManager##"] = ["CREATE ANY DATABASE", "ALTER ANY DATABASE"],
        ["##MS_LoginManager##"] = ["CREATE LOGIN", "ALTER ANY LOGIN"],
        ["##MS_SecurityDefinitionReader##"] = ["VIEW ANY SECURITY DEFINITION"],
        ["##MS_PerformanceDefinitionReader##"] = ["VIEW ANY PERFORMANCE DEFINITION"],
        ["##MS_ServerSecurityStateReader##"] = ["VIEW SERVER SECURITY STATE"],
        ["##MS_ServerPerformanceStateReader##"] = ["VIEW SERVER PERFORMANCE STATE"],
    };

    /// <summary>What the fixed database roles may do.</summary>
    public static IReadOnlyDictionary<string, string[]> FixedDatabaseRoles { get; } = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase)
    {
        ["db_owner"] = ["CONTROL"],
        ["db_accessadmin"] = ["ALTER ANY USER", "CREATE SCHEMA"],
        ["db_securityadmin"] = ["ALTER ANY ROLE", "ALTER ANY APPLICATION ROLE", "CREATE SCHEMA", "VIEW DEFINITION"],
        ["db_ddladmin"] =
        [
            "ALTER ANY SCHEMA", "ALTER ANY ASSEMBLY", "ALTER ANY DATASPACE", "CHECKPOINT", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE SCHEMA", "CREATE SYNONYM",
            "CREATE TABLE", "CREATE TYPE", "CREATE VIEW", "REFERENCES",
        ],
        ["db_backupoperator"] = ["BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"],
        ["db_datareader"] = ["SELECT"],
        ["db_datawriter"] = ["INSERT", "UPDATE", "DELETE"],
        ["db_denydatareader"] = [],
        ["db_denydatawriter"] = [],
    };

    /// <summary>Whether there is such a permission on such a securable.</summary>
    public static bool Exists(string permission, SecurableClass @class) => ByClass[@class].Contains(permission);

    /// <summary>Whether there is such a permission at all.</summary>
    public static bool Exists(string permission) => ByClass.Values.Any(names => names.Contains(permission));

    public static IReadOnlyList<string> Of(SecurableClass @class) => ByClass[@class];

    /// <summary>Whether permissions on it are kept by the server, and granted to logins and server roles.</summary>
    public static bool IsOfServer(SecurableClass @class) =>
        @class is SecurableClass.Server or SecurableClass.Endpoint or SecurableClass.AvailabilityGroup or SecurableClass.Login or SecurableClass.ServerRole;

    /// <summary>A permission and all that imply it.</summary>
    public static IReadOnlyCollection<PermissionOn> Covering(PermissionOn wanted)
    {
        HashSet<PermissionOn> found = [];
        Queue<PermissionOn> open = new([wanted]);
        while (open.TryDequeue(out var next))
        {
            if (found.Add(next))
            {
                foreach (var parent in Parents(next))
                {
                    open.Enqueue(parent);
                }
            }
        }

        return found;
    }

    private static IEnumerable<PermissionOn> Parents(PermissionOn of)
    {
        static PermissionOn Server(string name) => new(name, SecurableClass.Server, "");
        static PermissionOn Database(string name) => new(name, SecurableClass.Database, "");
        if (of.Class is not (SecurableClass.Server or SecurableClass.Database) && of.Name != "CONTROL")
        {
            yield return of with { Name = "CONTROL" };
        }

        switch (of.Class, of.Name)
        {
            case (SecurableClass.Server, "CONTROL SERVER"):
                break;
            case (SecurableClass.Server, var name):
                yield return Server("CONTROL SERVER");
                var wider = name switch
                {
                    "VIEW SERVER PERFORMANCE STATE" or "VIEW SERVER SECURITY STATE" => "VIEW SERVER STATE",
                    "VIEW SERVER STATE" => "ALTER SERVER STATE",
                    "VIEW ANY PERFORMANCE DEFINITION" or "VIEW ANY SECURITY DEFINITION" => "VIEW ANY DEFINITION",
                    "VIEW ANY DATABASE" => "VIEW ANY DEFINITION",
                    "CREATE ANY DATABASE" => "ALTER ANY DATABASE",
                    "CREATE ENDPOINT" => "ALTER ANY ENDPOINT",
                    "CREATE AVAILABILITY GROUP" => "ALTER ANY AVAILABILITY GROUP",
                    "CREATE LOGIN" => "ALTER ANY LOGIN",
                    "CREATE SERVER ROLE" => "ALTER ANY SERVER ROLE",
                    "VIEW ANY ERROR LOG" => "VIEW SERVER SECURITY STATE",
                    _ => null,
                };
                if (wider is not null)
                {
                    yield return Server(wider);
                }

                if (name == "VIEW ANY DATABASE")
                {
                    yield return Server("ALTER ANY DATABASE");
                }

                break;
            case (SecurableClass.Database, "CONTROL"):
                yield return Server("CONTROL SERVER");
                break;
            case (SecurableClass.Database, var name):
                yield return Database("CONTROL");
                switch (name)
                {
                    case "ALTER":
                        yield return Server("ALTER ANY DATABASE");
                        break;
                    case "CREATE DATABASE":
                        yield return Server("CREATE ANY DATABASE");
                        break;
                    case "CONNECT":
                        yield return Server("CONNECT ANY DATABASE");
                        break;
                    case "SELECT":
                        yield return Server("SELECT ALL USER SECURABLES");
                        break;
                    case "VIEW DEFINITION":
                        yield return Server("VIEW ANY DEFINITION");
                        break;
                    case "VIEW DATABASE STATE":
                        yield return Server("VIEW SERVER STATE");
                        break;
                    case "VIEW DATABASE PERFORMANCE STATE" or "VIEW DATABASE SECURITY STATE":
                        yield return Database("VIEW DATABASE STATE");
                        break;
                    case "CREATE CERTIFICATE":
                        yield return Database("ALTER ANY CERTIFICATE");
                        break;
                    case "CREATE ROLE":
                        yield return Database("ALTER ANY ROLE");
                        break;
                    case "CREATE USER":
                        yield return Database("ALTER ANY USER");
                        break;
                    case "CREATE SCHEMA":
                        yield return Database("ALTER ANY SCHEMA");
                        break;
                    case "CHECKPOINT":
                        yield return Database("BACKUP DATABASE");
                        break;
                    case var any when any.StartsWith("ALTER ANY ", StringComparison.Ordinal) || any.StartsWith("CREATE ", StringComparison.Ordinal):
                        yield return Database("ALTER");
                        break;
                }

                break;
            case (SecurableClass.Endpoint or SecurableClass.AvailabilityGroup or SecurableClass.Login or SecurableClass.ServerRole, var name):
                switch (name)
                {
                    case "CONTROL":
                        yield return Server("CONTROL SERVER");
                        break;
                    case "ALTER":
                        yield return Server(of.Class switch
                        {
                            SecurableClass.Endpoint => "ALTER ANY ENDPOINT",
                            SecurableClass.AvailabilityGroup => "ALTER ANY AVAILABILITY GROUP",
                            SecurableClass.Login => "ALTER ANY LOGIN",
                            _ => "ALTER ANY SERVER ROLE",
                        });
                        break;
                    case "IMPERSONATE":
                        yield return Server("IMPERSONATE ANY LOGIN");
                        break;
                    case "VIEW DEFINITION":
                        yield return Server("VIEW ANY DEFINITION");
                        break;
                }

                break;
            case (SecurableClass.Object, var name):
                var schema = of.Securable.Split('.')[0];
                yield return new PermissionOn(name, SecurableClass.Schema, schema);
                break;
            case (SecurableClass.Schema, "ALTER"):
                yield return Database("ALTER ANY SCHEMA");
                break;
            case (SecurableClass.Schema, var name):
                yield return Database(name);
                break;
            case (_, "CONTROL"):
                yield return Database("CONTROL");
                break;
            case (_, "ALTER"):
                yield return Database(of.Class switch
                {
                    SecurableClass.Certificate => "ALTER ANY CERTIFICATE",
                    SecurableClass.User => "ALTER ANY USER",
                    _ => "ALTER ANY ROLE",
                });
                break;
            case (_, "VIEW DEFINITION"):
                yield return Database("VIEW DEFINITION");
                break;
        }
    }
}
