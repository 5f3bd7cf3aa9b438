using SqlServerSimulator.Contract;
using SqlServerSimulator.TSql.Parsing;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>Texts with parameters: sp_executesql, and the same in two steps.</summary>
internal sealed partial class BatchRunner
{
    private async Task<int> ExecuteSqlAsync(List<ProcedureValue> arguments)
    {
        if (arguments.Count == 0)
            throw new SqlErrorException(201, 16, "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.");
        var text = UnicodeText(arguments, 0, "@statement");
        return await ExecuteAsync(new PreparedStatement(arguments.Count > 1 ? UnicodeText(arguments, 1, "@params") : "", text), arguments.Skip(2).ToList());
    }

    private PreparedStatement Prepare(List<ProcedureValue> arguments)
    {
        if (arguments.Count < 3)
            throw new SqlErrorException(201, 16, $"Procedure or function 'sp_prepare' expects parameter '{(arguments.Count < 2 ? "@params" : "@stmt")}', which was not supplied.");
        var statement = new PreparedStatement(UnicodeText(arguments, 1, "@params"), UnicodeText(arguments, 2, "@stmt"));
        try
        {
            var names = Parser.ParseParameters(statement.Parameters).Select(parameter => parameter.Name).ToList();
            _session.Server.Parse(statement.Text, names, _session.QuotedIdentifier);
        }
        catch (SqlErrorException error)
        {
            Report(error.Error);
            throw new SqlErrorException(8180, 16, "Statement(s) could not be prepared.");
        }

        arguments[0].Return?.Invoke((Types.Int, _session.Prepared.Add(statement)));
        return statement;
    }

    private Task<int> PrepareAndExecuteAsync(List<ProcedureValue> arguments) => ExecuteAsync(Prepare(arguments), arguments.Skip(3).ToList());

    private Task<int> ExecutePreparedAsync(List<ProcedureValue> arguments) =>
        ExecuteAsync(_session.Prepared.Find(Handle("sp_execute", arguments)), arguments.Skip(1).ToList());

    private void Unprepare(List<ProcedureValue> arguments) => _session.Prepared.Remove(Handle("sp_unprepare", arguments));

    /// <summary>Runs a text with parameters, each converted to its declared type on the way in and back to the caller's on the way out.</summary>
    /// <returns>@@ERROR at its end.</returns>
    private async Task<int> ExecuteAsync(PreparedStatement statement, List<ProcedureValue> values)
    {
        var declared = Parser.ParseParameters(statement.Parameters);
        if (values.Count > declared.Count) throw new SqlErrorException(8144, 16, "Procedure or function  has too many arguments specified.");
        var variables = new Dictionary<string, Variable>(StringComparer.OrdinalIgnoreCase);
        var backs = new List<(string Name, Action<(SqlType, object?)> Return)>();
        for (var i = 0; i < declared.Count; i++)
        {
            var (parameter, type, initial, output) = declared[i];
            var value = values.Find(given => parameter.Equals(given.Name, StringComparison.OrdinalIgnoreCase))
                ?? (i < values.Count && values[i].Name is null ? values[i] : null);
            if (value?.Return is { } back)
            {
                if (!output)
                {
                    throw new SqlErrorException(
                        8162, 16, $"The formal parameter \"{parameter}\" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.");
                }

                backs.Add((parameter, back));
            }

            if (value is { Default: false })
            {
                Conversion.RequireImplicit(value.Type, type);
                variables[parameter] = new Variable(type, Conversion.Convert(value.Value, value.Type, type));
            }
            else
            {
                variables[parameter] = new Variable(type, Value(initial ?? throw new SqlErrorException(
                    8178, 16, $"The parameterized query '({statement.Parameters}){statement.Text}' expects the parameter '{parameter}', which was not supplied."), type));
            }
        }

        foreach (var value in values)
        {
            if (value.Name is not null && !variables.ContainsKey(value.Name))
                throw new SqlErrorException(8145, 16, $"{value.Name} is not a parameter for procedure .");
        }

        // Values come back into the caller's variables, so not before its scope is there again.
        Dictionary<string, Variable>? last = null;
        var flow = await RunTextAsync(statement.Text, variables, end => last = end, called: true);
        if (last is not null)
        {
            foreach (var (parameter, back) in backs) back((last[parameter].Type, last[parameter].Value));
        }

        return flow == Flow.Abort ? throw new BatchAbortedException() : _session.LastError;
    }

    private static string UnicodeText(List<ProcedureValue> arguments, int index, string parameter) =>
        Types.IsUnicode(arguments[index].Type) || (arguments[index].Value is null && parameter != "@statement")
            ? (string?)arguments[index].Value ?? ""
            : throw new SqlErrorException(214, 16, $"Procedure expects parameter '{parameter}' of type 'ntext/nchar/nvarchar'.");

    private static int Handle(string procedure, List<ProcedureValue> arguments) => arguments.Count > 0
        ? (int?)Conversion.Convert(arguments[0].Value, arguments[0].Type, Types.Int) ?? 0
        : throw new SqlErrorException(201, 16, $"Procedure or function '{procedure}' expects parameter '@handle', which was not supplied.");
}
