using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;

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
                return At("CERTIFICATE") || At("MASTER") ? Engine(ParseBackupOfKeys(), line) : ParseBackup(line);
            case "RESTORE":
                return At("MASTER") ? Engine(ParseRestoreMasterKey(), line) : ParseRestore(line);
            case "OPEN" or "CLOSE" when At("MASTER"):
                return Engine(ParseMasterKeySession(verb), line);
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

        if (Accept("ROLE")) return Engine(ParseCreateRole(), line);
        if (Accept("SERVER", "ROLE"))
        {
            var role = TakeName();
            return Engine(new CreateServerRole(role, Accept("AUTHORIZATION") ? TakeName() : null), line);
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
            "SCHEMA", "TYPE", "SEQUENCE", "SERVER", "CREDENTIAL", "SYMMETRIC", "ASYMMETRIC", "EVENT", "STATISTICS", "SYNONYM"])
        {
            if (At(known)) throw NotSimulated($"CREATE {known}");
        }

        throw Wrong();
    }

    private Statement ParseAlter(int line)
    {
        if (Accept("LOGIN")) return Engine(ParseAlterLogin(), line);
        if (Accept("USER")) return Engine(ParseAlterUser(), line);
        if (Accept("ROLE")) return Engine(ParseAlterRole(server: false), line);
        if (Accept("SERVER", "ROLE")) return Engine(ParseAlterRole(server: true), line);
        if (Accept("MASTER")) return Engine(ParseAlterMasterKey(), line);
        if (Accept("ENDPOINT")) return Engine(ParseAlterEndpoint(), line);
        if (Accept("DATABASE")) return ParseAlterDatabase(line);
        if (Accept("AUTHORIZATION")) return Engine(ParseAuthorization(), line);
        if (Accept("AVAILABILITY"))
        {
            Expect("GROUP");
            return ParseAlterGroup(line);
        }

        foreach (var known in (ReadOnlySpan<string>)["TABLE", "CERTIFICATE", "PROCEDURE", "PROC", "VIEW", "INDEX", "SERVER", "RESOURCE"])
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
                tables.Add(ParseObjectName(3));
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

        if (Accept("ROLE"))
        {
            var exists = AcceptIfExists();
            var name = TakeName();
            return exists ? new DropIfExistsStatement(new DropRole(name), "database_principals", name, line) : Engine(new DropRole(name), line);
        }

        if (Accept("SERVER", "ROLE")) return Engine(new DropServerRole(TakeName()), line);
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

        foreach (var known in (ReadOnlySpan<string>)["PROCEDURE", "PROC", "VIEW", "FUNCTION", "TRIGGER", "INDEX", "SCHEMA", "TYPE", "SERVER", "CREDENTIAL"])
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

    private CreateTableStatement ParseCreateTable(int line)
    {
        var table = ParseObjectName(3);
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
