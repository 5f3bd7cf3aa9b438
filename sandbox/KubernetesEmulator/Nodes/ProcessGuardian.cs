using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// A child process in a session of its own that outlives its parent for a moment: when the parent ends, in whatever way, it kills every
/// process that carries the sandbox's <c>SANDBOX_ID</c> and removes the sandbox's folder.
/// </summary>
public sealed class ProcessGuardian : IAsyncDisposable
{
    private const string KeepWord = "keep";
    private static readonly TimeSpan SweepBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(15);
    private readonly Process _process;

    private ProcessGuardian(Process process) => _process = process;

    /// <summary>Starts the guardian.</summary>
    /// <param name="executable">A program that calls <see cref="Run"/>.</param>
    /// <param name="arguments">Its arguments.</param>
    public static ProcessGuardian Start(string executable, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", "exec setsid \"$@\" >/dev/null 2>&1", "sh", executable, .. arguments])
            start.ArgumentList.Add(argument);
        return new ProcessGuardian(Process.Start(start)!);
    }

    /// <summary>The guardian's whole life: waits until the parent is gone, then sweeps.</summary>
    /// <param name="id">The sandbox's <c>SANDBOX_ID</c>.</param>
    /// <param name="directory">Folder to remove at the end, unless the parent said to keep it; null removes nothing.</param>
    /// <returns>Exit code: 0 when nothing is left.</returns>
    public static int Run(string id, string? directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, x => x.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, x => x.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, x => x.Cancel = true);
        var keep = false;
        while (Console.In.ReadLine() is { } line)
            keep |= line == KeepWord;

        var swept = Sweep(id);
        if (directory is not null && !keep)
            swept &= Remove(directory);
        return swept ? 0 : 1;
    }

    /// <summary>Processes of a sandbox.</summary>
    /// <param name="id">Its <c>SANDBOX_ID</c>.</param>
    public static IReadOnlyList<int> Processes(string id)
    {
        var mark = Encoding.UTF8.GetBytes($"SANDBOX_ID={id}\0");
        return
        [
            .. Directory.EnumerateDirectories("/proc")
                .Select(x => int.TryParse(Path.GetFileName(x), out var process) ? process : 0)
                .Where(x => x > 0 && x != Environment.ProcessId && Environ(x).AsSpan().IndexOf(mark) >= 0),
        ];
    }

    /// <summary>Leaves the folder behind.</summary>
    public void KeepDirectory()
    {
        try
        {
            _process.StandardInput.WriteLine(KeepWord);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // A guardian that is gone removes nothing.
        }
    }

    /// <summary>Lets the guardian sweep now and waits until it is done.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already.
        }

        using var bound = new CancellationTokenSource(EndBound);
        try
        {
            await _process.WaitForExitAsync(bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It goes on without us.
        }

        _process.Dispose();
    }

    private static bool Sweep(string id)
    {
        // Twice nothing: a process that was forking while we looked is seen by the second look.
        var begun = Stopwatch.GetTimestamp();
        for (var clean = 0; clean < 2;)
        {
            if (Stopwatch.GetElapsedTime(begun) > SweepBound)
                return false;
            var found = Processes(id);
            clean = found.Count == 0 ? clean + 1 : 0;
            foreach (var process in found)
                Posix.Signal(process, Posix.SigKill);
            Thread.Sleep(TimeSpan.FromMilliseconds(20));
        }

        return true;
    }

    private static bool Remove(string directory)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                if (Directory.Exists(directory))
                    Directory.Delete(directory, recursive: true);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(50));
            }
        }

        return false;
    }

    private static byte[] Environ(int process)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{process}/environ");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
