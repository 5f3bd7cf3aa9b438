namespace Conformance;

internal sealed class DeletionTests(Backend backend) : ApiServerFixture(backend)
{
    [Test]
    public async Task An_unscheduled_pod_goes_at_once_and_a_scheduled_one_waits_for_its_node()
    {
        await Api.Make(Core("pods"), Pod("free"));
        await Api.Delete(Core("pods/free"));
        Assert.That((await Api.Get(Core("pods/free"))).Code, Is.EqualTo(404));

        await Api.Make(Core("pods"), Pod("bound", ",\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":12"));
        await Api.Delete(Core("pods/bound"));
        var (_, ending) = await Api.Get(Core("pods/bound"));
        Assert.That((string?)ending["metadata"]!["deletionTimestamp"], Is.Not.Null);
        Assert.That((int)ending["metadata"]!["deletionGracePeriodSeconds"]!, Is.EqualTo(12));
        await Api.Delete(Core("pods/bound"), """{"gracePeriodSeconds":5}""");
        Assert.That((int)(await Api.Get(Core("pods/bound"))).Body["metadata"]!["deletionGracePeriodSeconds"]!, Is.EqualTo(5));
        await Api.Delete(Core("pods/bound"), """{"gracePeriodSeconds":60}""");
        Assert.That((int)(await Api.Get(Core("pods/bound"))).Body["metadata"]!["deletionGracePeriodSeconds"]!, Is.EqualTo(5), "a deletion never gets more time");
        await Api.Delete(Core("pods/bound"), """{"gracePeriodSeconds":0}""");
        Assert.That((await Api.Get(Core("pods/bound"))).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task Preconditions_guard_a_deletion()
    {
        var a = await Api.Make(Core("configmaps"), ConfigMap("a"));
        Assert.That((await Api.Delete(Core("configmaps/a"), """{"preconditions":{"uid":"another"}}""")).Code, Is.EqualTo(409));
        Assert.That((await Api.Delete(Core("configmaps/a"), """{"preconditions":{"resourceVersion":"1"}}""")).Code, Is.EqualTo(409));
        Assert.That((await Api.Delete(Core("configmaps/a"), $$$$"""{"preconditions":{"uid":"{{{{a["metadata"]!["uid"]}}}}"}}""")).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task A_finalizer_holds_an_object_until_it_is_removed()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a", ",\"finalizers\":[\"x.io/hold\"]"));
        await Api.Delete(Core("configmaps/a"));
        Assert.That((string?)(await Api.Get(Core("configmaps/a"))).Body["metadata"]!["deletionTimestamp"], Is.Not.Null);
        Assert.That((await Api.Merge(Core("configmaps/a"), """{"metadata":{"finalizers":["x.io/hold","x.io/more"]}}""")).Code, Is.EqualTo(422));
        await Api.Merge(Core("configmaps/a"), """{"metadata":{"finalizers":null}}""");
        Assert.That((await Api.Get(Core("configmaps/a"))).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task Dependents_follow_their_owner_down_the_chain()
    {
        var owner = await Api.Make(Core("configmaps"), ConfigMap("owner"));
        var child = await Api.Make(Core("configmaps"), ConfigMap("child", Owned("owner", owner)));
        await Api.Make(Core("secrets"), $$$"""{"metadata":{"name":"grandchild"{{{Owned("child", child)}}}}}""");
        await Api.Make(Core("configmaps"), ConfigMap("stranger"));
        await Api.Delete(Core("configmaps/owner"));
        await Api.Until(Core("secrets/grandchild"), (code, _) => code == 404);
        Assert.That((await Api.Get(Core("configmaps/child"))).Code, Is.EqualTo(404));
        Assert.That((await Api.Get(Core("configmaps/stranger"))).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Orphaned_dependents_stay_and_lose_the_reference()
    {
        var owner = await Api.Make(Core("configmaps"), ConfigMap("owner"));
        await Api.Make(Core("configmaps"), ConfigMap("child", Owned("owner", owner)));
        await Api.Delete(Core("configmaps/owner"), """{"propagationPolicy":"Orphan"}""");
        await Api.Until(Core("configmaps/owner"), (code, _) => code == 404);
        var (code, child) = await Api.Get(Core("configmaps/child"));
        Assert.That(code, Is.EqualTo(200));
        Assert.That(child["metadata"]!["ownerReferences"], Is.Null);
    }

    [Test]
    public async Task Foreground_deletion_waits_for_blocking_dependents()
    {
        var owner = await Api.Make(Core("configmaps"), ConfigMap("owner"));
        await Api.Make(Core("configmaps"), ConfigMap("child", Owned("owner", owner, ",\"blockOwnerDeletion\":true") + ",\"finalizers\":[\"x.io/hold\"]"));
        await Api.Delete(Core("configmaps/owner"), """{"propagationPolicy":"Foreground"}""");
        await Api.Until(Core("configmaps/child"), (_, c) => c["metadata"]!["deletionTimestamp"] is not null);
        Assert.That((await Api.Get(Core("configmaps/owner"))).Code, Is.EqualTo(200));
        await Api.Merge(Core("configmaps/child"), """{"metadata":{"finalizers":null}}""");
        await Api.Until(Core("configmaps/owner"), (code, _) => code == 404);
    }

    [Test]
    public async Task Deleting_a_namespace_removes_its_content_and_refuses_more()
    {
        await Api.Make(Core("configmaps"), ConfigMap("held", ",\"finalizers\":[\"x.io/hold\"]"));
        await Api.Make(Core("secrets"), """{"metadata":{"name":"s"}}""");
        var (_, ending) = await Api.Delete($"/api/v1/namespaces/{Ns}");
        Assert.That((string?)ending["status"]!["phase"], Is.EqualTo("Terminating"));
        var (code, status) = await Api.Post(Core("configmaps"), ConfigMap("late"));
        Assert.That(code, Is.EqualTo(403));
        Assert.That((string?)status["message"], Does.EndWith("because it is being terminated"));
        await Api.Until(Core("secrets/s"), (c, _) => c == 404);
        await Api.Merge(Core("configmaps/held"), """{"metadata":{"finalizers":null}}""");
        await Api.Until($"/api/v1/namespaces/{Ns}", (c, _) => c == 404);
    }

    [Test]
    public async Task A_collection_is_deleted_by_selector()
    {
        await Api.Make(Core("configmaps"), ConfigMap("a", ",\"labels\":{\"x\":\"1\"}"));
        await Api.Make(Core("configmaps"), ConfigMap("b"));
        await Api.Delete(Core("configmaps") + "?labelSelector=x=1");
        Assert.That((await Api.Get(Core("configmaps/a"))).Code, Is.EqualTo(404));
        Assert.That((await Api.Get(Core("configmaps/b"))).Code, Is.EqualTo(200));
    }

    private static string Owned(string name, System.Text.Json.Nodes.JsonNode owner, string more = "") =>
        $$$""","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"{{{name}}}","uid":"{{{owner["metadata"]!["uid"]}}}"{{{more}}}}]""";
}
