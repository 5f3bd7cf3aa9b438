using System.Text.Json.Nodes;
using Agents.Operator;
using Agents.Operator.Manifests;
using Agents.Security;

namespace Unit.Operator;

internal sealed class ManifestTests
{
    private static readonly KeyValuePair<string, string>[] Timings = [new("MSSQL_K8S_LEASE_DURATION_SECONDS", "9")];

    private static readonly (string, string)[] Owners = [("mssql2", "uid-mssql2"), ("mssql1", "uid-mssql1")];

    [Test]
    public void StatefulSet_of_a_plain_instance() => Golden.Verify(StatefulSetManifest.Build(Documents.Spec(), Timings), "statefulset");

    [Test]
    public void StatefulSet_with_everything_overridden() => Golden.Verify(
        StatefulSetManifest.Build(
            Documents.Spec(groups: """["ag1", {"name": "ag2", "availabilityMode": "asynchronousCommit"}]""", change: Everything), []),
        "statefulset-everything");

    [Test]
    public void InitJob() => Golden.Verify(InitJobManifest.Build(Documents.Spec()), "init-job");

    [Test]
    public void InitJob_with_everything_overridden() => Golden.Verify(InitJobManifest.Build(Documents.Spec(change: Everything)), "init-job-everything");

    [Test]
    public void InternalService() => Golden.Verify(ServiceManifests.Internal(Documents.Spec()), "internal-service");

    [Test]
    public void GroupService() => Golden.Verify(ServiceManifests.Group("ag1", "ag1", Owners), "group-service");

    [Test]
    public void GroupConfigMap() => Golden.Verify(
        GroupConfigMapManifest.Build(
            "ag1", "ag1", Owners,
            [GroupConfigMapManifest.Member("mssql2", "ag1", "asynchronousCommit"), GroupConfigMapManifest.Member("mssql1", "ag1", "synchronousCommit")]),
        "group-configmap");

    [Test]
    public void GroupDisruptionBudget() => Golden.Verify(DisruptionBudgetManifest.Build("policy/v1", "ag1", "ag1", Owners), "group-disruption-budget");

    [Test]
    public void ServiceAccount() => Golden.Verify(AccessManifests.ServiceAccount(Documents.Spec()), "service-account");

    [Test]
    public void Role() => Golden.Verify(AccessManifests.Role(Documents.Spec(), ["mssql3", "mssql1", "mssql2"]), "role");

    [Test]
    public void RoleBinding() => Golden.Verify(AccessManifests.RoleBinding(Documents.Spec()), "role-binding");

    [Test]
    public void AgentLogin() => Golden.Verify(SecretManifests.AgentLogin(Documents.Spec(), "password"), "agent-login");

    [Test]
    public void MirroringCertificateSecret() => Golden.Verify(
        SecretManifests.MirroringCertificate("ag1", new MirroringCertificate([1, 2], [3, 4], "pvk"), "master"), "mirroring-certificate");

    [Test]
    public void A_change_of_the_groups_restarts_no_pod()
    {
        var before = StatefulSetManifest.Build(Documents.Spec(), []);
        var after = StatefulSetManifest.Build(Documents.Spec(groups: """["ag1","ag2"]"""), []);
        Assert.Multiple(() =>
        {
            Assert.That(RestartHash(after), Is.EqualTo(RestartHash(before)));
            Assert.That(JsonNode.DeepEquals(before, after), Is.False, "but the next scheduling keeps ag2 apart too");
        });
    }

    [Test]
    public void A_change_of_the_image_or_of_a_time_out_restarts_the_pod()
    {
        var before = RestartHash(StatefulSetManifest.Build(Documents.Spec(), []));
        Assert.Multiple(() =>
        {
            Assert.That(RestartHash(StatefulSetManifest.Build(Documents.Spec(change: spec => spec["agentsContainerImage"] = "x"), [])), Is.Not.EqualTo(before));
            Assert.That(RestartHash(StatefulSetManifest.Build(Documents.Spec(change: spec => spec["queryCommandTimeoutSec"] = 11), [])), Is.Not.EqualTo(before));
            Assert.That(RestartHash(StatefulSetManifest.Build(Documents.Spec(), Timings)), Is.Not.EqualTo(before));
            Assert.That(RestartHash(StatefulSetManifest.Build(Documents.Spec(change: spec => spec["sqlPostInitScript"] = "x"), [])), Is.EqualTo(before));
        });
    }

    [Test]
    public void Every_change_of_the_specification_runs_init_sql_anew_and_the_order_of_keys_is_none()
    {
        static string Hash(Action<JsonObject>? change) =>
            (string)InitJobManifest.Build(Documents.Spec(change: change))["metadata"]!["annotations"]![Names.SpecHash]!;
        var before = Hash(null);
        Assert.Multiple(() =>
        {
            Assert.That(Hash(spec => spec["sqlPostInitScript"] = "x"), Is.Not.EqualTo(before));
            Assert.That(Hash(spec => spec["availabilityGroups"] = new JsonArray()), Is.Not.EqualTo(before));
            Assert.That(Hash(spec => spec["monitorPolicy"] = 4), Is.Not.EqualTo(before));
            Assert.That(Hash(spec =>
            {
                var eula = spec["acceptEula"]!.DeepClone();
                spec.Remove("acceptEula");
                spec["acceptEula"] = eula;
            }), Is.EqualTo(before));
        });
    }

    [Test]
    public void A_user_cannot_take_the_variables_that_the_operator_sets()
    {
        var set = StatefulSetManifest.Build(
            Documents.Spec(change: spec => spec["sqlServerContainer"]!["env"] = JsonNode.Parse(
                """[{"name": "MSSQL_ENABLE_HADR", "value": "0"}, {"name": "MSSQL_MEMORY_LIMIT_MB", "value": "2048"}]""")),
            []);
        var env = set["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray();
        Assert.Multiple(() =>
        {
            Assert.That(env.Count(item => (string?)item!["name"] == "MSSQL_ENABLE_HADR"), Is.EqualTo(1));
            Assert.That((string?)env.Single(item => (string?)item!["name"] == "MSSQL_ENABLE_HADR")!["value"], Is.EqualTo("1"));
            Assert.That((string?)env.Single(item => (string?)item!["name"] == "MSSQL_MEMORY_LIMIT_MB")!["value"], Is.EqualTo("2048"));
        });
    }

    private static string RestartHash(JsonObject set) =>
        (string)set["spec"]!["template"]!["metadata"]!["annotations"]![Names.RestartHash]!;

    private static void Everything(JsonObject spec)
    {
        spec.Remove("instanceRootVolumeClaimTemplate");
        spec["instanceRootVolume"] = JsonNode.Parse("""{"persistentVolumeClaim": {"claimName": "mssql-data-1"} }""");
        spec["masterKeyPassword"] = JsonNode.Parse("""{"secretKeyRef": {"name": "sql-secrets", "key": "masterkeypassword"} }""");
        spec["pid"] = "Enterprise";
        spec["monitorPolicy"] = 4;
        spec["sqlPostInitScript"] = "PRINT '$(x)'\nGO\n";
        spec["volumes"] = JsonNode.Parse("""[{"name": "backup", "emptyDir": {} }]""");
        spec["initSQLPod"] = JsonNode.Parse("""{"imagePullSecrets": [{"name": "pull"}]}""");
        spec["sqlServerPod"] = JsonNode.Parse("""
            {
              "imagePullSecrets": [{"name": "pull"}],
              "tolerations": [{"key": "sql", "operator": "Exists"}],
              "terminationGracePeriodSeconds": 90,
              "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []} },
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "topology.kubernetes.io/zone"}]}
              },
              "containers": [{"name": "mssql-ha-supervisor", "resources": {"limits": {"memory": "256Mi"} } }]
            }
            """);
        spec["sqlServerContainer"] = JsonNode.Parse("""
            {
              "image": "registry.example/server:2022",
              "resources": {"limits": {"memory": "4Gi"} },
              "env": [{"name": "MSSQL_MEMORY_LIMIT_MB", "value": "2048"}],
              "volumeMounts": [{"name": "backup", "mountPath": "/backup"}, {"name": "backup", "mountPath": "/dump", "subPath": "dump"}]
            }
            """);
    }
}
