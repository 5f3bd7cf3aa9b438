using System.Net;
using System.Text.Json.Nodes;
using Agents.Kubernetes;
using KubernetesEmulator.Events;
using KubernetesEmulator.Objects;

namespace KubernetesEmulator.Nodes;

/// <summary>
/// A Kubernetes node that runs containers as processes of this machine. It is the kubelet's part of the contract between API server
/// and pods: it registers a Node, runs the pods bound to it, and reports what becomes of them.
/// </summary>
public sealed class ProcessNode : IAsyncDisposable
{
    private readonly ProcessNodeOptions _options;
    private readonly SeverableApi _api;
    private readonly EventRecorder _events;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, PodWorker> _workers = [];
    private readonly Dictionary<string, string> _addresses = [];
    private readonly string _hostIP;
    private volatile TaskCompletionSource? _frozen;
    private CancellationTokenSource? _running;
    private Mirror? _pods;
    private KubeletServer? _server;
    private Task _tasks = Task.CompletedTask;
    private int _nextAddress = 2;

    /// <summary>Makes a node that does nothing until it is started.</summary>
    public ProcessNode(ProcessNodeOptions options, IKubernetesApi api)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _api) = (options, new SeverableApi(api));
        _events = new EventRecorder(_api, "kubelet", options.Name, options.Time);
        _hostIP = Address(1);
    }

    /// <summary>Name of the Node object.</summary>
    public string Name => _options.Name;

    /// <summary>True between <see cref="StartAsync"/> and a crash or disposal.</summary>
    public bool Running => _running is not null;

    /// <summary>Registers the node and starts to run its pods; after a crash, as a machine that has booted again.</summary>
    /// <exception cref="KubernetesException">The node could not be registered.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_running is not null)
            throw new InvalidOperationException($"Node {Name} runs already.");
        Directory.CreateDirectory(_options.Directory);
        Directory.CreateDirectory(_options.VolumeDirectory);
        if (_options.ClientAuthority is { } authority)
            _server = await KubeletServer.StartAsync(this, IPAddress.Parse(_hostIP), authority, _options.Network, cancellationToken).ConfigureAwait(false);
        var report = new NodeReport(_options, _api, _hostIP, _server?.Port, GateAsync);
        await report.RegisterAsync(cancellationToken).ConfigureAwait(false);

        if (!Isolation.Here.Users)
            _options.Log($"node {Name}: this process may not change users: containers run as its own, whatever runAsUser, runAsGroup and fsGroup say");

        var running = new CancellationTokenSource();
        var stop = running.Token;
        var (work, refresh) = (new Wake(), new Wake());
        var pods = new Mirror(_api, Kinds.Pods, _options.Time, work.Set, new ListOptions(FieldSelector: $"spec.nodeName={Name}"));
        var secrets = new Mirror(_api, Kinds.Secrets, _options.Time, refresh.Set);
        var maps = new Mirror(_api, Kinds.ConfigMaps, _options.Time, refresh.Set);
        _pods = pods;
        _running = running;
        _tasks = Task.WhenAll(
            Task.Run(() => pods.RunAsync(stop), stop),
            Task.Run(() => secrets.RunAsync(stop), stop),
            Task.Run(() => maps.RunAsync(stop), stop),
            Task.Run(() => LoopAsync(work, TimeSpan.FromSeconds(5), TimeSpan.Zero, _ => Reconcile(pods), stop), stop),
            Task.Run(() => LoopAsync(refresh, TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(100), RefreshAsync, stop), stop),
            Task.Run(() => report.HeartbeatAsync(stop), stop),
            Task.Run(() => _events.RunAsync(stop), stop));
        _events.Normal(EventRecorder.Node(Name), "Starting", "Starting kubelet.");
    }

    /// <summary>The machine dies: every process of every pod is killed, and nobody is told.</summary>
    public async Task CrashAsync()
    {
        if (Interlocked.Exchange(ref _running, null) is not { } running)
            return;
        List<PodWorker> workers;
        lock (_lock)
        {
            running.Cancel();
            workers = [.. _workers.Values];
            _workers.Clear();
            foreach (var worker in workers)
                worker.Abandon();
        }

        Thaw();
        if (Interlocked.Exchange(ref _server, null) is { } server)
            await server.DisposeAsync().ConfigureAwait(false);
        try
        {
            await _tasks.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }

        await Task.WhenAll(workers.Select(x => x.Completion)).ConfigureAwait(false);
        foreach (var worker in workers)
            worker.Dispose();
        running.Dispose();
    }

    /// <summary>Stops the whole machine in its tracks, without ending anything, until <see cref="Thaw()"/>.</summary>
    public void Freeze()
    {
        _frozen ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SignalAll(Posix.SigStop);
    }

    /// <summary>Ends <see cref="Freeze()"/>.</summary>
    public void Thaw()
    {
        SignalAll(Posix.SigCont);
        if (Interlocked.Exchange(ref _frozen, null) is { } frozen)
            frozen.SetResult();
    }

    /// <summary>Has every packet between the node and others vanish, until <see cref="HealAsync"/>. The node and its pods live on.</summary>
    /// <exception cref="InvalidOperationException">The node has no network of its own.</exception>
    public async Task CutAsync(NodeCut cut, CancellationToken cancellationToken)
    {
        await Network.CutAsync(cut, cancellationToken).ConfigureAwait(false);
        if (cut != NodeCut.Peers)
            _api.Cut();
    }

    /// <summary>Ends every cut.</summary>
    /// <exception cref="InvalidOperationException">The node has no network of its own.</exception>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        await Network.HealAsync(cancellationToken).ConfigureAwait(false);
        _api.Heal();
    }

    /// <summary>Signals every process of a container.</summary>
    /// <returns>False when no such container runs here.</returns>
    public bool Signal(string @namespace, string pod, string container, int signal) =>
        Worker(@namespace, pod)?.Signal(container, signal) > 0;

    /// <summary>Kills every process of a container and waits until its leading process is gone.</summary>
    /// <returns>False when no such container runs here.</returns>
    public async Task<bool> KillContainerAsync(
        string @namespace, string pod, string container, int signal = Posix.SigKill, CancellationToken cancellationToken = default)
    {
        if (Worker(@namespace, pod) is not { } worker || worker.RunningId(container) is not { } id || worker.Signal(container, signal) == 0)
            return false;
        if (signal != Posix.SigKill)
            return true;
        while (worker.RunningId(container) == id)
            await Task.Delay(TimeSpan.FromMilliseconds(1), _options.Time, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Gives every pod a new token before the present one's time, as the kubelet would at the end of that.</summary>
    public async Task RenewTokensAsync(CancellationToken cancellationToken)
    {
        foreach (var worker in Workers())
            await worker.RenewTokensAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops a container's processes without ending them.</summary>
    /// <returns>False when no such container runs here.</returns>
    public bool Freeze(string @namespace, string pod, string container) => Signal(@namespace, pod, container, Posix.SigStop);

    /// <summary>Ends <see cref="Freeze(string, string, string)"/>.</summary>
    /// <returns>False when no such container runs here.</returns>
    public bool Thaw(string @namespace, string pod, string container) => Signal(@namespace, pod, container, Posix.SigCont);

    /// <summary>Process id of a running container's leading process, or null.</summary>
    public int? ProcessId(string @namespace, string pod, string container) => Worker(@namespace, pod)?.Pid(container);

    /// <summary>A container's log.</summary>
    /// <param name="namespace">The pod's namespace.</param>
    /// <param name="pod">The pod's name.</param>
    /// <param name="container">The container, or null for the pod's first one.</param>
    /// <param name="query">Which part, and how.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Blocks of bytes; nothing when there is no such log.</returns>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLogAsync(
        string @namespace, string pod, string? container, LogQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        container ??= Known(@namespace, pod).Items("spec", "containers") is [var first, ..] ? first.Text("name") : null;
        if (container is null || Log(@namespace, pod, container) is not { } log || !log.Exists(query.Previous))
            return AsyncEnumerable.Empty<ReadOnlyMemory<byte>>();
        var worker = Worker(@namespace, pod);
        var id = worker?.RunningId(container);
        return log.ReadAsync(query, () => id is not null && worker!.RunningId(container) == id, _options.Time, cancellationToken);
    }

    /// <summary>The machine's clock.</summary>
    internal DateTimeOffset Now => _options.Time.GetUtcNow();

    /// <summary>Waits while the machine is frozen.</summary>
    internal Task AnswersAsync(CancellationToken cancellationToken) => GateAsync(cancellationToken);

    /// <summary>Why there is no such log, and the status of that answer; null when there is one.</summary>
    internal (int Status, string Why)? RefuseLog(string @namespace, string pod, string container, bool previous)
    {
        if (Known(@namespace, pod) is not { } known)
            return (404, "pod does not exist");
        var all = known.Items("spec", "containers").Concat(known.Items("spec", "initContainers"));
        if (!all.Any(x => x.Text("name") == container))
            return (404, $"container \"{container}\" not found in pod \"{pod}\"");
        if (Log(@namespace, pod, container)?.Exists(previous) == true)
            return null;
        if (previous)
            return (400, $"previous terminated container \"{container}\" in pod \"{pod}\" not found");
        var status = known.Items("status", "containerStatuses").Concat(known.Items("status", "initContainerStatuses")).FirstOrDefault(x => x.Text("name") == container);
        var reason = status.Text("state", "waiting", "reason") switch
        {
            null => "ContainerCreating",
            "ErrImagePull" or "ImagePullBackOff" => "trying and failing to pull image",
            var other => other,
        };
        return (400, $"container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}");
    }

    /// <summary>Kills everything; the Node object stays.</summary>
    public async ValueTask DisposeAsync() => await CrashAsync().ConfigureAwait(false);

    private List<PodWorker> Workers()
    {
        lock (_lock)
            return [.. _workers.Values.Where(x => !x.Completion.IsCompleted)];
    }

    private JsonObject? Known(string @namespace, string pod) => _pods?.Items.GetValueOrDefault($"{@namespace}/{pod}");

    private ContainerLog? Log(string @namespace, string pod, string container) =>
        (Worker(@namespace, pod)?.Uid ?? Known(@namespace, pod)?.Uid()) is { } uid
            ? PodFolders.LogOf(Path.Combine(_options.Directory, "pods", uid), container)
            : null;

    private NodeNetwork Network =>
        _options.Network ?? throw new InvalidOperationException($"Node {Name} shares the network of this process and cannot be cut off.");

    private PodWorker? Worker(string @namespace, string pod)
    {
        var key = $"{@namespace}/{pod}";
        lock (_lock)
            return _workers.Values.FirstOrDefault(x => x.Key == key && !x.Completion.IsCompleted);
    }

    private void SignalAll(int signal)
    {
        lock (_lock)
        {
            foreach (var worker in _workers.Values)
                worker.Signal(null, signal);
        }
    }

    private Task GateAsync(CancellationToken cancellationToken) => _frozen?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    private async Task LoopAsync(Wake wake, TimeSpan longest, TimeSpan settle, Func<CancellationToken, Task> turn, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await wake.WaitAsync(longest, stop).ConfigureAwait(false);
                if (settle > TimeSpan.Zero)
                    await Task.Delay(settle, _options.Time, stop).ConfigureAwait(false);
                await GateAsync(stop).ConfigureAwait(false);
                await turn(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The top of the loop: one bad turn must not end the node.
                _options.Log($"node {Name}: {e.Message}");
            }
        }
    }

    /// <summary>One worker per pod bound here; whatever is not finished gets started, and whatever is gone gets stopped.</summary>
    private async Task Reconcile(Mirror mirror)
    {
        if (!mirror.Synced)
            return;
        var pods = mirror.Items.Values.ToDictionary(x => x.Uid());
        var removals = new List<JsonObject>();
        lock (_lock)
        {
            if (_running is null)
                return;
            foreach (var (uid, worker) in _workers.ToList())
            {
                if (pods.TryGetValue(uid, out var pod))
                {
                    worker.Update(pod);
                }
                else if (!worker.Completion.IsCompleted)
                {
                    worker.Removed();
                }
                else
                {
                    _workers.Remove(uid);
                    _addresses.Remove(uid);
                    worker.Dispose();
                }
            }

            foreach (var (uid, pod) in pods.Where(x => !_workers.ContainsKey(x.Key)))
            {
                if (pod.Finished())
                {
                    if (pod.Deleting())
                        removals.Add(pod);
                    continue;
                }

                var older = _workers.Values.Where(x => x.Key == pod.Key()).Select(x => x.Completion).ToList();
                var worker = new PodWorker(_options, _api, _events, pod, PodAddress(uid), _hostIP, GateAsync);
                _workers.Add(uid, worker);
                worker.Update(pod);
                worker.Start(older.Count > 0 ? Task.WhenAll(older) : null);
            }
        }

        foreach (var pod in removals)
            await _api.DeleteAsync(Kinds.Pods, pod.Namespace(), pod.Name(), CancellationToken.None, new DeleteOptions(0, pod.Uid())).ConfigureAwait(false);
    }

    private async Task RefreshAsync(CancellationToken stop)
    {
        foreach (var worker in Workers())
            await worker.RefreshAsync(stop).ConfigureAwait(false);
    }

    private string PodAddress(string uid)
    {
        if (_addresses.TryGetValue(uid, out var known))
            return known;
        for (var i = 0; i < 253; i++)
        {
            var candidate = Address(2 + ((_nextAddress - 2 + i) % 253));
            if (_addresses.ContainsValue(candidate))
                continue;
            _nextAddress = 2 + ((_nextAddress - 2 + i + 1) % 253);
            return _addresses[uid] = candidate;
        }

        throw new InvalidOperationException($"Node {Name} has no free pod address.");
    }

    private string Address(int host)
    {
        var network = _options.PodNetwork.GetAddressBytes();
        return new IPAddress([network[0], network[1], (byte)(network[2] + _options.Index), (byte)host]).ToString();
    }
}
