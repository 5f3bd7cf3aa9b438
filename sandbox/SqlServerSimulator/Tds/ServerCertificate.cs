using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SqlServerSimulator.Tds;

/// <summary>The certificate that an instance makes for itself when it was given none.</summary>
internal static class ServerCertificate
{
    private static readonly TimeSpan Leeway = TimeSpan.FromDays(1);

    /// <summary>Loads the certificate kept at <paramref name="path"/>, or makes one and keeps it there.</summary>
    public static X509Certificate2 LoadOrCreate(string? path, string commonName, TimeProvider time)
    {
        if (path is not null && TryLoad(path, time) is { } kept) return kept;
        var made = Create(commonName, time);
        if (path is not null) Keep(path, made);
        return made;
    }

    public static X509Certificate2 Create(string commonName, TimeProvider time)
    {
        // The first login waits for it: an elliptic key is made in a millisecond, an RSA key may take a quarter of a second.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName.Length is 0 or > 64 ? "SSL_Self_Signed_Fallback" : commonName);
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var now = time.GetUtcNow();
        return request.CreateSelfSigned(now - Leeway, now.AddYears(10));
    }

    private static X509Certificate2? TryLoad(string path, TimeProvider time)
    {
        try
        {
            var pem = File.ReadAllText(path);
            var certificate = X509Certificate2.CreateFromPem(pem, pem);
            var now = time.GetUtcNow();
            if (certificate.NotAfter.ToUniversalTime() > now.UtcDateTime && certificate.NotBefore.ToUniversalTime() <= now.UtcDateTime) return certificate;
            certificate.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    private static void Keep(string path, X509Certificate2 certificate)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
            using var key = certificate.GetECDsaPrivateKey()!;
            var temporary = path + "." + Guid.NewGuid().ToString("N");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new StreamWriter(temporary, options))
            {
                file.WriteLine(certificate.ExportCertificatePem());
                file.WriteLine(key.ExportPkcs8PrivateKeyPem());
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only the next start-up is slower for it.
        }
    }
}
