using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Agents.AgSupervisor;
using Agents.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.AgSupervisor;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class SupervisorLoopTests : IDisposable
{
    private readonly OneInstance api = new();
    private readonly FakeProcesses processes = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Task run;

    public SupervisorLoopTests()
    {
        var options = new SupervisorOptions("ag1", "mssql1-0", "uid-1", "mssql1", null!);
        run = new SupervisorLoop(options, api, processes, TimeProvider.System, new Random(1), NullLogger.Instance).RunAsync(stop.Token);
    }

    [Test]
    public async Task Agents_and_labels_follow_the_list_of_groups()
    {
        api.List("ag1", "ag2");
        await Until(() => processes.Running == "ag1,ag2" && api.PodLabels() ==
            "ag-service.mssql.microsoft.com/ag1=,ag-service.mssql.microsoft.com/ag2=,mode.ag.mssql.microsoft.com/ag1=synchronousCommit,mode.ag.mssql.microsoft.com/ag2=synchronousCommit");
        api.List("ag2");
        await Until(() =>
        {
            // One that leaves before the supervisor has seen the new list is started again, and leaves again.
            processes.Leave("ag1");
            return processes.Running == "ag2" && api.PodLabels() ==
                "ag-service.mssql.microsoft.com/ag2=,mode.ag.mssql.microsoft.com/ag2=synchronousCommit";
        });
    }

    [Test]
    public async Task An_agent_whose_group_is_no_longer_listed_runs_until_the_instance_has_left()
    {
        api.List("ag1");
        await Until(() => processes.Running == "ag1" && api.PodLabels().Length > 0);
        api.List();
        processes.Crash("ag1");
        await Until(() => processes.Started == 2 && processes.Running == "ag1");
        Assert.That(api.PodLabels(), Is.Not.Empty);
        await Until(() =>
        {
            processes.Leave("ag1");
            return api.PodLabels().Length == 0;
        });
        Assert.That(processes.Running, Is.Empty);
    }

    [Test]
    public async Task An_agent_that_ends_is_started_again()
    {
        api.List("ag1");
        await Until(() => processes.Running == "ag1");
        processes.Crash("ag1");
        await Until(() => processes.Started == 2 && processes.Running == "ag1");
    }

    [Test]
    public async Task While_the_API_server_is_away_or_the_SqlServer_is_gone_the_agents_run_and_are_restarted()
    {
        api.List("ag1");
        await Until(() => processes.Running == "ag1");
        api.Remove();
        api.Away();
        processes.Crash("ag1");
        await Until(() => processes.Started == 2 && processes.Running == "ag1");
    }

    [Test]
    public async Task At_the_end_every_agent_is_asked_to_end_and_waited_for()
    {
        api.List("ag1", "ag2");
        await Until(() => processes.Running == "ag1,ag2");
        await stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.That(processes.Running, Is.Empty);
        Assert.That(processes.Killed, Is.Zero);
    }

    public void Dispose()
    {
        stop.Cancel();
        Assert.That(run.Wait(TimeSpan.FromSeconds(30)), Is.True);
        stop.Dispose();
    }

    private async Task Until(Func<bool> condition)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            Assert.That(run.IsCompleted, Is.False, "The loop has ended.");
            Assert.That(bound.IsCancellationRequested, Is.False, $"running: {processes.Running}; labels: {api.PodLabels()}");
            await Task.Delay(5);
        }
    }

    private sealed class FakeProcesses : IAgentProcesses
    {
        private readonly ConcurrentDictionary<string, FakeProcess> running = new();
        private int started;
        private int killed;

        public string Running => string.Join(',', running.Keys.Order(StringComparer.Ordinal));

        public int Started => started;

        public int Killed => killed;

        public IAgentProcess Start(string group)
        {
            Interlocked.Increment(ref started);
            var process = new FakeProcess(() => running.TryRemove(group, out _), () => Interlocked.Increment(ref killed));
            return running.TryAdd(group, process) ? process : throw new InvalidOperationException($"A second agent of {group}.");
        }

        public void Crash(string group) => running[group].End(139);

        public void Leave(string group)
        {
            if (running.TryGetValue(group, out var process))
                process.End(0);
        }
    }

    private sealed class FakeProcess(Action ended, Action killed) : IAgentProcess
    {
        private readonly TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<int> Ended => end.Task;

        public void End(int code)
        {
            ended();
            end.TrySetResult(code);
        }

        public void Stop() => End(0);

        public void Kill()
        {
            killed();
            End(137);
        }
    }

    /// <summary>An API server that knows one SqlServer and its pod.</summary>
    private sealed class OneInstance : IKubernetesApi
    {
        private readonly Lock gate = new();
        private readonly List<Channel<bool>> watches = [];
        private SqlServer? server;
        private Pod pod = new() { Metadata = new ObjectMeta { Name = "mssql1-0", Namespace = "ag1", Uid = "uid-1" } };
        private bool away;
        private int version = 1;

        public void List(params string[] groups) => Change(() => server = new SqlServer
        {
            Metadata = new ObjectMeta { Name = "mssql1", Namespace = "ag1" },
            Spec = new SqlServerSpec { AvailabilityGroups = [.. groups.Select(name => new AvailabilityGroupMembership(name))] },
        });

        public void Remove() => Change(() => server = null);

        public void Away() => Change(() => away = true);

        public string PodLabels()
        {
            lock (gate)
                return string.Join(',', (pod.Metadata.Labels ?? new Dictionary<string, string>())
                    .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
        }

        public Task<ResourceList<T>> ListAsync<T>(ResourceType<T> type, string? @namespace, ListOptions options, CancellationToken cancellationToken)
            where T : class
        {
            lock (gate)
            {
                Check();
                object? found = type.Kind == "Pod" ? pod : server;
                return Task.FromResult(new ResourceList<T>(found is null ? [] : [(T)found], version.ToString()));
            }
        }

        /// <summary>Every change ends every watch with "too old", which makes the caller list anew.</summary>
        public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
            ResourceType<T> type, string? @namespace, ListOptions options, string resourceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
            where T : class
        {
            var changed = Channel.CreateUnbounded<bool>();
            lock (gate)
            {
                Check();
                if (resourceVersion == version.ToString())
                    watches.Add(changed);
                else
                    changed.Writer.TryWrite(true);
            }

            await changed.Reader.ReadAsync(cancellationToken);
            throw new KubernetesException(KubernetesFailure.Gone, "too old");
#pragma warning disable CS0162 // Makes this an iterator.
            yield break;
#pragma warning restore CS0162
        }

        public Task<T> MergePatchAsync<T>(
            ResourceType<T> type, string? @namespace, string name, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
            where T : class
        {
            Assert.That((string?)patch["metadata"]!["uid"], Is.EqualTo("uid-1"));
            Change(() =>
            {
                Check();
                var labels = new Dictionary<string, string>(pod.Metadata.Labels ?? new Dictionary<string, string>());
                foreach (var (label, value) in patch["metadata"]!["labels"]!.AsObject())
                    if (value is null)
                        labels.Remove(label);
                    else
                        labels[label] = (string)value!;
                pod = pod with { Metadata = pod.Metadata with { Labels = labels } };
            });
            return Task.FromResult((T)(object)pod);
        }

        public Task<T?> GetAsync<T>(ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken)
            where T : class => throw new NotSupportedException();

        public Task<T> CreateAsync<T>(ResourceType<T> type, string? @namespace, T value, CancellationToken cancellationToken)
            where T : class => throw new NotSupportedException();

        public Task<T> ReplaceAsync<T>(
            ResourceType<T> type, string? @namespace, string name, T value, CancellationToken cancellationToken, string? subresource = null)
            where T : class => throw new NotSupportedException();

        public Task<T> ApplyAsync<T>(
            ResourceType<T> type, string? @namespace, string name, JsonObject manifest, string fieldManager, CancellationToken cancellationToken,
            string? subresource = null)
            where T : class => throw new NotSupportedException();

        public Task<bool> DeleteAsync<T>(
            ResourceType<T> type, string? @namespace, string name, CancellationToken cancellationToken, DeleteOptions? options = null)
            where T : class => throw new NotSupportedException();

        private void Check()
        {
            if (away)
                throw new KubernetesException(KubernetesFailure.Unreachable, "away");
        }

        private void Change(Action change)
        {
            lock (gate)
            {
                change();
                version++;
                foreach (var watch in watches)
                    watch.Writer.TryWrite(true);
                watches.Clear();
            }
        }
    }
}
