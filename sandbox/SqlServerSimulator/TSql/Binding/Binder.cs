using System.Globalization;
using System.Runtime.CompilerServices;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>Turns expressions and queries into functions over rows: names are resolved and types settled once, before the first row.</summary>
internal sealed partial class Binder(IQueryEnvironment environment)
{
    /// <summary>Binds a value.</summary>
    public Bound Bind(Expression expression, Scope scope)
    {
        if (scope.Grouping is { } grouping)
        {
            if (grouping.FindKey(Canon(expression, grouping.Source)) is { } key) return key;
            if (expression is FunctionExpression call && Aggregates.Is(call.Name)) return BindAggregate(call, grouping);
        }

        return expression switch
        {
            LiteralExpression literal => new Bound(literal.Type, _ => literal.Value),
            VariableExpression variable => BindVariable(variable),
            ColumnExpression column => BindColumn(column, scope),
            UnaryExpression unary => BindUnary(unary, scope),
            BinaryExpression binary => BindBinary(binary, scope),
            CaseExpression choice => BindCase(choice, scope),
            CastExpression cast => BindCast(cast, scope),
            CollateExpression collate => BindCollate(collate, scope),
            FunctionExpression function => BindFunction(function, scope),
            WindowExpression window => BindWindow(window, scope),
            SubqueryExpression subquery => BindScalar(subquery, scope),
            _ => throw Scope.Fail(102, "Incorrect syntax near a condition.", expression.Line),
        };
    }

    /// <summary>Binds a value and converts it, if that needs no CAST.</summary>
    public Bound BindAs(Expression expression, Scope scope, SqlType type) => As(Bind(expression, scope), type);

    public static Bound As(Bound bound, SqlType type)
    {
        if (bound.Type.Kind == type.Kind && !Types.IsNull(bound.Type)
            && bound.Type.Length == type.Length && bound.Type.Precision == type.Precision && bound.Type.Scale == type.Scale)
        {
            return bound;
        }

        Conversion.RequireImplicit(bound.Type, type);
        var from = bound.Type;
        return new Bound(type with { Nullable = bound.Type.Nullable }, frame => Conversion.Convert(bound.Value(frame), from, type));
    }

    private Bound BindVariable(VariableExpression variable)
    {
        var (type, value) = environment.Variable(variable.Name);
        return new Bound(type with { Nullable = true }, _ => value());
    }

    private static Bound BindColumn(ColumnExpression column, Scope scope)
    {
        var depth = 0;
        for (var at = scope; at is not null; at = at.Outer, depth++)
        {
            var source = at.Grouping?.Source ?? at;
            if (source.Local(column) is not { } found) continue;
            var (ordinal, type) = (found.Ordinal, found.Column.Type);
            if (at.Grouping is { } grouping)
            {
                var slot = -1;
                for (var i = 0; i < grouping.Keys.Count; i++)
                {
                    if (grouping.Keys[i].Canon == $"#{ordinal}") slot = i;
                }

                if (slot < 0)
                {
                    throw Scope.Fail(
                        8120,
                        $"Column '{(column.Qualifier is null ? "" : column.Qualifier + ".")}{column.Name}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
                        column.Line);
                }

                ordinal = slot;
            }

            return depth switch
            {
                0 => new Bound(type, frame => frame.Row[ordinal]),
                1 => new Bound(type, frame => frame.Outer!.Row[ordinal]),
                _ => new Bound(type, Outward(depth, ordinal)),
            };
        }

        throw column.Qualifier is null
            ? Scope.Fail(207, $"Invalid column name '{column.Name}'.", column.Line)
            : Scope.Fail(4104, $"The multi-part identifier \"{column.Qualifier}.{column.Name}\" could not be bound.", column.Line);
    }

    private static Func<Frame, object?> Outward(int depth, int ordinal) => frame =>
    {
        for (var i = 0; i < depth; i++) frame = frame.Outer!;
        return frame.Row[ordinal];
    };

    private Bound BindUnary(UnaryExpression unary, Scope scope)
    {
        var operand = Bind(unary.Operand, scope);
        var type = Types.Shown(operand.Type);
        if (unary.Operator == "~")
        {
            return Types.IsInteger(type)
                ? new Bound(type, frame => Operators.Complement(operand.Value(frame), type))
                : throw new SqlErrorException(8117, 16, $"Operand data type {Types.Name(type)} is invalid for '~' operator.");
        }

        if (!Types.IsNumber(type) || type.Kind == SqlKind.Bit)
            throw new SqlErrorException(8117, 16, $"Operand data type {Types.Name(type)} is invalid for minus operator.");
        if (type.Kind is SqlKind.TinyInt or SqlKind.SmallInt)
        {
            var small = As(operand, Types.Int);
            return new Bound(Types.Int, frame => Operators.Negate(small.Value(frame), Types.Int));
        }

        return new Bound(type, frame => Operators.Negate(operand.Value(frame), type));
    }

    private Bound BindBinary(BinaryExpression binary, Scope scope)
    {
        var left = Bind(binary.Left, scope);
        var right = Bind(binary.Right, scope);
        var type = Operators.ResultType(binary.Operator, Exact(binary.Left, left.Type, right.Type), Exact(binary.Right, right.Type, left.Type))
            with { Nullable = left.Type.Nullable || right.Type.Nullable };
        var symbol = binary.Operator;
        var (leftType, rightType) = (left.Type, right.Type);
        return new Bound(type, frame => Operators.Compute(symbol, left.Value(frame), leftType, right.Value(frame), rightType, type));
    }

    /// <summary>Beside a numeric an int literal counts with no more digits than it has.</summary>
    private static SqlType Exact(Expression expression, SqlType type, SqlType other) =>
        other.Kind == SqlKind.Numeric && expression is LiteralExpression { Value: int number }
            ? new SqlType(SqlKind.Numeric, 0, (byte)number.ToString(CultureInfo.InvariantCulture).Length, 0, type.Nullable)
            : type;

    private Bound BindCase(CaseExpression choice, Scope scope)
    {
        var tests = choice.Arms.Select(arm => choice.Input is null
            ? Condition(arm.When, scope)
            : Condition(new ComparisonCondition("=", choice.Input, arm.When, choice.Line), scope)).ToArray();
        var values = choice.Arms.Select(arm => Bind(arm.Then, scope)).ToList();
        if (choice.Else is not null) values.Add(Bind(choice.Else, scope));
        if (values.All(value => Types.IsNull(value.Type)))
            throw Scope.Fail(8133, "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.", choice.Line);
        var type = values.Select(value => value.Type).Aggregate(Types.Common) with { Nullable = choice.Else is null || values.Any(v => v.Type.Nullable) };
        var arms = values.Select(value => As(value, type)).ToArray();
        return new Bound(type, frame =>
        {
            for (var i = 0; i < tests.Length; i++)
            {
                if (tests[i](frame) == true) return arms[i].Value(frame);
            }

            return arms.Length > tests.Length ? arms[^1].Value(frame) : null;
        });
    }

    private Bound BindCast(CastExpression cast, Scope scope)
    {
        var operand = Bind(cast.Operand, scope);
        var style = cast.Style is null ? null : BindAs(cast.Style, scope, Types.Int);
        var (from, to) = (operand.Type, cast.Type with { Nullable = cast.Try || operand.Type.Nullable });
        Conversion.RequireExplicit(from, to);
        return new Bound(to, frame =>
        {
            var value = operand.Value(frame);
            try
            {
                return Conversion.Convert(value, from, to, (int)(style?.Value(frame) ?? 0));
            }
            catch (SqlErrorException error) when (cast.Try && error.Error.Number is 220 or 234 or 235 or 241 or 242 or 244 or 245 or 248 or 8114 or 8115 or 8169 or 8170)
            {
                return null;
            }
        });
    }

    private Bound BindCollate(CollateExpression collate, Scope scope)
    {
        var operand = Bind(collate.Operand, scope);
        if (!Types.IsText(operand.Type)) throw new SqlErrorException(447, 16, $"Expression type {Types.Name(operand.Type)} is invalid for COLLATE clause.");
        return collate.Collation.ToUpperInvariant() is "DATABASE_DEFAULT" or "CATALOG_DEFAULT" or "SQL_LATIN1_GENERAL_CP1_CI_AS"
            ? operand
            : throw new SqlErrorException(50505, 16, $"Collation {collate.Collation} is not simulated.");
    }

    private Bound BindFunction(FunctionExpression call, Scope scope)
    {
        if (call.Name.Schema is null && s_ranking.Contains(call.Name.Name, StringComparer.OrdinalIgnoreCase))
            throw Scope.Fail(10753, $"The function '{call.Name.Name.ToUpperInvariant()}' must have an OVER clause.", call.Line);
        if (Aggregates.Is(call.Name))
        {
            throw scope.Grouping is null && scope.Tables.Count > 0
                ? Scope.Fail(147, "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.", call.Line)
                : Scope.Fail(8124, "An aggregate is not allowed here.", call.Line);
        }

        if (call.Star || call.Distinct) throw Scope.Fail(102, $"Incorrect syntax near '{(call.Star ? "*" : "DISTINCT")}'.", call.Line);
        var arguments = call.Arguments.Select(argument => Bind(argument, scope)).ToArray();
        var bound = (call.Name.Schema is null ? ScalarFunctions.Bind(call.Name.Name, arguments, environment) : null)
            ?? environment.Function(call.Name, arguments);
        if (bound is not null) return bound;
        throw call.Name.Schema is null
            ? Scope.Fail(195, $"'{call.Name.Name}' is not a recognized built-in function name.", call.Line)
            : Scope.Fail(
                4121,
                $"Cannot find either column \"{call.Name.Schema}\" or the user-defined function or aggregate \"{call.Name}\", or the name is ambiguous.",
                call.Line);
    }

    private Bound BindScalar(SubqueryExpression subquery, Scope scope)
    {
        var query = BindQuery(subquery.Query, scope);
        RequireOneColumn(query, subquery.Line);
        return new Bound(query.Columns[0].Type with { Nullable = true }, frame =>
        {
            var rows = query.Rows(frame);
            return rows.Count switch
            {
                0 => null,
                1 => rows[0][0],
                _ => throw Scope.Fail(
                    512,
                    "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.",
                    subquery.Line),
            };
        });
    }

    private static void RequireOneColumn(BoundQuery query, int line)
    {
        if (query.Columns.Count != 1)
            throw Scope.Fail(116, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.", line);
    }

    /// <summary>Binds a condition.</summary>
    public Test Condition(Expression expression, Scope scope)
    {
        switch (expression)
        {
            case ComparisonCondition comparison:
                return Comparison(comparison.Operator, Bind(comparison.Left, scope), Bind(comparison.Right, scope));
            case LogicalCondition logical:
                var (left, right) = (Condition(logical.Left, scope), Condition(logical.Right, scope));
                return logical.And ? frame => And(left(frame), right, frame) : frame => Or(left(frame), right, frame);
            case NotCondition not:
                var inner = Condition(not.Operand, scope);
                return frame => !inner(frame);
            case IsNullCondition isNull:
                var operand = Bind(isNull.Operand, scope);
                return frame => operand.Value(frame) is null != isNull.Not;
            case BetweenCondition between:
                var subject = between.Operand;
                var low = new ComparisonCondition(">=", subject, between.Low, between.Line);
                var high = new ComparisonCondition("<=", subject, between.High, between.Line);
                var both = Condition(new LogicalCondition(true, low, high, between.Line), scope);
                return between.Not ? frame => !both(frame) : both;
            case LikeCondition like:
                return BindLike(like, scope);
            case InListCondition list:
                var item = Bind(list.Operand, scope);
                var tests = list.List.Select(choice => Comparison("=", item, Bind(choice, scope))).ToArray();
                return frame => Any(tests, frame) is { } found ? found != list.Not : null;
            case InQueryCondition query:
                return BindInQuery(query, scope);
            case ExistsCondition exists:
                var rows = BindQuery(exists.Query, scope);
                return frame => rows.Rows(frame).Count > 0;
            default:
                throw new InvalidOperationException($"Not a condition: {expression.GetType().Name}.");
        }
    }

    private static bool? And(bool? left, Test right, Frame frame)
    {
        if (left == false) return false;
        var second = right(frame);
        return second == false ? false : left is null ? null : second;
    }

    private static bool? Or(bool? left, Test right, Frame frame)
    {
        if (left == true) return true;
        var second = right(frame);
        return second == true ? true : left is null ? null : second;
    }

    private static bool? Any(Test[] tests, Frame frame)
    {
        bool? result = false;
        foreach (var test in tests)
        {
            var one = test(frame);
            if (one == true) return true;
            if (one is null) result = null;
        }

        return result;
    }

    private static Test Comparison(string symbol, Bound left, Bound right)
    {
        var common = Types.Common(left.Type, right.Type);
        if (Types.IsText(common)) common = common with { Length = -1, Kind = SqlKind.NVarChar };
        var (a, b) = (As(left, common), As(right, common));
        Func<int, bool> holds = symbol switch
        {
            "=" => sign => sign == 0,
            "<>" => sign => sign != 0,
            "<" => sign => sign < 0,
            ">" => sign => sign > 0,
            "<=" => sign => sign <= 0,
            _ => sign => sign >= 0,
        };
        return frame => a.Value(frame) is { } x && b.Value(frame) is { } y ? holds(Operators.Compare(x, y, common)) : null;
    }

    private Test BindLike(LikeCondition like, Scope scope)
    {
        var text = BindAs(like.Operand, scope, Types.Text(-1));
        var pattern = BindAs(like.Pattern, scope, Types.Text(-1));
        var escape = like.Escape is null ? null : BindAs(like.Escape, scope, Types.Text(-1));
        return frame =>
        {
            if (text.Value(frame) is not string value || pattern.Value(frame) is not string wanted) return null;
            char? sign = null;
            if (escape is not null)
            {
                if (escape.Value(frame) is not string given) return null;
                if (given.Length != 1)
                    throw Scope.Fail(506, $"The invalid escape character \"{given}\" was specified in a LIKE predicate.", like.Line);
                sign = given[0];
            }

            return Operators.Like(value, wanted, sign) != like.Not;
        };
    }

    private Test BindInQuery(InQueryCondition condition, Scope scope)
    {
        var operand = Bind(condition.Operand, scope);
        var query = BindQuery(condition.Query, scope);
        RequireOneColumn(query, condition.Line);
        object? candidate = null;
        var test = Comparison("=", operand, new Bound(query.Columns[0].Type, _ => candidate));
        return frame =>
        {
            bool? result = false;
            foreach (var row in query.Rows(frame))
            {
                candidate = row[0];
                var one = test(frame);
                if (one == true)
                {
                    result = true;
                    break;
                }

                if (one is null) result = null;
            }

            return result is { } found ? found != condition.Not : null;
        };
    }

    /// <summary>A text that two expressions share when GROUP BY takes them for the same.</summary>
    private static string Canon(Expression expression, Scope scope)
    {
        switch (expression)
        {
            case ColumnExpression column:
                return scope.Local(column) is { } found ? $"#{found.Ordinal}" : $"{column.Qualifier}.{column.Name}".ToUpperInvariant();
            case LiteralExpression literal:
                return $"{literal.Type.Kind}:{(literal.Value is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(literal.Value, CultureInfo.InvariantCulture))}";
            case VariableExpression variable:
                return variable.Name.ToUpperInvariant();
            case UnaryExpression unary:
                return $"{unary.Operator}({Canon(unary.Operand, scope)})";
            case BinaryExpression binary:
                return $"({Canon(binary.Left, scope)}{binary.Operator}{Canon(binary.Right, scope)})";
            case CastExpression { Style: null } cast:
                return $"cast({Canon(cast.Operand, scope)},{cast.Type},{cast.Try})";
            case CollateExpression collate:
                return Canon(collate.Operand, scope);
            case FunctionExpression function:
                return $"{function.Name}({string.Join(',', function.Arguments.Select(a => Canon(a, scope)))},{function.Distinct},{function.Star},{
                    string.Join(',', function.Within.Select(item => $"{Canon(item.Expression, scope)} {item.Descending}"))})".ToUpperInvariant();
            default:
                return $"@{RuntimeHelpers.GetHashCode(expression)}";
        }
    }
}
