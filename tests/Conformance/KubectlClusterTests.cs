namespace Conformance;

/// <summary>kubectl on a cluster whose pods run.</summary>
[Platform("Linux")]
internal sealed class KubectlClusterTests(Backend backend) : ClusterFixture(backend)
{
    private const string Manifest = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db}
        spec:
          serviceName: db
          replicas: 1
          selector: {matchLabels: {app: db}}
          template:
            metadata: {labels: {app: db}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: main, image: "busybox:1", command: [sh, -c, exec sleep 600]}
        """;

    [SetUp]
    public void Find() => Kubectl.Require();

    [Test]
    public async Task A_stateful_set_is_rolled_out_watched_described_and_deleted()
    {
        await Kubectl.Run("apply -f -", Manifest);
        Assert.That(await Kubectl.Run("rollout status sts/db --timeout=60s"), Does.Contain("partitioned roll out complete").Or.Contain("rolling update complete 1 pods"));
        Assert.That(await Kubectl.Run("get pods -o wide"), Does.Match(@"NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\ndb-0 +1/1 +Running +0 +\d+s +[\d.]+ +node-[12] +<none> +<none>"));
        Assert.That(await Kubectl.Run("get sts -o wide"), Does.Match(@"NAME +READY +AGE +CONTAINERS +IMAGES\ndb +1/1 +\d+s +main +busybox:1"));
        Assert.That(await Kubectl.Run("get nodes"), Does.Match(@"NAME +STATUS +ROLES +AGE +VERSION\nnode-1 +Ready +<none> "));
        var pod = (await Api.Get(Core("pods/db-0"))).Body;
        await Api.Make(Core("events"), $$$"""
            {"metadata":{"name":"drill"},"involvedObject":{"apiVersion":"v1","kind":"Pod","name":"db-0","namespace":"{{{Ns}}}","uid":"{{{Text(pod, "metadata", "uid")}}}"},
             "type":"Normal","reason":"Drilled","message":"This is a drill","firstTimestamp":"2026-01-02T03:04:05Z","lastTimestamp":"2026-01-02T03:04:05Z","count":1}
            """);
        Assert.That(await Kubectl.Run("describe pod db-0"), Does.Match("Controlled By: +StatefulSet/db").And.Match(@"Events:\n +Type +Reason").And.Match("Normal +Drilled +.*This is a drill"));
        Assert.That(await Kubectl.Run("describe sts db"), Does.Match(@"Pods Status: +1 Running / 0 Waiting / 0 Succeeded / 0 Failed"));
        Assert.That(await Kubectl.Run("rollout restart sts/db"), Does.Contain("restarted"));
        Assert.That(await Kubectl.Run("rollout status sts/db --timeout=60s"), Does.Contain("partitioned roll out complete").Or.Contain("rolling update complete 1 pods"));
        Assert.That(await Kubectl.Run("scale sts/db --replicas=2 --timeout=60s"), Does.Contain("scaled"));
        Assert.That(await Kubectl.Run("wait pod/db-0 pod/db-1 --for=condition=Ready --timeout=60s"), Does.Contain("pod/db-1 condition met"));
        Assert.That(await Kubectl.Run("delete sts/db --wait --cascade=foreground --timeout=60s"), Does.Contain("deleted"));
        Assert.That(await Kubectl.Run("get pods -o name"), Is.Empty, "those who own wait for what they own");
    }
}
