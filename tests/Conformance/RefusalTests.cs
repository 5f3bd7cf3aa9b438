using System.Text.Json.Nodes;

namespace Conformance;

/// <summary>What is refused, with which code, about which fields, and in which words.</summary>
internal sealed class RefusalTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Merge = "application/merge-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";
    private const string JsonPatch = "application/json-patch+json";
    private const string Apply = "application/apply-patch+yaml";
    private const string Job = """{"metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"b"}]}}}}""";

    [TestCase("configmaps", """{"metadata":{"name":"Bad_Name"}}""", "metadata.name", "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'")]
    [TestCase("services", """{"metadata":{"name":"1a"},"spec":{"ports":[{"port":1}]}}""", "metadata.name", "a DNS-1035 label must consist of lower case alphanumeric characters or '-'")]
    [TestCase("configmaps", """{"metadata":{"name":"l","labels":{"a b":"c"}}}""", "metadata.labels", "name part must consist of alphanumeric characters, '-', '_' or '.'")]
    [TestCase("configmaps", """{"metadata":{"name":"l","labels":{"a":"c d"}}}""", "metadata.labels", "a valid label must be an empty string or consist of alphanumeric characters")]
    [TestCase("configmaps", """{"metadata":{}}""", "metadata.name", "Required value: name or generateName is required")]
    [TestCase("configmaps", """{"metadata":{"name":"k"},"data":{"a/b":"c"}}""", "data[a/b]", "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")]
    [TestCase("services", """{"metadata":{"name":"p"},"spec":{"ports":[{"port":0}]}}""", "spec.ports[0].port,spec.ports[0].targetPort", "must be between 1 and 65535, inclusive")]
    [TestCase("services", """{"metadata":{"name":"p"},"spec":{"ports":[{"port":1},{"port":2}]}}""", "spec.ports[0].name,spec.ports[1].name", "Required value")]
    [TestCase("services", """{"metadata":{"name":"p"},"spec":{"type":"Odd","ports":[{"port":1}]}}""", "spec.type", "Unsupported value: \"Odd\"")]
    [TestCase("pods", """{"metadata":{"name":"p"},"spec":{"containers":[]}}""", "spec.containers", "Required value")]
    [TestCase("pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b","volumeMounts":[{"name":"none","mountPath":"/x"}]}]}}""", "spec.containers[0].volumeMounts[0].name", "Not found: \"none\"")]
    [TestCase("pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b"},{"name":"a","image":"b"}]}}""", "spec.containers[1].name", "Duplicate value: \"a\"")]
    [TestCase("pods", """{"metadata":{"name":"p"},"spec":{"restartPolicy":"Odd","containers":[{"name":"a","image":"b"}]}}""", "spec.restartPolicy", "Unsupported value: \"Odd\"")]
    [TestCase("events", """{"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","namespace":"other","name":"x"}}""", "involvedObject.namespace", "does not match event.namespace")]
    [TestCase("persistentvolumeclaims", """{"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"]}}""", "spec.resources[storage]", "Required value")]
    [TestCase("apps/v1/statefulsets", """{"metadata":{"name":"t"},"spec":{"serviceName":"x","selector":{"matchLabels":{"app":"s"}},"template":{"metadata":{"labels":{"app":"other"}},"spec":{"containers":[{"name":"a","image":"b"}]}}}}""", "spec.template.metadata.labels", "`selector` does not match template `labels`")]
    [TestCase("coordination.k8s.io/v1/leases", """{"metadata":{"name":"l"},"spec":{"leaseDurationSeconds":0}}""", "spec.leaseDurationSeconds", "must be greater than 0")]
    [TestCase("rbac.authorization.k8s.io/v1/roles", """{"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["pods"]}]}""", "rules[0].verbs", "Required value: verbs must contain at least one value")]
    [TestCase("rbac.authorization.k8s.io/v1/rolebindings", """{"metadata":{"name":"r"},"roleRef":{"kind":"Role","name":""}}""", "roleRef.name", "Required value")]
    public async Task A_new_object_with_a_wrong_field(string collection, string body, string fields, string words)
    {
        var (code, status) = await Api.Post(Named(collection), body);
        Refused(code, status, 422, "Invalid", words);
        Assert.That(Fields(status), Is.EqualTo(fields));
        Assert.That(Text(status, "details", "name"), Is.EqualTo(Text(JsonNode.Parse(body), "metadata", "name")));
    }

    [TestCase("batch/v1/jobs", Job, """{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"c"}]}}}}""", Strategic, "spec.template", "field is immutable")]
    [TestCase("batch/v1/jobs", Job, """{"spec":{"completions":3}}""", Strategic, "spec.completions", "Invalid value: 3: field is immutable")]
    [TestCase("configmaps", """{"metadata":{"name":"c"},"immutable":true,"data":{"a":"b"}}""", """{"data":{"a":"c"}}""", Merge, "data", "field is immutable when `immutable` is set")]
    [TestCase("configmaps", """{"metadata":{"name":"c"},"immutable":true,"data":{"a":"b"}}""", """{"immutable":false}""", Merge, "immutable", "field is immutable when `immutable` is set")]
    [TestCase("secrets", """{"metadata":{"name":"s"},"stringData":{"a":"b"}}""", """{"type":"other"}""", Merge, "type", "field is immutable")]
    [TestCase("pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b"}]}}""", """{"spec":{"containers":[{"name":"a","command":["x"]}]}}""", Strategic, "spec", "pod updates may not change fields other than `spec.containers[*].image`")]
    [TestCase("persistentvolumeclaims", """{"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""", """{"spec":{"accessModes":["ReadWriteMany"]}}""", Merge, "spec", "is immutable after creation except resources.requests")]
    [TestCase("rbac.authorization.k8s.io/v1/rolebindings", """{"metadata":{"name":"r"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"a"}}""", """{"roleRef":{"name":"b"}}""", Merge, "roleRef", "cannot change roleRef")]
    public async Task A_change_of_what_cannot_be_changed(string collection, string made, string patch, string type, string fields, string words)
    {
        var name = Text(await Api.Make(Named(collection), made), "metadata", "name");
        var (code, status) = await Api.SendAsync(HttpMethod.Patch, $"{Named(collection)}/{name}", patch, type);
        Refused(code, status, 422, "Invalid", words);
        Assert.That(Fields(status), Is.EqualTo(fields));
    }

    [TestCase("", """[{"op":"test","path":"/data/a","value":"x"}]""", JsonPatch, 422, "Invalid", "")]
    [TestCase("", """[{"op":"remove","path":"/data/zz"}]""", JsonPatch, 422, "Invalid", "")]
    [TestCase("", """{"op":"remove"}""", JsonPatch, 400, "BadRequest", "")]
    [TestCase("", """{"metadata":{"name":"other"}}""", Merge, 400, "BadRequest", "the name of the object (other) does not match the name on the URL (c)")]
    [TestCase("?dryRun=Yes", """{"data":{}}""", Merge, 422, "Invalid", "Unsupported value")]
    [TestCase("?force=true", """{"data":{}}""", Merge, 422, "Invalid", "force: Forbidden: may not be specified for non-apply patch")]
    [TestCase("", """{"apiVersion":"v1","kind":"ConfigMap"}""", Apply, 422, "Invalid", "fieldManager: Required value: is required for apply patch")]
    [TestCase("?fieldManager=a", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","managedFields":[{"manager":"x"}]}}""", Apply, 400, "BadRequest", "metadata.managedFields must be nil")]
    [TestCase("", "{}", "application/json", 415, "UnsupportedMediaType", "")]
    public async Task A_patch_that_is_none(string query, string patch, string type, int expected, string reason, string words)
    {
        await Api.Make(Core("configmaps"), """{"metadata":{"name":"c"},"data":{"a":"b"}}""");
        var (code, status) = await Api.SendAsync(HttpMethod.Patch, Core("configmaps/c") + query, patch, type);
        Refused(code, status, expected, reason, words);
        Assert.That(Text((await Api.Get(Core("configmaps/c"))).Body, "data"), Is.EqualTo("""{"a":"b"}"""));
    }

    [TestCase("GET", "pods?labelSelector=a==b==c", 400, "BadRequest")]
    [TestCase("GET", "events?fieldSelector=message=M", 400, "BadRequest")]
    [TestCase("GET", "configmaps/none", 404, "NotFound")]
    [TestCase("GET", "configmaps/none/status", 404, "NotFound")]
    [TestCase("PUT", "configmaps", 405, "MethodNotAllowed")]
    [TestCase("POST", "configmaps/none", 405, "MethodNotAllowed")]
    [TestCase("DELETE", "configmaps/none", 404, "NotFound")]
    [TestCase("DELETE", "configmaps/none?propagationPolicy=Odd", 422, "Invalid")]
    [TestCase("PATCH", "configmaps/none", 404, "NotFound")]
    public async Task A_request_that_cannot_be_done(string method, string path, int expected, string reason)
    {
        var (code, status) = await Api.SendAsync(new HttpMethod(method), Core(path), method is "GET" or "DELETE" ? null : "{}", method == "PATCH" ? Merge : "application/json");
        Refused(code, status, expected, reason, "");
    }

    [Test]
    public async Task A_namespace_that_is_not_the_paths_is_a_bad_request()
    {
        var (code, status) = await Api.Post(Core("configmaps"), """{"metadata":{"name":"a","namespace":"other"}}""");
        Refused(code, status, 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request");
    }

    [Test]
    public async Task Preconditions_of_a_deletion_say_what_does_not_match()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        var (code, status) = await Api.Delete(Core("configmaps/a"), """{"preconditions":{"uid":"x"}}""");
        Refused(code, status, 409, "Conflict", "the UID in the precondition (x) does not match the UID in record (");
        (code, status) = await Api.Delete(Core("configmaps/a"), """{"preconditions":{"resourceVersion":"1"}}""");
        Refused(code, status, 409, "Conflict", "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (");
    }

    [Test]
    public async Task A_token_of_less_than_ten_minutes_is_refused_and_so_is_one_of_nobody()
    {
        var (code, status) = await Api.Post(Core("serviceaccounts/default/token"), """{"spec":{"expirationSeconds":60}}""");
        Refused(code, status, 422, "Invalid", "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes");
        (code, status) = await Api.Post(Core("serviceaccounts/none/token"), """{"spec":{}}""");
        Refused(code, status, 404, "NotFound", "serviceaccounts \"none\" not found");
    }

    [Test]
    public async Task Only_JSON_and_what_kubectl_asks_for_is_answered()
    {
        Assert.That((await Api.Get(Core("configmaps"), "text/plain")).Code, Is.EqualTo(406));
        Assert.That(Text((await Api.Get(Core("configmaps"), "application/json")).Body, "kind"), Is.EqualTo("ConfigMapList"));
        Assert.That(Text((await Api.Get(Core("configmaps"), "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).Body, "kind"), Is.EqualTo("PartialObjectMetadataList"));
        Assert.That(Text((await Api.Get(Core("configmaps"), "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Body, "kind"), Is.EqualTo("Table"));
    }

    [TestCase("coordination.k8s.io/v1/leases", true)]
    [TestCase("endpoints", true)]
    [TestCase("rbac.authorization.k8s.io/v1/roles", true)]
    [TestCase("configmaps", false)]
    [TestCase("secrets", false)]
    [TestCase("apps/v1/statefulsets", false)]
    [TestCase("batch/v1/jobs", false)]
    public async Task A_PUT_creates_some_kinds_and_not_others(string collection, bool creates)
    {
        var (code, made) = await Api.Put(Named(collection) + "/new", JsonNode.Parse("""{"metadata":{"name":"new","resourceVersion":"5"}}""")!);
        Assert.That(code, Is.EqualTo(creates ? 201 : 404), made.ToJsonString());
        Assert.That((await Api.Get(Named(collection) + "/new")).Code, Is.EqualTo(creates ? 200 : 404));
        (code, made) = await Api.Put(Named(collection) + "/newer", JsonNode.Parse("""{"metadata":{"name":"newer","uid":"5"}}""")!);
        Assert.That(code, Is.EqualTo(409), "who names a uid means an object that was there");
    }

    private static void Refused(int code, JsonNode status, int expected, string reason, string words)
    {
        Assert.That(code, Is.EqualTo(expected), status.ToJsonString());
        Assert.Multiple(() =>
        {
            Assert.That(Text(status, "kind"), Is.EqualTo("Status"));
            Assert.That(Text(status, "apiVersion"), Is.EqualTo("v1"));
            Assert.That(Text(status, "status"), Is.EqualTo("Failure"));
            Assert.That(Text(status, "code"), Is.EqualTo($"{expected}"));
            Assert.That(Text(status, "reason"), Is.EqualTo(reason));
            Assert.That(Text(status, "message"), Does.Contain(words));
        });
    }

    private static string Fields(JsonNode status) =>
        string.Join(",", status["details"]!["causes"]!.AsArray().Select(c => Text(c, "field")).Distinct().Order(StringComparer.Ordinal));
}
