using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>A text and the declarations of its parameters.</summary>
internal sealed record PreparedStatement(string Parameters, string Text);

/// <summary>What a session has prepared, by handle. Handles are not given twice.</summary>
internal sealed class PreparedStatements
{
    private const int LargestCount = 4096;

    private readonly Dictionary<int, PreparedStatement> _statements = [];
    private int _lastHandle;

    public int Add(PreparedStatement statement)
    {
        if (_statements.Count >= LargestCount) throw new SqlErrorException(701, 17, "There is insufficient system memory to prepare another statement.");
        _statements[++_lastHandle] = statement;
        return _lastHandle;
    }

    public PreparedStatement Find(int handle) => _statements.TryGetValue(handle, out var statement) ? statement : throw Unknown(handle);

    public void Remove(int handle)
    {
        if (!_statements.Remove(handle)) throw Unknown(handle);
    }

    public void Clear() => _statements.Clear();

    private static SqlErrorException Unknown(int handle) => new(8179, 16, $"Could not find prepared statement with handle {handle}.");
}
