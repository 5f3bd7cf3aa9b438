using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agents.Kubernetes;

/// <summary>
/// Whether the certificate that a server shows is the API server's. Authorities from a file are read again at each new connection, so that
/// a rotated <c>ca.crt</c> needs no restart.
/// </summary>
internal sealed class ServerTrust
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly string? file;
    private readonly string host;
    private X509Certificate2Collection authorities;

    public ServerTrust(KubernetesConfiguration configuration)
    {
        authorities = configuration.Authorities;
        file = configuration.AuthorityFile;
        host = configuration.TlsServerName is { Length: > 0 } name ? name : configuration.Server.IdnHost;
    }

    /// <summary>Judges one handshake.</summary>
    /// <exception cref="AuthenticationException">It is not trusted; the message says why.</exception>
    public bool Accept(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 shown || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            throw new AuthenticationException("the server showed no certificate");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            throw new AuthenticationException($"the server's certificate is not for {host}, but for {string.Join(", ", NamesOf(shown))}");
        var trusted = Current();
        if (trusted.Count == 0)
        {
            return errors == SslPolicyErrors.None
                ? true
                : throw new AuthenticationException($"the server's certificate is not trusted by this machine: {Problems(chain)}");
        }

        using var own = new X509Chain();
        own.ChainPolicy = Policy(trusted);
        if (chain is not null)
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        return own.Build(shown)
            ? true
            : throw new AuthenticationException(
                $"the server's certificate, issued by {shown.Issuer}, is not trusted by {file ?? "the configured authority"}: {Problems(own)}");
    }

    /// <summary>How a chain is built that ends in one of <paramref name="authorities"/>.</summary>
    public static X509ChainPolicy Policy(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static IEnumerable<string> NamesOf(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension is not X509SubjectAlternativeNameExtension names)
                continue;
            foreach (var name in names.EnumerateDnsNames())
                yield return name;
            foreach (var address in names.EnumerateIPAddresses())
                yield return address.ToString();
            yield break;
        }

        yield return certificate.Subject;
    }

    private static string Problems(X509Chain? chain) =>
        chain is null ? "no chain" : string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct());

    private X509Certificate2Collection Current()
    {
        if (file is null)
            return authorities;
        try
        {
            var read = new X509Certificate2Collection();
            read.ImportFromPem(File.ReadAllText(file));
            if (read.Count > 0)
                authorities = read;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Between two versions of the mounted file there may be none or half of one; the authorities we know are still good.
        }

        return authorities;
    }
}
