using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Agents.Kubernetes;

namespace Unit.Kubernetes;

internal sealed class KubernetesConfigurationTests
{
    private static readonly (string Certificate, string Key) Pem = MakePem();

    [Test]
    public void A_file_as_kubectl_writes_it_is_read()
    {
        var configuration = Read(
            $"""
            apiVersion: v1
            clusters:
            - cluster:
                certificate-authority-data: {Base64(Pem.Certificate)}
                server: https://127.0.0.1:6443
              name: other
            - cluster:
                certificate-authority-data: {Base64(Pem.Certificate)}
                server: "https://127.0.0.1:7443" # here
              name: 'it''s'
            contexts:
            - context:
                cluster: it's
                namespace: ag1
                user: me
              name: ctx
            current-context: ctx
            kind: Config
            preferences: {"{}"}
            users:
            - name: me
              user:
                client-certificate-data: {Base64(Pem.Certificate)}
                client-key-data: {Base64(Pem.Key)}
                token: abc:def
            """);
        Assert.That(configuration.Server, Is.EqualTo(new Uri("https://127.0.0.1:7443/")));
        Assert.That(configuration.Authorities, Has.Count.EqualTo(1));
        Assert.That(configuration.AuthorityFile, Is.Null);
        Assert.That(configuration.ClientCertificate!.HasPrivateKey, Is.True);
        Assert.That(configuration.ClientCertificateFiles, Is.Null);
        Assert.That(configuration.Token, Is.EqualTo("abc:def"));
        Assert.That(configuration.Namespace, Is.EqualTo("ag1"));
    }

    [Test]
    public void Json_and_relative_files_are_read()
    {
        var directory = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "ca.crt"), Pem.Certificate);
            File.WriteAllText(Path.Combine(directory, "config"), Minimal("\"certificate-authority\":\"ca.crt\",", "\"tokenFile\":\"token\""));
            var configuration = KubernetesConfiguration.FromFile(Path.Combine(directory, "config"));
            Assert.That(configuration.Authorities, Has.Count.EqualTo(1));
            Assert.That(configuration.TokenFile, Is.EqualTo(Path.Combine(directory, "token")));
            Assert.That(configuration.AuthorityFile, Is.EqualTo(Path.Combine(directory, "ca.crt")));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [TestCase("\"exec\":{\"command\":\"aws\"}", "'exec' is not supported")]
    [TestCase("\"auth-provider\":{\"name\":\"gcp\"}", "'auth-provider' is not supported")]
    [TestCase("\"username\":\"admin\",\"password\":\"hunter2\"", "'username' is not supported")]
    [TestCase("\"client-certificate-data\":\"YQ==\"", "one is missing")]
    [TestCase("\"client-certificate-data\":\"YQ==\",\"client-key-data\":\"hunter2!\"", "client-key-data is not base64")]
    [TestCase("\"client-certificate-data\":\"YQ==\",\"client-key-data\":\"YQ==\"", "not readable PEM")]
    public void What_cannot_be_used_is_refused_without_showing_secrets(string user, string expected)
    {
        var error = Assert.Throws<KubernetesConfigurationException>(() => Read(Minimal("", user)))!;
        Assert.That(error.Message, Does.Contain(expected).And.Not.Contain("hunter2"));
    }

    [TestCase("\"insecure-skip-tls-verify\":true,", "insecure-skip-tls-verify")]
    [TestCase("\"certificate-authority-data\":\"YQ==\",", "no PEM certificate")]
    [TestCase("\"certificate-authority\":\"/does/not/exist\",", "/does/not/exist")]
    public void A_cluster_that_cannot_be_trusted_is_refused(string cluster, string expected) =>
        Assert.That(
            Assert.Throws<KubernetesConfigurationException>(() => Read(Minimal(cluster, "\"token\":\"t\"")))!.Message, Does.Contain(expected));

    [TestCase("a: &x b", "line 1")]
    [TestCase("a: |\n  text", "line 1")]
    [TestCase("a: b\n\tc: d", "line 2")]
    [TestCase("a: b\na: c", "line 2: 'a' comes twice")]
    [TestCase("a: b\n  c: d", "line 2")]
    [TestCase("a: \"b", "line 1")]
    [TestCase("a: [b]", "line 1")]
    [TestCase("a:\n- b\n c", "line 3")]
    [TestCase("{\"a\":", "config")]
    [TestCase("- a", "not a kubeconfig")]
    [TestCase("", "not a kubeconfig")]
    public void What_is_not_understood_is_an_error_that_says_where(string text, string expected) =>
        Assert.That(Assert.Throws<KubernetesConfigurationException>(() => Read(text))!.Message, Does.Contain(expected));

    [Test]
    public void In_a_pod_the_service_account_is_used()
    {
        var directory = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "ca.crt"), Pem.Certificate);
            File.WriteAllText(Path.Combine(directory, "token"), "t");
            File.WriteAllText(Path.Combine(directory, "namespace"), "ag1");
            var variables = new Dictionary<string, string?> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "6443" };
            var configuration = KubernetesConfiguration.Load(variables.GetValueOrDefault, directory);
            Assert.That(configuration.Server, Is.EqualTo(new Uri("https://[fd00::1]:6443/")));
            Assert.That(configuration.TokenFile, Is.EqualTo(Path.Combine(directory, "token")));
            Assert.That(configuration.AuthorityFile, Is.EqualTo(Path.Combine(directory, "ca.crt")));
            Assert.That(configuration.Namespace, Is.EqualTo("ag1"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    public void Nowhere_is_an_error_that_says_what_was_looked_for() =>
        Assert.That(
            Assert.Throws<KubernetesConfigurationException>(() => KubernetesConfiguration.Load(_ => null))!.Message,
            Does.Contain("KUBECONFIG").And.Contain("KUBERNETES_SERVICE_HOST"));

    private static KubernetesConfiguration Read(string text) => KubernetesConfiguration.FromText(text, "config", "/");

    private static string Minimal(string cluster, string user) =>
        $$$"""
        {"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
         "clusters":[{"name":"k","cluster":{ {{{cluster}}} "server":"https://h"}}],"users":[{"name":"u","user":{ {{{user}}} }}]}
        """;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static (string Certificate, string Key) MakePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
