using System.Security.Cryptography;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>LOGINPROPERTY(login, name), or null.</summary>
    public object? LoginProperty(EngineSession session, string login, string name) => FindLogin(login) is not { PasswordHash: { } hash } found
        ? null
        : name.ToUpperInvariant() switch
        {
            "PASSWORDLASTSETTIME" => found.PasswordSet,
            "ISLOCKED" => found.LockedAt is null ? 0 : 1,
            "LOCKOUTTIME" => found.LockedAt ?? new DateTime(1900, 1, 1),
            "ISEXPIRED" => IsExpired(found) ? 1 : 0,
            "ISMUSTCHANGE" => found.MustChange ? 1 : 0,
            "BADPASSWORDCOUNT" => found.BadPasswords,
            "BADPASSWORDTIME" => found.BadPasswordTime ?? new DateTime(1900, 1, 1),
            "DAYSUNTILEXPIRATION" => found is { CheckPolicy: true, CheckExpiration: true } && Options.PasswordMaximumAge is { } age
                ? Math.Max(0, (int)(found.PasswordSet + age - Environment.UtcNow).TotalDays)
                : null,
            "HISTORYLENGTH" => 0,
            "DEFAULTDATABASE" => found.DefaultDatabase,
            "DEFAULTLANGUAGE" => "us_english",
            "PASSWORDHASH" when Has(session.Login, "CONTROL SERVER", SecurableClass.Server, "") => hash,
            "PASSWORDHASHALGORITHM" => 2,
            _ => null,
        };

    /// <summary>Checks a password against the policy of SQL Server on Linux; null when it passes.</summary>
    public static SqlError? CheckPassword(string password, string login)
    {
        if (password.Length < 8)
        {
            return Errors.Make(
                33062,
                16,
                "Password validation failed. The password does not meet SQL Server password policy requirements because it is too short. The password must be at least 8 characters.");
        }

        if (password.Length > 128)
        {
            return Errors.Make(
                33063,
                16,
                "Password validation failed. The password does not meet SQL Server password policy requirements because it is too long. The password must be at most 128 characters.");
        }

        var classes = new[] { password.Any(char.IsUpper), password.Any(char.IsLower), password.Any(char.IsDigit), password.Any(c => !char.IsLetterOrDigit(c)) };
        return classes.Count(present => present) < 3 || password.Contains(login, StringComparison.OrdinalIgnoreCase)
            ? Errors.Make(
                33064,
                16,
                "Password validation failed. The password does not meet SQL Server password policy requirements because it is not complex enough. The password must be at least 8 characters long and contain characters from three of the following four sets: Uppercase letters, Lowercase letters, Base 10 digits, and Symbols.")
            : null;
    }

    internal Login? FindLogin(string name) => Master.Logins.FirstOrDefault(login => Same(login.Name, name));

    private static byte[] HashPassword(string password)
    {
        var salt = SHA256.HashData(Encoding.Unicode.GetBytes(password)).AsSpan(0, 4).ToArray();
        return [2, 0, .. salt, .. SHA512.HashData([.. Encoding.Unicode.GetBytes(password), .. salt])];
    }

    private byte[] HashPasswordWithSalt(string password)
    {
        var salt = new byte[4];
        Environment.Random(salt);
        return [2, 0, .. salt, .. SHA512.HashData([.. Encoding.Unicode.GetBytes(password), .. salt])];
    }

    private static bool VerifyPassword(byte[] hash, string password) => CryptographicOperations.FixedTimeEquals(
        hash.AsSpan(6), SHA512.HashData([.. Encoding.Unicode.GetBytes(password), .. hash.AsSpan(2, 4)]));

    /// <summary>A hash as PASSWORD = 0x... HASHED takes it: version 2, salt, SHA-512.</summary>
    private static byte[] RequireHash(byte[] hash) => hash is [2, 0, ..] && hash.Length == 70
        ? hash
        : throw new SqlErrorException(15021, 16, "Invalid value given for parameter PASSWORD. Specify a valid parameter value.");

    private bool IsExpired(Login login) =>
        login is { CheckPolicy: true, CheckExpiration: true } && Options.PasswordMaximumAge is { } age && Environment.UtcNow > login.PasswordSet + age;

    /// <summary>Whether a client may come in as this login; the client learns less than the error log.</summary>
    private (Login? Login, SqlError? Error) Authenticate(LoginRequest request)
    {
        var login = FindLogin(request.User);
        if (request.User.Length == 0)
        {
            return Refuse(122, "The user name is empty", null);
        }

        if (login?.PasswordHash is not { } hash)
        {
            return Refuse(5, "Could not find a login matching the name provided", null);
        }

        if (login.LockedAt is not null)
        {
            return Refuse(0, "The account is locked out", Errors.Make(
                18486, 14, $"Login failed for user '{login.Name}' because the account is currently locked out. The system administrator can unlock it."));
        }

        if (!VerifyPassword(hash, request.Password))
        {
            login.BadPasswords++;
            login.BadPasswordTime = Environment.UtcNow;
            if (login.CheckPolicy && Options.LockoutThreshold > 0 && login.BadPasswords >= Options.LockoutThreshold)
            {
                login.LockedAt = Environment.UtcNow;
                SaveMaster();
            }

            return login.Disabled
                ? Refuse(7, "An error occurred while evaluating the password", null)
                : Refuse(8, "Password did not match that for the login provided", null);
        }

        if (login.Disabled)
        {
            return Refuse(1, "The account is disabled", Errors.LoginDisabled(request.User));
        }

        if (login.MustChange)
        {
            return Refuse(18, "The password of the account must be changed", Errors.Make(
                18488, 14, $"Login failed for user '{login.Name}'.  Reason: The password of the account must be changed."));
        }

        if (IsExpired(login))
        {
            return Refuse(18, "The password of the account has expired", Errors.Make(
                18487, 14, $"Login failed for user '{login.Name}'.  Reason: The password of the account has expired."));
        }

        if (!Has(login, "CONNECT SQL", SecurableClass.Server, ""))
        {
            return Refuse(12, "Login-based server access validation failed with an infrastructure error. Login lacks Connect SQL permission", null);
        }

        login.BadPasswords = 0;
        return (login, null);

        (Login?, SqlError?) Refuse(int state, string reason, SqlError? error)
        {
            error ??= Errors.LoginFailed(request.User);
            LogLoginFailure(error.Number, state, request, reason);
            return (null, error);
        }
    }

    private void LogLoginFailure(int number, int state, LoginRequest request, string reason)
    {
        Log($"Error: {number}, Severity: 14, State: {state}.");
        Log($"Login failed for user '{request.User}'. Reason: {reason}. [CLIENT: {request.HostName}]");
    }

    private void Create(EngineSession session, CreateLogin create)
    {
        if (!Has(session.Login, "CREATE LOGIN", SecurableClass.Server, ""))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }

        if (FindLogin(create.Name) is not null || FindServerRole(create.Name) is not null)
        {
            throw new SqlErrorException(15025, 16, $"The server principal '{create.Name}' already exists.");
        }

        CheckOptions(create.CheckPolicy, create.CheckExpiration, create.MustChange);
        if (create.Password is not null && create.CheckPolicy && CheckPassword(create.Password, create.Name) is { } weak)
        {
            throw new SqlErrorException(weak);
        }

        if (create.DefaultDatabase is { } database)
        {
            RequireDatabase(database);
        }

        var sid = create.Sid is null ? Environment.NewGuid().ToByteArray() : [.. create.Sid];
        if (create.Certificate is { } name)
        {
            var certificate = FindCertificate(name) ?? throw new SqlErrorException(Errors.Missing("find", "certificate", name));
            if (Master.Logins.Any(login => Same(login.Certificate, name)))
            {
                throw new SqlErrorException(
                    33140, 16, $"The login '{create.Name}' could not be created because a login is already associated with certificate '{certificate.Name}'.");
            }

            sid = SidOf(certificate);
        }

        if (create.Sid is not null && sid.Length != 16)
        {
            throw new SqlErrorException(15419, 16, "Supplied parameter sid should be binary(16).");
        }

        if (Master.Logins.Any(login => login.Sid.AsSpan().SequenceEqual(sid)))
        {
            throw new SqlErrorException(15433, 16, "Supplied parameter sid is in use.");
        }

        var now = Environment.UtcNow;
        Master.Logins.Add(new Login
        {
            Name = create.Name,
            PrincipalId = Master.NextId++,
            Sid = sid,
            PasswordHash = create.PasswordHash is { } hash ? RequireHash(hash) : create.Password is null ? null : HashPasswordWithSalt(create.Password),
            Certificate = create.Certificate,
            CheckPolicy = create.CheckPolicy,
            CheckExpiration = create.CheckExpiration,
            MustChange = create.MustChange,
            DefaultDatabase = create.DefaultDatabase ?? "master",
            Created = now,
            Modified = now,
            PasswordSet = now,
        });
    }

    private static void CheckOptions(bool policy, bool expiration, bool mustChange)
    {
        if (expiration && !policy)
        {
            throw new SqlErrorException(15122, 16, "The CHECK_EXPIRATION option cannot be used when CHECK_POLICY is OFF.");
        }

        if (mustChange && !(policy && expiration))
        {
            throw new SqlErrorException(15128, 16, "The CHECK_POLICY and CHECK_EXPIRATION options cannot be turned OFF when MUST_CHANGE is ON.");
        }
    }

    private void RequireDatabase(string name)
    {
        if (DatabaseId(name) is null)
        {
            throw new SqlErrorException(15010, 16, $"The database '{name}' does not exist. Supply a valid database name. To see available databases, use sys.databases.");
        }
    }

    private void Alter(EngineSession session, AlterLogin alter)
    {
        var login = FindLogin(alter.Name);
        var may = login is not null && Has(session.Login, "ALTER", SecurableClass.Login, login.Name)
            && (!IsSysadmin(login) || Has(session.Login, "CONTROL SERVER", SecurableClass.Server, ""));
        var own = login == session.Login && alter is { Password: not null, OldPassword: not null, Enabled: null, NewName: null, CheckPolicy: null, CheckExpiration: null };
        if (login is null || (!may && !own))
        {
            throw new SqlErrorException(Errors.Missing("alter", "login", alter.Name));
        }

        if (alter.OldPassword is not null && (login.PasswordHash is null || !VerifyPassword(login.PasswordHash, alter.OldPassword)))
        {
            throw new SqlErrorException(Errors.Missing("alter", "login", alter.Name));
        }

        if (alter.NewName is not null && FindLogin(alter.NewName) is { } other && other != login)
        {
            throw new SqlErrorException(15025, 16, $"The server principal '{alter.NewName}' already exists.");
        }

        var policy = alter.CheckPolicy ?? login.CheckPolicy;
        var expiration = alter.CheckExpiration ?? (login.CheckExpiration && policy);
        CheckOptions(policy, expiration, alter.MustChange || (login.MustChange && alter.Password is null && alter is not { CheckPolicy: null, CheckExpiration: null }));
        if (alter.Password is not null && policy && CheckPassword(alter.Password, login.Name) is { } weak)
        {
            throw new SqlErrorException(weak);
        }

        if (alter.DefaultDatabase is { } database)
        {
            RequireDatabase(database);
            login.DefaultDatabase = database;
        }

        login.CheckPolicy = policy;
        login.CheckExpiration = expiration;
        if (alter.Password is not null || alter.PasswordHash is not null)
        {
            login.PasswordHash = alter.PasswordHash is { } hash ? RequireHash(hash) : HashPasswordWithSalt(alter.Password!);
            login.PasswordSet = Environment.UtcNow;
            login.BadPasswords = 0;
            login.MustChange = alter.MustChange;
        }

        if (alter.Unlock)
        {
            login.LockedAt = null;
            login.BadPasswords = 0;
        }

        login.Disabled = alter.Enabled is { } enabled ? !enabled : login.Disabled;
        if (alter.NewName is { } name)
        {
            RenameInPermissions(login.Name, name);
            login.Name = name;
        }

        login.Modified = Environment.UtcNow;
    }

    private void RenameInPermissions(string from, string to)
    {
        for (var index = 0; index < Master.Permissions.Count; index++)
        {
            var entry = Master.Permissions[index];
            Master.Permissions[index] = entry with
            {
                Grantee = Same(entry.Grantee, from) ? to : entry.Grantee,
                Grantor = Same(entry.Grantor, from) ? to : entry.Grantor,
                Securable = entry.Class == SecurableClass.Login && Same(entry.Securable, from) ? to : entry.Securable,
            };
        }

        foreach (var database in Databases.Values.Where(database => Same(database.Entry.Owner, from)))
        {
            database.Entry.Owner = to;
        }

        if (Master.Endpoint is { } endpoint && Same(endpoint.Owner, from))
        {
            endpoint.Owner = to;
        }
    }

    private void Drop(EngineSession session, DropLogin drop)
    {
        var login = FindLogin(drop.Name);
        if (login is null || !Has(session.Login, "ALTER", SecurableClass.Login, login.Name))
        {
            throw new SqlErrorException(Errors.Missing("drop", "login", drop.Name));
        }

        if (login.PrincipalId == 1)
        {
            throw new SqlErrorException(15405, 16, "Cannot use the special principal 'sa'.");
        }

        if (_sessions.Values.Any(open => open.Login == login))
        {
            throw new SqlErrorException(15434, 16, $"Could not drop login '{login.Name}' as the user is currently logged in.");
        }

        if (Databases.Values.Any(database => Same(database.Entry.Owner, login.Name)))
        {
            throw new SqlErrorException(
                15174, 16, $"Login '{login.Name}' owns one or more database(s). Change the owner of the database(s) before dropping the login.");
        }

        if (Same(Master.Endpoint?.Owner, login.Name) || Master.ServerRoles.Any(role => Same(role.Owner, login.Name)))
        {
            var kind = Same(Master.Endpoint?.Owner, login.Name) ? "endpoint" : "server role";
            throw new SqlErrorException(15141, 16, $"The server principal owns a {kind} and cannot be dropped.");
        }

        if (Master.Permissions.Any(permission => Same(permission.Grantor, login.Name) && !Same(permission.Grantee, login.Name)))
        {
            throw new SqlErrorException(
                15173, 16, $"Server principal '{login.Name}' has granted one or more permission(s). Revoke the permission(s) before dropping the server principal.");
        }

        Master.Logins.Remove(login);
        Master.Permissions.RemoveAll(permission => Same(permission.Grantee, login.Name));
    }

    // Server roles

    /// <summary>Name of a server role as it is spelled, or null.</summary>
    internal string? FindServerRole(string name) => IsPublic(name)
        ? "public"
        : PermissionHierarchy.FixedServerRoles.Keys.FirstOrDefault(role => Same(role, name)) ?? Master.ServerRoles.Find(role => Same(role.Name, name))?.Name;

    private void Create(EngineSession session, CreateServerRole create)
    {
        RequireServer(session, "CREATE SERVER ROLE");
        if (FindServerRole(create.Name) is not null || FindLogin(create.Name) is not null)
        {
            throw new SqlErrorException(15025, 16, $"The server principal '{create.Name}' already exists.");
        }

        var owner = create.Owner is null ? session.Login : FindLogin(create.Owner) ?? throw new SqlErrorException(Errors.Missing("find", "server principal", create.Owner));
        Master.ServerRoles.Add(new ServerRole { Name = create.Name, PrincipalId = Master.NextId++, Owner = owner.Name, Created = Environment.UtcNow });
    }

    private void Drop(EngineSession session, DropServerRole drop)
    {
        if (Master.ServerRoles.Find(role => Same(role.Name, drop.Name)) is not { } role || !Has(session.Login, "CONTROL", SecurableClass.ServerRole, drop.Name))
        {
            throw FindServerRole(drop.Name) is { } known && PermissionHierarchy.FixedServerRoles.ContainsKey(known)
                ? new SqlErrorException(15150, 16, $"Cannot drop the server role '{known}'.")
                : new SqlErrorException(Errors.Missing("drop", "server role", drop.Name));
        }

        if (Master.Logins.Any(login => login.Roles.Contains(role.Name)))
        {
            throw new SqlErrorException(15144, 16, "The role has members. It must be empty before it can be dropped.");
        }

        Master.ServerRoles.Remove(role);
        Master.Permissions.RemoveAll(permission => Same(permission.Grantee, role.Name) || (permission.Class == SecurableClass.ServerRole && Same(permission.Securable, role.Name)));
    }

    private void Alter(EngineSession session, AlterServerRole alter)
    {
        var name = FindServerRole(alter.Role);
        if (name is null || !MayChange(session, name))
        {
            throw new SqlErrorException(Errors.Missing("alter", "server role", alter.Role));
        }

        if (IsPublic(name))
        {
            throw new SqlErrorException(15081, 16, "Membership of the public role cannot be changed.");
        }

        if (FindLogin(alter.Member) is not { } member)
        {
            throw FindServerRole(alter.Member) is null
                ? new SqlErrorException(Errors.Missing(alter.Add ? "add" : "drop", "principal", alter.Member))
                : new SqlErrorException(50505, 16, "A server role as member of a server role is not simulated.");
        }

        if (member.PrincipalId == 1)
        {
            throw new SqlErrorException(15405, 16, "Cannot use the special principal 'sa'.");
        }

        if (alter.Add)
        {
            member.Roles.Add(name);
        }
        else
        {
            member.Roles.Remove(name);
        }
    }

    /// <summary>Members of a fixed role may add to it; a user-defined one takes ALTER.</summary>
    private bool MayChange(EngineSession session, string role) => IsSysadmin(session.Login)
        || (PermissionHierarchy.FixedServerRoles.ContainsKey(role)
            ? session.Login.Roles.Contains(role)
            : Has(session.Login, "ALTER", SecurableClass.ServerRole, role));
}
