using Agents.Election;
using Agents.Operator;
using Agents.Operator.Reconciliation;
using Microsoft.Extensions.Logging.Abstractions;
using Unit.Nodes;

namespace Unit.Operator;

/// <summary>Several operators at one API server, on time that the test lets pass.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class LeaderElectionTests : IDisposable
{
    private readonly FakeKubernetesApi api = new();
    private readonly VirtualTime time = new();
    private readonly List<Candidate> candidates = [];

    [Test]
    public async Task One_leads_and_when_it_ends_another_takes_over_without_waiting()
    {
        var (a, b) = (Start("a"), Start("b"));
        await UntilAsync(() => a.Leads || b.Leads);
        var (first, second) = a.Leads ? (a, b) : (b, a);
        Assert.That(second.Leads, Is.False);
        var before = time.GetTimestamp();
        await first.StopAsync();
        await UntilAsync(() => second.Leads, advance: false);
        Assert.That(time.GetTimestamp(), Is.EqualTo(before));
        Assert.That(candidates.Max(candidate => candidate.MostAtOnce), Is.EqualTo(1));
    }

    [Test]
    public async Task A_leader_that_is_gone_is_missed_after_its_lease_duration()
    {
        await api.AddAsync(Resources.Leases, $$"""
            {"metadata": {"name": "{{Names.FieldManager}}", "namespace": "op"}, "spec": {"holderIdentity": "dead", "leaseDurationSeconds": 15} }
            """);
        var heir = Start("a");
        var before = time.GetTimestamp();
        await UntilAsync(() => heir.Leads);
        Assert.That(time.GetElapsedTime(before), Is.GreaterThanOrEqualTo(LeaderDecider.LeaseDuration));
    }

    [Test]
    public async Task A_leader_that_cannot_renew_stops_and_goes_on_when_it_can()
    {
        var leader = Start("a");
        await UntilAsync(() => leader.Leads);
        api.Down = true;
        await UntilAsync(() => !leader.Leads);
        api.Down = false;
        await UntilAsync(() => leader.Leads);
    }

    [Test]
    public async Task What_the_leaders_work_fails_with_ends_the_operator()
    {
        var leader = Start("a");
        await UntilAsync(() => leader.Leads);
        leader.Fail();
        await UntilAsync(() => leader.Run.IsCompleted, advance: false);
        Assert.That(async () => await leader.Run, Throws.InvalidOperationException);
        Assert.That((string?)api.Find(Resources.Leases, "op", Names.FieldManager)!["spec"]!["holderIdentity"], Is.Null);
    }

    public void Dispose()
    {
        foreach (var candidate in candidates)
            candidate.StopAsync().GetAwaiter().GetResult();
    }

    private Candidate Start(string identity)
    {
        var candidate = new Candidate(candidates);
        candidate.Run = new LeaderElection(api, "op", identity, time, NullLogger.Instance).RunAsync(candidate.LeadAsync, candidate.Stop.Token);
        candidates.Add(candidate);
        return candidate;
    }

    private async Task UntilAsync(Func<bool> condition, bool advance = true)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            bound.Token.ThrowIfCancellationRequested();
            await Task.Delay(2);
            if (advance)
                time.Advance(TimeSpan.FromSeconds(0.25));
        }
    }

#pragma warning disable CA1001 // Its token source has no timer and nothing to free.
    private sealed class Candidate(List<Candidate> all)
#pragma warning restore CA1001
    {
        private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool leads;

        public CancellationTokenSource Stop { get; } = new();

        public Task Run { get; set; } = Task.CompletedTask;

        public bool Leads => leads;

        public int MostAtOnce { get; private set; }

        public void Fail() => failed.SetException(new InvalidOperationException("as played"));

        public async Task LeadAsync(CancellationToken cancellationToken)
        {
            leads = true;
            MostAtOnce = Math.Max(MostAtOnce, all.Count(candidate => candidate.Leads));
            try
            {
                await failed.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                leads = false;
            }
        }

        public async Task StopAsync()
        {
            await Stop.CancelAsync();
            await Run.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(30));
        }
    }
}
