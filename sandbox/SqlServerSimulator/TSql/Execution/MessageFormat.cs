using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.TSql.Execution;

/// <summary>The placeholders of RAISERROR.</summary>
internal static partial class MessageFormat
{
    public static string Format(string format, IReadOnlyList<object?> arguments)
    {
        if (arguments.Count > 20)
            throw new SqlErrorException(2747, 16, "Too many substitution parameters for RAISERROR. Cannot exceed 20 substitution parameters.");
        var result = new StringBuilder();
        var (at, next) = (0, 0);
        foreach (var match in Placeholder().Matches(format).AsEnumerable())
        {
            result.Append(format, at, match.Index - at);
            at = match.Index + match.Length;
            if (match.Value == "%%")
            {
                result.Append('%');
                continue;
            }

            var argument = next < arguments.Count ? arguments[next] : null;
            next++;
            var text = Render(match.Groups["type"].Value[0], argument, next, match.Groups["flags"].Value);
            if (match.Groups["precision"].Success && match.Groups["type"].Value == "s")
                text = text[..Math.Min(text.Length, int.Parse(match.Groups["precision"].Value, CultureInfo.InvariantCulture))];
            if (match.Groups["width"].Success)
            {
                var width = Math.Min(int.Parse(match.Groups["width"].Value, CultureInfo.InvariantCulture), 2047);
                text = match.Groups["flags"].Value.Contains('-', StringComparison.Ordinal) ? text.PadRight(width)
                    : match.Groups["flags"].Value.Contains('0', StringComparison.Ordinal) ? text.PadLeft(width, '0')
                    : text.PadLeft(width);
            }

            result.Append(text);
        }

        result.Append(format, at, format.Length - at);
        return result.Length > 2047 ? result.ToString(0, 2044) + "..." : result.ToString();
    }

    private static string Render(char type, object? argument, int place, string flags)
    {
        if (argument is null) return "(null)";
        if (type == 's')
            return argument as string ?? throw Mismatch(place);
        var number = argument switch { byte b => b, short s => s, int i => i, long l => l, _ => throw Mismatch(place) };
        return type switch
        {
            'x' => number.ToString("x", CultureInfo.InvariantCulture),
            'X' => number.ToString("X", CultureInfo.InvariantCulture),
            'o' => Convert.ToString(number, 8),
            'u' when argument is int i => ((uint)i).ToString(CultureInfo.InvariantCulture),
            _ => (flags.Contains('+', StringComparison.Ordinal) && number >= 0 ? "+" : "") + number.ToString(CultureInfo.InvariantCulture),
        };
    }

    private static SqlErrorException Mismatch(int place) =>
        new(2786, 16, $"The data type of substitution parameter {place} does not match the expected type of the format specification.");

    [GeneratedRegex(@"%%|%(?<flags>[-+0# ]*)(?<width>\d+)?(\.(?<precision>\d+))?(l|h|I64)?(?<type>[diuxXos])")]
    private static partial Regex Placeholder();
}
