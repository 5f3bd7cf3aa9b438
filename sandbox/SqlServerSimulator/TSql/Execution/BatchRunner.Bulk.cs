using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

internal sealed partial class BatchRunner
{
    /// <summary>Runs what a client sends after INSERT BULK.</summary>
    public Task RunLoadAsync(IReadOnlyList<SqlColumn> columns, IReadOnlyList<object?[]> rows) => OutermostAsync(async () =>
    {
        if (_session.Loading is not { } bulk)
        {
            throw new SqlErrorException(
                4804, 16, "While reading current row from host, a premature end-of-message was encountered--an incoming data stream was interrupted when the server expected to see more data. The host program may have terminated. Ensure that you are using a supported client application programming interface (API).");
        }

        _session.Loading = null;
        if (rows.Count > 0 && columns.Count != bulk.Columns.Count)
            throw new SqlErrorException(4816, 16, "Invalid number of columns from bcp client.");
        return await RunStatementAsync(new LoadStatement(bulk, columns, rows));
    });

    /// <summary>INSERT BULK itself only says what will come.</summary>
    private void ExpectLoad(InsertBulkStatement bulk)
    {
        RequireHealthyTransaction();
        Look(_ =>
        {
            var table = Target(bulk.Table).Table;
            foreach (var column in bulk.Columns) Place(table, column, bulk.Line);
            return true;
        });
        _session.Loading = bulk;
        Done(null);
    }

    private async Task LoadAsync(LoadStatement load)
    {
        // Columns are told by their place.
        var types = load.Columns.Select(column => column.Type).ToList();
        var source = new BoundQuery(load.Columns, types, _ => [.. load.Rows]);
        if (load.Rows.Count == 0) Done(0);
        else await InsertAsync(new InsertStatement(load.Bulk.Table, load.Bulk.Columns, null, null, load.Line), source, load.Bulk.KeepNulls);
    }

    /// <summary>sp_tablecollations_100, from which bulk clients learn how to encode text.</summary>
    private void ShowTableCollations(ObjectName procedure, string name)
    {
        // The schema may be missing, but not its dot.
        var table = Parser.TryParseName(name.TrimStart('.')) ?? throw new SqlErrorException(15009, 16, $"The object '{name}' does not exist.");
        var columns = Look(_ => Target(table with { Database = table.Database ?? procedure.Database }).Table.Columns);
        Show(
            [
                new SqlColumn("colid", Types.Int), new SqlColumn("name", SqlType.Sysname), new SqlColumn("tds_collation", new SqlType(SqlKind.VarBinary, 5)),
                new SqlColumn("collation", Types.Text(128)),
            ],
            columns.Select((column, i) => column.Type.Kind is SqlKind.Char or SqlKind.VarChar or SqlKind.NChar or SqlKind.NVarChar
                ? new object?[] { i + 1, column.Name, Tds.Tds.Collation.ToArray(), SqlInstance.DefaultCollation }
                : [i + 1, column.Name, null, null]));
    }

    private sealed record LoadStatement(InsertBulkStatement Bulk, IReadOnlyList<SqlColumn> Columns, IReadOnlyList<object?[]> Rows) : Statement(Bulk.Line);
}
