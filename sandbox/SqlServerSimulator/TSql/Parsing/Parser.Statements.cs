using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Parsing;

internal sealed partial class Parser
{
    private static readonly string[] s_options =
    [
        "NOCOUNT", "XACT_ABORT", "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ANSI_NULL_DFLT_ON", "ANSI_DEFAULTS", "ARITHABORT",
        "ARITHIGNORE", "QUOTED_IDENTIFIER", "CONCAT_NULL_YIELDS_NULL", "NUMERIC_ROUNDABORT", "CURSOR_CLOSE_ON_COMMIT", "IMPLICIT_TRANSACTIONS",
        "FMTONLY", "NOEXEC", "PARSEONLY", "SHOWPLAN_ALL", "SHOWPLAN_XML", "NO_BROWSETABLE", "REMOTE_PROC_TRANSACTIONS", "FORCEPLAN",
    ];

    /// <summary>Options whose other value would change results in ways that the simulator does not have.</summary>
    private static readonly Dictionary<string, bool> s_fixed = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ANSI_NULLS"] = true, ["ANSI_PADDING"] = true, ["CONCAT_NULL_YIELDS_NULL"] = true,
        ["NUMERIC_ROUNDABORT"] = false, ["IMPLICIT_TRANSACTIONS"] = false, ["NOEXEC"] = false, ["PARSEONLY"] = false,
        ["SHOWPLAN_ALL"] = false, ["SHOWPLAN_XML"] = false, ["REMOTE_PROC_TRANSACTIONS"] = false, ["FORCEPLAN"] = false,
    };

    private Statement ParseStatement()
    {
        Enter();
        var statement = ParseStatementCore();
        Leave();
        return statement;
    }

    private Statement ParseStatementCore()
    {
        var token = Current;
        if (token.Kind == TokenKind.Symbol && token.Text == "(") return new SelectStatement(ParseQuery(), token.Line);
        if (token.Kind != TokenKind.Name) throw Wrong();
        switch (token.Text.ToUpperInvariant())
        {
            case "SELECT":
                return new SelectStatement(ParseQuery(), token.Line);
            case "BEGIN":
                return ParseBegin(token.Line);
            case "IF":
                return ParseIf(token.Line);
            case "WHILE":
                Take();
                return new WhileStatement(ParseCondition(), ParseStatement(), token.Line);
            case "BREAK":
                Take();
                return new BreakStatement(token.Line);
            case "CONTINUE":
                Take();
                return new ContinueStatement(token.Line);
            case "RETURN":
                Take();
                return new ReturnStatement(StartsValue() ? ParseValue() : null, token.Line);
            case "DECLARE":
                return ParseDeclare(token.Line);
            case "SET":
                return ParseSet(token.Line);
            case "EXEC" or "EXECUTE":
                Take();
                return ParseExecute(token.Line);
            case "PRINT":
                Take();
                return new PrintStatement(ParseValue(), token.Line);
            case "THROW":
                return ParseThrow(token.Line);
            case "RAISERROR":
                return ParseRaiseError(token.Line);
            case "WAITFOR":
                return ParseWaitFor(token.Line);
            case "USE":
                Take();
                return new UseStatement(TakeName(), token.Line);
            case "INSERT":
                return ParseInsert(token.Line);
            case "UPDATE":
                return ParseUpdate(token.Line);
            case "DELETE":
                return ParseDelete(token.Line);
            case "TRUNCATE":
                Take();
                Expect("TABLE");
                return new TruncateStatement(ParseObjectName(3), token.Line);
            case "COMMIT":
                return new TransactionStatement(TransactionVerb.Commit, EndedTransaction(), token.Line);
            case "ROLLBACK":
                return new TransactionStatement(TransactionVerb.Rollback, EndedTransaction(), token.Line);
            case "SAVE":
                Take();
                if (TakeOneOf("TRANSACTION", "TRAN") < 0 || TransactionName() is not { } savepoint) throw Wrong();
                return new TransactionStatement(TransactionVerb.Save, savepoint, token.Line);
            case "RECONFIGURE":
                Take();
                if (Accept("WITH")) Expect("OVERRIDE");
                return new ReconfigureStatement(token.Line);
            case "CHECKPOINT":
                Take();
                return new CheckpointStatement(token.Line);
            case "KILL":
                Take();
                return new KillStatement(TakeInteger(), token.Line);
            case "SHUTDOWN":
                Take();
                if (Accept("WITH"))
                {
                    Expect("NOWAIT");
                    return new ShutdownStatement(true, token.Line);
                }

                return new ShutdownStatement(false, token.Line);
            case "CREATE" or "ALTER" or "DROP" or "GRANT" or "DENY" or "REVOKE" or "BACKUP" or "RESTORE" or "OPEN" or "CLOSE":
                return ParseDefinition(token);
            case "WITH":
                return ParseWith(token.Line);
            case "MERGE" or "DBCC" or "GOTO" or "REVERT" or "BULK" or "FETCH" or "DEALLOCATE" or "ENABLE" or "DISABLE":
                throw NotSimulated($"Statement {token.Text.ToUpperInvariant()}");
            default:
                throw Wrong();
        }
    }

    private bool StartsValue() => Current.Kind is TokenKind.Integer or TokenKind.Variable or TokenKind.Decimal or TokenKind.Text
        || (Current.Kind == TokenKind.Symbol && Current.Text is "(" or "-");

    private Statement ParseBegin(int line)
    {
        Take();
        if (At("DISTRIBUTED")) throw NotSimulated("BEGIN DISTRIBUTED TRANSACTION");
        if (Accept("TRANSACTION") || Accept("TRAN"))
        {
            var name = TransactionName();
            if (At("WITH", "MARK")) throw NotSimulated("WITH MARK");
            return new TransactionStatement(TransactionVerb.Begin, name, line);
        }

        _blocks++;
        Statement result;
        if (Accept("TRY"))
        {
            var attempt = ParseUntilEnd(mayBeEmpty: false);
            Expect("TRY", "BEGIN", "CATCH");
            var handler = ParseUntilEnd(mayBeEmpty: true);
            Expect("CATCH");
            result = new TryStatement(attempt, handler, line);
        }
        else
        {
            if (At("ATOMIC") || At("CATCH")) throw Wrong();
            result = new BlockStatement(ParseUntilEnd(mayBeEmpty: false), line);
        }

        _blocks--;
        return result;
    }

    private List<Statement> ParseUntilEnd(bool mayBeEmpty)
    {
        var body = new List<Statement>();
        SkipSemicolons();
        while (!At("END"))
        {
            if (Current.Kind == TokenKind.End) throw Wrong();
            body.Add(ParseStatement());
            SkipSemicolons();
        }

        if (body.Count == 0 && !mayBeEmpty) throw Wrong();
        Take();
        return body;
    }

    private IfStatement ParseIf(int line)
    {
        Take();
        var condition = ParseCondition();
        var then = ParseStatement();
        var mark = _at;
        SkipSemicolons();
        if (Accept("ELSE")) return new IfStatement(condition, then, ParseStatement(), line);
        _at = mark;
        return new IfStatement(condition, then, null, line);
    }

    /// <summary>COMMIT and ROLLBACK take a name only after TRANSACTION.</summary>
    private string? EndedTransaction()
    {
        Take();
        if (Accept("TRANSACTION") || Accept("TRAN")) return TransactionName();
        Accept("WORK");
        return null;
    }

    private string? TransactionName()
    {
        if (Current.Kind == TokenKind.Variable) throw NotSimulated("A variable as the name of a transaction");
        if (!Current.IsName || Current.IsReserved || StartsStatement(Current)) return null;
        return Current.Text.Length <= 32
            ? TakeName()
            : throw Fail(103, 15, $"The identifier that starts with '{Current.Text[..32]}' is too long. Maximum length is 32.");
    }

    private DeclareStatement ParseDeclare(int line)
    {
        Take();
        var variables = new List<VariableDeclaration>();
        do
        {
            var name = TakeVariableName();
            Accept("AS");
            if (At("TABLE") || At("CURSOR")) throw NotSimulated($"A {Current.Text.ToLowerInvariant()} variable");
            var type = ParseType(defaultLength: 1);
            var value = Accept("=") ? ParseValue() : null;
            if (!_variables.Add(name))
            {
                throw Fail(
                    134, 15, $"The variable name '{name}' has already been declared. Variable names must be unique within a query batch or stored procedure.");
            }

            variables.Add(new VariableDeclaration(name, type, value));
        }
        while (Accept(","));
        return new DeclareStatement(variables, line);
    }

    private Statement ParseSet(int line)
    {
        Take();
        if (Current.Kind == TokenKind.Variable)
        {
            var variable = ParseVariable(Current);
            TakeVariableName();
            if (Current.Kind != TokenKind.Symbol || !IsAssignment(Current.Text)) throw Wrong();
            var symbol = Take().Text;
            return new SetVariableStatement(variable.Name, symbol[..^1], ParseValue(), line);
        }

        if (Accept("TRANSACTION"))
        {
            Expect("ISOLATION", "LEVEL");
            var level = Accept("READ") ? "READ " + (TakeOneOf("COMMITTED", "UNCOMMITTED") == 0 ? "COMMITTED" : "UNCOMMITTED")
                : Accept("REPEATABLE", "READ") ? "REPEATABLE READ"
                : Accept("SERIALIZABLE") ? "SERIALIZABLE"
                : At("SNAPSHOT") ? throw NotSimulated("SNAPSHOT isolation")
                : throw Wrong();
            return new SetOptionStatement(["TRANSACTION ISOLATION LEVEL"], level, line);
        }

        if (At("LOCK_TIMEOUT") || At("TEXTSIZE") || At("ROWCOUNT") || At("DATEFIRST") || At("QUERY_GOVERNOR_COST_LIMIT"))
        {
            var option = Take().Text.ToUpperInvariant();
            var number = TakeInteger();
            return option switch
            {
                "ROWCOUNT" when number != 0 => throw NotSimulated("SET ROWCOUNT"),
                "DATEFIRST" when number != 7 => throw NotSimulated("SET DATEFIRST"),
                _ => new SetOptionStatement([option], number.ToString(), line),
            };
        }

        if (At("DEADLOCK_PRIORITY") || At("LANGUAGE") || At("DATEFORMAT"))
        {
            var option = Take().Text.ToUpperInvariant();
            if (option == "DATEFORMAT" && !At("mdy")) throw NotSimulated("SET DATEFORMAT");
            if (option == "LANGUAGE" && !At("us_english")) throw NotSimulated("SET LANGUAGE");
            var value = Current.Kind == TokenKind.Integer ? Take().Text : TakeName();
            return new SetOptionStatement([option], value, line);
        }

        if (At("IDENTITY_INSERT"))
        {
            Take();
            var table = ParseObjectName();
            return new SetIdentityInsertStatement(table, TakeOnOff(), line);
        }

        if (At("STATISTICS")) throw NotSimulated("SET STATISTICS");
        var options = new List<string>();
        do
        {
            if (!Current.IsName) throw Wrong();
            if (!s_options.Contains(Current.Text, StringComparer.OrdinalIgnoreCase))
                throw Fail(195, 15, $"'{Current.Text}' is not a recognized SET option.");
            options.Add(Take().Text.ToUpperInvariant());
        }
        while (Accept(","));
        var on = TakeOnOff();
        foreach (var option in options)
        {
            if (s_fixed.TryGetValue(option, out var only) && only != on) throw NotSimulated($"SET {option} {(on ? "ON" : "OFF")}");
        }

        return new SetOptionStatement(options, on ? "ON" : "OFF", line);
    }

    private Statement ParseExecute(int line)
    {
        if (Accept("("))
        {
            var text = ParseConstant(TokenKind.Text, TokenKind.NationalText);
            while (At("+"))
            {
                var plus = Take();
                text = new BinaryExpression("+", text, ParseConstant(TokenKind.Text, TokenKind.NationalText), plus.Line);
            }

            Expect(")");
            if (At("AS") || At("AT")) throw NotSimulated($"EXECUTE … {Current.Text.ToUpperInvariant()}");
            return new ExecuteTextStatement(text, line);
        }

        if (At("AS")) throw NotSimulated("EXECUTE AS");
        return ParseProcedureCall(line);
    }

    private ExecuteStatement ParseProcedureCall(int line)
    {
        string? result = null;
        if (Current.Kind == TokenKind.Variable)
        {
            result = ParseVariable(Current).Name;
            Take();
            Expect("=");
        }

        var procedure = ParseObjectName(open: true);
        if (At(";") && Ahead(1).Kind == TokenKind.Integer) throw NotSimulated("A numbered procedure");
        var arguments = new List<ProcedureArgument>();
        if (StartsArgument())
        {
            do
            {
                arguments.Add(ParseArgument(arguments));
            }
            while (Accept(","));
        }

        if (At("WITH")) throw NotSimulated("EXECUTE … WITH");
        return new ExecuteStatement(result, procedure, arguments, line);
    }

    private bool StartsArgument() => Current.Kind switch
    {
        TokenKind.Variable or TokenKind.Integer or TokenKind.Decimal or TokenKind.Float or TokenKind.Text or TokenKind.NationalText
            or TokenKind.Binary or TokenKind.QuotedName => true,
        TokenKind.Name => At("NULL") || At("DEFAULT") || (!Current.IsReserved && !StartsStatement(Current)),
        TokenKind.Symbol => At("-"),
        _ => false,
    };

    private ProcedureArgument ParseArgument(List<ProcedureArgument> earlier)
    {
        string? name = null;
        if (Current.Kind == TokenKind.Variable && Ahead(1).Is("="))
        {
            name = TakeVariableName();
            Take();
        }
        else if (earlier.Any(argument => argument.Name is not null))
        {
            throw Fail(
                119, 15, $"Must pass parameter number {earlier.Count + 1} and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'.");
        }

        if (Accept("DEFAULT")) return new ProcedureArgument(name, null, false);
        Expression value;
        if (Current.IsName && !At("NULL"))
        {
            // A bare word is a string here, and only here: EXEC sp_addserver x, local
            var word = Current;
            if (word.IsReserved) throw Wrong();
            Take();
            value = new LiteralExpression(Values.Types.Text(Math.Max(1, word.Text.Length)), word.Text, word.Line);
        }
        else if (Current.Kind == TokenKind.Symbol && At("-"))
        {
            if (Ahead(1).Kind is not (TokenKind.Integer or TokenKind.Decimal or TokenKind.Float)) throw Wrong();
            value = ParseUnary();
        }
        else
        {
            value = ParsePrimary();
        }

        if (Current.Kind == TokenKind.Symbol && Current.Text is "+" or "-" or "*" or "/" or "(") throw Wrong();
        var output = Accept("OUTPUT") || Accept("OUT");
        if (output && value is not VariableExpression)
        {
            throw Fail(
                179, 15, "Cannot use the OUTPUT option when passing a constant to a stored procedure.");
        }

        return new ProcedureArgument(name, value, output);
    }

    private ThrowStatement ParseThrow(int line)
    {
        Take();
        if (!StartsValue()) return new ThrowStatement(null, null, null, line);
        var number = ParseConstant(TokenKind.Integer);
        Expect(",");
        var message = ParseConstant(TokenKind.Text, TokenKind.NationalText);
        Expect(",");
        return new ThrowStatement(number, message, ParseConstant(TokenKind.Integer), line);
    }

    /// <summary>A variable or a literal of one of these kinds: some statements take no expression.</summary>
    private Expression ParseConstant(params ReadOnlySpan<TokenKind> kinds)
    {
        if (Current.Kind == TokenKind.Symbol && At("-") && kinds.Contains(TokenKind.Integer)
            && Ahead(1).Kind is TokenKind.Integer or TokenKind.Decimal or TokenKind.Float)
        {
            return ParseUnary();
        }

        return Current.Kind == TokenKind.Variable || kinds.Contains(Current.Kind) ? ParsePrimary() : throw Wrong();
    }

    private RaiseErrorStatement ParseRaiseError(int line)
    {
        Take();
        Expect("(");
        var message = ParseConstant(TokenKind.Text, TokenKind.NationalText, TokenKind.Integer);
        Expect(",");
        var severity = ParseConstant(TokenKind.Integer);
        Expect(",");
        var state = ParseConstant(TokenKind.Integer);
        var arguments = new List<Expression>();
        while (Accept(","))
        {
            arguments.Add(At("NULL")
                ? ParsePrimary()
                : ParseConstant(TokenKind.Text, TokenKind.NationalText, TokenKind.Integer, TokenKind.Decimal, TokenKind.Float, TokenKind.Binary));
        }

        Expect(")");
        var (log, noWait) = (false, false);
        if (Accept("WITH"))
        {
            do
            {
                switch (TakeOneOf("NOWAIT", "LOG", "SETERROR"))
                {
                    case 0: noWait = true; break;
                    case 1: log = true; break;
                    default: throw NotSimulated("RAISERROR WITH SETERROR");
                }
            }
            while (Accept(","));
        }

        return new RaiseErrorStatement(message, severity, state, arguments, log, noWait, line);
    }

    private WaitForStatement ParseWaitFor(int line)
    {
        Take();
        if (At("(")) throw NotSimulated("WAITFOR of a statement");
        var isTime = TakeOneOf("DELAY", "TIME") == 1;
        if (Current.Kind is not (TokenKind.Text or TokenKind.NationalText or TokenKind.Variable)) throw Wrong();
        return new WaitForStatement(ParsePrimary(), isTime, line);
    }

    /// <summary>What only bulk clients send: the types are those of the rows to come, and told again with them.</summary>
    private InsertBulkStatement ParseInsertBulk(int line)
    {
        var table = ParseObjectName(3);
        Expect("(");
        var columns = new List<string>();
        do
        {
            columns.Add(TakeName());
            ParseType(defaultLength: 1);
            if (Accept("COLLATE")) TakeName();
            Accept("NULL");
        }
        while (Accept(","));
        Expect(")");
        var keepNulls = false;
        if (Accept("WITH"))
        {
            Expect("(");
            do
            {
                keepNulls |= At("KEEP_NULLS");
                ParseBulkOption();
            }
            while (Accept(","));
            Expect(")");
        }

        return new InsertBulkStatement(table, columns, keepNulls, line);
    }

    private void ParseBulkOption()
    {
        if (Accept("ORDER"))
        {
            Expect("(");
            do
            {
                TakeName();
                _ = Accept("ASC") || Accept("DESC");
            }
            while (Accept(","));
            Expect(")");
        }
        else if (TakeOneOf("KEEP_NULLS", "TABLOCK", "CHECK_CONSTRAINTS", "FIRE_TRIGGERS", "ROWS_PER_BATCH", "KILOBYTES_PER_BATCH") >= 4)
        {
            Expect("=");
            TakeInteger();
        }
    }

    private Statement ParseInsert(int line)
    {
        Take();
        if (Accept("BULK")) return ParseInsertBulk(line);
        if (At("TOP")) throw NotSimulated("INSERT TOP");
        Accept("INTO");
        var table = ParseObjectName();
        RefuseGlobalTemporary(table);
        ParseHints();
        List<string>? columns = null;
        if (At("(") && !Ahead(1).Is("SELECT"))
        {
            Take();
            columns = [];
            do
            {
                columns.Add(TakeName());
            }
            while (Accept(","));
            Expect(")");
        }

        var output = ParseOutput();
        if (Accept("DEFAULT"))
        {
            Expect("VALUES");
            return new InsertStatement(table, [], [[]], null, line) { Output = output };
        }

        if (Accept("VALUES"))
        {
            var rows = new List<IReadOnlyList<Expression?>>();
            do
            {
                Expect("(");
                var row = new List<Expression?>();
                do
                {
                    row.Add(Accept("DEFAULT") ? null : ParseValue());
                }
                while (Accept(","));
                Expect(")");
                rows.Add(row);
                if (rows.Count > 1000)
                {
                    throw Fail(
                        10738, 15, "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values.");
                }

                if (row.Count != rows[0].Count)
                {
                    throw Fail(10709, 16, "The number of columns for each row in a table value constructor must be the same.");
                }
            }
            while (Accept(","));
            return new InsertStatement(table, columns, rows, null, line) { Output = output };
        }

        if (At("EXEC") || At("EXECUTE")) throw NotSimulated("INSERT … EXEC");
        if (!At("SELECT") && !At("(")) throw Wrong();
        return new InsertStatement(table, columns, null, ParseQuery(), line) { Output = output };
    }

    private UpdateStatement ParseUpdate(int line)
    {
        Take();
        if (At("STATISTICS")) throw NotSimulated("UPDATE STATISTICS");
        var top = ParseTop(parenthesized: true);
        var target = ParseObjectName();
        RefuseGlobalTemporary(target);
        ParseHints();
        Expect("SET");
        var assignments = new List<ColumnAssignment>();
        do
        {
            if (Current.Kind == TokenKind.Variable) throw NotSimulated("UPDATE … SET @variable");
            var at = Current.Line;
            var column = ParseObjectName().Name;
            if (Current.Kind != TokenKind.Symbol || !IsAssignment(Current.Text)) throw Wrong();
            var symbol = Take().Text[..^1];
            assignments.Add(new ColumnAssignment(column, symbol, Accept("DEFAULT") ? null : ParseValue(), at));
        }
        while (Accept(","));
        var output = ParseOutput();
        var from = Accept("FROM") ? ParseSources() : null;
        return new UpdateStatement(top, target, assignments, ParseTargetFilter(), line) { From = from, Output = output };
    }

    private DeleteStatement ParseDelete(int line)
    {
        Take();
        var top = ParseTop(parenthesized: true);
        Accept("FROM");
        var target = ParseObjectName();
        RefuseGlobalTemporary(target);
        ParseHints();
        var output = ParseOutput();
        var from = Accept("FROM") ? ParseSources() : null;
        return new DeleteStatement(top, target, ParseTargetFilter(), line) { From = from, Output = output };
    }

    private List<SelectItem> ParseOutput()
    {
        var items = new List<SelectItem>();
        if (!Accept("OUTPUT")) return items;
        do
        {
            if (Current.Kind == TokenKind.Variable && IsAssignment(Ahead(1).Text)) throw Wrong(Ahead(1));
            items.Add(At("*") ? throw Wrong() : ParseSelectItem());
        }
        while (Accept(","));
        return At("INTO") ? throw NotSimulated("OUTPUT … INTO") : items;
    }

    private Expression? ParseTargetFilter()
    {
        if (!Accept("WHERE")) return null;
        if (At("CURRENT", "OF")) throw NotSimulated("WHERE CURRENT OF");
        return ParseCondition();
    }

    private void RefuseGlobalTemporary(ObjectName name)
    {
        if (name.Name.StartsWith("##", StringComparison.Ordinal)) throw NotSimulated("A global temporary table");
    }
}
