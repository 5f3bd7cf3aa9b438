using System.Text.Json.Nodes;
using Agents.Operator.Reconciliation;

namespace Unit.Operator;

internal sealed class StatusBuilderTests
{
    [TestCase("server", "latest")]
    [TestCase("registry.example:5000/server", "latest")]
    [TestCase("registry.example:5000/mssql/server:2022-CU20", "2022-CU20")]
    [TestCase("registry.example/server:2022@sha256:0123456789abcdef", "2022")]
    [TestCase("registry.example/server@sha256:0123456789abcdef", "sha256:0123456789ab")]
    public void The_version_is_the_tag_that_the_pod_runs(string image, string version) =>
        Assert.That((string?)Status("""["ag1"]""", $$"""{"spec": {"containers": [{"name": "mssql-server", "image": "{{image}}"}]} }""")["version"], Is.EqualTo(version));

    [TestCase("""["ag1"]""", "primary")]
    [TestCase("""["ag1", "ag2"]""", "ag1=primary,ag2=secondary")]
    [TestCase("""["ag2", "ag3"]""", "ag2=secondary")]
    [TestCase("[]", null)]
    public void The_role_names_its_group_only_when_there_are_several(string groups, string? role) => Assert.That(
        (string?)Status(groups, """{"metadata": {"labels": {"role.ag.mssql.microsoft.com/ag1": "primary", "role.ag.mssql.microsoft.com/ag2": "secondary"} } }""")["role"],
        Is.EqualTo(role));

    [Test]
    public void Without_a_pod_there_is_neither_role_nor_version()
    {
        var status = Status("""["ag1"]""", "null");
        Assert.That(((string?)status["role"], (string?)status["version"]), Is.EqualTo(((string?)null, (string?)null)));
    }

    private static JsonObject Status(string groups, string pod) =>
        StatusBuilder.Build(Documents.Instance(groups: groups) with { Pod = JsonNode.Parse(pod) as JsonObject }, [], DateTimeOffset.UnixEpoch);
}
