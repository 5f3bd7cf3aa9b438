namespace Agents.Groups;

/// <summary>Evidence about the local SQL Server process, apart from whether it answers.</summary>
public enum EngineProcess
{
    /// <summary>Not looked for, or nothing conclusive was seen.</summary>
    Unknown,

    /// <summary>The container runs, as far as is known.</summary>
    Running,

    /// <summary>
    /// The process that the agent last talked to is proven gone: its container has terminated. Whatever runs next starts without a role
    /// (rule S8).
    /// </summary>
    Gone,
}
