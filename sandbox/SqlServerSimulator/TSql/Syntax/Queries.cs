namespace SqlServerSimulator.TSql.Syntax;

/// <summary>A name of one to four parts.</summary>
internal sealed record ObjectName(string? Server, string? Database, string? Schema, string Name)
{
    public override string ToString() => string.Join('.', new[] { Server, Database, Schema, Name }.SkipWhile(part => part is null));
}

/// <summary>A query with its order.</summary>
/// <param name="Body">One SELECT, or several with UNION, EXCEPT and INTERSECT between them.</param>
/// <param name="OrderBy">Sort keys.</param>
internal sealed record Query(QueryBody Body, IReadOnlyList<OrderItem> OrderBy)
{
    /// <summary>OFFSET … ROWS.</summary>
    public Expression? Offset { get; init; }

    /// <summary>FETCH NEXT … ROWS ONLY.</summary>
    public Expression? Fetch { get; init; }

    /// <summary>Whether the order decides which rows there are, not only how they come.</summary>
    public bool IsCut => Offset is not null || Body is SelectBody { Top: not null };
}

/// <summary>A name that WITH gives to a query.</summary>
internal sealed record CommonTable(string Name, IReadOnlyList<string>? Columns, Query Query, int Line);

internal abstract record QueryBody(int Line);

internal enum SetOperator
{
    Union,
    UnionAll,
    Except,
    Intersect,
}

internal sealed record SetBody(QueryBody Left, QueryBody Right, SetOperator Operator, int Line) : QueryBody(Line);

internal sealed record SelectBody(
    bool Distinct,
    Expression? Top,
    IReadOnlyList<SelectItem> Items,
    TableSource? From,
    Expression? Where,
    IReadOnlyList<Expression> GroupBy,
    Expression? Having,
    int Line) : QueryBody(Line);

internal abstract record SelectItem(int Line);

internal sealed record StarItem(ObjectName? Qualifier, int Line) : SelectItem(Line);

internal sealed record ExpressionItem(Expression Expression, string? Alias, int Line) : SelectItem(Line);

/// <summary>SELECT @v = …</summary>
internal sealed record AssignmentItem(string Variable, string Operator, Expression Expression, int Line) : SelectItem(Line);

internal sealed record OrderItem(Expression Expression, bool Descending);

internal abstract record TableSource(int Line);

internal sealed record NamedSource(ObjectName Name, string? Alias, int Line) : TableSource(Line);

internal sealed record DerivedSource(Query Query, string Alias, IReadOnlyList<string>? Columns, int Line) : TableSource(Line);

/// <summary>(VALUES (…), (…)) AS t (a, b)</summary>
internal sealed record ValuesSource(
    IReadOnlyList<IReadOnlyList<Expression>> Rows, string Alias, IReadOnlyList<string> Columns, int Line) : TableSource(Line);

internal enum JoinKind
{
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

internal sealed record JoinSource(JoinKind Kind, TableSource Left, TableSource Right, Expression? On, int Line) : TableSource(Line);
