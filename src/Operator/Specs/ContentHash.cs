using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Agents.Operator.Specs;

/// <summary>A short hash of a document that does not depend on the order of its keys.</summary>
internal static class ContentHash
{
    public static string Of(JsonNode? document)
    {
        var text = new StringBuilder();
        Write(document, text);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }

    private static void Write(JsonNode? node, StringBuilder text)
    {
        switch (node)
        {
            case JsonObject map:
                text.Append('{');
                foreach (var (key, value) in map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    text.Append(key.Length).Append(':').Append(key).Append('=');
                    Write(value, text);
                }

                text.Append('}');
                break;
            case JsonArray list:
                text.Append('[');
                foreach (var value in list)
                {
                    Write(value, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }
}
