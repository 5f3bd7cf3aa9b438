using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>What UPDATE, DELETE and OUTPUT need beyond a query, and the way to a row by its key.</summary>
internal sealed partial class Binder
{
    private readonly Dictionary<NamedSource, Relation> _relations = new(ReferenceEqualityComparer.Instance);

    /// <summary>Binds FROM and WHERE around the one table that is to be changed.</summary>
    /// <returns>The scope, and what makes of a row of that table the first joined row that meets the condition, or null.</returns>
    public (Scope Scope, Func<object?[], Frame?> Match) BindTarget(
        TableSource from, NamedSource target, IReadOnlyList<SqlColumn> columns, Expression? where)
    {
        // The table is taken to have the one row in question, with a mark by which it is told from what an outer join makes up.
        object?[] current = [];
        _relations[target] = new Relation([.. columns, new SqlColumn("", Types.Bit)], () => [[.. current, true]]);
        var tables = new List<ScopeTable>();
        var rows = BindSource(from, tables, null);
        var scope = new Scope(tables, null);
        var test = where is null ? null : Condition(where, scope);
        var mark = tables.First(table => ReferenceEquals(table.Name, target.Name)).Offset + columns.Count;
        return (scope, row =>
        {
            current = row;
            environment.Check();
            return rows(null).Where(joined => joined[mark] is true).Select(joined => new Frame(joined, null))
                .FirstOrDefault(frame => test is null || test(frame) == true);
        });
    }

    /// <summary>Binds OUTPUT over the columns of inserted and deleted, one behind the other.</summary>
    public (IReadOnlyList<SqlColumn> Columns, Func<object?[], object?[]> Row) BindOutput(IReadOnlyList<SelectItem> items, IReadOnlyList<SqlColumn> columns, IReadOnlyList<string> names)
    {
        var tables = names.Select((name, i) => new ScopeTable(name, null, columns, i * columns.Count)).ToList();
        var scope = new Scope(tables, null) { NeedsQualifier = true };
        var (shown, outputs) = BindItems(new SelectBody(false, null, items, null, null, [], null, 0), scope, tables);
        return (shown, row => Compute(outputs, new Frame(row, null)));
    }

    /// <summary>The values that WHERE asks of a primary key, column by column; null when it does not ask for a whole key.</summary>
    public Func<Frame?, IReadOnlyList<object?>>? BindKey(Expression? where, Scope scope, IReadOnlyList<int> key, IReadOnlyList<SqlColumn> columns)
    {
        if (where is null || key.Count == 0) return null;
        var values = new List<Bound>();
        foreach (var place in key)
        {
            var value = Conjuncts(where).Select(condition => KeyValue(condition, scope, place, columns[place].Type)).FirstOrDefault(found => found is not null);
            if (value is null) return null;
            values.Add(value);
        }

        return outer => values.ConvertAll(value => value.Value(new Frame([], outer)));
    }

    private Func<Frame?, IReadOnlyList<object?[]>>? BindSeek(SelectBody select, List<ScopeTable> tables, Scope scope)
    {
        if (select.From is not NamedSource named || !_relations.TryGetValue(named, out var relation) || relation.Seek is not { } seek) return null;
        return BindKey(select.Where, scope, relation.Key, tables[0].Columns) is { } key ? frame => seek(key(frame)) : null;
    }

    private static IEnumerable<Expression> Conjuncts(Expression condition) => condition is LogicalCondition { And: true } and
        ? Conjuncts(and.Left).Concat(Conjuncts(and.Right))
        : [condition];

    private Bound? KeyValue(Expression condition, Scope scope, int place, SqlType type)
    {
        if (condition is not ComparisonCondition { Operator: "=" } comparison) return null;
        return Side(comparison.Left, comparison.Right) ?? Side(comparison.Right, comparison.Left);

        Bound? Side(Expression column, Expression value)
        {
            if (column is not ColumnExpression named || scope.Local(named)?.Ordinal != place) return null;
            var independent = value is LiteralExpression or VariableExpression or UnaryExpression { Operand: LiteralExpression }
                || (value is ColumnExpression other && scope.Local(other) is null);
            if (!independent) return null;
            var bound = Bind(value, scope);

            // Only where equal values have equal keys, and nothing can fail to convert.
            var same = (Types.IsText(type) && Types.IsText(bound.Type))
                || (Types.IsInteger(type) && Types.IsInteger(bound.Type) && Types.Common(type, bound.Type).Kind == type.Kind)
                || (type.Kind == bound.Type.Kind && type.Kind is SqlKind.UniqueIdentifier or SqlKind.DateTime or SqlKind.DateTime2);
            return !same || Types.IsNull(bound.Type) ? null : Types.IsInteger(type) ? As(bound, type) : bound;
        }
    }
}
