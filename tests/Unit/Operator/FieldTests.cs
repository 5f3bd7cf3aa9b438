using System.Text.Json.Nodes;
using Agents.Operator.Manifests;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

/// <summary>Each field of a <c>SqlServer</c> arrives where it belongs.</summary>
internal sealed class FieldTests
{
    private const string Pod = "StatefulSet mssql1 spec.template.spec";
    private const string Server = $"{Pod}.containers.mssql-server";
    private const string Supervisor = $"{Pod}.containers.mssql-ha-supervisor";
    private const string Health = $"{Pod}.containers.mssql-server-k8s-health-agent";
    private const string Init = "Job spec.template.spec";
    private const string InitContainer = $"{Init}.containers.mssql-server-k8s-init-sql";

    // What the preview had.
    [TestCase("saPassword", """{"secretKeyRef": {"name": "s", "key": "k"} }""", $"{Server}.env.MSSQL_SA_PASSWORD.valueFrom.secretKeyRef", """{"name": "s", "key": "k"}""")]
    [TestCase("saPassword", """{"secretKeyRef": {"name": "s", "key": "k"} }""", $"{InitContainer}.env.MSSQL_K8S_SA_PASSWORD.valueFrom.secretKeyRef", """{"name": "s", "key": "k"}""")]
    [TestCase("masterKeyPassword", """{"secretKeyRef": {"name": "s", "key": "k"} }""", $"{Init}.volumes.mssql-mirroring-certificate.projected.sources.1.secret",
        """{"name": "s", "items": [{"key": "k", "path": "master-key-password"}]}""")]
    [TestCase("agentsContainerImage", "\"x\"", $"{Supervisor}.image", "\"x\"")]
    [TestCase("agentsContainerImage", "\"x\"", $"{Health}.image", "\"x\"")]
    [TestCase("agentsContainerImage", "\"x\"", $"{InitContainer}.image", "\"x\"")]
    [TestCase("acceptEula", "true", $"{Server}.env.ACCEPT_EULA.value", "\"Y\"")]
    [TestCase("sqlServerContainer", """{"image": "x"}""", $"{Server}.image", "\"x\"")]
    [TestCase("sqlServerContainer", """{"image": "x", "env": [{"name": "MSSQL_AGENT_ENABLED", "value": "true"}]}""", $"{Server}.env.MSSQL_AGENT_ENABLED.value", "\"true\"")]
    [TestCase("instanceRootVolumeClaimTemplate", """{"accessModes": ["ReadWriteOnce"], "storageClass": "slow", "resources": {"requests": {"storage": "5Gi"} } }""",
        "StatefulSet mssql1 spec.volumeClaimTemplates.0.spec.storageClassName", "\"slow\"")]
    [TestCase("pid", "\"Express\"", $"{Server}.env.MSSQL_PID.value", "\"Express\"")]
    [TestCase("pid", "\"ab1de-11111-22222-33333-44444\"", $"{Server}.env.MSSQL_PID.value", "\"ab1de-11111-22222-33333-44444\"")]
    [TestCase("monitorPolicy", "4", $"{Health}.env.MSSQL_K8S_MONITOR_POLICY.value", "\"4\"")]
    [TestCase("monitorPolicy", "4", $"{Supervisor}.env.MSSQL_K8S_MONITOR_POLICY.value", "\"4\"")]
    [TestCase("sqlServerPod", """{"dnsPolicy": "None"}""", $"{Pod}.dnsPolicy", "\"None\"")]
    [TestCase("initSQLPod", """{"dnsPolicy": "None"}""", $"{Init}.dnsPolicy", "\"None\"")]
    [TestCase("connectionTimeoutSec", "5", $"{Supervisor}.env.MSSQL_K8S_CONNECTION_TIMEOUT_SECONDS.value", "\"5\"")]
    [TestCase("queryCommandTimeoutSec", "5", $"{Supervisor}.env.MSSQL_K8S_QUERY_COMMAND_TIMEOUT_SECONDS.value", "\"5\"")]
    [TestCase("joinCommandTimeoutSec", "5", $"{Supervisor}.env.MSSQL_K8S_JOIN_COMMAND_TIMEOUT_SECONDS.value", "\"5\"")]
    [TestCase("transientDBHealthTimeoutSec", "5", $"{Supervisor}.env.MSSQL_K8S_TRANSIENT_DB_HEALTH_TIMEOUT_SECONDS.value", "\"5\"")]
    [TestCase("sqlPostInitScript", "\"PRINT 1\"", $"{InitContainer}.env.MSSQL_K8S_POST_INIT_SCRIPT.value", "\"PRINT 1\"")]
    [TestCase("availabilityGroups", """["ag2"]""", "StatefulSet mssql1 spec.template.metadata.labels.placement/mssql/microsoft/com//ag2", "\"\"")]
    [TestCase("skipAgAntiAffinity", "true", $"{Pod}.affinity", "null")]
    [TestCase("volumes", """[{"name": "x", "emptyDir": {} }]""", $"{Pod}.volumes.x.emptyDir", "{}")]

    // What is ours.
    [TestCase("resources", """{"limits": {"cpu": "2"} }""", $"{Server}.resources.limits.cpu", "\"2\"")]
    [TestCase("resources", """{"limits": {"memory": "4Gi"} }""", $"{Server}.env.MSSQL_MEMORY_LIMIT_MB.value", "\"3276\"")]
    [TestCase("resources", """{"requests": {"memory": "4Gi"} }""", $"{Server}.env.MSSQL_MEMORY_LIMIT_MB", "null")]
    [TestCase("sqlServerContainer", """{"image": "x", "resources": {"limits": {"memory": 5000000000} } }""", $"{Server}.env.MSSQL_MEMORY_LIMIT_MB.value", "\"3814\"")]
    [TestCase("sqlServerContainer", """{"image": "x", "env": [{"name": "MSSQL_MEMORY_LIMIT_MB", "value": "9"}], "resources": {"limits": {"memory": "4Gi"} } }""",
        $"{Server}.env.MSSQL_MEMORY_LIMIT_MB.value", "\"9\"")]
    [TestCase("memoryLimitMB", "3000", $"{Server}.env.MSSQL_MEMORY_LIMIT_MB.value", "\"3000\"")]
    [TestCase("nodeSelector", """{"disk": "ssd"}""", $"{Pod}.nodeSelector.disk", "\"ssd\"")]
    [TestCase("nodeSelector", """{"disk": "ssd"}""", $"{Init}.nodeSelector.disk", "\"ssd\"")]
    [TestCase("tolerations", """[{"key": "sql", "operator": "Exists"}]""", $"{Pod}.tolerations.0.key", "\"sql\"")]
    [TestCase("tolerations", """[{"key": "sql", "operator": "Exists"}]""", $"{Init}.tolerations.0.key", "\"sql\"")]
    [TestCase("affinity", """{"nodeAffinity": {} }""", $"{Pod}.affinity.nodeAffinity", "{}")]
    [TestCase("affinity", """{"nodeAffinity": {} }""", $"{Pod}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.topologyKey", "\"kubernetes.io/hostname\"")]
    [TestCase("affinity", """{"nodeAffinity": {} }""", $"{Init}.affinity", "null")]
    [TestCase("topologySpreadConstraints", """[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]""", $"{Pod}.topologySpreadConstraints.0.topologyKey", "\"zone\"")]
    [TestCase("priorityClassName", "\"databases\"", $"{Pod}.priorityClassName", "\"databases\"")]
    [TestCase("priorityClassName", "\"databases\"", $"{Init}.priorityClassName", "\"databases\"")]
    [TestCase("imagePullPolicy", "\"Always\"", $"{Server}.imagePullPolicy", "\"Always\"")]
    [TestCase("imagePullPolicy", "\"Always\"", $"{Health}.imagePullPolicy", "\"Always\"")]
    [TestCase("imagePullPolicy", "\"Always\"", $"{Supervisor}.imagePullPolicy", "\"Always\"")]
    [TestCase("imagePullPolicy", "\"Always\"", $"{InitContainer}.imagePullPolicy", "\"Always\"")]
    [TestCase("imagePullSecrets", """[{"name": "pull"}]""", $"{Pod}.imagePullSecrets.0.name", "\"pull\"")]
    [TestCase("imagePullSecrets", """[{"name": "pull"}]""", $"{Init}.imagePullSecrets.0.name", "\"pull\"")]
    [TestCase("podLabels", """{"team": "orders"}""", "StatefulSet mssql1 spec.template.metadata.labels.team", "\"orders\"")]
    [TestCase("podAnnotations", """{"scrape": "no"}""", "StatefulSet mssql1 spec.template.metadata.annotations.scrape", "\"no\"")]
    [TestCase("mssqlConf", """{"sqlagent.enabled": "true", "network.forceencryption": "1"}""", "ConfigMap mssql1-mssql-conf data.mssql/conf",
        "\"[network]\\nforceencryption = 1\\n[sqlagent]\\nenabled = true\\n\"")]
    [TestCase("mssqlConf", """{"sqlagent.enabled": "true"}""", $"{Server}.volumeMounts.mssql-conf", """{"name": "mssql-conf", "mountPath": "/var/opt/mssql/mssql.conf", "readOnly": true, "subPath": "mssql.conf"}""")]
    [TestCase("mssqlConf", """{"sqlagent.enabled": "true"}""", $"{Pod}.volumes.mssql-conf.configMap.name", "\"mssql1-mssql-conf\"")]
    [TestCase("service", """{"labels": {"team": "orders"}, "annotations": {"lb": "internal"}, "spec": {"type": "LoadBalancer", "ports": [{"name": "tds", "port": 11433}]} }""",
        "Service mssql1-client spec", """{"type": "LoadBalancer", "selector": {"mssql.microsoft.com/sqlserver": "mssql1"}, "ports": [{"name": "tds", "port": 11433, "targetPort": 1433, "protocol": "TCP"}]}""")]
    [TestCase("service", """{"annotations": {"lb": "internal"} }""", "Service mssql1-client metadata.annotations.lb", "\"internal\"")]
    [TestCase("serviceAccountName", "\"mine\"", $"{Pod}.serviceAccountName", "\"mine\"")]
    [TestCase("serviceAccountName", "\"mine\"", $"{Init}.serviceAccountName", "\"mine\"")]
    [TestCase("serviceAccountName", "\"mine\"", "RoleBinding mssql1-agents subjects.0.name", "\"mine\"")]
    [TestCase("serviceAccountName", "\"mine\"", "ServiceAccount mssql1-agents", "null")]
    [TestCase("terminationGracePeriodSeconds", "300", $"{Pod}.terminationGracePeriodSeconds", "300")]
    [TestCase("timeZone", "\"Europe/Berlin\"", $"{Server}.env.TZ.value", "\"Europe/Berlin\"")]
    [TestCase("collation", "\"Latin1_General_100_CI_AS\"", $"{Server}.env.MSSQL_COLLATION.value", "\"Latin1_General_100_CI_AS\"")]
    public void A_field_arrives(string field, string value, string path, string expected) => AssertAt(path, expected, spec => spec[field] = JsonNode.Parse(value));

    [Test]
    public void An_existing_volume_takes_the_place_of_a_claim() => AssertAt(
        $"{Pod}.volumes.mssql-root", """{"name": "mssql-root", "persistentVolumeClaim": {"claimName": "mssql-data-1"} }""", spec =>
        {
            spec.Remove("instanceRootVolumeClaimTemplate");
            spec["instanceRootVolume"] = JsonNode.Parse("""{"persistentVolumeClaim": {"claimName": "mssql-data-1"} }""");
        });

    [TestCase($"{Server}.env.MSSQL_PID.value", "\"Developer\"")]
    [TestCase($"{Health}.env.MSSQL_K8S_MONITOR_POLICY.value", "\"3\"")]
    [TestCase($"{Supervisor}.env.MSSQL_K8S_CONNECTION_TIMEOUT_SECONDS.value", "\"30\"")]
    [TestCase($"{Supervisor}.env.MSSQL_K8S_QUERY_COMMAND_TIMEOUT_SECONDS.value", "\"10\"")]
    [TestCase($"{Supervisor}.env.MSSQL_K8S_JOIN_COMMAND_TIMEOUT_SECONDS.value", "\"60\"")]
    [TestCase($"{Supervisor}.env.MSSQL_K8S_TRANSIENT_DB_HEALTH_TIMEOUT_SECONDS.value", "\"180\"")]
    [TestCase($"{Pod}.terminationGracePeriodSeconds", "60")]
    [TestCase($"{Pod}.serviceAccountName", "\"mssql1-agents\"")]
    [TestCase($"{Server}.env.MSSQL_MEMORY_LIMIT_MB", "null")]
    [TestCase($"{Server}.env.MSSQL_COLLATION", "null")]
    [TestCase($"{Server}.imagePullPolicy", "null")]
    [TestCase("Service mssql1-client", "null")]
    [TestCase("ConfigMap mssql1-mssql-conf", "null")]
    public void What_is_not_given_has_its_default(string path, string expected) => AssertAt(path, expected, null);

    [Test]
    public void The_overlays_go_over_the_fields() => AssertAt(
        $"{Pod}.nodeSelector", """{"disk": "ssd", "zone": "b"}""", spec =>
        {
            spec["nodeSelector"] = JsonNode.Parse("""{"disk": "ssd", "zone": "a"}""");
            spec["sqlServerPod"] = JsonNode.Parse("""{"nodeSelector": {"zone": "b"} }""");
        });

    [Test]
    public void Labels_and_annotations_restart_no_pod_but_mssql_conf_does()
    {
        static string Hash(string? field, string value = "null") => StatefulSetManifest.Build(
            Documents.Spec(change: spec =>
            {
                if (field is not null)
                    spec[field] = JsonNode.Parse(value);
            }),
            [])["spec"]!["template"]!["metadata"]!["annotations"]!["mssql.microsoft.com/restart-hash"]!.ToString();
        Assert.Multiple(() =>
        {
            Assert.That(Hash("podLabels", """{"a": "b"}"""), Is.EqualTo(Hash(null)));
            Assert.That(Hash("podAnnotations", """{"a": "b"}"""), Is.EqualTo(Hash(null)));
            Assert.That(Hash("service", "{}"), Is.EqualTo(Hash(null)));
            Assert.That(Hash("mssqlConf", """{"a.b": "1"}"""), Is.Not.EqualTo(Hash("mssqlConf", """{"a.b": "2"}""")));
        });
    }

    /// <param name="path">Kind and name of an object (a Job needs none), then fields; a list's items by name or index; a slash in place of a dot in a key.</param>
    /// <param name="expected">JSON; null for nothing.</param>
    /// <param name="change">Of the plain specification.</param>
    private static void AssertAt(string path, string expected, Action<JsonObject>? change)
    {
        var words = path.Split(' ');
        JsonNode? node = Manifests(change).SingleOrDefault(manifest => (string?)manifest["kind"] == words[0] && (words[0] == "Job" || (string?)manifest["metadata"]!["name"] == words[1]));
        var fields = words[^1].Contains('.', StringComparison.Ordinal) ? words[^1].Split('.') : words.Length == 3 ? [words[2]] : [];
        foreach (var field in fields.Select(x => x.Replace("//", "\n", StringComparison.Ordinal).Replace('/', '.').Replace('\n', '/')))
            node = node is JsonArray list
                ? int.TryParse(field, out var index) ? list.ElementAtOrDefault(index) : list.SingleOrDefault(item => (string?)item!["name"] == field)
                : node?[field];
        Assert.That(JsonNode.DeepEquals(node, JsonNode.Parse(expected)), Is.True, $"{path} is {node?.ToJsonString() ?? "null"}");
    }

    private static JsonObject[] Manifests(Action<JsonObject>? change)
    {
        var instance = Documents.Instance(change: change);
        Assert.That(instance.Reading.Mistakes, Is.Empty);
        return [.. SqlServerPlanner.Plan(instance, Documents.Namespace(instance), [], DateTimeOffset.UnixEpoch)
            .Select(step => step switch { Step.Apply apply => apply.Manifest, Step.CreateJob create => create.Manifest, _ => null }).OfType<JsonObject>()];
    }
}
