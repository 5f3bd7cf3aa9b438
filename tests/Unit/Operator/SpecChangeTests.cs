using System.Text.Json.Nodes;
using Agents.Operator.Manifests;
using Agents.Operator.Reconciliation;
using Agents.Operator.Specs;

namespace Unit.Operator;

internal sealed class SpecChangeTests
{
    private const string Claim = "spec.instanceRootVolumeClaimTemplate";

    [TestCase("""{"pid": "Express", "resources": {"limits": {"memory": "4Gi"} }, "availabilityGroups": [] }""")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "5120Mi"} } } }""")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "storageClass": "fast", "resources": {"requests": {"storage": "6Gi"} } } }""")]
    public void Whatever_leaves_data_and_collation_as_they_are_is_allowed(string change) => Assert.That(Refusals(Set(), change), Is.Empty);

    [TestCase("""{"collation": "Latin1_General_100_CI_AS"}""", "spec.collation: cannot change after the first start: must be absent, not \"Latin1_General_100_CI_AS\"")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "storageClass": "fast", "resources": {"requests": {"storage": "4Gi"} } } }""",
        $"{Claim}.resources.requests.storage: must be at least 5Gi, since no volume shrinks, not \"4Gi\"")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "storageClass": "slow", "resources": {"requests": {"storage": "5Gi"} } } }""",
        $"{Claim}.storageClassName: cannot change: must be \"fast\", not \"slow\"")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": null, "instanceRootVolume": {"persistentVolumeClaim": {"claimName": "x"} } }""",
        "spec.instanceRootVolume: cannot change: it is the instance's data; make a new instance")]
    public void Other_data_or_another_collation_is_refused(string change, string refusal) => Assert.That(Refusals(Set(), change), Is.EqualTo(new[] { refusal }));

    [Test]
    public void An_existing_volume_stays_the_volume_whatever_the_API_server_adds_to_it()
    {
        const string volume = """{"instanceRootVolumeClaimTemplate": null, "instanceRootVolume": {"hostPath": {"path": "/a"} } }""";
        var set = Set(volume);
        set["spec"]!["template"]!["spec"]!["volumes"]!.AsArray().Single(x => (string?)x!["name"] == "mssql-root")!["hostPath"]!["type"] = "";
        Assert.Multiple(() =>
        {
            Assert.That(Refusals(set, volume), Is.Empty);
            Assert.That(Refusals(set, volume.Replace("/a", "/b", StringComparison.Ordinal)), Is.EqualTo(new[] { "spec.instanceRootVolume: cannot change: it is the instance's data; make a new instance" }));
            Assert.That(Refusals(set, "{}"), Is.EqualTo(new[] { $"{Claim}: cannot change: it is the instance's data; make a new instance" }));
        });
    }

    [Test]
    public void A_collation_stays_however_it_was_said()
    {
        var set = Set("""{"collation": "Latin1_General_BIN2"}""");
        Assert.Multiple(() =>
        {
            Assert.That(Refusals(set, """{"sqlServerContainer": {"image": "x", "env": [{"name": "MSSQL_COLLATION", "value": "Latin1_General_BIN2"}]} }"""), Is.Empty);
            Assert.That(Refusals(set, "{}"), Is.EqualTo(new[] { "spec.collation: cannot change after the first start: must be Latin1_General_BIN2, not null" }));
        });
    }

    [Test]
    public void A_refused_change_leaves_the_groups_known()
    {
        var reading = SpecChange.Check(Read("""{"collation": "x"}"""), Set());
        Assert.That((reading.Spec, reading.Groups!.Count), Is.EqualTo(((InstanceSpec?)null, 1)));
    }

    [Test]
    public void Growth_asks_for_a_larger_volume_first_and_then_replaces_the_StatefulSet_in_place_of_applying_it()
    {
        var grown = Documents.Instance(change: spec => spec["instanceRootVolumeClaimTemplate"]!["resources"]!["requests"]!["storage"] = "6Gi");
        var set = Set();
        set["metadata"]!["uid"] = "u1";
        var steps = Plan(grown with { StatefulSet = set });
        Assert.That(steps.SkipWhile(step => step is not Step.GrowVolume).Take(2), Is.EqualTo(new Step[]
        {
            new Step.GrowVolume("ag1", "mssql-root-mssql1-0", "6Gi"), new Step.ReplaceStatefulSet("ag1", "mssql1", "u1"),
        }));
        Assert.That(steps.Any(AppliesSet), Is.False);
        set["metadata"]!["deletionTimestamp"] = "2026-11-21T00:00:00Z";
        steps = Plan(grown with { StatefulSet = set });
        Assert.That(steps.Any(step => AppliesSet(step) || step is Step.GrowVolume or Step.ReplaceStatefulSet), Is.False, "it is going away");
        Assert.That(Plan(grown).Any(AppliesSet), Is.True, "and is made again once it is gone");
    }

    private static bool AppliesSet(Step step) => step is Step.Apply { Manifest: var manifest } && (string?)manifest["kind"] == "StatefulSet";

    private static IReadOnlyList<Step> Plan(InstanceView instance) =>
        SqlServerPlanner.Plan(instance, Documents.Namespace(instance), [], DateTimeOffset.UnixEpoch);

    private static IReadOnlyList<string> Refusals(JsonObject set, string change) => SpecChange.Check(Read(change), set).Mistakes;

    private static SpecReading Read(string change)
    {
        var reading = SpecReader.Read(Documents.SqlServer(change: spec => Change(spec, change)));
        Assert.That(reading.Mistakes, Is.Empty);
        return reading;
    }

    /// <summary>As it comes back from an API server.</summary>
    private static JsonObject Set(string change = "{}") =>
        (JsonObject)JsonNode.Parse(StatefulSetManifest.Build(Documents.Spec(change: spec => Change(spec, change)), []).ToJsonString())!;

    private static void Change(JsonObject spec, string change)
    {
        foreach (var (key, value) in (JsonObject)JsonNode.Parse(change)!)
            spec[key] = value?.DeepClone();
    }
}
