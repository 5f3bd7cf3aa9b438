using System.Diagnostics;
using System.Text;

namespace Scenarios;

/// <summary>The sandbox as a user starts it, from its built output, with what it prints.</summary>
internal sealed class SandboxProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private SandboxProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    public static SandboxProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(TestContext.CurrentContext.TestDirectory, "sandbox"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return new SandboxProcess(Process.Start(start)!);
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>False when it has not ended within the bound.</returns>
    public bool WaitForExit(TimeSpan bound)
    {
        if (!_process.WaitForExit(bound))
            return false;
        _process.WaitForExit();
        return true;
    }

    /// <summary>Waits until it has printed a text; fails the test when it ends or the bound is reached before.</summary>
    public async Task WaitForOutputAsync(string text, TimeSpan bound)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > bound)
                Assert.Fail($"the sandbox has not printed '{text}'; it {(_process.HasExited ? "ended" : "goes on")} after:\n{Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>The rest of the line that begins with a text.</summary>
    public string Line(string beginning) =>
        Output.Split('\n').First(x => x.StartsWith(beginning, StringComparison.Ordinal))[beginning.Length..].Trim();

    /// <summary>SIGKILL to this one process, not to what it started.</summary>
    public void Kill() => _process.Kill(entireProcessTree: false);

    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", Id.ToString()]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }
}
