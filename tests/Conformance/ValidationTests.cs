using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>What is refused in the kinds that the manifests use: each wrong document, the field that is named and the words about it.</summary>
internal sealed class ValidationTests(Backend backend) : ApiServerFixture(backend)
{
    private static readonly (string Spec, string Field, string Words)[] Pods =
    [
        (""" "restartPolicy":"Odd" """, "spec.restartPolicy", "Unsupported value: \"Odd\": supported values: "),
        (""" "dnsPolicy":"Odd" """, "spec.dnsPolicy", "Unsupported value: \"Odd\": supported values: "),
        (""" "activeDeadlineSeconds":0 """, "spec.activeDeadlineSeconds", "Invalid value: 0: must be between 1 and 2147483647, inclusive"),
        (""" "nodeName":"A_b" """, "spec.nodeName", "Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of"),
        (""" "hostname":"a.b" """, "spec.hostname", "Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of"),
        (""" "subdomain":"a.b" """, "spec.subdomain", "Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of"),
        (""" "nodeSelector":{"a b":"c"} """, "spec.nodeSelector", "Invalid value: \"a b\": name part must consist of alphanumeric characters"),
        (""" "securityContext":{"fsGroup":-1} """, "spec.securityContext.fsGroup", "Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        (""" "shareProcessNamespace":true,"hostPID":true """, "spec.securityContext.shareProcessNamespace", "Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"),
        (""" "tolerations":[{"key":"a","operator":"Odd"}] """, "spec.tolerations[0].operator", "Unsupported value: \"Odd\": supported values: \"Equal\", \"Exists\""),
        (""" "tolerations":[{"operator":"Exists","value":"x"}] """, "spec.tolerations[0].operator", "value must be empty when `operator` is 'Exists'"),
        (""" "tolerations":[{"key":"a","effect":"Odd"}] """, "spec.tolerations[0].effect", "Unsupported value: \"Odd\": supported values: "),
        (""" "affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"a":"b"}}}]}} """,
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey", "Required value: can not be empty"),
        (""" "volumes":[{"name":"V","emptyDir":{}}] """, "spec.volumes[0].name", "Invalid value: \"V\": a lowercase RFC 1123 label must consist of"),
        (""" "volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}] """, "spec.volumes[1].name", "Duplicate value: \"v\""),
        (""" "volumes":[{"name":"v","emptyDir":{},"secret":{"secretName":"s"}}] """, "spec.volumes[0].secret", "Forbidden: may not specify more than 1 volume type"),
        (""" "volumes":[{"name":"v","secret":{}}] """, "spec.volumes[0].secret.secretName", "Required value"),
        (""" "volumes":[{"name":"v","configMap":{}}] """, "spec.volumes[0].configMap.name", "Required value"),
        (""" "volumes":[{"name":"v","persistentVolumeClaim":{}}] """, "spec.volumes[0].persistentVolumeClaim.claimName", "Required value"),
        (""" "volumes":[{"name":"v","hostPath":{}}] """, "spec.volumes[0].hostPath.path", "Required value"),
        (""" "volumes":[{"name":"v","secret":{"secretName":"s","defaultMode":1000}}] """, "spec.volumes[0].secret.defaultMode",
            "Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"),
        (""" "volumes":[{"name":"v","configMap":{"name":"c","items":[{"key":"k","path":"../x"}]}}] """, "spec.volumes[0].configMap.items[0].path",
            "Invalid value: \"../x\": must not contain '..'"),
    ];

    private static readonly (string Container, string Field, string Words)[] Containers =
    [
        (""" "image":" i" """, "image", "Invalid value: \" i\": must not have leading or trailing whitespace"),
        (""" "imagePullPolicy":"Odd" """, "imagePullPolicy", "Unsupported value: \"Odd\": supported values: \"Always\", \"IfNotPresent\", \"Never\""),
        (""" "terminationMessagePolicy":"Odd" """, "terminationMessagePolicy", "Invalid value: \"Odd\": must be 'File' or 'FallbackToLogsOnError'"),
        (""" "ports":[{}] """, "ports[0].containerPort", "Required value"),
        (""" "ports":[{"containerPort":70000}] """, "ports[0].containerPort", "Invalid value: 70000: must be between 1 and 65535, inclusive"),
        (""" "ports":[{"containerPort":80,"hostPort":70000}] """, "ports[0].hostPort", "Invalid value: 70000: must be between 1 and 65535, inclusive"),
        (""" "ports":[{"containerPort":80,"protocol":"ICMP"}] """, "ports[0].protocol", "Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\""),
        (""" "ports":[{"containerPort":80,"name":"A_b"}] """, "ports[0].name", "Invalid value: \"A_b\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
        (""" "ports":[{"containerPort":80,"name":"this-is-too-long"}] """, "ports[0].name", "Invalid value: \"this-is-too-long\": must be no more than 15 characters"),
        (""" "ports":[{"containerPort":80,"name":"80"}] """, "ports[0].name", "must contain at least one letter"),
        (""" "ports":[{"containerPort":80,"name":"a"},{"containerPort":81,"name":"a"}] """, "ports[1].name", "Duplicate value: \"a\""),
        (""" "env":[{"name":"1 a"}] """, "env[0].name", "Invalid value: \"1 a\": a valid environment variable name must consist of"),
        (""" "env":[{"name":"a","valueFrom":{}}] """, "env[0].valueFrom", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"),
        (""" "env":[{"name":"a","valueFrom":{"secretKeyRef":{"name":"s"}}}] """, "env[0].valueFrom.secretKeyRef.key", "Required value"),
        (""" "env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"spec.odd"}}}] """, "env[0].valueFrom.fieldRef.fieldPath",
            "Invalid value: \"spec.odd\": error converting fieldPath: field label not supported: spec.odd"),
        (""" "env":[{"name":"a","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"},"secretKeyRef":{"name":"s","key":"k"}}}] """, "env[0].valueFrom",
            "may not have more than one field specified at a time"),
        (""" "resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}} """, "resources.requests", "Invalid value: \"2\": must be less than or equal to cpu limit"),
        (""" "resources":{"requests":{"memory":"1025Mi"},"limits":{"memory":"1Gi"}} """, "resources.requests", "Invalid value: \"1025Mi\": must be less than or equal to memory limit"),
        (""" "resources":{"requests":{"cpu":"-1"}} """, "resources.requests[cpu]", "Invalid value: \"-1\": must be greater than or equal to 0"),
        (""" "resources":{"limits":{"odd":"1"}} """, "resources.limits[odd]", "must be a standard resource type or fully qualified"),
        (""" "livenessProbe":{} """, "livenessProbe", "Required value: must specify a handler type"),
        (""" "livenessProbe":{"httpGet":{"port":0}} """, "livenessProbe.httpGet.port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
        (""" "livenessProbe":{"httpGet":{"port":80},"successThreshold":2} """, "livenessProbe.successThreshold", "Invalid value: 2: must be 1"),
        (""" "readinessProbe":{"httpGet":{"port":80},"periodSeconds":-1} """, "readinessProbe.periodSeconds", "Invalid value: -1: must be greater than or equal to 0"),
        (""" "startupProbe":{"httpGet":{"port":80,"scheme":"FTP"}} """, "startupProbe.httpGet.scheme", "Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\""),
        (""" "livenessProbe":{"httpGet":{"port":80},"exec":{"command":["a"]}} """, "livenessProbe.httpGet", "Forbidden: may not specify more than 1 handler type"),
        (""" "readinessProbe":{"exec":{}} """, "readinessProbe.exec.command", "Required value"),
        (""" "readinessProbe":{"tcpSocket":{"port":"No_Port"}} """, "readinessProbe.tcpSocket.port", "must contain only alpha-numeric characters"),
        (""" "lifecycle":{"preStop":{}} """, "lifecycle.preStop", "Required value: must specify a handler type"),
        (""" "securityContext":{"runAsUser":-1} """, "securityContext.runAsUser", "Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        (""" "securityContext":{"privileged":true,"allowPrivilegeEscalation":false} """, "securityContext", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"),
    ];

    private static readonly (string Collection, string Body, string Field, string Words)[] Others =
    [
        ("apps/v1/statefulsets", Set(""" "replicas":-1 """), "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        ("apps/v1/statefulsets", Set(""" "podManagementPolicy":"Odd" """), "spec.podManagementPolicy", "Invalid value: \"Odd\": must be 'OrderedReady' or 'Parallel'"),
        ("apps/v1/statefulsets", Set(""" "updateStrategy":{"type":"Odd"} """), "spec.updateStrategy", "must be 'RollingUpdate' or 'OnDelete'"),
        ("apps/v1/statefulsets", Set(""" "updateStrategy":{"type":"OnDelete","rollingUpdate":{"partition":1}} """), "spec.updateStrategy.rollingUpdate",
            "only allowed for updateStrategy 'RollingUpdate'"),
        ("apps/v1/statefulsets", Set(""" "updateStrategy":{"rollingUpdate":{"partition":-1}} """), "spec.updateStrategy.rollingUpdate.partition", "must be greater than or equal to 0"),
        ("apps/v1/statefulsets", Set(""" "selector":{} """), "spec.selector", "empty selector is invalid for statefulset"),
        ("apps/v1/statefulsets", Set(""" "selector":{"matchExpressions":[{"key":"a","operator":"Odd"}]} """), "spec.selector.matchExpressions[0].operator",
            "Invalid value: \"Odd\": not a valid selector operator"),
        ("apps/v1/deployments", Set(""" "selector":{} """), "spec.selector", "empty selector is invalid for deployment"),
        ("batch/v1/jobs", Job("Always"), "spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\""),
        ("batch/v1/jobs", Job("Never", ""","backoffLimit":-1"""), "spec.backoffLimit", "Invalid value: -1: must be greater than or equal to 0"),
        ("batch/v1/jobs", Job("Never", ""","activeDeadlineSeconds":-1"""), "spec.activeDeadlineSeconds", "Invalid value: -1: must be greater than or equal to 0"),
        ("services", Service(""" "sessionAffinity":"Odd" """), "spec.sessionAffinity", "Unsupported value: \"Odd\": supported values: \"ClientIP\", \"None\""),
        ("services", Service(""" "type":"ExternalName" """), "spec.externalName", "Required value"),
        ("services", Service(""" "type":"LoadBalancer","clusterIP":"None" """), "spec.clusterIPs[0]", "Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"),
        ("services", Service(""" "selector":{"a b":"c"} """), "spec.selector", "Invalid value: \"a b\": name part must consist of"),
        ("services", Service(""" "ports":[{"port":80,"protocol":"X"}] """), "spec.ports[0].protocol", "Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\""),
        ("services", Service(""" "ports":[{"port":80,"name":"A"}] """), "spec.ports[0].name", "Invalid value: \"A\": a lowercase RFC 1123 label must consist of"),
        ("services", Service(""" "ports":[{"port":80,"name":"a"},{"port":81,"name":"a"}] """), "spec.ports[1].name", "Duplicate value: \"a\""),
        ("services", Service(""" "ports":[{"port":80,"name":"a"},{"port":80,"name":"b"}] """), "spec.ports[1]", "Duplicate value: "),
        ("services", Service(""" "ports":[{"port":80,"targetPort":"A_b"}] """), "spec.ports[0].targetPort", "must contain only alpha-numeric characters"),
        ("services", Service(""" "ports":[{"port":80,"nodePort":30000}] """), "spec.ports[0].nodePort", "Forbidden: may not be used when `type` is 'ClusterIP'"),
        ("persistentvolumeclaims", Claim("Odd"), "spec.accessModes", "Unsupported value: \"Odd\": supported values: "),
        ("persistentvolumeclaims", Claim(storage: "0"), "spec.resources[storage]", "Invalid value: \"0\": must be greater than zero"),
        ("persistentvolumeclaims", Claim(more: ""","volumeMode":"Odd" """), "spec.volumeMode", "Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\""),
        ("persistentvolumeclaims", Claim(more: ""","storageClassName":"A_b" """), "spec.storageClassName", "a lowercase RFC 1123 subdomain must consist of"),
        ("secrets", """{"metadata":{"name":"x"},"type":"kubernetes.io/tls","data":{"tls.crt":"eA=="}}""", "data[tls.key]", "Required value"),
        ("secrets", """{"metadata":{"name":"x"},"type":"kubernetes.io/service-account-token"}""", "metadata.annotations[kubernetes.io/service-account.name]", "Required value"),
        ("configmaps", """{"metadata":{"name":"x"},"data":{"a":"b"},"binaryData":{"a":"eA=="}}""", "data[a]", "Invalid value: \"a\": duplicate of key present in binaryData"),
        ("rbac.authorization.k8s.io/v1/rolebindings", """{"metadata":{"name":"x"},"roleRef":{"kind":"Odd","name":"a"}}""", "roleRef.kind",
            "Unsupported value: \"Odd\": supported values: "),
        ("rbac.authorization.k8s.io/v1/rolebindings", """{"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"a","apiGroup":"odd"}}""", "roleRef.apiGroup",
            "Unsupported value: \"odd\": supported values: \"rbac.authorization.k8s.io\""),
        ("rbac.authorization.k8s.io/v1/rolebindings", """{"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"a"},"subjects":[{"kind":"Odd","name":"a"}]}""", "subjects[0].kind",
            "Unsupported value: \"Odd\": supported values: "),
    ];

    [Test]
    public Task Of_a_pod() => Refused(Pods.Select(p => ("pods", Pod("p", "," + p.Spec), p.Field, p.Words)));

    [Test]
    public Task Of_a_container() => Refused(Containers.Select(c => ("pods", OneContainer(c.Container), $"spec.containers[0].{c.Field}", c.Words)));

    [Test]
    public Task Of_workloads_services_claims_and_the_rest() => Refused(Others);

    [Test]
    public async Task Of_a_StatefulSets_template_only_the_labels_and_the_restart_policy()
    {
        var (code, made) = await Api.Post(Named("apps/v1/statefulsets"), Set(""" "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"No_Name"}]}} """));
        Assert.That(code, Is.EqualTo(201), made.ToJsonString());
        await Refused([("apps/v1/statefulsets", Set(""" "template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[{"name":"m","image":"i"}]}} """),
            "spec.template.spec.restartPolicy", "Unsupported value: \"Never\": supported values: \"Always\"")]);
    }

    [Test]
    public async Task On_the_hosts_network_a_port_is_the_hosts()
    {
        var made = await Api.Make(Core("pods"), Pod("p").Replace("\"busybox:1\"", "\"busybox:1\",\"ports\":[{\"containerPort\":80}]", StringComparison.Ordinal)
            .Replace("\"spec\":{", "\"spec\":{\"hostNetwork\":true,", StringComparison.Ordinal));
        Assert.That(Text(made, "spec", "containers", 0, "ports", 0), Is.EqualTo("""{"hostPort":80,"containerPort":80,"protocol":"TCP"}""").Or.EqualTo("""{"containerPort":80,"protocol":"TCP","hostPort":80}"""));
    }

    private async Task Refused(IEnumerable<(string Collection, string Body, string Field, string Words)> documents)
    {
        var wrong = new List<string>();
        foreach (var (collection, body, field, words) in documents)
        {
            var (code, status) = await Api.Post(Named(collection) + "?dryRun=All", body);
            var causes = status["details"]?["causes"]?.AsArray() ?? [];
            if (code != 422 || !causes.Any(c => Text(c, "field") == field && Text(c, "message")!.Contains(words, StringComparison.Ordinal)))
                wrong.Add($"{body}: expected {field}: {words}, but was {code} {Text(status, "message")}");
        }

        Assert.That(string.Join("\n", wrong), Is.Empty);
    }

    private static string OneContainer(string more)
    {
        var container = JsonNode.Parse($"{{{more}}}")!;
        container["name"] = "main";
        container["image"] ??= "i";
        return $$$"""{"metadata":{"name":"p"},"spec":{"containers":[{{{container.ToJsonString()}}}]}}""";
    }

    private static string Set(string more)
    {
        var spec = JsonNode.Parse($"{{{more}}}")!;
        spec["selector"] ??= JsonNode.Parse("""{"matchLabels":{"a":"b"}}""");
        spec["template"] ??= JsonNode.Parse("""{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"m","image":"i"}]}}""");
        return $$$"""{"metadata":{"name":"x"},"spec":{{{spec.ToJsonString()}}}}""";
    }

    private static string Job(string policy, string more = "") =>
        $$$$"""{"metadata":{"name":"x"},"spec":{"template":{"spec":{"restartPolicy":"{{{{policy}}}}","containers":[{"name":"m","image":"i"}]}}{{{{more}}}}}}""";

    private static string Service(string more)
    {
        var spec = JsonNode.Parse($"{{{more}}}")!;
        spec["ports"] ??= JsonNode.Parse("""[{"port":80}]""");
        return $$$"""{"metadata":{"name":"x"},"spec":{{{spec.ToJsonString()}}}}""";
    }

    private static string Claim(string mode = "ReadWriteOnce", string storage = "1Gi", string more = "") =>
        $$$$"""{"metadata":{"name":"x"},"spec":{"accessModes":["{{{{mode}}}}"],"resources":{"requests":{"storage":"{{{{storage}}}}"}}{{{{more}}}}}}""";
}
