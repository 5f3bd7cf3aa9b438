using System.Text.Json.Nodes;

namespace Conformance;

internal sealed class CrudTests(Backend backend) : ApiServerFixture(backend)
{
    [Test]
    public async Task Create_sets_the_system_fields_and_the_default_account_and_tolerations_of_a_pod()
    {
        var pod = await Api.Make(Core("pods"), Pod("a"));
        Assert.Multiple(() =>
        {
            Assert.That((string?)pod["metadata"]!["uid"], Has.Length.EqualTo(36));
            Assert.That((string?)pod["metadata"]!["creationTimestamp"], Does.EndWith("Z"));
            Assert.That((string?)pod["metadata"]!["namespace"], Is.EqualTo(Ns));
            Assert.That((string?)pod["status"]!["phase"], Is.EqualTo("Pending"));
            Assert.That((string?)pod["spec"]!["restartPolicy"], Is.EqualTo("Always"));
            Assert.That((string?)pod["spec"]!["serviceAccountName"], Is.EqualTo("default"));
            Assert.That(pod["spec"]!["containers"]![0]!["volumeMounts"]!.ToJsonString(), Does.Contain("/var/run/secrets/kubernetes.io/serviceaccount"));
            Assert.That(pod["spec"]!["tolerations"]!.AsArray(), Has.Count.EqualTo(2));
        });
    }

    [Test]
    public async Task Creating_twice_is_AlreadyExists()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        var (code, status) = await Api.Post(Core("configmaps"), ConfigMap("a"));
        Assert.That(code, Is.EqualTo(409));
        Assert.That((string?)status["reason"], Is.EqualTo("AlreadyExists"));
        Assert.That((string?)status["message"], Is.EqualTo("configmaps \"a\" already exists"));
    }

    [Test]
    public async Task GenerateName_gives_distinct_names()
    {
        var a = await Api.Make(Core("configmaps"), """{"metadata":{"generateName":"x-"}}""");
        var b = await Api.Make(Core("configmaps"), """{"metadata":{"generateName":"x-"}}""");
        Assert.That((string?)a["metadata"]!["name"], Does.Match("^x-[a-z0-9]{5}$").And.Not.EqualTo((string?)b["metadata"]!["name"]));
    }

    [Test]
    public async Task Missing_objects_groups_and_namespaces_are_404()
    {
        var (code, status) = await Api.Get(Group("apps/v1", "statefulsets/none"));
        Assert.That(code, Is.EqualTo(404));
        Assert.That((string?)status["message"], Is.EqualTo("statefulsets.apps \"none\" not found"));
        var unknown = await Api.Http.GetAsync("/apis/nothing.example/v1/things");
        Assert.That((int)unknown.StatusCode, Is.EqualTo(404));
        Assert.That(await unknown.Content.ReadAsStringAsync(), Is.EqualTo("404 page not found\n"), "no Status: nobody stands behind it");
        Assert.That(Text((await Api.Get(Core("bananas"))).Body, "message"), Is.EqualTo("the server could not find the requested resource"));
        var (missing, why) = await Api.Post("/api/v1/namespaces/absent/configmaps", ConfigMap("a"));
        Assert.That(missing, Is.EqualTo(404));
        Assert.That((string?)why["message"], Is.EqualTo("namespaces \"absent\" not found"));
    }

    [Test]
    public async Task Replacing_an_older_version_is_a_conflict_and_the_winner_stays()
    {
        var first = await Api.Make(Core("configmaps"), ConfigMap("a", data: "\"k\":\"1\""));
        var stale = first.DeepClone();
        first["data"]!["k"] = "2";
        Assert.That((await Api.Put(Core("configmaps/a"), first)).Code, Is.EqualTo(200));
        stale["data"]!["k"] = "3";
        var (code, status) = await Api.Put(Core("configmaps/a"), stale);
        Assert.That(code, Is.EqualTo(409));
        Assert.That((string?)status["reason"], Is.EqualTo("Conflict"));
        Assert.That((string?)(await Api.Get(Core("configmaps/a"))).Body["data"]!["k"], Is.EqualTo("2"));
    }

    [Test]
    public async Task Of_many_writers_of_one_version_exactly_one_wins()
    {
        var lease = await Api.Make(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"l"},"spec":{"holderIdentity":"none"}}""");
        var codes = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            var mine = lease.DeepClone();
            mine["spec"]!["holderIdentity"] = $"holder-{i}";
            return (await Api.Put(Group("coordination.k8s.io/v1", "leases/l"), mine)).Code;
        }));
        Assert.That(codes.Count(c => c == 200), Is.EqualTo(1));
        Assert.That(codes.Count(c => c == 409), Is.EqualTo(15));
    }

    [Test]
    public async Task A_lease_cannot_be_replaced_without_a_version()
    {
        await Api.Make(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"l"},"spec":{"holderIdentity":"a"}}""");
        var (code, status) = await Api.Put(Group("coordination.k8s.io/v1", "leases/l"), JsonNode.Parse("""{"metadata":{"name":"l"},"spec":{"holderIdentity":"b"}}""")!);
        Assert.That(code, Is.EqualTo(422));
        Assert.That((string?)status["message"], Does.Contain("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"));
    }

    [Test]
    public async Task A_lease_normalises_its_times_and_refuses_nonsense()
    {
        var lease = await Api.Make(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"l"},"spec":{"renewTime":"2026-01-02T03:04:05.600000+01:00"}}""");
        Assert.That((string?)lease["spec"]!["renewTime"], Is.EqualTo("2026-01-02T02:04:05.600000Z"));
        Assert.That((await Api.Post(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"m"},"spec":{"renewTime":"2026-01-02T03:04:05Z"}}""")).Code, Is.EqualTo(400));
        Assert.That((await Api.Post(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"m"},"spec":{"renewTime":"soon"}}""")).Code, Is.EqualTo(400));
        Assert.That((await Api.Post(Group("coordination.k8s.io/v1", "leases"), """{"metadata":{"name":"m"},"spec":{"leaseDurationSeconds":0}}""")).Code, Is.EqualTo(422));
    }

    [Test]
    public async Task An_update_that_changes_nothing_keeps_the_version()
    {
        var a = await Api.Make(Core("configmaps"), ConfigMap("a", data: "\"k\":\"1\""));
        var (_, b) = await Api.Put(Core("configmaps/a"), a);
        var (_, c) = await Api.Merge(Core("configmaps/a"), """{"data":{"k":"1"}}""");
        Assert.That((string?)b["metadata"]!["resourceVersion"], Is.EqualTo((string?)a["metadata"]!["resourceVersion"]));
        Assert.That((string?)c["metadata"]!["resourceVersion"], Is.EqualTo((string?)a["metadata"]!["resourceVersion"]));
    }

    [Test]
    public async Task Name_uid_and_creation_time_are_not_the_clients_to_change()
    {
        var a = await Api.Make(Core("configmaps"), ConfigMap("a"));
        var renamed = a.DeepClone();
        renamed["metadata"]!["name"] = "b";
        Assert.That((await Api.Put(Core("configmaps/a"), renamed)).Code, Is.EqualTo(400));
        var other = a.DeepClone();
        other["metadata"]!["uid"] = Guid.NewGuid().ToString();
        Assert.That((await Api.Put(Core("configmaps/a"), other)).Code, Is.EqualTo(409));
        var (_, later) = await Api.Merge(Core("configmaps/a"), """{"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"},"data":{"x":"y"}}""");
        Assert.That((string?)later["metadata"]!["creationTimestamp"], Is.EqualTo((string?)a["metadata"]!["creationTimestamp"]));
    }

    [Test]
    public async Task Status_and_specification_are_written_apart()
    {
        var pod = await Api.Make(Core("pods"), Pod("a"));
        pod["status"]!["phase"] = "Running";
        pod["metadata"]!["labels"] = new JsonObject { ["x"] = "y" };
        var (_, main) = await Api.Put(Core("pods/a"), pod);
        Assert.That((string?)main["status"]!["phase"], Is.EqualTo("Pending"));
        Assert.That((string?)main["metadata"]!["labels"]!["x"], Is.EqualTo("y"));
        main["status"]!["phase"] = "Running";
        main["spec"]!["containers"]![0]!["image"] = "other:1";
        var (code, status) = await Api.Put(Core("pods/a/status"), main);
        Assert.That(code, Is.EqualTo(200));
        Assert.That((string?)status["status"]!["phase"], Is.EqualTo("Running"));
        Assert.That((string?)status["spec"]!["containers"]![0]!["image"], Is.EqualTo("busybox:1"));
    }

    [Test]
    public async Task Generation_counts_specification_changes_only()
    {
        var path = Group("apps/v1", "statefulsets");
        var made = await Api.Make(path, StatefulSet("s"));
        Assert.That((int)made["metadata"]!["generation"]!, Is.EqualTo(1));
        var (_, labelled) = await Api.Merge(path + "/s", """{"metadata":{"labels":{"a":"b"}}}""");
        Assert.That((int)labelled["metadata"]!["generation"]!, Is.EqualTo(1));
        var (_, reported) = await Api.Merge(path + "/s/status", """{"status":{"replicas":1}}""");
        Assert.That((int)reported["metadata"]!["generation"]!, Is.EqualTo(1));
        var (_, scaled) = await Api.Merge(path + "/s", """{"spec":{"replicas":3}}""");
        Assert.That((int)scaled["metadata"]!["generation"]!, Is.EqualTo(2));
    }

    [Test]
    public async Task A_statefulsets_service_name_cannot_change()
    {
        var path = Group("apps/v1", "statefulsets");
        await Api.Make(path, StatefulSet("s"));
        var (code, status) = await Api.Merge(path + "/s", """{"spec":{"serviceName":"other"}}""");
        Assert.That(code, Is.EqualTo(422));
        Assert.That((string?)status["message"], Does.StartWith("StatefulSet.apps \"s\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than"));
        Assert.That((await Api.Merge(path + "/s", """{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"busybox:2"}]}}}}""")).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Scale_is_read_and_written_through_its_subresource()
    {
        var path = Group("apps/v1", "statefulsets");
        await Api.Make(path, StatefulSet("s"));
        var (_, scale) = await Api.Merge(path + "/s/scale", """{"spec":{"replicas":5}}""");
        Assert.That((string?)scale["kind"], Is.EqualTo("Scale"));
        Assert.That((string?)scale["status"]!["selector"], Is.EqualTo("app=s"));
        Assert.That((int)(await Api.Get(path + "/s")).Body["spec"]!["replicas"]!, Is.EqualTo(5));
    }

    [Test]
    public async Task Secrets_encode_stringData()
    {
        var secret = await Api.Make(Core("secrets"), """{"metadata":{"name":"s"},"stringData":{"k":"väl"},"data":{"o":"MQ=="}}""");
        Assert.That(Text(secret, "data", "o"), Is.EqualTo("MQ=="));
        Assert.That(Text(secret, "data", "k"), Is.EqualTo("dsOkbA=="));
        Assert.That(secret["stringData"], Is.Null);
        Assert.That((string?)secret["type"], Is.EqualTo("Opaque"));
        Assert.That((await Api.Post(Core("secrets"), """{"metadata":{"name":"t"},"data":{"o":"%%"}}""")).Code, Is.EqualTo(400));
    }

    [Test]
    public async Task Services_get_distinct_cluster_addresses_unless_headless()
    {
        string Service(string name, string spec) => $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"ports":[{"port":1433}]{{{spec}}}}}""";
        var a = await Api.Make(Core("services"), Service("a", ""));
        var b = await Api.Make(Core("services"), Service("b", ""));
        var headless = await Api.Make(Core("services"), Service("c", ",\"clusterIP\":\"None\""));
        Assert.That((string?)a["spec"]!["clusterIP"], Does.Match(@"^\d+\.\d+\.\d+\.\d+$").And.Not.EqualTo((string?)b["spec"]!["clusterIP"]));
        Assert.That((string?)headless["spec"]!["clusterIP"], Is.EqualTo("None"));
        Assert.That((int)a["spec"]!["ports"]![0]!["targetPort"]!, Is.EqualTo(1433));
        var taken = await Api.Post(Core("services"), Service("d", $",\"clusterIP\":\"{a["spec"]!["clusterIP"]}\""));
        Assert.That(taken.Code, Is.EqualTo(422));
        var replaced = a.DeepClone();
        replaced["spec"]!.AsObject().Remove("clusterIP");
        replaced["spec"]!.AsObject().Remove("clusterIPs");
        var (code, kept) = await Api.Put(Core("services/a"), replaced);
        if (Minor == 20)
            Assert.That((code, Text(kept, "details", "causes", 0, "field")), Is.EqualTo((422, "spec.clusterIPs[0]")));
        else
            Assert.That((code, Text(kept, "spec", "clusterIP")), Is.EqualTo((200, Text(a, "spec", "clusterIP"))));
        Assert.That((await Api.Merge(Core("services/a"), """{"spec":{"clusterIP":"None"}}""")).Code, Is.EqualTo(422));
    }

    [Test]
    public async Task Invalid_documents_name_the_field_and_the_cause()
    {
        var (code, status) = await Api.Post(Core("pods"), """{"metadata":{"name":"a"},"spec":{"containers":[{"name":"Main"}]}}""");
        Assert.That(code, Is.EqualTo(422));
        Assert.That((string?)status["message"], Does.Contain("spec.containers[0].image: Required value"));
        Assert.That(status["details"]!["causes"]!.AsArray().Select(c => (string?)c!["field"]), Is.EquivalentTo(new[] { "spec.containers[0].name", "spec.containers[0].image" }));
        Assert.That((await Api.Post(Core("pods"), Pod("Bad_Name"))).Code, Is.EqualTo(422));
        Assert.That((await Api.Post(Core("pods"), "{not json")).Code, Is.EqualTo(400));
        Assert.That((await Api.Post(Core("pods"), """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}""")).Code, Is.EqualTo(400));
        Assert.That((await Api.SendAsync(HttpMethod.Post, Core("pods"), "x", "text/plain")).Code, Is.EqualTo(415));
    }

    [TestCase(",\"nodeName\":false")]
    [TestCase(",\"hostPID\":\"yes\"")]
    [TestCase(",\"terminationGracePeriodSeconds\":\"5\"")]
    public async Task A_value_of_the_wrong_type_is_a_bad_request(string spec)
    {
        var (code, status) = await Api.Post(Core("pods"), Pod("a", spec));
        Assert.That(code, Is.EqualTo(400));
        Assert.That((string?)status["message"], Does.StartWith("Pod in version \"v1\" cannot be handled as a Pod: "));
        Assert.That((string?)status["reason"], Is.EqualTo("BadRequest"));
    }

    [Test]
    public async Task DryRun_answers_but_stores_nothing()
    {
        Assert.That((await Api.Post(Core("configmaps") + "?dryRun=All", ConfigMap("a"))).Code, Is.EqualTo(201));
        Assert.That((await Api.Get(Core("configmaps/a"))).Code, Is.EqualTo(404));
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        var (_, merged) = await Api.Merge(Core("configmaps/a") + "?dryRun=All", """{"data":{"k":"v"}}""");
        Assert.That((string?)merged["data"]!["k"], Is.EqualTo("v"));
        Assert.That((await Api.Delete(Core("configmaps/a") + "?dryRun=All")).Code, Is.EqualTo(200));
        Assert.That((await Api.Get(Core("configmaps/a"))).Body["data"], Is.Null.Or.Empty);
    }

    [Test]
    public async Task Lists_filter_by_labels_and_fields_and_leave_the_kind_out_of_items()
    {
        await Api.Make(Core("pods"), Pod("a", metadata: ",\"labels\":{\"tier\":\"x\",\"v\":\"1\"}"));
        await Api.Make(Core("pods"), Pod("b", metadata: ",\"labels\":{\"tier\":\"y\"}", spec: ",\"nodeName\":\"n1\""));
        await Api.Make(Core("pods"), Pod("c"));
        async Task<string> Names(string query)
        {
            var (code, list) = await Api.Get(Core("pods") + "?" + query);
            Assert.That(code, Is.EqualTo(200), list.ToJsonString());
            return string.Join(",", list["items"]!.AsArray().Select(i => (string?)i!["metadata"]!["name"]));
        }

        Assert.That(await Names("labelSelector=tier%20in%20(x,y)"), Is.EqualTo("a,b"));
        Assert.That(await Names("labelSelector=tier%20notin%20(x)"), Is.EqualTo("b,c"));
        Assert.That(await Names("labelSelector=tier,v!=1"), Is.EqualTo("b"));
        Assert.That(await Names("labelSelector=!tier"), Is.EqualTo("c"));
        Assert.That(await Names("fieldSelector=spec.nodeName%3Dn1"), Is.EqualTo("b"));
        Assert.That(await Names("fieldSelector=metadata.name!=b,status.phase=Pending"), Is.EqualTo("a,c"));
        Assert.That((await Api.Get(Core("pods") + "?fieldSelector=spec.banana=1")).Code, Is.EqualTo(400));
        var (_, all) = await Api.Get(Core("pods"));
        Assert.That((string?)all["kind"], Is.EqualTo("PodList"));
        Assert.That(all["items"]![0]!["kind"], Is.Null);
        Assert.That(all["items"]![0]!["metadata"]!["name"], Is.Not.Null);
    }

    [Test]
    public async Task A_wrong_token_is_401_and_whoever_has_none_may_only_ask_for_health()
    {
        using var stranger = Api.Client(null);
        using var forger = Api.Client("nonsense");
        Assert.That((int)(await stranger.GetAsync("/api/v1/pods")).StatusCode, Is.EqualTo(403));
        Assert.That((int)(await forger.GetAsync("/api/v1/pods")).StatusCode, Is.EqualTo(401));
        Assert.That(await stranger.GetStringAsync("/readyz"), Is.EqualTo("ok"));
    }

    [Test]
    public async Task A_token_bound_to_a_pod_ends_with_the_pod()
    {
        var pod = await Api.Make(Core("pods"), Pod("a"));
        var request = $$$$"""{"spec":{"expirationSeconds":600,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"a","uid":"{{{{pod["metadata"]!["uid"]}}}}"}}}""";
        var issued = await Api.Make(Core("serviceaccounts/default/token"), request);
        using var client = Api.Client((string?)issued["status"]!["token"]);
        async Task<int> Discovery() => (int)(await client.GetAsync("/apis")).StatusCode;
        Assert.That(await Discovery(), Is.EqualTo(200));
        await Api.Delete(Core("pods/a"));
        // A server may remember for some seconds that a token was good.
        Assert.That(Discovery, Is.EqualTo(401).After(30).Seconds.PollEvery(100).MilliSeconds);
    }
}
