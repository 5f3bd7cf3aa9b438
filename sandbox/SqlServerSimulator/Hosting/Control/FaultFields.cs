using System.Globalization;
using System.Text.Json;

namespace SqlServerSimulator.Hosting.Control;

/// <summary>Reads the fields of one request. Each mistake names the field, what was found and what was expected.</summary>
internal sealed class FaultFields(JsonElement request)
{
    private readonly HashSet<string> known = ["fault", "forMs"];
    private readonly List<string> mistakes = [];

    /// <summary>All that is wrong, fields that nobody asked for included.</summary>
    public IReadOnlyList<string> Mistakes =>
    [
        .. mistakes,
        .. request.EnumerateObject()
            .Where(given => !known.Contains(given.Name))
            .Select(given => $"{given.Name}: found a field that this request does not have, expected only {string.Join(", ", known.Order(StringComparer.Ordinal))}."),
    ];

    public TimeSpan Milliseconds(string field, long? otherwise = null, long least = 0)
    {
        known.Add(field);
        if (!request.TryGetProperty(field, out var value))
        {
            if (otherwise is null)
                Mistake(field, "nothing", $"a number of milliseconds from {least} on");
            return TimeSpan.FromMilliseconds(otherwise ?? 0);
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= (long)TimeSpan.FromDays(36525).TotalMilliseconds)
            return TimeSpan.FromMilliseconds(number);
        Mistake(field, value.GetRawText(), least == 0 ? "a number of milliseconds" : string.Create(CultureInfo.InvariantCulture, $"a number of milliseconds from {least} on"));
        return TimeSpan.Zero;
    }

    public int Number(string field, int? otherwise, params int[] allowed)
    {
        known.Add(field);
        if (!request.TryGetProperty(field, out var value) && otherwise is { } missing)
            return missing;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && allowed.Contains(number))
            return number;
        Mistake(field, Found(value), string.Join(" or ", allowed));
        return 0;
    }

    public string Text(string field, string? otherwise = null)
    {
        known.Add(field);
        if (!request.TryGetProperty(field, out var value) && otherwise is not null)
            return otherwise;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            return text;
        Mistake(field, Found(value), "a text");
        return "";
    }

    public T OneOf<T>(string field, T? otherwise, params (string Word, T Value)[] words)
        where T : struct
    {
        known.Add(field);
        if (!request.TryGetProperty(field, out var value) && otherwise is { } missing)
            return missing;
        if (value.ValueKind == JsonValueKind.String)
        {
            foreach (var (word, meaning) in words)
            {
                if (word == value.GetString())
                    return meaning;
            }
        }

        Mistake(field, Found(value), string.Join(", ", words.Select(pair => pair.Word)));
        return default;
    }

    private static string Found(JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? "nothing" : value.GetRawText();

    private void Mistake(string field, string found, string expected) => mistakes.Add($"{field}: found {found}, expected {expected}.");
}
