using Agents.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Unit.Kubernetes;

/// <summary>
/// Whatever the server does to a watch, each change arrives once and in order, or is covered by a new list; in the end the copy is what the
/// server has; and no fault makes the client ask without end.
/// </summary>
internal sealed class WatchResumeTests
{
    private const int Seeds = 400;
    private const int Changes = 40;
    private const int Faults = 15;

    [Test]
    public async Task Each_change_arrives_once_and_in_order_or_is_covered_by_a_new_list()
    {
        for (var seed = 0; seed < Seeds; seed++)
            Assert.That((await RunAsync(seed, null)).Violation, Is.Null, $"seed {seed}");
    }

    [Test]
    public async Task A_seed_reproduces_a_run()
    {
        var first = await RunAsync(7, null);
        var second = await RunAsync(7, null);
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public async Task Negative_control_resuming_from_the_list_repeats_changes() =>
        Assert.That(await CaughtAsync((server, _) => server.LastListed), Is.GreaterThan(Seeds / 40));

    [Test]
    public async Task Negative_control_resuming_from_now_misses_changes() =>
        Assert.That(await CaughtAsync((server, _) => server.Latest), Is.GreaterThan(Seeds / 40));

    private static async Task<int> CaughtAsync(Func<UnreliableServer, int, int> resume)
    {
        var caught = 0;
        for (var seed = 0; seed < Seeds / 10; seed++)
            if ((await RunAsync(seed, resume)).Violation is not null)
                caught++;
        return caught;
    }

    private static async Task<Outcome> RunAsync(int seed, Func<UnreliableServer, int, int>? resume)
    {
        var time = new VirtualTime();
        using var server = new UnreliableServer(new Random(seed), time, Changes, Faults) { Resume = resume };
        using var api = new HttpKubernetesApi(
            new KubernetesConfiguration { Server = new Uri("https://server/") }, time, new Random(seed), "tests", null, server);
        var cache = new ResourceCache<Pod>(api, KubernetesTypes.Pods, "ag1", ListOptions.All, time, new Random(seed), NullLogger.Instance);
        var at = 1;
        var lists = 0;
        string? violation = null;
        cache.Changed += () =>
        {
            var state = string.Join(' ', cache.Items.OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).Select(pod =>
                $"{pod.Metadata.Name}@{pod.Metadata.ResourceVersion}{pod.Metadata.Annotation("text")}"));
            var listed = server.Lists > lists;
            lists = server.Lists;
            var to = listed ? server.LastListed : server.After(at);
            if (to is null || to < at || server.StateAt(to.Value) != state)
                violation ??= $"after {at}{(listed ? " by list" : "")} came {state} instead of {to}: {(to is { } known ? server.StateAt(known) : "nothing")}";
            at = to ?? at;
        };

        using var stop = new CancellationTokenSource();
        var jumps = 0;
        await Task.Run(async () =>
        {
            var run = cache.RunAsync(stop.Token);
            while (!server.IsDone && violation is null && !run.IsCompleted && time.Jump())
                if (++jumps == 20_000)
                    violation = "the client never caught up";
            if (violation is null && !server.IsDone && !run.IsCompleted)
                violation = "the client waits for nothing";
            violation ??= run.IsCompleted ? $"the cache gave up: {run.Exception?.InnerException}" : null;
            if (violation is null && at != server.Latest)
                violation = $"the copy ends at {at}, not at {server.Latest}";
            if (violation is null && cache.Failure is { } failure)
                violation = $"the cache still says {failure}";

            // A fault costs the request that it hit, one to resume with, and a list of at most three pages when the version was lost.
            var most = 4 + (Faults * 5);
            if (violation is null && server.Requests > most)
                violation = $"{server.Requests} requests for {server.Faults} faults";
            await stop.CancelAsync();
            await run.WaitAsync(TimeSpan.FromSeconds(10));
        });
        return new Outcome(violation, server.Requests, time.GetTimestamp());
    }

    private sealed record Outcome(string? Violation, int Requests, long EndedAt);
}
