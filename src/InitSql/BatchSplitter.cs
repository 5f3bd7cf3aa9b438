using System.Globalization;
using System.Text;

namespace Agents.InitSql;

/// <summary>
/// Splits a script into batches at lines that hold only <c>GO</c>, or <c>GO n</c> to run the batch n times. A GO inside a string, a quoted
/// name or a block comment is text.
/// </summary>
internal static class BatchSplitter
{
    private const int MostRepeats = 10_000;

    private enum Inside
    {
        Code,
        String,
        Quoted,
        Bracketed,
        Comment,
    }

    public static IReadOnlyList<string> Split(string script)
    {
        var batches = new List<string>();
        var batch = new StringBuilder();
        var inside = Inside.Code;
        var depth = 0;
        foreach (var line in script.ReplaceLineEndings("\n").Split('\n'))
        {
            if (inside == Inside.Code && Repeats(line) is { } times)
            {
                End(times);
                continue;
            }

            batch.Append(line).Append('\n');
            Scan(line, ref inside, ref depth);
        }

        End(1);
        return batches;

        void End(int times)
        {
            if (!string.IsNullOrWhiteSpace(batch.ToString()))
                batches.AddRange(Enumerable.Repeat(batch.ToString(), times));
            batch.Clear();
        }
    }

    private static int? Repeats(string line)
    {
        var words = line.Trim().TrimEnd(';').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is 0 or > 2 || !words[0].Equals("GO", StringComparison.OrdinalIgnoreCase))
            return null;
        if (words.Length == 1)
            return 1;
        return int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var times) && times is > 0 and <= MostRepeats ? times : null;
    }

    private static void Scan(string line, ref Inside inside, ref int depth)
    {
        for (var i = 0; i < line.Length; i++)
        {
            var next = i + 1 < line.Length ? line[i + 1] : '\0';
            switch (inside, line[i])
            {
                case (Inside.Code, '-') when next == '-':
                    return;
                case (Inside.Code, '/') when next == '*':
                case (Inside.Comment, '/') when next == '*':
                    inside = Inside.Comment;
                    depth++;
                    i++;
                    break;
                case (Inside.Comment, '*') when next == '/':
                    depth--;
                    i++;
                    inside = depth == 0 ? Inside.Code : Inside.Comment;
                    break;
                case (Inside.Code, '\''):
                    inside = Inside.String;
                    break;
                case (Inside.Code, '"'):
                    inside = Inside.Quoted;
                    break;
                case (Inside.Code, '['):
                    inside = Inside.Bracketed;
                    break;
                case (Inside.String, '\''):
                case (Inside.Quoted, '"'):
                case (Inside.Bracketed, ']'):
                    // A doubled delimiter leaves and enters again, which comes to the same.
                    inside = Inside.Code;
                    break;
            }
        }
    }
}
