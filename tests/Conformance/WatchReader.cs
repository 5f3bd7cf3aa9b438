using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>The events of one watch.</summary>
internal sealed class WatchReader(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    /// <summary>The next event, or null at the orderly end of the stream.</summary>
    public async Task<JsonNode?> Next()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var line = await reader.ReadLineAsync(bound.Token);
        return line is null ? null : JsonNode.Parse(line);
    }

    /// <summary>The next event as <c>TYPE name</c>.</summary>
    public async Task<string> NextShort()
    {
        var e = await Next();
        return e is null ? "end" : $"{e["type"]} {e["object"]!["metadata"]!["name"]}";
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}
