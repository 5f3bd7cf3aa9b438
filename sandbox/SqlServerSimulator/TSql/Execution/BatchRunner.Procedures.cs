using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>An argument of a procedure, computed.</summary>
/// <param name="Name">Name with its @, or null.</param>
/// <param name="Type">Its type.</param>
/// <param name="Value">Its value.</param>
/// <param name="Return">Takes the value back; null when it is not OUTPUT.</param>
internal sealed record ProcedureValue(string? Name, SqlType Type, object? Value, Action<(SqlType Type, object? Value)>? Return)
{
    /// <summary>The procedure's own value is asked for.</summary>
    public bool Default { get; init; }
}

internal sealed partial class BatchRunner
{
    private async Task<Flow> ExecuteAsync(ExecuteStatement call)
    {
        var arguments = Look(binder => call.Arguments.Select(argument =>
        {
            if (argument.Value is null) return new ProcedureValue(argument.Name, Types.Null, null, null) { Default = true };
            var bound = binder.Bind(argument.Value, Scope.None);
            Action<(SqlType Type, object? Value)>? back = null;
            if (argument is { Output: true, Value: VariableExpression variable })
            {
                back = given =>
                {
                    var target = Known(variable.Name);
                    target.Value = Conversion.Convert(given.Value, given.Type, target.Type);
                };
            }

            return new ProcedureValue(argument.Name, bound.Type, bound.Value(Frame.Empty), back);
        }).ToList());
        var result = call.ReturnVariable is null ? null : Known(call.ReturnVariable);
        try
        {
            var status = await CallAsync(call.Procedure, arguments);
            if (result is not null) result.Value = Conversion.Convert(status, Types.Int, result.Type);
            return Flow.Next;
        }
        catch (BatchAbortedException)
        {
            return Flow.Abort;
        }
    }

    /// <summary>Calls a system procedure.</summary>
    /// <returns>Its return status.</returns>
    private async Task<int> CallAsync(ObjectName name, List<ProcedureValue> arguments)
    {
        var known = name.Server is null && name.Schema?.ToUpperInvariant() is null or "SYS" or "DBO";
        switch (known ? name.Name.ToUpperInvariant() : "")
        {
            case "SP_EXECUTESQL":
                return await ExecuteSqlAsync(arguments);
            case "SP_PREPARE":
                Prepare(arguments);
                return 0;
            case "SP_PREPEXEC":
                return await PrepareAndExecuteAsync(arguments);
            case "SP_EXECUTE":
                return await ExecutePreparedAsync(arguments);
            case "SP_UNPREPARE":
                Unprepare(arguments);
                return 0;
            case "SP_PREPEXECRPC":
            case { } cursor when cursor.StartsWith("SP_CURSOR", StringComparison.Ordinal):
                throw new SqlErrorException(50505, 16, $"{name.Name} is not simulated: the server keeps no cursors.");
            case "SP_SET_SESSION_CONTEXT":
                await SetSessionContextAsync(new Arguments(name.Name, arguments, "@key", "@value", "@read_only"));
                return 0;
            case "SP_GETAPPLOCK":
                return await TakeLockAsync(new Arguments(name.Name, arguments, "@Resource", "@LockMode", "@LockOwner", "@LockTimeout", "@DbPrincipal"));
            case "SP_RELEASEAPPLOCK":
                return ReleaseLock(new Arguments(name.Name, arguments, "@Resource", "@LockOwner", "@DbPrincipal"));
            case "SP_ADDSERVER":
                var server = new Arguments(name.Name, arguments, "@server", "@local", "@duplicate_ok");
                var local = server.Text("@local");
                if (local is not null && !local.Equals("local", StringComparison.OrdinalIgnoreCase)) throw Invalid(name.Name);
                OutsideTransaction(name.Name);
                await EngineAsync(new AddServer(server.RequireText("@server"), local is not null));
                break;
            case "SP_DROPSERVER":
                OutsideTransaction(name.Name);
                var dropped = new Arguments(name.Name, arguments, "@server", "@droplogins");
                await EngineAsync(new Engine.DropServer(dropped.RequireText("@server")));
                break;
            case "SP_CONFIGURE":
                await ConfigureAsync(new Arguments(name.Name, arguments, "@configname", "@configvalue"));
                return 0;
            case "SP_SERVER_DIAGNOSTICS":
                return await DiagnoseAsync(new Arguments(name.Name, arguments, "@repeat_interval"));
            case "SP_ADDSRVROLEMEMBER" or "SP_DROPSRVROLEMEMBER":
                var member = new Arguments(name.Name, arguments, "@loginame", "@rolename");
                OutsideTransaction(name.Name);
                await EngineAsync(new AlterServerRole(
                    member.RequireText("@rolename"), member.RequireText("@loginame"), name.Name.StartsWith("sp_add", StringComparison.OrdinalIgnoreCase)));
                break;
            case "SP_RESET_CONNECTION":
                await _session.ResetAsync();
                break;
            default:
                return await CallCatalogAsync(name, arguments, known);
        }

        Done(null);
        return 0;
    }

    private void OutsideTransaction(string statement, int number)
    {
        if (_session.TransactionCount > 0)
            throw new SqlErrorException(number, 16, $"{statement} statement cannot be used inside a user transaction.");
    }

    private void OutsideTransaction(string procedure)
    {
        if (_session.TransactionCount > 0)
            throw new SqlErrorException(15002, 16, $"The procedure 'sys.{procedure.ToLowerInvariant()}' cannot be executed within a transaction.");
    }

    private static SqlErrorException Invalid(string procedure) =>
        new(15600, 15, $"An invalid parameter or option was specified for procedure 'sys.{procedure.ToLowerInvariant()}'.");

    private async Task SetSessionContextAsync(Arguments arguments)
    {
        var key = arguments.RequireText("@key");
        if (key.Length is 0 or > 128)
            throw new SqlErrorException(15665, 16, "The value was not set for key '' because the size of the key is not between 1 and 128 characters.");
        var value = arguments.Find("@value") ?? throw arguments.Missing("@value");
        if (value.Value is string { Length: > 4000 } or byte[] { Length: > 8000 })
            throw new SqlErrorException(15666, 16, $"Cannot set key '{key}' in the session context. The size of the set value exceeds 8000 bytes.");
        await EngineAsync(new SetSessionContext(key, Conversion.Convert(value.Value, value.Type, Types.Variant), arguments.Number("@read_only") is 1));
        Done(null);
    }

    private async Task<int> TakeLockAsync(Arguments arguments)
    {
        var resource = arguments.RequireText("@Resource");
        var known = Enum.TryParse<LockMode>(arguments.RequireText("@LockMode"), ignoreCase: true, out var mode) && Enum.IsDefined(mode);
        var transaction = IsTransactionOwner(arguments);
        if (!known || transaction is null || resource.Length > 255) return -999;
        if (transaction == true && _session.TransactionCount == 0) return -999;

        var milliseconds = arguments.Number("@LockTimeout") ?? (_session.Engine.LockTimeout is { } wait ? (int)wait.TotalMilliseconds : -1);
        if (milliseconds < -1) return -999;
        var database = Look(_ => _session.Instance.DatabaseId(_session.Database));
        return await _session.Server.Locks.TakeAsync(
            $"{database}:{resource}", _session, transaction == true, mode, milliseconds < 0 ? null : TimeSpan.FromMilliseconds(milliseconds), _cancellation);
    }

    private int ReleaseLock(Arguments arguments)
    {
        var resource = arguments.RequireText("@Resource");
        if (IsTransactionOwner(arguments) is not { } transaction) return -999;
        var database = Look(_ => _session.Instance.DatabaseId(_session.Database));
        if (_session.Server.Locks.Release($"{database}:{resource}", _session, transaction)) return 0;
        throw new SqlErrorException(
            1223, 16, $"Cannot release the application lock (Database Principal: 'public', Resource: '{resource}') because it is not currently held.");
    }

    private static bool? IsTransactionOwner(Arguments arguments) => (arguments.Text("@LockOwner") ?? "Transaction").ToUpperInvariant() switch
    {
        "TRANSACTION" => true,
        "SESSION" => false,
        _ => null,
    };

    private async Task ConfigureAsync(Arguments arguments)
    {
        var option = arguments.Text("@configname");
        if (option is null || arguments.Number("@configvalue") is not { } value)
        {
            ListConfiguration(option);
            return;
        }

        OutsideTransaction("sp_configure");
        await EngineAsync(new Configure(option, value));
        Done(null);
    }

    private async Task<int> DiagnoseAsync(Arguments arguments)
    {
        var interval = arguments.Number("@repeat_interval") ?? 0;
        if (interval is < 0 or (> 0 and < 5) or > 86400) throw Invalid("sp_server_diagnostics");
        OutsideTransaction("sp_server_diagnostics");

        // Whoever may not ask shall not have to wait for the answer.
        Look(_ => _session.Instance.Diagnostics(_session.Engine));
        var time = _session.Server.Settings.Time;
        do
        {
            await _output.FlushAsync();
            await Task.Delay(interval == 0 ? _session.Server.Settings.DiagnosticsDuration : TimeSpan.FromSeconds(interval), time, _cancellation);
            await _session.Gate.AwaitAsync(instance => instance.AwaitDiagnostics(), _cancellation);
            _cancellation.ThrowIfCancellationRequested();
            var rows = Look(_ => _session.Instance.Diagnostics(_session.Engine));
            _output.Columns(
            [
                new SqlColumn("create_time", Types.DateTime with { Nullable = false }),
                new SqlColumn("component_type", SqlType.Sysname),
                new SqlColumn("component_name", SqlType.Sysname),
                new SqlColumn("state", Types.Int with { Nullable = false }),
                new SqlColumn("state_desc", SqlType.Sysname),
                new SqlColumn("data", new SqlType(SqlKind.VarChar, -1)),
            ]);
            foreach (var row in rows)
                _output.Row([row.CreateTime, row.ComponentType, row.ComponentName, row.State, row.StateDescription, row.Data]);
            Done(rows.Count);
        }
        while (interval > 0);
        return 0;
    }

    /// <summary>The arguments of a system procedure by its parameters' names.</summary>
    private sealed class Arguments
    {
        private readonly string _procedure;
        private readonly Dictionary<string, ProcedureValue> _values = new(StringComparer.OrdinalIgnoreCase);

        public Arguments(string procedure, List<ProcedureValue> values, params ReadOnlySpan<string> parameters)
        {
            _procedure = procedure;
            if (values.Count > parameters.Length)
                throw new SqlErrorException(8144, 16, $"Procedure or function {procedure} has too many arguments specified.");
            for (var i = 0; i < values.Count; i++)
            {
                var name = values[i].Name ?? parameters[i];
                if (!Contains(parameters, name)) throw new SqlErrorException(8145, 16, $"{name} is not a parameter for procedure {procedure}.");
                if (values[i].Default) continue;
                if (!_values.TryAdd(name, values[i]))
                    throw new SqlErrorException(8143, 16, $"Parameter '{name}' was supplied multiple times.");
            }
        }

        private static bool Contains(ReadOnlySpan<string> parameters, string name)
        {
            foreach (var parameter in parameters)
            {
                if (parameter.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }

            return false;
        }

        public ProcedureValue? Find(string name) => _values.GetValueOrDefault(name);

        public SqlErrorException Missing(string name) =>
            new(201, 16, $"Procedure or function '{_procedure}' expects parameter '{name}', which was not supplied.");

        public string? Text(string name) =>
            Find(name) is { } value ? (string?)Conversion.Convert(value.Value, value.Type, Types.Text(-1)) : null;

        public string RequireText(string name) => Text(name) ?? throw Missing(name);

        public int? Number(string name) => Find(name) is { } value ? (int?)Conversion.Convert(value.Value, value.Type, Types.Int) : null;
    }
}

/// <summary>A batch inside a procedure has ended the batch around it; its error has been reported.</summary>
internal sealed class BatchAbortedException : Exception;
