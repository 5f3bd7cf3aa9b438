using System.Diagnostics;
using Agents.Hosting;
using Agents.Kubernetes;
using Agents.Observation;
using Microsoft.Extensions.Logging;

namespace Agents.AgSupervisor;

/// <summary>Looks at what is wanted and what runs, and brings them together, until cancelled; then stops every agent.</summary>
internal sealed partial class SupervisorLoop
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(5);

    private readonly SupervisorOptions options;
    private readonly ResourceCache<SqlServer> servers;
    private readonly ResourceCache<Pod> pods;
    private readonly PodLabels labels;
    private readonly IAgentProcesses processes;
    private readonly WakeUp wake;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Dictionary<string, Child> children = [];

    public SupervisorLoop(
        SupervisorOptions options, IKubernetesApi api, IAgentProcesses processes, TimeProvider time, Random random, ILogger logger)
    {
        this.options = options;
        this.processes = processes;
        this.time = time;
        this.logger = logger;
        wake = new WakeUp(time);
        labels = new PodLabels(api, options, time, logger);
        servers = new ResourceCache<SqlServer>(
            api, KubernetesTypes.SqlServers, options.Namespace, Only(options.SqlServerName), time, new Random(random.Next()), logger);
        pods = new ResourceCache<Pod>(
            api, KubernetesTypes.Pods, options.Namespace, Only(options.PodName), time, new Random(random.Next()), logger);
        servers.Changed += wake.Set;
        pods.Changed += wake.Set;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var watches = Task.WhenAll(servers.RunAsync(cancellationToken), pods.RunAsync(cancellationToken));
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var plan = SupervisorDecider.Decide(Observe());
                foreach (var step in plan.Steps)
                    Take(step);
                labels.Write(plan.LabelChanges, wake.Set, cancellationToken);
                var sleep = plan.LookAgainIn is { } due && due < LongestSleep ? due : LongestSleep;
                await wake.WaitAsync(sleep > TimeSpan.Zero ? sleep : TimeSpan.FromMilliseconds(1), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end that was asked for.
        }
        finally
        {
            await StopAllAsync().ConfigureAwait(false);
            await watches.ConfigureAwait(false);
            await labels.FinishAsync().ConfigureAwait(false);
        }
    }

    private static ListOptions Only(string name) => new(FieldSelector: $"metadata.name={name}");

    private SupervisorFacts Observe()
    {
        var now = time.Monotonic();
        foreach (var child in children.Values)
            if (child.State is not (ChildState.Ended or ChildState.Left) && child.Process.Ended.IsCompleted)
                NoteEnd(child, now);
        return new SupervisorFacts(
            now, Desired(), [.. children.Select(pair => new ChildFacts(pair.Key, pair.Value.State, pair.Value.Since, pair.Value.Failures))], OwnLabels());
    }

    private Dictionary<string, string>? Desired()
    {
        // A SqlServer that is gone takes its pod with it: until then its agents hold on to what they have.
        if (servers.Find(options.Namespace, options.SqlServerName) is not { } server)
            return null;
        var desired = new Dictionary<string, string>();
        if (server.Metadata.DeletionTimestamp is not null)
            return desired;
        foreach (var membership in server.Spec.AvailabilityGroups ?? [])
            desired.TryAdd(membership.Name, membership.AvailabilityMode);
        return desired;
    }

    private IReadOnlyDictionary<string, string>? OwnLabels() =>
        pods.Find(options.Namespace, options.PodName) is { } pod && pod.Metadata.Uid == options.PodUid
            ? pod.Metadata.Labels ?? new Dictionary<string, string>()
            : null;

    private void NoteEnd(Child child, TimeSpan now)
    {
        var code = child.Process.Ended.Result;
        child.Failures = now - child.Since >= SupervisorDecider.RanForLong ? 1 : child.Failures + 1;
        var left = code == ExitCodes.Done;
        LogEnded(left ? LogLevel.Information : LogLevel.Warning, child.Group, code, (now - child.Since).TotalSeconds);
        child.State = left ? ChildState.Left : ChildState.Ended;
        child.Since = now;
    }

    private void Take(ChildStep step)
    {
        LogStep(step.GetType().Name, step.Group, step.Because);
        switch (step)
        {
            case StartChild:
                Start(step.Group);
                break;
            case ForgetChild:
                children.Remove(step.Group);
                wake.Set();
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Start(string group)
    {
        var failures = children.TryGetValue(group, out var before) ? before.Failures : 0;
        try
        {
            var process = processes.Start(group);
            children[group] = new Child(group, process) { State = ChildState.Running, Since = time.Monotonic(), Failures = failures };
            _ = process.Ended.ContinueWith(_ => wake.Set(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
        catch (IOException error)
        {
            LogNotStarted(group, error.Message);
            children[group] = new Child(group, NeverStarted.Instance) { State = ChildState.Ended, Since = time.Monotonic(), Failures = failures + 1 };
        }
    }

    private async Task StopAllAsync()
    {
        var running = children.Values.Where(child => !child.Process.Ended.IsCompleted).ToArray();
        foreach (var child in running)
            child.Process.Stop();
        var ends = Task.WhenAll(running.Select(child => child.Process.Ended));
        if (await EndedWithinAsync(ends, SupervisorDecider.StopGrace).ConfigureAwait(false))
            return;
        foreach (var child in running.Where(child => !child.Process.Ended.IsCompleted))
        {
            LogStep("KillAgent", child.Group, $"it did not end within {SupervisorDecider.StopGrace.TotalSeconds:0} s");
            child.Process.Kill();
        }

        await EndedWithinAsync(ends, TimeSpan.FromSeconds(5)).ConfigureAwait(false);
    }

    private async Task<bool> EndedWithinAsync(Task ends, TimeSpan bound)
    {
        try
        {
            await ends.WaitAsync(bound, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "{Step} {Group}: {Because}")]
    private partial void LogStep(string step, string group, string because);

    [LoggerMessage(Message = "The agent of {Group} ended with code {Code} after {Seconds:0.0} s")]
    private partial void LogEnded(LogLevel level, string group, int code, double seconds);

    [LoggerMessage(LogLevel.Error, "The agent of {Group} was not started: {Message}")]
    private partial void LogNotStarted(string group, string message);

    private sealed class Child(string group, IAgentProcess process)
    {
        public string Group { get; } = group;

        public IAgentProcess Process { get; } = process;

        public ChildState State { get; set; }

        public TimeSpan Since { get; set; }

        public int Failures { get; set; }
    }

    private sealed class NeverStarted : IAgentProcess
    {
        public static NeverStarted Instance { get; } = new();

        public Task<int> Ended { get; } = Task.FromResult(-1);

        public void Stop()
        {
        }

        public void Kill()
        {
        }
    }
}
