using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Syntax;

/// <summary>A value or a condition as written.</summary>
/// <param name="Line">Line from 1.</param>
internal abstract record Expression(int Line)
{
    /// <summary>True for what may stand in WHERE and IF, and nowhere else.</summary>
    public virtual bool IsCondition => false;
}

internal sealed record LiteralExpression(SqlType Type, object? Value, int Line) : Expression(Line);

internal sealed record VariableExpression(string Name, int Line) : Expression(Line);

/// <summary>A column by its last name and what stands before it.</summary>
internal sealed record ColumnExpression(ObjectName? Qualifier, string Name, int Line) : Expression(Line);

internal sealed record UnaryExpression(string Operator, Expression Operand, int Line) : Expression(Line);

internal sealed record BinaryExpression(string Operator, Expression Left, Expression Right, int Line) : Expression(Line);

internal sealed record CaseExpression(
    Expression? Input, IReadOnlyList<(Expression When, Expression Then)> Arms, Expression? Else, int Line) : Expression(Line);

/// <summary>CAST, CONVERT, TRY_CAST and TRY_CONVERT.</summary>
internal sealed record CastExpression(Expression Operand, SqlType Type, Expression? Style, bool Try, int Line) : Expression(Line);

internal sealed record CollateExpression(Expression Operand, string Collation, int Line) : Expression(Line);

internal sealed record FunctionExpression(ObjectName Name, IReadOnlyList<Expression> Arguments, bool Distinct, bool Star, int Line)
    : Expression(Line)
{
    /// <summary>WITHIN GROUP (ORDER BY …).</summary>
    public IReadOnlyList<OrderItem> Within { get; init; } = [];
}

/// <summary>A function OVER (PARTITION BY … ORDER BY …).</summary>
internal sealed record WindowExpression(
    FunctionExpression Function, IReadOnlyList<Expression> PartitionBy, IReadOnlyList<OrderItem> OrderBy, int Line) : Expression(Line);

internal sealed record SubqueryExpression(Query Query, int Line) : Expression(Line);

internal abstract record Condition(int Line) : Expression(Line)
{
    public override bool IsCondition => true;
}

internal sealed record ComparisonCondition(string Operator, Expression Left, Expression Right, int Line) : Condition(Line);

internal sealed record LogicalCondition(bool And, Expression Left, Expression Right, int Line) : Condition(Line);

internal sealed record NotCondition(Expression Operand, int Line) : Condition(Line);

internal sealed record IsNullCondition(Expression Operand, bool Not, int Line) : Condition(Line);

internal sealed record BetweenCondition(Expression Operand, Expression Low, Expression High, bool Not, int Line) : Condition(Line);

internal sealed record LikeCondition(Expression Operand, Expression Pattern, Expression? Escape, bool Not, int Line) : Condition(Line);

internal sealed record InListCondition(Expression Operand, IReadOnlyList<Expression> List, bool Not, int Line) : Condition(Line);

internal sealed record InQueryCondition(Expression Operand, Query Query, bool Not, int Line) : Condition(Line);

internal sealed record ExistsCondition(Query Query, int Line) : Condition(Line);
