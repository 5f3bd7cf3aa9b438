namespace SqlServerSimulator.Engine;

/// <summary>A logged-in client.</summary>
public sealed class EngineSession
{
    private readonly Dictionary<string, (object? Value, bool ReadOnly)> _context = new(StringComparer.OrdinalIgnoreCase);

    internal EngineSession(short id, Login login, string database, bool readOnlyIntent)
    {
        Id = id;
        Login = login;
        Database = database;
        ReadOnlyIntent = readOnlyIntent;
    }

    /// <summary>@@SPID.</summary>
    public short Id { get; }

    /// <summary>Name of the login.</summary>
    public string LoginName => Login.Name;

    /// <summary>Current database.</summary>
    public string Database { get; internal set; }

    /// <summary>ApplicationIntent=ReadOnly.</summary>
    public bool ReadOnlyIntent { get; }

    /// <summary>Application name.</summary>
    public string ApplicationName { get; init; } = "";

    /// <summary>Client host name.</summary>
    public string HostName { get; init; } = "";

    /// <summary>When the client logged in.</summary>
    public DateTime LoginTime { get; init; }

    /// <summary>Whether a user transaction is open.</summary>
    public bool InTransaction => Transaction is { Explicit: true };

    /// <summary>Whether the server has ended the session.</summary>
    public bool IsEnded { get; internal set; }

    /// <summary>How long a statement waits for locks; null is without limit (SET LOCK_TIMEOUT -1).</summary>
    public TimeSpan? LockTimeout { get; set; }

    /// <summary>SESSION_CONTEXT(key).</summary>
    public object? Context(string key) => _context.TryGetValue(key, out var entry) ? entry.Value : null;

    /// <summary>Database at login (ORIGINAL_DB_NAME).</summary>
    public string OriginalDatabase => InitialDatabase;

    internal string InitialDatabase { get; set; } = "master";

    internal Login Login { get; }

    /// <summary>OPEN MASTER KEY was executed.</summary>
    internal bool MasterKeyOpen { get; set; }

    internal Transaction? Transaction { get; set; }

    internal bool IsExternalCluster => Context("external_cluster") is string value && value.Equals("yes", StringComparison.OrdinalIgnoreCase);

    internal bool SetContext(string key, object? value, bool readOnly)
    {
        if (_context.TryGetValue(key, out var entry) && entry.ReadOnly)
        {
            return false;
        }

        _context[key] = (value, readOnly);
        return true;
    }

    internal void ClearContext() => _context.Clear();
}

/// <summary>Either a session or the errors to send.</summary>
public sealed record LoginResult(EngineSession? Session, IReadOnlyList<Contract.SqlError> Errors)
{
    /// <summary>Where a client must go instead.</summary>
    public (string Server, ushort Port)? Route { get; init; }
}

/// <summary>A user table as one session sees it.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="PrimaryKey">Ordinals of the key's columns.</param>
/// <param name="IdentityColumn">Ordinal of the identity column, or -1.</param>
public sealed record TableView(IReadOnlyList<ColumnDefinition> Columns, IReadOnlyList<int> PrimaryKey, int IdentityColumn)
{
    /// <summary>What <see cref="Rows"/> comes from.</summary>
    public Func<IReadOnlyList<object?[]>> Scan { get; init; } = () => [];

    /// <summary>What <see cref="Seek"/> comes from.</summary>
    public Func<IReadOnlyList<object?>, IReadOnlyList<object?[]>> Find { get; init; } = _ => [];

    /// <summary>Committed rows with the session's own changes. The arrays must not be changed. To be asked where the engine may be touched.</summary>
    public IReadOnlyList<object?[]> Rows => Scan();

    /// <summary>The rows whose primary key has these values: one at most.</summary>
    public IReadOnlyList<object?[]> Seek(IReadOnlyList<object?> key) => Find(key);
}

/// <summary>A row of sp_server_diagnostics.</summary>
public sealed record DiagnosticsRow(
    DateTime CreateTime, string ComponentType, string ComponentName, int State, string StateDescription, string Data);
