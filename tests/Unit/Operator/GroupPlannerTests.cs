using System.Text.Json.Nodes;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class GroupPlannerTests
{
    [Test]
    public void Members_are_those_that_list_the_group_and_own_its_objects()
    {
        var maps = Maps(GroupPlanner.Plan(Documents.Namespace(
            Documents.Instance("mssql1"), Documents.Instance("mssql2", """["ag1","ag2"]"""), Documents.Instance("mssql3", "[]"))));
        Assert.Multiple(() =>
        {
            Assert.That(Members(maps["ag1"]), Is.EqualTo(new[] { "mssql1-0", "mssql2-0" }));
            Assert.That(Members(maps["ag2"]), Is.EqualTo(new[] { "mssql2-0" }));
            Assert.That(Owners(maps["ag1"]), Is.EqualTo(new[] { "uid-mssql1", "uid-mssql2" }));
        });
    }

    [Test]
    public void An_instance_whose_edit_is_refused_stays_the_member_it_was()
    {
        var view = Documents.Namespace(
            Documents.Instance("mssql1"), Documents.Instance("mssql2", """["ag1", "ag1"]"""), Documents.Instance("mssql3", "[]", spec => spec.Remove("saPassword")));
        view = view with { GroupMaps = Before("mssql1", "mssql2", "mssql3") };
        Assert.That(Members(Maps(GroupPlanner.Plan(view))["ag1"]), Is.EqualTo(new[] { "mssql1-0", "mssql2-0", "mssql3-0" }));
    }

    [Test]
    public void An_instance_that_was_never_valid_is_no_member() =>
        Assert.That(
            Members(Maps(GroupPlanner.Plan(Documents.Namespace(
                Documents.Instance("mssql1"), Documents.Instance("mssql2", change: spec => spec["acceptEula"] = false))))["ag1"]),
            Is.EqualTo(new[] { "mssql1-0" }));

    [Test]
    public void A_deleted_instance_is_no_member_and_the_last_one_leaves_an_empty_list()
    {
        var gone = Documents.Instance("mssql1");
        gone.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T00:00:00Z";
        var view = Documents.Namespace(gone) with { GroupMaps = Before("mssql1") };
        var steps = GroupPlanner.Plan(view);
        Assert.That(steps, Has.Count.EqualTo(1), "the Service is left to the garbage collector");
        Assert.That(Members(Maps(steps)["ag1"]), Is.Empty);
    }

    [Test]
    public void Who_is_deleted_or_no_longer_lists_the_group_leaves_until_it_is_out_of_the_catalog_and_its_agent_has_ended([Values] bool deleted, [Values] bool labelled)
    {
        var leaver = Documents.Instance("mssql2", deleted ? """["ag1"]""" : "[]") with { Pod = Pod(labelled) };
        if (deleted)
            leaver.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T00:00:00Z";
        NamespaceView View(string? group, string? replicas)
        {
            var maps = Before("mssql1", "mssql2");
            maps["ag1"]["data"]!["group"] = group;
            maps["ag1"]["data"]!["replicas"] = replicas;
            return Documents.Namespace(Documents.Instance("mssql1"), leaver) with { GroupMaps = maps };
        }

        string[] gone = labelled ? ["mssql2-0"] : [];
        Assert.Multiple(() =>
        {
            Assert.That(Leavers(View("{}", """["mssql1-0","mssql2-0"]""")), Is.EqualTo(new[] { "mssql2-0" }), "a replica");
            Assert.That(Leavers(View("{}", null)), Is.EqualTo(new[] { "mssql2-0" }), "nobody has said which replicas there are");
            Assert.That(Leavers(View("{}", """["mssql1-0"]""")), Is.EqualTo(gone), "removed");
            Assert.That(Leavers(View(null, null)), Is.EqualTo(gone), "there has never been a group");
            Assert.That(Leavers(View(null, "[]")), Is.EqualTo(gone), "the group is dissolved");
        });
    }

    [Test]
    public void A_member_that_comes_back_no_longer_leaves()
    {
        var maps = Before("mssql1");
        maps["ag1"]["data"]!["members"] = """[{"name":"mssql1-0","instance":"mssql1","mode":"synchronousCommit","endpoint":"TCP://x:5022","leaving":true}]""";
        maps["ag1"]["data"]!["group"] = "{}";
        Assert.That(Leavers(Documents.Namespace(Documents.Instance("mssql1")) with { GroupMaps = maps }), Is.Empty);
    }

    [Test]
    public void A_replica_whose_instance_does_not_list_the_group_leaves_even_if_the_list_of_members_was_lost()
    {
        var maps = Before();
        maps["ag1"]["data"]!["replicas"] = """["mssql1-0","mssql2-0","elsewhere"]""";
        var view = Documents.Namespace(Documents.Instance("mssql1"), Documents.Instance("mssql2", "[]")) with { GroupMaps = maps };
        Assert.That(Leavers(view), Is.EqualTo(new[] { "mssql2-0" }), "and a replica of somebody else's does not");
    }

    private static string?[] Leavers(NamespaceView view) =>
        [.. ((JsonArray)JsonNode.Parse((string)Maps(GroupPlanner.Plan(view))["ag1"]["data"]!["members"]!)!)
            .Where(member => (bool?)member!["leaving"] == true).Select(member => (string?)member!["name"])];

    private static JsonObject Pod(bool labelled) => new()
    {
        ["metadata"] = new JsonObject { ["labels"] = labelled ? new JsonObject { ["ag-service.mssql.microsoft.com/ag1"] = "" } : [] },
    };

    [Test]
    public void Nothing_is_applied_when_an_unreadable_list_meets_an_unreadable_map()
    {
        var maps = Before("mssql2");
        maps["ag1"]["data"]!["members"] = "not JSON";
        var view = Documents.Namespace(Documents.Instance("mssql1"), Documents.Instance("mssql2", "[7]")) with { GroupMaps = maps };
        Assert.That(GroupPlanner.Plan(view), Is.Empty);
    }

    private static Dictionary<string, JsonObject> Before(params string[] instances) => new()
    {
        ["ag1"] = Agents.Operator.Manifests.GroupConfigMapManifest.Build(
            "ag1", "ag1", [],
            instances.Select(name => Agents.Operator.Manifests.GroupConfigMapManifest.Member(name, "ag1", "synchronousCommit"))),
    };

    private static Dictionary<string, JsonObject> Maps(IEnumerable<Step> steps) => steps.OfType<Step.Apply>().Select(step => step.Manifest)
        .Where(manifest => (string?)manifest["kind"] == "ConfigMap").ToDictionary(manifest => (string)manifest["metadata"]!["name"]!);

    private static string?[] Members(JsonObject map) =>
        [.. ((JsonArray)JsonNode.Parse((string)map["data"]!["members"]!)!).Select(member => (string?)member!["name"])];

    private static string?[] Owners(JsonObject map) => [.. map["metadata"]!["ownerReferences"]!.AsArray().Select(owner => (string?)owner!["uid"])];
}
