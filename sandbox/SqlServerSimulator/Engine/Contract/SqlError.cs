namespace SqlServerSimulator.Contract;

/// <summary>An error or informational message as the engine sends it. Severity 10 and below is information (INFO token).</summary>
/// <param name="Number">Message number.</param>
/// <param name="Severity">Class.</param>
/// <param name="State">State.</param>
/// <param name="Message">Text with its placeholders filled.</param>
/// <param name="Procedure">Procedure in which it arose; empty for the batch itself.</param>
/// <param name="Line">Line in the batch or procedure, from 1.</param>
public sealed record SqlError(int Number, byte Severity, byte State, string Message, string Procedure = "", int Line = 1)
{
    /// <summary>True when clients see an ERROR token.</summary>
    public bool IsError => Severity > 10;
}

/// <summary>Carries a <see cref="SqlError"/> out of the evaluation of a statement.</summary>
public sealed class SqlErrorException : Exception
{
    /// <summary>Makes the exception.</summary>
    public SqlErrorException(SqlError error)
        : base($"Msg {error.Number}, Level {error.Severity}, State {error.State}: {error.Message}") => Error = error;

    /// <summary>Makes the exception with state 1.</summary>
    public SqlErrorException(int number, byte severity, string message)
        : this(new SqlError(number, severity, 1, message))
    {
    }

    /// <summary>The error.</summary>
    public SqlError Error { get; }
}
