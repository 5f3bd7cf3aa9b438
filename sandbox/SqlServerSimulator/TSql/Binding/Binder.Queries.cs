using System.Globalization;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

internal sealed partial class Binder
{
    /// <summary>Binds a query; <paramref name="outer"/> is the scope in which it stands as a subquery.</summary>
    public BoundQuery BindQuery(Query query, Scope? outer)
    {
        var rows = BindOrdered(query, outer);
        if (query.Offset is null) return rows;
        var offset = BindAs(query.Offset, Scope.None, Types.BigInt);
        var fetch = query.Fetch is null ? null : BindAs(query.Fetch, Scope.None, Types.BigInt);
        return new BoundQuery(rows.Columns, rows.Written, frame =>
        {
            var (skipped, taken) = ((long?)offset.Value(Frame.Empty), fetch is null ? int.MaxValue : (long?)fetch.Value(Frame.Empty));
            if (skipped is null || taken is null) throw Scope.Fail(1014, "A TOP or FETCH clause contains an invalid value.", query.Body.Line);
            if (skipped < 0) throw Scope.Fail(10742, "The offset specified in a OFFSET clause may not be negative.", query.Body.Line);
            if (taken < 1) throw Scope.Fail(10744, "The number of rows provided for a FETCH clause must be greater then zero.", query.Body.Line);
            return rows.Rows(frame).Skip((int)Math.Min(skipped.Value, int.MaxValue)).Take((int)Math.Min(taken.Value, int.MaxValue)).ToList();
        });
    }

    private BoundQuery BindOrdered(Query query, Scope? outer)
    {
        if (query.Body is SelectBody select) return BindSelect(select, query.OrderBy, outer);
        var body = BindBody(query.Body, outer);
        if (query.OrderBy.Count == 0) return body;
        var keys = query.OrderBy.Select(item => (Ordinal: OutputOrdinal(item.Expression, body.Columns)
            ?? throw Scope.Fail(104, "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.", item.Expression.Line),
            item.Descending)).ToList();
        return new BoundQuery(body.Columns, body.Written, frame => Sorted(body.Rows(frame), keys.Select(k => (k.Ordinal, k.Descending)).ToList(), body.Columns));
    }

    private BoundQuery BindBody(QueryBody body, Scope? outer) => body switch
    {
        SelectBody select => BindSelect(select, [], outer),
        SetBody set => BindSet(set, outer),
        _ => throw new InvalidOperationException(body.GetType().Name),
    };

    private BoundQuery BindSet(SetBody set, Scope? outer)
    {
        var (left, right) = (BindBody(set.Left, outer), BindBody(set.Right, outer));
        if (left.Columns.Count != right.Columns.Count)
        {
            throw Scope.Fail(
                205, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.", set.Line);
        }

        var types = left.Written.Zip(right.Written, Types.Common).ToList();
        var columns = left.Columns.Zip(types, (column, type) => new SqlColumn(column.Name, Types.Shown(type))).ToList();
        foreach (var (column, source) in columns.Zip(left.Written).Concat(columns.Zip(right.Written))) Conversion.RequireImplicit(source, column.Type);
        object?[] Fit(object?[] row, BoundQuery source) =>
            row.Select((value, i) => Conversion.Convert(value, source.Columns[i].Type, columns[i].Type)).ToArray();
        return new BoundQuery(columns, types, frame =>
        {
            var first = left.Rows(frame).Select(row => Fit(row, left));
            var second = right.Rows(frame).Select(row => Fit(row, right));
            IEnumerable<IReadOnlyList<object?>> rows = set.Operator switch
            {
                SetOperator.UnionAll => first.Concat(second),
                SetOperator.Union => first.Union(second, Operators.RowComparer),
                SetOperator.Except => first.Except(second, Operators.RowComparer),
                _ => first.Intersect(second, Operators.RowComparer),
            };
            return rows.Cast<object?[]>().ToList();
        });
    }

    private BoundQuery BindSelect(SelectBody select, IReadOnlyList<OrderItem> order, Scope? outer)
    {
        var enclosing = _windows;
        _windows = null;
        var tables = new List<ScopeTable>();
        var source = select.From is null ? (_ => [[]]) : BindSource(select.From, tables, outer);
        var scope = new Scope(tables, outer);
        source = BindSeek(select, tables, scope) ?? source;
        var where = select.Where is null ? null : Condition(select.Where, scope);

        var grouped = select.GroupBy.Count > 0 || select.Having is not null
            || select.Items.Any(item => item is ExpressionItem value && Aggregates.In(value.Expression))
            || select.Items.Any(item => item is AssignmentItem value && Aggregates.In(value.Expression))
            || order.Any(item => Aggregates.In(item.Expression));
        Grouping? grouping = null;
        if (grouped)
        {
            var groupKeys = select.GroupBy.Select(expression => Aggregates.In(expression)
                ? throw Scope.Fail(144, "Cannot use an aggregate or a subquery in an expression used for the group by list of a GROUP BY clause.", expression.Line)
                : (Canon(expression, scope), Bind(expression, scope))).ToList();
            grouping = new Grouping(scope, groupKeys);
            scope = new Scope([], outer) { Grouping = grouping };
        }

        var having = select.Having is null ? null : Condition(select.Having, scope);
        var windows = _windows = [];
        var (columns, outputs) = BindItems(select, scope, tables);
        var sorts = new List<(Bound Key, bool Descending)>();
        foreach (var item in order)
        {
            if (OutputOrdinal(item.Expression, columns) is { } ordinal)
            {
                sorts.Add((outputs[ordinal], item.Descending));
            }
            else
            {
                if (select.Distinct && !select.Items.Any(i => i is ExpressionItem e && Canon(e.Expression, grouping?.Source ?? scope) == Canon(item.Expression, grouping?.Source ?? scope)))
                    throw Scope.Fail(145, "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.", item.Expression.Line);
                sorts.Add((Bind(item.Expression, scope), item.Descending));
            }
        }

        _windows = enclosing;
        var top = select.Top is null ? null : BindAs(select.Top, Scope.None, Types.BigInt);
        return new BoundQuery(columns, outputs.ConvertAll(output => output.Type), frame =>
        {
            var limit = top is null ? long.MaxValue : (long)(top.Value(Frame.Empty)
                ?? throw Scope.Fail(1014, "A TOP or FETCH clause contains an invalid value.", select.Line));
            if (limit < 0) throw Scope.Fail(1060, "The number of rows provided for a TOP or FETCH clauses row count parameter must be a positive integer.", select.Line);
            IEnumerable<Frame> frames = source(frame).Select(row => new Frame(row, frame));
            if (where is not null) frames = frames.Where(row => where(row) == true);
            if (grouping is not null) frames = Group(frames, grouping, select.GroupBy.Count > 0, frame);
            if (having is not null) frames = frames.Where(row => having(row) == true);
            if (windows.Count > 0) frames = WithWindows(frames.ToList(), windows);
            if (sorts.Count == 0)
            {
                var plain = frames.Select(row => Compute(outputs, row));
                if (select.Distinct) plain = plain.Distinct(Operators.RowComparer).Cast<object?[]>();
                return plain.Take((int)Math.Min(limit, int.MaxValue)).ToList();
            }

            // Sort keys travel behind the output columns.
            var all = frames.Select(row => (object?[])[.. Compute(outputs, row), .. sorts.Select(sort => sort.Key.Value(row))]).ToList();
            if (select.Distinct) all = all.DistinctBy(row => row[..outputs.Count], Operators.RowComparer).ToList();
            var keyColumns = sorts.Select((_, i) => (outputs.Count + i, sorts[i].Descending)).ToList();
            var types = columns.Concat(sorts.Select(sort => new SqlColumn("", sort.Key.Type))).ToList();
            return Sorted(all, keyColumns, types).Take((int)Math.Min(limit, int.MaxValue)).Select(row => row[..outputs.Count]).ToList();
        });
    }

    private static object?[] Compute(List<Bound> outputs, Frame row)
    {
        var values = new object?[outputs.Count];
        for (var i = 0; i < values.Length; i++) values[i] = outputs[i].Value(row);
        return values;
    }

    private (List<SqlColumn> Columns, List<Bound> Outputs) BindItems(SelectBody select, Scope scope, List<ScopeTable> tables)
    {
        var columns = new List<SqlColumn>();
        var outputs = new List<Bound>();
        foreach (var item in select.Items)
        {
            switch (item)
            {
                case StarItem star:
                    var chosen = tables.Where(table => star.Qualifier is null || table.Answers(star.Qualifier)).ToList();
                    if (chosen.Count == 0)
                    {
                        throw star.Qualifier is null
                            ? Scope.Fail(263, "Must specify table to select from.", star.Line)
                            : Scope.Fail(107, $"The column prefix '{star.Qualifier}' does not match with a table name or alias name used in the query.", star.Line);
                    }

                    foreach (var table in chosen)
                    {
                        for (var i = 0; i < table.Columns.Count; i++)
                        {
                            var ordinal = table.Offset + i;
                            columns.Add(table.Columns[i]);
                            outputs.Add(scope.Grouping is null
                                ? new Bound(table.Columns[i].Type, row => row.Row[ordinal])
                                : scope.Grouping.FindKey($"#{ordinal}") ?? throw Scope.Fail(
                                    8120,
                                    $"Column '{table.Columns[i].Name}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.",
                                    star.Line));
                        }
                    }

                    break;
                case ExpressionItem value:
                    var bound = Bind(value.Expression, scope);
                    columns.Add(new SqlColumn(value.Alias ?? (value.Expression as ColumnExpression)?.Name ?? "", Types.Shown(bound.Type)));
                    outputs.Add(bound);
                    break;
                case AssignmentItem assignment:
                    var assigned = assignment.Operator.Length == 0
                        ? assignment.Expression
                        : new BinaryExpression(assignment.Operator, new VariableExpression(assignment.Variable, assignment.Line), assignment.Expression, assignment.Line);
                    var target = environment.Variable(assignment.Variable).Type;
                    outputs.Add(BindAs(assigned, scope, target));
                    columns.Add(new SqlColumn(assignment.Variable, target));
                    break;
            }
        }

        return (columns, outputs);
    }

    private Bound BindAggregate(FunctionExpression call, Grouping grouping)
    {
        if (call.Arguments.Any(Aggregates.In))
            throw Scope.Fail(130, "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.", call.Line);
        var canon = Canon(call, grouping.Source);
        var index = grouping.Aggregates.FindIndex(aggregate => aggregate.Canon == canon);
        if (index < 0)
        {
            var (type, compute) = CreateAggregate(call, grouping.Source);
            grouping.Aggregates.Add((canon, type, compute));
            index = grouping.Aggregates.Count - 1;
        }

        var slot = grouping.Keys.Count + index;
        return new Bound(grouping.Aggregates[index].Type, frame => frame.Row[slot]);
    }

    private (SqlType Type, Func<List<Frame>, object?> Compute) CreateAggregate(FunctionExpression call, Scope scope)
    {
        var joins = call.Name.Name.Equals("STRING_AGG", StringComparison.OrdinalIgnoreCase);
        if (!call.Star && call.Arguments.Count != (joins ? 2 : 1))
            throw Scope.Fail(174, $"The {call.Name.Name.ToLowerInvariant()} function requires {(joins ? 2 : 1)} argument(s).", call.Line);
        if (!joins) return Aggregates.Create(call, call.Star ? null : Bind(call.Arguments[0], scope));
        if (call.Star || call.Distinct) throw Scope.Fail(102, $"Incorrect syntax near '{(call.Star ? "*" : "DISTINCT")}'.", call.Line);
        if (call.Arguments[1] is not (LiteralExpression or VariableExpression))
            throw Scope.Fail(8733, "Separator parameter for STRING_AGG must be a string literal or variable.", call.Line);
        var text = Bind(call.Arguments[0], scope);
        var separator = BindAs(call.Arguments[1], scope, Types.Text(-1));
        var keys = call.Within.Select(item => (Key: Bind(item.Expression, scope), item.Descending)).ToList();
        return Aggregates.Join(
            Types.IsText(text.Type) ? text : As(text, Types.Text(4000)),
            separator,
            rows => keys.Count == 0 ? rows : rows.Order(ByKeys(keys)));
    }

    private static IEnumerable<Frame> Group(IEnumerable<Frame> rows, Grouping grouping, bool byKeys, Frame? outer)
    {
        if (!byKeys)
        {
            var all = rows.ToList();
            return [new Frame(grouping.Aggregates.Select(aggregate => aggregate.Compute(all)).ToArray(), outer)];
        }

        var order = new List<IReadOnlyList<object?>>();
        var groups = new Dictionary<IReadOnlyList<object?>, List<Frame>>(Operators.RowComparer);
        foreach (var row in rows)
        {
            var key = grouping.Keys.Select(k => k.Key.Value(row)).ToArray();
            if (!groups.TryGetValue(key, out var members))
            {
                groups.Add(key, members = []);
                order.Add(key);
            }

            members.Add(row);
        }

        return order.Select(key => new Frame([.. key, .. grouping.Aggregates.Select(aggregate => aggregate.Compute(groups[key]))], outer));
    }

    /// <summary>The output column that an ORDER BY item names by number or alias, or null.</summary>
    private static int? OutputOrdinal(Expression expression, IReadOnlyList<SqlColumn> columns)
    {
        if (expression is LiteralExpression { Value: int number })
        {
            return number >= 1 && number <= columns.Count
                ? number - 1
                : throw Scope.Fail(108, $"The ORDER BY position number {number} is out of range of the number of items in the select list.", expression.Line);
        }

        if (expression is not ColumnExpression { Qualifier: null } column) return null;
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)) return i;
        }

        return null;
    }

    private static Comparer<Frame> ByKeys(List<(Bound Key, bool Descending)> keys) => Comparer<Frame>.Create((left, right) =>
    {
        foreach (var (key, descending) in keys)
        {
            var sign = CompareNullFirst(key.Value(left), key.Value(right), key.Type);
            if (sign != 0) return descending ? -sign : sign;
        }

        return 0;
    });

    private static int CompareNullFirst(object? a, object? b, SqlType type) =>
        a is null ? (b is null ? 0 : -1) : b is null ? 1 : Operators.Compare(a, b, type);

    private static List<object?[]> Sorted(List<object?[]> rows, List<(int Ordinal, bool Descending)> keys, IReadOnlyList<SqlColumn> columns)
    {
        var comparer = Comparer<object?[]>.Create((left, right) =>
        {
            foreach (var (ordinal, descending) in keys)
            {
                var sign = CompareNullFirst(left[ordinal], right[ordinal], columns[ordinal].Type);
                if (sign != 0) return descending ? -sign : sign;
            }

            return 0;
        });
        return rows.Order(comparer).ToList();
    }

    /// <summary>Binds FROM; the tables get their places in the joined row in the order in which they stand.</summary>
    private Func<Frame?, IReadOnlyList<object?[]>> BindSource(TableSource source, List<ScopeTable> tables, Scope? outer)
    {
        var offset = tables.Sum(table => table.Columns.Count);
        switch (source)
        {
            case NamedSource named when FindCommonTable(named.Name) is var place and >= 0:
                var common = BindCommonTable(place);
                AddTable(tables, new ScopeTable(named.Alias, named.Name, common.Columns, offset), named.Line);
                return _ => common.Rows(null);
            case NamedSource named:
                if (!_relations.TryGetValue(named, out var relation)) _relations[named] = relation = environment.Find(named.Name);
                AddTable(tables, new ScopeTable(named.Alias, named.Name, relation.Columns, offset), named.Line);
                return _ => relation.Rows();
            case DerivedSource derived:
                var query = BindQuery(derived.Query, outer);
                var columns = Rename(query.Columns, derived.Columns, derived.Alias, derived.Line);
                AddTable(tables, new ScopeTable(derived.Alias, null, columns, offset), derived.Line);
                return frame => query.Rows(frame);
            case ValuesSource values:
                return BindValues(values, tables, offset, outer);
            case JoinSource join:
                return BindJoin(join, tables, outer);
            default:
                throw new InvalidOperationException(source.GetType().Name);
        }
    }

    private static void AddTable(List<ScopeTable> tables, ScopeTable table, int line)
    {
        var name = table.Alias ?? table.Name!.Name;
        if (tables.Any(other => (other.Alias ?? other.Name!.Name).Equals(name, StringComparison.OrdinalIgnoreCase)
            && (table.Alias is not null || other.Alias is not null || other.Name == table.Name)))
        {
            throw Scope.Fail(
                1013, $"The objects \"{name}\" and \"{name}\" in the FROM clause have the same exposed names. Use correlation names to distinguish them.", line);
        }

        tables.Add(table);
    }

    private static IReadOnlyList<SqlColumn> Rename(IReadOnlyList<SqlColumn> columns, IReadOnlyList<string>? names, string alias, int line)
    {
        if (names is null)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                if (columns[i].Name.Length == 0)
                    throw Scope.Fail(8155, $"No column name was specified for column {(i + 1).ToString(CultureInfo.InvariantCulture)} of '{alias}'.", line);
            }

            return columns;
        }

        return names.Count == columns.Count
            ? columns.Zip(names, (column, name) => column with { Name = name }).ToList()
            : throw Scope.Fail(8158, $"'{alias}' has {(columns.Count > names.Count ? "more" : "fewer")} columns than were specified in the column list.", line);
    }

    private Func<Frame?, IReadOnlyList<object?[]>> BindValues(ValuesSource values, List<ScopeTable> tables, int offset, Scope? outer)
    {
        var scope = new Scope([], outer);
        var rows = values.Rows.Select(row => row.Select(value => Bind(value, scope)).ToArray()).ToList();
        var width = rows[0].Length;
        if (rows.Exists(row => row.Length != width))
            throw Scope.Fail(10709, "The number of columns for each row in a table value constructor must be the same.", values.Line);
        var types = Enumerable.Range(0, width).Select(i => Types.Shown(rows.Select(row => row[i].Type).Aggregate(Types.Common))).ToArray();
        var fitted = rows.Select(row => row.Select((value, i) => As(value, types[i])).ToArray()).ToList();
        var columns = Rename(types.Select(type => new SqlColumn("", type)).ToList(), values.Columns, values.Alias, values.Line);
        AddTable(tables, new ScopeTable(values.Alias, null, columns, offset), values.Line);
        return frame => fitted.Select(row => row.Select(value => value.Value(new Frame([], frame))).ToArray()).ToList();
    }

    private Func<Frame?, IReadOnlyList<object?[]>> BindJoin(JoinSource join, List<ScopeTable> tables, Scope? outer)
    {
        var first = tables.Count;
        var left = BindSource(join.Left, tables, outer);
        var middle = tables.Count;
        var right = BindSource(join.Right, tables, outer);
        var outerLeft = join.Kind is JoinKind.Left or JoinKind.Full;
        var outerRight = join.Kind is JoinKind.Right or JoinKind.Full;
        var leftWidth = tables.Skip(first).Take(middle - first).Sum(table => table.Columns.Count);
        var rightWidth = tables.Skip(middle).Sum(table => table.Columns.Count);
        for (var i = outerRight ? first : middle; i < (outerLeft ? tables.Count : middle); i++)
            tables[i] = tables[i] with { Columns = tables[i].Columns.Select(c => c with { Type = c.Type with { Nullable = true } }).ToList() };

        // ON sees the tables of this join only, at the places which they have within it.
        var start = tables.Count > first ? tables[first].Offset : 0;
        var seen = tables.Skip(first).Select(table => table with { Offset = table.Offset - start }).ToList();
        var on = join.On is null ? null : Condition(join.On, new Scope(seen, outer));
        return frame =>
        {
            var result = new List<object?[]>();
            var others = right(frame);
            var met = new bool[others.Count];
            foreach (var a in left(frame))
            {
                var matched = false;
                environment.Check();
                for (var i = 0; i < others.Count; i++)
                {
                    var b = others[i];
                    var row = new object?[leftWidth + rightWidth];
                    a.CopyTo(row, 0);
                    b.CopyTo(row, leftWidth);
                    if (on is not null && on(new Frame(row, frame)) != true) continue;
                    matched = met[i] = true;
                    result.Add(row);
                }

                if (matched || !outerLeft) continue;
                var alone = new object?[leftWidth + rightWidth];
                a.CopyTo(alone, 0);
                result.Add(alone);
            }

            for (var i = 0; outerRight && i < met.Length; i++)
            {
                if (met[i]) continue;
                var alone = new object?[leftWidth + rightWidth];
                others[i].CopyTo(alone, leftWidth);
                result.Add(alone);
            }

            return result;
        };
    }
}
