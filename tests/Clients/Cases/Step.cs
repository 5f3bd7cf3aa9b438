namespace Clients.Cases;

/// <summary>One thing that a client does on its connection; the scripts of other languages read it as JSON.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Sql">The text, or the name of the procedure or table.</param>
/// <param name="Parameters">Parameters of a call.</param>
/// <param name="Again">Values of the parameters for the second execution of a prepared statement, or the second row of a bulk load.</param>
internal sealed record Step(StepKind Kind, string Sql = "", IReadOnlyList<Parameter>? Parameters = null, IReadOnlyList<string?>? Again = null)
{
    public static implicit operator Step(string sql) => new(StepKind.Batch, sql);
}

internal enum StepKind
{
    /// <summary>A batch of text.</summary>
    Batch,

    /// <summary>A text with parameters: sp_executesql.</summary>
    Call,

    /// <summary>A procedure by its name.</summary>
    Procedure,

    /// <summary>Prepare, execute with each list of values, unprepare.</summary>
    Prepared,

    /// <summary>A batch that is cancelled as soon as its first message has arrived.</summary>
    Cancelled,

    /// <summary>Begins a transaction by the client's own means.</summary>
    Begin,

    /// <summary>Commits by the client's own means.</summary>
    Commit,

    /// <summary>Rolls back by the client's own means.</summary>
    Rollback,

    /// <summary>Two rows into a table by the client's own bulk load: the values of the parameters, and the others.</summary>
    Bulk,

    /// <summary>Gives the connection back to its pool and takes it out again.</summary>
    Reset,
}

/// <summary>A parameter of a call.</summary>
/// <param name="Name">Name without its @.</param>
/// <param name="Type">int, bigint, bit, nvarchar, varbinary or uniqueidentifier.</param>
/// <param name="Value">As text, binary in hexadecimal digits; null for NULL.</param>
/// <param name="Output">Whether its value comes back.</param>
internal sealed record Parameter(string Name, string Type, string? Value, bool Output = false);
