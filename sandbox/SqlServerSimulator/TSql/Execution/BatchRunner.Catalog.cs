using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>Procedures by which administrators look around and change memberships.</summary>
internal sealed partial class BatchRunner
{
    private async Task<int> CallCatalogAsync(ObjectName name, List<ProcedureValue> arguments, bool known)
    {
        switch (known ? name.Name.ToUpperInvariant() : "")
        {
            case "SP_ADDROLEMEMBER" or "SP_DROPROLEMEMBER":
                var member = new Arguments(name.Name, arguments, "@rolename", "@membername");
                OutsideTransaction(name.Name);
                await EngineAsync(new AlterRole(
                    member.RequireText("@rolename"), member.RequireText("@membername"), name.Name.StartsWith("sp_add", StringComparison.OrdinalIgnoreCase)));
                break;
            case "SP_HELPSERVER":
                var server = new Arguments(name.Name, arguments, "@server", "@optname", "@show_topology").Text("@server");
                var servers = ViewRows("servers", row => server is null || Matches(row["name"], server));
                if (server is not null && servers.Count == 0)
                    throw new SqlErrorException(15015, 16, $"The server '{server}' does not exist. Use sp_helpserver to show available servers.");
                Show(
                    [Column("name"), Column("network_name"), new SqlColumn("status", new SqlType(SqlKind.VarChar, 60)), new SqlColumn("id", new SqlType(SqlKind.Char, 4)), Column("collation_name")],
                    servers.Select(row => new object?[] { row["name"], row["name"], "rpc,rpc out,use remote collation", $"{row["server_id"],-4}", null }));
                return 0;
            case "SP_WHO":
                var who = new Arguments(name.Name, arguments, "@loginame").Text("@loginame");
                Show(
                    [Small("spid"), Small("ecid"), new SqlColumn("status", new SqlType(SqlKind.NChar, 30)), Column("loginame"), new SqlColumn("hostname", new SqlType(SqlKind.NChar, 128)),
                        new SqlColumn("blk", new SqlType(SqlKind.Char, 5)), Column("dbname"), new SqlColumn("cmd", new SqlType(SqlKind.NChar, 26)), new SqlColumn("request_id", Types.Int)],
                    ViewRows("dm_exec_sessions", row => who is null || Matches(row["login_name"], who)).Select(row => new object?[]
                    {
                        row["session_id"], (short)0, $"{row["status"],-30}", row["login_name"], $"{row["host_name"],-128}", "0    ",
                        Look(_ => _session.Instance.DatabaseName((short)row["database_id"]!)), $"{"AWAITING COMMAND",-26}", 0,
                    }));
                return 0;
            case "SP_TABLECOLLATIONS_100":
                ShowTableCollations(name, new Arguments(name.Name, arguments, "@object").RequireText("@object"));
                return 0;
            case "SP_DATABASES":
                _ = new Arguments(name.Name, arguments);
                Show(
                    [Column("DATABASE_NAME"), new SqlColumn("DATABASE_SIZE", Types.Int), new SqlColumn("REMARKS", new SqlType(SqlKind.VarChar, 254))],
                    ViewRows("databases", row => row["state"] is (byte)0).OrderBy(row => (string)row["name"]!, StringComparer.OrdinalIgnoreCase)
                        .Select(row => new object?[] { row["name"], 16384, null }));
                return 0;
            case "SP_HELPDB":
                var database = new Arguments(name.Name, arguments, "@dbname").Text("@dbname");
                var databases = ViewRows("databases", row => database is null || Matches(row["name"], database));
                if (databases.Count == 0)
                    throw new SqlErrorException(15010, 16, $"The database '{database}' does not exist. Supply a valid database name. To see available databases, use sys.databases.");
                Show(
                    [Column("name"), new SqlColumn("db_size", Types.Text(13)), Column("owner"), Small("dbid"), new SqlColumn("created", Types.Text(11)),
                        new SqlColumn("status", Types.Text(600)), new SqlColumn("compatibility_level", new SqlType(SqlKind.TinyInt))],
                    databases.Select(row => new object?[]
                    {
                        row["name"], "     16.00 MB", ViewRows("server_principals", login => login["sid"] is byte[] sid && sid.AsSpan().SequenceEqual((byte[])row["owner_sid"]!)).FirstOrDefault()?["name"],
                        (short)(int)row["database_id"]!, ((DateTime)row["create_date"]!).ToString("MMM dd yyyy", System.Globalization.CultureInfo.InvariantCulture),
                        $"Status={row["state_desc"]}, Updateability={(row["is_read_only"] is true ? "READ_ONLY" : "READ_WRITE")}, UserAccess={row["user_access_desc"]}, Recovery={row["recovery_model_desc"]}, Collation={row["collation_name"]}",
                        row["compatibility_level"],
                    }));
                return 0;
            case "SP_RELOAD_MSSQLCONF":
                RequireSysadmin();
                break;
            case "SP_READERRORLOG" or "XP_READERRORLOG":
                ReadErrorLog(new Arguments(name.Name, arguments, "@p1", "@p2", "@p3", "@p4"));
                return 0;
            default:
                throw new SqlErrorException(new SqlError(2812, 16, 62, $"Could not find stored procedure '{name}'."));
        }

        Done(null);
        return 0;
    }

    private void ReadErrorLog(Arguments arguments)
    {
        if (!Look(_ => _session.Instance.HasPermission(_session.Engine, "VIEW ANY ERROR LOG") || _session.Instance.IsServerRoleMember(_session.Engine, "securityadmin") == true))
            throw new SqlErrorException(15003, 16, "Only members of the securityadmin role can execute this stored procedure.");
        if (arguments.Number("@p2") is not (null or 1)) throw new SqlErrorException(50505, 16, "The log of SQL Server Agent is not simulated.");
        string[] searches = [arguments.Text("@p3") ?? "", arguments.Text("@p4") ?? ""];

        // Older logs end with their process; there is only the current one.
        var lines = arguments.Number("@p1") is null or 0 ? Look(_ => _session.Instance.ErrorLog.ToList()) : [];
        Show(
            [new SqlColumn("LogDate", Types.DateTime), new SqlColumn("ProcessInfo", Types.Text(50)), new SqlColumn("Text", Types.Text(3936))],
            lines.Where(line => Array.TrueForAll(searches, search => line.Text.Contains(search, StringComparison.OrdinalIgnoreCase)))
                .Select(line => new object?[] { line.Time, "spid1s", line.Text }));
    }

    private void RequireSysadmin()
    {
        if (Look(_ => _session.Instance.IsServerRoleMember(_session.Engine, "sysadmin")) != true)
            throw new SqlErrorException(15247, 16, "User does not have permission to perform this action.");
    }

    /// <summary>sp_configure without a value: the options that may be seen, or one of them.</summary>
    private void ListConfiguration(string? option)
    {
        var advanced = ViewRows("configurations", row => Matches(row["name"], "show advanced options"))[0]["value_in_use"] is 1;
        var rows = ViewRows("configurations", row => (advanced || row["is_advanced"] is false)
            && (option is null || ((string)row["name"]!).StartsWith(option, StringComparison.OrdinalIgnoreCase)));
        if (rows.Count == 0)
            throw new SqlErrorException(15123, 16, $"The configuration option '{option}' does not exist, or it may be an advanced option.");
        Show(
            [new SqlColumn("name", Types.Text(35)), new SqlColumn("minimum", Types.Int), new SqlColumn("maximum", Types.Int), new SqlColumn("config_value", Types.Int), new SqlColumn("run_value", Types.Int)],
            rows.OrderBy(row => (string)row["name"]!, StringComparer.OrdinalIgnoreCase)
                .Select(row => new object?[] { row["name"], row["minimum"], row["maximum"], row["value"], row["value_in_use"] }));
    }

    private List<Dictionary<string, object?>> ViewRows(string view, Func<Dictionary<string, object?>, bool> where) => Look(_ =>
    {
        var found = SystemCatalog.Find("sys", view)!;
        return found.Rows(_session.Instance, _session.Engine)
            .Select(row => found.Columns.Select((column, i) => (column.Name, Value: row[i])).ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.OrdinalIgnoreCase))
            .Where(where).ToList();
    });

    private void Show(IReadOnlyList<SqlColumn> columns, IEnumerable<object?[]> rows)
    {
        var all = rows.ToList();
        _output.Columns(columns);
        foreach (var row in all) _output.Row(row);
        Done(all.Count);
    }

    private static SqlColumn Column(string name) => new(name, Types.Text(128));

    private static SqlColumn Small(string name) => new(name, new SqlType(SqlKind.SmallInt));

    private static bool Matches(object? value, string name) => value is string text && text.Equals(name, StringComparison.OrdinalIgnoreCase);
}
