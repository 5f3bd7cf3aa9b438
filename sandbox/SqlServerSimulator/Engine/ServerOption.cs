namespace SqlServerSimulator.Engine;

/// <summary>An option of sp_configure.</summary>
/// <param name="Id">configuration_id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Default">Value of a new instance.</param>
/// <param name="Minimum">Least value.</param>
/// <param name="Maximum">Greatest value.</param>
/// <param name="Dynamic">Whether RECONFIGURE suffices; otherwise it takes a restart.</param>
/// <param name="Advanced">Hidden until 'show advanced options' is in use.</param>
internal sealed record ServerOption(int Id, string Name, int Default, int Minimum, int Maximum, bool Dynamic, bool Advanced)
{
    public static ServerOption ShowAdvanced { get; } = new(518, "show advanced options", 0, 0, 1, true, false);

    /// <summary>Those that the simulator knows, by name. They are kept and shown; none changes what it does.</summary>
    public static IReadOnlyList<ServerOption> All { get; } =
    [
        new(16384, "Agent XPs", 0, 0, 1, true, true),
        new(1579, "backup compression default", 0, 0, 1, true, false),
        new(1562, "clr enabled", 0, 0, 1, true, false),
        new(1587, "clr strict security", 1, 0, 1, true, true),
        new(16393, "contained database authentication", 0, 0, 1, true, false),
        new(1538, "cost threshold for parallelism", 5, 0, 32767, true, true),
        new(16396, "Database Mail XPs", 0, 0, 1, true, true),
        new(1569, "blocked process threshold (s)", 0, 0, 86400, true, true),
        new(16398, "hadr enabled", 0, 0, 1, false, false),
        new(1539, "max degree of parallelism", 0, 0, 32767, true, true),
        new(1544, "max server memory (MB)", int.MaxValue, 128, int.MaxValue, true, true),
        new(503, "max worker threads", 0, 128, 65535, false, true),
        new(1543, "min server memory (MB)", 0, 0, int.MaxValue, true, true),
        new(115, "nested triggers", 1, 0, 1, true, false),
        new(1581, "optimize for ad hoc workloads", 0, 0, 1, true, true),
        new(1520, "remote login timeout (s)", 10, 0, int.MaxValue, true, false),
        new(117, "remote access", 1, 0, 1, false, false),
        new(1576, "remote admin connections", 0, 0, 1, true, false),
        ShowAdvanced,
        new(103, "user connections", 0, 0, 32767, false, true),
        new(16390, "xp_cmdshell", 0, 0, 1, true, true),
    ];
}
