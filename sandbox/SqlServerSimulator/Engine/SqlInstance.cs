using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>
/// One SQL Server instance as a state machine: no threads, sockets, files, clock or randomness of its own. Its host calls it from one place at
/// a time and lends it the world through <see cref="IEngineEnvironment"/>.
/// </summary>
public sealed partial class SqlInstance
{
    /// <summary>Opens the instance from its files, or creates it.</summary>
    public SqlInstance(InstanceOptions options, IEngineEnvironment environment)
    {
        Options = options;
        Environment = environment;
    }

    /// <summary>Options of this process.</summary>
    public InstanceOptions Options { get; }

    internal IEngineEnvironment Environment { get; }

    /// <summary>@@SERVERNAME and SERVERPROPERTY('ServerName').</summary>
    public string ServerName => throw new NotImplementedException();

    /// <summary>Logs a client in.</summary>
    public LoginResult LogIn(LoginRequest request) => throw new NotImplementedException();

    /// <summary>Ends a session on the client's side: rolls back and frees its locks.</summary>
    public void LogOut(EngineSession session) => throw new NotImplementedException();

    /// <summary>sp_reset_connection: rolls back, clears the session context, returns to the login's database.</summary>
    public void Reset(EngineSession session) => throw new NotImplementedException();

    /// <summary>Runs a command. Never throws for what a client did wrong: the operation then fails.</summary>
    public Operation Execute(EngineSession session, EngineCommand command) => throw new NotImplementedException();

    /// <summary>A user table for reading. Throws <see cref="SqlErrorException"/> (208, 911, 976, 978, 983, 229 ...).</summary>
    public TableView Read(EngineSession session, TableName table) => throw new NotImplementedException();

    /// <summary>Rows of sp_server_diagnostics. Throws <see cref="SqlErrorException"/> without VIEW SERVER STATE.</summary>
    public IReadOnlyList<DiagnosticsRow> Diagnostics(EngineSession session) => throw new NotImplementedException();

    /// <summary>SERVERPROPERTY(name), or null.</summary>
    public object? ServerProperty(string name) => throw new NotImplementedException();

    /// <summary>LOGINPROPERTY(login, name), or null.</summary>
    public object? LoginProperty(EngineSession session, string login, string name) => throw new NotImplementedException();

    /// <summary>DB_ID(name), or null.</summary>
    public int? DatabaseId(string name) => throw new NotImplementedException();

    /// <summary>DB_NAME(id), or null.</summary>
    public string? DatabaseName(int id) => throw new NotImplementedException();

    /// <summary>OBJECT_ID(name) of a user table in a database, or null.</summary>
    public int? ObjectId(EngineSession session, TableName name) => throw new NotImplementedException();

    /// <summary>CERT_ID(name) in master, or null.</summary>
    public int? CertificateId(string name) => throw new NotImplementedException();

    /// <summary>CERTENCODED(id), or null.</summary>
    public byte[]? CertificateDer(int id) => throw new NotImplementedException();

    /// <summary>CERTPRIVATEKEY(id, password): PVK, or null without a key or permission.</summary>
    public byte[]? CertificatePrivateKey(EngineSession session, int id, string password) => throw new NotImplementedException();

    /// <summary>sys.fn_hadr_is_primary_replica(database): null when it is in no group.</summary>
    public bool? IsPrimaryReplica(string database) => throw new NotImplementedException();

    /// <summary>Whether the login holds a permission, by role membership, grant, or a covering permission (HAS_PERMS_BY_NAME).</summary>
    public bool HasPermission(EngineSession session, string permission, SecurableClass @class = SecurableClass.Server, string? securable = null) =>
        throw new NotImplementedException();

    /// <summary>IS_SRVROLEMEMBER(role, login); the session's own login when null.</summary>
    public bool? IsServerRoleMember(EngineSession session, string role, string? login = null) => throw new NotImplementedException();

    /// <summary>Time has passed; see <see cref="IEngineEnvironment.RequestTick"/>.</summary>
    public void Tick() => throw new NotImplementedException();

    /// <summary>A link is up and its peer is authenticated.</summary>
    public void LinkUp(long link) => throw new NotImplementedException();

    /// <summary>A link is down. Incoming links are forgotten.</summary>
    public void LinkDown(long link, string why) => throw new NotImplementedException();

    /// <summary>A peer's message.</summary>
    public void Receive(long link, ReadOnlySpan<byte> message) => throw new NotImplementedException();

    /// <summary>Certificate and private key (PKCS#8) of the started mirroring endpoint, or null.</summary>
    public (byte[] Certificate, byte[] PrivateKey)? EndpointIdentity() => throw new NotImplementedException();

    /// <summary>Whether a peer that has proven to hold this certificate's key may connect to the mirroring endpoint.</summary>
    public bool IsTrustedPeer(byte[] certificate) => throw new NotImplementedException();
}
