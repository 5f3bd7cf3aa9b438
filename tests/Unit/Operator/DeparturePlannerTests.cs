using System.Text.Json.Nodes;
using Agents.Operator;
using Agents.Operator.Manifests;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class DeparturePlannerTests
{
    private static readonly DateTimeOffset Deleted = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [TestCase("""["ag1"]""", false, false, true, Description = "it lists a group")]
    [TestCase("""["ag1"]""", true, true, null)]
    [TestCase("[]", false, false, null)]
    [TestCase("[]", true, true, null, Description = "it has yet to leave")]
    [TestCase("[]", true, false, false, Description = "it has left")]
    public void An_instance_with_groups_has_the_finalizer(string groups, bool present, bool named, bool? set)
    {
        var instance = Documents.Instance(groups: groups);
        var step = DeparturePlanner.Plan(With(instance, present), View(instance, named), Deleted);
        Assert.That(step?.Finalizers.Contains(Names.LeaveFinalizer), Is.EqualTo(set));
        Assert.That(step?.ResourceVersion ?? "7", Is.EqualTo("7"), "as it was seen");
        Assert.That(step?.Finalizers.Contains("example.com/other") ?? true, "those of others stay");
    }

    [TestCase(true, true, "secondary", true, 5, true)]
    [TestCase(false, true, "secondary", true, 5, false, Description = "left")]
    [TestCase(true, true, "secondary", true, 60, false, Description = "waited for long enough")]
    [TestCase(true, true, "primary", true, 3600, true, Description = "a primary that serves hands over first, however long that takes")]
    [TestCase(true, true, "primary", false, 60, false, Description = "one that does not serve is not waited for")]
    [TestCase(true, false, null, false, 0, false, Description = "gone")]
    public void A_deleted_instance_is_held_until_it_has_left_and_never_for_ever(bool named, bool exists, string? role, bool ready, int after, bool held)
    {
        var instance = With(Documents.Instance(), present: true) with { Pod = exists ? Pod(role, ready) : null, StatefulSet = exists ? [] : null };
        instance.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T12:00:00Z";
        var step = DeparturePlanner.Plan(instance, View(instance, named, "mssql2"), Deleted.AddSeconds(after));
        Assert.That(step is null, Is.EqualTo(held));
        if (step is not null)
            Assert.That(step.Finalizers, Is.EqualTo(new[] { "example.com/other" }));
    }

    [Test]
    public void The_last_primary_is_held_no_longer_than_others()
    {
        var instance = With(Documents.Instance(), present: true) with { Pod = Pod("primary", ready: true) };
        instance.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T12:00:00Z";
        Assert.That(DeparturePlanner.Plan(instance, View(instance, named: true), Deleted.AddSeconds(60)), Is.Not.Null);
    }

    [Test]
    public void Nothing_is_put_on_a_deleted_instance()
    {
        var instance = With(Documents.Instance(), present: false);
        instance.Document["metadata"]!["deletionTimestamp"] = "2026-11-21T12:00:00Z";
        Assert.That(DeparturePlanner.Plan(instance, View(instance, named: true), Deleted), Is.Null);
    }

    private static InstanceView With(InstanceView instance, bool present)
    {
        instance.Document["metadata"]!["resourceVersion"] = "7";
        instance.Document["metadata"]!["finalizers"] = Json.Strings(present ? ["example.com/other", Names.LeaveFinalizer] : ["example.com/other"]);
        return instance;
    }

    private static NamespaceView View(InstanceView instance, bool named, params string[] staying)
    {
        var leaver = GroupConfigMapManifest.AsLeaving(GroupConfigMapManifest.Member(instance.Name, "ag1", "synchronousCommit"));
        var members = staying.Select(name => GroupConfigMapManifest.Member(name, "ag1", "synchronousCommit")).Concat(named ? [leaver] : []);
        return Documents.Namespace(instance) with { GroupMaps = new Dictionary<string, JsonObject> { ["ag1"] = GroupConfigMapManifest.Build("ag1", "ag1", [], members) } };
    }

    private static JsonObject Pod(string? role, bool ready) => new()
    {
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Names.RoleLabel("ag1")] = role } },
        ["status"] = new JsonObject { ["conditions"] = Json.List(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False" }) },
    };
}
