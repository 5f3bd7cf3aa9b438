using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SqlServerSimulator.Contract;

namespace SqlServerSimulator.Engine;

/// <summary>The master key and the certificates of master.</summary>
public sealed partial class SqlInstance
{
    private static readonly byte[] MasterKeyFile = "DMK1"u8.ToArray();

    private static SqlErrorException InvalidData => new(15297, 16, "The certificate, asymmetric key, or private key data is invalid.");

    private static SqlErrorException InvalidFile => new(
        15208, 16, "The certificate, asymmetric key, or private key file is not valid or does not exist; or you do not have permissions for it.");

    /// <summary>CERT_ID(name) in master, or null.</summary>
    public int? CertificateId(EngineSession session, string name) =>
        FindCertificate(name) is { } found && InMaster(session) && IsVisible(session, SecurableClass.Certificate, found.Name) ? found.Id : null;

    /// <summary>CERTENCODED(id), or null.</summary>
    public byte[]? CertificateDer(EngineSession session, int id) =>
        InMaster(session) && Master.Certificates.Find(certificate => certificate.Id == id) is { } found
        && HasPermission(session, "VIEW DEFINITION", SecurableClass.Certificate, found.Name)
            ? found.Der
            : null;

    /// <summary>CERTPRIVATEKEY(id, password, password of the key): PVK, or null without a key, permission or the right password.</summary>
    public byte[]? CertificatePrivateKey(EngineSession session, int id, string password, string? keyPassword)
    {
        if (!InMaster(session) || Master.Certificates.Find(certificate => certificate.Id == id) is not { PrivateKey: not null } found
            || !HasPermission(session, "CONTROL", SecurableClass.Certificate, found.Name) || !Opens(session, found, keyPassword))
        {
            return null;
        }

        return EncodeKey(found, password);
    }

    /// <summary>Certificate and private key (PKCS#8) of the started mirroring endpoint, or null.</summary>
    public (byte[] Certificate, byte[] PrivateKey)? EndpointIdentity() =>
        EndpointStarted && Master.MasterKey is { ByServiceMasterKey: true } && FindCertificate(Master.Endpoint!.Certificate) is { PrivateKey: { } key } certificate
            ? (certificate.Der, key)
            : null;

    /// <summary>Whether a peer that has proven to hold this certificate's key may connect to the mirroring endpoint.</summary>
    public bool IsTrustedPeer(byte[] certificate)
    {
        if (!EndpointStarted)
        {
            return false;
        }

        using var parsed = X509CertificateLoader.LoadCertificate(certificate);
        if (Environment.UtcNow < parsed.NotBefore.ToUniversalTime() || Environment.UtcNow > parsed.NotAfter.ToUniversalTime())
        {
            return false;
        }

        bool MayConnect(Login? login) => login is { Disabled: false } && Has(login, "CONNECT", SecurableClass.Endpoint, Master.Endpoint!.Name);
        return Master.Certificates.Where(known => known.Der.AsSpan().SequenceEqual(certificate)).Any(known =>
            Same(known.Owner, "dbo")
            || MayConnect(Master.Users.Find(user => Same(user.Name, known.Owner))?.Sid is { } sid ? Master.Logins.Find(login => login.Sid.AsSpan().SequenceEqual(sid)) : null)
            || MayConnect(Master.Logins.Find(login => Same(login.Certificate, known.Name))));
    }

    internal Certificate? FindCertificate(string name) => Master.Certificates.Find(certificate => Same(certificate.Name, name));

    /// <summary>SID that a login made from a certificate has: authority 9 and the thumbprint.</summary>
    internal static byte[] SidOf(Certificate certificate)
    {
        using var parsed = X509CertificateLoader.LoadCertificate(certificate.Der);
        return [1, 6, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, .. parsed.GetCertHash()];
    }

    private static bool InMaster(EngineSession session) => Same(session.Database, "master");

    private static void RequireMaster(EngineSession session)
    {
        if (!InMaster(session))
        {
            throw new SqlErrorException(50505, 16, "Keys and certificates outside master are not simulated.");
        }
    }

    private static void CheckKeyPassword(string? password)
    {
        if (password is not null && CheckPassword(password, "\0") is { } weak)
        {
            throw new SqlErrorException(weak);
        }
    }

    // Master key

    private void ChangeMasterKey(EngineSession session, EngineCommand command)
    {
        RequireMaster(session);
        RequireInCurrent(session, "CONTROL");
        var now = Environment.UtcNow;
        var key = Master.MasterKey;
        switch (command)
        {
            case CreateMasterKey create:
                if (key is not null)
                {
                    throw new SqlErrorException(15578, 16, "There is already a master key in the database. Please drop it before performing this statement.");
                }

                CheckKeyPassword(create.Password);
                Master.MasterKey = new MasterKey { PasswordHash = HashPasswordWithSalt(create.Password), Key = Environment.NewGuid(), Created = now, Modified = now };
                return;
            case RestoreMasterKey restore:
                Restore(restore, now);
                return;
        }

        if (key is null)
        {
            throw command is RegenerateMasterKey or AlterMasterKeyEncryption or BackUpMasterKey
                ? new SqlErrorException(Errors.NoMasterKey)
                : new SqlErrorException(Errors.Missing(command is DropMasterKey ? "drop" : "find", "symmetric key", "master key"));
        }

        switch (command)
        {
            case OpenMasterKey open:
                if (!Opens(key, open.Password))
                {
                    throw new SqlErrorException(15313, 16, "The key is not encrypted using the specified decryptor.");
                }

                session.MasterKeyOpen = true;
                return;
            case CloseMasterKey:
                if (!session.MasterKeyOpen)
                {
                    throw new SqlErrorException(15315, 16, "The key 'MASTER KEY' is not open. Please open the key before using it.");
                }

                session.MasterKeyOpen = false;
                return;
            case DropMasterKey:
                if (Master.Certificates.Find(certificate => certificate is { PrivateKey: not null, ByPassword: false }) is { } holder)
                {
                    throw new SqlErrorException(15580, 16, $"Cannot drop master key because certificate '{holder.Name}' is encrypted by it.");
                }

                Master.MasterKey = null;
                return;
        }

        RequireUsableMasterKey(session);
        key.Modified = now;
        switch (command)
        {
            case RegenerateMasterKey regenerate:
                CheckKeyPassword(regenerate.Password);
                key.PasswordHash = HashPasswordWithSalt(regenerate.Password);
                key.MorePasswords = [];
                key.Key = Environment.NewGuid();
                break;
            case AlterMasterKeyEncryption { Password: null } alter:
                key.ByServiceMasterKey = alter.Add;
                EndpointReopened();
                break;
            case AlterMasterKeyEncryption { Add: true, Password: { } password }:
                CheckKeyPassword(password);
                key.MorePasswords.Add(HashPasswordWithSalt(password));
                break;
            case AlterMasterKeyEncryption { Password: { } password }:
                if (key.MorePasswords.RemoveAll(hash => VerifyPassword(hash, password)) == 0)
                {
                    throw VerifyPassword(key.PasswordHash, password)
                        ? new SqlErrorException(50505, 16, "ALTER MASTER KEY that drops the first password is not simulated.")
                        : new SqlErrorException(15313, 16, "The key is not encrypted using the specified decryptor.");
                }

                break;
            case BackUpMasterKey backup:
                CheckKeyPassword(backup.Password);
                WriteFile(backup.File, [.. MasterKeyFile, .. key.Key.ToByteArray(), .. HashPasswordWithSalt(backup.Password)]);
                break;
        }
    }

    private void Restore(RestoreMasterKey restore, DateTime now)
    {
        var file = Environment.ReadServerFile(restore.File);
        if (file is null || file.Length != 4 + 16 + 70 || !file.AsSpan(0, 4).SequenceEqual(MasterKeyFile))
        {
            throw new SqlErrorException(15317, 16, "The master key file does not exist or has invalid format.");
        }

        if (!VerifyPassword(file[20..], restore.DecryptionPassword))
        {
            throw new SqlErrorException(15313, 16, "The key is not encrypted using the specified decryptor.");
        }

        CheckKeyPassword(restore.EncryptionPassword);
        Master.MasterKey = new MasterKey
        {
            Key = new Guid(file.AsSpan(4, 16)),
            PasswordHash = HashPasswordWithSalt(restore.EncryptionPassword),

            // A key that was not there before is not under the service master key either: 15581 until it is opened and put there.
            ByServiceMasterKey = Master.MasterKey?.ByServiceMasterKey ?? false,
            Created = now,
            Modified = now,
        };
    }

    private static bool Opens(MasterKey key, string password) =>
        key.MorePasswords.Prepend(key.PasswordHash).Any(hash => VerifyPassword(hash, password));

    private bool Opens(EngineSession session, Certificate certificate, string? password) => certificate.ByPassword
        ? password is not null && certificate.PasswordHash is { } hash && VerifyPassword(hash, password)
        : Master.MasterKey is { ByServiceMasterKey: true } || (Master.MasterKey is not null && session.MasterKeyOpen);

    private void RequireUsableMasterKey(EngineSession session)
    {
        if (Master.MasterKey is null || (!Master.MasterKey.ByServiceMasterKey && !session.MasterKeyOpen))
        {
            throw new SqlErrorException(Errors.NoMasterKey);
        }
    }

    // Certificates

    private void ChangeCertificates(EngineSession session, EngineCommand command)
    {
        RequireMaster(session);
        switch (command)
        {
            case CreateCertificate create:
                RequireNew(session, create.Name, create.Owner);
                Add(session, create.Name, create.Owner, create.Der, create.PrivateKey is null ? null : ImportKey(create.PrivateKey, create.DecryptionPassword, InvalidData), create.EncryptionPassword, InvalidData);
                break;
            case LoadCertificate load:
                RequireNew(session, load.Name, load.Owner);
                Load(session, load);
                break;
            case GenerateCertificate generate:
                RequireNew(session, generate.Name, generate.Owner);
                var start = generate.StartDate ?? Environment.UtcNow;
                var expiry = generate.ExpiryDate ?? start.AddYears(1);
                if (expiry <= start || generate.Subject.Length > 64)
                {
                    throw InvalidData;
                }

                var (der, key) = Environment.CreateCertificate(generate.Subject, start, expiry);
                Add(session, generate.Name, generate.Owner, der, key, generate.EncryptionPassword, InvalidData, unique: false);
                break;
            case BackUpCertificate backup:
                BackUp(session, backup);
                break;
            case DropCertificate drop:
                Drop(session, drop);
                break;
        }
    }

    private void RequireNew(EngineSession session, string name, string? owner)
    {
        RequireInCurrent(session, "CREATE CERTIFICATE");
        if (FindCertificate(name) is not null)
        {
            throw AlreadyThere(name);
        }

        if (owner is not null && !Same(owner, "dbo") && Current(session).Find(owner) is null)
        {
            throw new SqlErrorException(Errors.Missing("find", "user", owner));
        }
    }

    private static SqlErrorException AlreadyThere(string name) => new(
        15232, 16, $"A certificate with name '{name}' already exists or this certificate already has been added to the database.");

    /// <summary>A private key in PVK form as PKCS#8.</summary>
    private static byte[] ImportKey(byte[] pvk, string? password, SqlErrorException invalid)
    {
        using var rsa = PrivateKeyFile.Decode(pvk, password, out var outcome);
        return outcome switch
        {
            PrivateKeyFile.Outcome.Read => rsa!.ExportPkcs8PrivateKey(),
            PrivateKeyFile.Outcome.WrongPassword => throw new SqlErrorException(15465, 16, "The private key password is invalid."),
            _ => throw invalid,
        };
    }

    private void Load(EngineSession session, LoadCertificate load)
    {
        var file = Environment.ReadServerFile(load.File) ?? throw InvalidFile;
        if (!load.Pfx)
        {
            var pvk = load.PrivateKeyFile is null ? null : Environment.ReadServerFile(load.PrivateKeyFile) ?? throw InvalidFile;
            Add(session, load.Name, load.Owner, file, pvk is null ? null : ImportKey(pvk, load.DecryptionPassword, InvalidFile), load.EncryptionPassword, InvalidFile);
            return;
        }

        try
        {
            using var certificate = X509CertificateLoader.LoadPkcs12(file, load.DecryptionPassword, X509KeyStorageFlags.Exportable);
            using var rsa = certificate.GetRSAPrivateKey();
            Add(session, load.Name, load.Owner, certificate.RawData, rsa?.ExportPkcs8PrivateKey(), load.EncryptionPassword, InvalidFile);
        }
        catch (CryptographicException)
        {
            throw new SqlErrorException(15465, 16, "The private key password is invalid.");
        }
    }

    private void Add(
        EngineSession session, string name, string? owner, byte[] der, byte[]? key, string? password, SqlErrorException invalid, bool unique = true)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            using var publicKey = certificate.GetRSAPublicKey() ?? throw invalid;
            if (publicKey.KeySize is < 384 or > 4096)
            {
                throw invalid;
            }

            if (key is not null)
            {
                using var rsa = RSA.Create();
                rsa.ImportPkcs8PrivateKey(key, out _);
                if (!publicKey.ExportRSAPublicKey().AsSpan().SequenceEqual(rsa.ExportRSAPublicKey()))
                {
                    throw invalid;
                }
            }
        }
        catch (CryptographicException)
        {
            throw invalid;
        }

        if (unique && Master.Certificates.Any(known => known.Der.AsSpan().SequenceEqual(der)))
        {
            throw AlreadyThere(name);
        }

        CheckKeyPassword(password);
        if (key is not null && password is null)
        {
            RequireUsableMasterKey(session);
        }

        Master.Certificates.Add(new Certificate
        {
            Name = name,
            Id = Master.NextId++,
            Owner = owner ?? Current(session).User,
            Der = der,
            PrivateKey = key,
            ByPassword = key is not null && password is not null,
            PasswordHash = key is null || password is null ? null : HashPasswordWithSalt(password),
        });
    }

    private void Drop(EngineSession session, DropCertificate drop)
    {
        var dropped = FindCertificate(drop.Name);
        if (dropped is null || !HasPermission(session, "CONTROL", SecurableClass.Certificate, drop.Name))
        {
            throw new SqlErrorException(Errors.Missing("drop", "certificate", drop.Name));
        }

        if (Same(Master.Endpoint?.Certificate, drop.Name) || Master.Logins.Any(login => Same(login.Certificate, drop.Name)))
        {
            throw new SqlErrorException(
                15352, 16, "The certificate cannot be dropped because one or more entities are either signed or encrypted using it.");
        }

        Master.Certificates.Remove(dropped);
        Master.DatabasePermissions.RemoveAll(permission => permission.Class == SecurableClass.Certificate && Same(permission.Securable, drop.Name));
    }

    private void BackUp(EngineSession session, BackUpCertificate backup)
    {
        if (FindCertificate(backup.Name) is not { } certificate || !IsVisible(session, SecurableClass.Certificate, certificate.Name)
            || (backup.EncryptionPassword is not null && !HasPermission(session, "CONTROL", SecurableClass.Certificate, certificate.Name)))
        {
            throw new SqlErrorException(Errors.Missing("find", "certificate", backup.Name));
        }

        if (backup.EncryptionPassword is not { } password)
        {
            WriteFile(backup.File, certificate.Der);
            return;
        }

        CheckKeyPassword(password);
        if (certificate.PrivateKey is null)
        {
            throw new SqlErrorException(15151, 16, $"Cannot find the private key of the certificate '{backup.Name}', because it does not exist or you do not have permission.");
        }

        if (!Opens(session, certificate, backup.DecryptionPassword))
        {
            throw certificate.ByPassword
                ? new SqlErrorException(15465, 16, "The private key password is invalid.")
                : new SqlErrorException(Errors.NoMasterKey);
        }

        if (backup.Pfx)
        {
            using var key = RSA.Create();
            key.ImportPkcs8PrivateKey(certificate.PrivateKey, out _);
            using var parsed = X509CertificateLoader.LoadCertificate(certificate.Der);
            using var both = parsed.CopyWithPrivateKey(key);
            WriteFile(backup.File, both.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password));
        }
        else
        {
            if (Environment.ReadServerFile(backup.PrivateKeyFile!) is not null)
            {
                throw CannotWrite(backup.PrivateKeyFile!);
            }

            WriteFile(backup.File, certificate.Der);
            WriteFile(backup.PrivateKeyFile!, EncodeKey(certificate, password));
        }

        certificate.KeyBackedUp = Environment.UtcNow;
    }

    private byte[] EncodeKey(Certificate certificate, string password)
    {
        using var key = RSA.Create();
        key.ImportPkcs8PrivateKey(certificate.PrivateKey, out _);
        var salt = new byte[16];
        Environment.Random(salt);
        return PrivateKeyFile.Encode(key, password, salt, Options.PrivateKeyEncryption);
    }

    private void WriteFile(string path, byte[] content)
    {
        if (!Environment.CreateServerFile(path, content))
        {
            throw CannotWrite(path);
        }
    }

    private static SqlErrorException CannotWrite(string path) => new(
        15240, 16, $"Cannot write into file '{path}'. Verify that you have write permissions, that the file path is valid, and that the file does not already exist.");
}
