namespace Agents.Hosting;

/// <summary>Exit codes of every executable.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed; the last line says why.</summary>
    public const int Failed = 1;

    /// <summary>Refused: nothing was changed; the last line says why.</summary>
    public const int Refused = 2;

    /// <summary>Not finished within its time.</summary>
    public const int OutOfTime = 3;

    /// <summary>Bad configuration: every mistake is listed.</summary>
    public const int BadConfiguration = 78;
}
