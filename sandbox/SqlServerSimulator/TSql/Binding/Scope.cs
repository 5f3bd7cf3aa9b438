using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>A table in FROM under the name by which its columns may be called.</summary>
/// <param name="Alias">The alias, or null where the object's own name counts.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Offset">Where they start in the joined row.</param>
internal sealed record ScopeTable(string? Alias, ObjectName? Name, IReadOnlyList<SqlColumn> Columns, int Offset)
{
    public bool Answers(ObjectName qualifier)
    {
        if (Alias is not null) return qualifier.Schema is null && Same(qualifier.Name, Alias);
        return Same(qualifier.Name, Name!.Name)
            && (qualifier.Schema is null || Same(qualifier.Schema, Name.Schema ?? "dbo"))
            && (qualifier.Database is null || Name.Database is null || Same(qualifier.Database, Name.Database));
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The columns that may be named at some place of a query.</summary>
internal sealed class Scope(IReadOnlyList<ScopeTable> tables, Scope? outer)
{
    public IReadOnlyList<ScopeTable> Tables => tables;

    public Scope? Outer => outer;

    /// <summary>Set behind GROUP BY: rows are then groups.</summary>
    public Grouping? Grouping { get; set; }

    /// <summary>OUTPUT: a column must say whose it is.</summary>
    public bool NeedsQualifier { get; init; }

    public static Scope None { get; } = new([], null);

    /// <summary>Finds a column here, or null. Throws 209 when two answer.</summary>
    public (int Ordinal, SqlColumn Column)? Local(ColumnExpression column)
    {
        if (NeedsQualifier && column.Qualifier is null) return null;
        (int, SqlColumn)? found = null;
        var qualified = false;
        foreach (var table in tables)
        {
            if (column.Qualifier is not null && !table.Answers(column.Qualifier)) continue;
            qualified = column.Qualifier is not null;
            for (var i = 0; i < table.Columns.Count; i++)
            {
                if (!table.Columns[i].Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)) continue;
                if (found is not null) throw Fail(209, $"Ambiguous column name '{column.Name}'.", column.Line);
                found = (table.Offset + i, table.Columns[i]);
            }
        }

        return found is null && qualified ? throw Fail(207, $"Invalid column name '{column.Name}'.", column.Line) : found;
    }

    public static SqlErrorException Fail(int number, string message, int line) => new(new SqlError(number, 16, 1, message, Line: line));
}

/// <summary>What a grouped row holds: keys, then aggregates.</summary>
internal sealed class Grouping(Scope source, IReadOnlyList<(string Canon, Bound Key)> keys)
{
    public Scope Source => source;

    public IReadOnlyList<(string Canon, Bound Key)> Keys => keys;

    public List<(string Canon, SqlType Type, Func<List<Frame>, object?> Compute)> Aggregates { get; } = [];

    public Bound? FindKey(string canon)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (keys[i].Canon != canon) continue;
            var slot = i;
            return new Bound(keys[i].Key.Type, frame => frame.Row[slot]);
        }

        return null;
    }
}
