namespace SqlServerSimulator.Engine;

/// <summary>Something a session asks the engine to do. Names are as written, without quotes.</summary>
public abstract record EngineCommand;

// Sessions

/// <summary>sp_set_session_context.</summary>
public sealed record SetSessionContext(string Key, object? Value, bool ReadOnly = false) : EngineCommand;

/// <summary>USE.</summary>
public sealed record UseDatabase(string Name) : EngineCommand;

/// <summary>KILL.</summary>
public sealed record KillSession(short SessionId) : EngineCommand;

/// <summary>SHUTDOWN.</summary>
public sealed record Shutdown(bool NoWait) : EngineCommand;

/// <summary>CHECKPOINT.</summary>
public sealed record Checkpoint : EngineCommand;

// Security

/// <summary>CREATE LOGIN with a password or from a certificate.</summary>
public sealed record CreateLogin(string Name, string? Password) : EngineCommand
{
    public string? Certificate { get; init; }

    public IReadOnlyList<byte>? Sid { get; init; }

    public string? DefaultDatabase { get; init; }

    public bool CheckPolicy { get; init; } = true;
}

/// <summary>ALTER LOGIN; what is null stays.</summary>
public sealed record AlterLogin(string Name) : EngineCommand
{
    public string? Password { get; init; }

    public string? OldPassword { get; init; }

    public bool? Enabled { get; init; }

    public string? NewName { get; init; }

    public string? DefaultDatabase { get; init; }

    public bool? CheckPolicy { get; init; }
}

public sealed record DropLogin(string Name) : EngineCommand;

/// <summary>CREATE USER in the session's database.</summary>
public sealed record CreateUser(string Name, string? Login) : EngineCommand;

public sealed record DropUser(string Name) : EngineCommand;

/// <summary>ALTER SERVER ROLE ADD or DROP MEMBER, sp_addsrvrolemember.</summary>
public sealed record AlterServerRole(string Role, string Member, bool Add) : EngineCommand;

/// <summary>GRANT, DENY or REVOKE.</summary>
public enum GrantKind
{
    Grant,
    Deny,
    Revoke,
}

/// <summary>What a permission is about.</summary>
public enum SecurableClass
{
    Server,
    Database,
    Endpoint,
    Certificate,
    Login,
    User,
    AvailabilityGroup,
    Object,
    Schema,
}

/// <summary>GRANT, DENY or REVOKE permissions. Permission names are upper case with single spaces, "VIEW SERVER STATE".</summary>
public sealed record ChangePermissions(GrantKind Kind, IReadOnlyList<string> Permissions, SecurableClass Class, string? Securable, string Grantee)
    : EngineCommand
{
    public bool WithGrantOption { get; init; }
}

/// <summary>ALTER AUTHORIZATION ON ... TO ...</summary>
public sealed record AlterAuthorization(SecurableClass Class, string Securable, string Owner) : EngineCommand;

public sealed record CreateMasterKey(string Password) : EngineCommand;

/// <summary>ALTER MASTER KEY REGENERATE WITH ENCRYPTION BY PASSWORD.</summary>
public sealed record RegenerateMasterKey(string Password) : EngineCommand;

public sealed record DropMasterKey : EngineCommand;

/// <summary>OPEN MASTER KEY, ALTER MASTER KEY ADD ENCRYPTION BY SERVICE MASTER KEY: checks that the key (and its password) is there.</summary>
public sealed record OpenMasterKey(string? Password) : EngineCommand;

/// <summary>CREATE CERTIFICATE FROM BINARY.</summary>
public sealed record CreateCertificate(string Name, string? Owner, byte[] Der) : EngineCommand
{
    /// <summary>Private key in PVK form.</summary>
    public byte[]? PrivateKey { get; init; }

    public string? DecryptionPassword { get; init; }

    public string? EncryptionPassword { get; init; }
}

/// <summary>CREATE CERTIFICATE WITH SUBJECT.</summary>
public sealed record GenerateCertificate(string Name, string? Owner, string Subject) : EngineCommand
{
    public DateTime? StartDate { get; init; }

    public DateTime? ExpiryDate { get; init; }

    public string? EncryptionPassword { get; init; }
}

public sealed record DropCertificate(string Name) : EngineCommand;

/// <summary>Role of a mirroring endpoint.</summary>
public enum EndpointRole : byte
{
    None = 0,
    Partner = 1,
    Witness = 2,
    All = 3,
}

/// <summary>CREATE ENDPOINT ... FOR DATABASE_MIRRORING.</summary>
public sealed record CreateEndpoint(string Name, int Port, string Certificate) : EngineCommand
{
    public string? Owner { get; init; }

    /// <summary>STATE; the default is stopped.</summary>
    public bool Started { get; init; }

    public EndpointRole Role { get; init; } = EndpointRole.All;

    public bool Encrypted { get; init; } = true;

    public string? ListenerIp { get; init; }
}

/// <summary>ALTER ENDPOINT; what is null stays.</summary>
public sealed record AlterEndpoint(string Name) : EngineCommand
{
    public bool? Started { get; init; }

    public int? Port { get; init; }

    public string? Certificate { get; init; }

    public EndpointRole? Role { get; init; }
}

public sealed record DropEndpoint(string Name) : EngineCommand;

/// <summary>sp_addserver.</summary>
public sealed record AddServer(string Name, bool Local) : EngineCommand;

/// <summary>sp_dropserver.</summary>
public sealed record DropServer(string Name) : EngineCommand;

/// <summary>sp_configure name, value.</summary>
public sealed record Configure(string Name, int Value) : EngineCommand;

// Tables and rows

/// <summary>CREATE TABLE in the session's database (or <see cref="TableName.Database"/>).</summary>
public sealed record CreateTable(TableName Name, IReadOnlyList<ColumnDefinition> Columns, IReadOnlyList<string> PrimaryKey) : EngineCommand;

public sealed record DropTable(TableName Name) : EngineCommand;

/// <summary>Inserts whole rows; the identity column's place is filled by the engine. <see cref="Operation.Value"/> is the last identity.</summary>
public sealed record InsertRows(TableName Table, IReadOnlyList<object?[]> Rows) : EngineCommand
{
    /// <summary>SET IDENTITY_INSERT ON: identity values come with the rows.</summary>
    public bool IdentityInsert { get; init; }
}

/// <summary>
/// Changes the rows that match. The functions see current rows, may be called again after a wait for another transaction's lock, and may
/// throw <see cref="Contract.SqlErrorException"/>.
/// </summary>
public abstract record ModifyRows(TableName Table, Func<object?[], bool> Where) : EngineCommand
{
    /// <summary>How many rows at most.</summary>
    public long? Top { get; init; }

    /// <summary>Values of the whole primary key, where the condition cannot hold for a row with another one.</summary>
    public IReadOnlyList<object?>? Key { get; init; }
}

/// <summary>Updates the rows that match. <paramref name="Change"/> returns a new array.</summary>
public sealed record UpdateRows(TableName Table, Func<object?[], bool> Where, Func<object?[], object?[]> Change) : ModifyRows(Table, Where);

/// <summary>Deletes the rows that match.</summary>
public sealed record DeleteRows(TableName Table, Func<object?[], bool> Where) : ModifyRows(Table, Where);

public sealed record BeginTransaction : EngineCommand;

public sealed record CommitTransaction : EngineCommand;

public sealed record RollbackTransaction : EngineCommand;

/// <summary>SAVE TRANSACTION.</summary>
public sealed record SaveTransaction(string Name) : EngineCommand;

/// <summary>ROLLBACK TRANSACTION to a savepoint. Locks are kept.</summary>
public sealed record RollbackToSavepoint(string Name) : EngineCommand;

/// <summary>Name of a table; empty parts mean the session's database and dbo.</summary>
public sealed record TableName(string Database, string Schema, string Name);

/// <summary>A column of a user table.</summary>
public sealed record ColumnDefinition(string Name, Contract.SqlType Type)
{
    public bool Identity { get; init; }

    public long IdentitySeed { get; init; } = 1;

    public long IdentityIncrement { get; init; } = 1;

    /// <summary>Text of the DEFAULT expression, or null. The engine only keeps it; T-SQL computes it.</summary>
    public string? Default { get; init; }
}
