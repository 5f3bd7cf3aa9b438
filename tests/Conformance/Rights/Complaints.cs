using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Scenarios.Rights;

namespace Conformance.Rights;

/// <summary>What an executable's parts log, and what their calls end with.</summary>
internal sealed class Complaints : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public void Note(string line) => _lines.Enqueue(line);

    /// <summary>Whether a line names a right as missing: to whoever asked for it, asked for what needs it, or wanted to grant it.</summary>
    public bool Name(Right right)
    {
        var resource = right.Group.Length == 0 ? right.Resource : $"{right.Resource}.{right.Group}";
        var refused = $"cannot {right.Verb} resource \"{right.Resource}\" in API group \"{right.Group}\"";
        var creating = new Regex($"{Regex.Escape(resource)} \".*needs the right to create");
        var granting = new Regex($"not currently held.*APIGroups:\\[\"{right.Group}\"\\], Resources:\\[\"{right.Resource}\"\\],[^}}]*Verbs:\\[[^]]*\"{right.Verb}\"", RegexOptions.Singleline);
        return _lines.Any(line => line.Contains(refused, StringComparison.Ordinal)
            || (right.Verb == "create" && creating.IsMatch(line)) || granting.IsMatch(line));
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Note(formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
