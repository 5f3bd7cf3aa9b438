using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Events;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// Runs one pod from its start to its deletion: a task per container, and one that writes the status. Containers never wait for the
/// API server once they have run: without it they keep running, are restarted, and their status is written later.
/// </summary>
internal sealed class PodWorker : IDisposable
{
    private const int LongestOutput = 10_000;
    private static readonly TimeSpan ForcedGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    private readonly ProcessNodeOptions _options;
    private readonly IKubernetesApi _api;
    private readonly Func<CancellationToken, Task> _gate;
    private readonly string _podIP;
    private readonly string _hostIP;
    private readonly EventRecorder _events;
    private readonly PodFolders _folders;
    private readonly PodCommands _commands;
    private readonly PodStatusWriter _status;
    private readonly List<ContainerSlot> _slots;
    private readonly DateTimeOffset _startedAt;
    private readonly string _policy;
    private readonly Lock _lock = new();
    private readonly Wake _changed = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _kill;
    private JsonObject _pod;
    private bool _ended;
    private bool _gone;
    private int? _grace;

    public PodWorker(
        ProcessNodeOptions options, IKubernetesApi api, EventRecorder events, JsonObject pod, string podIP, string hostIP, Func<CancellationToken, Task> gate)
    {
        (_options, _api, _events, _pod, _podIP, _hostIP, _gate) = (options, api, events, pod, podIP, hostIP, gate);
        (Uid, Key) = (pod.Uid(), pod.Key());
        _stop = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token);
        _kill = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time);
        _folders = new PodFolders(options, api, Path.Combine(options.Directory, "pods", Uid));
        _commands = new PodCommands(options, api, _folders, Pod, podIP, hostIP);
        _policy = pod.Text("spec", "restartPolicy") ?? "Always";
        _startedAt = pod.Time("status", "startTime") ?? options.Time.GetUtcNow();
        _slots =
        [
            .. pod.Items("spec", "initContainers").Select(x => new ContainerSlot(x, init: true)),
            .. pod.Items("spec", "containers").Select(x => new ContainerSlot(x, init: false)),
        ];
        _status = new PodStatusWriter(options, api, Uid, _changed, gate, Present, Update, Removed);
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
        if (!_commands.Prepared || _stop.IsCancellationRequested)
            return;
        try
        {
            await _commands.RefreshFoldersAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is KubernetesException or ContainerConfigException or IOException)
        {
            // What the volumes show stays as it was, as with the kubelet; the next change or tick tries again.
        }
    }

    public void Dispose()
    {
        _changed.Dispose();
        _commands.Dispose();
        _status.Dispose();
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

    /// <summary>The pod and the status that it should have; null when it is gone from the API server.</summary>
    private (JsonObject Pod, JsonObject Status)? Present()
    {
        lock (_lock)
            return _gone ? null : (_pod, PodStatus.Build(_pod, _slots, _ended, _podIP, _hostIP, _startedAt, _options.Time.GetUtcNow()));
    }

    private void Change(Action action)
    {
        lock (_lock)
            action();
        _changed.Set();
    }

    private async Task RunAsync(Task? predecessor)
    {
        var abandoned = _abandon.Token;
        try
        {
            if (predecessor is not null)
                await predecessor.WaitAsync(abandoned).ConfigureAwait(false);
            var writer = _status.RunAsync(abandoned);
            await _status.FlushAsync(TimeSpan.FromSeconds(1), abandoned).ConfigureAwait(false);
            await RunContainersAsync(_stop.Token).ConfigureAwait(false);
            Change(() => _ended = true);
            await UntilAsync(_stop.Token).ConfigureAwait(false);
            abandoned.ThrowIfCancellationRequested();
            await _status.FlushAsync(TimeSpan.FromSeconds(5), abandoned).ConfigureAwait(false);
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
                command = await _commands.PrepareAsync(slot, stop).ConfigureAwait(false);
                await _gate(stop).ConfigureAwait(false);
                process = StartProcess(slot, command);
            }
            catch (ContainerConfigException e)
            {
                Report(slot, e);
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
                var pod = Pod();
                Change(() => slot.Wait(
                    "CrashLoopBackOff", $"back-off {delay.TotalSeconds}s restarting failed container={slot.Name} pod={pod.Name()}_{pod.Namespace()}({Uid})"));
                _events.Warning(Reference(slot), "BackOff", "Back-off restarting failed container");
                await PauseAsync(delay, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Says why a container cannot start.</summary>
    private void Report(ContainerSlot slot, ContainerConfigException e)
    {
        switch (e.Reason)
        {
            case "ContainerCreating":
                _events.Warning(EventRecorder.Pod(Pod()), "FailedMount", e.Message);
                break;
            case "ErrImagePull":
                _events.Warning(Reference(slot), "Failed", $"Failed to pull image \"{slot.Spec.Text("image")}\": {e.Message}");
                _events.Warning(Reference(slot), "Failed", "Error: ErrImagePull");
                break;
            default:
                _events.Warning(Reference(slot), "Failed", $"Error: {e.Message}");
                break;
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
                _events.Normal(Reference(slot), "Pulled", $"Container image \"{slot.Spec.Text("image")}\" already present on machine");
                _events.Normal(Reference(slot), "Created", $"Created container {slot.Name}");
                _events.Normal(Reference(slot), "Started", $"Started container {slot.Name}");
                slot.Run(process, slot.Spec.Document("startupProbe") is not null, slot.Spec.Document("readinessProbe") is not null);
                return process;
            }
            catch (Win32Exception e)
            {
                throw new ContainerConfigException("RunContainerError", e.Message);
            }
        }
    }

    /// <summary>Until the process has ended: by itself, because a probe or a hook condemned it, or because the pod stops.</summary>
    private async Task<int> SuperviseAsync(ContainerSlot slot, ContainerProcess process, ProcessCommand command, CancellationToken stop)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var probe = new Probe(_options.Network, (words, timeout, token) => ExecuteAsync(slot.Spec, command, words, timeout, token));
        var noting = _folders.Log(slot.Name).NoteAsync(process.Exit, _options.Time);
        var probes = new ContainerProbes(
            slot, probe, _podIP, _options.Time, _gate, Change, why => _events.Warning(Reference(slot), "Unhealthy", why));
        var probing = probes.RunAsync(watching.Token);
        var started = await RunHookAsync("PostStart", slot, probe, process, stop).ConfigureAwait(false);
        if (started)
            await Task.WhenAny(process.Exit, probing).ConfigureAwait(false);
        if (!process.Exit.IsCompleted)
        {
            var verdict = started ? await probing.ConfigureAwait(false) : null;
            _events.Normal(Reference(slot), "Killing", !started ? "FailedPostStartHook"
                : verdict is null ? $"Stopping container {slot.Name}"
                : $"Container {slot.Name} failed {verdict.Kind} probe, will be restarted");
            int? grace = _stop.IsCancellationRequested
                ? null
                : verdict?.Spec.Number("terminationGracePeriodSeconds") ?? Pod().Number("spec", "terminationGracePeriodSeconds") ?? 30;
            await EndAsync(slot, probe, process, grace).ConfigureAwait(false);
        }

        var code = await process.Exit.ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        await probing.ConfigureAwait(false);
        await noting.ConfigureAwait(false);
        return code;
    }

    /// <summary>Runs a hook, if the container has it, until it or the container ends.</summary>
    /// <returns>False when it failed.</returns>
    private async Task<bool> RunHookAsync(string name, ContainerSlot slot, Probe probe, ContainerProcess process, CancellationToken cancellationToken)
    {
        if (slot.Spec.Document("lifecycle", char.ToLowerInvariant(name[0]) + name[1..]) is not { } hook)
            return true;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _kill.Token);
        var running = probe.RunAsync(hook, slot.Spec, _podIP, TimeSpan.FromMinutes(10), bound.Token);
        await Task.WhenAny(running, process.Exit).ConfigureAwait(false);
        if (!running.IsCompleted)
            await bound.CancelAsync().ConfigureAwait(false);
        try
        {
            var outcome = await running.ConfigureAwait(false);
            if (!outcome.Ok)
                _events.Warning(Reference(slot), $"Failed{name}Hook", $"{name} hook of container \"{slot.Name}\" in pod \"{Key}\" failed: {outcome.Output}");
            return outcome.Ok;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    /// <param name="slot">The container.</param>
    /// <param name="probe">Runs its hook.</param>
    /// <param name="process">What must end.</param>
    /// <param name="grace">Within so many seconds, or when the pod's grace is over, if that is sooner.</param>
    private async Task EndAsync(ContainerSlot slot, Probe probe, ContainerProcess process, int? grace)
    {
        if (_abandon.IsCancellationRequested)
        {
            process.SignalAll(Posix.SigKill);
            return;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_kill.Token, _abandon.Token);
        if (grace is { } seconds)
            deadline.CancelAfter(TimeSpan.FromSeconds(seconds));
        await RunHookAsync("PreStop", slot, probe, process, deadline.Token).ConfigureAwait(false);
        process.Signal(Posix.SigTerm);
        // A hook that used up all the time leaves the container a little. The pod's own source is asked, because one that is linked may hear of it later.
        var late = deadline.IsCancellationRequested || _kill.IsCancellationRequested;
        using var least = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token);
        if (late)
            least.CancelAfter(LeastGrace);
        try
        {
            await process.Exit.WaitAsync(late ? least.Token : deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.SignalAll(Posix.SigKill);
        }
    }

    /// <summary>Runs a command in the container's environment.</summary>
    private async Task<ProbeOutcome> ExecuteAsync(
        JsonObject container, ProcessCommand command, IReadOnlyList<string> words, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var output = Path.Combine(_folders.Directory, "exec-" + Guid.NewGuid().ToString("n"));
        if (_commands.Beside(container, command, words, output) is not { } beside)
            return new ProbeOutcome(false, $"{(words.Count > 0 ? words[0] : "a command")}: executable file not found");
        try
        {
            ContainerProcess process;
            lock (_lock)
            {
                _abandon.Token.ThrowIfCancellationRequested();
                process = ContainerProcess.Start(beside, _options.Time);
            }

            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _abandon.Token);
            bound.CancelAfter(timeout);
            try
            {
                var code = await process.Exit.WaitAsync(bound.Token).ConfigureAwait(false);
                return new ProbeOutcome(code == 0, await BeginningAsync(output, cancellationToken).ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                process.SignalAll(Posix.SigKill);
                cancellationToken.ThrowIfCancellationRequested();
                return new ProbeOutcome(false, $"command \"{string.Join(' ', words)}\" timed out");
            }
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static async Task<string> BeginningAsync(string path, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestOutput];
        await using var file = File.OpenRead(path);
        return Encoding.UTF8.GetString(buffer.AsSpan(0, await file.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken).ConfigureAwait(false)));
    }

    private JsonObject Reference(ContainerSlot slot) =>
        EventRecorder.Pod(Pod(), $"spec.{(slot.Init ? "initContainers" : "containers")}{{{slot.Name}}}");

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
