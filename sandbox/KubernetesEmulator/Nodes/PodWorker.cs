using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// Runs one pod from its start to its deletion: a task per container, and one that writes the status. Containers never wait for the
/// API server once they have run: without it they keep running, are restarted, and their status is written later.
/// </summary>
internal sealed class PodWorker : IDisposable
{
    private static readonly TimeSpan ForcedGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CachedWait = TimeSpan.FromSeconds(2);

    private readonly ProcessNodeOptions _options;
    private readonly IKubernetesApi _api;
    private readonly Func<CancellationToken, Task> _gate;
    private readonly string _podIP;
    private readonly string _hostIP;
    private readonly PodFolders _folders;
    private readonly List<ContainerSlot> _slots;
    private readonly Dictionary<string, Dictionary<string, string>> _environments = [];
    private readonly DateTimeOffset _startedAt;
    private readonly string _policy;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _refreshing = new(1);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Wake _changed = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _kill;
    private JsonObject _pod;
    private string? _written;
    private bool _prepared;
    private bool _ended;
    private bool _gone;
    private int? _grace;

    public PodWorker(
        ProcessNodeOptions options, IKubernetesApi api, JsonObject pod, string podIP, string hostIP, Func<CancellationToken, Task> gate)
    {
        (_options, _api, _pod, _podIP, _hostIP, _gate) = (options, api, pod, podIP, hostIP, gate);
        (Uid, Key) = (pod.Uid(), pod.Key());
        _stop = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token);
        _kill = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time);
        _folders = new PodFolders(options, api, Path.Combine(options.Directory, "pods", Uid));
        _policy = pod.Text("spec", "restartPolicy") ?? "Always";
        _startedAt = pod.Time("status", "startTime") ?? options.Time.GetUtcNow();
        _slots =
        [
            .. pod.Items("spec", "initContainers").Select(x => new ContainerSlot(x, init: true)),
            .. pod.Items("spec", "containers").Select(x => new ContainerSlot(x, init: false)),
        ];
        foreach (var slot in _slots)
        {
            var known = pod.Items("status", slot.Init ? "initContainerStatuses" : "containerStatuses").FirstOrDefault(x => x.Text("name") == slot.Name);
            if (known?.Text("containerID") is not null)
                slot.Adopt(known, options.Time.GetUtcNow());
        }
    }

    public string Uid { get; }

    public string Key { get; }

    public string PodIP => _podIP;

    public PodFolders Folders => _folders;

    /// <summary>Ends when the pod is gone from the API server or the worker was abandoned.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Starts once <paramref name="predecessor"/>, an older pod of the same name, is gone.</summary>
    public void Start(Task? predecessor) => Completion = Task.Run(() => RunAsync(predecessor));

    public void Update(JsonObject pod)
    {
        lock (_lock)
        {
            if (Newer(pod, _pod))
                _pod = pod;
            if (pod.Deleting())
                StopWithin(pod.Number("metadata", "deletionGracePeriodSeconds") ?? pod.Number("spec", "terminationGracePeriodSeconds") ?? 30);
        }

        _changed.Set();
    }

    /// <summary>The pod is no longer at the API server: it was deleted by force.</summary>
    public void Removed()
    {
        lock (_lock)
        {
            _gone = true;
            StopWithin((int)ForcedGrace.TotalSeconds);
        }
    }

    /// <summary>As if the machine had lost power: everything is killed, nothing is reported.</summary>
    public void Abandon()
    {
        lock (_lock)
        {
            _ = _abandon.CancelAsync();
            foreach (var slot in _slots)
                slot.Process?.SignalAll(Posix.SigKill);
        }
    }

    /// <summary>Signals one container, or all when <paramref name="container"/> is null.</summary>
    /// <returns>How many containers ran.</returns>
    public int Signal(string? container, int signal)
    {
        lock (_lock)
        {
            var running = _slots.Where(x => x.Process is not null && (container is null || x.Name == container)).ToList();
            foreach (var slot in running)
                slot.Process!.SignalAll(signal);
            return running.Count;
        }
    }

    /// <summary>Process id of a running container, or null.</summary>
    public int? Pid(string container)
    {
        lock (_lock)
            return _slots.FirstOrDefault(x => x.Name == container)?.Process?.Pid;
    }

    /// <summary>Id of the container's present run, or null while it does not run.</summary>
    public string? RunningId(string container)
    {
        lock (_lock)
            return _slots.FirstOrDefault(x => x.Name == container)?.Process?.Id;
    }

    /// <summary>Gives the pod a new token before the present one's time.</summary>
    public Task RenewTokensAsync(CancellationToken cancellationToken)
    {
        _folders.ForgetTokens();
        return RefreshAsync(cancellationToken);
    }

    /// <summary>Brings Secret and ConfigMap volumes and tokens up to date.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (!_prepared || _stop.IsCancellationRequested)
            return;
        try
        {
            await RefreshFoldersAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is KubernetesException or ContainerConfigException or IOException)
        {
            // What the volumes show stays as it was, as with the kubelet; the next change or tick tries again.
        }
    }

    public void Dispose()
    {
        _changed.Dispose();
        _refreshing.Dispose();
        _writing.Dispose();
        _stop.Dispose();
        _kill.Dispose();
        _abandon.Dispose();
    }

    private static bool Newer(JsonObject candidate, JsonObject present) =>
        !ulong.TryParse(candidate.Version(), CultureInfo.InvariantCulture, out var a)
        || !ulong.TryParse(present.Version(), CultureInfo.InvariantCulture, out var b)
        || a >= b;

    private void StopWithin(int seconds)
    {
        if (_grace is { } before && before <= seconds)
            return;
        _grace = seconds;
        _kill.CancelAfter(TimeSpan.FromSeconds(seconds));
        _ = _stop.CancelAsync();
    }

    private JsonObject Pod()
    {
        lock (_lock)
            return _pod;
    }

    private void Change(Action action)
    {
        lock (_lock)
            action();
        _changed.Set();
    }

    private string? Field(string path)
    {
        var pod = Pod();
        if (path is "status.podIP" or "status.podIPs")
            return _podIP;
        if (path is "status.hostIP" or "status.hostIPs")
            return _hostIP;
        if (path is "metadata.name" or "metadata.namespace" or "metadata.uid" or "spec.nodeName" or "spec.serviceAccountName")
            return pod.Text(path.Split('.')) ?? (path == "spec.serviceAccountName" ? "default" : "");
        foreach (var kind in (ReadOnlySpan<string>)["labels", "annotations"])
        {
            var start = $"metadata.{kind}";
            if (path == start)
                return string.Join('\n', pod.Map("metadata", kind).Select(x => $"{x.Key}=\"{x.Value}\""));
            if (path.StartsWith(start + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal))
                return pod.Text("metadata", kind, path[(start.Length + 2)..^2]) ?? "";
        }

        return null;
    }

    private async Task RunAsync(Task? predecessor)
    {
        var abandoned = _abandon.Token;
        try
        {
            if (predecessor is not null)
                await predecessor.WaitAsync(abandoned).ConfigureAwait(false);
            var writer = WriteStatusAsync(abandoned);
            await FlushAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            await RunContainersAsync(_stop.Token).ConfigureAwait(false);
            Change(() => _ended = true);
            await UntilAsync(_stop.Token).ConfigureAwait(false);
            abandoned.ThrowIfCancellationRequested();
            await FlushAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            await DeleteAsync(abandoned).ConfigureAwait(false);
            await _abandon.CancelAsync().ConfigureAwait(false);
            await writer.ConfigureAwait(false);
            Directory.Delete(_folders.Directory, recursive: true);
        }
        catch (OperationCanceledException) when (abandoned.IsCancellationRequested)
        {
            await UntilNothingRunsAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The top of the pod's task: nobody else would hear of it.
            _options.Log($"pod {Key}: {e}");
        }
    }

    private async Task UntilNothingRunsAsync()
    {
        Task[] exits;
        lock (_lock)
            exits = [.. _slots.Select(x => x.Process?.Exit).OfType<Task>()];
        await Task.WhenAll(exits).ConfigureAwait(false);
    }

    private async Task RunContainersAsync(CancellationToken stop)
    {
        var policy = _policy;
        var running = new List<Task>();
        using var sidecars = CancellationTokenSource.CreateLinkedTokenSource(stop);
        foreach (var slot in _slots.Where(x => x.Init))
        {
            if (slot.Sidecar)
            {
                running.Add(RunContainerAsync(slot, "Always", sidecars.Token));
                await UntilStartedAsync(slot, stop).ConfigureAwait(false);
                continue;
            }

            await RunContainerAsync(slot, policy == "Always" ? "OnFailure" : policy, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested || slot.ExitCode != 0)
                break;
        }

        var initialized = false;
        lock (_lock)
            initialized = PodStatus.Initialized(_slots);
        if (initialized && !stop.IsCancellationRequested)
        {
            var main = _slots.Where(x => !x.Init).Select(x => RunContainerAsync(x, policy, stop)).ToList();
            await Task.WhenAll(main).ConfigureAwait(false);
        }

        await sidecars.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task UntilStartedAsync(ContainerSlot slot, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !slot.Started)
            await PauseAsync(TimeSpan.FromMilliseconds(20), stop).ConfigureAwait(false);
    }

    private async Task RunContainerAsync(ContainerSlot slot, string policy, CancellationToken stop)
    {
        if (slot.ExitCode is { } earlier && !PodStatus.Restarts(policy, earlier))
            return;
        var restarts = 0;
        while (!stop.IsCancellationRequested)
        {
            ContainerProcess process;
            ProcessCommand command;
            try
            {
                command = await PrepareAsync(slot, stop).ConfigureAwait(false);
                await _gate(stop).ConfigureAwait(false);
                process = StartProcess(slot, command);
            }
            catch (ContainerConfigException e)
            {
                Change(() => slot.Wait(e.Reason, e.Message));
                await PauseAsync(_options.RetryDelay, stop).ConfigureAwait(false);
                continue;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }

            _changed.Set();
            var code = await SuperviseAsync(slot, process, command, stop).ConfigureAwait(false);
            Change(() => slot.Terminate(code, _options.Time.GetUtcNow()));
            if (stop.IsCancellationRequested || !PodStatus.Restarts(policy, code))
                return;

            if (_options.Time.GetUtcNow() - process.StartedAt > 2 * _options.LongestRestartDelay)
                restarts = 0;
            if (restarts++ > 0)
            {
                var delay = TimeSpan.FromTicks(Math.Min(
                    _options.LongestRestartDelay.Ticks, _options.RestartDelay.Ticks << Math.Min(restarts - 2, 20)));
                Change(() => slot.Wait("CrashLoopBackOff", $"back-off {delay.TotalSeconds}s restarting failed container={slot.Name} pod={Key}"));
                await PauseAsync(delay, stop).ConfigureAwait(false);
            }
        }
    }

    private ContainerProcess StartProcess(ContainerSlot slot, ProcessCommand command)
    {
        _folders.Log(slot.Name).Rotate();
        lock (_lock)
        {
            if (_abandon.IsCancellationRequested || _stop.IsCancellationRequested)
                throw new OperationCanceledException();
            try
            {
                var process = ContainerProcess.Start(command, _options.Time);
                slot.Run(process, slot.Spec.Document("startupProbe") is not null, slot.Spec.Document("readinessProbe") is not null);
                return process;
            }
            catch (Win32Exception e)
            {
                throw new ContainerConfigException("RunContainerError", e.Message);
            }
        }
    }

    /// <summary>Until the process has ended: by itself, because a probe condemned it, or because the pod stops.</summary>
    private async Task<int> SuperviseAsync(ContainerSlot slot, ContainerProcess process, ProcessCommand command, CancellationToken stop)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var probe = new Probe(_options.Network, (words, timeout, token) => ExecuteAsync(slot.Spec, command, words, timeout, token));
        var noting = _folders.Log(slot.Name).NoteAsync(process.Exit, _options.Time);
        var probing = ProbeAsync(slot, probe, watching.Token);
        if (slot.Spec.Document("lifecycle", "postStart") is { } postStart
            && !await RunHookAsync(slot, probe, postStart, process, stop).ConfigureAwait(false))
        {
            process.SignalAll(Posix.SigKill);
        }

        await Task.WhenAny(process.Exit, probing).ConfigureAwait(false);
        if (!process.Exit.IsCompleted)
            await EndAsync(slot, probe, process, condemned: !_stop.IsCancellationRequested).ConfigureAwait(false);
        var code = await process.Exit.ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        await probing.ConfigureAwait(false);
        await noting.ConfigureAwait(false);
        return code;
    }

    private async Task<bool> RunHookAsync(ContainerSlot slot, Probe probe, JsonObject hook, ContainerProcess process, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _kill.Token);
        var running = probe.RunAsync(hook, slot.Spec, _podIP, TimeSpan.FromMinutes(10), bound.Token);
        await Task.WhenAny(running, process.Exit).ConfigureAwait(false);
        if (!running.IsCompleted)
            await bound.CancelAsync().ConfigureAwait(false);
        try
        {
            return await running.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private async Task EndAsync(ContainerSlot slot, Probe probe, ContainerProcess process, bool condemned)
    {
        if (_abandon.IsCancellationRequested)
        {
            process.SignalAll(Posix.SigKill);
            return;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_kill.Token, _abandon.Token);
        if (condemned)
            deadline.CancelAfter(TimeSpan.FromSeconds(Pod().Number("spec", "terminationGracePeriodSeconds") ?? 30));
        if (slot.Spec.Document("lifecycle", "preStop") is { } preStop)
            await RunHookAsync(slot, probe, preStop, process, deadline.Token).ConfigureAwait(false);
        process.Signal(Posix.SigTerm);
        try
        {
            await process.Exit.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.SignalAll(Posix.SigKill);
        }
    }

    /// <summary>Ends when the container must be restarted or <paramref name="token"/> is cancelled.</summary>
    private async Task ProbeAsync(ContainerSlot slot, Probe probe, CancellationToken token)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(token);
        try
        {
            var readinessSpec = slot.Spec.Document("readinessProbe");
            if (slot.Spec.Document("startupProbe") is { } startup)
            {
                var passed = false;
                await MonitorAsync(slot, probe, startup, false, ok => !(passed = ok), token).ConfigureAwait(false);
                if (!passed)
                    return;
                Change(() =>
                {
                    slot.Started = true;
                    slot.Ready = readinessSpec is null;
                });
            }

            var readiness = readinessSpec is null
                ? Task.CompletedTask
                : MonitorAsync(slot, probe, readinessSpec, false, ok =>
                {
                    Change(() => slot.Ready = ok && slot.Running);
                    return true;
                }, both.Token);
            if (slot.Spec.Document("livenessProbe") is { } liveness)
                await MonitorAsync(slot, probe, liveness, true, static ok => ok, both.Token).ConfigureAwait(false);
            else
                await UntilAsync(both.Token).ConfigureAwait(false);
            await both.CancelAsync().ConfigureAwait(false);
            await readiness.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
        }
    }

    /// <summary>Probes periodically; <paramref name="judge"/> hears each change of the verdict and says whether to go on.</summary>
    private async Task MonitorAsync(ContainerSlot slot, Probe probe, JsonObject spec, bool verdict, Func<bool, bool> judge, CancellationToken token)
    {
        var period = TimeSpan.FromSeconds(Math.Max(spec.Number("periodSeconds") ?? 10, 1));
        var timeout = TimeSpan.FromSeconds(Math.Max(spec.Number("timeoutSeconds") ?? 1, 1));
        var (failureLimit, successLimit) = (spec.Number("failureThreshold") ?? 3, spec.Number("successThreshold") ?? 1);
        var (failures, successes) = (0, 0);
        await Task.Delay(TimeSpan.FromSeconds(spec.Number("initialDelaySeconds") ?? 0), _options.Time, token).ConfigureAwait(false);
        while (true)
        {
            await _gate(token).ConfigureAwait(false);
            var ok = await probe.RunAsync(spec, slot.Spec, _podIP, timeout, token).ConfigureAwait(false);
            (failures, successes) = ok ? (0, successes + 1) : (failures + 1, 0);
            var next = failures >= failureLimit ? false : successes >= successLimit ? true : verdict;
            if (next != verdict || failures == failureLimit)
            {
                verdict = next;
                if (!judge(verdict))
                    return;
            }

            await Task.Delay(period, _options.Time, token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a command in the container's environment.</summary>
    private async Task<bool> ExecuteAsync(
        JsonObject container, ProcessCommand command, IReadOnlyList<string> words, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (words.Count == 0 || _options.Images.Resolve(container.Text("image") ?? "", words[0]) is not { } program)
            return false;
        ContainerProcess process;
        lock (_lock)
        {
            _abandon.Token.ThrowIfCancellationRequested();
            process = ContainerProcess.Start(
                command with
                {
                    Executable = program.Executable,
                    Arguments = [.. Fill(program.Arguments, container), .. words.Skip(1).Select(x => _folders.Rewrite(container, x))],
                    LogFile = "/dev/null",
                },
                _options.Time);
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _abandon.Token);
        bound.CancelAfter(timeout);
        try
        {
            return await process.Exit.WaitAsync(bound.Token).ConfigureAwait(false) == 0;
        }
        catch (OperationCanceledException)
        {
            process.SignalAll(Posix.SigKill);
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    private async Task<ProcessCommand> PrepareAsync(ContainerSlot slot, CancellationToken cancellationToken)
    {
        var container = slot.Spec;
        var image = container.Text("image") ?? "";
        var words = container.Texts("command");
        if (_options.Images.Resolve(image, words.Count > 0 ? words[0] : null) is not { } program)
            throw new ContainerConfigException("ErrImagePull", $"This machine does not have {(words.Count > 0 ? words[0] + " of " : "")}image \"{image}\".");
        if (!File.Exists(program.Executable))
            throw new ContainerConfigException("CreateContainerError", $"{program.Executable} does not exist.");

        var values = await ResolveAsync(slot, cancellationToken).ConfigureAwait(false);
        foreach (var mount in container.Items("volumeMounts").Where(x => x.Text("subPath") is { Length: > 0 }))
        {
            if (_folders.Translate(container, (mount.Text("mountPath") ?? "").TrimEnd('/')) is { } path && !File.Exists(path))
                Directory.CreateDirectory(path);
        }

        var work = container.Text("workingDir") is { } directory ? _folders.TranslateOrOwn(container, directory) : _folders.Directory;
        return new ProcessCommand(
            program.Executable,
            [
                .. Fill(program.Arguments, container),
                .. words.Skip(1).Concat(container.Texts("args")).Select(x => _folders.Rewrite(container, ContainerEnvironment.Expand(x, values))),
            ],
            Environment(container, values),
            work,
            _folders.Log(slot.Name).Current)
        {
            Network = _options.Network?.Path,
        };
    }

    private async Task<Dictionary<string, string>> ResolveAsync(ContainerSlot slot, CancellationToken cancellationToken)
    {
        var known = _environments.GetValueOrDefault(slot.Name);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (known is not null)
            bound.CancelAfter(CachedWait);
        try
        {
            await RefreshFoldersAsync(bound.Token).ConfigureAwait(false);
            return _environments[slot.Name] = await ContainerEnvironment.ResolveAsync(_api, Pod(), slot.Spec, Field, bound.Token).ConfigureAwait(false);
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

    private async Task RefreshFoldersAsync(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _folders.RefreshAsync(Pod(), Field, cancellationToken).ConfigureAwait(false);
            _prepared = true;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private Dictionary<string, string> Environment(JsonObject container, Dictionary<string, string> values)
    {
        var pod = Pod();
        var result = new Dictionary<string, string> { ["HOME"] = _folders.Directory, ["DOTNET_EnableDiagnostics_IPC"] = "0" };
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (name is "PATH" or "LANG" or "TZ" || name.StartsWith("DOTNET_", StringComparison.Ordinal))
                result[name] = (string?)variable.Value ?? "";
        }

        foreach (var (name, value) in _options.Environment)
            result[name] = value;
        result["HOSTNAME"] = pod.Text("spec", "hostname") ?? pod.Name();
        if (_folders.KubeConfig is { } config)
            result["KUBECONFIG"] = config;
        foreach (var (name, value) in values)
            result[name] = _folders.Rewrite(container, value);
        result["SANDBOX_ID"] = _options.SandboxId;
        if (_options.HostsFile is { } hosts)
            result["SANDBOX_HOSTS_FILE"] = hosts;
        return result;
    }

    private IEnumerable<string> Fill(IReadOnlyList<string> template, JsonObject container)
    {
        var pod = Pod();
        foreach (var word in template)
        {
            var text = word
                .Replace("{podIP}", _podIP, StringComparison.Ordinal)
                .Replace("{podName}", pod.Name(), StringComparison.Ordinal)
                .Replace("{namespace}", pod.Namespace(), StringComparison.Ordinal)
                .Replace("{hostname}", pod.Text("spec", "hostname") ?? pod.Name(), StringComparison.Ordinal);
            const string Mount = "{mount:";
            for (var at = text.IndexOf(Mount, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Mount, StringComparison.Ordinal))
            {
                var end = text.IndexOf('}', at);
                text = text[..at] + _folders.TranslateOrOwn(container, text[(at + Mount.Length)..end]) + text[(end + 1)..];
            }

            yield return text;
        }
    }

    private async Task WriteStatusAsync(CancellationToken abandoned)
    {
        try
        {
            while (true)
            {
                await _changed.WaitAsync(TimeSpan.FromSeconds(30), abandoned).ConfigureAwait(false);
                for (var pause = 100; !await TryWriteAsync(abandoned).ConfigureAwait(false); pause = Math.Min(pause * 2, 1000))
                    await Task.Delay(TimeSpan.FromMilliseconds(pause), _options.Time, abandoned).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (abandoned.IsCancellationRequested)
        {
        }
    }

    /// <summary>Writes the status now, if that is possible within <paramref name="bound"/>; otherwise it is written later.</summary>
    private async Task FlushAsync(TimeSpan bound)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token);
        limit.CancelAfter(bound);
        try
        {
            if (!await TryWriteAsync(limit.Token).ConfigureAwait(false))
                _changed.Set();
        }
        catch (OperationCanceledException)
        {
            _abandon.Token.ThrowIfCancellationRequested();
            _changed.Set();
        }
    }

    /// <returns>False when it must be tried again.</returns>
    private async Task<bool> TryWriteAsync(CancellationToken cancellationToken)
    {
        await _gate(cancellationToken).ConfigureAwait(false);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var attempt = 0; attempt < 5; attempt++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                JsonObject status, patch;
                lock (_lock)
                {
                    if (_gone)
                        return true;
                    status = PodStatus.Build(_pod, _slots, _ended, _podIP, _hostIP, _startedAt, _options.Time.GetUtcNow());
                    patch = new JsonObject
                    {
                        ["metadata"] = new JsonObject { ["uid"] = Uid, ["resourceVersion"] = _pod.Version() },
                        ["status"] = status,
                    };
                }

                var text = status.ToJsonString();
                if (text == _written && JsonNode.DeepEquals(Essence(Pod()), Essence(status)))
                    return true;
                var (@namespace, name) = (Pod().Namespace(), Pod().Name());
                try
                {
                    Update(await _api.MergePatchAsync(Kinds.Pods, @namespace, name, patch, cancellationToken, "status").ConfigureAwait(false));
                    _written = text;
                    return true;
                }
                catch (KubernetesException e) when (e.Failure is KubernetesFailure.Conflict or KubernetesFailure.NotFound or KubernetesFailure.Invalid)
                {
                    var present = await _api.GetAsync(Kinds.Pods, @namespace, name, cancellationToken).ConfigureAwait(false);
                    if (present is null || present.Uid() != Uid)
                    {
                        Removed();
                        return true;
                    }

                    lock (_lock)
                        _pod = present;
                    if (e.Failure == KubernetesFailure.Invalid)
                    {
                        _options.Log($"pod {Key}: status refused: {e.Message}");
                        return false;
                    }
                }
            }

            return false;
        }
        catch (KubernetesException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>What the API server must agree on with us: somebody else may have changed a condition in the meantime.</summary>
    private static JsonArray Essence(JsonObject podOrStatus) =>
        (podOrStatus.Items("status", "conditions") is { Count: > 0 } own ? own : podOrStatus.Items("conditions"))
        .OrderBy(x => x.Text("type"), StringComparer.Ordinal)
        .Select(x => (JsonNode?)new JsonArray(x.Text("type"), x.Text("status")))
        .ToJson();

    private async Task DeleteAsync(CancellationToken abandoned)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_gone)
                    return;
            }

            try
            {
                await _gate(abandoned).ConfigureAwait(false);
                var pod = Pod();
                await _api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), abandoned, new DeleteOptions(0, Uid)).ConfigureAwait(false);
                return;
            }
            catch (KubernetesException e) when (e.Failure is KubernetesFailure.Conflict or KubernetesFailure.NotFound)
            {
                return;
            }
            catch (KubernetesException)
            {
                await Task.Delay(_options.RetryDelay, _options.Time, abandoned).ConfigureAwait(false);
            }
        }
    }

    private async Task PauseAsync(TimeSpan delay, CancellationToken stop)
    {
        try
        {
            await Task.Delay(delay, _options.Time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static async Task UntilAsync(CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(done.SetResult);
        await done.Task.ConfigureAwait(false);
    }
}
