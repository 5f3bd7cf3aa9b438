using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Users and roles of databases. Those of master are in its file, those of a user database in its log.</summary>
public sealed partial class SqlInstance
{
    private static readonly string[] ReservedUsers = ["dbo", "guest", "sys", "INFORMATION_SCHEMA", "public"];

    private bool Create(EngineSession session, CreateUser create, Operation operation)
    {
        RequireInCurrent(session, "CREATE USER");
        var login = create.Login is null ? null : FindLogin(create.Login)
            ?? throw new SqlErrorException(15007, 16, $"'{create.Login}' is not a valid login or you do not have permission.");
        var access = Current(session);
        RequireNewPrincipal(access, create.Name);
        if (login is not null && (access.Users.Any(user => user.Sid is { } sid && sid.AsSpan().SequenceEqual(login.Sid)) || IsOwner(session, login)))
        {
            throw new SqlErrorException(15063, 16, "The login already has an account under a different user name.");
        }

        return Save(session, operation, new PutUser(new DatabaseUser
        {
            Name = create.Name, PrincipalId = NextPrincipalId(access), Sid = login?.Sid, DefaultSchema = create.DefaultSchema, Created = Environment.UtcNow,
        }));
    }

    private bool Alter(EngineSession session, AlterUser alter, Operation operation)
    {
        var access = Current(session);
        var user = access.Find(alter.Name);
        if (user is null || user.IsRole || !HasInDatabase(session.Login, session.Database, "ALTER", SecurableClass.User, user.Name))
        {
            throw new SqlErrorException(Errors.Missing("alter", "user", alter.Name));
        }

        if (alter.NewName is { } name && !Same(name, user.Name))
        {
            RequireNewPrincipal(access, name);
        }

        var sid = user.Sid;
        if (alter.Login is not null)
        {
            if (sid is null)
            {
                throw new SqlErrorException(
                    33016, 16, "The user cannot be remapped to a login. Remapping can only be done for users that were mapped to Windows or SQL logins.");
            }

            sid = (FindLogin(alter.Login) ?? throw new SqlErrorException(15007, 16, $"'{alter.Login}' is not a valid login or you do not have permission.")).Sid;
            if (access.Users.Any(other => other != user && other.Sid is { } taken && taken.AsSpan().SequenceEqual(sid)))
            {
                throw new SqlErrorException(15063, 16, "The login already has an account under a different user name.");
            }
        }

        var changed = user with { Name = alter.NewName ?? user.Name, Sid = sid, DefaultSchema = alter.DefaultSchema ?? user.DefaultSchema };
        return Same(changed.Name, user.Name)
            ? Save(session, operation, new PutUser(changed))
            : Save(session, operation, [new RemoveUser(user.Name), new PutUser(changed), .. Renamed(access, user.Name, changed.Name)]);
    }

    private bool Drop(EngineSession session, DropUser drop, Operation operation)
    {
        if (ReservedUsers.Contains(drop.Name, StringComparer.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(15150, 16, $"Cannot drop the user '{drop.Name}'.");
        }

        var access = Current(session);
        if (access.Find(drop.Name) is not { IsRole: false } user || !HasInDatabase(session.Login, session.Database, "ALTER", SecurableClass.User, user.Name))
        {
            throw new SqlErrorException(Errors.Missing("drop", "user", drop.Name));
        }

        RequireOwnsNothing(session, access, user.Name);
        return Save(session, operation, [new RemoveUser(user.Name), .. PermissionsOf(access, user.Name)]);
    }

    private bool Create(EngineSession session, CreateRole create, Operation operation)
    {
        RequireInCurrent(session, "CREATE ROLE");
        var access = Current(session);
        RequireNewPrincipal(access, create.Name);
        if (create.Owner is { } owner && !Same(owner, "dbo") && access.Find(owner) is null)
        {
            throw new SqlErrorException(Errors.Missing("find", "principal", owner));
        }

        return Save(session, operation, new PutUser(new DatabaseUser
        {
            Name = create.Name, PrincipalId = NextPrincipalId(access), IsRole = true, Owner = create.Owner ?? access.User, Created = Environment.UtcNow,
        }));
    }

    private bool Drop(EngineSession session, DropRole drop, Operation operation)
    {
        if (PermissionHierarchy.FixedDatabaseRoles.ContainsKey(drop.Name) || IsPublic(drop.Name))
        {
            throw new SqlErrorException(15150, 16, $"Cannot drop the role '{drop.Name}'.");
        }

        var access = Current(session);
        if (access.Find(drop.Name) is not { IsRole: true } role || !HasInDatabase(session.Login, session.Database, "ALTER", SecurableClass.Role, role.Name))
        {
            throw new SqlErrorException(Errors.Missing("drop", "role", drop.Name));
        }

        if (access.Users.Any(user => user.Roles.Contains(role.Name, StringComparer.OrdinalIgnoreCase)))
        {
            throw new SqlErrorException(15144, 16, "The role has members. It must be empty before it can be dropped.");
        }

        RequireOwnsNothing(session, access, role.Name);
        return Save(session, operation, [new RemoveUser(role.Name), .. PermissionsOf(access, role.Name)]);
    }

    private bool Alter(EngineSession session, AlterRole alter, Operation operation)
    {
        var access = Current(session);
        var fixedRole = PermissionHierarchy.FixedDatabaseRoles.Keys.FirstOrDefault(role => Same(role, alter.Role));
        var name = fixedRole ?? (access.Find(alter.Role) is { IsRole: true } found ? found.Name : null);
        if (IsPublic(alter.Role))
        {
            throw new SqlErrorException(15081, 16, "Membership of the public role cannot be changed.");
        }

        // Only an owner adds to fixed roles.
        if (name is null || !(fixedRole is not null
            ? HasInDatabase(session.Login, session.Database, "CONTROL")
            : HasInDatabase(session.Login, session.Database, "ALTER", SecurableClass.Role, name)))
        {
            throw new SqlErrorException(Errors.Missing("alter", "role", alter.Role));
        }

        if (Same(alter.Member, "dbo"))
        {
            throw new SqlErrorException(15405, 16, "Cannot use the special principal 'dbo'.");
        }

        if (access.Find(alter.Member) is not { } member)
        {
            throw new SqlErrorException(Errors.Missing(alter.Add ? "add" : "drop", "principal", alter.Member));
        }

        if (alter.Add && member.IsRole && (Same(member.Name, name) || Contains(access, member.Name, name)))
        {
            throw new SqlErrorException(15413, 16, "Cannot make a role a member of itself.");
        }

        var roles = member.Roles.Where(role => !Same(role, name));
        return Save(session, operation, new PutUser(member with { Roles = [.. alter.Add ? roles.Append(name) : roles] }));
    }

    /// <summary>Whether a role is, directly or not, a member of another.</summary>
    private static bool Contains(DatabaseAccess access, string outer, string inner) =>
        access.Find(inner)?.Roles.Any(role => Same(role, outer) || Contains(access, outer, role)) == true;

    private DatabaseAccess Current(EngineSession session) => AccessOf(session.Login, session.Database)
        ?? throw new SqlErrorException(Errors.NoAccess(session.LoginName, session.Database));

    private void RequireInCurrent(EngineSession session, string permission)
    {
        if (!HasInDatabase(session.Login, session.Database, permission))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }
    }

    private static void RequireNewPrincipal(DatabaseAccess access, string name)
    {
        if (ReservedUsers.Contains(name, StringComparer.OrdinalIgnoreCase) || PermissionHierarchy.FixedDatabaseRoles.ContainsKey(name) || access.Find(name) is not null)
        {
            throw new SqlErrorException(15023, 16, $"User, group, or role '{name}' already exists in the current database.");
        }
    }

    private void RequireOwnsNothing(EngineSession session, DatabaseAccess access, string name)
    {
        var kind = Same(session.Database, "master") && Master.Certificates.Any(certificate => Same(certificate.Owner, name)) ? "certificates"
            : access.Users.Any(role => role.IsRole && Same(role.Owner, name)) ? "database roles"
            : null;
        if (kind is not null)
        {
            throw new SqlErrorException(15136, 16, $"The database principal owns {kind} in the database, and cannot be dropped.");
        }

        if (access.Permissions.Any(permission => Same(permission.Grantor, name) && !Same(permission.Grantee, name)))
        {
            throw new SqlErrorException(
                15284, 16, "The database principal has granted or denied permissions to objects in the database and cannot be dropped.");
        }
    }

    private bool IsOwner(EngineSession session, Login login) =>
        Same(FindDatabase(session.Database)?.Entry.Owner ?? "sa", login.Name);

    private static int NextPrincipalId(DatabaseAccess access) => Math.Max(4, access.Users.Select(user => user.PrincipalId).DefaultIfEmpty().Max()) + 1;

    private static IEnumerable<Change> PermissionsOf(DatabaseAccess access, string grantee) =>
        access.Permissions.Where(permission => Same(permission.Grantee, grantee)).Select(permission => new PutPermission(permission, true));

    private static IEnumerable<Change> Renamed(DatabaseAccess access, string from, string to) => access.Permissions
        .Where(permission => Same(permission.Grantee, from))
        .SelectMany(permission => new Change[] { new PutPermission(permission, true), new PutPermission(permission with { Grantee = to }, false) });

    private static void RequireOwnPrincipals(EngineSession session)
    {
        if (IsSystem(session.Database) && !Same(session.Database, "master"))
        {
            throw new SqlErrorException(50505, 16, $"Users, roles and permissions of {session.Database} are not simulated.");
        }
    }

    private bool Save(EngineSession session, Operation operation, params IReadOnlyList<Change> changes)
    {
        RequireOwnPrincipals(session);
        if (!Same(session.Database, "master"))
        {
            return LogChanges(session, OpenForWriting(session, session.Database, null), changes, operation);
        }

        foreach (var change in changes)
        {
            switch (change)
            {
                case PutUser put:
                    Master.Users.RemoveAll(user => Same(user.Name, put.User.Name));
                    Master.Users.Add(put.User);
                    break;
                case RemoveUser remove:
                    Master.Users.RemoveAll(user => Same(user.Name, remove.Name));
                    break;
                case PutPermission put:
                    PermissionList.Change(Master.DatabasePermissions, put.Permission, put.Remove);
                    break;
            }
        }

        SaveMaster();
        return true;
    }
}
