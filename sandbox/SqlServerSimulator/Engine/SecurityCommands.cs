namespace SqlServerSimulator.Engine;

/// <summary>CREATE LOGIN with a password or from a certificate.</summary>
public sealed record CreateLogin(string Name, string? Password) : EngineCommand
{
    /// <summary>PASSWORD = 0x... HASHED.</summary>
    public byte[]? PasswordHash { get; init; }

    public string? Certificate { get; init; }

    public IReadOnlyList<byte>? Sid { get; init; }

    public string? DefaultDatabase { get; init; }

    public bool CheckPolicy { get; init; } = true;

    public bool CheckExpiration { get; init; }

    public bool MustChange { get; init; }
}

/// <summary>ALTER LOGIN; what is null stays.</summary>
public sealed record AlterLogin(string Name) : EngineCommand
{
    public string? Password { get; init; }

    /// <summary>PASSWORD = 0x... HASHED.</summary>
    public byte[]? PasswordHash { get; init; }

    public string? OldPassword { get; init; }

    public bool? Enabled { get; init; }

    public string? NewName { get; init; }

    public string? DefaultDatabase { get; init; }

    public bool? CheckPolicy { get; init; }

    public bool? CheckExpiration { get; init; }

    public bool MustChange { get; init; }

    public bool Unlock { get; init; }
}

public sealed record DropLogin(string Name) : EngineCommand;

/// <summary>CREATE USER in the session's database.</summary>
public sealed record CreateUser(string Name, string? Login) : EngineCommand
{
    public string DefaultSchema { get; init; } = "dbo";
}

/// <summary>ALTER USER in the session's database; what is null stays.</summary>
public sealed record AlterUser(string Name) : EngineCommand
{
    public string? NewName { get; init; }

    public string? Login { get; init; }

    public string? DefaultSchema { get; init; }
}

public sealed record DropUser(string Name) : EngineCommand;

/// <summary>CREATE SERVER ROLE.</summary>
public sealed record CreateServerRole(string Name, string? Owner) : EngineCommand;

/// <summary>DROP SERVER ROLE.</summary>
public sealed record DropServerRole(string Name) : EngineCommand;

/// <summary>ALTER SERVER ROLE ADD or DROP MEMBER, sp_addsrvrolemember.</summary>
public sealed record AlterServerRole(string Role, string Member, bool Add) : EngineCommand;

/// <summary>CREATE ROLE in the session's database.</summary>
public sealed record CreateRole(string Name, string? Owner) : EngineCommand;

/// <summary>DROP ROLE in the session's database.</summary>
public sealed record DropRole(string Name) : EngineCommand;

/// <summary>ALTER ROLE ADD or DROP MEMBER, sp_addrolemember.</summary>
public sealed record AlterRole(string Role, string Member, bool Add) : EngineCommand;

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
    ServerRole,
    Role,
}

/// <summary>GRANT, DENY or REVOKE permissions. Permission names are upper case with single spaces, "VIEW SERVER STATE".</summary>
public sealed record ChangePermissions(GrantKind Kind, IReadOnlyList<string> Permissions, SecurableClass Class, string? Securable, string Grantee)
    : EngineCommand
{
    /// <summary>Grantees behind the first.</summary>
    public IReadOnlyList<string> MoreGrantees { get; init; } = [];

    /// <summary>GRANT ... WITH GRANT OPTION.</summary>
    public bool WithGrantOption { get; init; }

    /// <summary>REVOKE GRANT OPTION FOR.</summary>
    public bool GrantOptionOnly { get; init; }

    public bool Cascade { get; init; }
}

/// <summary>ALTER AUTHORIZATION ON ... TO ...</summary>
public sealed record AlterAuthorization(SecurableClass Class, string Securable, string Owner) : EngineCommand;

public sealed record CreateMasterKey(string Password) : EngineCommand;

/// <summary>ALTER MASTER KEY REGENERATE WITH ENCRYPTION BY PASSWORD.</summary>
public sealed record RegenerateMasterKey(string Password) : EngineCommand;

public sealed record DropMasterKey : EngineCommand;

/// <summary>OPEN MASTER KEY DECRYPTION BY PASSWORD.</summary>
public sealed record OpenMasterKey(string Password) : EngineCommand;

public sealed record CloseMasterKey : EngineCommand;

/// <summary>ALTER MASTER KEY ADD or DROP ENCRYPTION BY a password or, when that is null, by the service master key.</summary>
public sealed record AlterMasterKeyEncryption(bool Add, string? Password) : EngineCommand;

/// <summary>BACKUP MASTER KEY TO FILE.</summary>
public sealed record BackUpMasterKey(string File, string Password) : EngineCommand;

/// <summary>RESTORE MASTER KEY FROM FILE.</summary>
public sealed record RestoreMasterKey(string File, string DecryptionPassword, string EncryptionPassword) : EngineCommand;

/// <summary>CREATE CERTIFICATE FROM BINARY.</summary>
public sealed record CreateCertificate(string Name, string? Owner, byte[] Der) : EngineCommand
{
    /// <summary>Private key in PVK form.</summary>
    public byte[]? PrivateKey { get; init; }

    public string? DecryptionPassword { get; init; }

    public string? EncryptionPassword { get; init; }
}

/// <summary>CREATE CERTIFICATE FROM FILE, in DER with an optional PVK file or in PFX.</summary>
public sealed record LoadCertificate(string Name, string? Owner, string File) : EngineCommand
{
    public string? PrivateKeyFile { get; init; }

    public bool Pfx { get; init; }

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

/// <summary>BACKUP CERTIFICATE TO FILE, in DER with an optional PVK file or in PFX.</summary>
public sealed record BackUpCertificate(string Name, string File) : EngineCommand
{
    public string? PrivateKeyFile { get; init; }

    public bool Pfx { get; init; }

    public string? DecryptionPassword { get; init; }

    public string? EncryptionPassword { get; init; }
}

/// <summary>Role of a mirroring endpoint.</summary>
public enum EndpointRole : byte
{
    None = 0,
    Partner = 1,
    Witness = 2,
    All = 3,
}

/// <summary>State of an endpoint, as numbered in sys.endpoints.</summary>
public enum EndpointState : byte
{
    Started = 0,
    Stopped = 1,
    Disabled = 2,
}

/// <summary>CREATE ENDPOINT ... FOR DATABASE_MIRRORING.</summary>
public sealed record CreateEndpoint(string Name, int Port, string Certificate) : EngineCommand
{
    public string? Owner { get; init; }

    /// <summary>STATE = STARTED; the default is stopped.</summary>
    public bool Started { get; init; }

    /// <summary>STATE = DISABLED.</summary>
    public bool Disabled { get; init; }

    public EndpointRole Role { get; init; } = EndpointRole.All;

    public bool Encrypted { get; init; } = true;

    public string? ListenerIp { get; init; }
}

/// <summary>ALTER ENDPOINT; what is null stays.</summary>
public sealed record AlterEndpoint(string Name) : EngineCommand
{
    public bool? Started { get; init; }

    /// <summary>STATE = DISABLED; then <see cref="Started"/> is false.</summary>
    public bool Disabled { get; init; }

    public int? Port { get; init; }

    public string? Certificate { get; init; }

    public EndpointRole? Role { get; init; }

    public bool? Encrypted { get; init; }
}

public sealed record DropEndpoint(string Name) : EngineCommand;

/// <summary>sp_addserver.</summary>
public sealed record AddServer(string Name, bool Local) : EngineCommand;

/// <summary>sp_dropserver.</summary>
public sealed record DropServer(string Name) : EngineCommand;

/// <summary>sp_configure name, value: configured, and in use after RECONFIGURE.</summary>
public sealed record Configure(string Name, int Value) : EngineCommand;

/// <summary>RECONFIGURE.</summary>
public sealed record Reconfigure : EngineCommand;
