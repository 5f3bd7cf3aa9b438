using System.Globalization;
using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;
using SqlServerSimulator.TSql.Binding;
using SqlServerSimulator.TSql.Syntax;
using SqlServerSimulator.TSql.Values;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>How a statement ended, for the one around it.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
    Return,

    /// <summary>The whole batch is over, whatever it was nested in.</summary>
    Abort,
}

/// <summary>
/// Runs one batch. An error of a statement ends that statement and the next one runs, unless TRY catches it, SET XACT_ABORT is ON, or it is of
/// the kind that ends the batch. Names are resolved when a statement's turn comes; what does not resolve ends the scope in which it stands.
/// </summary>
internal sealed partial class BatchRunner
{
    private const int DeepestNesting = 32;

    private readonly SqlSession _session;
    private readonly IResultOutput _output;
    private readonly CancellationToken _cancellation;
    private readonly SessionEnvironment _environment;
    private readonly Stack<SqlError> _caught = new();
    private int _tries;

    public BatchRunner(SqlSession session, IResultOutput output, CancellationToken cancellation)
    {
        _session = session;
        _output = output;
        _cancellation = cancellation;
        _environment = new SessionEnvironment(session, this, cancellation);
    }

    /// <summary>@@NESTLEVEL.</summary>
    public int NestLevel { get; private set; }

    /// <summary>The error that the innermost CATCH deals with.</summary>
    public SqlError? Caught => _caught.Count > 0 ? _caught.Peek() : null;

    /// <summary>Runs a client's batch.</summary>
    public async Task RunAsync(string text, IReadOnlyList<SqlParameterValue> parameters)
    {
        await OutermostAsync(() => RunTextAsync(text, parameters.ToDictionary(
            parameter => parameter.Name, parameter => new Variable(parameter.Type, parameter.Value), StringComparer.OrdinalIgnoreCase), last =>
        {
            foreach (var parameter in parameters)
            {
                if (parameter.Output) _output.OutputValue(parameter with { Value = last[parameter.Name].Value });
            }
        }));
    }

    /// <summary>Runs a client's procedure call.</summary>
    public async Task<int?> RunProcedureAsync(string name, IReadOnlyList<SqlParameterValue> parameters)
    {
        var procedure = Parsing.Parser.TryParseName(name) ?? new ObjectName(null, null, null, name);
        var arguments = parameters.Select(parameter => new ProcedureValue(
            parameter.Name.Length == 0 ? null : parameter.Name,
            parameter.Type,
            parameter.Value,
            parameter.Output ? value => _output.OutputValue(parameter with { Value = Conversion.Convert(value.Value, value.Type, parameter.Type) }) : null)
        {
            Default = parameter.Default,
        }).ToList();
        int? returned = null;
        await OutermostAsync(async () =>
        {
            returned = await CallAsync(procedure, arguments);
            return Flow.Next;
        });
        return returned;
    }

    /// <summary>Runs a request of the client's transaction manager.</summary>
    public Task RunTransactionAsync(TransactionRequest request, string? name) => OutermostAsync(() => RunStatementsAsync([new TransactionStatement(
        request switch
        {
            TransactionRequest.Begin => TransactionVerb.Begin,
            TransactionRequest.Commit => TransactionVerb.Commit,
            TransactionRequest.Save => TransactionVerb.Save,
            _ => TransactionVerb.Rollback,
        },
        name,
        1)]));

    /// <summary>The frame of all that a client asks for: reports what nothing inside has caught, and leaves no doomed transaction behind.</summary>
    private async Task OutermostAsync(Func<Task<Flow>> run)
    {
        try
        {
            await run();
        }
        catch (SqlErrorException error)
        {
            Report(error.Error);
            if (EndsTransaction(error.Error.Number) || (_session.TransactionAbort && _session.TransactionCount > 0)) await RollBackQuietlyAsync();
        }
        catch (BatchAbortedException)
        {
            // Its error has been reported.
        }
        catch (OperationCanceledException)
        {
            if (_session.TransactionAbort && _session.TransactionCount > 0) await RollBackQuietlyAsync();
            throw;
        }

        if (_session is { Doomed: true, TransactionCount: > 0 })
        {
            await RollBackQuietlyAsync();
            Report(new SqlError(3998, 16, 1, "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back."));
        }

        if (_session.NoticeLostTransaction()) _output.TransactionChanged(TransactionChange.RolledBack);
    }

    /// <summary>Runs a text in a scope of its own, with variables of its own.</summary>
    private async Task<Flow> RunTextAsync(
        string text, Dictionary<string, Variable> variables, Action<Dictionary<string, Variable>>? atEnd = null, bool called = false)
    {
        if (NestLevel >= DeepestNesting)
        {
            throw new SqlErrorException(
                217, 16, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).");
        }

        var statements = _session.Server.Parse(text, variables.Keys, _session.QuotedIdentifier);

        var inner = called || NestLevel > 0 || variables.Count > 0;
        Hoist(statements, variables);
        var outer = _environment.Variables;
        _environment.Variables = variables;
        NestLevel++;
        var transactions = _session.TransactionCount;
        if (inner) _session.Temporary.EnterScope();
        try
        {
            var flow = await RunStatementsAsync(statements);
            atEnd?.Invoke(variables);
            if ((called || NestLevel > 1) && flow != Flow.Abort) RequireSameTransactions(transactions);
            return flow == Flow.Abort ? Flow.Abort : Flow.Next;
        }
        catch (ScopeAbortException error)
        {
            // Outside of its own scope it is an error as any other.
            throw new SqlErrorException(error.Error);
        }
        finally
        {
            NestLevel--;
            if (inner) _session.Temporary.LeaveScope();
            _environment.Variables = outer;
        }
    }

    /// <summary>What EXECUTE begins it must end, and nothing else.</summary>
    private void RequireSameTransactions(int before)
    {
        if (_session.TransactionCount == before) return;
        Report(new SqlError(
            266,
            16,
            2,
            $"Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = {before}, current count = {_session.TransactionCount}."));
        _session.LastError = 266;
    }

    /// <summary>A variable is there from the beginning of its scope, whether or not its DECLARE is ever reached.</summary>
    private static void Hoist(IEnumerable<Statement> statements, Dictionary<string, Variable> variables)
    {
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case DeclareStatement declare:
                    foreach (var variable in declare.Variables) variables[variable.Name] = new Variable(variable.Type, null);
                    break;
                case BlockStatement block:
                    Hoist(block.Body, variables);
                    break;
                case IfStatement choice:
                    Hoist(choice.Else is null ? [choice.Then] : [choice.Then, choice.Else], variables);
                    break;
                case WhileStatement loop:
                    Hoist([loop.Body], variables);
                    break;
                case TryStatement attempt:
                    Hoist(attempt.Try.Concat(attempt.Catch), variables);
                    break;
            }
        }
    }

    private async Task<Flow> RunStatementsAsync(IReadOnlyList<Statement> statements)
    {
        foreach (var statement in statements)
        {
            var flow = await RunStatementAsync(statement);
            if (flow != Flow.Next) return flow;
        }

        return Flow.Next;
    }

    private async Task<Flow> RunStatementAsync(Statement statement)
    {
        _cancellation.ThrowIfCancellationRequested();
        try
        {
            if (_session.Instance.HasFaults) await AdmitAsync(statement);
            return await RunAsync(statement);
        }
        catch (SqlErrorException exception)
        {
            var error = statement is ThrowStatement || exception.Error.Line > 1
                ? exception.Error
                : exception.Error with { Line = Math.Max(statement.Line, exception.Error.Line) };
            if (_session.NoticeLostTransaction()) _output.TransactionChanged(TransactionChange.RolledBack);
            _session.LastError = error.Number;
            _session.RowCount = 0;

            // Nothing of the batch can go on: the connection ends with it.
            if (error.Severity >= 20) throw new SqlErrorException(error);
            if (EndsScope(error.Number) && statement is not (ExecuteStatement or ExecuteTextStatement)) throw new ScopeAbortException(error);
            if (_tries > 0)
            {
                if (_session.TransactionCount > 0 && (_session.TransactionAbort || EndsTransaction(error.Number))) _session.Doomed = true;
                throw new SqlErrorException(error);
            }

            Report(error);
            if (!_session.TransactionAbort && !EndsTransaction(error.Number) && statement is not ThrowStatement) return Flow.Next;
            if ((_session.TransactionAbort || EndsTransaction(error.Number)) && _session.TransactionCount > 0) await RollBackQuietlyAsync();
            return Flow.Abort;
        }
    }

    /// <summary>A statement needs a worker, and a query memory.</summary>
    private async Task AdmitAsync(Statement statement)
    {
        // Nobody is there to take an attention either.
        await _session.Gate.AwaitAsync(instance => instance.AwaitWorker(), _session.Ended);
        _cancellation.ThrowIfCancellationRequested();
        if (statement is not (SelectStatement or InsertStatement or UpdateStatement or DeleteStatement)) return;
        _session.Gate.Read(instance =>
        {
            instance.RequireMemory();
            return true;
        });
    }

    private void Report(SqlError error)
    {
        _output.Message(error);

        // A missing permission on the server is always reported twice.
        if (error.Number == 300)
            _output.Message(error with { Number = 297, Severity = 16, Message = "The user does not have permission to perform this action." });
        _output.StatementDone(null);
    }

    /// <summary>Errors of names and types, found before a statement runs.</summary>
    private static bool EndsScope(int number) => number is 102 or 107 or 116 or 130 or 141 or 144 or 145 or 147 or 174 or 189 or 195 or 205 or 206 or 207
        or 208 or 209 or 213 or 257 or 402 or 447 or 529 or 1013 or 1033 or 4104 or 4121 or 8117 or 8116 or 8120 or 8124 or 8133 or 8155 or 8158;

    /// <summary>Errors that end the batch and the transaction.</summary>
    private static bool EndsTransaction(int number) => number is 241 or 242 or 244 or 245 or 248 or 1205 or 8114 or 8169;

    private async Task<Flow> RunAsync(Statement statement)
    {
        if (_session.FormatOnly && statement is not (SelectStatement or SetOptionStatement or ExecuteStatement or ExecuteTextStatement))
            throw new SqlErrorException(50505, 16, "A statement other than SELECT after SET FMTONLY ON is not simulated.");
        switch (statement)
        {
            case BlockStatement block:
                return await RunStatementsAsync(block.Body);
            case IfStatement choice:
                var holds = Test(choice.Condition);
                Clear();
                if (holds) return await RunStatementAsync(choice.Then);
                return choice.Else is null ? Flow.Next : await RunStatementAsync(choice.Else);
            case WhileStatement loop:
                return await LoopAsync(loop);
            case BreakStatement:
                return Flow.Break;
            case ContinueStatement:
                return Flow.Continue;
            case ReturnStatement done:
                if (done.Value is not null)
                {
                    throw new SqlErrorException(
                        new SqlError(178, 15, 1, "A RETURN statement with a return value cannot be used in this context.", Line: done.Line));
                }

                return Flow.Return;
            case TryStatement attempt:
                return await TryAsync(attempt);
            case ThrowStatement thrown:
                throw new SqlErrorException(Thrown(thrown));
            case DeclareStatement declare:
                Declare(declare);
                return Flow.Next;
            case SetVariableStatement set:
                Assign(set);
                return Flow.Next;
            case SetOptionStatement option:
                foreach (var name in option.Options) _session.SetOption(name, option.Value);
                if (option.Options is ["LANGUAGE"]) _output.LanguageChanged("us_english", "us_english");
                Clear();
                _output.StatementDone(null);
                return Flow.Next;
            case SetIdentityInsertStatement identity:
                SetIdentityInsert(identity);
                return Flow.Next;
            case PrintStatement print:
                _output.Message(new SqlError(0, 0, 1, Text(print.Value, 4000) ?? " ", Line: print.Line));
                Done(null);
                return Flow.Next;
            case RaiseErrorStatement raise:
                await RaiseAsync(raise);
                return Flow.Next;
            case WaitForStatement wait:
                await WaitAsync(wait);
                return Flow.Next;
            case UseStatement use:
                await EngineAsync(new UseDatabase(use.Database));
                Done(null);
                return Flow.Next;
            case TransactionStatement transaction:
                await TransactAsync(transaction);
                return Flow.Next;
            case ExecuteStatement call:
                return await ExecuteAsync(call);
            case ExecuteTextStatement text:
                return await RunTextAsync(Text(text.Text, -1) ?? "", new Dictionary<string, Variable>(StringComparer.OrdinalIgnoreCase));
            case WithStatement with:
                _environment.CommonTables = with.Tables;
                try
                {
                    return await RunAsync(with.Inner);
                }
                finally
                {
                    _environment.CommonTables = [];
                }

            case SelectStatement select:
                Select(select);
                return Flow.Next;
            case InsertBulkStatement bulk:
                ExpectLoad(bulk);
                return Flow.Next;
            case LoadStatement load:
                await LoadAsync(load);
                return Flow.Next;
            case InsertStatement or ModifyStatement or TruncateStatement or CreateTableStatement or DropTableStatement:
                await ChangeAsync(statement);
                return Flow.Next;
            case EngineStatement command:
                await CommandAsync(command);
                return Flow.Next;
            case InspectBackupStatement inspect:
                Inspect(inspect);
                return Flow.Next;
            case DropIfExistsStatement drop:
                if (Exists(drop)) await CommandAsync(new EngineStatement(drop.Command, drop.Line) { OutsideTransaction = "DROP" });
                else Done(null);
                return Flow.Next;
            case KillStatement kill:
                if (kill.Session is < 1 or > short.MaxValue)
                    throw new SqlErrorException(6101, 16, "Session ID is not valid.");
                await EngineAsync(new KillSession((short)kill.Session));
                Done(null);
                return Flow.Next;
            case ShutdownStatement shutdown:
                await EngineAsync(new Shutdown(shutdown.NoWait));
                Done(null);
                return Flow.Next;
            case CheckpointStatement:
                await EngineAsync(new Checkpoint());
                Done(null);
                return Flow.Next;
            case ReconfigureStatement:
                OutsideTransaction("RECONFIGURE", 574);
                await EngineAsync(new Reconfigure());
                Done(null);
                return Flow.Next;
            default:
                throw new InvalidOperationException($"No way to run {statement.GetType().Name}.");
        }
    }

    private async Task<Flow> LoopAsync(WhileStatement loop)
    {
        while (Test(loop.Condition))
        {
            _cancellation.ThrowIfCancellationRequested();
            var flow = await RunStatementAsync(loop.Body);
            if (flow == Flow.Break) break;
            if (flow is Flow.Return or Flow.Abort) return flow;
        }

        Clear();
        return Flow.Next;
    }

    private async Task<Flow> TryAsync(TryStatement attempt)
    {
        SqlError error;
        _tries++;
        try
        {
            return await RunStatementsAsync(attempt.Try);
        }
        catch (SqlErrorException exception) when (exception.Error.Severity < 20)
        {
            error = exception.Error;
        }
        finally
        {
            _tries--;
        }

        _caught.Push(error);
        try
        {
            return await RunStatementsAsync(attempt.Catch);
        }
        finally
        {
            _caught.Pop();
        }
    }

    private SqlError Thrown(ThrowStatement thrown)
    {
        if (thrown.Number is null)
        {
            return Caught ?? throw new SqlErrorException(
                10704, 15, "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.");
        }

        var number = (int)(Value(thrown.Number, Types.Int) ?? 0);
        if (number < 50000)
        {
            return new SqlError(
                35100, 16, 10, $"Error number {number} in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647.", Line: thrown.Line);
        }

        var state = (byte)(Value(thrown.State!, new SqlType(SqlKind.TinyInt)) ?? (byte)0);
        return new SqlError(number, 16, state, Text(thrown.Message!, 2048) ?? "", Line: thrown.Line);
    }

    private async Task RaiseAsync(RaiseErrorStatement raise)
    {
        var (format, severity, state, arguments) = Look(binder =>
        {
            var message = binder.Bind(raise.Message, Scope.None);
            if (Types.IsInteger(message.Type)) throw new SqlErrorException(50505, 16, "RAISERROR with the number of a stored message is not simulated.");
            return ((string?)Binder.As(message, Types.Text(2048)).Value(Frame.Empty) ?? "",
                (int)(binder.BindAs(raise.Severity, Scope.None, Types.Int).Value(Frame.Empty) ?? 0),
                (int)(binder.BindAs(raise.State, Scope.None, Types.Int).Value(Frame.Empty) ?? 0),
                raise.Arguments.Select(argument => binder.Bind(argument, Scope.None).Value(Frame.Empty)).ToArray());
        });
        if (severity > 18 && !(raise.Log && Look(_ => _session.Instance.IsServerRoleMember(_session.Engine, "sysadmin") == true)))
        {
            throw new SqlErrorException(
                2754, 16, "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option.");
        }

        var error = new SqlError(
            50000, (byte)Math.Clamp(severity, 0, 25), (byte)Math.Clamp(state < 0 ? 1 : state, 0, 255), MessageFormat.Format(format, arguments), Line: raise.Line);
        if (error.Severity <= 10)
        {
            _output.Message(error);
            Done(null);
            if (raise.NoWait) await _output.FlushAsync();
            return;
        }

        // Unlike errors of the engine it does not end the batch, not even under XACT_ABORT.
        if (_tries > 0) throw new SqlErrorException(error);
        Report(error);
        _session.LastError = error.Number;
        if (raise.NoWait) await _output.FlushAsync();
    }

    private async Task WaitAsync(WaitForStatement wait)
    {
        var text = (Text(wait.Moment, 30) ?? "").Trim();
        if (!TimeSpan.TryParseExact(
            text, [@"h\:m", @"h\:m\:s", @"h\:m\:s\.FFFFFFF"], CultureInfo.InvariantCulture, out var delay))
        {
            throw new SqlErrorException(148, 15, $"Incorrect time syntax in time string '{text}' used with WAITFOR.");
        }

        if (wait.IsTime)
        {
            // Tomorrow, when that time of day is over.
            delay -= _session.Server.Settings.Time.GetUtcNow().TimeOfDay;
            if (delay < TimeSpan.Zero) delay += TimeSpan.FromDays(1);
        }

        await _output.FlushAsync();
        await Task.Delay(delay, _session.Server.Settings.Time, _cancellation);
        Done(null);
    }

    private void Declare(DeclareStatement declare)
    {
        foreach (var variable in declare.Variables)
        {
            // Within a loop a declaration without a value leaves what is there.
            if (variable.Value is not null) Known(variable.Name).Value = Value(variable.Value, variable.Type);
        }
    }

    private void Assign(SetVariableStatement set)
    {
        var variable = Known(set.Name);
        var value = set.Operator.Length == 0
            ? set.Value
            : new BinaryExpression(set.Operator, new VariableExpression(set.Name, set.Line), set.Value, set.Line);
        variable.Value = Value(value, variable.Type);
        _session.RowCount = 1;
        _session.LastError = 0;
    }

    private Variable Known(string name) => _environment.Variables.TryGetValue(name, out var variable)
        ? variable
        : throw new SqlErrorException(137, 15, $"Must declare the scalar variable \"{name}\".");

    private async Task TransactAsync(TransactionStatement statement)
    {
        switch (statement.Verb)
        {
            case TransactionVerb.Begin:
                if (_session.TransactionCount == 0)
                {
                    await EngineAsync(new BeginTransaction());
                    _session.TransactionCount = 1;
                    _session.TransactionName = statement.Name;
                    _output.TransactionChanged(TransactionChange.Begun);
                }
                else
                {
                    _session.TransactionCount++;
                }

                break;
            case TransactionVerb.Commit:
                if (_session.TransactionCount == 0)
                    throw new SqlErrorException(3902, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.");
                RequireHealthyTransaction();
                if (_session.TransactionCount > 1)
                {
                    _session.TransactionCount--;
                    break;
                }

                await EngineAsync(new CommitTransaction());
                _session.EndTransaction(committed: true);
                _output.TransactionChanged(TransactionChange.Committed);
                break;
            case TransactionVerb.Save:
                RequireHealthyTransaction();
                await EngineAsync(new SaveTransaction(statement.Name!));
                _session.Temporary.Save(statement.Name!);
                break;
            default:
                if (_session.TransactionCount == 0)
                    throw new SqlErrorException(3903, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.");
                if (statement.Name is { } name && name != _session.TransactionName)
                {
                    if (_session.Doomed)
                    {
                        throw new SqlErrorException(
                            3931, 16, "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire transaction.");
                    }

                    await EngineAsync(new RollbackToSavepoint(name));
                    _session.Temporary.RollBackTo(name);
                    break;
                }

                await EngineAsync(new RollbackTransaction());
                _session.EndTransaction();
                _output.TransactionChanged(TransactionChange.RolledBack);
                break;
        }

        Done(null);
    }

    private void RequireHealthyTransaction()
    {
        if (_session.Doomed)
        {
            throw new SqlErrorException(
                3930, 16, "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.");
        }
    }

    private async Task RollBackQuietlyAsync()
    {
        if (_session.TransactionCount == 0) return;

        // Not the client's token: it may have been the attention that brought us here.
        if (_session.Engine.InTransaction) await _session.Gate.ExecuteAsync(_session.Engine, new RollbackTransaction(), CancellationToken.None);
        _session.EndTransaction();
        _output.TransactionChanged(TransactionChange.RolledBack);
    }

    /// <summary>Ends a statement that succeeded.</summary>
    private void Done(long? rows)
    {
        _session.LastError = 0;
        _session.RowCount = rows ?? 0;
        _output.StatementDone(_session.NoCount ? null : rows);
    }

    private void Clear()
    {
        _session.LastError = 0;
        _session.RowCount = 0;
    }

    /// <summary>Runs a command of the engine and passes on what it says.</summary>
    /// <exception cref="SqlErrorException">The command failed.</exception>
    private async Task<Operation> EngineAsync(EngineCommand command)
    {
        var before = _session.Database;
        var operation = await _session.Gate.ExecuteAsync(_session.Engine, command, _cancellation);
        if (before != _session.Database || (command is UseDatabase && operation.Error is null)) _output.DatabaseChanged(before, _session.Database);
        foreach (var message in operation.Messages)
        {
            if (message.Number != 5701) _output.Message(message);
        }

        if (operation.Error is null) return operation;
        _cancellation.ThrowIfCancellationRequested();
        throw new SqlErrorException(operation.Error);
    }

    /// <summary>Computes under the gate.</summary>
    private T Look<T>(Func<Binder, T> look) => _session.Gate.Read(_ => look(new Binder(_environment)));

    private object? Value(Expression expression, SqlType type) => Look(binder => binder.BindAs(expression, Scope.None, type).Value(Frame.Empty));

    private string? Text(Expression expression, int length) => (string?)Look(binder =>
    {
        var bound = binder.Bind(expression, Scope.None);
        return Conversion.Convert(bound.Value(Frame.Empty), bound.Type, Types.Text(length));
    });

    private bool Test(Expression condition) => Look(binder => binder.Condition(condition, Scope.None)(Frame.Empty)) == true;
}

/// <summary>An error that ends the scope in which it arose and that no TRY of that scope catches.</summary>
internal sealed class ScopeAbortException(SqlError error) : Exception(error.Message)
{
    public SqlError Error => error;
}
