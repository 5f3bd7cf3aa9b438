using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agents.Security;

/// <summary>The self-signed certificate that the database mirroring endpoints of a namespace share.</summary>
/// <param name="Certificate">DER of the certificate.</param>
/// <param name="PrivateKey">PVK of its key, encrypted with <paramref name="PrivateKeyPassword"/>.</param>
/// <param name="PrivateKeyPassword">Password of the PVK.</param>
public sealed record MirroringCertificate(byte[] Certificate, byte[] PrivateKey, string PrivateKeyPassword)
{
    /// <summary>Bits of a new key.</summary>
    public const int KeySize = 3072;

    /// <summary>Makes a certificate valid from a day ago for ten years.</summary>
    public static MirroringCertificate Create(DateTimeOffset now, PasswordGenerator passwords, int keySize = KeySize)
    {
        ArgumentNullException.ThrowIfNull(passwords);
        using var key = RSA.Create(keySize);
        var request = new CertificateRequest("CN=mssql-mirroring", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        var password = passwords.Create();
        return new MirroringCertificate(
            certificate.Export(X509ContentType.Cert), PrivateKeyBlob.Encode(key.ExportParameters(true), password), password);
    }

    /// <summary>Names the types only: the values are secret.</summary>
    public override string ToString() => nameof(MirroringCertificate);
}
