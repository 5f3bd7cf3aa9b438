using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

internal sealed partial class BatchRunner
{
    private sealed record OutputRows(IReadOnlyList<SqlColumn> Columns, Func<object?[], object?[]> Row, bool Inserted, bool Deleted);

    /// <summary>Binds OUTPUT; null when the statement has none.</summary>
    private static OutputRows? Output(Binder binder, IReadOnlyList<SelectItem> items, TableView table, params string[] names)
    {
        if (items.Count == 0) return null;
        var (columns, row) = binder.BindOutput(items, ColumnsOf(table), names);
        return new OutputRows(columns, row, names.Contains("inserted"), names.Contains("deleted"));
    }

    /// <summary>Runs a command about a table where that table is: in a database, or in the session.</summary>
    private async Task<ChangedRows> ChangeRowsAsync(EngineCommand command)
    {
        var name = command switch
        {
            InsertRows insert => insert.Table,
            ModifyRows modify => modify.Table,
            CreateTable create => create.Name,
            DropTable drop => drop.Name,
            _ => throw new InvalidOperationException(command.GetType().Name),
        };
        if (TemporaryTables.Is(name)) return Look(_ => _session.Temporary.Execute(command, _session.TransactionCount > 0));
        var operation = await EngineAsync(command);
        return new ChangedRows(operation.RowCount ?? 0, operation.Rows, operation.Value);
    }

    private void ShowOutput(OutputRows? output, ChangedRows changed)
    {
        if (output is null) return;
        var rows = Look(_ => changed.Rows.Select(row => output.Row(
            [.. output.Inserted ? row.After! : [], .. output.Deleted ? row.Before! : []])).ToList());
        _output.Columns(output.Columns);
        foreach (var row in rows) _output.Row(row);
    }

    private static List<SqlColumn> ColumnsOf(TableView table) => table.Columns.Select(column => new SqlColumn(column.Name, column.Type)).ToList();

    private (ModifyRows Command, OutputRows? Output) Modified(Binder binder, ModifyStatement modify)
    {
        var (name, qualifier, table, scope, match, key) = BindTarget(binder, modify);
        long? top = null;
        if (modify.Top is not null)
        {
            top = (long)(binder.BindAs(modify.Top, Scope.None, Types.BigInt).Value(Frame.Empty)
                ?? throw Scope.Fail(1014, "A TOP or FETCH clause contains an invalid value.", modify.Line));
            if (top < 0) throw Scope.Fail(1060, "The number of rows provided for a TOP or FETCH clauses row count parameter must be a positive integer.", modify.Line);
        }

        var target = SessionEnvironment.TableOf(name);
        if (modify is not UpdateStatement update)
        {
            return (new DeleteRows(target, row => match(row) is not null) { Top = top, Key = key }, Output(binder, modify.Output, table, "deleted"));
        }

        var changes = Changes(binder, update, scope, table, qualifier);
        var matches = new Dictionary<object?[], Frame>(ReferenceEqualityComparer.Instance);
        bool Meets(object?[] row)
        {
            if (match(row) is not { } frame) return false;
            matches[row] = frame;
            return true;
        }

        object?[] Change(object?[] row)
        {
            var changed = row.ToArray();
            foreach (var (place, value) in changes) changed[place] = Stored(value.Value(matches[row]), table.Columns[place], name, "UPDATE");
            return changed;
        }

        return (new UpdateRows(target, Meets, Change) { Top = top, Key = key }, Output(binder, modify.Output, table, "inserted", "deleted"));
    }

    private (ObjectName Name, ObjectName? Qualifier, TableView Table, Scope Scope, Func<object?[], Frame?> Match, IReadOnlyList<object?>? Key) BindTarget(
        Binder binder, ModifyStatement modify)
    {
        if (modify.Target.Schema is null && _environment.CommonTables.Any(table => table.Name.Equals(modify.Target.Name, StringComparison.OrdinalIgnoreCase)))
            throw new SqlErrorException(50505, 16, "A change by way of a common table expression is not simulated.");
        if (modify.From is { } from)
        {
            var node = TargetIn(from, modify.Target);
            if (node is null)
            {
                node = new NamedSource(modify.Target, null, modify.Line);
                from = new JoinSource(JoinKind.Cross, node, from, null, modify.Line);
            }

            var joined = Target(node.Name).Table;
            var (around, match) = binder.BindTarget(from, node, ColumnsOf(joined), modify.Where);
            return (node.Name, new ObjectName(null, null, null, node.Alias ?? node.Name.Name), joined, around, match, null);
        }

        var (scope, table) = Target(modify.Target);
        var test = modify.Where is null ? null : binder.Condition(modify.Where, scope);
        var key = binder.BindKey(modify.Where, scope, table.PrimaryKey, ColumnsOf(table));
        return (modify.Target, null, table, scope, row =>
        {
            var frame = new Frame(row, null);
            return test is null || test(frame) == true ? frame : null;
        }, key?.Invoke(null));
    }

    /// <summary>The table of FROM that the target names, by alias or by its own name; null when it is not there.</summary>
    private NamedSource? TargetIn(TableSource from, ObjectName target)
    {
        var sources = Sources(from).ToList();
        if (target.Schema is null && sources.Find(source => target.Name.Equals(source.Alias, StringComparison.OrdinalIgnoreCase)) is { } aliased) return aliased;
        var same = sources.Where(source => SameTable(SessionEnvironment.TableOf(source.Name), SessionEnvironment.TableOf(target))).ToList();
        if (same.Count > 1 && same.Exists(source => source.Alias is null)) same.RemoveAll(source => source.Alias is not null);
        return same.Count <= 1 ? same.FirstOrDefault() : throw new SqlErrorException(8154, 16, $"The table '{target}' is ambiguous.");

        static IEnumerable<NamedSource> Sources(TableSource source) => source switch
        {
            NamedSource named => [named],
            JoinSource join => Sources(join.Left).Concat(Sources(join.Right)),
            _ => [],
        };
    }

    private static List<(int Place, Bound Value)> Changes(Binder binder, UpdateStatement update, Scope scope, TableView table, ObjectName? qualifier)
    {
        var changes = new List<(int Place, Bound Value)>();
        foreach (var assignment in update.Assignments)
        {
            var place = Place(table, assignment.Column, assignment.Line);
            if (place == table.IdentityColumn) throw Scope.Fail(8102, $"Cannot update identity column '{table.Columns[place].Name}'.", assignment.Line);
            if (changes.Exists(change => change.Place == place))
            {
                throw Scope.Fail(
                    264, $"The column name '{assignment.Column}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause.", assignment.Line);
            }

            var column = table.Columns[place];
            var value = assignment.Value ?? (column.Default is null ? new LiteralExpression(Types.Null, null, assignment.Line) : Parser.ParseExpression(column.Default));
            if (assignment.Operator.Length > 0)
                value = new BinaryExpression(assignment.Operator, new ColumnExpression(qualifier, assignment.Column, assignment.Line), value, assignment.Line);
            changes.Add((place, binder.BindAs(value, scope, Wide(column.Type))));
        }

        return changes;
    }
}
