using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

internal sealed partial class BatchRunner
{
    private void Select(SelectStatement select)
    {
        var (columns, rows, failure) = Look<(IReadOnlyList<SqlColumn>, List<object?[]>, SqlError?)>(binder =>
        {
            var query = binder.BindQuery(select.Query, null);
            if (_session.FormatOnly) return (query.Columns, [], null);
            if (select.Assigns) return (query.Columns, AssignEach(select, query), null);
            try
            {
                return (query.Columns, query.Rows(null), null);
            }
            catch (SqlErrorException error)
            {
                return (query.Columns, [], error.Error);
            }
        });
        if (select.Assigns)
        {
            _session.RowCount = rows.Count;
            _session.LastError = 0;
            return;
        }

        // What only running it can tell comes after the columns are known.
        _output.Columns(columns);
        if (failure is not null) throw new SqlErrorException(failure);
        foreach (var row in rows) _output.Row(row);
        Done(rows.Count);
    }

    /// <summary>Sets the variables from the last row.</summary>
    private List<object?[]> AssignEach(SelectStatement select, BoundQuery query)
    {
        var body = (SelectBody)select.Query.Body;
        var rows = query.Rows(null);
        if (rows.Count == 0) return rows;
        if (rows.Count > 1 && body.Items.Any(item => item is AssignmentItem { Operator.Length: > 0 } or AssignmentItem { Expression: not (ColumnExpression or LiteralExpression or VariableExpression) } && Reads((AssignmentItem)item, body)))
            throw new SqlErrorException(50505, 16, "SELECT @v = … that adds up over several rows is not simulated.");
        for (var i = 0; i < body.Items.Count; i++) Known(((AssignmentItem)body.Items[i]).Variable).Value = rows[^1][i];
        return rows;
    }

    /// <summary>Whether an assignment reads a variable that the same SELECT writes.</summary>
    private static bool Reads(AssignmentItem item, SelectBody body)
    {
        bool In(Expression? expression) => expression switch
        {
            VariableExpression variable => body.Items.Any(other => ((AssignmentItem)other).Variable.Equals(variable.Name, StringComparison.OrdinalIgnoreCase)),
            UnaryExpression unary => In(unary.Operand),
            BinaryExpression binary => In(binary.Left) || In(binary.Right),
            CastExpression cast => In(cast.Operand),
            FunctionExpression call => call.Arguments.Any(In),
            CaseExpression choice => In(choice.Input) || In(choice.Else) || choice.Arms.Any(arm => In(arm.When) || In(arm.Then)),
            _ => false,
        };
        return item.Operator.Length > 0 || In(item.Expression);
    }

    private async Task ChangeAsync(Statement statement)
    {
        RequireHealthyTransaction();
        switch (statement)
        {
            case InsertStatement insert:
                await InsertAsync(insert);
                break;
            case ModifyStatement modify:
                var (command, show) = Look(binder => Modified(binder, modify));
                var modified = await ChangeRowsAsync(command);
                ShowOutput(show, modified);
                Done(modified.Count);
                break;
            case TruncateStatement truncate:
                if (Look(_ => Target(truncate.Table).Table.IdentityColumn) >= 0)
                    throw new SqlErrorException(50505, 16, "TRUNCATE of a table with an identity column is not simulated.");
                await ChangeRowsAsync(new DeleteRows(SessionEnvironment.TableOf(truncate.Table), _ => true));
                Done(null);
                break;
            case CreateTableStatement create:
                await ChangeRowsAsync(Look(binder => TableOf(binder, create)));
                Done(null);
                break;
            case DropTableStatement drop:
                foreach (var table in drop.Tables)
                {
                    var name = SessionEnvironment.TableOf(table);
                    if (drop.IfExists && Look(_ => TemporaryTables.Is(name)
                        ? _session.Temporary.ObjectId(name)
                        : _session.Instance.ObjectId(_session.Engine, name)) is null)
                    {
                        continue;
                    }

                    await ChangeRowsAsync(new DropTable(name));
                }

                Done(null);
                break;
        }
    }

    /// <summary>Inserts what the statement says, or rows from elsewhere.</summary>
    /// <param name="insert">The statement.</param>
    /// <param name="source">Rows from elsewhere.</param>
    /// <param name="keepNulls">Whether a NULL is one, and does not ask for the column's default.</param>
    private async Task InsertAsync(InsertStatement insert, BoundQuery? source = null, bool keepNulls = true)
    {
        var (rows, output) = Look(binder =>
            (InsertedRows(binder, insert, source, keepNulls), Output(binder, insert.Output, Target(insert.Table).Table, "inserted")));
        var inserted = await ChangeRowsAsync(new InsertRows(SessionEnvironment.TableOf(insert.Table), rows)
        {
            IdentityInsert = HasIdentityInsert(insert.Table),
        });
        if (inserted.Identity is not null)
            _session.Identity = new System.Numerics.BigInteger(Convert.ToInt64(inserted.Identity, null));
        ShowOutput(output, inserted);
        Done(rows.Count);
    }

    private (Scope Scope, TableView Table) Target(ObjectName name)
    {
        if (name.Schema is not null && name.Schema.Equals("sys", StringComparison.OrdinalIgnoreCase))
            throw new SqlErrorException(259, 16, "Ad hoc updates to system catalogs are not allowed.");
        var table = TemporaryTables.Is(SessionEnvironment.TableOf(name))
            ? _session.Temporary.Describe(SessionEnvironment.TableOf(name))
            : _session.Instance.Describe(_session.Engine, SessionEnvironment.TableOf(name));
        var columns = table.Columns.Select(column => new SqlColumn(column.Name, column.Type)).ToList();
        return (new Scope([new ScopeTable(null, name, columns, 0)], null), table);
    }

    private bool HasIdentityInsert(ObjectName name) => _session.IdentityInsert is { } table && SameTable(table, SessionEnvironment.TableOf(name));

    private bool SameTable(TableName left, TableName right)
    {
        string Full(TableName name) =>
            $"{(name.Database.Length > 0 ? name.Database : _session.Database)}.{(name.Schema.Length > 0 ? name.Schema : "dbo")}.{name.Name}";
        return Full(left).Equals(Full(right), StringComparison.OrdinalIgnoreCase);
    }

    private void SetIdentityInsert(SetIdentityInsertStatement statement)
    {
        var name = SessionEnvironment.TableOf(statement.Table);
        if (Look(_ => Target(statement.Table).Table.IdentityColumn) < 0)
        {
            throw new SqlErrorException(
                8106, 16, $"Table '{statement.Table}' does not have the identity property. Cannot perform SET operation.");
        }

        if (statement.On && _session.IdentityInsert is { } other && !SameTable(other, name))
        {
            throw new SqlErrorException(
                8107, 16, $"IDENTITY_INSERT is already ON for table '{other.Name}'. Cannot perform SET operation for table '{statement.Table}'.");
        }

        if (statement.On) _session.IdentityInsert = name;
        else if (HasIdentityInsert(statement.Table)) _session.IdentityInsert = null;
        Done(null);
    }

    private List<object?[]> InsertedRows(Binder binder, InsertStatement insert, BoundQuery? source, bool keepNulls)
    {
        var (_, table) = Target(insert.Table);
        var explicitIdentity = HasIdentityInsert(insert.Table);
        int[] places;
        if (insert.Columns is null)
        {
            places = Enumerable.Range(0, table.Columns.Count).Where(i => i != table.IdentityColumn || explicitIdentity).ToArray();
            if (explicitIdentity)
            {
                throw new SqlErrorException(
                    8101, 16, $"An explicit value for the identity column in table '{insert.Table}' can only be specified when a column list is used and IDENTITY_INSERT is ON.");
            }
        }
        else
        {
            places = insert.Columns.Select(name => Place(table, name, insert.Line)).ToArray();
            if (places.Distinct().Count() != places.Length)
            {
                throw Scope.Fail(
                    264, "The column name is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause.", insert.Line);
            }

            if (!explicitIdentity && places.Contains(table.IdentityColumn) && table.IdentityColumn >= 0)
            {
                throw new SqlErrorException(
                    544, 16, $"Cannot insert explicit value for identity column in table '{insert.Table.Name}' when IDENTITY_INSERT is set to OFF.");
            }
        }

        if (explicitIdentity && !places.Contains(table.IdentityColumn))
        {
            throw new SqlErrorException(
                545, 16, $"Explicit value must be specified for identity column in table '{insert.Table.Name}' either when IDENTITY_INSERT is set to ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.");
        }

        var defaults = table.Columns.Select(column => column.Default is null
            ? null
            : binder.BindAs(Parser.ParseExpression(column.Default), Scope.None, column.Type)).ToArray();
        var rows = new List<object?[]>();

        object?[] Complete(Func<int, object?> given)
        {
            var row = new object?[table.Columns.Count];
            for (var i = 0; i < row.Length; i++)
            {
                if (i == table.IdentityColumn && !explicitIdentity) continue;
                var place = Array.IndexOf(places, i);
                row[i] = place < 0 ? null : given(place);
                if (place < 0 || (row[i] is null && !keepNulls)) row[i] = defaults[i]?.Value(Frame.Empty);
                row[i] = Stored(row[i], table.Columns[i], insert.Table, "INSERT");
            }

            return row;
        }

        if ((source ?? (insert.Query is null ? null : binder.BindQuery(insert.Query, null))) is { } query)
        {
            RequireWidth(insert, places.Length, query.Columns.Count);
            for (var i = 0; i < places.Length; i++) Conversion.RequireImplicit(query.Columns[i].Type, table.Columns[places[i]].Type);
            foreach (var from in query.Rows(null))
                rows.Add(Complete(place => Conversion.Convert(from[place], query.Columns[place].Type, Wide(table.Columns[places[place]].Type))));
            return rows;
        }

        foreach (var values in insert.Rows!)
        {
            if (values.Count == 0)
            {
                rows.Add(Complete(_ => null));
                continue;
            }

            RequireWidth(insert, places.Length, values.Count);
            rows.Add(Complete(place => values[place] is { } value
                ? binder.BindAs(value, Scope.None, Wide(table.Columns[places[place]].Type)).Value(Frame.Empty)
                : defaults[places[place]]?.Value(Frame.Empty)));
        }

        return rows;
    }

    private static int Place(TableView table, string column, int line)
    {
        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (table.Columns[i].Name.Equals(column, StringComparison.OrdinalIgnoreCase)) return i;
        }

        throw Scope.Fail(207, $"Invalid column name '{column}'.", line);
    }

    private static void RequireWidth(InsertStatement insert, int columns, int values)
    {
        if (columns == values) return;
        if (insert.Columns is null)
            throw Scope.Fail(213, "Column name or number of supplied values does not match table definition.", insert.Line);
        var (number, word) = values > columns ? (110, "fewer") : (109, "more");
        if (insert.Query is not null) (number, word) = values > columns ? (121, "more") : (120, "fewer");
        throw insert.Query is null
            ? Scope.Fail(
                number, $"There are {word} columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.", insert.Line)
            : Scope.Fail(
                number, $"The select list for the INSERT statement contains {word} items than the insert list. The number of SELECT values must match the number of INSERT columns.", insert.Line);
    }

    /// <summary>The type without its length, so that too long a value is seen instead of cut.</summary>
    private static SqlType Wide(SqlType type) => type.Kind switch
    {
        SqlKind.Char or SqlKind.VarChar => new SqlType(SqlKind.VarChar, -1),
        SqlKind.NChar or SqlKind.NVarChar => new SqlType(SqlKind.NVarChar, -1),
        SqlKind.VarBinary => type with { Length = -1 },
        SqlKind.Binary => new SqlType(SqlKind.VarBinary, -1),
        _ => type,
    };

    /// <summary>A value as the column takes it.</summary>
    private object? Stored(object? value, ColumnDefinition column, ObjectName table, string verb)
    {
        var type = column.Type;
        if (value is null)
        {
            if (type.Nullable) return null;
            var full = $"{table.Database ?? _session.Database}.{table.Schema ?? "dbo"}.{table.Name}";
            throw new SqlErrorException(new SqlError(
                515, 16, 2, $"Cannot insert the value NULL into column '{column.Name}', table '{full}'; column does not allow nulls. {verb} fails."));
        }

        if (type.Length > 0)
        {
            var length = value switch { string text => text.TrimEnd(' ').Length, byte[] bytes => bytes.Length, _ => 0 };
            if (length > type.Length)
            {
                var full = $"{table.Database ?? _session.Database}.{table.Schema ?? "dbo"}.{table.Name}";
                var shown = value is string text ? text[..Math.Min(type.Length, 100)] : "";
                throw new SqlErrorException(
                    2628, 16, $"String or binary data would be truncated in table '{full}', column '{column.Name}'. Truncated value: '{shown}'.");
            }

            if (value is string given) return Conversion.Convert(given, new SqlType(SqlKind.NVarChar, -1), type);
            if (type.Kind == SqlKind.Binary) return Conversion.Convert(value, new SqlType(SqlKind.VarBinary, -1), type);
        }

        return value;
    }

    private static CreateTable TableOf(Binder binder, CreateTableStatement create)
    {
        var columns = new List<ColumnDefinition>();
        foreach (var column in create.Columns)
        {
            if (columns.Exists(other => other.Name.Equals(column.Name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new SqlErrorException(
                    2705, 16, $"Column names in each table must be unique. Column name '{column.Name}' in table '{create.Table.Name}' is specified more than once.");
            }

            var isKey = create.PrimaryKey.Contains(column.Name, StringComparer.OrdinalIgnoreCase);
            if (isKey && column.Nullable == true)
                throw new SqlErrorException(8111, 16, $"Cannot define PRIMARY KEY constraint on nullable column in table '{create.Table.Name}'.");
            if (column.Identity && (!Types.IsInteger(column.Type) || column.Type.Kind == SqlKind.Bit))
            {
                throw new SqlErrorException(
                    2749, 16, $"Identity column '{column.Name}' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable.");
            }

            if (column.Identity && columns.Exists(other => other.Identity))
            {
                throw new SqlErrorException(
                    2744, 16, $"Multiple identity columns specified for table '{create.Table.Name}'. Only one identity column per table is allowed.");
            }

            if (column.Default is not null) binder.BindAs(column.Default, Scope.None, column.Type);
            columns.Add(new ColumnDefinition(column.Name, column.Type with { Nullable = column.Nullable ?? !(isKey || column.Identity) })
            {
                Identity = column.Identity,
                IdentitySeed = column.Seed,
                IdentityIncrement = column.Increment,
                Default = column.DefaultText,
            });
        }

        foreach (var key in create.PrimaryKey)
        {
            if (!columns.Exists(column => column.Name.Equals(key, StringComparison.OrdinalIgnoreCase)))
                throw new SqlErrorException(1911, 16, $"Column name '{key}' does not exist in the target table or view.");
        }

        return new CreateTable(SessionEnvironment.TableOf(create.Table), columns, create.PrimaryKey);
    }

    private async Task CommandAsync(EngineStatement statement)
    {
        if (statement.NeedsMaster && !_session.Database.Equals("master", StringComparison.OrdinalIgnoreCase))
        {
            throw new SqlErrorException(
                35208, 16, "Availability group DDL operations are permitted only when you are using the master database.  Run the 'USE master' statement, and retry your availability group DDL statement.");
        }

        if (statement.OutsideTransaction is { } verb && _session.TransactionCount > 0)
        {
            throw verb switch
            {
                "BACKUP DATABASE" or "BACKUP LOG" or "RESTORE DATABASE" or "RESTORE LOG" => new SqlErrorException(3021, 16, "Cannot perform a backup or restore operation within a transaction."),
                "CREATE DATABASE" or "ALTER DATABASE" or "DROP DATABASE" or "DROP" =>
                    new SqlErrorException(226, 16, $"{verb} statement not allowed within multi-statement transaction."),
                _ => new SqlErrorException(574, 16, $"{verb} statement cannot be used inside a user transaction."),
            };
        }

        RequireHealthyTransaction();
        try
        {
            await EngineAsync(statement.Command);
        }
        catch (SqlErrorException error) when (Closing(statement.Command, error.Error) is { } closing)
        {
            // A handler sees only the last error of a statement; a client sees them all.
            if (_tries == 0) _output.Message(error.Error with { Line = statement.Line });
            throw new SqlErrorException(closing);
        }

        Done(null);
    }

    /// <summary>The error that some statements end with after that of their failure.</summary>
    private static SqlError? Closing(EngineCommand command, SqlError cause) => (command, cause.Number) switch
    {
        (AlterDatabase, _) => new SqlError(5069, 16, 1, "ALTER DATABASE statement failed."),
        (CreateDatabase, 5170 or 1828) => new SqlError(1802, 16, 4, "CREATE DATABASE failed. Some file names listed could not be created. Check related errors."),
        (Backup { Log: true }, _) => new SqlError(3013, 16, 1, "BACKUP LOG is terminating abnormally."),
        (Restore { Log: true }, _) => new SqlError(3013, 16, 1, "RESTORE LOG is terminating abnormally."),
        (Restore, _) => new SqlError(3013, 16, 1, "RESTORE DATABASE is terminating abnormally."),
        (Backup, _) => new SqlError(3013, 16, 1, "BACKUP DATABASE is terminating abnormally."),
        _ => null,
    };

    private bool Exists(DropIfExistsStatement drop) => Look(_ =>
    {
        var view = _environment.Find(new ObjectName(null, null, "sys", drop.View));
        var name = view.Columns.ToList().FindIndex(column => column.Name == "name");
        return view.Rows().Any(row => drop.Name.Equals((string?)row[name], StringComparison.OrdinalIgnoreCase));
    });
}
