using System.Text.Json;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>
/// One SQL Server instance as a state machine: no threads, sockets, files, clock or randomness of its own. Its host calls it from one place at
/// a time and lends it the world through <see cref="IEngineEnvironment"/>.
/// </summary>
public sealed partial class SqlInstance
{
    private const string MasterFile = "master.json";

    private static readonly string[] SystemDatabases = ["master", "tempdb", "model", "msdb"];

    private readonly Dictionary<short, EngineSession> _sessions = [];
    private readonly Dictionary<long, Group> _outgoing = [];
    private readonly Dictionary<Guid, Announcement> _announcements = [];
    private readonly List<JoinWait> _joins = [];
    private readonly List<(long Link, TimeSpan Due)> _closing = [];
    private readonly Queue<(DateTime Time, string Text)> _errorLog = [];
    private short _lastSession = 50;
    private long _lastLink;

    /// <summary>Opens the instance from its files, or creates it.</summary>
    public SqlInstance(InstanceOptions options, IEngineEnvironment environment)
    {
        Options = options;
        Environment = environment;
        StartTime = environment.UtcNow;
        StartNow = environment.Now;
        _faults = [.. options.Faults.Select(fault => new ActiveFault(fault, environment.Now, null))];
        if (environment.Read(MasterFile) is { } file)
        {
            Master = JsonSerializer.Deserialize(file, EngineJson.Default.Master)!;
            Master.ServerName = Master.NextServerName ?? Master.ServerName;
        }
        else
        {
            Master = new Master { ServerName = options.MachineName, Created = StartTime };
            Master.Logins.Add(new Login
            {
                Name = "sa",
                PrincipalId = 1,
                Sid = [1],
                PasswordHash = HashPassword(options.SaPassword ?? ""),
                Created = StartTime,
                Modified = StartTime,
                PasswordSet = StartTime,
                Roles = ["sysadmin"],
            });
            SaveMaster();
        }

        LoadConfiguration();
        LoadDatabases();
        LoadGroups();
        if (EndpointStarted)
        {
            environment.Listen(Master.Endpoint!.Port);
        }

        foreach (var group in Groups.Values)
        {
            group.Restart();
        }

        ScheduleTick();
    }

    /// <summary>Options of this process.</summary>
    public InstanceOptions Options { get; }

    /// <summary>@@SERVERNAME and SERVERPROPERTY('ServerName').</summary>
    public string ServerName => Master.ServerName;

    /// <summary>When the process started.</summary>
    public DateTime StartTime { get; }

    /// <summary>Monotonic time when the process started.</summary>
    public TimeSpan StartNow { get; }

    /// <summary>Monotonic time, for sys.dm_os_sys_info.</summary>
    public TimeSpan Now => Environment.Now;

    /// <summary>Sessions of clients.</summary>
    public IReadOnlyCollection<EngineSession> Sessions => _sessions.Values;

    internal IEngineEnvironment Environment { get; }

    internal Master Master { get; }

    internal Dictionary<Guid, Group> Groups { get; } = [];

    internal Dictionary<string, Database> Databases { get; } = new(StringComparer.OrdinalIgnoreCase);

    internal bool EndpointStarted => Options.HadrEnabled && Master.Endpoint is { Started: true };

    /// <summary>Runs a command. Never throws for what a client did wrong: the operation then fails.</summary>
    public Operation Execute(EngineSession session, EngineCommand command)
    {
        var operation = new Operation();
        WithWorker(() => Run(session, command, operation));
        CheckTransitions();
        ScheduleTick();
        return operation;
    }

    private void Run(EngineSession session, EngineCommand command, Operation operation)
    {
        if (operation.IsCompleted)
        {
            return;
        }

        if (session.IsEnded)
        {
            operation.Fail(Errors.Make(596, 21, "Cannot continue the execution because the session is in the kill state."));
            return;
        }

        try
        {
            if (Dispatch(session, command, operation))
            {
                operation.Succeed();
            }
        }
        catch (SqlErrorException error)
        {
            operation.Fail(error.Error);
        }
    }

    /// <summary>Time has passed; see <see cref="IEngineEnvironment.RequestTick"/>.</summary>
    public void Tick()
    {
        RunLater();
        foreach (var group in Groups.Values.ToList())
        {
            group.Tick();
        }

        foreach (var closing in _closing.Where(closing => closing.Due <= Environment.Now).ToList())
        {
            _closing.Remove(closing);
            Environment.CloseLink(closing.Link);
        }

        foreach (var join in _joins.Where(join => join.Deadline <= Environment.Now).ToList())
        {
            _joins.Remove(join);
            join.Operation.Fail(Errors.JoinTimeout(join.Name));
        }

        CheckTransitions();
        foreach (var database in AllDatabases)
        {
            foreach (var wait in database.Locks.Waits.Where(wait => wait.Deadline <= Environment.Now).ToList())
            {
                database.Locks.Waits.Remove(wait);
                wait.Transaction.WaitsFor = null;
                wait.Operation.Fail(Errors.Make(1222, 16, "Lock request time out period exceeded."));
            }
        }

        ScheduleTick();
    }

    internal void ScheduleTick()
    {
        var times = Groups.Values.Select(group => group.NextTick())
            .Append(_later.TryPeek(out _, out var later) ? later.At : null)
            .Concat(_closing.Select(closing => (TimeSpan?)closing.Due))
            .Concat(_joins.Select(join => (TimeSpan?)join.Deadline))
            .Concat(_transitions.Select(transition => transition.Deadline))
            .Concat(AllDatabases.SelectMany(database => database.Locks.Waits.Select(wait => wait.Deadline)));
        if (times.Min() is { } next)
        {
            Environment.RequestTick(next);
        }
    }

    /// <summary>The latest lines of the error log, oldest first.</summary>
    public IReadOnlyCollection<(DateTime Time, string Text)> ErrorLog => _errorLog;

    internal void Log(string message)
    {
        if (_errorLog.Count == 2000)
        {
            _errorLog.Dequeue();
        }

        _errorLog.Enqueue((Environment.UtcNow, message));
        Environment.Log(message);
    }

    internal void SaveMaster() => Environment.Replace(MasterFile, JsonSerializer.SerializeToUtf8Bytes(Master, EngineJson.Default.Master));

    // Sessions

    /// <summary>Logs a client in.</summary>
    public LoginResult LogIn(LoginRequest request)
    {
        var (login, refusal) = Authenticate(request);
        if (login is null)
        {
            return new LoginResult(null, [refusal!]);
        }

        var name = request.Database.Length > 0 ? request.Database : login.DefaultDatabase;
        do
        {
            _lastSession = _lastSession == short.MaxValue ? (short)51 : (short)(_lastSession + 1);
        }
        while (_sessions.ContainsKey(_lastSession));

        var session = new EngineSession(_lastSession, login, "master", request.ReadOnlyIntent)
        {
            ApplicationName = request.ApplicationName, HostName = request.HostName, LoginTime = Environment.UtcNow,
        };
        var (route, refused) = Enter(session, name);
        if (refused is not null)
        {
            LogLoginFailure(18456, request.Database.Length > 0 ? 38 : 40, request, $"Failed to open the database '{name}'");
            return new LoginResult(
                null,
                refused.Number is 911 or 916
                    ? [Errors.CannotOpen(name), Errors.LoginFailed(request.User)]
                    : [refused, Errors.CannotOpen(name), Errors.LoginFailed(request.User)]);
        }

        if (route is not null)
        {
            return new LoginResult(null, []) { Route = route };
        }

        _sessions.Add(session.Id, session);
        return new LoginResult(session, []);
    }

    /// <summary>Ends a session on the client's side: rolls back and frees its locks.</summary>
    public void LogOut(EngineSession session)
    {
        Rollback(session);
        _sessions.Remove(session.Id);
        session.IsEnded = true;
        CheckTransitions();
    }

    /// <summary>sp_reset_connection: rolls back, clears the session context, returns to the login's database.</summary>
    public void Reset(EngineSession session, bool keepTransaction = false)
    {
        if (!keepTransaction) Rollback(session);
        session.ClearContext();
        session.MasterKeyOpen = false;
        session.LockTimeout = null;
        if (_sessions.ContainsKey(session.Id))
        {
            session.Database = session.InitialDatabase;
        }
    }

    internal void EndSessionsIn(Database database, SqlError reason)
    {
        FailPending(database, reason);
        foreach (var session in _sessions.Values.ToList())
        {
            if (session.Database.Equals(database.Name, StringComparison.OrdinalIgnoreCase) || session.Transaction?.Database == database)
            {
                End(session);
            }
        }

        database.Locks.Clear();
    }

    internal static void FailPending(Database database, SqlError reason)
    {
        var waits = database.Locks.Waits.ToList();
        var pending = database.Pending.ToList();
        database.Locks.Clear();
        database.Pending.Clear();
        foreach (var commit in pending)
        {
            commit.Transaction.Ended = true;
            commit.Operation.Fail(reason);
        }

        foreach (var wait in waits)
        {
            wait.Transaction.WaitsFor = null;
            wait.Operation.Fail(reason);
        }
    }

    private void End(EngineSession session)
    {
        LogOut(session);
        Environment.EndSession(session);
    }

    // Peers

    /// <summary>A link is up and its peer is authenticated.</summary>
    public void LinkUp(long link)
    {
        if (_outgoing.TryGetValue(link, out var group))
        {
            group.OutgoingUp(link);
        }

        ScheduleTick();
    }

    /// <summary>The name of a peer that was never reached is not known.</summary>
    public void LinkUnresolved(long link)
    {
        if (_outgoing.TryGetValue(link, out var group))
        {
            group.OutgoingUnresolved(link);
        }

        ScheduleTick();
    }

    /// <summary>An outgoing link does not come up.</summary>
    public void LinkFailed(long link, string why)
    {
        if (_outgoing.TryGetValue(link, out var group))
        {
            group.OutgoingFailed(link, why);
        }
    }

    /// <summary>A link is down. Incoming links are forgotten.</summary>
    public void LinkDown(long link, string why)
    {
        Traffic.Forget(link);
        if (_outgoing.TryGetValue(link, out var outgoing))
        {
            outgoing.OutgoingDown(link, why);
        }
        else
        {
            ForgetIncoming(link);
        }

        ScheduleTick();
    }

    /// <summary>A peer's message.</summary>
    public void Receive(long link, ReadOnlySpan<byte> message)
    {
        PeerMessage? parsed;
        try
        {
            parsed = JsonSerializer.Deserialize(message, EngineJson.Default.PeerMessage);
        }
        catch (JsonException)
        {
            return;
        }

        if (parsed is null)
        {
            return;
        }

        var peer = PeerName(parsed.Group, parsed.From);
        if (HasFaults && link < 0 && Traffic.IsCut(peer))
        {
            CloseLink(link);
            return;
        }

        Traffic.Pass(link, Ways.In, peer, () => Take(link, parsed));
        ScheduleTick();
    }

    private void Take(long link, PeerMessage parsed)
    {
        if (Groups.TryGetValue(parsed.Group, out var group))
        {
            group.Receive(link, parsed);
        }
        else if (parsed is Hello hello && link < 0)
        {
            _announcements[hello.Group] = new Announcement(link, hello);
            Send(link, new PeerStatus(hello.Group, hello.To, hello.From, false, 0, Guid.Empty, 0, 0, false));
            AskToJoin();
        }
        else if (parsed is JoinAnswer answer)
        {
            FinishJoin(link, answer);
        }
    }

    internal long OpenLink(Group group, string url)
    {
        _lastLink++;
        _outgoing.Add(_lastLink, group);
        Environment.OpenLink(_lastLink, url);
        return _lastLink;
    }

    internal void CloseLink(long link)
    {
        if (link == 0)
        {
            return;
        }

        if (!_outgoing.Remove(link))
        {
            ForgetIncoming(link);
        }

        Traffic.Forget(link);
        Environment.CloseLink(link);
    }

    internal void CloseLinkLater(long link)
    {
        if (_outgoing.Remove(link))
        {
            _closing.Add((link, Environment.Now + TimeSpan.FromSeconds(1)));
        }
    }

    internal void Send(long link, PeerMessage message)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(message, EngineJson.Default.PeerMessage);
        Traffic.Pass(link, Ways.Out, PeerName(message.Group, message.To), () => Environment.Send(link, bytes));
    }

    private string? PeerName(Guid group, Guid replica) => HasFaults ? Groups.GetValueOrDefault(group)?.Configuration.Replica(replica)?.Name : null;

    private void ForgetIncoming(long link)
    {
        foreach (var announcement in _announcements.Where(pair => pair.Value.Link == link).Select(pair => pair.Key).ToList())
        {
            _announcements.Remove(announcement);
        }

        foreach (var group in Groups.Values)
        {
            group.IncomingDown(link);
        }
    }

    private sealed record Announcement(long Link, Hello Hello);

    private sealed record JoinWait(string Name, ClusterType ClusterType, Operation Operation, TimeSpan Deadline, string Login);
}
