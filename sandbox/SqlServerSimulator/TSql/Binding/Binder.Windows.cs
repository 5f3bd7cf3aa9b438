using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>What WITH names, and functions OVER rows.</summary>
internal sealed partial class Binder
{
    private static readonly string[] s_ranking = ["ROW_NUMBER", "RANK", "DENSE_RANK"];

    /// <summary>Window functions of the query whose SELECT list or ORDER BY is being bound; null elsewhere.</summary>
    private List<Window>? _windows;

    /// <summary>A query that WITH names sees only those before it.</summary>
    private int _visibleTables = int.MaxValue;

    /// <param name="Partition">Keys of the partition.</param>
    /// <param name="Order">Keys of the order.</param>
    /// <param name="Compute">Values for the rows of one partition, in their order.</param>
    private sealed record Window(
        List<Bound> Partition, List<(Bound Key, bool Descending)> Order, Func<List<Frame>, Comparer<Frame>, IEnumerable<object?>> Compute);

    private int FindCommonTable(ObjectName name)
    {
        if (name.Schema is not null) return -1;
        var tables = environment.CommonTables;
        for (var i = 0; i < tables.Count && i <= _visibleTables; i++)
        {
            if (!tables[i].Name.Equals(name.Name, StringComparison.OrdinalIgnoreCase)) continue;
            return i < _visibleTables ? i : throw new SqlErrorException(50505, 16, "A recursive common table expression is not simulated.");
        }

        return -1;
    }

    private BoundQuery BindCommonTable(int place)
    {
        var table = environment.CommonTables[place];
        var (visible, windows) = (_visibleTables, _windows);
        (_visibleTables, _windows) = (place, null);
        try
        {
            var query = BindQuery(table.Query, null);
            return query with { Columns = Rename(query.Columns, table.Columns, table.Name, table.Line) };
        }
        finally
        {
            (_visibleTables, _windows) = (visible, windows);
        }
    }

    private Bound BindWindow(WindowExpression window, Scope scope)
    {
        if (_windows is not { } windows)
            throw Scope.Fail(4108, "Windowed functions can only appear in the SELECT or ORDER BY clauses.", window.Line);
        var name = window.Function.Name.Name.ToUpperInvariant();
        if (window.OrderBy.Any(item => item.Expression is LiteralExpression { Value: int }))
            throw Scope.Fail(5308, "Windowed functions, aggregates and NEXT VALUE FOR functions do not support integer indices as ORDER BY clause expressions.", window.Line);

        // A window function cannot stand in another.
        _windows = null;
        var partition = window.PartitionBy.Select(key => Bind(key, scope)).ToList();
        var order = window.OrderBy.Select(item => (Bind(item.Expression, scope), item.Descending)).ToList();
        SqlType type;
        Func<List<Frame>, Comparer<Frame>, IEnumerable<object?>> compute;
        if (s_ranking.Contains(name))
        {
            if (order.Count == 0) throw Scope.Fail(4112, $"The function '{name}' must have an OVER clause with ORDER BY.", window.Line);
            if (window.Function.Arguments.Count > 0 || window.Function.Star) throw Scope.Fail(174, $"The {name.ToLowerInvariant()} function requires 0 argument(s).", window.Line);
            type = Types.BigInt;
            compute = (rows, comparer) => Rank(name, rows, comparer);
        }
        else if (Aggregates.Is(window.Function.Name) && order.Count == 0 && name != "STRING_AGG")
        {
            if (window.Function.Distinct) throw Scope.Fail(10759, "Use of DISTINCT is not allowed with the OVER clause.", window.Line);
            (type, var total) = CreateAggregate(window.Function, scope);
            compute = (rows, _) =>
            {
                var value = total(rows);
                return rows.Select(_ => value);
            };
        }
        else
        {
            throw new SqlErrorException(new SqlError(50505, 16, 1, $"{name} OVER is not simulated.", Line: window.Line));
        }

        _windows = windows;
        var slot = windows.Count;
        windows.Add(new Window(partition, order, compute));
        return new Bound(type, frame => frame.Windows![slot]);
    }

    private static IEnumerable<object?> Rank(string function, List<Frame> rows, Comparer<Frame> comparer)
    {
        var (rank, dense) = (0L, 0L);
        for (var i = 0; i < rows.Count; i++)
        {
            if (i == 0 || comparer.Compare(rows[i - 1], rows[i]) != 0)
            {
                rank = i + 1;
                dense++;
            }

            yield return function switch { "RANK" => rank, "DENSE_RANK" => dense, _ => i + 1L };
        }
    }

    private static List<Frame> WithWindows(List<Frame> rows, List<Window> windows)
    {
        foreach (var row in rows) row.Windows = new object?[windows.Count];
        for (var slot = 0; slot < windows.Count; slot++)
        {
            var window = windows[slot];
            var comparer = ByKeys(window.Order);
            var partitions = rows.GroupBy(IReadOnlyList<object?> (row) => window.Partition.Select(key => key.Value(row)).ToArray(), Operators.RowComparer);
            foreach (var partition in partitions)
            {
                var ordered = partition.Order(comparer).ToList();
                foreach (var (row, value) in ordered.Zip(window.Compute(ordered, comparer))) row.Windows![slot] = value;
            }
        }

        return rows;
    }
}
