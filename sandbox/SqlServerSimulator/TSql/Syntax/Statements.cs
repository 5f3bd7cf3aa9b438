using SqlServerSimulator.Contract;
using SqlServerSimulator.Engine;

namespace SqlServerSimulator.TSql.Syntax;

internal abstract record Statement(int Line);

internal sealed record BlockStatement(IReadOnlyList<Statement> Body, int Line) : Statement(Line);

internal sealed record IfStatement(Expression Condition, Statement Then, Statement? Else, int Line) : Statement(Line);

internal sealed record WhileStatement(Expression Condition, Statement Body, int Line) : Statement(Line);

internal sealed record BreakStatement(int Line) : Statement(Line);

internal sealed record ContinueStatement(int Line) : Statement(Line);

internal sealed record ReturnStatement(Expression? Value, int Line) : Statement(Line);

internal sealed record TryStatement(IReadOnlyList<Statement> Try, IReadOnlyList<Statement> Catch, int Line) : Statement(Line);

/// <summary>THROW; the arguments are all there or all absent.</summary>
internal sealed record ThrowStatement(Expression? Number, Expression? Message, Expression? State, int Line) : Statement(Line);

internal sealed record RaiseErrorStatement(
    Expression Message, Expression Severity, Expression State, IReadOnlyList<Expression> Arguments, bool Log, bool NoWait, int Line) : Statement(Line);

internal sealed record PrintStatement(Expression Value, int Line) : Statement(Line);

/// <summary>WAITFOR DELAY, or WAITFOR TIME.</summary>
internal sealed record WaitForStatement(Expression Moment, bool IsTime, int Line) : Statement(Line);

internal sealed record UseStatement(string Database, int Line) : Statement(Line);

internal sealed record VariableDeclaration(string Name, SqlType Type, Expression? Value);

internal sealed record DeclareStatement(IReadOnlyList<VariableDeclaration> Variables, int Line) : Statement(Line);

internal sealed record SetVariableStatement(string Name, string Operator, Expression Value, int Line) : Statement(Line);

/// <summary>SET of options of the session.</summary>
internal sealed record SetOptionStatement(IReadOnlyList<string> Options, string Value, int Line) : Statement(Line);

internal sealed record SetIdentityInsertStatement(ObjectName Table, bool On, int Line) : Statement(Line);

/// <summary>A parameter as sp_executesql declares it.</summary>
internal sealed record ParameterDeclaration(string Name, SqlType Type, Expression? Default, bool Output);

internal sealed record ProcedureArgument(string? Name, Expression? Value, bool Output);

internal sealed record ExecuteStatement(
    string? ReturnVariable, ObjectName Procedure, IReadOnlyList<ProcedureArgument> Arguments, int Line) : Statement(Line);

/// <summary>EXEC ('…' + @v)</summary>
internal sealed record ExecuteTextStatement(Expression Text, int Line) : Statement(Line);

/// <summary>WITH name AS (query), … before a statement.</summary>
internal sealed record WithStatement(IReadOnlyList<CommonTable> Tables, Statement Inner, int Line) : Statement(Line);

internal sealed record SelectStatement(Query Query, int Line) : Statement(Line)
{
    /// <summary>True when the query only assigns variables.</summary>
    public bool Assigns => Query.Body is SelectBody { Items: [AssignmentItem, ..] };
}

internal sealed record InsertStatement(
    ObjectName Table,
    IReadOnlyList<string>? Columns,
    IReadOnlyList<IReadOnlyList<Expression?>>? Rows,
    Query? Query,
    int Line) : Statement(Line)
{
    public IReadOnlyList<SelectItem> Output { get; init; } = [];
}

/// <summary>INSERT BULK: the rows come after it, in a message of their own.</summary>
internal sealed record InsertBulkStatement(ObjectName Table, IReadOnlyList<string> Columns, bool KeepNulls, int Line) : Statement(Line);

internal sealed record ColumnAssignment(string Column, string Operator, Expression? Value, int Line);

internal sealed record UpdateStatement(
    Expression? Top, ObjectName Target, IReadOnlyList<ColumnAssignment> Assignments, Expression? Where, int Line)
    : ModifyStatement(Top, Target, Where, Line);

internal sealed record DeleteStatement(Expression? Top, ObjectName Target, Expression? Where, int Line) : ModifyStatement(Top, Target, Where, Line);

/// <summary>UPDATE or DELETE.</summary>
internal abstract record ModifyStatement(Expression? Top, ObjectName Target, Expression? Where, int Line) : Statement(Line)
{
    public TableSource? From { get; init; }

    public IReadOnlyList<SelectItem> Output { get; init; } = [];
}

internal sealed record TruncateStatement(ObjectName Table, int Line) : Statement(Line);

internal sealed record TableColumn(
    string Name, SqlType Type, bool? Nullable, bool Identity, long Seed, long Increment, Expression? Default, string? DefaultText, bool PrimaryKey);

internal sealed record CreateTableStatement(
    ObjectName Table, IReadOnlyList<TableColumn> Columns, IReadOnlyList<string> PrimaryKey, string? PrimaryKeyName, int Line) : Statement(Line);

internal sealed record DropTableStatement(IReadOnlyList<ObjectName> Tables, bool IfExists, int Line) : Statement(Line);

internal enum TransactionVerb
{
    Begin,
    Commit,
    Rollback,
    Save,
}

internal sealed record TransactionStatement(TransactionVerb Verb, string? Name, int Line) : Statement(Line);

internal sealed record ReconfigureStatement(int Line) : Statement(Line);

internal sealed record CheckpointStatement(int Line) : Statement(Line);

internal sealed record KillStatement(long Session, int Line) : Statement(Line);

internal sealed record ShutdownStatement(bool NoWait, int Line) : Statement(Line);

/// <summary>A statement that is one command of the engine as it stands.</summary>
internal sealed record EngineStatement(EngineCommand Command, int Line) : Statement(Line)
{
    /// <summary>Whether it must run in master.</summary>
    public bool NeedsMaster => Command is CreateGroup or AlterGroup or DropGroup;

    /// <summary>Whether it may not run in a user transaction, and how it is called then.</summary>
    public string? OutsideTransaction { get; init; }
}

/// <summary>RESTORE HEADERONLY, FILELISTONLY, VERIFYONLY and LABELONLY.</summary>
internal sealed record InspectBackupStatement(BackupInspection Kind, IReadOnlyList<string> Devices, int? File, int Line) : Statement(Line);

/// <summary>A DROP that is skipped when there is nothing to drop.</summary>
internal sealed record DropIfExistsStatement(EngineCommand Command, string View, string Name, int Line) : Statement(Line);
