using System.Net;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Parsing;

internal sealed partial class Parser
{
    private Statement ParseDefinition(Token verb)
    {
        Take();
        var line = verb.Line;
        switch (verb.Text.ToUpperInvariant())
        {
            case "CREATE":
                if (Accept("OR", "ALTER")) throw NotSimulated("CREATE OR ALTER");
                return ParseCreate(line);
            case "ALTER":
                return ParseAlter(line);
            case "DROP":
                return ParseDrop(line);
            case "GRANT":
                return Engine(ParsePermissions(GrantKind.Grant), line);
            case "DENY":
                return Engine(ParsePermissions(GrantKind.Deny), line);
            case "REVOKE":
                return Engine(ParsePermissions(GrantKind.Revoke), line);
            case "BACKUP":
                return ParseBackup(line);
            case "RESTORE":
                return ParseRestore(line);
            default:
                throw NotSimulated($"{verb.Text.ToUpperInvariant()} {Current.Text.ToUpperInvariant()}");
        }
    }

    private static EngineStatement Engine(EngineCommand command, int line, string? outsideTransaction = null) =>
        new(command, line) { OutsideTransaction = outsideTransaction };

    private Statement ParseCreate(int line)
    {
        if (Accept("LOGIN")) return Engine(ParseCreateLogin(), line);
        if (Accept("USER")) return Engine(ParseCreateUser(), line);
        if (Accept("MASTER"))
        {
            Expect("KEY", "ENCRYPTION", "BY", "PASSWORD", "=");
            return Engine(new CreateMasterKey(TakeText()), line);
        }

        if (Accept("CERTIFICATE")) return Engine(ParseCreateCertificate(), line);
        if (Accept("ENDPOINT")) return Engine(ParseCreateEndpoint(), line);
        if (Accept("DATABASE")) return Engine(ParseCreateDatabase(), line, "CREATE DATABASE");
        if (Accept("TABLE")) return ParseCreateTable(line);
        if (At("AVAILABILITY"))
        {
            // CREATE AVAILABILITY GROUP must not stand between BEGIN and END.
            if (_blocks > 0) throw Wrong();
            Take();
            Expect("GROUP");
            return ParseCreateGroup(line);
        }

        foreach (var known in (ReadOnlySpan<string>)["PROCEDURE", "PROC", "VIEW", "FUNCTION", "TRIGGER", "INDEX", "UNIQUE", "CLUSTERED", "NONCLUSTERED",
            "SCHEMA", "TYPE", "SEQUENCE", "ROLE", "SERVER", "CREDENTIAL", "SYMMETRIC", "ASYMMETRIC", "EVENT", "STATISTICS", "SYNONYM"])
        {
            if (At(known)) throw NotSimulated($"CREATE {known}");
        }

        throw Wrong();
    }

    private Statement ParseAlter(int line)
    {
        if (Accept("LOGIN")) return Engine(ParseAlterLogin(), line);
        if (Accept("SERVER", "ROLE"))
        {
            var role = TakeName();
            var add = TakeOneOf("ADD", "DROP") == 0;
            Expect("MEMBER");
            return Engine(new AlterServerRole(role, TakeName(), add), line);
        }

        if (Accept("MASTER"))
        {
            Expect("KEY");
            if (Accept("FORCE")) throw NotSimulated("ALTER MASTER KEY FORCE");
            if (At("ADD") || At("DROP")) throw NotSimulated($"ALTER MASTER KEY {Current.Text.ToUpperInvariant()} ENCRYPTION");
            Expect("REGENERATE", "WITH", "ENCRYPTION", "BY", "PASSWORD", "=");
            return Engine(new RegenerateMasterKey(TakeText()), line);
        }

        if (Accept("ENDPOINT")) return Engine(ParseAlterEndpoint(), line);
        if (Accept("DATABASE")) return ParseAlterDatabase(line);
        if (Accept("AUTHORIZATION")) return Engine(ParseAuthorization(), line);
        if (Accept("AVAILABILITY"))
        {
            Expect("GROUP");
            return ParseAlterGroup(line);
        }

        foreach (var known in (ReadOnlySpan<string>)["TABLE", "USER", "ROLE", "CERTIFICATE", "PROCEDURE", "PROC", "VIEW", "INDEX", "SERVER", "RESOURCE"])
        {
            if (At(known)) throw NotSimulated($"ALTER {known}");
        }

        throw Wrong();
    }

    private Statement ParseDrop(int line)
    {
        if (Accept("TABLE"))
        {
            var exists = AcceptIfExists();
            var tables = new List<ObjectName>();
            do
            {
                tables.Add(ParseObjectName());
            }
            while (Accept(","));
            return new DropTableStatement(tables, exists, line);
        }

        if (Accept("LOGIN")) return Engine(new DropLogin(TakeName()), line);
        if (Accept("USER"))
        {
            var exists = AcceptIfExists();
            var name = TakeName();
            return exists ? new DropIfExistsStatement(new DropUser(name), "database_principals", name, line) : Engine(new DropUser(name), line);
        }

        if (Accept("MASTER"))
        {
            Expect("KEY");
            return Engine(new DropMasterKey(), line);
        }

        if (Accept("CERTIFICATE")) return Engine(new DropCertificate(TakeName()), line);
        if (Accept("ENDPOINT")) return Engine(new DropEndpoint(TakeName()), line);
        if (Accept("DATABASE")) return ParseDropDatabase(line);
        if (Accept("AVAILABILITY"))
        {
            Expect("GROUP");
            return Engine(new DropGroup(TakeName()), line, "DROP AVAILABILITY GROUP");
        }

        foreach (var known in (ReadOnlySpan<string>)["PROCEDURE", "PROC", "VIEW", "FUNCTION", "TRIGGER", "INDEX", "SCHEMA", "TYPE", "ROLE", "SERVER", "CREDENTIAL"])
        {
            if (At(known)) throw NotSimulated($"DROP {known}");
        }

        throw Wrong();
    }

    private bool AcceptIfExists()
    {
        if (!Accept("IF")) return false;
        Expect("EXISTS");
        return true;
    }

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
        if (Current.Kind == TokenKind.Binary) throw NotSimulated("PASSWORD … HASHED");
        var login = new CreateLogin(name, TakeText());
        if (At("MUST_CHANGE")) throw NotSimulated("MUST_CHANGE");
        while (Accept(","))
        {
            if (Accept("SID"))
            {
                Expect("=");
                login = login with { Sid = TakeBinary() };
            }
            else if (Accept("DEFAULT_DATABASE"))
            {
                Expect("=");
                login = login with { DefaultDatabase = TakeName() };
            }
            else if (Accept("CHECK_POLICY"))
            {
                Expect("=");
                login = login with { CheckPolicy = TakeOnOff() };
            }
            else
            {
                ParseCheckExpiration();
            }
        }

        return login;
    }

    private void ParseCheckExpiration()
    {
        if (At("DEFAULT_LANGUAGE") || At("CREDENTIAL")) throw NotSimulated(Current.Text.ToUpperInvariant());
        Expect("CHECK_EXPIRATION", "=");
        if (TakeOnOff()) throw NotSimulated("CHECK_EXPIRATION = ON");
    }

    private AlterLogin ParseAlterLogin()
    {
        var login = new AlterLogin(TakeName());
        if (Accept("ENABLE")) return login with { Enabled = true };
        if (Accept("DISABLE")) return login with { Enabled = false };
        Expect("WITH");
        do
        {
            if (Accept("PASSWORD"))
            {
                Expect("=");
                if (Current.Kind == TokenKind.Binary) throw NotSimulated("PASSWORD … HASHED");
                login = login with { Password = TakeText() };
                if (Accept("OLD_PASSWORD"))
                {
                    Expect("=");
                    login = login with { OldPassword = TakeText() };
                }

                if (At("MUST_CHANGE")) throw NotSimulated("MUST_CHANGE");

                // No login is ever locked here: there is nothing to undo.
                Accept("UNLOCK");
            }
            else if (Accept("NAME"))
            {
                Expect("=");
                login = login with { NewName = TakeName() };
            }
            else if (Accept("DEFAULT_DATABASE"))
            {
                Expect("=");
                login = login with { DefaultDatabase = TakeName() };
            }
            else if (Accept("CHECK_POLICY"))
            {
                Expect("=");
                login = login with { CheckPolicy = TakeOnOff() };
            }
            else
            {
                ParseCheckExpiration();
            }
        }
        while (Accept(","));
        return login;
    }

    private CreateUser ParseCreateUser()
    {
        var name = TakeName();
        if (Accept("WITHOUT"))
        {
            Expect("LOGIN");
            return new CreateUser(name, null);
        }

        if (Accept("FOR") || Accept("FROM"))
        {
            if (At("CERTIFICATE")) throw NotSimulated("CREATE USER FOR CERTIFICATE");
            Expect("LOGIN");
            return new CreateUser(name, TakeName());
        }

        if (At("WITH")) throw NotSimulated("CREATE USER … WITH");
        return new CreateUser(name, name);
    }

    private EngineCommand ParseCreateCertificate()
    {
        var name = TakeName();
        var owner = Accept("AUTHORIZATION") ? TakeName() : null;
        if (Accept("FROM"))
        {
            if (!At("BINARY")) throw NotSimulated($"CREATE CERTIFICATE FROM {Current.Text.ToUpperInvariant()}");
            Expect("BINARY", "=");
            var certificate = new CreateCertificate(name, owner, TakeBinary());
            if (!Accept("WITH")) return certificate;
            Expect("PRIVATE", "KEY", "(");
            if (At("FILE")) throw Fail(33069, 16, "CREATE CERTIFICATE statement cannot mix file and binary modes. Rewrite the statement using only the FILE or the BINARY keyword.");
            Expect("BINARY", "=");
            certificate = certificate with { PrivateKey = TakeBinary() };
            while (Accept(","))
            {
                if (Accept("DECRYPTION"))
                {
                    Expect("BY", "PASSWORD", "=");
                    certificate = certificate with { DecryptionPassword = TakeText() };
                }
                else
                {
                    Expect("ENCRYPTION", "BY", "PASSWORD", "=");
                    certificate = certificate with { EncryptionPassword = TakeText() };
                }
            }

            Expect(")");
            return certificate;
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
            endpoint = endpoint with { Started = TakeOneOf("STARTED", "STOPPED", "DISABLED") == 0 };
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
            endpoint = endpoint with { Started = TakeOneOf("STARTED", "STOPPED", "DISABLED") == 0 };
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
            if (options.Encrypted == false) throw NotSimulated("ALTER ENDPOINT … ENCRYPTION = DISABLED");
            endpoint = endpoint with { Certificate = options.Certificate, Role = role };
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

        SecurableClass? @class = Ahead(1).Is("::")
            ? Current.Text.ToUpperInvariant() switch
            {
                "ENDPOINT" => SecurableClass.Endpoint,
                "CERTIFICATE" => SecurableClass.Certificate,
                "LOGIN" => SecurableClass.Login,
                "USER" => SecurableClass.User,
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

        if (grantOptionFor) throw NotSimulated("REVOKE GRANT OPTION FOR");
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
        else if (permissions.TrueForAll(IsDatabasePermission))
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
        var grantee = At("PUBLIC") ? Take().Text : TakeName();
        if (At(",")) throw NotSimulated("Permissions for several principals in one statement");
        var withGrant = false;
        if (kind == GrantKind.Grant && Accept("WITH"))
        {
            Expect("GRANT", "OPTION");
            withGrant = true;
        }

        if (kind != GrantKind.Grant) Accept("CASCADE");
        if (At("AS")) throw NotSimulated("AS in a statement about permissions");
        return new ChangePermissions(kind, permissions, @class, securable, grantee) { WithGrantOption = withGrant };
    }

    /// <summary>Permissions that are of the current database when no securable is named.</summary>
    private static bool IsDatabasePermission(string permission) => permission is
        "CREATE CERTIFICATE" or "ALTER ANY USER" or "CREATE TABLE" or "CREATE DATABASE" or "BACKUP DATABASE" or "BACKUP LOG" or "CONNECT" or "SELECT"
        or "INSERT" or "UPDATE" or "DELETE" or "EXECUTE" or "CONTROL" or "ALTER" or "VIEW DEFINITION" or "VIEW DATABASE STATE" or "REFERENCES"
        or "ALTER ANY CERTIFICATE" or "CREATE SCHEMA" or "ALTER ANY SCHEMA" or "CREATE USER";

    private CreateTableStatement ParseCreateTable(int line)
    {
        var table = ParseObjectName();
        RefuseGlobalTemporary(table);
        Expect("(");
        var columns = new List<TableColumn>();
        List<string>? key = null;
        string? keyName = null;
        do
        {
            if (At(")") && columns.Count > 0) break;
            string? constraint = null;
            if (Accept("CONSTRAINT")) constraint = TakeName();
            if (Accept("PRIMARY"))
            {
                Expect("KEY");
                if (key is not null || columns.Any(column => column.PrimaryKey)) throw TwoKeys(table);
                keyName = constraint;
                _ = Accept("CLUSTERED") || Accept("NONCLUSTERED");
                Expect("(");
                key = [];
                do
                {
                    key.Add(TakeName());
                    _ = Accept("ASC") || Accept("DESC");
                }
                while (Accept(","));
                Expect(")");
                continue;
            }

            if (constraint is not null || At("UNIQUE") || At("FOREIGN") || At("CHECK") || At("INDEX")) throw NotSimulated("A constraint other than PRIMARY KEY");
            var column = ParseTableColumn();
            if (column.PrimaryKey && (key is not null || columns.Any(other => other.PrimaryKey))) throw TwoKeys(table);
            columns.Add(column);
        }
        while (Accept(","));
        Expect(")");
        if (Accept("ON"))
        {
            if (!Current.Text.Equals("PRIMARY", StringComparison.OrdinalIgnoreCase)) throw NotSimulated("A file group");
            Take();
        }

        if (At("WITH")) throw NotSimulated("CREATE TABLE … WITH");
        key ??= columns.Where(column => column.PrimaryKey).Select(column => column.Name).ToList();
        return new CreateTableStatement(table, columns, key, keyName, line);
    }

    private SqlErrorException TwoKeys(ObjectName table) =>
        Fail(8110, 16, $"Cannot add multiple PRIMARY KEY constraints to table '{table.Name}'.");

    private TableColumn ParseTableColumn()
    {
        var name = TakeName();
        if (At("AS")) throw NotSimulated("A computed column");
        var type = ParseType(defaultLength: 1);
        bool? nullable = null;
        var (identity, key) = (false, false);
        var (seed, increment) = (1L, 1L);
        Expression? initial = null;
        string? text = null;
        while (true)
        {
            if (Accept("NOT"))
            {
                Expect("NULL");
                nullable = nullable is null ? false : throw Wrong(Ahead(-1));
            }
            else if (Accept("NULL"))
            {
                nullable = nullable is null ? true : throw Wrong(Ahead(-1));
            }
            else if (Accept("IDENTITY"))
            {
                identity = identity ? throw Wrong(Ahead(-1)) : true;
                if (!Accept("(")) continue;
                seed = TakeInteger();
                Expect(",");
                increment = TakeInteger();
                Expect(")");
            }
            else if (Accept("PRIMARY"))
            {
                Expect("KEY");
                _ = Accept("CLUSTERED") || Accept("NONCLUSTERED");
                key = true;
            }
            else if (Accept("CONSTRAINT"))
            {
                TakeName();
                if (!At("PRIMARY") && !At("DEFAULT")) throw NotSimulated("A constraint other than PRIMARY KEY and DEFAULT");
            }
            else if (Accept("DEFAULT"))
            {
                var first = _at;
                initial = ParseAdditive();
                if (initial.IsCondition) throw Wrong();
                text = string.Join(' ', Enumerable.Range(first, _at - first).Select(i => Source(_tokens[i])));
            }
            else if (Accept("COLLATE"))
            {
                TakeName();
            }
            else if (At("UNIQUE") || At("REFERENCES") || At("CHECK") || At("FOREIGN") || At("ROWGUIDCOL") || At("SPARSE") || At("INDEX"))
            {
                throw NotSimulated($"{Current.Text.ToUpperInvariant()} on a column");
            }
            else
            {
                break;
            }
        }

        return new TableColumn(name, type, nullable, identity, seed, increment, initial, text, key);
    }

    /// <summary>A token as it may be written again.</summary>
    private static string Source(Token token) => token.Kind switch
    {
        TokenKind.Text => $"'{token.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        TokenKind.NationalText => $"N'{token.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        TokenKind.QuotedName => $"[{token.Text.Replace("]", "]]", StringComparison.Ordinal)}]",
        _ => token.Text,
    };
}
