using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>What goes wrong on request. The engine only reads what is in force; each fault shows where the real engine would show it.</summary>
public sealed partial class SqlInstance
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _later = new();
    private readonly List<(Action Run, TimeSpan Since)> _parked = [];
    private readonly List<Operation> _silenced = [];
    private ActiveFault[] _faults = [];
    private long _laterOrder;
    private int _memoryRefusals;
    private int _badPages;

    /// <summary>Faults in force. May be read at any time.</summary>
    public IReadOnlyList<ActiveFault> Faults => Volatile.Read(ref _faults);

    /// <summary>Whether anything is made to go wrong. May be read at any time.</summary>
    public bool HasFaults => Volatile.Read(ref _faults).Length > 0;

    internal LogFlushes Flushes => field ??= new LogFlushes(this);

    internal PeerTraffic Traffic => field ??= new PeerTraffic(this);

    internal bool IsLogFull => Fault<FullDisk>() is { File: FullFile.Log };

    /// <summary>The fault of a kind that is in force, or null. May be called at any time.</summary>
    public T? Fault<T>()
        where T : Fault
    {
        foreach (var active in Volatile.Read(ref _faults))
        {
            if (active.Fault is T fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <summary>Makes something go wrong, for a time or until it is healed.</summary>
    public void Inflict(Fault fault, TimeSpan? duration = null)
    {
        var until = Environment.Now + duration;
        var active = new ActiveFault(fault, Environment.Now, until);
        _faults = [.. _faults.Where(old => (old.Fault.Name, old.Fault.Subject) != (fault.Name, fault.Subject)), active];
        if (until is { } end)
        {
            Later(end, () => Heal(active));
        }

        switch (fault)
        {
            case DamagedDatabase damaged:
                Harm(damaged);
                break;
            case LinkCut cut:
                foreach (var group in Groups.Values)
                {
                    group.CutOff(cut.Concerns);
                }

                break;
            default:
                break;
        }

        FaultsChanged();
    }

    /// <summary>Takes faults back.</summary>
    /// <returns>How many there were.</returns>
    public int Heal(Predicate<Fault> which)
    {
        var healed = _faults.Count(active => which(active.Fault));
        _faults = [.. _faults.Where(active => !which(active.Fault))];
        FaultsChanged();
        return healed;
    }

    /// <summary>Ends when a worker is free to log somebody in or to run a statement.</summary>
    public Operation AwaitWorker()
    {
        var operation = new Operation();
        WithWorker(operation.Succeed);
        return operation;
    }

    /// <summary>Ends when sp_server_diagnostics may send what it has gathered.</summary>
    public Operation AwaitDiagnostics()
    {
        var operation = new Operation();
        if (Fault<SilentDiagnostics>() is not null)
        {
            _silenced.Add(operation);
        }
        else if (Fault<SlowDiagnostics>() is { } slow)
        {
            Later(Environment.Now + slow.Delay, operation.Succeed);
            ScheduleTick();
        }
        else
        {
            operation.Succeed();
        }

        return operation;
    }

    /// <summary>Refuses a query for which there is no memory.</summary>
    public void RequireMemory()
    {
        if (Fault<OutOfMemory>() is not null)
        {
            _memoryRefusals++;
            throw new SqlErrorException(701, 17, "There is insufficient system memory in resource pool 'default' to run this query.");
        }
    }

    /// <summary>Calls back at this time or soon after.</summary>
    internal void Later(TimeSpan at, Action action) => _later.Enqueue(action, (at, _laterOrder++));

    internal Damage DamageOf(string database) =>
        _faults.Select(active => active.Fault).OfType<DamagedDatabase>().FirstOrDefault(fault => fault.Database.Equals(database, StringComparison.OrdinalIgnoreCase))?.Damage
        ?? Damage.None;

    internal TimeSpan RecoveryTime(string database) => _faults.Select(active => active.Fault).OfType<SlowRecovery>()
        .Where(slow => slow.Database == "*" || slow.Database.Equals(database, StringComparison.OrdinalIgnoreCase))
        .Select(slow => slow.Duration)
        .FirstOrDefault();

    /// <summary>Why a database cannot be used, apart from its group's role.</summary>
    internal static SqlError? Unusable(Database database) => database switch
    {
        { Damage: Damage.Suspect } => Errors.Make(
            926, 14, $"Database '{database.Name}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server errorlog for more information."),
        { Damage: Damage.RecoveryPending } => Errors.Make(
            945, 14, $"Database '{database.Name}' cannot be opened due to inaccessible files or insufficient memory or disk space. See the SQL Server errorlog for details."),
        { IsRecovering: true } => Errors.Make(922, 14, $"Database '{database.Name}' is being recovered. Waiting until recovery is finished."),
        _ => null,
    };

    private void LogFailedRecovery(Database database)
    {
        Log("Error: 9004, Severity: 21, State: 6.");
        Log($"An error occurred while processing the log for database '{database.Name}'.  If possible, restore from backup. If a backup is not available, it might be necessary to rebuild the log.");
        Log("Error: 3414, Severity: 21, State: 1.");
        Log($"An error occurred during recovery, preventing the database '{database.Name}' ({database.Entry.Id}:0) from restarting. Diagnose the recovery errors and fix them, or restore from a known good backup. If errors are not corrected or expected, contact Technical Support.");
    }

    internal static SqlError LogFull(string database) =>
        Errors.Make(9002, 17, $"The transaction log for database '{database}' is full due to 'NOTHING'.", 4);

    /// <summary>A change needs room in the log; without it the whole transaction is lost.</summary>
    private void RequireLogSpace(EngineSession session, Database database)
    {
        if (IsLogFull)
        {
            Rollback(session);
            throw new SqlErrorException(LogFull(database.Name));
        }
    }

    private void RequireDataSpace(Database database, Table table)
    {
        if (Fault<FullDisk>() is not null)
        {
            throw new SqlErrorException(
                1105,
                17,
                $"Could not allocate space for object '{table.Schema}.{table.Name}' in database '{database.Name}' because the 'PRIMARY' filegroup is full.");
        }
    }

    /// <summary>What is kept in master or in a group's configuration cannot be changed while the disk is full.</summary>
    private void RequireMasterSpace(EngineCommand command)
    {
        if (!IsLogFull)
        {
            return;
        }

        switch (command)
        {
            case CreateDatabase create:
                throw new SqlErrorException(
                    5149,
                    16,
                    $"MODIFY FILE encountered operating system error 112(There is not enough space on the disk.) while attempting to expand the physical file '{create.Name}.mdf'.");
            case Backup backup:
                throw new SqlErrorException(
                    3202, 16, $"Write on \"{backup.Database}.bak\" failed: 112(There is not enough space on the disk.)");
            case SetSessionContext or UseDatabase or KillSession or Shutdown or BeginTransaction or CommitTransaction or RollbackTransaction
                or InsertRows or UpdateRows or DeleteRows or CreateTable or DropTable or CreateUser or DropUser or Engine.ChangePermissions:
            case TakeOffline or SetRoleSecondary:
            case SetGroupOptions { Options: { WriteLeaseValidity: not null } }:
                break;
            default:
                throw new SqlErrorException(LogFull("master"));
        }
    }

    private void RequireGoodPages(Database database, Table table)
    {
        var corrupt = _faults.Select(active => active.Fault).OfType<CorruptPage>().FirstOrDefault(fault =>
            fault.Database.Equals(database.Name, StringComparison.OrdinalIgnoreCase)
            && (fault.Table == "*" || fault.Table.Equals(table.Name, StringComparison.OrdinalIgnoreCase)));
        if (corrupt is null)
        {
            return;
        }

        _badPages++;
        var page = 8 * (table.Id % 1000) + 1;
        var error = corrupt.Error == 823
            ? Errors.Make(
                823,
                24,
                $"The operating system returned error 21(The device is not ready.) to SQL Server during a read at offset 0x{page * 8192L:x16} in file '{database.Name}.mdf'. Additional messages in the SQL Server error log and operating system error log may provide more detail.",
                2)
            : Errors.Make(
                824,
                24,
                $"SQL Server detected a logical consistency-based I/O error: incorrect checksum (expected: 0x5f3759df; actual: 0x5f3759d5). It occurred during a read of page (1:{page}) in database ID {database.Entry.Id} at offset 0x{page * 8192L:x16} in file '{database.Name}.mdf'.",
                2);
        Log(error.Message);
        throw new SqlErrorException(error);
    }

    private void Harm(DamagedDatabase fault)
    {
        if (FindDatabase(fault.Database) is not { } database)
        {
            return;
        }

        database.Damage = fault.Damage;
        Log(Unusable(database)!.Message);
        EndSessionsIn(database, Unusable(database)!);
        if (database.Entry.Group is { } id && Groups.TryGetValue(id, out var group))
        {
            group.CopyLost();
        }
    }

    private void WithWorker(Action run)
    {
        if (Fault<DeadlockedSchedulers>() is null)
        {
            run();
        }
        else
        {
            _parked.Add((run, Environment.Now));
        }
    }

    private void Heal(ActiveFault over)
    {
        // A later fault of the same name may have taken its place.
        _faults = [.. _faults.Where(active => active != over)];
        FaultsChanged();
    }

    /// <summary>What no longer has a reason to wait goes on.</summary>
    private void FaultsChanged()
    {
        Traffic.PumpAll();
        if (Fault<DiskStall>() is null)
        {
            Flushes.Resume();
        }

        if (Fault<DeadlockedSchedulers>() is null)
        {
            var parked = _parked.ToList();
            _parked.Clear();
            foreach (var (run, _) in parked)
            {
                run();
            }
        }

        if (Fault<SilentDiagnostics>() is null)
        {
            var silenced = _silenced.ToList();
            _silenced.Clear();
            foreach (var operation in silenced)
            {
                operation.Succeed();
            }
        }

        foreach (var group in Groups.Values.ToList())
        {
            group.Tick();
        }

        ScheduleTick();
    }

    private void RunLater()
    {
        while (_later.TryPeek(out _, out var next) && next.At <= Environment.Now)
        {
            _later.Dequeue()();
        }
    }
}
