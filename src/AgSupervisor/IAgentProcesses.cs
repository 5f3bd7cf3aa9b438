namespace Agents.AgSupervisor;

/// <summary>The port to the operating system's processes.</summary>
internal interface IAgentProcesses
{
    /// <summary>Starts the agent of a group.</summary>
    /// <exception cref="IOException">It could not be started.</exception>
    IAgentProcess Start(string group);
}

/// <summary>A running agent.</summary>
internal interface IAgentProcess
{
    /// <summary>Completes with the exit code when the process has ended; never fails.</summary>
    Task<int> Ended { get; }

    /// <summary>Asks it to end (SIGTERM).</summary>
    void Stop();

    /// <summary>Makes it end (SIGKILL).</summary>
    void Kill();
}
