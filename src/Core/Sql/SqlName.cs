namespace Agents.Sql;

/// <summary>An identifier, quoted with brackets wherever it enters a statement.</summary>
/// <param name="Value">The name as it is, without quotes.</param>
public readonly record struct SqlName(string Value)
{
    /// <summary>The quoted form.</summary>
    public override string ToString() => $"[{Value.Replace("]", "]]", StringComparison.Ordinal)}]";
}
