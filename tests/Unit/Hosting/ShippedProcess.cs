using System.Collections.Concurrent;
using System.Diagnostics;

namespace Unit.Hosting;

/// <summary>One of the shipped executables, from its built output, with what it prints.</summary>
internal sealed class ShippedProcess : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private ShippedProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, data) => Add(data.Data);
        process.ErrorDataReceived += (_, data) => Add(data.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public IReadOnlyList<string> Lines => [.. _lines];

    public static ShippedProcess Start(string name, params IEnumerable<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(Path.Combine(TestContext.CurrentContext.TestDirectory, name))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (variable, value) in variables)
            start.Environment[variable] = value;
        return new ShippedProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it has printed a text; fails the test when it ends or the bound is reached before.</summary>
    public async Task PrintsAsync(string text)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > Bound)
                Assert.Fail($"'{text}' was not printed, but:\n{string.Join('\n', _lines)}");
            await Task.Delay(20);
        }
    }

    /// <summary>SIGTERM.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{Id}"]);
        kill.WaitForExit();
    }

    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var bound = new CancellationTokenSource(Bound);
        await _process.WaitForExitAsync(bound.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (!string.IsNullOrEmpty(line))
            _lines.Enqueue(line);
    }
}
