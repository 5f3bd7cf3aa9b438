using System.Text.Json.Nodes;
using Agents.Operator.Reconciliation;
using Agents.Operator.Specs;

namespace Unit.Operator;

/// <summary>SqlServer documents for tests.</summary>
internal static class Documents
{
    public static JsonObject SqlServer(string name = "mssql1", string groups = """["ag1"]""", Action<JsonObject>? change = null)
    {
        var document = (JsonObject)JsonNode.Parse($$"""
            {
              "apiVersion": "mssql.microsoft.com/v1", "kind": "SqlServer",
              "metadata": {"name": "{{name}}", "namespace": "ag1", "uid": "uid-{{name}}", "generation": 3},
              "spec": {
                "acceptEula": true,
                "saPassword": {"secretKeyRef": {"name": "sql-secrets", "key": "sapassword"} },
                "agentsContainerImage": "registry.example/agents:1",
                "sqlServerContainer": {"image": "registry.example/server:2022"},
                "availabilityGroups": {{groups}},
                "instanceRootVolumeClaimTemplate": {
                  "accessModes": ["ReadWriteOnce"], "storageClass": "fast", "resources": {"requests": {"storage": "5Gi"} }
                }
              }
            }
            """)!;
        change?.Invoke((JsonObject)document["spec"]!);
        return document;
    }

    public static InstanceSpec Spec(string name = "mssql1", string groups = """["ag1"]""", Action<JsonObject>? change = null)
    {
        var reading = SpecReader.Read(SqlServer(name, groups, change));
        Assert.That(reading.Mistakes, Is.Empty);
        return reading.Spec!;
    }

    public static InstanceView Instance(string name = "mssql1", string groups = """["ag1"]""", Action<JsonObject>? change = null)
    {
        var document = SqlServer(name, groups, change);
        return new InstanceView
        {
            Document = document,
            Reading = SpecReader.Read(document),
            AgentLogin = SecretSighting.Complete,
        };
    }

    public static NamespaceView Namespace(params InstanceView[] instances) =>
        new() { Namespace = "ag1", Instances = instances, MirroringCertificate = SecretSighting.Complete };
}
