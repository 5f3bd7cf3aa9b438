namespace Agents.Sql;

/// <summary>A batch that did not run to its end.</summary>
public sealed class SqlInstanceException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="failure">What kind of failure.</param>
    /// <param name="numbers">All error numbers that the server sent, in order.</param>
    /// <param name="message">The first error's text, or what went wrong before the server could answer.</param>
    /// <param name="inner">The cause, if any.</param>
    public SqlInstanceException(SqlFailure failure, IReadOnlyList<int> numbers, string message, Exception? inner = null)
        : base(message, inner)
    {
        Failure = failure;
        Numbers = numbers;
    }

    /// <summary>What kind of failure.</summary>
    public SqlFailure Failure { get; }

    /// <summary>
    /// All error numbers that the server sent. Search the whole list: an outer error such as 41158 often wraps the one that tells.
    /// </summary>
    public IReadOnlyList<int> Numbers { get; }

    /// <summary>True when the server sent error <paramref name="number"/>.</summary>
    public bool Has(int number) => Numbers.Contains(number);
}

/// <summary>Kinds of <see cref="SqlInstanceException"/>.</summary>
public enum SqlFailure
{
    /// <summary>No connection, or it broke. A statement under way may or may not have taken effect.</summary>
    Unreachable,

    /// <summary>No answer in time. The statement may still take effect later.</summary>
    Timeout,

    /// <summary>The server declined the login.</summary>
    LoginFailed,

    /// <summary>The server ran the batch and answered with errors.</summary>
    Statement,
}
