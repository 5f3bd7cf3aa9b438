using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Agents.Hosting;

namespace Agents.AgSupervisor;

/// <summary>Agents as child processes of this one: they inherit its environment, and their output goes through it.</summary>
internal sealed class AgentProcesses : IAgentProcesses
{
    private readonly string executable;
    private readonly TextWriter output;

    public AgentProcesses(string executable, TextWriter output)
    {
        this.executable = executable;
        this.output = TextWriter.Synchronized(output);
    }

    public IAgentProcess Start(string group)
    {
        var start = new ProcessStartInfo(executable)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[EnvironmentVariables.AgName.Name] = group;
        var agent = new AgentProcess(start, line => output.WriteLine($"[{group}] {line}"));
        try
        {
            agent.Start();
            return agent;
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException)
        {
            throw new IOException($"{executable} does not start: {error.Message}", error);
        }
    }
}

#pragma warning disable CA1001 // The process object lives for as long as its output is read, which may be longer than the process.
internal sealed partial class AgentProcess : IAgentProcess
#pragma warning restore CA1001
{
    private const int SigTerm = 15;
    private const int SigKill = 9;

    private readonly Process process;
    private readonly TaskCompletionSource<int> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AgentProcess(ProcessStartInfo start, Action<string> line)
    {
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) => ended.TrySetResult(process.ExitCode);
        process.OutputDataReceived += (_, data) => Pass(data.Data);
        process.ErrorDataReceived += (_, data) => Pass(data.Data);

        void Pass(string? text)
        {
            if (text is not null)
                line(text);
        }
    }

    public Task<int> Ended => ended.Task;

    public void Start()
    {
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public void Stop() => Signal(SigTerm);

    public void Kill() => Signal(SigKill);

    private void Signal(int signal)
    {
        // An id may be given to another process once its owner is known to have ended.
        if (!ended.Task.IsCompleted && !process.HasExited)
            _ = SendSignal(process.Id, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int pid, int signal);
}
