using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Agents.Kubernetes;

/// <summary>Where the API server is and who we are: from a kubeconfig, or from the pod's service account.</summary>
public sealed class KubernetesConfiguration
{
    private const string ServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Address of the API server.</summary>
    public required Uri Server { get; init; }

    /// <summary>Authorities of its certificate; empty trusts the machine's.</summary>
    public X509Certificate2Collection Authorities { get; init; } = [];

    /// <summary>The file that <see cref="Authorities"/> were read from, if it may change; read again at each new connection.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>Our certificate, if that is how we log in.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>
    /// The files that <see cref="ClientCertificate"/> and its key were read from, if they may change; read again at each new connection.
    /// </summary>
    public (string Certificate, string Key)? ClientCertificateFiles { get; init; }

    /// <summary>Our token, if that is how we log in.</summary>
    public string? Token { get; init; }

    /// <summary>A file that holds our token and may change; goes before <see cref="Token"/>.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Name to expect in the server's certificate, if other than the host.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>Namespace of the context, or of the pod; null when neither says.</summary>
    public string? Namespace { get; init; }

    /// <summary>The file named by <c>KUBECONFIG</c>, else the pod's service account.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    /// <exception cref="KubernetesConfigurationException">Neither is there, or it is not usable.</exception>
    public static KubernetesConfiguration Load(Func<string, string?> variable) => Load(variable, ServiceAccountDirectory);

    /// <summary>Reads a kubeconfig file, in YAML as kubectl writes it or in JSON.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="KubernetesConfigurationException">The file is missing or not usable.</exception>
    public static KubernetesConfiguration FromFile(string path)
    {
        var text = Guard(path, () => File.ReadAllText(path));
        return FromText(text, path, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    internal static KubernetesConfiguration Load(Func<string, string?> variable, string serviceAccountDirectory)
    {
        if (variable("KUBECONFIG") is { Length: > 0 } path)
        {
            if (path.Contains(Path.PathSeparator, StringComparison.Ordinal))
                throw new KubernetesConfigurationException($"KUBECONFIG names several files ({path}); exactly one is expected.");
            return FromFile(path);
        }

        if (variable("KUBERNETES_SERVICE_HOST") is not { Length: > 0 } host)
            throw new KubernetesConfigurationException(
                "No API server: neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set, so this is not a pod with a service account.");
        var port = variable("KUBERNETES_SERVICE_PORT") is { Length: > 0 } given ? given : "443";
        var tokenFile = Path.Combine(serviceAccountDirectory, "token");
        if (!File.Exists(tokenFile))
            throw new KubernetesConfigurationException($"The pod has no service account token at {tokenFile}.");
        var authority = Path.Combine(serviceAccountDirectory, "ca.crt");
        var namespaceFile = Path.Combine(serviceAccountDirectory, "namespace");
        var bracketed = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return new KubernetesConfiguration
        {
            Server = ServerAddress($"https://{bracketed}:{port}", "KUBERNETES_SERVICE_HOST"),
            Authorities = AuthoritiesOf(Guard(authority, () => File.ReadAllText(authority)), authority),
            AuthorityFile = authority,
            TokenFile = tokenFile,
            Namespace = File.Exists(namespaceFile) ? Guard(namespaceFile, () => File.ReadAllText(namespaceFile)).Trim() : null,
        };
    }

    internal static KubernetesConfiguration FromText(string text, string source, string directory)
    {
        JsonNode? root;
        try
        {
            root = text.AsSpan().TrimStart().StartsWith("{") ? JsonNode.Parse(text) : KubeconfigYaml.Parse(text);
        }
        catch (Exception error) when (error is FormatException or System.Text.Json.JsonException)
        {
            throw new KubernetesConfigurationException($"{source}: {error.Message}", error);
        }

        var config = root as JsonObject ?? throw new KubernetesConfigurationException($"{source}: not a kubeconfig document.");
        var contextName = Text(config, "current-context") is { Length: > 0 } current
            ? current
            : throw new KubernetesConfigurationException($"{source}: no current-context.");
        var context = Entry(config, "contexts", "context", contextName, source);
        var cluster = Entry(config, "clusters", "cluster", Required(context, "cluster", source), source);
        var user = Text(context, "user") is { Length: > 0 } userName ? Entry(config, "users", "user", userName, source) : [];

        foreach (var unsupported in new[] { "exec", "auth-provider", "username", "password", "as" })
            if (user[unsupported] is not null)
                throw new KubernetesConfigurationException(
                    $"{source}: user '{unsupported}' is not supported; use token, tokenFile or a client certificate.");
        if (Text(cluster, "insecure-skip-tls-verify") is "true")
            throw new KubernetesConfigurationException($"{source}: insecure-skip-tls-verify is not supported; give certificate-authority-data.");
        if (Text(cluster, "proxy-url") is { Length: > 0 })
            throw new KubernetesConfigurationException($"{source}: proxy-url is not supported.");

        var authority = Material(cluster, "certificate-authority", source, directory);
        return new KubernetesConfiguration
        {
            Server = ServerAddress(Required(cluster, "server", source), source),
            Authorities = authority is null ? [] : AuthoritiesOf(authority, source),
            AuthorityFile = ChangingFile(cluster, "certificate-authority", directory),
            TlsServerName = Text(cluster, "tls-server-name"),
            ClientCertificate = CertificateOf(
                Material(user, "client-certificate", source, directory), Material(user, "client-key", source, directory), source),
            ClientCertificateFiles = (ChangingFile(user, "client-certificate", directory), ChangingFile(user, "client-key", directory)) is ({ } own, { } key)
                ? (own, key)
                : null,
            Token = Text(user, "token"),
            TokenFile = PathOf(user, "tokenFile", directory),
            Namespace = Text(context, "namespace"),
        };
    }

    private static JsonObject Entry(JsonObject config, string list, string member, string name, string source)
    {
        foreach (var item in config[list] as JsonArray ?? [])
            if (item is JsonObject entry && Text(entry, "name") == name)
                return entry[member] as JsonObject ?? [];
        throw new KubernetesConfigurationException($"{source}: no '{name}' in {list}.");
    }

    private static string? Text(JsonObject owner, string name) => owner[name] switch
    {
        null => null,
        JsonValue value => value.ToString(),
        _ => null,
    };

    private static string Required(JsonObject owner, string name, string source) =>
        Text(owner, name) is { Length: > 0 } value ? value : throw new KubernetesConfigurationException($"{source}: no '{name}'.");

    private static string? Material(JsonObject owner, string name, string source, string directory)
    {
        if (Text(owner, name + "-data") is { Length: > 0 } data)
        {
            try
            {
                return Encoding.UTF8.GetString(Convert.FromBase64String(data));
            }
            catch (FormatException)
            {
                throw new KubernetesConfigurationException($"{source}: {name}-data is not base64.");
            }
        }

        return PathOf(owner, name, directory) is { } path ? Guard(path, () => File.ReadAllText(path)) : null;
    }

    /// <summary>Where to read something again; null when it is given in the document itself.</summary>
    private static string? ChangingFile(JsonObject owner, string name, string directory) =>
        Text(owner, name + "-data") is { Length: > 0 } ? null : PathOf(owner, name, directory);

    private static string? PathOf(JsonObject owner, string name, string directory) =>
        Text(owner, name) is { Length: > 0 } file ? Path.GetFullPath(file, directory) : null;

    private static Uri ServerAddress(string text, string source) =>
        Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
            ? uri
            : throw new KubernetesConfigurationException($"{source}: '{text}' is not an https address.");

    private static X509Certificate2Collection AuthoritiesOf(string pem, string source)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(pem);
        }
        catch (CryptographicException error)
        {
            throw new KubernetesConfigurationException($"{source}: the certificate authority is not readable: {error.Message}");
        }

        return authorities.Count > 0
            ? authorities
            : throw new KubernetesConfigurationException($"{source}: the certificate authority holds no PEM certificate.");
    }

    private static X509Certificate2? CertificateOf(string? certificate, string? key, string source)
    {
        if (certificate is null && key is null)
            return null;
        if (certificate is null || key is null)
            throw new KubernetesConfigurationException($"{source}: client-certificate and client-key go together; one is missing.");
        try
        {
            return ClientIdentity.Read(certificate, key);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new KubernetesConfigurationException($"{source}: the client certificate or its key is not readable PEM.");
        }
    }

    private static string Guard(string path, Func<string> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesConfigurationException($"{path}: {error.Message}", error);
        }
    }
}

/// <summary>The API server cannot be found or logged in to because of how this process is configured.</summary>
public sealed class KubernetesConfigurationException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is wrong, and where; never a secret.</param>
    /// <param name="inner">The cause, if any.</param>
    public KubernetesConfigurationException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
