using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>Errors with the engine's numbers, severities and texts.</summary>
public static class Errors
{
    /// <summary>The client cancelled; the number never reaches it, since an attention is answered by a DONE.</summary>
    public static SqlError Cancelled { get; } = new(0, 11, 0, "Operation cancelled by user.");
}
