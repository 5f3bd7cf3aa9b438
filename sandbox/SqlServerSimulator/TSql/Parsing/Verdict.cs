namespace SqlServerSimulator.TSql.Parsing;

/// <summary>What the referee says of a batch.</summary>
internal abstract record Verdict
{
    /// <param name="Construct">What stands at the place in question.</param>
    public sealed record Valid(string Construct) : Verdict;

    /// <param name="Offset">Where the mistake is.</param>
    /// <param name="Message">What the referee says about it.</param>
    public sealed record Wrong(int Offset, string Message) : Verdict;

    /// <summary>Too large or nested too deeply to be asked about.</summary>
    public sealed record Unknown : Verdict;
}
