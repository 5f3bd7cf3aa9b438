using System.Text.Json.Nodes;
using Agents.Operator.Specs;

namespace Unit.Operator;

internal sealed class SpecReaderTests
{
    [Test]
    public void Both_shapes_of_availability_groups_are_read()
    {
        var spec = Documents.Spec(groups: """["ag1", {"name": "ag2", "availabilityMode": "configurationOnly"}, {"name": "ag3"}]""");
        Assert.That(spec.Groups, Is.EqualTo(new GroupMembership[]
        {
            new("ag1", "synchronousCommit"), new("ag2", "configurationOnly"), new("ag3", "synchronousCommit"),
        }));
    }

    [Test]
    public void The_storage_class_of_the_preview_is_taken_for_storageClassName()
    {
        var claim = Documents.Spec().RootVolumeClaim!;
        Assert.That((string?)claim["storageClassName"], Is.EqualTo("fast"));
        Assert.That(claim.ContainsKey("storageClass"), Is.False);
    }

    [TestCase("""{"acceptEula": false}""", "spec.acceptEula: must be true")]
    [TestCase("""{"saPassword": null}""", "spec.saPassword: is required")]
    [TestCase("""{"saPassword": {"secretKeyRef": {"name": "x"} } }""", "spec.saPassword.secretKeyRef.key: is required")]
    [TestCase("""{"sqlServerContainer": {} }""", "spec.sqlServerContainer.image: is required")]
    [TestCase("""{"agentsContainerImage": ""}""", "spec.agentsContainerImage: is required")]
    [TestCase("""{"monitorPolicy": 6}""", "spec.monitorPolicy: must be a whole number from 0 to 5")]
    [TestCase("""{"monitorPolicy": "3"}""", "spec.monitorPolicy: must be a whole number from 0 to 5")]
    [TestCase("""{"queryCommandTimeoutSec": 0}""", "spec.queryCommandTimeoutSec: must be a whole number of at least 1")]
    [TestCase("""{"availabilityGroups": "ag1"}""", "spec.availabilityGroups: must be a list")]
    [TestCase("""{"availabilityGroups": ["AG1"]}""", "spec.availabilityGroups[0]: must be a name of lower-case letters, digits and '-' that starts with a letter")]
    [TestCase("""{"availabilityGroups": ["ag1", {"name": "ag1"}]}""", "spec.availabilityGroups[1]: 'ag1' is named twice")]
    [TestCase("""{"availabilityGroups": [7]}""", "spec.availabilityGroups[0]: must be a name of lower-case letters, digits and '-' that starts with a letter")]
    [TestCase("""{"availabilityGroups": [{"name": "ag1", "availabilityMode": "sync"}]}""",
        "spec.availabilityGroups[0].availabilityMode: must be one of synchronousCommit, asynchronousCommit, configurationOnly")]
    [TestCase("""{"availabilityGroups": [{"name": "ag1", "mode": "x"}]}""", "spec.availabilityGroups[0].mode: is not a field of an availability group")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": null}""", "spec: exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given")]
    [TestCase("""{"instanceRootVolume": {"emptyDir": {} } }""", "spec: exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given")]
    [TestCase("""{"sqlServerPod": {"serviceAccountName": "x"} }""", "spec.sqlServerPod.serviceAccountName: is set by the operator and cannot be overridden")]
    [TestCase("""{"sqlServerPod": {"hostNetwork": true} }""",
        "spec.sqlServerPod.hostNetwork: is not supported: the pod's own address and name identify the replica")]
    [TestCase("""{"sqlServerContainer": {"image": "x", "env": [{"name": "MSSQL_TCP_PORT", "value": "1533"}]} }""",
        "spec.sqlServerContainer.env[MSSQL_TCP_PORT]: must be 1433: agents, probes and Services use that port")]
    public void A_mistake_is_refused_with_the_path_of_its_field(string change, string mistake)
    {
        var reading = SpecReader.Read(Documents.SqlServer(change: spec =>
        {
            foreach (var (key, value) in (JsonObject)JsonNode.Parse(change)!)
                spec[key] = value?.DeepClone();
        }));
        Assert.That(reading.Mistakes, Is.EqualTo(new[] { mistake }));
        Assert.That(reading.Spec, Is.Null);
    }

    [Test]
    public void A_name_that_SQL_Server_would_cut_is_refused() =>
        Assert.That(
            SpecReader.Read(Documents.SqlServer("orders-eu-west")).Mistakes.Single(),
            Does.StartWith("metadata.name: has 14 characters; at most 13"));

    [Test]
    public void All_mistakes_are_told_at_once()
    {
        var reading = SpecReader.Read(new JsonObject());
        Assert.That(reading.Mistakes, Has.Count.GreaterThan(4));
    }

    [Test]
    public void Groups_are_known_even_when_other_fields_are_wrong_and_unknown_when_they_are_wrong_themselves()
    {
        Assert.Multiple(() =>
        {
            Assert.That(SpecReader.Read(Documents.SqlServer(change: spec => spec["acceptEula"] = false)).Groups, Has.Count.EqualTo(1));
            Assert.That(SpecReader.Read(Documents.SqlServer(groups: """["ag1", "ag1"]""")).Groups, Is.Null);
        });
    }
}
