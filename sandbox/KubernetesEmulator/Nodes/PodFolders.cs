using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// The volumes of one pod as folders, and the files that let its processes find the API server. There are no mount namespaces here:
/// <see cref="Translate"/> turns paths in a container into paths on this machine.
/// </summary>
internal sealed class PodFolders(ProcessNodeOptions options, IKubernetesApi api, string directory)
{
    private readonly Dictionary<string, string> _volumes = [];
    private readonly ConcurrentDictionary<string, (string Token, DateTimeOffset RenewAt)> _tokens = [];

    public string Directory => directory;

    /// <summary>The folder with token, authority and namespace for the pod's processes, or null when they get none.</summary>
    public string? Account { get; private set; }

    /// <summary>Path of a kubeconfig file that says the same, or null.</summary>
    public string? KubeConfig { get; private set; }

    public ContainerLog Log(string container) => LogOf(directory, container);

    /// <summary>The log of a container in a pod's folder.</summary>
    public static ContainerLog LogOf(string directory, string container) => new(Path.Combine(directory, "logs", container));

    /// <summary>Brings every folder to the present content of what it stands for.</summary>
    /// <exception cref="ContainerConfigException">Something it needs does not exist.</exception>
    public async Task RefreshAsync(JsonObject pod, Func<string, string?> field, CancellationToken cancellationToken)
    {
        System.IO.Directory.CreateDirectory(directory);
        foreach (var volume in pod.Items("spec", "volumes"))
        {
            var name = volume.Text("name") ?? "";
            var folder = await PrepareAsync(pod, volume, field, cancellationToken).ConfigureAwait(false);
            if (!_volumes.ContainsKey(name) && pod.Number("spec", "securityContext", "fsGroup") is { } group && Isolation.Here.Users
                && (volume.Document("persistentVolumeClaim") ?? volume.Document("emptyDir")) is not null)
                await Posix.ShareAsync(folder, group, cancellationToken).ConfigureAwait(false);
            _volumes[name] = folder;
        }

        if (pod.Flag("spec", "automountServiceAccountToken") != false)
            await WriteKubeConfigAsync(pod, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks for new tokens at the next refresh, however long the present ones would live.</summary>
    public void ForgetTokens() => _tokens.Clear();

    /// <summary>The folder or file that stands for <paramref name="path"/> in the container, or null when no mount covers it.</summary>
    public string? Translate(JsonObject container, string path)
    {
        var mount = container.Items("volumeMounts")
            .Select(x => (Path: (x.Text("mountPath") ?? "").TrimEnd('/'), Mount: x))
            .Where(x => x.Path.Length > 0 && (path == x.Path || path.StartsWith(x.Path + "/", StringComparison.Ordinal)))
            .OrderByDescending(x => x.Path.Length)
            .FirstOrDefault();
        if (mount.Mount is null || !_volumes.TryGetValue(mount.Mount.Text("name") ?? "", out var folder))
            return null;
        if (mount.Mount.Text("subPath") is { Length: > 0 } sub)
            folder = Path.Combine(folder, sub);
        return folder + path[mount.Path.Length..];
    }

    /// <summary>Rewrites a variable's value or an argument that is a path in the container, also after an equals sign.</summary>
    public string Rewrite(JsonObject container, string value)
    {
        if (value.StartsWith('/'))
            return Translate(container, value) ?? value;
        var equals = value.IndexOf("=/", StringComparison.Ordinal);
        return equals > 0 && value.StartsWith('-') && Translate(container, value[(equals + 1)..]) is { } path ? value[..(equals + 1)] + path : value;
    }

    /// <summary>As <see cref="Translate"/>, with a folder of the pod's own for what no mount covers.</summary>
    public string TranslateOrOwn(JsonObject container, string path)
    {
        if (Translate(container, path) is { } mounted)
        {
            System.IO.Directory.CreateDirectory(mounted);
            return mounted;
        }

        return Open(Path.Combine(directory, "rootfs", container.Text("name") ?? "", path.TrimStart('/')));
    }

    private async Task<string> PrepareAsync(JsonObject pod, JsonObject volume, Func<string, string?> field, CancellationToken cancellationToken)
    {
        var own = Path.Combine(directory, "volumes", volume.Text("name") ?? "");
        if (volume.Document("persistentVolumeClaim") is { } claim)
            return await ClaimFolderAsync(pod.Namespace(), claim.Text("claimName") ?? "", cancellationToken).ConfigureAwait(false);
        if (volume.Text("hostPath", "path") is { } path)
            return path;

        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        if (volume.Document("secret") is { } secret)
            await AddSecretAsync(files, pod, secret.Text("secretName"), secret, cancellationToken).ConfigureAwait(false);
        else if (volume.Document("configMap") is { } map)
            await AddConfigMapAsync(files, pod, map, cancellationToken).ConfigureAwait(false);
        else if (volume.Document("downwardAPI") is { } downward)
            AddFields(files, downward, field);
        else if (volume.Document("projected") is { } projected)
        {
            foreach (var source in projected.Items("sources"))
            {
                if (source.Document("secret") is { } s)
                    await AddSecretAsync(files, pod, s.Text("name"), s, cancellationToken).ConfigureAwait(false);
                if (source.Document("configMap") is { } c)
                    await AddConfigMapAsync(files, pod, c, cancellationToken).ConfigureAwait(false);
                if (source.Document("downwardAPI") is { } d)
                    AddFields(files, d, field);
                if (source.Document("serviceAccountToken") is { } t)
                {
                    var token = await TokenAsync(pod, t.Text("audience"), t.Number("expirationSeconds"), cancellationToken).ConfigureAwait(false);
                    files[t.Text("path") ?? "token"] = Encoding.UTF8.GetBytes(token);
                }
            }
        }
        else
        {
            return Open(own);
        }

        AtomicFolder.Write(own, files);
        return own;
    }

    /// <summary>A folder that every user may write to.</summary>
    private static string Open(string folder)
    {
        System.IO.Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;
            File.SetUnixFileMode(folder, Everybody);
        }

        return folder;
    }

    private async Task<string> ClaimFolderAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        var claim = await api.GetAsync(Kinds.Claims, @namespace, name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerConfigException("ContainerCreating", $"persistentvolumeclaim \"{name}\" not found");
        var folder = Path.Combine(options.VolumeDirectory, $"{@namespace}_{name}_{claim.Uid()}");
        System.IO.Directory.CreateDirectory(folder);
        return folder;
    }

    private async Task AddSecretAsync(
        SortedDictionary<string, byte[]> files, JsonObject pod, string? name, JsonObject source, CancellationToken cancellationToken)
    {
        var secret = await api.GetAsync(Kinds.Secrets, pod.Namespace(), name ?? "", cancellationToken).ConfigureAwait(false);
        if (secret is null && source.Flag("optional") != true)
            throw new ContainerConfigException("ContainerCreating", $"secret \"{name}\" not found");
        Add(files, source, secret.Map("data").ToDictionary(x => x.Key, x => Convert.FromBase64String(x.Value)));
    }

    private async Task AddConfigMapAsync(SortedDictionary<string, byte[]> files, JsonObject pod, JsonObject source, CancellationToken cancellationToken)
    {
        var name = source.Text("name") ?? "";
        var map = await api.GetAsync(Kinds.ConfigMaps, pod.Namespace(), name, cancellationToken).ConfigureAwait(false);
        if (map is null && source.Flag("optional") != true)
            throw new ContainerConfigException("ContainerCreating", $"configmap \"{name}\" not found");
        var data = map.Map("data").ToDictionary(x => x.Key, x => Encoding.UTF8.GetBytes(x.Value));
        foreach (var (key, value) in map.Map("binaryData"))
            data[key] = Convert.FromBase64String(value);
        Add(files, source, data);
    }

    private static void Add(SortedDictionary<string, byte[]> files, JsonObject source, Dictionary<string, byte[]> data)
    {
        if (source.Items("items") is not { Count: > 0 } items)
        {
            foreach (var (key, value) in data)
                files[key] = value;
            return;
        }

        foreach (var item in items)
        {
            var key = item.Text("key") ?? "";
            if (data.TryGetValue(key, out var value))
                files[item.Text("path") ?? key] = value;
            else if (source.Flag("optional") != true)
                throw new ContainerConfigException("ContainerCreating", $"references non-existent key: {key}");
        }
    }

    private static void AddFields(SortedDictionary<string, byte[]> files, JsonObject source, Func<string, string?> field)
    {
        foreach (var item in source.Items("items"))
            files[item.Text("path") ?? ""] = Encoding.UTF8.GetBytes(field(item.Text("fieldRef", "fieldPath") ?? "") ?? "");
    }

    private async Task WriteKubeConfigAsync(JsonObject pod, CancellationToken cancellationToken)
    {
        if (options.ApiServer is not { } server || options.CertificateAuthority is not { } authority)
            return;
        var folder = Path.Combine(directory, "serviceaccount");
        var token = await TokenAsync(pod, null, null, cancellationToken).ConfigureAwait(false);
        AtomicFolder.Write(folder, new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["ca.crt"] = Encoding.UTF8.GetBytes(authority),
            ["namespace"] = Encoding.UTF8.GetBytes(pod.Namespace()),
            ["token"] = Encoding.UTF8.GetBytes(token),
        });
        Account = folder;
        if (KubeConfig is not null)
            return;
        var path = Path.Combine(directory, "kubeconfig");
        await File.WriteAllTextAsync(path, $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: cluster
              cluster:
                server: {server.ToString().TrimEnd('/')}
                certificate-authority: {folder}/ca.crt
            users:
            - name: pod
              user:
                tokenFile: {folder}/token
            contexts:
            - name: pod
              context:
                cluster: cluster
                user: pod
                namespace: {pod.Namespace()}
            current-context: pod

            """, cancellationToken).ConfigureAwait(false);
        KubeConfig = path;
    }

    private async Task<string> TokenAsync(JsonObject pod, string? audience, int? seconds, CancellationToken cancellationToken)
    {
        var now = options.Time.GetUtcNow();
        if (_tokens.TryGetValue(audience ?? "", out var known) && now < known.RenewAt)
            return known.Token;
        var account = pod.Text("spec", "serviceAccountName") ?? "default";
        var lifetime = TimeSpan.FromSeconds(Math.Max(seconds ?? 3600, 600));
        var spec = new JsonObject
        {
            ["expirationSeconds"] = (int)lifetime.TotalSeconds,
            ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Name(), ["uid"] = pod.Uid() },
        };
        if (audience is not null)
            spec["audiences"] = new JsonArray(audience);
        var request = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = spec };
        JsonObject answer;
        try
        {
            answer = await api.CreateAsync(Kinds.TokenRequests(account), pod.Namespace(), request, cancellationToken).ConfigureAwait(false);
        }
        catch (KubernetesException e) when (e.Failure == KubernetesFailure.NotFound)
        {
            throw new ContainerConfigException("ContainerCreating", $"serviceaccount \"{account}\" not found");
        }

        var token = answer.Text("status", "token") ?? throw new ContainerConfigException("ContainerCreating", "The API server issued no token.");
        _tokens[audience ?? ""] = (token, now + (lifetime * 0.8));
        return token;
    }
}
