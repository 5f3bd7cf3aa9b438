namespace SqlServerSimulator.Engine;

/// <summary>
/// Something that is made to go wrong with an instance or with what it stands on. A fault lasts until it is healed or the process ends; what it broke may
/// stay broken, as in the real engine.
/// </summary>
public abstract record Fault
{
    private protected Fault()
    {
    }

    /// <summary>Name, as the control channel knows it.</summary>
    public abstract string Name { get; }

    /// <summary>What it is about. A fault replaces the one of the same name and subject.</summary>
    public virtual string Subject => "";
}

/// <summary>The process does nothing: no byte out, no timer. Time goes on. The host sees to it.</summary>
public sealed record Freeze : Fault
{
    /// <inheritdoc/>
    public override string Name => "freeze";
}

/// <summary>Each flush of a log takes this long; what comes meanwhile waits for the next flush.</summary>
public sealed record SlowDisk(TimeSpan Latency) : Fault
{
    /// <inheritdoc/>
    public override string Name => "slow-disk";
}

/// <summary>No flush of a log ends.</summary>
public sealed record DiskStall : Fault
{
    /// <inheritdoc/>
    public override string Name => "disk-stall";
}

/// <summary>Files that cannot grow.</summary>
public enum FullFile
{
    /// <summary>The log: nothing that changes anything goes through (9002).</summary>
    Log,

    /// <summary>The data files: rows cannot be added (1105).</summary>
    Data,
}

/// <summary>No space left on the volume.</summary>
public sealed record FullDisk(FullFile File) : Fault
{
    /// <inheritdoc/>
    public override string Name => "full-disk";
}

/// <summary>How a database can be lost.</summary>
public enum Damage
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>Recovery has found it inconsistent: SUSPECT, 926.</summary>
    Suspect,

    /// <summary>Its files cannot be opened: RECOVERY_PENDING, 945.</summary>
    RecoveryPending,
}

/// <summary>A database is damaged. After the fault is healed it stays so until it is recovered anew, by a restart.</summary>
public sealed record DamagedDatabase(string Database, Damage Damage) : Fault
{
    /// <inheritdoc/>
    public override string Name => Damage == Damage.Suspect ? "suspect" : "recovery-pending";

    /// <inheritdoc/>
    public override string Subject => Database;
}

/// <summary>Reading a table meets a page that is wrong: 824, or 823 when the operating system says so.</summary>
public sealed record CorruptPage(string Database, string Table, int Error) : Fault
{
    /// <inheritdoc/>
    public override string Name => "page-corruption";

    /// <inheritdoc/>
    public override string Subject => $"{Database}.{Table}";
}

/// <summary>Queries get no memory (701). Diagnostics report an error once it has lasted.</summary>
public sealed record OutOfMemory(TimeSpan Persistent) : Fault
{
    /// <inheritdoc/>
    public override string Name => "out-of-memory";
}

/// <summary>No worker is free: logins and statements wait. Diagnostics under way go on, and report an error once it is noticed.</summary>
public sealed record DeadlockedSchedulers(TimeSpan Noticed) : Fault
{
    /// <inheritdoc/>
    public override string Name => "deadlocked-schedulers";
}

/// <summary>What the <c>system</c> component takes for an error.</summary>
public enum SystemTrouble
{
    /// <summary>Too many dumps.</summary>
    Dumps,

    /// <summary>Write access violations.</summary>
    WriteViolations,

    /// <summary>A spinlock orphaned by an access violation.</summary>
    OrphanedSpinlock,
}

/// <summary>The <c>system</c> component is in error.</summary>
public sealed record SystemError(SystemTrouble Trouble) : Fault
{
    /// <inheritdoc/>
    public override string Name => "system-error";
}

/// <summary>Diagnostics report a component in this state, with data that would explain it.</summary>
public sealed record ComponentState(string Component, int State) : Fault
{
    /// <inheritdoc/>
    public override string Name => "diagnostics";

    /// <inheritdoc/>
    public override string Subject => Component;
}

/// <summary>sp_server_diagnostics sends nothing.</summary>
public sealed record SilentDiagnostics : Fault
{
    /// <inheritdoc/>
    public override string Name => "silent-diagnostics";
}

/// <summary>sp_server_diagnostics sends each result this much later.</summary>
public sealed record SlowDiagnostics(TimeSpan Delay) : Fault
{
    /// <inheritdoc/>
    public override string Name => "slow-diagnostics";
}

/// <summary>Ways between this instance and a peer.</summary>
[Flags]
public enum Ways
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>From the peer.</summary>
    In = 1,

    /// <summary>To the peer.</summary>
    Out = 2,

    /// <summary>Both.</summary>
    Both = In | Out,
}

/// <summary>Something is wrong with the mirroring connections to a replica; <c>*</c> is all of them.</summary>
public abstract record LinkFault(string Peer) : Fault
{
    /// <inheritdoc/>
    public override string Subject => Peer;

    internal bool Concerns(string? peer) => Peer == "*" || Peer.Equals(peer, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Packets are lost while connections stay up. As TCP repeats them, they arrive late if the connection outlives the fault.</summary>
public sealed record LinkDrop(string Peer, Ways Ways) : LinkFault(Peer)
{
    /// <inheritdoc/>
    public override string Name => "link-drop";
}

/// <summary>Messages take this much longer.</summary>
public sealed record LinkDelay(string Peer, Ways Ways, TimeSpan Delay) : LinkFault(Peer)
{
    /// <inheritdoc/>
    public override string Name => "link-delay";
}

/// <summary>Connections are closed, and new ones refused.</summary>
public sealed record LinkCut(string Peer) : LinkFault(Peer)
{
    /// <inheritdoc/>
    public override string Name => "link-cut";
}

/// <summary>The certificate of the endpoint has expired: handshakes fail on both sides, connections that are up stay.</summary>
public sealed record ExpiredCertificate : Fault
{
    /// <inheritdoc/>
    public override string Name => "expired-certificate";
}

/// <summary>The wall clock is wrong by this much; monotonic time is not.</summary>
public sealed record ClockJump(TimeSpan Offset) : Fault
{
    /// <inheritdoc/>
    public override string Name => "clock-jump";
}

/// <summary>A database needs this long to recover, at start and after each change of role; <c>*</c> is any database.</summary>
public sealed record SlowRecovery(string Database, TimeSpan Duration) : Fault
{
    /// <inheritdoc/>
    public override string Name => "slow-recovery";

    /// <inheritdoc/>
    public override string Subject => Database;
}

/// <summary>A fault in force.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Since">Monotonic time since when.</param>
/// <param name="Until">When it heals by itself, or null.</param>
public sealed record ActiveFault(Fault Fault, TimeSpan Since, TimeSpan? Until);
