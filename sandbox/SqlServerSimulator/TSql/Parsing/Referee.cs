using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace SqlServerSimulator.TSql.Parsing;

/// <summary>
/// Microsoft's own parser, asked only about batches that our grammar refuses: is this T-SQL that is not simulated, or no T-SQL at all?
/// Its assembly is not loaded before the first such batch.
/// </summary>
internal static partial class Referee
{
    private const int MaxLength = 100_000;
    private const int MaxDepth = 50;

    /// <param name="text">The batch.</param>
    /// <param name="quotedIdentifier">Whether "x" is a name.</param>
    /// <param name="offset">The place in question.</param>
    public static Verdict Judge(string text, bool quotedIdentifier, int offset) =>
        text.Length > MaxLength || Depth(text) > MaxDepth ? new Verdict.Unknown() : Ask(text, quotedIdentifier, offset);

    /// <summary>An upper bound of how deeply a text nests: the referee is recursive and must not run out of stack.</summary>
    private static int Depth(string text)
    {
        var (depth, deepest) = (0, 0);
        foreach (var match in Openings().EnumerateMatches(text))
        {
            depth += text[match.Index] == ')' ? -1 : 1;
            deepest = Math.Max(deepest, depth);
        }

        return deepest;
    }

    // Kept apart so that the assembly is loaded when this runs, not when a caller is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Verdict Ask(string text, bool quotedIdentifier, int offset)
    {
        using var reader = new StringReader(text);
        var script = (TSqlScript)new TSql150Parser(quotedIdentifier).Parse(reader, out var errors);
        if (errors.Count > 0)
        {
            var first = errors.MinBy(error => error.Offset)!;
            return new Verdict.Wrong(first.Offset, first.Message);
        }

        // GO is a word of tools that send batches, not of the batches.
        foreach (var token in script.ScriptTokenStream)
        {
            if (token.TokenType == TSqlTokenType.Go) return new Verdict.Wrong(token.Offset, "GO");
        }

        var finder = new Finder(offset);
        script.Accept(finder);
        return new Verdict.Valid(finder.Found is { } found ? Words().Replace(found.GetType().Name, " $0").Trim() : "Batch");
    }

    [GeneratedRegex(@"[()]|\b(?:BEGIN|CASE|NOT|IF|WHILE|ELSE|UNION|EXCEPT|INTERSECT|JOIN)\b|[-+~](?=\s*[-+~(])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Openings();

    [GeneratedRegex("(?<!^)[A-Z](?=[a-z])")]
    private static partial Regex Words();

    /// <summary>Finds the smallest construct around a place.</summary>
    private sealed class Finder(int offset) : TSqlFragmentVisitor
    {
        public TSqlFragment? Found { get; private set; }

        public override void Visit(TSqlFragment fragment)
        {
            if (fragment is TSqlScript or TSqlBatch or StatementList or Identifier or MultiPartIdentifier or Literal or IdentifierOrValueExpression) return;
            if (fragment.StartOffset > offset || fragment.StartOffset + fragment.FragmentLength <= offset) return;
            if (Found is null || fragment.FragmentLength <= Found.FragmentLength) Found = fragment;
        }
    }
}
