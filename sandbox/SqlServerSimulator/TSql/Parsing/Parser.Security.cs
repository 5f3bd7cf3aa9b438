using System.Net;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Parsing;

/// <summary>Logins, users, roles, permissions, keys, certificates and endpoints.</summary>
internal sealed partial class Parser
{
    private CreateLogin ParseCreateLogin()
    {
        var name = TakeName();
        if (Accept("FROM"))
        {
            if (!At("CERTIFICATE")) throw NotSimulated($"CREATE LOGIN FROM {Current.Text.ToUpperInvariant()}");
            Take();
            return new CreateLogin(name, null) { Certificate = TakeName() };
        }

        Expect("WITH", "PASSWORD", "=");
        var (password, hash, mustChange) = ParsePassword();
        var login = new CreateLogin(name, password) { PasswordHash = hash, MustChange = mustChange };
        var seen = new HashSet<string>();
        while (Accept(","))
        {
            var option = ParseLoginOption(seen, "SID", "DEFAULT_DATABASE", "DEFAULT_LANGUAGE", "CHECK_EXPIRATION", "CHECK_POLICY", "CREDENTIAL");
            login = option switch
            {
                "SID" => login with { Sid = TakeBinary() },
                "DEFAULT_DATABASE" => login with { DefaultDatabase = TakeName() },
                "CHECK_EXPIRATION" => login with { CheckExpiration = TakeOnOff() },
                _ => login with { CheckPolicy = TakeOnOff() },
            };
        }

        return login;
    }

    private (string? Text, byte[]? Hash, bool MustChange) ParsePassword()
    {
        if (Current.Kind != TokenKind.Binary) return (TakeText(), null, Accept("MUST_CHANGE"));
        var hash = TakeBinary();
        Expect("HASHED");
        return (null, hash, Accept("MUST_CHANGE"));
    }

    private string ParseLoginOption(HashSet<string> seen, params ReadOnlySpan<string> known)
    {
        if (At("DEFAULT_LANGUAGE") || At("CREDENTIAL")) throw NotSimulated(Current.Text.ToUpperInvariant());
        var start = Current;
        var option = known[TakeOneOf(known)];
        if (!seen.Add(option)) throw Wrong(start);
        Expect("=");
        return option;
    }

    private AlterLogin ParseAlterLogin()
    {
        var login = new AlterLogin(TakeName());
        if (Accept("ENABLE")) return login with { Enabled = true };
        if (Accept("DISABLE")) return login with { Enabled = false };
        if (At("ADD") || At("DROP")) throw NotSimulated("ALTER LOGIN … CREDENTIAL");
        Expect("WITH");
        var seen = new HashSet<string>();
        do
        {
            switch (ParseLoginOption(seen, "PASSWORD", "NAME", "DEFAULT_DATABASE", "DEFAULT_LANGUAGE", "CHECK_EXPIRATION", "CHECK_POLICY", "CREDENTIAL"))
            {
                case "PASSWORD":
                    var (password, hash, mustChange) = ParsePassword();
                    login = login with { Password = password, PasswordHash = hash, MustChange = mustChange };
                    if (Accept("OLD_PASSWORD"))
                    {
                        Expect("=");
                        login = login with { OldPassword = TakeText() };
                    }

                    login = Accept("UNLOCK") ? login with { Unlock = true } : login;
                    login = Accept("MUST_CHANGE") ? login with { MustChange = true } : login;
                    break;
                case "NAME":
                    login = login with { NewName = TakeName() };
                    break;
                case "DEFAULT_DATABASE":
                    login = login with { DefaultDatabase = TakeName() };
                    break;
                case "CHECK_EXPIRATION":
                    login = login with { CheckExpiration = TakeOnOff() };
                    break;
                default:
                    login = login with { CheckPolicy = TakeOnOff() };
                    break;
            }
        }
        while (Accept(","));
        return login;
    }

    private CreateUser ParseCreateUser()
    {
        var name = TakeName();
        string? login = name;
        if (Accept("WITHOUT"))
        {
            Expect("LOGIN");
            login = null;
        }
        else if (Accept("FOR") || Accept("FROM"))
        {
            if (At("CERTIFICATE") || At("ASYMMETRIC")) throw NotSimulated($"CREATE USER FOR {Current.Text.ToUpperInvariant()}");
            Expect("LOGIN");
            login = TakeName();
        }

        if (!Accept("WITH")) return new CreateUser(name, login);
        if (At("PASSWORD")) throw NotSimulated("A contained user");
        Expect("DEFAULT_SCHEMA", "=");
        return new CreateUser(name, login) { DefaultSchema = TakeName() };
    }

    private AlterUser ParseAlterUser()
    {
        var user = new AlterUser(TakeName());
        var seen = new HashSet<int>();
        Expect("WITH");
        do
        {
            var start = Current;
            if (At("PASSWORD") || At("DEFAULT_LANGUAGE")) throw NotSimulated($"ALTER USER … {Current.Text.ToUpperInvariant()}");
            var option = TakeOneOf("NAME", "LOGIN", "DEFAULT_SCHEMA");
            if (!seen.Add(option)) throw Wrong(start);
            Expect("=");
            var value = TakeName();
            user = option switch
            {
                0 => user with { NewName = value },
                1 => user with { Login = value },
                _ => user with { DefaultSchema = value },
            };
        }
        while (Accept(","));
        return user;
    }

    private CreateRole ParseCreateRole()
    {
        var name = TakeName();
        return new CreateRole(name, Accept("AUTHORIZATION") ? TakeName() : null);
    }

    private EngineCommand ParseAlterRole(bool server)
    {
        var role = TakeName();
        if (At("WITH")) throw NotSimulated("A new name for a role");
        var add = TakeOneOf("ADD", "DROP") == 0;
        Expect("MEMBER");
        var member = TakeName();
        return server ? new AlterServerRole(role, member, add) : new AlterRole(role, member, add);
    }

    private EngineCommand ParseAlterMasterKey()
    {
        Expect("KEY");
        if (At("FORCE")) throw NotSimulated("ALTER MASTER KEY FORCE");
        if (At("ADD") || At("DROP"))
        {
            var add = Take().Is("ADD");
            Expect("ENCRYPTION", "BY");
            if (Accept("SERVICE"))
            {
                Expect("MASTER", "KEY");
                return new AlterMasterKeyEncryption(add, null);
            }

            Expect("PASSWORD", "=");
            return new AlterMasterKeyEncryption(add, TakeText());
        }

        Expect("REGENERATE", "WITH", "ENCRYPTION", "BY", "PASSWORD", "=");
        return new RegenerateMasterKey(TakeText());
    }

    private EngineCommand ParseMasterKeySession(Token verb)
    {
        Expect("MASTER", "KEY");
        if (verb.Is("CLOSE")) return new CloseMasterKey();
        Expect("DECRYPTION", "BY", "PASSWORD", "=");
        return new OpenMasterKey(TakeText());
    }

    private RestoreMasterKey ParseRestoreMasterKey()
    {
        Expect("MASTER", "KEY", "FROM", "FILE", "=");
        var file = TakeText();
        Expect("DECRYPTION", "BY", "PASSWORD", "=");
        var decryption = TakeText();
        Expect("ENCRYPTION", "BY", "PASSWORD", "=");
        var restore = new RestoreMasterKey(file, decryption, TakeText());
        if (At("FORCE")) throw NotSimulated("RESTORE MASTER KEY FORCE");
        return restore;
    }

    /// <summary>BACKUP MASTER KEY and BACKUP CERTIFICATE.</summary>
    private EngineCommand ParseBackupOfKeys()
    {
        if (Accept("MASTER"))
        {
            Expect("KEY", "TO", "FILE", "=");
            var path = TakeText();
            Expect("ENCRYPTION", "BY", "PASSWORD", "=");
            return new BackUpMasterKey(path, TakeText());
        }

        Expect("CERTIFICATE");
        var name = TakeName();
        Expect("TO", "FILE", "=");
        var backup = new BackUpCertificate(name, TakeText());
        if (!Accept("WITH")) return backup;
        if (AcceptFormat(out var pfx))
        {
            backup = backup with { Pfx = pfx };
            if (!Accept(",")) return pfx ? throw Wrong() : backup;
        }

        Expect("PRIVATE", "KEY", "(");
        var seen = new HashSet<int>();
        do
        {
            var start = Current;
            if (At("BINARY")) throw Wrong();
            var option = TakeOneOf("FILE", "ENCRYPTION", "DECRYPTION", "ALGORITHM");
            if (!seen.Add(option) || (option == 0 && pfx)) throw Wrong(start);
            if (option is 1 or 2) Expect("BY", "PASSWORD");
            Expect("=");
            var value = TakeText();
            backup = option switch
            {
                0 => backup with { PrivateKeyFile = value },
                1 => backup with { EncryptionPassword = value },
                2 => backup with { DecryptionPassword = value },
                _ => value is "AES_256" or "TRIPLE_DES_3KEY" && pfx ? backup : throw Wrong(start),
            };
        }
        while (Accept(","));
        Expect(")");
        return backup.EncryptionPassword is null || (backup.PrivateKeyFile is null && !pfx) ? throw Wrong() : backup;
    }

    private bool AcceptFormat(out bool pfx)
    {
        pfx = false;
        if (!Accept("FORMAT")) return false;
        Expect("=");
        var start = Current;
        var format = TakeText();
        pfx = format.Equals("PFX", StringComparison.OrdinalIgnoreCase) || (format.Equals("DER", StringComparison.OrdinalIgnoreCase) ? false : throw Wrong(start));
        return true;
    }

    private EngineCommand ParseCreateCertificate()
    {
        var name = TakeName();
        var owner = Accept("AUTHORIZATION") ? TakeName() : null;
        if (Accept("FROM"))
        {
            if (At("ASSEMBLY") || At("EXECUTABLE")) throw NotSimulated($"CREATE CERTIFICATE FROM {Current.Text.ToUpperInvariant()}");
            return Accept("FILE") ? ParseCertificateFile(name, owner) : ParseCertificateBinary(name, owner);
        }

        string? password = null;
        if (Accept("ENCRYPTION"))
        {
            Expect("BY", "PASSWORD", "=");
            password = TakeText();
        }

        Expect("WITH", "SUBJECT", "=");
        var generated = new GenerateCertificate(name, owner, TakeText()) { EncryptionPassword = password };
        while (Accept(","))
        {
            var start = TakeOneOf("START_DATE", "EXPIRY_DATE") == 0;
            Expect("=");
            var date = ParseDate(TakeText());
            generated = start ? generated with { StartDate = date } : generated with { ExpiryDate = date };
        }

        return generated;
    }

    private LoadCertificate ParseCertificateFile(string name, string? owner)
    {
        Expect("=");
        var certificate = new LoadCertificate(name, owner, TakeText());
        if (!Accept("WITH")) return certificate;
        if (AcceptFormat(out var pfx))
        {
            certificate = certificate with { Pfx = pfx };
            if (!Accept(",")) return certificate;
        }

        Expect("PRIVATE", "KEY", "(");
        if (At("BINARY")) throw MixedModes();
        if (!pfx)
        {
            Expect("FILE", "=");
            certificate = certificate with { PrivateKeyFile = TakeText() };
        }

        var first = pfx;
        while (first || Accept(","))
        {
            first = false;
            var (decryption, encryption) = ParseKeyPassword();
            certificate = certificate with
            {
                DecryptionPassword = decryption ?? certificate.DecryptionPassword, EncryptionPassword = encryption ?? certificate.EncryptionPassword,
            };
        }

        Expect(")");
        return certificate;
    }

    private CreateCertificate ParseCertificateBinary(string name, string? owner)
    {
        Expect("BINARY", "=");
        var certificate = new CreateCertificate(name, owner, TakeBinary());
        if (!Accept("WITH")) return certificate;
        Expect("PRIVATE", "KEY", "(");
        if (At("FILE")) throw MixedModes();
        Expect("BINARY", "=");
        certificate = certificate with { PrivateKey = TakeBinary() };
        while (Accept(","))
        {
            var (decryption, encryption) = ParseKeyPassword();
            certificate = certificate with
            {
                DecryptionPassword = decryption ?? certificate.DecryptionPassword, EncryptionPassword = encryption ?? certificate.EncryptionPassword,
            };
        }

        Expect(")");
        return certificate;
    }

    private SqlErrorException MixedModes() => Fail(
        33069, 16, "CREATE CERTIFICATE statement cannot mix file and binary modes. Rewrite the statement using only the FILE or the BINARY keyword.");

    private (string? Decryption, string? Encryption) ParseKeyPassword()
    {
        var decryption = TakeOneOf("DECRYPTION", "ENCRYPTION") == 0;
        Expect("BY", "PASSWORD", "=");
        var password = TakeText();
        return decryption ? (password, null) : (null, password);
    }

    private DateTime ParseDate(string text)
    {
        try
        {
            var date = (DateTime)Conversion.Convert(text, Types.Text(-1), Types.DateTime2)!;
            return DateTime.SpecifyKind(date, DateTimeKind.Utc);
        }
        catch (SqlErrorException)
        {
            throw Fail(15295, 16, $"The certificate date '{text}' is not a valid date.");
        }
    }

    private CreateEndpoint ParseCreateEndpoint()
    {
        var endpoint = new CreateEndpoint(TakeName(), 0, "");
        if (Accept("AUTHORIZATION")) endpoint = endpoint with { Owner = TakeName() };
        if (Accept("STATE"))
        {
            Expect("=");
            var state = TakeOneOf("STARTED", "STOPPED", "DISABLED");
            endpoint = endpoint with { Started = state == 0, Disabled = state == 2 };
        }

        Expect("AS", "TCP", "(");
        var port = false;
        do
        {
            if (Accept("LISTENER_IP"))
            {
                Expect("=");
                endpoint = endpoint with { ListenerIp = ParseListenerIp() };
            }
            else
            {
                Expect("LISTENER_PORT", "=");
                endpoint = endpoint with { Port = TakeInt(65535) };
                port = true;
            }
        }
        while (Accept(","));
        if (!port) throw Wrong();
        Expect(")", "FOR");
        if (!At("DATABASE_MIRRORING") && !At("DATA_MIRRORING")) throw NotSimulated($"ENDPOINT FOR {Current.Text.ToUpperInvariant()}");
        Take();
        var (options, role) = ParseMirroringOptions();
        if (options.Certificate is null) throw NotSimulated("An endpoint that authenticates other than by certificate");
        return role is { } given
            ? endpoint with { Certificate = options.Certificate, Role = given, Encrypted = options.Encrypted ?? true }
            : throw Wrong();
    }

    private string? ParseListenerIp()
    {
        if (Accept("ALL")) return null;
        Expect("(");
        var start = Current;
        var text = Current.Kind is TokenKind.Text or TokenKind.NationalText ? Take().Text : string.Concat(TakeUntil(")"));
        if (!IPAddress.TryParse(text, out var address) || (start.Kind == TokenKind.Decimal && address.ToString() != text)) throw Wrong();
        Expect(")");
        return text;
    }

    private List<string> TakeUntil(string end)
    {
        var parts = new List<string>();
        while (!At(end) && Current.Kind is TokenKind.Integer or TokenKind.Decimal or TokenKind.Symbol) parts.Add(Take().Text);
        return parts;
    }

    private ((string? Certificate, bool? Encrypted) Options, EndpointRole? Role) ParseMirroringOptions()
    {
        string? certificate = null;
        bool? encrypted = null;
        EndpointRole? role = null;
        Expect("(");
        do
        {
            if (Accept("ROLE"))
            {
                Expect("=");
                role = TakeOneOf("PARTNER", "WITNESS", "ALL") switch
                {
                    0 => EndpointRole.Partner,
                    1 => EndpointRole.Witness,
                    _ => EndpointRole.All,
                };
            }
            else if (Accept("AUTHENTICATION"))
            {
                Expect("=");
                if (At("WINDOWS")) throw NotSimulated("AUTHENTICATION = WINDOWS");
                Expect("CERTIFICATE");
                certificate = TakeName();
                if (At("WINDOWS")) throw NotSimulated("AUTHENTICATION = CERTIFICATE … WINDOWS");
            }
            else
            {
                Expect("ENCRYPTION", "=");
                if (At("SUPPORTED")) throw NotSimulated("ENCRYPTION = SUPPORTED");
                encrypted = TakeOneOf("DISABLED", "REQUIRED") == 1;
                if (encrypted == true && Accept("ALGORITHM"))
                {
                    if (At("RC4")) throw NotSimulated("ALGORITHM RC4");
                    Expect("AES");
                    if (At("RC4")) throw NotSimulated("ALGORITHM AES RC4");
                }
            }
        }
        while (Accept(","));
        Expect(")");
        return ((certificate, encrypted), role);
    }

    private AlterEndpoint ParseAlterEndpoint()
    {
        var endpoint = new AlterEndpoint(TakeName());
        var any = false;
        if (Accept("STATE"))
        {
            Expect("=");
            var state = TakeOneOf("STARTED", "STOPPED", "DISABLED");
            endpoint = endpoint with { Started = state == 0, Disabled = state == 2 };
            any = true;
        }

        if (Accept("AS"))
        {
            Expect("TCP", "(", "LISTENER_PORT", "=");
            endpoint = endpoint with { Port = TakeInt(65535) };
            if (At(",")) throw NotSimulated("ALTER ENDPOINT … LISTENER_IP");
            Expect(")");
            any = true;
        }

        if (Accept("FOR"))
        {
            if (!At("DATABASE_MIRRORING") && !At("DATA_MIRRORING")) throw NotSimulated($"ENDPOINT FOR {Current.Text.ToUpperInvariant()}");
            Take();
            var (options, role) = ParseMirroringOptions();
            endpoint = endpoint with { Certificate = options.Certificate, Role = role, Encrypted = options.Encrypted };
            any = true;
        }

        return any ? endpoint : throw Wrong();
    }

    private AlterAuthorization ParseAuthorization()
    {
        Expect("ON");
        var (@class, name) = ParseSecurable();
        Expect("TO");
        return new AlterAuthorization(@class, name, TakeName());
    }

    private (SecurableClass Class, string Name) ParseSecurable()
    {
        if (Accept("AVAILABILITY"))
        {
            Expect("GROUP", "::");
            return (SecurableClass.AvailabilityGroup, TakeName());
        }

        if (At("SERVER", "ROLE") && Ahead(2).Is("::"))
        {
            Expect("SERVER", "ROLE", "::");
            return (SecurableClass.ServerRole, TakeName());
        }

        SecurableClass? @class = Ahead(1).Is("::")
            ? Current.Text.ToUpperInvariant() switch
            {
                "ENDPOINT" => SecurableClass.Endpoint,
                "CERTIFICATE" => SecurableClass.Certificate,
                "LOGIN" => SecurableClass.Login,
                "USER" => SecurableClass.User,
                "ROLE" => SecurableClass.Role,
                "DATABASE" => SecurableClass.Database,
                "SCHEMA" => SecurableClass.Schema,
                "OBJECT" => SecurableClass.Object,
                _ => throw NotSimulated($"Securable {Current.Text.ToUpperInvariant()}"),
            }
            : null;
        if (@class is { } given)
        {
            Take();
            Take();
            return (given, ParseObjectName().ToString());
        }

        return (SecurableClass.Object, ParseObjectName().ToString());
    }

    private ChangePermissions ParsePermissions(GrantKind kind)
    {
        var grantOptionFor = false;
        if (kind == GrantKind.Revoke && Accept("GRANT"))
        {
            Expect("OPTION", "FOR");
            grantOptionFor = true;
        }

        var permissions = new List<string>();
        do
        {
            var words = new List<string>();
            while (Current.Kind == TokenKind.Name && !At("ON") && !At("TO") && !At("FROM")) words.Add(Take().Text.ToUpperInvariant());
            if (At("(")) throw NotSimulated("A permission on columns");
            var permission = string.Join(' ', words);
            if (!PermissionNames.All.Contains(permission)) throw words.Count == 0 ? Wrong() : Wrong(Ahead(-words.Count));
            permissions.Add(permission);
        }
        while (Accept(","));

        var @class = SecurableClass.Server;
        string? securable = null;
        if (Accept("ON"))
        {
            (@class, securable) = ParseSecurable();
        }
        else if (permissions.TrueForAll(SqlInstance.IsDatabasePermission))
        {
            @class = SecurableClass.Database;
        }

        if (kind == GrantKind.Revoke)
        {
            if (!Accept("FROM")) Expect("TO");
        }
        else
        {
            Expect("TO");
        }

        // PUBLIC is reserved and yet a principal.
        var grantees = new List<string>();
        do
        {
            grantees.Add(At("PUBLIC") ? Take().Text : TakeName());
        }
        while (Accept(","));
        var withGrant = false;
        if (kind == GrantKind.Grant && Accept("WITH"))
        {
            Expect("GRANT", "OPTION");
            withGrant = true;
        }

        var cascade = kind != GrantKind.Grant && Accept("CASCADE");
        if (At("AS")) throw NotSimulated("AS in a statement about permissions");
        return new ChangePermissions(kind, permissions, @class, securable, grantees[0])
        {
            MoreGrantees = grantees[1..], WithGrantOption = withGrant, GrantOptionOnly = grantOptionFor, Cascade = cascade,
        };
    }
}
