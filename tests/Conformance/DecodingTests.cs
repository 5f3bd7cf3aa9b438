using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>What a server makes of a document of a built-in kind before it looks at its meaning: types, unknown fields, usual forms.</summary>
internal sealed class DecodingTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Merge = "application/merge-patch+json";

    [TestCase("pods", """{"spec":{"containers":{"name":"m"}}}""", "[]v1.Container")]
    [TestCase("pods", """{"spec":"x"}""", "v1.PodSpec")]
    [TestCase("pods", """{"spec":{"containers":[{"name":"m","image":"i","env":[{"name":"A","value":1}]}]}}""", "EnvVar.spec.containers.env.value of type string")]
    [TestCase("pods", """{"spec":{"containers":[{"name":"m","image":"i","command":"sh"}]}}""", "Container.spec.containers.command of type []string")]
    [TestCase("pods", """{"spec":{"containers":[{"name":"m","image":"i","ports":[{"containerPort":"80"}]}]}}""", "ContainerPort.spec.containers.ports.containerPort of type int32")]
    [TestCase("pods", """{"spec":{"containers":[{"name":"m","image":"i","livenessProbe":{"httpGet":{"port":true}}}]}}""", "")]
    [TestCase("pods", """{"spec":{"containers":[{"name":"m","image":"i","resources":{"limits":{"cpu":"much"}}}]}}""", "quantities must match the regular expression")]
    [TestCase("pods", """{"spec":{"hostNetwork":"true"}}""", "PodSpec.spec.hostNetwork of type bool")]
    [TestCase("pods", """{"spec":{"terminationGracePeriodSeconds":1.5}}""", "PodSpec.spec.terminationGracePeriodSeconds of type int64")]
    [TestCase("pods", """{"spec":{"priority":3000000000}}""", "PodSpec.spec.priority of type int32")]
    [TestCase("configmaps", """{"data":{"a":1}}""", "ConfigMap.data of type string")]
    [TestCase("configmaps", """{"binaryData":{"a":"%"}}""", "illegal base64 data")]
    [TestCase("configmaps", """{"metadata":{"labels":{"a":true}}}""", "ObjectMeta.metadata.labels of type string")]
    [TestCase("configmaps", """{"metadata":{"creationTimestamp":"noon"}}""", "parsing time \"noon\"")]
    [TestCase("secrets", """{"data":{"a":"%%"}}""", "illegal base64 data")]
    [TestCase("coordination.k8s.io/v1/leases", """{"spec":{"leaseDurationSeconds":"15"}}""", "LeaseSpec.spec.leaseDurationSeconds of type int32")]
    [TestCase("apps/v1/statefulsets", """{"spec":{"replicas":"3"}}""", "StatefulSetSpec.spec.replicas of type int32")]
    [TestCase("rbac.authorization.k8s.io/v1/roles", """{"rules":[{"verbs":"get"}]}""", "PolicyRule.rules.verbs of type []string")]
    public async Task A_value_of_another_type_is_a_bad_request(string collection, string body, string words)
    {
        var document = JsonNode.Parse(body)!.AsObject();
        if (document["metadata"] is null)
            document["metadata"] = new JsonObject { ["name"] = "a" };
        else
            document["metadata"]!["name"] = "a";
        var (code, status) = await Api.Post(Named(collection), document.ToJsonString());
        Assert.That((code, Text(status, "reason")), Is.EqualTo((400, "BadRequest")), status.ToJsonString());
        Assert.That(Text(status, "message"), Does.Match("""^\w+ in version "v1" cannot be handled as a \w+: """));
        // Older servers decoded with another library, which had words of its own.
        if (Minor > 20)
            Assert.That(Text(status, "message"), Does.Contain(words));
    }

    [TestCase(Merge, """{"data":{"a":1}}""")]
    [TestCase("application/strategic-merge-patch+json", """{"data":{"a":1}}""")]
    [TestCase("application/json-patch+json", """[{"op":"add","path":"/data/a","value":1}]""")]
    public async Task A_patch_to_a_value_of_another_type_is_invalid(string type, string patch)
    {
        await Api.Make(Core("configmaps"), ConfigMap("a", data: "\"b\":\"x\""));
        var (code, status) = await Api.SendAsync(HttpMethod.Patch, Core("configmaps/a"), patch, type);
        Assert.That((code, Text(status, "reason")), Is.EqualTo((422, "Invalid")), status.ToJsonString());
        Assert.That(Text(status, "message"), Does.StartWith(" \"\" is invalid: patch: Invalid value: "));
        Assert.That(Text(status, "details", "causes", 0, "field"), Is.EqualTo("patch"));
    }

    [Test]
    public async Task Unknown_fields_are_dropped()
    {
        var made = await Api.Make(Core("pods"), """
            {"bogus":1,"metadata":{"name":"a","bogus":1},"spec":{"bogus":1,"containers":[{"name":"m","image":"i","bogus":[1],"resources":{"bogus":{}}}]},"status":{"bogus":1}}
            """);
        Assert.That(made.ToJsonString(), Does.Not.Contain("bogus"));
        var (_, patched) = await Api.Merge(Core("pods/a"), """{"spec":{"bogus":1},"metadata":{"labels":{"bogus":"1"}}}""");
        Assert.That(patched["spec"]!["bogus"], Is.Null);
        Assert.That(Text(patched, "metadata", "labels", "bogus"), Is.EqualTo("1"), "keys of a map are no fields");
    }

    [Test]
    public async Task Unknown_fields_are_told_or_refused_when_asked_for()
    {
        if (Minor < 27)
            Assert.Ignore("fieldValidation came with Kubernetes 1.25 and is on since 1.27");
        const string Odd = """{"metadata":{"name":"a"},"odd":1,"spec":{"odd":1,"containers":[{"name":"m","image":"i","odd":1}]}}""";
        async Task<(int Code, string Warnings, string Message)> Post(string query)
        {
            using var content = new StringContent(Odd, null, "application/json");
            using var response = await Api.Http.PostAsync(Core("pods") + "?dryRun=All" + query, content);
            var warnings = response.Headers.TryGetValues("Warning", out var told) ? string.Join("; ", told) : "";
            return ((int)response.StatusCode, warnings, Text(JsonNode.Parse(await response.Content.ReadAsStringAsync()), "message") ?? "");
        }

        const string Told = """299 - "unknown field \"odd\""; 299 - "unknown field \"spec.odd\""; 299 - "unknown field \"spec.containers[0].odd\"" """;
        Assert.That(await Post(""), Is.EqualTo((201, Told.Trim(), "")));
        Assert.That(await Post("&fieldValidation=Warn"), Is.EqualTo((201, Told.Trim(), "")));
        Assert.That(await Post("&fieldValidation=Ignore"), Is.EqualTo((201, "", "")));
        Assert.That(await Post("&fieldValidation=Strict"), Is.EqualTo((400, "", "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: "
            + "unknown field \"odd\", unknown field \"spec.odd\", unknown field \"spec.containers[0].odd\"")));
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        var (code, status) = await Api.Merge(Core("configmaps/a") + "?fieldValidation=Strict", """{"odd":1}""");
        Assert.That(code, Is.EqualTo(422));
        Assert.That(Text(status, "message"), Does.EndWith("strict decoding error: unknown field \"odd\""));
    }

    [Test]
    public async Task Applying_needs_to_know_each_field()
    {
        var (code, status) = await Api.Apply(Core("pods/a"), "one", "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {odd: 1, containers: [{name: m, image: i, odd: 2}]}}");
        Assert.That((code, Text(status, "reason")), Is.EqualTo((500, (string?)null)), status.ToJsonString());
        Assert.That(Text(status, "message"), Does.StartWith("failed to create typed patch object")
            .And.Contain(".spec.containers[name=\"m\"].odd: field not declared in schema").And.Contain(".spec.odd: field not declared in schema"));
        (code, status) = await Api.Apply(Core("configmaps/a"), "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: 1}}");
        Assert.That((code, Text(status, "reason")), Is.EqualTo((500, (string?)null)), status.ToJsonString());
        Assert.That(Text(status, "message"), Does.StartWith("failed to create typed patch object"));
        Assert.That((await Api.Get(Core("pods/a"))).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task What_is_empty_zero_or_false_is_written_only_where_it_says_something()
    {
        var pod = await Api.Make(Core("pods"), """
            {"metadata":{"name":"a","labels":{},"annotations":null},"spec":{"hostNetwork":false,"hostPID":false,"shareProcessNamespace":false,"nodeSelector":{},"subdomain":"",
             "volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"m","image":"i","command":[],"tty":false,"env":[{"name":"A","value":""}]}]}}
            """);
        Assert.Multiple(() =>
        {
            Assert.That(pod["metadata"]!["labels"], Is.Null);
            foreach (var gone in new[] { "hostNetwork", "hostPID", "nodeSelector", "subdomain" })
                Assert.That(pod["spec"]!.AsObject().ContainsKey(gone), Is.False, gone);
            Assert.That(Text(pod, "spec", "shareProcessNamespace"), Is.EqualTo("false"), "unset and false are not the same");
            Assert.That(Text(pod, "spec", "volumes", 0, "emptyDir"), Is.EqualTo("{}"));
            var container = pod["spec"]!["containers"]![0]!.AsObject();
            Assert.That(container.ContainsKey("command") || container.ContainsKey("tty"), Is.False);
            Assert.That(Text(container, "env", 0), Is.EqualTo("""{"name":"A"}"""));
        });
        var map = await Api.Make(Core("configmaps"), """{"metadata":{"name":"a"},"data":{"null":null,"empty":""}}""");
        Assert.That(map["data"]!.AsObject().ToDictionary(x => x.Key, x => (string?)x.Value), Is.EqualTo(new Dictionary<string, string> { ["null"] = "", ["empty"] = "" }));
        var claim = await Api.Make(Core("persistentvolumeclaims"),
            """{"metadata":{"name":"a"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"","resources":{"requests":{"storage":"1Gi"}}}}""");
        Assert.That(Text(claim, "spec", "storageClassName"), Is.EqualTo(""), "no class at all is not the default class");
    }

    [TestCase("1024Mi", "1Gi")]
    [TestCase("1.5Gi", "1536Mi")]
    [TestCase("1500M", "1500M")]
    [TestCase("2000M", "2G")]
    [TestCase("1Ki", "1Ki")]
    [TestCase("1000Ki", "1000Ki")]
    [TestCase("0.5Ki", "512")]
    [TestCase("0.5", "500m")]
    [TestCase("0.1234567891", "124m")]
    [TestCase("1000m", "1")]
    [TestCase("1e3", "1e3")]
    [TestCase("1500e-3", "1500e-3")]
    [TestCase("2048", "2048")]
    [TestCase("0", "0")]
    public async Task A_quantity_has_one_form(string written, string stored)
    {
        var pod = JsonNode.Parse(Pod("a"))!;
        pod["spec"]!["containers"]![0]!["resources"] = new JsonObject { ["requests"] = new JsonObject { ["memory"] = written } };
        var (code, made) = await Api.Post(Core("pods") + "?dryRun=All", pod.ToJsonString());
        Assert.That(code, Is.EqualTo(201), made.ToJsonString());
        Assert.That(Text(made, "spec", "containers", 0, "resources", "requests", "memory"), Is.EqualTo(stored));
    }

    [Test]
    public async Task Numbers_are_quantities_too_and_times_are_told_in_UTC()
    {
        var pod = JsonNode.Parse(Pod("a"))!;
        pod["spec"]!["containers"]![0]!["resources"] = new JsonObject { ["limits"] = new JsonObject { ["cpu"] = 2, ["memory"] = 1000000 } };
        var (_, made) = await Api.Post(Core("pods") + "?dryRun=All", pod.ToJsonString());
        Assert.That(Text(made, "spec", "containers", 0, "resources", "limits"), Is.EqualTo("""{"cpu":"2","memory":"1M"}"""));
        var e = await Api.Make(Core("events"), $$$"""{"metadata":{"name":"e"},"involvedObject":{"namespace":"{{{Ns}}}"},"lastTimestamp":"2026-01-02T03:04:05+01:00"}""");
        Assert.That(Text(e, "lastTimestamp"), Is.EqualTo("2026-01-02T02:04:05Z"));
    }
}
