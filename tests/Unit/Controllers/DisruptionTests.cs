using System.Collections.Immutable;
using System.Text.Json.Nodes;
using KubernetesEmulator.Controllers;
using KubernetesEmulator.Objects;

namespace Unit.Controllers;

/// <summary>What a PodDisruptionBudget allows: three pods of a StatefulSet that wants five.</summary>
[TestFixture]
internal sealed class DisruptionTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-01T00:10:00Z", System.Globalization.CultureInfo.InvariantCulture);

    [TestCase("""{"minAvailable":2}""", 3, 2, 1)]
    [TestCase("""{"minAvailable":4}""", 3, 4, 0)]
    [TestCase("""{"minAvailable":"50%"}""", 5, 3, 0)]
    [TestCase("""{"minAvailable":"40%"}""", 5, 2, 1)]
    [TestCase("""{"maxUnavailable":1}""", 5, 4, 0)]
    [TestCase("""{"maxUnavailable":"41%"}""", 5, 2, 1)]
    [TestCase("""{"maxUnavailable":7}""", 5, 0, 3)]
    public void Numbers_count_pods_and_percentages_count_what_their_controllers_want(string spec, int expected, int desired, int allowed)
    {
        var status = Status(spec);
        Assert.That(
            (status.Number("expectedPods"), status.Number("desiredHealthy"), status.Number("currentHealthy"), status.Number("disruptionsAllowed")),
            Is.EqualTo((expected, desired, 3, allowed)));
    }

    [Test]
    public void A_pod_whose_eviction_was_granted_is_not_healthy_for_two_minutes()
    {
        var granted = Status("""{"minAvailable":1}""", """{"s-0":"2026-01-01T00:08:01Z","s-1":"2026-01-01T00:07:59Z","gone":"2026-01-01T00:09:59Z"}""");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(granted.Number("currentHealthy"), Is.EqualTo(2));
            Assert.That(granted["disruptedPods"]!.ToJsonString(), Is.EqualTo("""{"s-0":"2026-01-01T00:08:01Z","s-1":null,"gone":null}"""));
        }
    }

    [Test]
    public void Neither_a_pod_that_ends_nor_one_that_is_not_ready_is_healthy()
    {
        Assert.That(Status("""{"minAvailable":1}""", change: x => x["metadata"]!["deletionTimestamp"] = Now.Stamp()).Number("currentHealthy"), Is.EqualTo(2));
        Assert.That(Status("""{"minAvailable":1}""", change: x => x["status"] = new JsonObject()).Number("currentHealthy"), Is.EqualTo(2));
    }

    private static JsonObject Status(string spec, string disrupted = "{}", Action<JsonObject>? change = null)
    {
        var pods = Enumerable.Range(0, 3).Select(i => Parse($$"""
            {"metadata":{"name":"s-{{i}}","namespace":"ns","labels":{"app":"a"},"ownerReferences":[{"uid":"set","controller":true}]},
             "status":{"conditions":[{"type":"Ready","status":"True"}]} }
            """)).ToList();
        change?.Invoke(pods[0]);
        var set = Parse("""{"metadata":{"name":"s","namespace":"ns","uid":"set"},"spec":{"replicas":5}}""");
        var budget = Parse($$"""{"metadata":{"name":"b","namespace":"ns"},"spec":{{spec}},"status":{"disruptedPods":{{disrupted}} } }""");
        budget["spec"]!["selector"] = Parse("""{"matchLabels":{"app":"a"}}""");
        var view = EmptyView.At(Now) with
        {
            Pods = pods.ToImmutableDictionary(x => x.Key()), StatefulSets = new[] { set }.ToImmutableDictionary(x => x.Key()),
        };
        return DisruptionController.Status(view, budget);
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
