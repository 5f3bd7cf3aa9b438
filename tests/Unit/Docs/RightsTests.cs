using System.Text.Json.Nodes;
using Agents.Operator.Manifests;
using KubernetesEmulator.Wire;
using Unit.Operator;

namespace Unit.Docs;

/// <summary>The table of rights in the reference says what the manifests say.</summary>
[TestFixture]
internal sealed class RightsTests
{
    [Test]
    public void The_table_of_rights_is_that_of_the_manifests()
    {
        var manifests = Rows("operator", Roles("deploy/operator/rbac.yaml"))
            .Concat(Rows("agents", [AccessManifests.Role(Documents.Spec(), ["mssql1", "mssql2"])]))
            .Concat(Rows("failover job", Roles("deploy/samples/jobs/failover/failover.yaml")))
            .Concat(Rows("rotate-creds job", Roles("deploy/samples/jobs/rotate-creds/rotate-creds.yaml")));
        var table = File.ReadLines(Path.Combine(DocsTests.Root, "docs/reference.md"))
            .SkipWhile(x => x != "## Rights").Skip(1).TakeWhile(x => !x.StartsWith("## ", StringComparison.Ordinal))
            .Where(x => x.StartsWith('|')).Skip(2)
            .Select(x => string.Join(" | ", x.Split('|', StringSplitOptions.TrimEntries)[1..4]));
        Assert.That(table, Is.EquivalentTo(manifests));
    }

    [Test]
    public void The_operator_of_some_namespaces_has_the_same_rules_but_for_the_definition()
    {
        static IEnumerable<string> Rules(string path) => Roles(path).Single()["rules"]!.AsArray().Select(x => x!.ToJsonString());
        Assert.That(Rules("deploy/operator-namespaced/rbac.yaml"), Is.EqualTo(Rules("deploy/operator/rbac.yaml").Where(x => !x.Contains("customresourcedefinitions", StringComparison.Ordinal))));
    }

    private static IEnumerable<JsonObject> Roles(string path) =>
        Yaml.Parse(File.ReadAllText(Path.Combine(DocsTests.Root, path))).Select(x => x.AsObject()).Where(x => (string?)x["kind"] is "Role" or "ClusterRole");

    private static IEnumerable<string> Rows(string holder, IEnumerable<JsonObject> roles) =>
        from rule in roles.SelectMany(x => x["rules"]!.AsArray())
        from resource in rule.Texts("resources")
        from @group in rule.Texts("apiGroups")
        let what = $"`{resource}{(@group.Length == 0 ? "" : $".{@group}")}`{(rule.Texts("resourceNames").Any() ? " (by name)" : "")}"
        group rule.Texts("verbs") by what into verbs
        select $"{holder} | {verbs.Key} | {string.Join(", ", verbs.SelectMany(x => x).Distinct().Order(StringComparer.Ordinal))}";
}
