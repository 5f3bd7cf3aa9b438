using Agents.Failover;
using Agents.Groups;
using Agents.Hosting;
using Agents.Kubernetes;
using Unit.Groups;

namespace Unit.Failover;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class FailoverJobTests : IDisposable
{
    private readonly StringWriter output = new();

    public void Dispose() => output.Dispose();

    [TestCase(FailoverState.Succeeded, ExitCodes.Done)]
    [TestCase(FailoverState.Refused, ExitCodes.Refused)]
    [TestCase(FailoverState.Failed, ExitCodes.Failed)]
    public async Task The_agents_answer_becomes_words_and_an_exit_code(FailoverState state, int expected)
    {
        var api = Group();
        api.Agents = map =>
        {
            if (map.Updates == 1)
                map.Answer(state, "mssql2-0 said so");
        };
        Assert.That(await RunAsync(api, "mssql2-0"), Is.EqualTo(expected));
        Assert.That(output.ToString(), Does.Contain($"{state} after").And.Contain("mssql2-0 said so"));
        Assert.That(api.Request.Target, Is.EqualTo("mssql2-0"));
    }

    [Test]
    public async Task An_accepted_request_is_waited_for()
    {
        var api = Group();
        var reads = 0;
        api.Agents = map =>
        {
            if (map.Updates == 1)
                map.Answer(++reads < 3 ? FailoverState.Accepted : FailoverState.Succeeded, "handing over");
        };
        Assert.That(await RunAsync(api, ""), Is.EqualTo(ExitCodes.Done));
        Assert.That(output.ToString(), Does.Contain("Accepted: handing over"));
    }

    [TestCase("mssql9")]
    [TestCase("!mssql9-0")]
    public async Task An_unknown_target_is_refused_and_nothing_is_written(string target)
    {
        var api = Group();
        Assert.That(await RunAsync(api, target), Is.EqualTo(ExitCodes.Refused));
        Assert.That(api.Updates, Is.Zero);
        Assert.That(output.ToString(), Does.Contain("the replicas are mssql1-0, mssql2-0, mssql3-0"));
    }

    [Test]
    public async Task A_group_that_does_not_exist_is_refused()
    {
        Assert.That(await RunAsync(new OneConfigMap(null), "mssql2-0"), Is.EqualTo(ExitCodes.Refused));
        Assert.That(output.ToString(), Does.Contain("there is no availability group ag1 in namespace ns"));
    }

    [Test]
    public async Task A_job_whose_pod_started_again_finds_its_own_request()
    {
        var api = Group((GroupDocuments.RequestKey, GroupDocuments.WriteRequest(new FailoverRequest("mine", "mssql2-0", false), DateTimeOffset.UnixEpoch)));
        api.Agents = map => map.Answer(FailoverState.Succeeded, "done");
        Assert.That(await RunAsync(api, "mssql2-0"), Is.EqualTo(ExitCodes.Done));
        Assert.That(api.Updates, Is.Zero);
    }

    [Test]
    public async Task Two_requests_at_once_one_waits_for_the_other()
    {
        var api = Group((GroupDocuments.RequestKey, GroupDocuments.WriteRequest(new FailoverRequest("theirs", "mssql3-0", false), DateTimeOffset.UnixEpoch)));
        api.Agents = map => map.Answer(FailoverState.Succeeded, "done");
        Assert.That(await RunAsync(api, "mssql2-0"), Is.EqualTo(ExitCodes.Done));
        Assert.That(output.ToString(), Does.Contain("Failover request theirs is still under way"));
        Assert.That(api.Request.Target, Is.EqualTo("mssql2-0"));
    }

    [Test]
    public async Task Conflicts_and_an_unreachable_api_server_are_ridden_out()
    {
        var api = Group();
        api.Failures.Enqueue(new KubernetesException(KubernetesFailure.Unreachable, "connection refused"));
        api.Agents = map =>
        {
            if (map.Updates == 0 && map.Failures.Count == 0 && !output.ToString().Contains("changed", StringComparison.Ordinal))
                map.Failures.Enqueue(new KubernetesException(KubernetesFailure.Conflict, "it changed"));
            else if (map.Updates == 1)
                map.Answer(FailoverState.Succeeded, "done");
        };
        Assert.That(await RunAsync(api, ""), Is.EqualTo(ExitCodes.Done));
    }

    [Test]
    public void Being_forbidden_is_not_ridden_out()
    {
        var api = Group();
        api.Failures.Enqueue(new KubernetesException(KubernetesFailure.Forbidden, "configmaps \"ag1\" is forbidden"));
        Assert.That(() => RunAsync(api, ""), Throws.TypeOf<KubernetesException>());
    }

    [Test]
    public async Task Without_an_outcome_the_job_ends_after_its_time()
    {
        Assert.That(await RunAsync(Group(), "", TimeSpan.FromMilliseconds(300)), Is.EqualTo(ExitCodes.OutOfTime));
        Assert.That(output.ToString(), Does.Contain("No outcome within"));
    }

    private static OneConfigMap Group(params (string Key, string Value)[] more)
    {
        var data = new Dictionary<string, string> { [GroupDocuments.MembersKey] = GroupDocuments.WriteMembers(Given.Members) };
        foreach (var (key, value) in more)
            data[key] = value;
        return new OneConfigMap(data);
    }

    private Task<int> RunAsync(OneConfigMap api, string target, TimeSpan? patience = null) =>
        new FailoverJob(api, new FailoverOptions("ns", "ag1", target, false, patience ?? TimeSpan.FromSeconds(30), null!), TimeProvider.System, output)
            .RunAsync(CancellationToken.None);
}
