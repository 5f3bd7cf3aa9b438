namespace Conformance;

internal sealed class PatchTests(Backend backend) : ApiServerFixture(backend)
{
    [Test]
    public async Task Merge_patch_removes_by_null_and_compares_the_version_it_names()
    {
        var a = await Api.Make(Core("configmaps"), ConfigMap("a", data: "\"k\":\"1\",\"gone\":\"x\""));
        var (_, merged) = await Api.Merge(Core("configmaps/a"), """{"data":{"gone":null,"k":"2"}}""");
        Assert.That(merged["data"]!.ToJsonString(), Is.EqualTo("""{"k":"2"}"""));
        var (code, _) = await Api.Merge(Core("configmaps/a"), $$$$"""{"metadata":{"resourceVersion":"{{{{a["metadata"]!["resourceVersion"]}}}}"},"data":{"k":"3"}}""");
        Assert.That(code, Is.EqualTo(409));
    }

    [Test]
    public async Task Merge_patches_at_the_same_time_all_take_effect()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a"));
        var codes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => (await Api.Merge(Core("configmaps/a"), $$$"""{"data":{"k{{{i}}}":"v"}}""")).Code));
        Assert.That(codes, Has.All.EqualTo(200));
        Assert.That((await Api.Get(Core("configmaps/a"))).Body["data"]!.AsObject(), Has.Count.EqualTo(8));
    }

    [Test]
    public async Task Json_patch_tests_adds_and_removes()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a", data: "\"a/b\":\"1\"".Replace("/", ".")));
        var (_, patched) = await Api.JsonPatch(Core("configmaps/a"), """
            [{"op":"test","path":"/data/a.b","value":"1"},{"op":"add","path":"/metadata/labels","value":{}},{"op":"add","path":"/metadata/labels/x~1y","value":"z"},
             {"op":"move","from":"/data/a.b","path":"/data/c"}]
            """);
        Assert.That((string?)patched["metadata"]!["labels"]!["x/y"], Is.EqualTo("z"));
        Assert.That(patched["data"]!.ToJsonString(), Is.EqualTo("""{"c":"1"}"""));
        Assert.That((await Api.JsonPatch(Core("configmaps/a"), """[{"op":"test","path":"/data/c","value":"2"},{"op":"remove","path":"/data/c"}]""")).Code, Is.EqualTo(422));
        Assert.That((await Api.JsonPatch(Core("configmaps/a"), """[{"op":"remove","path":"/data/none"}]""")).Code, Is.EqualTo(422));
        Assert.That((string?)(await Api.Get(Core("configmaps/a"))).Body["data"]!["c"], Is.EqualTo("1"));
    }

    [Test]
    public async Task Strategic_merge_merges_containers_and_conditions_by_key()
    {
        await Api.Make(Group("apps/v1", "statefulsets"), StatefulSet("s"));
        var (_, two) = await Api.Strategic(Group("apps/v1", "statefulsets/s"), """
            {"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"},{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}
            """);
        var containers = two["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        Assert.That(containers.Select(c => (string?)c!["image"]), Is.EquivalentTo(new[] { "busybox:1", "side:1" }));
        var (_, one) = await Api.Strategic(Group("apps/v1", "statefulsets/s"), """
            {"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}
            """);
        Assert.That(one["spec"]!["template"]!["spec"]!["containers"]!.AsArray(), Has.Count.EqualTo(1));

        await Api.Make(Core("pods"), Pod("p"));
        await Api.Strategic(Core("pods/p/status"), """{"status":{"conditions":[{"type":"Ready","status":"False"},{"type":"Initialized","status":"True"}]}}""");
        var (_, pod) = await Api.Strategic(Core("pods/p/status"), """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""");
        Assert.That(pod["status"]!["conditions"]!.AsArray().Select(c => $"{c!["type"]}={c["status"]}"), Is.EquivalentTo(new[] { "Ready=True", "Initialized=True" }));
    }

    [Test]
    public async Task Strategic_merge_keeps_the_order_it_is_told_and_clears_primitive_items()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a", ",\"finalizers\":[\"x.io/a\",\"x.io/b\"]"));
        var (_, less) = await Api.Strategic(Core("configmaps/a"), """{"metadata":{"$deleteFromPrimitiveList/finalizers":["x.io/a"],"finalizers":["x.io/c"]}}""");
        Assert.That(less["metadata"]!["finalizers"]!.ToJsonString(), Is.EqualTo("""["x.io/c","x.io/b"]"""));
        await Api.Merge(Core("configmaps/a"), """{"metadata":{"finalizers":null}}""");
    }

    [Test]
    public async Task Server_side_apply_creates_merges_and_removes_what_only_it_owned()
    {
        var path = Core("configmaps/a");
        var (created, first) = await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {app: x}}, data: {k: v, drop: me}}");
        Assert.That(created, Is.EqualTo(201), first.ToJsonString());
        await Api.Merge(path, """{"data":{"foreign":"stays"}}""");
        var (code, second) = await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}");
        Assert.That(code, Is.EqualTo(200));
        Assert.That(second["data"]!.AsObject().Select(p => p.Key), Is.EquivalentTo(new[] { "k", "foreign" }));
        Assert.That(second["metadata"]!["labels"], Is.Null);
    }

    [Test]
    public async Task Applying_the_same_again_changes_nothing()
    {
        var path = Group("apps/v1", "statefulsets/s");
        var (_, a) = await Api.Apply(path, "one", StatefulSet("s"));
        var (_, b) = await Api.Apply(path, "one", StatefulSet("s"));
        Assert.That((string?)b["metadata"]!["resourceVersion"], Is.EqualTo((string?)a["metadata"]!["resourceVersion"]));
        Assert.That((int)b["metadata"]!["generation"]!, Is.EqualTo(1));
    }

    [Test]
    public async Task A_field_of_another_applier_is_a_conflict_unless_forced()
    {
        var path = Core("configmaps/a");
        await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '1', own: x}}");
        Assert.That((await Api.Apply(path, "two", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '1'}}")).Code, Is.EqualTo(200), "the same value is shared");
        var (code, status) = await Api.Apply(path, "two", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '2'}}");
        Assert.That(code, Is.EqualTo(409));
        Assert.That((string?)status["message"], Is.EqualTo("Apply failed with 1 conflict: conflict with \"one\": .data.k"));
        Assert.That((string?)status["details"]!["causes"]![0]!["reason"], Is.EqualTo("FieldManagerConflict"));
        Assert.That((await Api.Apply(path, "two", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '2'}}", force: true)).Code, Is.EqualTo(200));
        var (_, afterwards) = await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {own: x}}");
        Assert.That((string?)afterwards["data"]!["k"], Is.EqualTo("2"), "the loser no longer owns it, so it cannot remove it");
    }

    [Test]
    public async Task An_update_takes_a_field_from_its_applier()
    {
        var path = Core("configmaps/a");
        await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '1'}}");
        await Api.Merge(path, """{"data":{"k":"2"}}""");
        var (code, status) = await Api.Apply(path, "one", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: '1'}}");
        Assert.That(code, Is.EqualTo(409));
        Assert.That((string?)status["message"], Is.EqualTo("Apply failed with 1 conflict: conflict with \"tester\" using v1: .data.k"));
    }

    [Test]
    public async Task Keyed_lists_are_applied_item_by_item()
    {
        var path = Group("apps/v1", "statefulsets/s");
        await Api.Apply(path, "one", StatefulSet("s"));
        var (code, both) = await Api.Apply(path, "two", """
            {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s},
             spec: {template: {spec: {containers: [{name: side, image: "side:1", env: [{name: A, value: "1"}, {name: B, value: "2"}], ports: [{containerPort: 80}]}]}}}}
            """);
        Assert.That(code, Is.EqualTo(200), both.ToJsonString());
        Assert.That(both["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(c => (string?)c!["name"]), Is.EqualTo(new[] { "main", "side" }));
        var (_, less) = await Api.Apply(path, "two", """
            {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {template: {spec: {containers: [{name: side, image: "side:1", env: [{name: B, value: "2"}]}]}}}}
            """);
        var side = less["spec"]!["template"]!["spec"]!["containers"]![1]!;
        Assert.That(side["env"]!.ToJsonString(), Is.EqualTo("""[{"name":"B","value":"2"}]"""));
        Assert.That(side["ports"], Is.Null);
        var (_, none) = await Api.Apply(path, "two", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}}");
        Assert.That(none["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(c => (string?)c!["name"]), Is.EqualTo(new[] { "main" }));
    }

    [Test]
    public async Task Status_is_applied_apart_with_its_own_manager()
    {
        await Api.Make(Core("pods"), Pod("p"));
        var (code, pod) = await Api.Apply(Core("pods/p/status"), "node", "{apiVersion: v1, kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}", force: true);
        Assert.That(code, Is.EqualTo(200), pod.ToJsonString());
        Assert.That((string?)pod["status"]!["phase"], Is.EqualTo("Running"));
        Assert.That(pod["metadata"]!["managedFields"]!.AsArray().Any(m => (string?)m!["manager"] == "node" && (Minor < 22 || (string?)m["subresource"] == "status")));
        var (_, gone) = await Api.Apply(Core("pods/p/status"), "node", "{apiVersion: v1, kind: Pod, status: {phase: Running}}", force: true);
        Assert.That(gone["status"]!["conditions"], Is.Null);
    }

    [Test]
    public async Task Apply_needs_a_manager_and_cannot_create_through_status()
    {
        Assert.That((await Api.SendAsync(HttpMethod.Patch, Core("configmaps/a"), "{apiVersion: v1, kind: ConfigMap}", "application/apply-patch+yaml")).Code, Is.EqualTo(422));
        Assert.That((await Api.Apply(Core("pods/none/status"), "node", "{apiVersion: v1, kind: Pod, status: {phase: Running}}")).Code, Is.EqualTo(404));
        Assert.That((await Api.SendAsync(HttpMethod.Patch, Core("configmaps/a"), "{}", "application/json")).Code, Is.EqualTo(415));
    }
}
