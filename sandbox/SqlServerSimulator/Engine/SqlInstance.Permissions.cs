using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>
    /// Whether the session holds a permission (HAS_PERMS_BY_NAME). For a database the securable is its name; for what is in a database it is the
    /// session's current one.
    /// </summary>
    public bool HasPermission(EngineSession session, string permission, SecurableClass @class = SecurableClass.Server, string? securable = null) =>
        PermissionHierarchy.IsOfServer(@class)
            ? Has(session.Login, permission, @class, securable ?? "")
            : @class == SecurableClass.Database
                ? HasInDatabase(session.Login, securable ?? session.Database, permission)
                : HasInDatabase(session.Login, session.Database, permission, @class, securable ?? "");

    /// <summary>HAS_PERMS_BY_NAME: null for a permission that the class does not have; "ANY" is any of them.</summary>
    public bool? HasPermissionByName(EngineSession session, string? securable, SecurableClass @class, string permission)
    {
        if (permission != "ANY" && !PermissionHierarchy.Exists(permission, @class))
        {
            return null;
        }

        if (@class == SecurableClass.Database ? DatabaseId(securable ?? session.Database) is null : !Exists(session, @class, securable ?? ""))
        {
            return false;
        }

        return permission == "ANY"
            ? PermissionHierarchy.Of(@class).Any(name => HasPermission(session, name, @class, securable))
            : HasPermission(session, permission, @class, securable);
    }

    /// <summary>HAS_DBACCESS(name), or null when there is no such database.</summary>
    public bool? HasDatabaseAccess(EngineSession session, string database) =>
        DatabaseId(database) is null ? null : HasInDatabase(session.Login, database, "CONNECT");

    /// <summary>Whether catalog views show a securable to a session: it owns it or holds any permission on it, and may not be denied its definition.</summary>
    public bool IsVisible(EngineSession session, SecurableClass @class, string securable) =>
        PermissionHierarchy.Of(@class).Any(permission => HasPermission(session, permission, @class, securable))
        && !IsDenied(session.Login, new PermissionOn("VIEW DEFINITION", @class, securable), session.Database);

    /// <summary>Whether a permission without a securable is one of the current database.</summary>
    public static bool IsDatabasePermission(string permission) =>
        PermissionHierarchy.Exists(permission, SecurableClass.Database) && !PermissionHierarchy.Exists(permission, SecurableClass.Server);

    /// <summary>Permissions that the session holds on something, for sys.fn_my_permissions.</summary>
    public IReadOnlyList<string> EffectivePermissions(EngineSession session, SecurableClass @class, string? securable) =>
        [.. PermissionHierarchy.Of(@class).Where(permission => HasPermission(session, permission, @class, securable))];

    /// <summary>IS_SRVROLEMEMBER(role, login); the session's own login when null.</summary>
    public bool? IsServerRoleMember(EngineSession session, string role, string? login = null)
    {
        var found = login is null ? session.Login : FindLogin(login);
        return found is null || FindServerRole(role) is not { } known ? null : IsPublic(known) || found.Roles.Contains(known);
    }

    /// <summary>IS_MEMBER(role) and IS_ROLEMEMBER in the current database; null when there is no such role.</summary>
    public bool? IsDatabaseRoleMember(EngineSession session, string role)
    {
        var access = AccessOf(session.Login, session.Database);
        if (access is null || !(IsPublic(role) || PermissionHierarchy.FixedDatabaseRoles.ContainsKey(role) || access.Find(role) is { IsRole: true }))
        {
            return null;
        }

        return access.Principals.Contains(role, StringComparer.OrdinalIgnoreCase) || (access.IsDbo && Same(role, "db_owner"));
    }

    /// <summary>USER_NAME(): the session's user in its database.</summary>
    public string? UserName(EngineSession session) =>
        AccessOf(session.Login, session.Database) is not { } access ? null : access.IsDbo ? "dbo" : access.User;

    internal bool Has(Login login, string permission, SecurableClass @class, string securable) =>
        PermissionHierarchy.IsOfServer(@class)
            ? IsSysadmin(login) || Decide(login, new PermissionOn(permission, @class, securable), null)
            : HasInDatabase(login, "master", permission, @class, securable);

    internal bool HasInDatabase(
        Login login, string database, string permission, SecurableClass @class = SecurableClass.Database, string securable = "")
    {
        if (IsSysadmin(login))
        {
            return true;
        }

        var access = AccessOf(login, database);
        return access?.IsDbo == true || Decide(login, new PermissionOn(permission, @class, securable), access);
    }

    internal void RequireServer(EngineSession session, string permission)
    {
        if (!Has(session.Login, permission, SecurableClass.Server, ""))
        {
            throw permission.StartsWith("VIEW SERVER", StringComparison.Ordinal)
                ? new SqlErrorException(Errors.ServerPermissionDenied(permission))
                : new SqlErrorException(Errors.NoPermission);
        }
    }

    internal void Require(EngineSession session, string permission, SecurableClass @class, string securable)
    {
        if (!Has(session.Login, permission, @class, securable))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }
    }

    /// <summary>How a login stands in a database; null when it has no way in.</summary>
    internal DatabaseAccess? AccessOf(Login login, string database)
    {
        if (Same(database, "master"))
        {
            return DatabaseAccess.Of(login, Master.Users, Master.DatabasePermissions, IsSysadmin(login), guest: true);
        }

        if (IsSystem(database))
        {
            return DatabaseAccess.Of(login, [], [], IsSysadmin(login), guest: true);
        }

        return FindDatabase(database) is { } found
            ? DatabaseAccess.Of(login, found.Users.Values, found.Permissions, IsSysadmin(login) || Same(found.Entry.Owner, login.Name), guest: false)
            : null;
    }

    internal static bool IsSysadmin(Login login) => login.Roles.Contains("sysadmin");

    internal static bool Same(string? left, string? right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static bool IsPublic(string role) => Same(role, "public");

    /// <summary>A grant anywhere above counts unless there is a denial anywhere above; owners hold CONTROL.</summary>
    private bool Decide(Login login, PermissionOn wanted, DatabaseAccess? access)
    {
        var granted = false;
        foreach (var covering in PermissionHierarchy.Covering(wanted))
        {
            if (EntriesFor(login, covering, access).Any(entry => entry.Denied))
            {
                return false;
            }

            granted = granted || Holds(login, covering, access);
        }

        return granted;
    }

    private bool IsDenied(Login login, PermissionOn wanted, string database)
    {
        var access = PermissionHierarchy.IsOfServer(wanted.Class) ? null : AccessOf(login, database);
        return !IsSysadmin(login) && access?.IsDbo != true
            && PermissionHierarchy.Covering(wanted).Any(covering => EntriesFor(login, covering, access).Any(entry => entry.Denied));
    }

    private bool Holds(Login login, PermissionOn covering, DatabaseAccess? access) =>
        EntriesFor(login, covering, access).Any()
        || (covering.Name == "CONTROL" && IsOwner(login, covering, access))
        || covering.Class switch
        {
            SecurableClass.Server => login.Roles.Any(role => PermissionHierarchy.FixedServerRoles.GetValueOrDefault(role)?.Contains(covering.Name) == true)
                || covering.Name is "CONNECT SQL" or "VIEW ANY DATABASE",
            SecurableClass.Endpoint => covering.Name == "CONNECT" && Same(covering.Securable, "TSQL Default TCP"),
            SecurableClass.Database => access is not null
                && (covering.Name == "CONNECT"
                    || access.Principals.Any(role => PermissionHierarchy.FixedDatabaseRoles.GetValueOrDefault(role)?.Contains(covering.Name) == true)),
            _ => false,
        };

    private IEnumerable<Permission> EntriesFor(Login login, PermissionOn covering, DatabaseAccess? access)
    {
        if (PermissionHierarchy.IsOfServer(covering.Class))
        {
            return Master.Permissions.Where(entry => Matches(entry, covering)
                && (Same(entry.Grantee, login.Name) || IsPublic(entry.Grantee) || login.Roles.Contains(entry.Grantee)));
        }

        return access is null
            ? []
            : access.Permissions.Where(entry => Matches(entry, covering) && access.Principals.Contains(entry.Grantee, StringComparer.OrdinalIgnoreCase))
                .Concat(access.FixedDenials(covering));

        static bool Matches(Permission entry, PermissionOn on) => entry.Name == on.Name && entry.Class == on.Class
            && (on.Class is SecurableClass.Server or SecurableClass.Database || Same(entry.Securable, on.Securable));
    }

    private bool IsOwner(Login login, PermissionOn on, DatabaseAccess? access) => on.Class switch
    {
        SecurableClass.Endpoint => Same(Master.Endpoint?.Name, on.Securable) && Same(Master.Endpoint?.Owner, login.Name),
        SecurableClass.ServerRole => Same(Master.ServerRoles.Find(role => Same(role.Name, on.Securable))?.Owner, login.Name),
        SecurableClass.Certificate => access?.User is { } user && Same(FindCertificate(on.Securable)?.Owner, user),
        SecurableClass.Role => access?.Find(on.Securable) is { IsRole: true } role && access.Principals.Contains(role.Owner, StringComparer.OrdinalIgnoreCase),
        _ => false,
    };

    // GRANT, DENY, REVOKE

    private bool ChangePermissions(EngineSession session, ChangePermissions change, Operation operation)
    {
        var server = PermissionHierarchy.IsOfServer(change.Class);
        if (server && !Same(session.Database, "master"))
        {
            throw new SqlErrorException(4621, 16, "Permissions at the server scope can only be granted when the current database is master");
        }

        if (change.Permissions.FirstOrDefault(name => !PermissionHierarchy.Exists(name, change.Class)) is { } wrong)
        {
            throw new SqlErrorException(102, 15, $"Incorrect syntax near '{wrong}'.");
        }

        var securable = Resolve(session, change.Class, change.Securable ?? "");
        var existing = server ? Master.Permissions : AccessOf(session.Login, session.Database)!.Permissions;
        RequireMayGrant(session, change, securable, existing);
        List<(Permission Permission, bool Remove)> changes = [];
        foreach (var grantee in change.MoreGrantees.Prepend(change.Grantee).Select(name => ResolveGrantee(session, server, name)))
        {
            foreach (var name in change.Permissions)
            {
                changes.AddRange(Change(session, change, existing, new Permission(grantee, name, change.Class, securable, change.Kind == GrantKind.Deny, change.WithGrantOption)
                {
                    Grantor = server ? session.LoginName : UserName(session) ?? "dbo",
                }));
            }
        }

        if (server || Same(session.Database, "master"))
        {
            foreach (var (permission, remove) in changes)
            {
                PermissionList.Change(server ? Master.Permissions : Master.DatabasePermissions, permission, remove);
            }

            SaveMaster();
            return true;
        }

        RequireOwnPrincipals(session);
        var database = OpenForWriting(session, session.Database, null);
        return LogChanges(session, database, [.. changes.Select(entry => new PutPermission(entry.Permission, entry.Remove))], operation);
    }

    /// <summary>The name of what a permission is about, as permissions keep it; 15151 when it is not there.</summary>
    private string Resolve(EngineSession session, SecurableClass @class, string name)
    {
        var found = TryResolve(session, @class, name);
        if (found is not null && (@class is SecurableClass.Server or SecurableClass.Database || IsVisible(session, @class, found)))
        {
            return found;
        }

        throw new SqlErrorException(Errors.Missing("find", NameOf(@class), name.Split('.')[^1]));
    }

    private bool Exists(EngineSession session, SecurableClass @class, string name) => TryResolve(session, @class, name) is not null;

    private string? TryResolve(EngineSession session, SecurableClass @class, string name)
    {
        return @class switch
        {
            SecurableClass.Server or SecurableClass.Database => "",
            SecurableClass.AvailabilityGroup => FindGroup(name)?.Name,
            SecurableClass.Endpoint => Same(Master.Endpoint?.Name, name) ? Master.Endpoint!.Name : Same(name, "TSQL Default TCP") ? "TSQL Default TCP" : null,
            SecurableClass.Certificate => Same(session.Database, "master") ? FindCertificate(name)?.Name : null,
            SecurableClass.Login => FindLogin(name)?.Name,
            SecurableClass.ServerRole => FindServerRole(name),
            SecurableClass.User or SecurableClass.Role => AccessOf(session.Login, session.Database)?.Find(name)?.Name,
            SecurableClass.Schema => Same(name, "dbo") ? "dbo" : null,
            _ => FindTables(session.Database) is { } database && name.Split('.') is var parts
                && database.Find(parts.Length > 1 ? parts[^2] : "dbo", parts[^1]) is { } table ? $"{table.Schema}.{table.Name}" : null,
        };
    }

    private void RequireMayGrant(EngineSession session, ChangePermissions change, string securable, IReadOnlyList<Permission> existing)
    {
        var server = PermissionHierarchy.IsOfServer(change.Class);
        var control = change.Class == SecurableClass.Server ? "CONTROL SERVER" : "CONTROL";
        var all = change.Class == SecurableClass.Database
            ? HasInDatabase(session.Login, session.Database, control)
            : HasPermission(session, control, change.Class, securable);
        if (all || (server ? session.Login.Roles.Contains("securityadmin") : IsDatabaseRoleMember(session, "db_securityadmin") == true))
        {
            return;
        }

        var principals = server ? [session.LoginName, "public", .. session.Login.Roles] : AccessOf(session.Login, session.Database)?.Principals ?? [];
        if (!change.Permissions.All(name => existing.Any(entry => entry.WithGrantOption && entry.Name == name && entry.Class == change.Class
            && Same(entry.Securable, securable) && principals.Contains(entry.Grantee, StringComparer.OrdinalIgnoreCase))))
        {
            throw new SqlErrorException(4613, 16, "Grantor does not have GRANT permission.");
        }
    }

    private string ResolveGrantee(EngineSession session, bool server, string name)
    {
        if (IsPublic(name))
        {
            return "public";
        }

        if (server)
        {
            if (PermissionHierarchy.FixedServerRoles.ContainsKey(name))
            {
                throw new SqlErrorException(4617, 16, "Cannot grant, deny or revoke permissions to or from special roles.");
            }

            if (FindLogin(name) is { } login)
            {
                return login.PrincipalId == 1 || login == session.Login ? throw ToSelf() : login.Name;
            }

            return FindServerRole(name) ?? throw new SqlErrorException(Errors.Missing("find", "login", name));
        }

        if (PermissionHierarchy.FixedDatabaseRoles.ContainsKey(name))
        {
            throw new SqlErrorException(4617, 16, "Cannot grant, deny or revoke permissions to or from special roles.");
        }

        if (Same(name, "dbo") || Same(name, "sys") || Same(name, "INFORMATION_SCHEMA") || Same(name, UserName(session)))
        {
            throw ToSelf();
        }

        return Same(name, "guest")
            ? "guest"
            : AccessOf(session.Login, session.Database)?.Find(name)?.Name ?? throw new SqlErrorException(Errors.Missing("find", "user", name));

        static SqlErrorException ToSelf() => new(
            4624, 16, "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself.");
    }

    /// <summary>What becomes of the entries of one permission of one grantee.</summary>
    private static IEnumerable<(Permission Permission, bool Remove)> Change(
        EngineSession session, ChangePermissions change, IReadOnlyList<Permission> existing, Permission wanted)
    {
        _ = session;
        var old = existing.FirstOrDefault(entry => PermissionList.IsSame(entry, wanted));
        var passedOn = old is { WithGrantOption: true, Denied: false };
        if (passedOn && (change.Kind != GrantKind.Grant || change.GrantOptionOnly) && !change.Cascade)
        {
            throw new SqlErrorException(4611, 16, "To revoke or deny grantable privileges, specify the CASCADE option.");
        }

        var cascade = passedOn && change.Cascade
            ? existing.Where(entry => entry.Name == wanted.Name && entry.Class == wanted.Class && Same(entry.Securable, wanted.Securable) && Same(entry.Grantor, wanted.Grantee))
            : [];
        foreach (var further in cascade)
        {
            foreach (var removed in Change(session, change with { GrantOptionOnly = false, Kind = GrantKind.Revoke }, existing, further))
            {
                yield return removed;
            }
        }

        if (change.GrantOptionOnly)
        {
            if (old is not null)
            {
                yield return (old with { WithGrantOption = false }, false);
            }
        }
        else if (change.Kind != GrantKind.Revoke)
        {
            yield return (passedOn && change.Kind == GrantKind.Grant ? wanted with { WithGrantOption = true } : wanted, false);
        }
        else if (old is not null)
        {
            yield return (old, true);
        }
    }

    /// <summary>How messages call a kind of securable.</summary>
    private static string NameOf(SecurableClass @class) => @class switch
    {
        SecurableClass.AvailabilityGroup => "availability group",
        SecurableClass.ServerRole => "server role",
        _ => @class.ToString().ToLowerInvariant(),
    };
}
