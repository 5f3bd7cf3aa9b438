namespace Conformance;

/// <summary>What scheduler and kubelet report about pods, and how people see it.</summary>
[Platform("Linux")]
internal sealed class EventTests(Backend backend) : ClusterFixture(backend)
{
    [Test]
    public async Task Kubectl_shows_what_became_of_a_pod()
    {
        Kubectl.Require();
        await Api.Make(Core("pods"), Running("p", "exec sleep 600", container: """
            ,"readinessProbe":{"exec":{"command":["sh","-c","echo later; exit 1"]},"periodSeconds":1}
            """));
        await Until(("Scheduled", "default-scheduler"), ("Pulled", "kubelet"), ("Created", "kubelet"), ("Started", "kubelet"), ("Unhealthy", "kubelet"));
        var description = await Kubectl.Run("describe pod p");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(description, Does.Match(@"Normal +Scheduled +\S+ +default-scheduler +Successfully assigned \S+/p to node-\d"));
            Assert.That(description, Does.Match(@"Normal +Started +\S+ +kubelet +Started container main"));
            Assert.That(description, Does.Match(@"Warning +Unhealthy +.*kubelet +Readiness probe failed: later"));
            Assert.That(description, Does.Match(@"Conditions:\s+Type +Status\s+.*Initialized +True\s+Ready +False\s+ContainersReady +False\s+PodScheduled +True"));
            Assert.That(await Kubectl.Run("get events"), Does.Match(@"Normal +Started +pod/p +Started container main"));
        }

        await Kubectl.Run("delete pod p --timeout=20s");
        await Until(("Killing", "kubelet"));
    }

    [Test]
    public async Task A_pod_that_fits_nowhere_says_why()
    {
        await Api.Make(Core("pods"), Running("p", "exec sleep 600", ",\"nodeSelector\":{\"nowhere\":\"true\"}"));
        await Until(("FailedScheduling", "default-scheduler"));
        var (_, events) = await Api.Get(Core("events"));
        // The rest of the sentence is another in each version.
        Assert.That(Text(events, "items", 0, "message"), Does.StartWith("0/2 nodes are available: 2 node(s) didn't match"));
    }

    [Test]
    public async Task A_container_that_fails_again_and_again_is_told_once_and_counted()
    {
        await Api.Make(Core("pods"), Running("p", "exit 3"));
        await Api.Until(Core("events"), (_, x) => x["items"]!.AsArray().Any(y => Text(y, "reason") == "BackOff" && int.Parse(Text(y, "count")!) > 1));
        var (_, pod) = await Api.Get(Core("pods/p"));
        Assert.That(Text(pod, "status", "containerStatuses", 0, "lastState", "terminated", "exitCode"), Is.EqualTo("3"));
        var (_, events) = await Api.Get(Core("events"));
        Assert.That(events["items"]!.AsArray().Count(x => Text(x, "reason") == "Started"), Is.EqualTo(1));
    }

    [Test]
    public async Task Nodes_are_described_with_their_conditions_and_a_lease()
    {
        Kubectl.Require();
        var description = await Kubectl.Run("describe node node-1");
        using (Assert.EnterMultipleScope())
        {
            foreach (var pressure in (string[])["MemoryPressure", "DiskPressure", "PIDPressure"])
                Assert.That(description, Does.Match($@"{pressure} +False .*Kubelet\w+"));
            Assert.That(description, Does.Match(@"NetworkUnavailable +False "));
            Assert.That(description, Does.Match(@"Ready +True .*KubeletReady"));
            Assert.That(description, Does.Match(@"HolderIdentity: +node-1"));
            Assert.That(description, Does.Match(@"Kubelet Version: +v1"));
        }

        var (_, node) = await Api.Get("/api/v1/nodes/node-1");
        var (_, lease) = await Api.Get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1");
        Assert.That(Text(lease, "metadata", "ownerReferences", 0, "uid"), Is.EqualTo(Text(node, "metadata", "uid")));
        var renewed = Text(lease, "spec", "renewTime");
        await Api.Until("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1", (_, x) => Text(x, "spec", "renewTime") != renewed);
    }

    private Task<System.Text.Json.Nodes.JsonNode> Until(params (string Reason, string Component)[] wanted) => Api.Until(
        Core("events"), (_, x) => wanted.All(y => x["items"]!.AsArray().Any(z => Text(z, "reason") == y.Reason && Component(z) == y.Component)));

    /// <summary>Older recorders write one field, newer ones the other.</summary>
    private static string? Component(System.Text.Json.Nodes.JsonNode? e) =>
        Text(e, "source", "component") is { Length: > 0 } source ? source : Text(e, "reportingComponent");
}
