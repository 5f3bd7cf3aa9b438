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

    [TestCase("""{"acceptEula": false}""", "spec.acceptEula: must be true, not false")]
    [TestCase("""{"saPassword": null}""", "spec.saPassword: is required")]
    [TestCase("""{"saPassword": {"secretKeyRef": {"name": "x"} } }""", "spec.saPassword.secretKeyRef.key: is required")]
    [TestCase("""{"sqlServerContainer": {} }""", "spec.sqlServerContainer.image: is required")]
    [TestCase("""{"agentsContainerImage": ""}""", "spec.agentsContainerImage: is required")]
    [TestCase("""{"monitorPolicy": 6}""", "spec.monitorPolicy: must be a whole number from 0 to 5, not 6")]
    [TestCase("""{"monitorPolicy": "3"}""", "spec.monitorPolicy: must be a whole number from 0 to 5, not \"3\"")]
    [TestCase("""{"queryCommandTimeoutSec": 0}""", "spec.queryCommandTimeoutSec: must be a whole number of at least 1, not 0")]
    [TestCase("""{"availabilityGroups": "ag1"}""", "spec.availabilityGroups: must be a list, not a string")]
    [TestCase("""{"availabilityGroups": ["AG1"]}""", "spec.availabilityGroups[0]: must be a name of lower-case letters, digits and '-' that starts with a letter, not \"AG1\"")]
    [TestCase("""{"availabilityGroups": ["ag1", {"name": "ag1"}]}""", "spec.availabilityGroups[1]: 'ag1' is named twice")]
    [TestCase("""{"availabilityGroups": [7]}""", "spec.availabilityGroups[0]: must be a name of lower-case letters, digits and '-' that starts with a letter, not 7")]
    [TestCase("""{"availabilityGroups": [{"name": "ag1", "availabilityMode": "sync"}]}""",
        "spec.availabilityGroups[0].availabilityMode: must be one of synchronousCommit, asynchronousCommit, configurationOnly, not \"sync\"")]
    [TestCase("""{"availabilityGroups": [{"name": "ag1", "mode": "x"}]}""", "spec.availabilityGroups[0].mode: is not a field of an availability group")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": null}""", "spec: exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given")]
    [TestCase("""{"instanceRootVolume": {"emptyDir": {} } }""", "spec: exactly one of instanceRootVolume and instanceRootVolumeClaimTemplate must be given")]
    [TestCase("""{"sqlServerPod": {"serviceAccountName": "x"} }""", "spec.sqlServerPod.serviceAccountName: cannot be overridden; use spec.serviceAccountName")]
    [TestCase("""{"sqlServerPod": {"hostNetwork": true} }""",
        "spec.sqlServerPod.hostNetwork: is not supported: the pod's own address and name identify the replica")]
    [TestCase("""{"sqlServerContainer": {"image": "x", "env": [{"name": "MSSQL_TCP_PORT", "value": "1533"}]} }""",
        "spec.sqlServerContainer.env[MSSQL_TCP_PORT]: must be 1433: agents, probes and Services use that port")]
    [TestCase("""{"acceptEula": null}""", "spec.acceptEula: is required")]
    [TestCase("""{"saPassword": "secret"}""", "spec.saPassword: must be an object, not a string")]
    [TestCase("""{"sqlPostInitScript": ["secret"]}""", "spec.sqlPostInitScript: must be a string, not a list")]
    [TestCase("""{"pid": "Ultimate"}""", "spec.pid: must be Evaluation, Developer, Express, Web, Standard, Enterprise, EnterpriseCore, StandardDeveloper, EnterpriseDeveloper, or a product key of five groups of five letters and digits")]
    [TestCase("""{"imagePullPolicy": "Sometimes"}""", "spec.imagePullPolicy: must be one of Always, IfNotPresent, Never, not \"Sometimes\"")]
    [TestCase("""{"imagePullSecrets": ["pull"]}""", "spec.imagePullSecrets: must be a list of objects with name")]
    [TestCase("""{"nodeSelector": {"ssd": true} }""", "spec.nodeSelector[ssd]: must be a string, not true or false")]
    [TestCase("""{"tolerations": {"key": "sql"} }""", "spec.tolerations: must be a list of objects")]
    [TestCase("""{"affinity": []}""", "spec.affinity: must be an object, not a list")]
    [TestCase("""{"topologySpreadConstraints": [{"maxSkew": 1}]}""", "spec.topologySpreadConstraints: must be a list of objects with topologyKey")]
    [TestCase("""{"priorityClassName": "High"}""", "spec.priorityClassName: must be a name of lower-case letters, digits, '-' and '.', not \"High\"")]
    [TestCase("""{"serviceAccountName": "a_b"}""", "spec.serviceAccountName: must be a name of lower-case letters, digits, '-' and '.', not \"a_b\"")]
    [TestCase("""{"terminationGracePeriodSeconds": 0}""", "spec.terminationGracePeriodSeconds: must be a whole number of at least 1, not 0")]
    [TestCase("""{"podLabels": {"type": "x"} }""", "spec.podLabels[type]: is set by the operator or the agents and cannot be overridden")]
    [TestCase("""{"podLabels": {"role.ag.mssql.microsoft.com/ag1": "primary"} }""",
        "spec.podLabels[role.ag.mssql.microsoft.com/ag1]: is set by the operator or the agents and cannot be overridden")]
    [TestCase("""{"podLabels": {"a b": "x"} }""",
        "spec.podLabels[a b]: must be a name of at most 63 letters, digits, '-', '_' and '.', with or without a DNS name and '/' before it")]
    [TestCase("""{"podLabels": {"a": "x y"} }""",
        "spec.podLabels[a]: must be at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit, not \"x y\"")]
    [TestCase("""{"podAnnotations": {"mssql.microsoft.com/restart-hash": "x"} }""",
        "spec.podAnnotations[mssql.microsoft.com/restart-hash]: is set by the operator or the agents and cannot be overridden")]
    [TestCase("""{"timeZone": "../etc/passwd"}""", "spec.timeZone: must be a name of the time zone database, such as Europe/Berlin, not \"../etc/passwd\"")]
    [TestCase("""{"collation": "Latin1 General"}""", "spec.collation: must be the name of a collation, not \"Latin1 General\"")]
    [TestCase("""{"memoryLimitMB": 0}""", "spec.memoryLimitMB: must be a whole number of at least 1, not 0")]
    [TestCase("""{"memoryLimitMB": 4097, "resources": {"limits": {"memory": "4Gi"} } }""", "spec.memoryLimitMB: must be at most the container's limit of 4096 MiB, not 4097")]
    [TestCase("""{"memoryLimitMB": 4096, "sqlServerContainer": {"image": "x", "env": [{"name": "MSSQL_MEMORY_LIMIT_MB", "value": "1"}]} }""",
        "spec.sqlServerContainer.env[MSSQL_MEMORY_LIMIT_MB]: is given in spec.memoryLimitMB too; give one of them")]
    [TestCase("""{"resources": {"limits": {"memory": "lots"} } }""", "spec.resources.limits.memory: must be a quantity such as 500m or 4Gi, not \"lots\"")]
    [TestCase("""{"resources": {"requests": [] } }""", "spec.resources.requests: must be an object, not a list")]
    [TestCase("""{"resources": {}, "sqlServerContainer": {"image": "x", "resources": {} } }""", "spec.resources: is given in sqlServerContainer.resources too; give one of them")]
    [TestCase("""{"mssqlConf": {"memory": "x"} }""", "spec.mssqlConf[memory]: must be a section and a setting of mssql.conf with a dot between them")]
    [TestCase("""{"mssqlConf": {"network.tcpport": "1533"} }""", "spec.mssqlConf[network.tcpport]: is always 1433: agents, probes and Services use that port")]
    [TestCase("""{"mssqlConf": {"memory.memorylimitmb": "1"} }""", "spec.mssqlConf[memory.memorylimitmb]: use spec.memoryLimitMB")]
    [TestCase("""{"mssqlConf": {"sqlagent.enabled": true} }""", "spec.mssqlConf[sqlagent.enabled]: must be a string, not true or false")]
    [TestCase("""{"mssqlConf": {"a.b": "1\n[network]"} }""", "spec.mssqlConf[a.b]: must be one line, not \"1\\n[network]\"")]
    [TestCase("""{"service": {"spec": {"type": "ExternalName"} } }""", "spec.service.spec.type: must be one of ClusterIP, NodePort, LoadBalancer, not \"ExternalName\"")]
    [TestCase("""{"service": {"spec": {"selector": {} } } }""", "spec.service.spec.selector: is set by the operator and cannot be overridden")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "much"} } } }""",
        "spec.instanceRootVolumeClaimTemplate.resources.requests.storage: must be a quantity such as 8Gi, not \"much\"")]
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
