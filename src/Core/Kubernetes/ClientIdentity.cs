using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agents.Kubernetes;

/// <summary>
/// The certificate to log in with. One from files is read again at each new connection, so that a rotated one needs no restart; connections that were
/// made with the one before live for minutes at most.
/// </summary>
internal sealed class ClientIdentity
{
    private readonly (string Certificate, string Key)? files;
    private X509Certificate2? known;

    public ClientIdentity(KubernetesConfiguration configuration)
    {
        known = configuration.ClientCertificate;
        files = configuration.ClientCertificateFiles;
    }

    /// <summary>The certificate with its private key, or null.</summary>
    public X509Certificate2? Current()
    {
        if (files is not var (certificate, key))
            return known;
        try
        {
            known = Read(File.ReadAllText(certificate), File.ReadAllText(key));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // Between two versions there may be none, half of one, or the key of the other; the one we know is still good.
        }

        return known;
    }

    /// <exception cref="CryptographicException">They are no PEM, or do not belong together.</exception>
    /// <exception cref="ArgumentException">They are no PEM, or do not belong together.</exception>
    public static X509Certificate2 Read(string certificate, string key) => X509Certificate2.CreateFromPem(certificate, key);
}
