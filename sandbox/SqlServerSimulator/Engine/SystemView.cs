using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>A catalog view or dynamic management view.</summary>
/// <param name="Columns">Documented columns in documented order.</param>
/// <param name="Rows">
/// What a session sees now. Throws <see cref="SqlErrorException"/> when the login may not use the view; for a view without that rule, rows that
/// the login may not see are missing.
/// </param>
public sealed record SystemView(IReadOnlyList<SqlColumn> Columns, Func<SqlInstance, EngineSession, IReadOnlyList<object?[]>> Rows);
