using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>The row at hand and, for a subquery, those around it.</summary>
internal sealed record Frame(IReadOnlyList<object?> Row, Frame? Outer)
{
    public static Frame Empty { get; } = new([], null);

    /// <summary>What the window functions of the query make of this row.</summary>
    public object?[]? Windows { get; set; }
}

/// <summary>A value ready to be computed.</summary>
internal sealed record Bound(SqlType Type, Func<Frame, object?> Value);

/// <summary>A condition ready to be tested; null is UNKNOWN.</summary>
internal delegate bool? Test(Frame frame);

/// <summary>Something that can be selected from.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">Its rows now.</param>
internal sealed record Relation(IReadOnlyList<SqlColumn> Columns, Func<IReadOnlyList<object?[]>> Rows)
{
    /// <summary>Places of the primary key's columns; empty when there is none.</summary>
    public IReadOnlyList<int> Key { get; init; } = [];

    /// <summary>The rows with a primary key, found without looking at the others.</summary>
    public Func<IReadOnlyList<object?>, IReadOnlyList<object?[]>>? Seek { get; init; }
}

/// <summary>A query ready to run.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="Written">Their types as written: a bare NULL is still of none.</param>
/// <param name="Rows">Its rows for a row of the query around it.</param>
internal sealed record BoundQuery(IReadOnlyList<SqlColumn> Columns, IReadOnlyList<SqlType> Written, Func<Frame?, List<object?[]>> Rows);

/// <summary>What expressions need of the session in which they stand.</summary>
internal interface IQueryEnvironment
{
    /// <summary>Called for each row of a join; throws when the client has given up.</summary>
    void Check();

    /// <summary>UTC now.</summary>
    DateTime UtcNow { get; }

    /// <summary>A new identifier.</summary>
    Guid NewGuid();

    /// <summary>Type and value of @name or @@name. Throws 137.</summary>
    (SqlType Type, Func<object?> Value) Variable(string name);

    /// <summary>What WITH has named for the statement at hand.</summary>
    IReadOnlyList<CommonTable> CommonTables { get; }

    /// <summary>Finds a table or view. Throws 208.</summary>
    Relation Find(ObjectName name);

    /// <summary>Binds a function that depends on server or session; null when there is none of that name.</summary>
    Bound? Function(ObjectName name, IReadOnlyList<Bound> arguments);
}
