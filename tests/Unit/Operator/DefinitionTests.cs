using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agents.Operator;
using Agents.Operator.Reconciliation;
using Microsoft.Extensions.Logging.Abstractions;
using Unit.Docs;
using Unit.Nodes;

namespace Unit.Operator;

/// <summary>The definition of <c>SqlServer</c>: what is shipped, what is registered, and that they are the same.</summary>
internal sealed partial class DefinitionTests
{
    private const string Name = "sqlservers.mssql.microsoft.com";
    private const string Rules = "x-kubernetes-validations";

    private static JsonObject Spec(JsonObject definition) =>
        definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!.AsObject();

    [Test]
    public void What_is_registered_is_what_is_shipped()
    {
        var shipped = JsonNode.Parse(File.ReadAllText(Path.Combine(DocsTests.Root, "deploy/crds/sqlservers.mssql.microsoft.com.json")))!.AsObject();
        Assert.That(JsonNode.DeepEquals(CustomResourceDefinition.Document(), shipped), Is.True);
        var rules = JsonNode.Parse(File.ReadAllText(Path.Combine(DocsTests.Root, "deploy/crds-cel/rules.json")))![0]!["value"]!;
        Spec(shipped)[Rules] = rules.DeepClone();
        Assert.That(JsonNode.DeepEquals(CustomResourceDefinition.DocumentWithRules(), shipped), Is.True);
    }

    [Test]
    public void Rules_speak_of_fields_that_there_are()
    {
        var spec = Spec(CustomResourceDefinition.DocumentWithRules());
        var named = spec[Rules]!.AsArray().SelectMany(rule => Field().Matches((string)rule!["rule"]!)).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.That(named, Is.Not.Empty.And.SubsetOf(spec["properties"]!.AsObject().Select(field => field.Key)));
    }

    /// <summary>Fields that the schema does not know are dropped or kept in silence, so there should be none of the latter but parts of pods and Services.</summary>
    [Test]
    public void The_schema_is_open_only_where_it_stands_for_a_part_of_a_pod_or_Service() => Assert.That(
        Open(Spec(CustomResourceDefinition.Document()), "spec"), Is.EquivalentTo(new[]
        {
            "spec.sqlServerContainer", "spec.instanceRootVolume", "spec.sqlServerPod", "spec.initSQLPod", "spec.volumes[]", "spec.affinity",
            "spec.topologySpreadConstraints[]", "spec.service.spec",
            // Either a text or an object.
            "spec.availabilityGroups[]",
        }));

    [Test]
    public async Task A_definition_is_made_with_its_rules_and_mended_when_it_is_another()
    {
        var api = new FakeKubernetesApi();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await EnsureAsync(api, bound.Token);
        Assert.That(Spec(Registered(api)).ContainsKey(Rules), Is.True);
        await api.MergePatchAsync<JsonObject>(
            Resources.Definitions, null!, Name, (JsonObject)JsonNode.Parse("""{"metadata": {"labels": {"mine": "x"} }, "spec": {"versions": []} }""")!, bound.Token);
        await EnsureAsync(api, bound.Token);
        Assert.That(JsonNode.DeepEquals(Registered(api)["spec"], CustomResourceDefinition.DocumentWithRules()["spec"]), Is.True);
        Assert.That((string?)Registered(api)["metadata"]!["labels"]!["mine"], Is.EqualTo("x"), "others' fields stay");
    }

    private static JsonObject Registered(FakeKubernetesApi api) => api.All(Resources.Definitions).Single();

    /// <summary>Registers, and plays the API server that establishes it.</summary>
    private static async Task EnsureAsync(FakeKubernetesApi api, CancellationToken cancellationToken)
    {
        var ensuring = new CustomResourceDefinition(api, [null], TimeProvider.System, NullLogger.Instance).EnsureAsync(cancellationToken);
        while (!ensuring.IsCompleted)
        {
            if (api.All(Resources.Definitions).Any())
                await api.MergePatchAsync<JsonObject>(
                    Resources.Definitions, null!, Name, (JsonObject)JsonNode.Parse("""{"status": {"conditions": [{"type": "Established", "status": "True"}]} }""")!,
                    cancellationToken, "status");
            await Task.Delay(10, cancellationToken);
        }

        await ensuring;
    }

    private static IEnumerable<string> Open(JsonNode? schema, string path)
    {
        if (schema is not JsonObject)
            return [];
        IEnumerable<string> here = (bool?)schema["x-kubernetes-preserve-unknown-fields"] == true ? [path] : [];
        var fields = (schema["properties"] as JsonObject ?? []).SelectMany(field => Open(field.Value, $"{path}.{field.Key}"));
        return here.Concat(fields).Concat(Open(schema["items"], $"{path}[]")).Concat(Open(schema["additionalProperties"], $"{path}{{}}"));
    }

    [GeneratedRegex(@"\b(?:self|oldSelf)\.(\w+)")]
    private static partial Regex Field();
}
