using System.Globalization;
using System.Numerics;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Parsing;

internal sealed partial class Parser
{
    private static readonly string[] s_niladic = ["CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER"];

    private Expression ParseValue()
    {
        var start = Current;
        var expression = ParseOr();
        return expression.IsCondition ? throw Wrong(start) : expression;
    }

    private Expression ParseCondition()
    {
        var expression = ParseOr();
        if (expression.IsCondition) return expression;
        var near = Current.Kind == TokenKind.End ? _tokens[^2] : Current;
        throw Fail(4145, 15, $"An expression of non-boolean type specified in a context where a condition is expected, near '{near.Text}'.", near.Line);
    }

    private Expression ParseOr()
    {
        Enter();
        var left = ParseAnd();
        while (At("OR"))
        {
            RequireCondition(left);
            var line = Take().Line;
            left = new LogicalCondition(false, left, RequireCondition(ParseAnd()), line);
        }

        Leave();
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (At("AND"))
        {
            RequireCondition(left);
            var line = Take().Line;
            left = new LogicalCondition(true, left, RequireCondition(ParseNot()), line);
        }

        return left;
    }

    private Expression RequireCondition(Expression expression) => expression.IsCondition
        ? expression
        : throw Fail(4145, 15, $"An expression of non-boolean type specified in a context where a condition is expected, near '{Current.Text}'.");

    private Expression ParseNot()
    {
        if (!At("NOT")) return ParsePredicate();
        var line = Take().Line;
        Enter();
        var operand = RequireCondition(ParseNot());
        Leave();
        return new NotCondition(operand, line);
    }

    private Expression ParsePredicate()
    {
        var line = Current.Line;
        if (Accept("EXISTS"))
        {
            Expect("(");
            var query = ParseInnerQuery();
            Expect(")");
            return new ExistsCondition(query, line);
        }

        var left = ParseAdditive();
        if (left.IsCondition) return left;
        if (Current.Kind == TokenKind.Symbol && Current.Text is "=" or "<>" or "!=" or "<" or ">" or "<=" or ">=" or "!<" or "!>")
        {
            var symbol = Take().Text switch { "!=" => "<>", "!<" => ">=", "!>" => "<=", var other => other };
            if (At("ALL") || At("ANY") || At("SOME")) throw NotSimulated($"Comparison with {Current.Text.ToUpperInvariant()}");
            return new ComparisonCondition(symbol, left, ParseOperand(), line);
        }

        if (Accept("IS"))
        {
            var not = Accept("NOT");
            Expect("NULL");
            return new IsNullCondition(left, not, line);
        }

        var negated = At("NOT") && (Ahead(1).Is("IN") || Ahead(1).Is("LIKE") || Ahead(1).Is("BETWEEN")) && Accept("NOT");
        if (Accept("BETWEEN"))
        {
            var low = ParseOperand();
            Expect("AND");
            return new BetweenCondition(left, low, ParseOperand(), negated, line);
        }

        if (Accept("LIKE"))
        {
            var pattern = ParseOperand();
            return new LikeCondition(left, pattern, Accept("ESCAPE") ? ParseOperand() : null, negated, line);
        }

        if (!Accept("IN")) return left;
        Expect("(");
        if (At("SELECT"))
        {
            var query = ParseInnerQuery();
            Expect(")");
            return new InQueryCondition(left, query, negated, line);
        }

        var list = ParseValues();
        Expect(")");
        return new InListCondition(left, list, negated, line);
    }

    private Expression ParseOperand()
    {
        var start = Current;
        var operand = ParseAdditive();
        return operand.IsCondition ? throw Wrong(start) : operand;
    }

    private Expression ParseAdditive()
    {
        var left = ParseMultiplicative();
        while (Current.Kind == TokenKind.Symbol && Current.Text is "+" or "-" or "&" or "|" or "^")
        {
            if (left.IsCondition) throw Wrong();
            var symbol = Take();
            left = new BinaryExpression(symbol.Text, left, RequireValue(ParseMultiplicative()), symbol.Line);
        }

        return left;
    }

    private Expression ParseMultiplicative()
    {
        var left = ParseUnary();
        while (Current.Kind == TokenKind.Symbol && Current.Text is "*" or "/" or "%")
        {
            if (left.IsCondition) throw Wrong();
            var symbol = Take();
            left = new BinaryExpression(symbol.Text, left, RequireValue(ParseUnary()), symbol.Line);
        }

        return left;
    }

    private Expression RequireValue(Expression expression) => expression.IsCondition ? throw Wrong() : expression;

    private Expression ParseUnary()
    {
        if (Current.Kind != TokenKind.Symbol || Current.Text is not ("-" or "+" or "~")) return ParsePostfix();
        var symbol = Take();
        Enter();
        var operand = RequireValue(ParseUnary());
        Leave();
        return symbol.Text == "+" ? operand : new UnaryExpression(symbol.Text, operand, symbol.Line);
    }

    private Expression ParsePostfix()
    {
        var operand = ParsePrimary();
        while (At("COLLATE"))
        {
            var line = Take().Line;
            operand = new CollateExpression(operand, TakeName(), line);
        }

        return operand;
    }

    private Expression ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Integer or TokenKind.Decimal or TokenKind.Float:
                Take();
                return Number(token);
            case TokenKind.Money:
                Take();
                return Amount(token);
            case TokenKind.Text:
                Take();
                return new LiteralExpression(new SqlType(SqlKind.VarChar, Size(token.Text.Length, 8000), Nullable: false), Types.InCodePage(token.Text), token.Line);
            case TokenKind.NationalText:
                Take();
                return new LiteralExpression(new SqlType(SqlKind.NVarChar, Size(token.Text.Length, 4000), Nullable: false), token.Text, token.Line);
            case TokenKind.Binary:
                Take();
                var bytes = Hex(token.Text);
                return new LiteralExpression(new SqlType(SqlKind.VarBinary, Size(bytes.Length, 8000), Nullable: false), bytes, token.Line);
            case TokenKind.Variable:
                Take();
                return ParseVariable(token);
            case TokenKind.Symbol when token.Text == "(":
                Take();
                return ParseParenthesis(token.Line);
            case TokenKind.Name or TokenKind.QuotedName:
                return ParseNamed(token);
            default:
                throw Wrong();
        }
    }

    private static int Size(int length, int most) => length > most ? -1 : Math.Max(1, length);

    private VariableExpression ParseVariable(Token token)
    {
        if (!token.Text.StartsWith("@@", StringComparison.Ordinal) && !_variables.Contains(token.Text))
            throw Fail(137, 15, $"Must declare the scalar variable \"{token.Text}\".", token.Line);
        return new VariableExpression(token.Text, token.Line);
    }

    private Expression ParseParenthesis(int line)
    {
        if (At("SELECT"))
        {
            var query = ParseInnerQuery();
            Expect(")");
            return new SubqueryExpression(query, line);
        }

        var inner = ParseOr();
        Expect(")");
        return inner;
    }

    private LiteralExpression Number(Token token)
    {
        if (token.Kind == TokenKind.Float)
        {
            var text = token.Text.EndsWith('e') || token.Text.EndsWith('E') ? token.Text + "0" : token.Text;
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || double.IsInfinity(number))
                throw Fail(168, 15, $"The floating point value '{token.Text}' is out of the range of computer representation (8 bytes).", token.Line);
            return new LiteralExpression(new SqlType(SqlKind.Float, Nullable: false), number, token.Line);
        }

        if (token.Kind == TokenKind.Integer && int.TryParse(token.Text, CultureInfo.InvariantCulture, out var integer))
            return new LiteralExpression(new SqlType(SqlKind.Int, Nullable: false), integer, token.Line);
        var point = token.Text.IndexOf('.', StringComparison.Ordinal);
        var scale = point < 0 ? 0 : token.Text.Length - point - 1;
        var digits = token.Text.Replace(".", "", StringComparison.Ordinal).TrimStart('0');
        var precision = Math.Max(Math.Max(digits.Length, scale), 1);
        if (precision > 38)
        {
            throw Fail(
                1007, 15, $"The number '{token.Text}' is out of the range for numeric representation (maximum precision 38).", token.Line);
        }

        var value = digits.Length == 0 ? BigInteger.Zero : BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        return new LiteralExpression(new SqlType(SqlKind.Numeric, 0, (byte)precision, (byte)scale, false), value, token.Line);
    }

    private static LiteralExpression Amount(Token token)
    {
        var type = new SqlType(SqlKind.Money, Nullable: false);
        return new LiteralExpression(type, Conversion.Convert(token.Text, new SqlType(SqlKind.VarChar, -1), type), token.Line);
    }

    private Expression ParseNamed(Token token)
    {
        if (token.Kind == TokenKind.Name)
        {
            switch (token.Text.ToUpperInvariant())
            {
                case "NULL":
                    Take();
                    return new LiteralExpression(Types.Null, null, token.Line);
                case "CASE":
                    Take();
                    return ParseCase(token.Line);
                case "CAST" when Ahead(1).Is("("):
                    return ParseCast(token.Line, attempt: false);
                case "TRY_CAST" when Ahead(1).Is("("):
                    return ParseCast(token.Line, attempt: true);
                case "CONVERT" when Ahead(1).Is("("):
                    return ParseConvert(token.Line, attempt: false);
                case "TRY_CONVERT" when Ahead(1).Is("("):
                    return ParseConvert(token.Line, attempt: true);
                case "IIF" when Ahead(1).Is("("):
                    return ParseIif(token.Line);
                case "COALESCE" or "NULLIF" or "LEFT" or "RIGHT" when Ahead(1).Is("("):
                    Take();
                    return ParseCall(new ObjectName(null, null, null, token.Text), token.Line);
                case var word when s_niladic.Contains(word):
                    Take();
                    return new FunctionExpression(new ObjectName(null, null, null, token.Text), [], false, false, token.Line);
            }
        }

        var name = ParseObjectName();
        if (At("(")) return ParseCall(name, token.Line);
        if (name.Schema is null && Ahead(-2).Is(".")) throw Wrong(Ahead(-2));
        var qualifier = name.Schema is null ? null : new ObjectName(null, name.Server, name.Database, name.Schema);
        return new ColumnExpression(qualifier, name.Name, token.Line);
    }

    private CaseExpression ParseCase(int line)
    {
        Enter();
        var input = At("WHEN") ? null : ParseValue();
        var arms = new List<(Expression, Expression)>();
        while (Accept("WHEN"))
        {
            var when = input is null ? ParseCondition() : ParseValue();
            Expect("THEN");
            arms.Add((when, ParseValue()));
        }

        if (arms.Count == 0) throw Wrong();
        var otherwise = Accept("ELSE") ? ParseValue() : null;
        Expect("END");
        Leave();
        return new CaseExpression(input, arms, otherwise, line);
    }

    private CastExpression ParseCast(int line, bool attempt)
    {
        Take();
        Expect("(");
        var operand = ParseValue();
        Expect("AS");
        var type = ParseType(defaultLength: 30);
        Expect(")");
        return new CastExpression(operand, type, null, attempt, line);
    }

    private CastExpression ParseConvert(int line, bool attempt)
    {
        Take();
        Expect("(");
        var type = ParseType(defaultLength: 30);
        Expect(",");
        var operand = ParseValue();
        var style = Accept(",") ? ParseValue() : null;
        Expect(")");
        return new CastExpression(operand, type, style, attempt, line);
    }

    private CaseExpression ParseIif(int line)
    {
        Take();
        Expect("(");
        var condition = ParseCondition();
        Expect(",");
        var then = ParseValue();
        Expect(",");
        var otherwise = ParseValue();
        Expect(")");
        return new CaseExpression(null, [(condition, then)], otherwise, line);
    }

    private Expression ParseCall(ObjectName name, int line)
    {
        Expect("(");
        if (Accept(")")) return ParseCallEnd(new FunctionExpression(name, [], false, false, line));
        if (Accept("*"))
        {
            Expect(")");
            return ParseCallEnd(new FunctionExpression(name, [], false, true, line));
        }

        var distinct = Accept("DISTINCT");
        if (!distinct) Accept("ALL");
        IReadOnlyList<Expression> arguments;
        if (name.Schema is null && name.Name.ToUpperInvariant() is "DATEADD" or "DATEDIFF" or "DATEPART" or "DATENAME" or "DATEDIFF_BIG")
        {
            // The first argument is a word, not a value.
            var part = new LiteralExpression(Types.Text(128), TakeName(), line);
            Expect(",");
            arguments = [part, .. ParseValues()];
        }
        else
        {
            arguments = ParseValues();
        }

        Expect(")");
        return ParseCallEnd(new FunctionExpression(name, arguments, distinct, false, line));
    }

    private Expression ParseCallEnd(FunctionExpression call)
    {
        if (At("WITHIN", "GROUP"))
        {
            if (!call.Name.Name.Equals("STRING_AGG", StringComparison.OrdinalIgnoreCase)) throw NotSimulated("WITHIN GROUP");
            Take();
            Expect("GROUP", "(");
            call = call with { Within = ParseOrder() };
            Expect(")");
        }

        if (!Accept("OVER")) return call;
        if (call.Within.Count > 0 || call.Name.Schema is not null) throw Wrong();
        Expect("(");
        var partition = Accept("PARTITION", "BY") ? ParseValues() : [];
        var order = At("ORDER") ? ParseOrder() : [];
        if (At("ROWS") || At("RANGE")) throw NotSimulated("A window frame");
        Expect(")");
        return new WindowExpression(call, partition, order, call.Line);
    }

    private List<Expression> ParseValues()
    {
        var values = new List<Expression>();
        do
        {
            values.Add(ParseValue());
        }
        while (Accept(","));
        return values;
    }

    private SqlType ParseType(int defaultLength)
    {
        var token = Current;
        if (At("NATIONAL") || At("DOUBLE")) throw NotSimulated($"Type {token.Text}");
        var name = TakeName();
        if (Accept("."))
        {
            if (!name.Equals("sys", StringComparison.OrdinalIgnoreCase)) throw NotSimulated($"Type {name}.{TakeName()}");
            name = TakeName();
        }

        switch (name.ToUpperInvariant())
        {
            case "BIT": return new SqlType(SqlKind.Bit);
            case "TINYINT": return new SqlType(SqlKind.TinyInt);
            case "SMALLINT": return new SqlType(SqlKind.SmallInt);
            case "INT" or "INTEGER": return new SqlType(SqlKind.Int);
            case "BIGINT": return new SqlType(SqlKind.BigInt);
            case "FLOAT":
                if (Accept("("))
                {
                    var bits = TakeInt(53);
                    Expect(")");
                    if (bits <= 24) return new SqlType(SqlKind.Real);
                }

                return new SqlType(SqlKind.Float);
            case "REAL": return new SqlType(SqlKind.Real);
            case "MONEY": return new SqlType(SqlKind.Money);
            case "SMALLMONEY": return new SqlType(SqlKind.SmallMoney);
            case "DATE": return new SqlType(SqlKind.Date);
            case "TIME": return new SqlType(SqlKind.Time, Scale: (byte)(ParseLength(7, 7) ?? throw Wrong()));
            case "SMALLDATETIME": return new SqlType(SqlKind.SmallDateTime);
            case "DATETIMEOFFSET": return new SqlType(SqlKind.DateTimeOffset, Scale: (byte)(ParseLength(7, 7) ?? throw Wrong()));
            case "DATETIME": return new SqlType(SqlKind.DateTime);
            case "DATETIME2": return new SqlType(SqlKind.DateTime2, Scale: (byte)(ParseLength(7, 7) ?? throw Wrong()));
            case "UNIQUEIDENTIFIER": return new SqlType(SqlKind.UniqueIdentifier);
            case "SQL_VARIANT": return new SqlType(SqlKind.Variant);
            case "SYSNAME": return Types.Text(128);
            case "NUMERIC" or "DECIMAL" or "DEC": return ParseNumericType();
            case "CHAR" or "CHARACTER": return new SqlType(SqlKind.Char, ParseLength(defaultLength, 8000) ?? throw Wrong());
            case "VARCHAR": return new SqlType(SqlKind.VarChar, ParseLength(defaultLength, 8000) ?? -1);
            case "NCHAR": return new SqlType(SqlKind.NChar, ParseLength(defaultLength, 4000) ?? throw Wrong());
            case "NVARCHAR": return new SqlType(SqlKind.NVarChar, ParseLength(defaultLength, 4000) ?? -1);
            case "VARBINARY": return new SqlType(SqlKind.VarBinary, ParseLength(defaultLength, 8000) ?? -1);
            case "BINARY": return new SqlType(SqlKind.Binary, ParseLength(defaultLength, 8000) ?? throw Wrong());
            case "XML" or "TEXT" or "NTEXT" or "IMAGE" or "ROWVERSION" or "TIMESTAMP" or "GEOGRAPHY" or "GEOMETRY" or "HIERARCHYID" or "JSON" or "VECTOR":
                throw NotSimulated($"Type {name.ToLowerInvariant()}");
            default:
                throw Fail(243, 16, $"Type {name} is not a defined system type.", token.Line);
        }
    }

    private int? ParseLength(int whenAbsent, int most)
    {
        if (!Accept("(")) return whenAbsent;
        int? length = Accept("MAX") ? null : TakeInt();
        if (length > most || (length == 0 && most > 7))
            throw Fail(131, 15, $"The size ({length}) given to the type exceeds the maximum allowed ({most}) or is zero.");
        Expect(")");
        return length;
    }

    private SqlType ParseNumericType()
    {
        var (precision, scale) = (18, 0);
        if (Accept("("))
        {
            precision = TakeInt();
            if (Accept(",")) scale = TakeInt();
            Expect(")");
        }

        if (precision is < 1 or > 38)
            throw Fail(2750, 16, $"Specified column precision {precision} is greater than the maximum precision of 38.");
        if (scale > precision) throw Fail(183, 15, $"The scale ({scale}) must be less than or equal to the precision ({precision}).");
        return new SqlType(SqlKind.Numeric, 0, (byte)precision, (byte)scale);
    }
}
