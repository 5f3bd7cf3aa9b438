using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KubernetesEmulator.Nodes;

namespace KubernetesEmulator.Security;

/// <summary>The cluster's own certificate authority and the certificates it signs: the one to serve with and the one to ask kubelets with.</summary>
internal sealed class Certificates : IDisposable
{
    private Certificates(X509Certificate2 authority, X509Certificate2 serving, X509Certificate2 kubeletClient)
    {
        AuthorityPem = authority.ExportCertificatePem() + "\n";
        Authority = authority;
        Serving = serving;
        KubeletClient = kubeletClient;
    }

    public string AuthorityPem { get; }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Serving { get; }

    public X509Certificate2 KubeletClient { get; }

    /// <summary>Makes all; with a directory, the authority is kept there and used again.</summary>
    public static Certificates Create(IPAddress address, string? directory)
    {
        // Certificates are judged by the machine's clock, so they are made by it too.
        var now = DateTimeOffset.UtcNow;
        var authority = LoadOrCreateAuthority(directory, now);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var ip in new[] { address, IPAddress.Loopback, IPAddress.IPv6Loopback }.Distinct())
            names.AddIpAddress(ip);
        foreach (var name in new[] { "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local" })
            names.AddDnsName(name);
        return new Certificates(
            authority,
            Issue(authority, "CN=kube-apiserver", "1.3.6.1.5.5.7.3.1", now, names.Build()),
            Issue(authority, $"O={Identity.Masters}, CN={KubeletServer.Client}", "1.3.6.1.5.5.7.3.2", now));
    }

    public void Dispose()
    {
        Authority.Dispose();
        Serving.Dispose();
        KubeletClient.Dispose();
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject, string usage, DateTimeOffset now, params IEnumerable<X509Extension> others)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        foreach (var extension in others)
            request.CertificateExtensions.Add(extension);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        using var signed = request.Create(authority, now.AddHours(-1), now.AddYears(1), RandomNumberGenerator.GetBytes(16));
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
    }

    private static X509Certificate2 LoadOrCreateAuthority(string? directory, DateTimeOffset now)
    {
        var (certificate, privateKey) = (Path.Combine(directory ?? "", "ca.crt"), Path.Combine(directory ?? "", "ca.key"));
        if (directory is not null && File.Exists(certificate) && File.Exists(privateKey))
            return X509Certificate2.CreateFromPemFile(certificate, privateKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kubernetes", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var authority = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));
        if (directory is not null)
        {
            Directory.CreateDirectory(directory);
            PrivateFile.Write(privateKey, key.ExportPkcs8PrivateKeyPem() + "\n");
            File.WriteAllText(certificate, authority.ExportCertificatePem() + "\n");
        }

        return authority;
    }
}
