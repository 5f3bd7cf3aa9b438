using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

public sealed partial class SqlInstance
{
    /// <summary>Whether the login holds a permission, by role membership, grant, or a covering permission (HAS_PERMS_BY_NAME).</summary>
    public bool HasPermission(EngineSession session, string permission, SecurableClass @class = SecurableClass.Server, string? securable = null) =>
        Has(session.Login, permission, @class, securable ?? "");

    /// <summary>IS_SRVROLEMEMBER(role, login); the session's own login when null.</summary>
    public bool? IsServerRoleMember(EngineSession session, string role, string? login = null)
    {
        var found = login is null ? session.Login : FindLogin(login);
        return found is null ? null : role.Equals("public", StringComparison.OrdinalIgnoreCase) || found.Roles.Contains(role.ToLowerInvariant());
    }

    /// <summary>LOGINPROPERTY(login, name), or null.</summary>
    public object? LoginProperty(EngineSession session, string login, string name) => FindLogin(login) is not { } found
        ? null
        : name.ToUpperInvariant() switch
        {
            "PASSWORDLASTSETTIME" => found.PasswordSet,
            "ISLOCKED" or "ISEXPIRED" or "ISMUSTCHANGE" => 0,
            "BADPASSWORDCOUNT" => found.BadPasswords,
            "DEFAULTDATABASE" => found.DefaultDatabase,
            "DEFAULTLANGUAGE" => "us_english",
            "PASSWORDHASH" when Has(session.Login, "CONTROL SERVER", SecurableClass.Server, "") => found.PasswordHash,
            _ => null,
        };

    /// <summary>CERT_ID(name) in master, or null.</summary>
    public int? CertificateId(string name) => FindCertificate(name)?.Id;

    /// <summary>CERTENCODED(id), or null.</summary>
    public byte[]? CertificateDer(int id) => Master.Certificates.FirstOrDefault(certificate => certificate.Id == id)?.Der;

    /// <summary>CERTPRIVATEKEY(id, password): PVK, or null without a key or permission.</summary>
    public byte[]? CertificatePrivateKey(EngineSession session, int id, string password)
    {
        if (Master.Certificates.FirstOrDefault(certificate => certificate.Id == id) is not { PrivateKey: { } bytes } found
            || !Has(session.Login, "CONTROL", SecurableClass.Certificate, found.Name))
        {
            return null;
        }

        using var key = RSA.Create();
        key.ImportPkcs8PrivateKey(bytes, out _);
        var salt = new byte[16];
        Environment.Random(salt);
        return PrivateKeyFile.Encode(key, password, salt);
    }

    /// <summary>Certificate and private key (PKCS#8) of the started mirroring endpoint, or null.</summary>
    public (byte[] Certificate, byte[] PrivateKey)? EndpointIdentity() =>
        EndpointStarted && FindCertificate(Master.Endpoint!.Certificate) is { PrivateKey: { } key } certificate ? (certificate.Der, key) : null;

    /// <summary>Whether a peer that has proven to hold this certificate's key may connect to the mirroring endpoint.</summary>
    public bool IsTrustedPeer(byte[] certificate)
    {
        if (!EndpointStarted)
        {
            return false;
        }

        using var parsed = X509CertificateLoader.LoadCertificate(certificate);
        if (Environment.UtcNow < parsed.NotBefore.ToUniversalTime() || Environment.UtcNow > parsed.NotAfter.ToUniversalTime())
        {
            return false;
        }

        return Master.Certificates.Where(known => known.Der.AsSpan().SequenceEqual(certificate)).Any(known =>
        {
            if (known.Owner.Equals("dbo", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }

            var user = Master.Users.FirstOrDefault(user => user.Name.Equals(known.Owner, StringComparison.OrdinalIgnoreCase));
            var login = user?.Sid is { } sid ? Master.Logins.FirstOrDefault(login => login.Sid.AsSpan().SequenceEqual(sid)) : null;
            return login is not null && Has(login, "CONNECT", SecurableClass.Endpoint, Master.Endpoint!.Name);
        }) || Master.Logins.Any(login => login.Certificate is { } name
            && FindCertificate(name)?.Der.AsSpan().SequenceEqual(certificate) == true
            && Has(login, "CONNECT", SecurableClass.Endpoint, Master.Endpoint!.Name));
    }

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

    internal Login? FindLogin(string name) => Master.Logins.FirstOrDefault(login => login.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    internal Certificate? FindCertificate(string name) =>
        Master.Certificates.FirstOrDefault(certificate => certificate.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    internal bool Has(Login login, string permission, SecurableClass @class, string securable)
    {
        if (login.Roles.Contains("sysadmin"))
        {
            return true;
        }

        bool Holds(string name, SecurableClass kind, string target)
        {
            var entries = Master.Permissions.Where(entry => entry.Grantee.Equals(login.Name, StringComparison.OrdinalIgnoreCase)
                && entry.Name == name && entry.Class == kind && entry.Securable.Equals(target, StringComparison.OrdinalIgnoreCase)).ToList();
            return entries.Count > 0 && !entries.Any(entry => entry.Denied);
        }

        bool Denied() => Master.Permissions.Any(entry => entry.Denied && entry.Grantee.Equals(login.Name, StringComparison.OrdinalIgnoreCase)
            && entry.Name == permission && entry.Class == @class && entry.Securable.Equals(securable, StringComparison.OrdinalIgnoreCase));

        if (Denied())
        {
            return false;
        }

        if (Holds("CONTROL SERVER", SecurableClass.Server, "") || Holds(permission, @class, securable))
        {
            return true;
        }

        string[] covering = (@class, permission) switch
        {
            (SecurableClass.Server, "VIEW SERVER PERFORMANCE STATE" or "VIEW SERVER SECURITY STATE") => ["VIEW SERVER STATE", "ALTER SERVER STATE"],
            (SecurableClass.Server, "VIEW SERVER STATE") => ["ALTER SERVER STATE"],
            (SecurableClass.Server, "CREATE ANY DATABASE") => ["ALTER ANY DATABASE"],
            (SecurableClass.Server, "CREATE ENDPOINT") => ["ALTER ANY ENDPOINT"],
            (SecurableClass.Server, "CREATE AVAILABILITY GROUP") => ["ALTER ANY AVAILABILITY GROUP"],
            (SecurableClass.Server, "CREATE LOGIN") => ["ALTER ANY LOGIN"],
            (SecurableClass.AvailabilityGroup, "VIEW DEFINITION") => ["ALTER ANY AVAILABILITY GROUP", "VIEW ANY DEFINITION"],
            (SecurableClass.AvailabilityGroup, _) => ["ALTER ANY AVAILABILITY GROUP"],
            (SecurableClass.Endpoint, "VIEW DEFINITION") => ["ALTER ANY ENDPOINT", "VIEW ANY DEFINITION"],
            (SecurableClass.Endpoint, _) => ["ALTER ANY ENDPOINT"],
            (SecurableClass.Login, _) => ["ALTER ANY LOGIN"],
            (_, "VIEW DEFINITION") => ["VIEW ANY DEFINITION"],
            _ => [],
        };
        return covering.Any(name => Holds(name, SecurableClass.Server, ""))
            || (@class != SecurableClass.Server
                && (Holds("CONTROL", @class, securable) || (permission == "VIEW DEFINITION" && Holds("ALTER", @class, securable))))
            || (permission is "CREATE ANY DATABASE" && login.Roles.Contains("dbcreator"))
            || (permission is "ALTER ANY LOGIN" && login.Roles.Contains("securityadmin"))
            || (permission is "ALTER ANY CONNECTION" && login.Roles.Contains("processadmin"))
            || (permission is "SHUTDOWN" or "ALTER SETTINGS" or "VIEW SERVER STATE" && login.Roles.Contains("serveradmin"));
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

    private static void RequireMaster(EngineSession session)
    {
        if (!session.Database.Equals("master", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(40508, 16, "This simulator keeps keys and certificates in master only. Run USE master first.");
        }
    }

    private void Secure(EngineSession session, EngineCommand command)
    {
        var now = Environment.UtcNow;
        switch (command)
        {
            case CreateLogin create:
                RequireServer(session, "ALTER ANY LOGIN");
                if (FindLogin(create.Name) is not null)
                {
                    throw new SqlErrorException(15025, 16, $"The server principal '{create.Name}' already exists.");
                }

                if (create.Password is not null && create.CheckPolicy && CheckPassword(create.Password, create.Name) is { } weak)
                {
                    throw new SqlErrorException(weak);
                }

                if (create.Certificate is not null && FindCertificate(create.Certificate) is null)
                {
                    throw new SqlErrorException(Errors.Missing("find", "certificate", create.Certificate));
                }

                if (create.Sid is not null && Master.Logins.Any(login => login.Sid.SequenceEqual(create.Sid)))
                {
                    throw new SqlErrorException(15433, 16, "Supplied parameter sid is in use.");
                }

                Master.Logins.Add(new Login
                {
                    Name = create.Name,
                    PrincipalId = Master.NextId++,
                    Sid = create.Sid is not null ? [.. create.Sid] : Environment.NewGuid().ToByteArray(),
                    PasswordHash = create.Password is null ? null : HashPasswordWithSalt(create.Password),
                    Certificate = create.Certificate,
                    CheckPolicy = create.CheckPolicy,
                    DefaultDatabase = create.DefaultDatabase ?? "master",
                    Created = now,
                    Modified = now,
                    PasswordSet = now,
                });
                break;
            case AlterLogin alter:
                Alter(session, alter);
                break;
            case DropLogin drop:
                var gone = FindLogin(drop.Name);
                if (gone is null || !Has(session.Login, "ALTER ANY LOGIN", SecurableClass.Server, ""))
                {
                    throw new SqlErrorException(Errors.Missing("drop", "login", drop.Name));
                }

                if (gone.PrincipalId == 1)
                {
                    throw new SqlErrorException(15405, 16, "Cannot use the special principal 'sa'.");
                }

                if (_sessions.Values.Any(open => open.Login == gone))
                {
                    throw new SqlErrorException(15434, 16, $"Could not drop login '{gone.Name}' as the user is currently logged in.");
                }

                Master.Logins.Remove(gone);
                Master.Permissions.RemoveAll(permission => permission.Grantee.Equals(gone.Name, StringComparison.OrdinalIgnoreCase));
                break;
            case AlterServerRole role:
                if (!session.Login.Roles.Contains("sysadmin"))
                {
                    throw new SqlErrorException(Errors.Missing("alter", "server role", role.Role));
                }

                var member = FindLogin(role.Member) ?? throw new SqlErrorException(Errors.Missing("add", "server principal", role.Member));
                string[] roles = ["sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin"];
                if (!roles.Contains(role.Role.ToLowerInvariant()))
                {
                    throw new SqlErrorException(Errors.Missing("alter", "server role", role.Role));
                }

                if (role.Add)
                {
                    member.Roles.Add(role.Role.ToLowerInvariant());
                }
                else
                {
                    member.Roles.Remove(role.Role.ToLowerInvariant());
                }

                break;
            case CreateMasterKey create:
                RequireMaster(session);
                Require(session, "CONTROL", SecurableClass.Database, "master");
                if (Master.MasterKey is not null)
                {
                    throw new SqlErrorException(
                        15578, 16, "There is already a master key in the database. Please drop it before performing this statement.");
                }

                CheckKeyPassword(create.Password);
                Master.MasterKey = new MasterKey { PasswordHash = HashPasswordWithSalt(create.Password), Created = now, Modified = now };
                break;
            case RegenerateMasterKey regenerate:
                RequireMaster(session);
                Require(session, "CONTROL", SecurableClass.Database, "master");
                var key = Master.MasterKey ?? throw new SqlErrorException(Errors.NoMasterKey);
                CheckKeyPassword(regenerate.Password);
                key.PasswordHash = HashPasswordWithSalt(regenerate.Password);
                key.Modified = now;
                break;
            case OpenMasterKey open:
                var opened = Master.MasterKey ?? throw new SqlErrorException(15151, 16, "Cannot find the master key, because it does not exist or you do not have permission.");
                if (open.Password is not null && !VerifyPassword(opened.PasswordHash, open.Password))
                {
                    throw new SqlErrorException(15313, 16, "The key is not encrypted using the specified decryptor.");
                }

                break;
            case DropMasterKey:
                RequireMaster(session);
                Require(session, "CONTROL", SecurableClass.Database, "master");
                if (Master.MasterKey is null)
                {
                    throw new SqlErrorException(15151, 16, "Cannot drop the symmetric key 'master key', because it does not exist or you do not have permission.");
                }

                if (Master.Certificates.Any(certificate => certificate is { PrivateKey: not null, ByPassword: false }))
                {
                    throw new SqlErrorException(15580, 16, "Cannot drop master key because certificate is encrypted by it.");
                }

                Master.MasterKey = null;
                break;
            case CreateCertificate or GenerateCertificate:
                Create(session, command);
                break;
            case DropCertificate drop:
                RequireMaster(session);
                var dropped = FindCertificate(drop.Name);
                if (dropped is null || !Has(session.Login, "CONTROL", SecurableClass.Certificate, drop.Name))
                {
                    throw new SqlErrorException(Errors.Missing("drop", "certificate", drop.Name));
                }

                if (Master.Endpoint?.Certificate.Equals(drop.Name, StringComparison.OrdinalIgnoreCase) == true
                    || Master.Logins.Any(login => login.Certificate?.Equals(drop.Name, StringComparison.OrdinalIgnoreCase) == true))
                {
                    throw new SqlErrorException(
                        15352, 16, "The certificate cannot be dropped because one or more entities are either signed or encrypted using it.");
                }

                Master.Certificates.Remove(dropped);
                break;
            case CreateEndpoint or AlterEndpoint or DropEndpoint:
                ChangeEndpoint(session, command);
                break;
            case AlterAuthorization alter:
                Alter(session, alter);
                break;
            case AddServer add:
                RequireServer(session, "ALTER ANY LINKED SERVER");
                if (add.Local)
                {
                    if (!Master.RemoteServers.Contains("-local"))
                    {
                        throw new SqlErrorException(15028, 16, $"The server '{add.Name}' already exists.");
                    }

                    Master.RemoteServers.Remove("-local");
                    Master.NextServerName = add.Name;
                }
                else if (Master.RemoteServers.Contains(add.Name, StringComparer.OrdinalIgnoreCase))
                {
                    throw new SqlErrorException(15028, 16, $"The server '{add.Name}' already exists.");
                }
                else
                {
                    Master.RemoteServers.Add(add.Name);
                }

                break;
            case DropServer drop:
                RequireServer(session, "ALTER ANY LINKED SERVER");
                var local = Master.NextServerName ?? Master.ServerName;
                if (drop.Name.Equals(local, StringComparison.OrdinalIgnoreCase) && !Master.RemoteServers.Contains("-local"))
                {
                    // sys.servers has no row 0 until sp_addserver gives one.
                    Master.RemoteServers.Add("-local");
                }
                else if (Master.RemoteServers.RemoveAll(name => name.Equals(drop.Name, StringComparison.OrdinalIgnoreCase)) == 0)
                {
                    throw new SqlErrorException(15015, 16, $"The server '{drop.Name}' does not exist. Use sp_helpserver to show available servers.");
                }

                break;
            case Configure configure:
                RequireServer(session, "ALTER SETTINGS");
                if (!SystemCatalog.Configurations.ContainsKey(configure.Name))
                {
                    throw new SqlErrorException(
                        15123, 16, $"The configuration option '{configure.Name}' does not exist, or it may be an advanced option.");
                }

                Master.Configuration[configure.Name.ToLowerInvariant()] = configure.Value;
                break;
            default:
                throw new SqlErrorException(40510, 16, $"Statement '{command.GetType().Name}' is not supported by this simulator.");
        }
    }

    internal void Require(EngineSession session, string permission, SecurableClass @class, string securable)
    {
        if (!Has(session.Login, permission, @class, securable))
        {
            throw new SqlErrorException(Errors.NoPermission);
        }
    }

    private static void CheckKeyPassword(string password)
    {
        if (CheckPassword(password, "\0") is { } weak)
        {
            throw new SqlErrorException(weak);
        }
    }

    private void Alter(EngineSession session, AlterLogin alter)
    {
        var login = FindLogin(alter.Name);
        var may = Has(session.Login, "ALTER ANY LOGIN", SecurableClass.Server, "")
            && (login?.Roles.Contains("sysadmin") != true || Has(session.Login, "CONTROL SERVER", SecurableClass.Server, ""));
        var own = login == session.Login && alter is { Password: not null, OldPassword: not null, Enabled: null, NewName: null };
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
        if (alter.Password is not null && policy && CheckPassword(alter.Password, login.Name) is { } weak)
        {
            throw new SqlErrorException(weak);
        }

        login.CheckPolicy = policy;
        if (alter.Password is not null)
        {
            login.PasswordHash = HashPasswordWithSalt(alter.Password);
            login.PasswordSet = Environment.UtcNow;
            login.BadPasswords = 0;
        }

        login.Disabled = alter.Enabled is { } enabled ? !enabled : login.Disabled;
        login.Name = alter.NewName ?? login.Name;
        login.DefaultDatabase = alter.DefaultDatabase ?? login.DefaultDatabase;
        login.Modified = Environment.UtcNow;
    }

    private void Create(EngineSession session, EngineCommand command)
    {
        RequireMaster(session);
        Require(session, "CREATE CERTIFICATE", SecurableClass.Database, "master");
        var (name, owner) = command is CreateCertificate import ? (import.Name, import.Owner) : (((GenerateCertificate)command).Name, ((GenerateCertificate)command).Owner);
        if (FindCertificate(name) is not null)
        {
            throw new SqlErrorException(
                15232, 16, $"A certificate with name '{name}' already exists or this certificate already has been added to the database.");
        }

        if (owner is not null && !owner.Equals("dbo", StringComparison.OrdinalIgnoreCase)
            && !Master.Users.Any(user => user.Name.Equals(owner, StringComparison.OrdinalIgnoreCase)))
        {
            throw new SqlErrorException(Errors.Missing("find", "user", owner));
        }

        byte[] der;
        byte[]? key = null;
        var byPassword = false;
        if (command is CreateCertificate given)
        {
            der = given.Der;
            byPassword = given.EncryptionPassword is not null;
            var invalid = Errors.Make(
                15297, 16, "The certificate, asymmetric key, or private key data is invalid.");
            try
            {
                using var certificate = X509CertificateLoader.LoadCertificate(der);
                if (given.PrivateKey is not null)
                {
                    using var rsa = PrivateKeyFile.Decode(given.PrivateKey, given.DecryptionPassword) ?? throw new SqlErrorException(invalid);
                    using var publicKey = certificate.GetRSAPublicKey() ?? throw new SqlErrorException(invalid);
                    if (!publicKey.ExportRSAPublicKey().AsSpan().SequenceEqual(rsa.ExportRSAPublicKey()))
                    {
                        throw new SqlErrorException(invalid);
                    }

                    key = rsa.ExportPkcs8PrivateKey();
                }
            }
            catch (CryptographicException)
            {
                throw new SqlErrorException(invalid);
            }

            if (Master.Certificates.Any(known => known.Der.AsSpan().SequenceEqual(der)))
            {
                throw new SqlErrorException(
                    15232, 16, $"A certificate with name '{name}' already exists or this certificate already has been added to the database.");
            }
        }
        else
        {
            var generate = (GenerateCertificate)command;
            byPassword = generate.EncryptionPassword is not null;
            var start = generate.StartDate ?? Environment.UtcNow;
            (der, key) = Environment.CreateCertificate(generate.Subject, start, generate.ExpiryDate ?? start.AddYears(1));
        }

        if (key is not null && !byPassword && Master.MasterKey is null)
        {
            throw new SqlErrorException(Errors.NoMasterKey);
        }

        Master.Certificates.Add(new Certificate
        {
            Name = name, Id = Master.NextId++, Owner = owner ?? "dbo", Der = der, PrivateKey = key, ByPassword = byPassword,
        });
    }

    private void ChangeEndpoint(EngineSession session, EngineCommand command)
    {
        var before = (EndpointStarted, Master.Endpoint?.Port, Master.Endpoint?.Certificate);
        switch (command)
        {
            case CreateEndpoint create:
                Require(session, "CREATE ENDPOINT", SecurableClass.Server, "");
                if (Master.Endpoint is not null)
                {
                    throw Master.Endpoint.Name.Equals(create.Name, StringComparison.OrdinalIgnoreCase)
                        ? new SqlErrorException(7807, 16, $"An error ('The endpoint already exists') occurred while attempting to register the endpoint '{create.Name}'.")
                        : new SqlErrorException(7862, 16, "An endpoint of the requested type already exists.  Only one endpoint of this type is supported.  Use ALTER ENDPOINT or DROP the existing endpoint and execute the CREATE ENDPOINT statement.");
                }

                CheckEndpointCertificate(create.Certificate);
                Master.Endpoint = new Endpoint
                {
                    Name = create.Name,
                    Id = 65536,
                    Owner = create.Owner ?? session.LoginName,
                    Started = create.Started,
                    Port = create.Port,
                    Role = create.Role,
                    Certificate = create.Certificate,
                    Encrypted = create.Encrypted,
                    ListenerIp = create.ListenerIp,
                };
                break;
            case AlterEndpoint alter:
                var endpoint = Master.Endpoint;
                if (endpoint is null || !endpoint.Name.Equals(alter.Name, StringComparison.OrdinalIgnoreCase)
                    || !Has(session.Login, "ALTER", SecurableClass.Endpoint, alter.Name))
                {
                    throw new SqlErrorException(Errors.Missing("alter", "endpoint", alter.Name));
                }

                if (alter.Certificate is not null)
                {
                    CheckEndpointCertificate(alter.Certificate);
                }

                endpoint.Started = alter.Started ?? endpoint.Started;
                endpoint.Port = alter.Port ?? endpoint.Port;
                endpoint.Certificate = alter.Certificate ?? endpoint.Certificate;
                endpoint.Role = alter.Role ?? endpoint.Role;
                break;
            default:
                var drop = (DropEndpoint)command;
                if (Master.Endpoint is null || !Master.Endpoint.Name.Equals(drop.Name, StringComparison.OrdinalIgnoreCase)
                    || !Has(session.Login, "CONTROL", SecurableClass.Endpoint, drop.Name))
                {
                    throw new SqlErrorException(Errors.Missing("drop", "endpoint", drop.Name));
                }

                Master.Endpoint = null;
                break;
        }

        SaveMaster();
        if (before == (EndpointStarted, Master.Endpoint?.Port, Master.Endpoint?.Certificate))
        {
            return;
        }

        if (before.EndpointStarted)
        {
            Environment.StopListening();
        }

        if (EndpointStarted)
        {
            Environment.Listen(Master.Endpoint!.Port);
        }

        foreach (var group in Groups.Values.ToList())
        {
            group.EndpointChanged();
        }
    }

    private void CheckEndpointCertificate(string name)
    {
        var certificate = FindCertificate(name) ?? throw new SqlErrorException(Errors.Missing("find", "certificate", name));
        if (certificate.PrivateKey is null || certificate.ByPassword)
        {
            throw new SqlErrorException(
                33101,
                16,
                $"Cannot use certificate '{name}', because its private key is not present or it is not protected by the database master key.");
        }
    }

    private void Alter(EngineSession session, AlterAuthorization alter)
    {
        RequireServer(session, "CONTROL SERVER");
        switch (alter.Class)
        {
            case SecurableClass.Endpoint when Master.Endpoint?.Name.Equals(alter.Securable, StringComparison.OrdinalIgnoreCase) == true:
                Master.Endpoint.Owner = (FindLogin(alter.Owner) ?? throw new SqlErrorException(Errors.Missing("find", "login", alter.Owner))).Name;
                break;
            case SecurableClass.Certificate when FindCertificate(alter.Securable) is { } certificate:
                certificate.Owner = alter.Owner;
                break;
            case SecurableClass.Database when FindDatabase(alter.Securable) is { } database:
                database.Entry.Owner = (FindLogin(alter.Owner) ?? throw new SqlErrorException(Errors.Missing("find", "login", alter.Owner))).Name;
                break;
            case SecurableClass.AvailabilityGroup when FindGroup(alter.Securable) is { } group:
                PermissionList.Change(
                    Master.Permissions, new Permission(alter.Owner, "CONTROL", SecurableClass.AvailabilityGroup, group.Name, false, true), remove: false);
                break;
            default:
                throw new SqlErrorException(Errors.Missing("find", alter.Class.ToString().ToLowerInvariant(), alter.Securable));
        }
    }

    private bool ChangePermissions(EngineSession session, ChangePermissions change, Operation operation)
    {
        var securable = change.Securable ?? (change.Class == SecurableClass.Database ? session.Database : "");
        var master = session.Database.Equals("master", StringComparison.OrdinalIgnoreCase);
        var server = change.Class is not (SecurableClass.Database or SecurableClass.Object or SecurableClass.Schema or SecurableClass.User) || master;
        if (!server)
        {
            var database = OpenForWriting(session, session.Database, "CONTROL");
            if (!database.Users.ContainsKey(change.Grantee))
            {
                throw new SqlErrorException(Errors.Missing("find", "user", change.Grantee));
            }

            return LogChanges(
                session,
                database,
                [
                    .. change.Permissions.Select(name => new PutPermission(
                        new Permission(change.Grantee, name, change.Class, securable, change.Kind == GrantKind.Deny, change.WithGrantOption),
                        change.Kind == GrantKind.Revoke)),
                ],
                operation);
        }

        var exists = change.Class switch
        {
            SecurableClass.AvailabilityGroup => FindGroup(securable) is not null,
            SecurableClass.Endpoint => Master.Endpoint?.Name.Equals(securable, StringComparison.OrdinalIgnoreCase) == true,
            SecurableClass.Certificate => FindCertificate(securable) is not null,
            SecurableClass.Login => FindLogin(securable) is not null,
            _ => true,
        };
        var may = change.Permissions.All(name => Has(session.Login, "CONTROL SERVER", SecurableClass.Server, "")
            || (change.Class != SecurableClass.Server && Has(session.Login, "CONTROL", change.Class, securable))
            || Master.Permissions.Any(permission => permission.WithGrantOption && permission.Name == name && permission.Class == change.Class
                && permission.Grantee.Equals(session.LoginName, StringComparison.OrdinalIgnoreCase)));
        if (!exists || !may)
        {
            var kind = change.Class switch
            {
                SecurableClass.AvailabilityGroup => "availability group",
                _ => change.Class.ToString().ToLowerInvariant(),
            };
            throw exists && change.Class == SecurableClass.Server
                ? new SqlErrorException(4613, 16, "Grantor does not have GRANT permission.")
                : new SqlErrorException(Errors.Missing("find", kind, securable));
        }

        var grantee = FindLogin(change.Grantee)?.Name
            ?? (Master.Users.FirstOrDefault(user => user.Name.Equals(change.Grantee, StringComparison.OrdinalIgnoreCase))?.Sid is { } sid
                ? Master.Logins.FirstOrDefault(login => login.Sid.AsSpan().SequenceEqual(sid))?.Name
                : null)
            ?? throw new SqlErrorException(Errors.Missing("find", "login", change.Grantee));
        foreach (var name in change.Permissions)
        {
            PermissionList.Change(
                Master.Permissions,
                new Permission(grantee, name, change.Class, securable, change.Kind == GrantKind.Deny, change.WithGrantOption),
                change.Kind == GrantKind.Revoke);
        }

        SaveMaster();
        return true;
    }

    private bool Create(EngineSession session, CreateUser create, Operation operation)
    {
        var login = create.Login is null ? null : FindLogin(create.Login)
            ?? throw new SqlErrorException(15007, 16, $"'{create.Login}' is not a valid login or you do not have permission.");
        var exists = new SqlErrorException(
            15023, 16, $"User, group, or role '{create.Name}' already exists in the current database.");
        if (session.Database.Equals("master", StringComparison.OrdinalIgnoreCase))
        {
            Require(session, "ALTER ANY USER", SecurableClass.Database, "master");
            if (create.Name.Equals("dbo", StringComparison.OrdinalIgnoreCase)
                || Master.Users.Any(user => user.Name.Equals(create.Name, StringComparison.OrdinalIgnoreCase)))
            {
                throw exists;
            }

            Master.Users.Add(new DatabaseUser { Name = create.Name, PrincipalId = Master.NextId++, Sid = login?.Sid });
            SaveMaster();
            return true;
        }

        var database = OpenForWriting(session, session.Database, "ALTER ANY USER");
        return database.Users.ContainsKey(create.Name)
            ? throw exists
            : LogChanges(session, database, [new PutUser(create.Name, 5 + database.Users.Count, login?.Sid)], operation);
    }

    private bool Drop(EngineSession session, DropUser drop, Operation operation)
    {
        if (session.Database.Equals("master", StringComparison.OrdinalIgnoreCase))
        {
            Require(session, "ALTER ANY USER", SecurableClass.Database, "master");
            if (Master.Certificates.Any(certificate => certificate.Owner.Equals(drop.Name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new SqlErrorException(15136, 16, "The database principal owns certificates in the database, and cannot be dropped.");
            }

            if (Master.Users.RemoveAll(user => user.Name.Equals(drop.Name, StringComparison.OrdinalIgnoreCase)) == 0)
            {
                throw new SqlErrorException(Errors.Missing("drop", "user", drop.Name));
            }

            SaveMaster();
            return true;
        }

        var database = OpenForWriting(session, session.Database, "ALTER ANY USER");
        return database.Users.ContainsKey(drop.Name)
            ? LogChanges(session, database, [new RemoveUser(drop.Name)], operation)
            : throw new SqlErrorException(Errors.Missing("drop", "user", drop.Name));
    }
}
