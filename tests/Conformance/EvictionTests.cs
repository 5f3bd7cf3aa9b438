namespace Conformance;

/// <summary>Evictions, by HTTP and by <c>kubectl drain</c>, and the budgets that they must respect.</summary>
[Platform("Linux")]
internal sealed class EvictionTests(Backend backend) : ClusterFixture(backend)
{
    private string Version => Minor < 21 ? "policy/v1beta1" : "policy/v1";

    private string Budgets => Group(Version, "poddisruptionbudgets");

    [Test]
    public async Task A_pod_without_a_budget_is_deleted_with_its_grace()
    {
        await Api.Make(Core("pods"), Running("p", Idle));
        await Ready("p");
        var (code, done) = await Evict("p", "true");
        Assert.That((code, Text(done, "kind"), Text(done, "status")), Is.EqualTo((201, "Status", "Success")));
        Assert.That(Text((await Api.Get(Core("pods/p"))).Body, "metadata", "deletionTimestamp"), Is.Null, "a dry run");
        (code, done) = await Evict("p");
        Assert.That((code, Text(done, "kind"), Text(done, "status")), Is.EqualTo((201, "Status", "Success")));
        await Api.Until(Core("pods/p"), (c, _) => c == 404);
    }

    [Test]
    public async Task What_is_not_there_or_is_another_pod_is_not_evicted()
    {
        Assert.That((await Evict("nobody")).Code, Is.EqualTo(404));
        await Api.Make(Core("pods"), Running("p", Idle));
        var (code, status) = await Api.Post(Core("pods/p/eviction"), $$$"""{"apiVersion":"{{{Version}}}","kind":"Eviction","metadata":{"name":"q"}}""");
        Assert.That((code, Text(status, "message")), Is.EqualTo((400, "name in URL does not match name in Eviction object")));
    }

    [Test]
    public async Task A_budget_allows_so_many_evictions_and_refuses_the_next()
    {
        await Api.Make(Group("apps/v1", "statefulsets"), Set("db", 2));
        await Api.Make(Budgets, Budget("db", "\"maxUnavailable\":1"));
        var budget = await Api.Until($"{Budgets}/db", (_, x) => Text(x, "status", "disruptionsAllowed") == "1");
        Assert.That(
            (Text(budget, "status", "currentHealthy"), Text(budget, "status", "desiredHealthy"), Text(budget, "status", "expectedPods")), Is.EqualTo(("2", "1", "2")));

        Assert.That((await Api.Merge(Budgets + "/db", """{"spec":{"maxUnavailable":0}}""")).Code, Is.EqualTo(200));
        await Api.Until($"{Budgets}/db", (_, x) => Text(x, "status", "desiredHealthy") == "2");
        var (code, refusal) = await Evict("db-0");
        using (Assert.EnterMultipleScope())
        {
            Assert.That((code, Text(refusal, "reason")), Is.EqualTo((429, "TooManyRequests")));
            Assert.That(Text(refusal, "message"), Is.EqualTo("Cannot evict pod as it would violate the pod's disruption budget."));
            Assert.That(Text(refusal, "details", "causes", 0, "reason"), Is.EqualTo("DisruptionBudget"));
            Assert.That(Text(refusal, "details", "causes", 0, "message"), Is.EqualTo("The disruption budget db needs 2 healthy pods and has 2 currently"));
            Assert.That(Text((await Api.Get(Core("pods/db-0"))).Body, "metadata", "deletionTimestamp"), Is.Null);
        }
    }

    [Test]
    public async Task An_eviction_that_is_granted_counts_at_once()
    {
        // The pods take their time to end, and until they have ended nobody replaces them.
        await Api.Make(Group("apps/v1", "statefulsets"), Set("db", 2, "trap '' TERM; while :; do sleep 0.1; done"));
        await Api.Make(Budgets, Budget("db", "\"minAvailable\":\"50%\""));
        await Api.Until($"{Budgets}/db", (_, x) => Text(x, "status", "disruptionsAllowed") == "1");
        Assert.That((await Evict("db-0")).Code, Is.EqualTo(201));
        Assert.That((await Evict("db-1")).Code, Is.EqualTo(429));
        await Api.Until($"{Budgets}/db", (_, x) => Text(x, "status", "currentHealthy") == "1" && Text(x, "status", "disruptionsAllowed") == "0");
    }

    [Test]
    public async Task Two_budgets_for_one_pod_are_an_error()
    {
        await Api.Make(Core("pods"), Running("p", Idle, metadata: $$$""","labels":{"app":"{{{Ns}}}"}"""));
        await Api.Make(Budgets, Budget("a", "\"minAvailable\":0"));
        await Api.Make(Budgets, Budget("b", "\"minAvailable\":0"));
        await Ready("p");
        var (code, status) = await Evict("p");
        Assert.That(code, Is.EqualTo(500));
        Assert.That(Text(status, "message"), Is.EqualTo("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."));
    }

    [Test]
    public async Task Kubectl_cordons_drains_and_uncordons()
    {
        Kubectl.Require();
        await Api.Make(Group("apps/v1", "statefulsets"), Set("db", 1));
        await Api.Make(Budgets, Budget("db", "\"maxUnavailable\":1"));
        var node = Text(await Ready("db-0"), "spec", "nodeName")!;
        await Api.Until($"{Budgets}/db", (_, x) => Text(x, "status", "disruptionsAllowed") == "1");
        Assert.That(await Kubectl.Run("get pdb db"), Does.Match(@"db +N/A +1 +1 +\w+"));
        try
        {
            Assert.That(await Kubectl.Run($"cordon {node}"), Does.Contain("cordoned"));
            Assert.That(await Kubectl.Run("get nodes"), Does.Match($"{node} +Ready,SchedulingDisabled"));
            Assert.That(
                await Kubectl.Run($"drain {node} --ignore-daemonsets --force --pod-selector=app={Ns} --timeout=60s"),
                Does.Contain("pod/db-0 evicted").And.Contain($"node/{node} drained"));
            var moved = await Api.Until(Core("pods/db-0"), (c, x) => c == 200 && Condition(x, "Ready") == "True" && Text(x, "metadata", "deletionTimestamp") is null);
            Assert.That(Text(moved, "spec", "nodeName"), Is.Not.EqualTo(node));
        }
        finally
        {
            Assert.That(await Kubectl.Run($"uncordon {node}"), Does.Contain("uncordoned"));
        }

        Assert.That(await Kubectl.Run("get nodes"), Does.Match($"{node} +Ready "));
    }

    private Task<(int Code, System.Text.Json.Nodes.JsonNode Body)> Evict(string pod, string? dryRun = null) => Api.Post(
        Core($"pods/{pod}/eviction") + (dryRun is null ? "" : "?dryRun=All"), $$$"""{"apiVersion":"{{{Version}}}","kind":"Eviction","metadata":{"name":"{{{pod}}}"}}""");

    private string Budget(string name, string spec) =>
        $$$"""{"apiVersion":"{{{Version}}}","kind":"PodDisruptionBudget","metadata":{"name":"{{{name}}}"},"spec":{ {{{spec}}},"selector":{"matchLabels":{"app":"{{{Ns}}}"} } } }""";

    private string Set(string name, int replicas, string script = Idle) =>
        $$$"""
        {"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"{{{name}}}"},"spec":{"replicas":{{{replicas}}},"serviceName":"none","podManagementPolicy":"Parallel",
        "selector":{"matchLabels":{"app":"{{{Ns}}}"} },"template":{"metadata":{"labels":{"app":"{{{Ns}}}"} },"spec":{"terminationGracePeriodSeconds":2,
        "containers":[{"name":"main","image":"busybox:1","command":["sh","-c","{{{script}}}"]}]} } } }
        """;
}
