using System.Globalization;

namespace Agents.Sql;

/// <summary>One result set, wholly read.</summary>
/// <param name="Columns">Column names in order.</param>
/// <param name="Rows">Rows in order.</param>
public sealed record SqlResultSet(IReadOnlyList<string> Columns, IReadOnlyList<SqlRow> Rows);

/// <summary>One row. Values are read by column name; NULL where none is allowed is an error that names the column.</summary>
public sealed class SqlRow
{
    private readonly IReadOnlyList<string> columns;
    private readonly IReadOnlyList<object?> values;

    /// <summary>Makes a row.</summary>
    public SqlRow(IReadOnlyList<string> columns, IReadOnlyList<object?> values)
    {
        this.columns = columns;
        this.values = values;
    }

    /// <summary>The value, or null for NULL.</summary>
    /// <exception cref="KeyNotFoundException">There is no such column.</exception>
    public object? this[string column]
    {
        get
        {
            for (var i = 0; i < columns.Count; i++)
                if (string.Equals(columns[i], column, StringComparison.OrdinalIgnoreCase))
                    return values[i];
            throw new KeyNotFoundException($"The result has no column '{column}', only {string.Join(", ", columns)}.");
        }
    }

    /// <summary>A string.</summary>
    /// <exception cref="InvalidDataException">NULL.</exception>
    public string Text(string column) => TextOrNull(column) ?? throw Null(column);

    /// <summary>A string, or null for NULL.</summary>
    public string? TextOrNull(string column) => this[column]?.ToString();

    /// <summary>A whole number or bit of any width.</summary>
    /// <exception cref="InvalidDataException">NULL.</exception>
    public long Number(string column) => NumberOrNull(column) ?? throw Null(column);

    /// <summary>A whole number or bit of any width, or null for NULL.</summary>
    public long? NumberOrNull(string column) => this[column] switch
    {
        null => null,
        bool flag => flag ? 1 : 0,
        var value => Convert.ToInt64(value, CultureInfo.InvariantCulture),
    };

    /// <summary>A bit.</summary>
    /// <exception cref="InvalidDataException">NULL.</exception>
    public bool Flag(string column) => Number(column) != 0;

    private static InvalidDataException Null(string column) => new($"Column '{column}' is NULL where a value was expected.");
}
