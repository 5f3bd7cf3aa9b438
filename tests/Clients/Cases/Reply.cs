using System.Security.Cryptography;
using System.Text;

namespace Clients.Cases;

/// <summary>What a client saw of one step.</summary>
internal sealed record Reply
{
    private const int Longest = 200;

    public List<ResultSet> Sets { get; init; } = [];

    public List<Message> Messages { get; init; } = [];

    /// <summary>Values of output parameters, as <c>@name = value</c>.</summary>
    public List<string> Outputs { get; init; } = [];

    /// <summary>Return status of a procedure.</summary>
    public int? Return { get; set; }

    /// <summary>The client says that the step was cancelled.</summary>
    public bool Cancelled { get; set; }

    /// <summary>As lines: result sets, messages, outputs, status.</summary>
    public IEnumerable<string> Lines(bool notices)
    {
        foreach (var set in Sets)
        {
            yield return $"[{string.Join(", ", set.Columns)}]";
            foreach (var row in set.Rows)
                yield return string.Join(" | ", row.Select(Shorten));
        }

        foreach (var message in Messages.Where(message => notices || message.Severity > 10))
            yield return $"{message.Number}/{message.Severity}/{message.State} {Shorten(message.Text)}".Trim();
        foreach (var output in Outputs)
            yield return output;
        if (Return is { } status)
            yield return $"return {status}";
        if (Cancelled)
            yield return "cancelled";
    }

    /// <summary>A long value as its length and hash.</summary>
    public static string Shorten(string? value) => value switch
    {
        null => "NULL",
        { Length: > Longest } => $"{value.Length} characters {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(value)))[..16]}",
        _ => value,
    };
}

internal sealed record ResultSet
{
    public List<string> Columns { get; init; } = [];

    public List<List<string?>> Rows { get; init; } = [];
}

internal sealed record Message(int Number, int Severity, int State, string Text);
