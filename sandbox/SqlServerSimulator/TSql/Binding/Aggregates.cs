using System.Numerics;
using System.Text;
using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Binding;

/// <summary>COUNT, MIN, MAX, SUM, AVG, STRING_AGG.</summary>
internal static class Aggregates
{
    public static bool Is(ObjectName name) =>
        name.Schema is null && name.Name.ToUpperInvariant() is "COUNT" or "COUNT_BIG" or "MIN" or "MAX" or "SUM" or "AVG" or "STRING_AGG";

    /// <summary>Whether an aggregate occurs outside subqueries.</summary>
    public static bool In(Expression? expression) => expression switch
    {
        FunctionExpression call => Is(call.Name) || call.Arguments.Any(In),
        WindowExpression window => window.Function.Arguments.Any(In) || window.PartitionBy.Any(In) || window.OrderBy.Any(item => In(item.Expression)),
        UnaryExpression unary => In(unary.Operand),
        BinaryExpression binary => In(binary.Left) || In(binary.Right),
        CaseExpression choice => In(choice.Input) || In(choice.Else) || choice.Arms.Any(arm => In(arm.When) || In(arm.Then)),
        CastExpression cast => In(cast.Operand),
        CollateExpression collate => In(collate.Operand),
        ComparisonCondition comparison => In(comparison.Left) || In(comparison.Right),
        LogicalCondition logical => In(logical.Left) || In(logical.Right),
        NotCondition not => In(not.Operand),
        IsNullCondition isNull => In(isNull.Operand),
        BetweenCondition between => In(between.Operand) || In(between.Low) || In(between.High),
        LikeCondition like => In(like.Operand) || In(like.Pattern),
        InListCondition list => In(list.Operand) || list.List.Any(In),
        InQueryCondition query => In(query.Operand),
        _ => false,
    };

    public static (SqlType Type, Func<List<Frame>, object?> Compute) Create(FunctionExpression call, Bound? argument)
    {
        var name = call.Name.Name.ToUpperInvariant();
        if (argument is null)
        {
            return name switch
            {
                "COUNT" => (Types.Int with { Nullable = false }, rows => rows.Count),
                "COUNT_BIG" => (Types.BigInt with { Nullable = false }, rows => (long)rows.Count),
                _ => throw Scope.Fail(102, "Incorrect syntax near '*'.", call.Line),
            };
        }

        IEnumerable<object> Values(List<Frame> rows)
        {
            var values = rows.Select(argument.Value).Where(value => value is not null).Select(value => value!);
            return call.Distinct ? values.Select(value => new[] { value }).Distinct(Operators.RowComparer).Select(row => row[0]!) : values;
        }

        var type = argument.Type;
        switch (name)
        {
            case "COUNT":
                return (Types.Int with { Nullable = false }, rows => Values(rows).Count());
            case "COUNT_BIG":
                return (Types.BigInt with { Nullable = false }, rows => Values(rows).LongCount());
            case "MIN" or "MAX":
                if (type.Kind == SqlKind.Bit || Types.IsNull(type)) throw Invalid(type, name);
                var sign = name == "MIN" ? -1 : 1;
                return (type with { Nullable = true }, rows =>
                {
                    object? best = null;
                    foreach (var value in Values(rows))
                    {
                        if (best is null || Math.Sign(Operators.Compare(value, best, type)) == sign) best = value;
                    }

                    return best;
                });
            default:
                return Sum(name, type, Values);
        }
    }

    /// <summary>STRING_AGG; NULL is left out.</summary>
    public static (SqlType Type, Func<List<Frame>, object?> Compute) Join(Bound text, Bound separator, Func<List<Frame>, IEnumerable<Frame>> order)
    {
        var type = text.Type with { Length = text.Type.Length < 0 ? -1 : Types.IsUnicode(text.Type) ? 4000 : 8000, Nullable = true };
        return (type, rows =>
        {
            var parts = order(rows).Select(row => (Text: (string?)text.Value(row), Row: row)).Where(part => part.Text is not null).ToList();
            if (parts.Count == 0) return null;
            var result = new StringBuilder(parts[0].Text);
            foreach (var (part, row) in parts.Skip(1)) result.Append((string?)separator.Value(row)).Append(part);
            return type.Length < 0 || result.Length <= type.Length
                ? result.ToString()
                : throw new SqlErrorException(9829, 16, "STRING_AGG aggregation result exceeded the limit of 8000 bytes. Use LOB types to avoid result truncation.");
        });
    }

    private static (SqlType Type, Func<List<Frame>, object?> Compute) Sum(string name, SqlType type, Func<List<Frame>, IEnumerable<object>> values)
    {
        var average = name == "AVG";
        switch (type.Kind)
        {
            case SqlKind.Float or SqlKind.Real:
                return (Types.Float, rows =>
                {
                    var (sum, count) = (0d, 0);
                    foreach (var value in values(rows))
                    {
                        sum += Convert.ToDouble(value, null);
                        count++;
                    }

                    return count == 0 ? null : average ? sum / count : sum;
                });
            case SqlKind.Money or SqlKind.SmallMoney:
                var money = new SqlType(SqlKind.Money);
                return (money, rows =>
                {
                    var (sum, count) = (0m, 0);
                    foreach (decimal value in values(rows))
                    {
                        sum += value;
                        count++;
                    }

                    return count == 0 ? null : Conversion.Money(average ? Math.Truncate(sum / count * 10_000) / 10_000 : sum, money);
                });
            case SqlKind.Numeric:
                var scale = average ? Math.Max((int)type.Scale, 6) : type.Scale;
                return (new SqlType(SqlKind.Numeric, 0, 38, (byte)scale), rows =>
                {
                    var (sum, count) = (BigInteger.Zero, 0);
                    foreach (BigInteger value in values(rows))
                    {
                        sum += value;
                        count++;
                    }

                    if (count == 0) return null;
                    sum = Conversion.Rescale(sum, type.Scale, scale);
                    return average ? sum / count : sum;
                });
            case SqlKind.TinyInt or SqlKind.SmallInt or SqlKind.Int or SqlKind.BigInt when !Types.IsNull(type):
                var result = type.Kind == SqlKind.BigInt ? Types.BigInt : Types.Int;
                return (result, rows =>
                {
                    Int128 sum = 0;
                    var count = 0;
                    foreach (var value in values(rows))
                    {
                        sum += Convert.ToInt64(value, null);
                        count++;
                    }

                    return count == 0 ? null : Operators.Narrow(average ? sum / count : sum, result);
                });
            default:
                throw Invalid(type, name);
        }
    }

    private static SqlErrorException Invalid(SqlType type, string name) =>
        new(8117, 16, $"Operand data type {(Types.IsNull(type) ? "NULL" : Types.Name(type))} is invalid for {name.ToLowerInvariant()} operator.");
}
