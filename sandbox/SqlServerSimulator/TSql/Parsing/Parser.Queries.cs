using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Parsing;

internal sealed partial class Parser
{
    private Query ParseQuery()
    {
        Enter();
        var body = ParseQueryBody();
        var query = new Query(body, At("ORDER") ? ParseOrder() : []);
        if (query.OrderBy.Count > 0 && Accept("OFFSET"))
        {
            if (query.IsCut) throw Fail(10741, 15, "A TOP can not be used in the same query or sub-query as a OFFSET.");
            query = query with { Offset = ParseRowCount() };
            if (Accept("FETCH"))
            {
                TakeOneOf("NEXT", "FIRST");
                query = query with { Fetch = ParseRowCount() };
                Expect("ONLY");
            }
        }

        if (At("FOR")) throw NotSimulated("FOR after a query");
        if (At("OPTION")) throw NotSimulated("OPTION");
        Leave();
        return query;
    }

    /// <summary>A query within another statement: an order that decides nothing is a mistake there.</summary>
    private Query ParseInnerQuery()
    {
        var line = Current.Line;
        var query = ParseQuery();
        return query.OrderBy.Count == 0 || query.IsCut
            ? query
            : throw Fail(
                1033, 15, "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.", line);
    }

    private List<OrderItem> ParseOrder()
    {
        Expect("ORDER", "BY");
        var order = new List<OrderItem>();
        do
        {
            var key = ParseValue();
            var descending = Accept("DESC");
            if (!descending) Accept("ASC");
            order.Add(new OrderItem(key, descending));
        }
        while (Accept(","));
        return order;
    }

    private Expression ParseRowCount()
    {
        var count = Current.Kind == TokenKind.Symbol && At("(") ? ParsePrimary() : ParseConstant(TokenKind.Integer);
        TakeOneOf("ROW", "ROWS");
        return count.IsCondition ? throw Wrong() : count;
    }

    private WithStatement ParseWith(int line)
    {
        // Behind a statement without a semicolon it would belong to that.
        if (_at > 0 && Ahead(-1) is var before && !before.Is(";") && !before.Is("BEGIN") && !before.Is("TRY") && !before.Is("CATCH") && !before.Is("ELSE"))
        {
            throw Fail(
                319, 15, "Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an xmlnamespaces clause or a change tracking context clause, the previous statement must be terminated with a semicolon.");
        }

        Take();
        var tables = new List<CommonTable>();
        do
        {
            var at = Current.Line;
            var name = TakeName();
            if (tables.Exists(table => table.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
                throw Fail(239, 16, $"Duplicate common table expression name '{name}' was specified.", at);
            var columns = ParseColumnAliases();
            Expect("AS", "(");
            tables.Add(new CommonTable(name, columns, ParseInnerQuery(), at));
            Expect(")");
        }
        while (Accept(","));
        if (At("MERGE")) throw NotSimulated("Statement MERGE");
        if (!At("SELECT") && !At("INSERT") && !At("UPDATE") && !At("DELETE") && !At("(")) throw Wrong();
        return new WithStatement(tables, ParseStatement(), line);
    }

    private QueryBody ParseQueryBody()
    {
        var left = ParseIntersection();
        while (At("UNION") || At("EXCEPT"))
        {
            var union = Current.Is("UNION");
            var line = Take().Line;
            var all = union && Accept("ALL");
            left = new SetBody(left, ParseIntersection(), !union ? SetOperator.Except : all ? SetOperator.UnionAll : SetOperator.Union, line);
        }

        return left;
    }

    private QueryBody ParseIntersection()
    {
        var left = ParseQueryTerm();
        while (At("INTERSECT"))
        {
            var line = Take().Line;
            left = new SetBody(left, ParseQueryTerm(), SetOperator.Intersect, line);
        }

        return left;
    }

    private QueryBody ParseQueryTerm()
    {
        if (!At("(")) return ParseSelectBody();
        Take();
        Enter();
        var body = ParseQueryBody();
        Leave();
        Expect(")");
        return body;
    }

    private SelectBody ParseSelectBody()
    {
        var line = Current.Line;
        Expect("SELECT");
        var distinct = Accept("DISTINCT");
        if (!distinct) Accept("ALL");
        var top = ParseTop();
        var items = new List<SelectItem>();
        do
        {
            items.Add(ParseSelectItem());
        }
        while (Accept(","));
        if (items.Any(item => item is AssignmentItem) && !items.All(item => item is AssignmentItem))
        {
            throw Fail(
                141, 15, "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.", line);
        }

        if (At("INTO")) throw NotSimulated("SELECT INTO");
        var from = Accept("FROM") ? ParseSources() : null;
        var where = Accept("WHERE") ? ParseCondition() : null;
        var group = new List<Expression>();
        if (Accept("GROUP", "BY"))
        {
            if (At("ALL")) throw NotSimulated("GROUP BY ALL");
            group = ParseValues();
            if (group.Exists(key => key is FunctionExpression { Name: { Schema: null, Name: var name } } && name.ToUpperInvariant() is "ROLLUP" or "CUBE") || At("WITH"))
                throw NotSimulated("GROUP BY with subtotals");
        }

        var having = Accept("HAVING") ? ParseCondition() : null;
        return new SelectBody(distinct, top, items, from, where, group, having, line);
    }

    private Expression? ParseTop(bool parenthesized = false)
    {
        if (!Accept("TOP")) return null;
        Expression top;
        if (Accept("("))
        {
            top = ParseValue();
            Expect(")");
        }
        else
        {
            top = !parenthesized && Current.Kind is TokenKind.Integer or TokenKind.Decimal or TokenKind.Float ? ParsePrimary() : throw Wrong();
        }

        if (At("PERCENT") || At("WITH", "TIES")) throw NotSimulated($"TOP … {Current.Text.ToUpperInvariant()}");
        return top;
    }

    private SelectItem ParseSelectItem()
    {
        var token = Current;
        if (Accept("*")) return new StarItem(null, token.Line);
        if (token.Kind == TokenKind.Variable && Ahead(1).Kind == TokenKind.Symbol && IsAssignment(Ahead(1).Text))
        {
            ParseVariable(token);
            Take();
            var symbol = Take().Text;
            return new AssignmentItem(token.Text, symbol[..^1], ParseValue(), token.Line);
        }

        if (token.IsName && !token.IsReserved)
        {
            // "a.*" and "alias = value"
            if (Ahead(1).Is("="))
            {
                Take();
                Take();
                return new ExpressionItem(ParseValue(), token.Text, token.Line);
            }

            var mark = _at;
            if (TryParseStar(out var qualifier)) return new StarItem(qualifier, token.Line);
            _at = mark;
        }

        var value = ParseValue();
        return new ExpressionItem(value, ParseAlias(mayBeText: true), token.Line);
    }

    private static bool IsAssignment(string symbol) => symbol is "=" or "+=" or "-=" or "*=" or "/=" or "%=" or "&=" or "|=" or "^=";

    private bool TryParseStar(out ObjectName? qualifier)
    {
        qualifier = null;
        var parts = new List<string?>();
        while (Current.IsName && !Current.IsReserved && Ahead(1).Is(".") && parts.Count < 4)
        {
            parts.Add(Take().Text);
            Take();
            if (!Accept("*")) continue;
            while (parts.Count < 4) parts.Insert(0, null);
            qualifier = new ObjectName(parts[0], parts[1], parts[2], parts[3]!);
            return true;
        }

        return false;
    }

    private string? ParseAlias(bool mayBeText)
    {
        var named = Accept("AS");
        if (mayBeText && Current.Kind is TokenKind.Text or TokenKind.NationalText) return Take().Text;
        if (named) return TakeName();
        return Current.IsName && !Current.IsReserved && !StartsStatement(Current) ? TakeName() : null;
    }

    private TableSource ParseSources()
    {
        var source = ParseJoined();
        while (Accept(","))
        {
            var line = Current.Line;
            source = new JoinSource(JoinKind.Cross, source, ParseJoined(), null, line);
        }

        return source;
    }

    private TableSource ParseJoined()
    {
        var left = ParseSource();
        while (true)
        {
            var line = Current.Line;
            if (Accept("CROSS"))
            {
                if (At("APPLY")) throw NotSimulated("APPLY");
                Expect("JOIN");
                left = new JoinSource(JoinKind.Cross, left, ParseSource(), null, line);
                continue;
            }

            JoinKind kind;
            if (At("OUTER", "APPLY")) throw NotSimulated("APPLY");
            if (At("LEFT") || At("RIGHT") || At("FULL"))
            {
                kind = TakeOneOf("LEFT", "RIGHT", "FULL") switch { 0 => JoinKind.Left, 1 => JoinKind.Right, _ => JoinKind.Full };
                Accept("OUTER");
                Expect("JOIN");
            }
            else if (Accept("INNER", "JOIN") || Accept("JOIN"))
            {
                kind = JoinKind.Inner;
            }
            else
            {
                return left;
            }

            Enter();
            var right = ParseJoined();
            Leave();
            Expect("ON");
            left = new JoinSource(kind, left, right, ParseCondition(), line);
        }
    }

    private TableSource ParseSource()
    {
        var line = Current.Line;
        if (Accept("("))
        {
            Enter();
            TableSource inner;
            if (At("SELECT"))
            {
                var query = ParseInnerQuery();
                Expect(")");
                Accept("AS");
                inner = new DerivedSource(query, TakeName(), ParseColumnAliases(), line);
            }
            else if (Accept("VALUES"))
            {
                var rows = new List<IReadOnlyList<Expression>>();
                do
                {
                    Expect("(");
                    rows.Add(ParseValues());
                    Expect(")");
                }
                while (Accept(","));
                Expect(")");
                Accept("AS");
                inner = new ValuesSource(rows, TakeName(), ParseColumnAliases() ?? throw Wrong(), line);
            }
            else
            {
                inner = ParseJoined();
                if (inner is not JoinSource) throw Wrong();
                Expect(")");
            }

            Leave();
            return inner;
        }

        if (Current.Kind == TokenKind.Variable) throw NotSimulated("A table variable");
        var name = ParseObjectName();
        if (At("(")) throw NotSimulated($"Table-valued function {name}");
        RefuseGlobalTemporary(name);
        var alias = ParseAlias(mayBeText: false);
        ParseHints();
        return new NamedSource(name, alias, line);
    }

    private List<string>? ParseColumnAliases()
    {
        if (!Accept("(")) return null;
        var names = new List<string>();
        do
        {
            names.Add(TakeName());
        }
        while (Accept(","));
        Expect(")");
        return names;
    }

    private void ParseHints()
    {
        if (!At("WITH") || !Ahead(1).Is("(")) return;
        Take();
        Take();
        do
        {
            // Hints about locks change nothing that the simulator shows.
            if (TakeOneOf(
                "NOLOCK", "READUNCOMMITTED", "READCOMMITTED", "UPDLOCK", "HOLDLOCK", "ROWLOCK", "TABLOCK", "TABLOCKX", "XLOCK", "SERIALIZABLE",
                "REPEATABLEREAD", "PAGLOCK", "READCOMMITTEDLOCK") < 0)
            {
                throw Wrong();
            }
        }
        while (Accept(","));
        Expect(")");
    }
}
