using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>Turns a pod's containers into commands of this machine: programs, arguments, variables and volumes.</summary>
/// <param name="options">The node's.</param>
/// <param name="api">Where Secrets, ConfigMaps and Services are read.</param>
/// <param name="folders">The pod's folders.</param>
/// <param name="pod">The pod as it is now.</param>
/// <param name="podIP">Its address.</param>
/// <param name="hostIP">The node's.</param>
internal sealed class PodCommands(
    ProcessNodeOptions options, IKubernetesApi api, PodFolders folders, Func<JsonObject> pod, string podIP, string hostIP) : IDisposable
{
    private static readonly TimeSpan CachedWait = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Dictionary<string, string>> _environments = [];
    private readonly SemaphoreSlim _refreshing = new(1);

    /// <summary>Whether all volumes have been there once.</summary>
    public bool Prepared { get; private set; }

    public void Dispose() => _refreshing.Dispose();

    /// <summary>What a container runs, with everything that it needs in place.</summary>
    /// <exception cref="ContainerConfigException">Something is not there yet, or never will be.</exception>
    public async Task<ProcessCommand> PrepareAsync(ContainerSlot slot, CancellationToken cancellationToken)
    {
        var container = slot.Spec;
        var image = container.Text("image") ?? "";
        var words = container.Texts("command");
        if (options.Images.Resolve(image, words.Count > 0 ? words[0] : null) is not { } program)
            throw new ContainerConfigException("ErrImagePull", $"This machine does not have {(words.Count > 0 ? words[0] + " of " : "")}image \"{image}\".");
        if (!File.Exists(program.Executable))
            throw new ContainerConfigException("CreateContainerError", $"{program.Executable} does not exist.");
        var user = ContainerUser.Of(pod(), container);

        var values = await ResolveAsync(slot, cancellationToken).ConfigureAwait(false);
        foreach (var mount in container.Items("volumeMounts").Where(x => x.Text("subPath") is { Length: > 0 }))
        {
            if (folders.Translate(container, (mount.Text("mountPath") ?? "").TrimEnd('/')) is { } path && !File.Exists(path))
                Directory.CreateDirectory(path);
        }

        var work = container.Text("workingDir") is { } directory ? folders.TranslateOrOwn(container, directory) : folders.Directory;
        return new ProcessCommand(
            program.Executable,
            [
                .. Fill(program.Arguments, container),
                .. words.Skip(1).Concat(container.Texts("args")).Select(x => folders.Rewrite(container, ContainerEnvironment.Expand(x, values))),
            ],
            Environment(container, values),
            work,
            folders.Log(slot.Name).Current)
        {
            Network = options.Network?.Path,
            Account = Isolation.Here.Mounts ? folders.Account : null,
            User = Isolation.Here.Users ? user : null,
        };
    }

    /// <summary>Another program in a container that runs <paramref name="command"/>; null when the image does not have it.</summary>
    public ProcessCommand? Beside(JsonObject container, ProcessCommand command, IReadOnlyList<string> words, string output) =>
        words.Count > 0 && options.Images.Resolve(container.Text("image") ?? "", words[0]) is { } program
            ? command with
            {
                Executable = program.Executable,
                Arguments = [.. Fill(program.Arguments, container), .. words.Skip(1).Select(x => folders.Rewrite(container, x))],
                LogFile = output,
            }
            : null;

    private async Task<Dictionary<string, string>> ResolveAsync(ContainerSlot slot, CancellationToken cancellationToken)
    {
        var known = _environments.GetValueOrDefault(slot.Name);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (known is not null)
            bound.CancelAfter(CachedWait);
        try
        {
            await RefreshFoldersAsync(bound.Token).ConfigureAwait(false);
            return _environments[slot.Name] = await ContainerEnvironment.ResolveAsync(
                api, pod(), slot.Spec, ServiceVariables.Of(await ServicesAsync(bound.Token).ConfigureAwait(false)), Field, bound.Token).ConfigureAwait(false);
        }
        catch (KubernetesException) when (known is not null)
        {
            return known;
        }
        catch (OperationCanceledException) when (known is not null && !cancellationToken.IsCancellationRequested)
        {
            return known;
        }
        catch (Exception e) when (e is KubernetesException or IOException or FormatException)
        {
            throw new ContainerConfigException("CreateContainerConfigError", e.Message);
        }
    }

    private async Task<IEnumerable<JsonObject>> ServicesAsync(CancellationToken cancellationToken)
    {
        var document = pod();
        IEnumerable<JsonObject> services = options.ApiServer is { } server ? [ServiceVariables.Kubernetes(server)] : [];
        if (document.Flag("spec", "enableServiceLinks") == false)
            return services;
        var all = await api.ListAsync(Kinds.Services, document.Namespace(), ListOptions.All, cancellationToken).ConfigureAwait(false);
        return services.Concat(all.Items.Where(x => x.Namespace() == document.Namespace() && x.Name() != "kubernetes"));
    }

    /// <summary>Brings volumes and tokens to the present content of what they stand for.</summary>
    public async Task RefreshFoldersAsync(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await folders.RefreshAsync(pod(), Field, cancellationToken).ConfigureAwait(false);
            Prepared = true;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private Dictionary<string, string> Environment(JsonObject container, Dictionary<string, string> values)
    {
        var document = pod();
        var result = new Dictionary<string, string> { ["HOME"] = folders.Directory, ["DOTNET_EnableDiagnostics_IPC"] = "0" };
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (name is "PATH" or "LANG" or "TZ" || name.StartsWith("DOTNET_", StringComparison.Ordinal))
                result[name] = (string?)variable.Value ?? "";
        }

        foreach (var (name, value) in options.Environment)
            result[name] = value;
        result["HOSTNAME"] = document.Text("spec", "hostname") ?? document.Name();
        if (folders.KubeConfig is { } config && !Isolation.Here.Mounts)
            result["KUBECONFIG"] = config;
        foreach (var (name, value) in values)
            result[name] = folders.Rewrite(container, value);
        result["SANDBOX_ID"] = options.SandboxId;
        if (options.HostsFile is { } hosts)
            result["SANDBOX_HOSTS_FILE"] = hosts;
        return result;
    }

    private IEnumerable<string> Fill(IReadOnlyList<string> template, JsonObject container)
    {
        var document = pod();
        foreach (var word in template)
        {
            var text = word
                .Replace("{podIP}", podIP, StringComparison.Ordinal)
                .Replace("{podName}", document.Name(), StringComparison.Ordinal)
                .Replace("{namespace}", document.Namespace(), StringComparison.Ordinal)
                .Replace("{hostname}", document.Text("spec", "hostname") ?? document.Name(), StringComparison.Ordinal);
            const string Mount = "{mount:";
            for (var at = text.IndexOf(Mount, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Mount, StringComparison.Ordinal))
            {
                var end = text.IndexOf('}', at);
                text = text[..at] + folders.TranslateOrOwn(container, text[(at + Mount.Length)..end]) + text[(end + 1)..];
            }

            yield return text;
        }
    }

    private string? Field(string path)
    {
        var document = pod();
        if (path is "status.podIP" or "status.podIPs")
            return podIP;
        if (path is "status.hostIP" or "status.hostIPs")
            return hostIP;
        if (path is "metadata.name" or "metadata.namespace" or "metadata.uid" or "spec.nodeName" or "spec.serviceAccountName")
            return document.Text(path.Split('.')) ?? (path == "spec.serviceAccountName" ? "default" : "");
        foreach (var kind in (ReadOnlySpan<string>)["labels", "annotations"])
        {
            var start = $"metadata.{kind}";
            if (path == start)
                return string.Join('\n', document.Map("metadata", kind).Select(x => $"{x.Key}=\"{x.Value}\""));
            if (path.StartsWith(start + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal))
                return document.Text("metadata", kind, path[(start.Length + 2)..^2]) ?? "";
        }

        return null;
    }
}
