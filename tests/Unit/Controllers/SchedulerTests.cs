using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Objects;

namespace Unit.Controllers;

[TestFixture]
internal sealed class SchedulerTests
{
    private static readonly JsonObject AntiAffine = Parse("""
        {"metadata":{"name":"p","namespace":"ns","labels":{"app":"a"}},"spec":{"affinity":{"podAntiAffinity":{
         "requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"a"}}}]}}}}
        """);

    [Test]
    public void The_least_busy_ready_node_is_chosen()
    {
        var view = View(Node("a"), Node("b"), Node("c", ready: false));
        var placed = new[] { (Parse("""{"metadata":{"name":"x"}}"""), "a") };
        Assert.That(Scheduler.Choose(view, Parse("""{"metadata":{"name":"p","namespace":"ns"}}"""), placed).Node, Is.EqualTo("b"));
    }

    [Test]
    public void A_selector_must_match()
    {
        var pod = Parse("""{"metadata":{"name":"p","namespace":"ns"},"spec":{"nodeSelector":{"kubernetes.io/hostname":"b"}}}""");
        Assert.That(Scheduler.Choose(View(Node("a"), Node("b")), pod, []).Node, Is.EqualTo("b"));
        Assert.That(Scheduler.Choose(View(Node("a")), pod, []).Why, Is.EqualTo("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Required_anti_affinity_holds_whichever_pod_asks_for_it(bool newcomerAsks)
    {
        var plain = Parse("""{"metadata":{"name":"q","namespace":"ns","labels":{"app":"a"}}}""");
        var (pod, other) = newcomerAsks ? (AntiAffine, plain) : (plain, AntiAffine);
        Assert.That(Scheduler.Choose(View(Node("a"), Node("b")), pod, [(other, "a"), (Parse("{}"), "b")]).Node, Is.EqualTo("b"));
        Assert.That(Scheduler.Choose(View(Node("a")), pod, [(other, "a")]).Node, Is.Null);
    }

    [Test]
    public void Anti_affinity_looks_at_its_own_namespace_only()
    {
        var elsewhere = Parse("""{"metadata":{"name":"q","namespace":"other","labels":{"app":"a"}}}""");
        Assert.That(Scheduler.Choose(View(Node("a")), AntiAffine, [(elsewhere, "a")]).Node, Is.EqualTo("a"));
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static JsonObject Node(string name, bool ready = true) => Parse($$"""
        {"metadata":{"name":"{{name}}","labels":{"kubernetes.io/hostname":"{{name}}"} },"status":{"conditions":[{"type":"Ready","status":"{{ready}}"}]} }
        """);

    private static ClusterView View(params JsonObject[] nodes) => EmptyView.At(DateTimeOffset.UnixEpoch) with { Nodes = nodes.ToImmutableDictionary(x => x.Key()) };
}
