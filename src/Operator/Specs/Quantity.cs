using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agents.Operator.Specs;

/// <summary>Quantities of memory and storage as Kubernetes writes them: <c>4Gi</c>, <c>500M</c>, <c>1e9</c>, or a plain number of bytes.</summary>
internal static class Quantity
{
    private static readonly Dictionary<string, decimal> Units = new()
    {
        ["m"] = 0.001m, [""] = 1, ["k"] = 1e3m, ["M"] = 1e6m, ["G"] = 1e9m, ["T"] = 1e12m, ["P"] = 1e15m, ["E"] = 1e18m,
        ["Ki"] = 1L << 10, ["Mi"] = 1L << 20, ["Gi"] = 1L << 30, ["Ti"] = 1L << 40, ["Pi"] = 1L << 50, ["Ei"] = 1L << 60,
    };

    /// <returns>The number of bytes, or null when it is no quantity.</returns>
    public static decimal? Bytes(JsonNode? node)
    {
        var text = node?.GetValueKind() switch
        {
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.Number => node.ToJsonString(),
            _ => string.Empty,
        };
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        if (decimal.TryParse(text, style | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var plain))
            return plain;
        var digits = text.TrimEnd([.. "kMGTPEim"]);
        return Units.TryGetValue(text[digits.Length..], out var unit) && decimal.TryParse(digits, style, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number) <= 1e9m
            ? number * unit
            : null;
    }
}
