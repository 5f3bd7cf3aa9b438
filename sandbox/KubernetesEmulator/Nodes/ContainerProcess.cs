using System.Diagnostics;

namespace KubernetesEmulator.Nodes;

/// <summary>What to run, fully resolved.</summary>
internal sealed record ProcessCommand(
    string Executable, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string Directory, string LogFile)
{
    /// <summary>Path of the network namespace to run in, or null for this process's own.</summary>
    public string? Network { get; init; }

    /// <summary>The folder to see in the place of the ServiceAccount, or null for none.</summary>
    public string? Account { get; init; }

    /// <summary>Whom to run as, or null for ourselves.</summary>
    public ContainerUser? User { get; init; }
}

/// <summary>
/// One run of a container: a process that leads a session of its own, its output appended to a file. The kernel writes that file, not
/// we, so that a container neither waits for the node nor ends with it.
/// </summary>
internal sealed class ContainerProcess
{
    private readonly Process _process;

    private ContainerProcess(Process process, DateTimeOffset startedAt)
    {
        _process = process;
        Pid = process.Id;
        StartedAt = startedAt;
        Exit = WaitAsync();
    }

    public string Id { get; } = "process://" + Guid.NewGuid().ToString("n");

    public int Pid { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>The exit code, 128 + n after signal n. What is left of the group has been killed by then.</summary>
    public Task<int> Exit { get; }

    /// <exception cref="System.ComponentModel.Win32Exception">The shell could not be started.</exception>
    public static ContainerProcess Start(ProcessCommand command, TimeProvider time)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = command.Directory };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec \"$@\" >>\"$0\" 2>&1 </dev/null");
        start.ArgumentList.Add(command.LogFile);
        if (command.Network is { } network)
        {
            start.ArgumentList.Add("nsenter");
            start.ArgumentList.Add("--net=" + network);
        }

        foreach (var word in command.Account is { } account ? Isolation.WithAccount(account) : [])
            start.ArgumentList.Add(word);
        foreach (var word in command.User is { } user ? Isolation.AsUser(user) : [])
            start.ArgumentList.Add(word);
        start.ArgumentList.Add("setsid");
        start.ArgumentList.Add(command.Executable);
        foreach (var argument in command.Arguments)
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        return new ContainerProcess(Process.Start(start)!, time.GetUtcNow());
    }

    /// <summary>To the leading process alone, as a container runtime does.</summary>
    public void Signal(int signal)
    {
        if (!Exit.IsCompleted)
            Posix.Signal(Pid, signal);
    }

    /// <summary>To every process of the container.</summary>
    public void SignalAll(int signal)
    {
        if (!Exit.IsCompleted)
            Posix.SignalGroup(Pid, signal);
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        Posix.SignalGroup(Pid, Posix.SigKill);
        var code = _process.ExitCode;
        _process.Dispose();
        return code;
    }
}
