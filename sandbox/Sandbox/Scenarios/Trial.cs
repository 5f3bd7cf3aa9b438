using KubernetesEmulator.Faults;
using Sandbox.Output;
using Sandbox.Playground;
using Sandbox.Steps;

namespace Sandbox.Scenarios;

/// <summary>A cluster with its group, its writer and its witnesses, on which scenarios run one after another.</summary>
internal sealed class Trial : IAsyncDisposable
{
    /// <summary>One more than the group has replicas, so that another can join.</summary>
    private const int NodeCount = 4;

    private int _named = Cluster.Instances.Count();
    private int _jobs;

    private Trial(Cluster cluster, int seed, TimeProvider time)
    {
        Cluster = cluster;
        Scene = new Scene(cluster.Group, time);
        Random = new Random(seed);
    }

    public Cluster Cluster { get; }

    public Scene Scene { get; }

    /// <summary>What pods have asked of the API server.</summary>
    public ApiTraffic Traffic => Cluster.Machinery.Proxy!.Traffic;

    public Group Group => Scene.Group;

    /// <summary>Decides what a scenario leaves to chance.</summary>
    public Random Random { get; }

    /// <summary>Whether something goes wrong while a scenario acts.</summary>
    public bool Disturbed { get; set; }

    /// <summary>Whether the API server may be away while a scenario acts.</summary>
    public bool LeavesOpen { get; set; }

    /// <summary>Names of the instances.</summary>
    public List<string> Instances { get; } = [.. Cluster.Instances];

    /// <summary>A name that no instance has had.</summary>
    public string NewInstance() => $"mssql{++_named}";

    /// <summary>A name that no Job has had.</summary>
    public string NewJob(string name) => $"{name}-{++_jobs}";

    /// <summary>How often all pods were made anew.</summary>
    public int Upgrades { get; set; }

    /// <summary>Ends when the disturbance has struck.</summary>
    public Task Undisturbed { get; set; } = Task.CompletedTask;

    /// <summary>Starts a cluster, with everything that <paramref name="first"/> asks for; there is no group yet.</summary>
    public static async Task<Trial> StartAsync(
        Backend backend, Scenario first, int seed, IScreen screen, TimeProvider time, CancellationToken cancellationToken)
    {
        var definition = first.OldDefinition ? Manifest.Read("old-definition").Single() : null;
        return new Trial(await Cluster.StartAsync(backend, screen, cancellationToken, NodeCount, proxied: true, definition, namespaced: first.Namespaced), seed, time);
    }

    /// <summary>Starts a witness for each instance.</summary>
    public void StartWitnesses()
    {
        foreach (var instance in Instances)
            Scene.StartWitness(instance);
    }

    /// <summary>Name of the primary once the group is calm.</summary>
    public async Task<string> PrimaryAsync(Action<string> progress, CancellationToken cancellationToken) =>
        (await Group.CalmAsync(progress, cancellationToken)).Single(x => x.Role == "PRIMARY").Name;

    /// <summary>Waits until another than <paramref name="before"/> takes writes; while the API server is away, until anybody does.</summary>
    public Task<string> TakenOverAsync(string before, TimeSpan from, Action<string> progress, CancellationToken cancellationToken) =>
        Scene.WritesFlowAsync(x => LeavesOpen || x != before, from, $"waiting for another primary than {before}", progress, cancellationToken);

    /// <summary>Does what a person would try again until the API server takes it.</summary>
    public static async Task PersistAsync(string what, Func<CancellationToken, Task> attempt, Action<string> progress, CancellationToken cancellationToken) =>
        await Wait.ForAsync(
            async token =>
            {
                progress(what);
                await attempt(token);
                return "done";
            },
            why => progress($"{what}: {why}"),
            cancellationToken,
            TimeSpan.FromMilliseconds(500));

    public async ValueTask DisposeAsync()
    {
        await Scene.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
