using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KubernetesEmulator.Wire;

namespace Conformance;

/// <summary>What the operator makes and what users apply: a server takes it, and gives it back without having lost a field.</summary>
internal sealed partial class ManifestTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Definition = "deploy/crds/sqlservers.mssql.microsoft.com.json";

    /// <summary>Has the name of the definition of today, which is there already.</summary>
    private const string OldDefinition = "old-definition.yaml";

    /// <summary>This came with 1.21, and its beta version went with 1.25. The operator takes the one that is served, and so do these tests.</summary>
    private const string Budgets = "policy/v1";

    private const string EarlierBudgets = "policy/v1beta1";

    private static IEnumerable<string> Golden => Repository.Files("tests/Unit/Operator/Golden", ".json").Where(x => !x.Contains(".received.", StringComparison.Ordinal));

    private static IEnumerable<string> Deployed => Repository.Files("deploy", ".yaml", ".json")
        .Concat(Repository.Files("sandbox/Sandbox/Manifests", ".yaml")).Where(x => Path.GetFileName(x) is not ("kustomization.yaml" or OldDefinition));

    private static IEnumerable<string> All => Golden.Concat(Deployed);

    [OneTimeSetUp]
    public async Task Define()
    {
        const string path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sqlservers.mssql.microsoft.com";
        var (code, crd) = await Api.Apply(path, "operator", Repository.Read(Definition));
        Assert.That(code, Is.AnyOf(200, 201), crd.ToJsonString());
        await Api.Until(path, (_, body) => body["status"]?["conditions"]?.AsArray().Any(c => Text(c, "type") == "Established" && Text(c, "status") == "True") == true);
    }

    [Test]
    public async Task A_manifest_is_created_and_applied_and_nothing_of_it_is_lost([ValueSource(nameof(All))] string file)
    {
        foreach (var sent in Documents(file))
        {
            await Budget(sent);
            var (collection, name) = (await CollectionOf(sent), (string)sent["metadata"]!["name"]!);
            sent["metadata"]!.AsObject().Remove("namespace");
            // The definition itself has been applied already.
            var (code, made) = file == Definition ? (201, sent) : await Api.Post(collection + "?dryRun=All", sent.ToJsonString());
            Assert.That(code, Is.EqualTo(201), made.ToJsonString());
            Assert.That(Lost(sent, made, ""), Is.Empty, $"POST {name}");
            (code, made) = await Api.SendAsync(
                HttpMethod.Patch, $"{collection}/{name}?fieldManager=mssql-server-k8s-operator&force=true&dryRun=All", sent.ToJsonString(), "application/apply-patch+yaml");
            Assert.That(code, Is.AnyOf(200, 201), made.ToJsonString());
            Assert.That(Lost(sent, made, ""), Is.Empty, $"apply {name}");
        }
    }

    [Test]
    public void A_lost_field_is_noticed()
    {
        var sent = JsonNode.Parse("""{"a":{"b":[{"c":1,"d":2}]},"e":"f"}""");
        Assert.That(Lost(sent, JsonNode.Parse("""{"a":{"b":[{"c":1}]},"e":"g","more":1}"""), ""), Is.EqualTo(new[] { ".a.b[0].d", ".e" }));
    }

    [Test]
    public async Task The_server_serves_every_kind_in_the_version_that_is_used()
    {
        var missing = new List<string>();
        foreach (var version in All.SelectMany(Documents).Concat(Sources()).Select(x => (string)x["apiVersion"]!).Distinct())
        {
            if ((int)(await Api.Http.GetAsync(version.Contains('/', StringComparison.Ordinal) ? $"/apis/{version}" : $"/api/{version}")).StatusCode != 200)
                missing.Add(version);
        }

        Assert.That(missing, Is.Empty.Or.EqualTo(new[] { Budgets }).Or.EqualTo(new[] { EarlierBudgets }));
    }

    [Test]
    public void Only_versions_that_are_never_removed_are_used()
    {
        // Kubernetes removes alpha and beta versions; a stable version stays.
        Assert.That(All.SelectMany(Documents).Concat(Sources()).Select(x => (string)x["apiVersion"]!).Distinct().Except([EarlierBudgets]), Is.All.Match(@"^([a-z0-9.]+/)?v\d+$"));
        Assert.That(Sources().Count(), Is.GreaterThan(5), "the test looks for the wrong thing in the sources");
        var unstable = Repository.Files("src", ".cs").SelectMany(file => Unstable().Matches(Repository.Read(file)).Select(m => $"{file}: {m.Value}"));
        Assert.That(unstable, Is.EqualTo(new[] { "src/Operator/Reconciliation/Resources.cs: \"v1beta1\"" }), "the one for servers that have no policy/v1");
    }

    [TestCase("deploy/operator", "mssql-operator")]
    [TestCase("deploy/samples/ag", "ag1")]
    public async Task A_base_is_rendered_applied_twice_and_deleted(string folder, string @namespace)
    {
        Kubectl.Require();
        var kubectl = new Kubectl(KubeConfig, null);
        var path = Path.Combine(Repository.Root, folder);
        Assert.That(await kubectl.Run($"kustomize {path}"), Does.Contain("kind: Namespace"));
        try
        {
            await kubectl.Run($"apply -k {path}");
            var again = (await kubectl.Run($"apply -k {path}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            // kubectl never knows of stringData whether it is there already.
            Assert.That(again, Has.Length.AtLeast(4).And.All.Match(" unchanged$|^secret/.* configured$"));
            Assert.That((await kubectl.Try($"diff -k {path}")).Code, Is.Zero, "1 would be a difference");
            await kubectl.Run($"apply --server-side --force-conflicts -k {path}");
            Assert.That((await kubectl.Try($"diff --server-side --force-conflicts -k {path}")).Code, Is.Zero);
        }
        finally
        {
            // The definition stays: the other tests use it.
            await kubectl.Run($"delete clusterrole,clusterrolebinding {@namespace} --ignore-not-found");
            await kubectl.Run($"delete namespace {@namespace} --ignore-not-found --timeout=100s");
        }
    }

    private async Task Budget(JsonNode document)
    {
        if (Text(document, "apiVersion") == Budgets && (await Api.Get($"/apis/{Budgets}")).Code == 404)
            document["apiVersion"] = EarlierBudgets;
    }

    [Test]
    public async Task The_definition_with_rules_is_rendered()
    {
        Kubectl.Require();
        var rendered = Yaml.Parse(await new Kubectl(KubeConfig, null).Run($"kustomize {Path.Combine(Repository.Root, "deploy/crds-cel")}")).Single()!.AsObject();
        var spec = rendered["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!.AsObject();
        var rules = spec["x-kubernetes-validations"]!.DeepClone();
        spec.Remove("x-kubernetes-validations");
        Assert.Multiple(() =>
        {
            Assert.That(JsonNode.DeepEquals(rules, JsonNode.Parse(Repository.Read("deploy/crds-cel/rules.json"))![0]!["value"]), Is.True, rules.ToJsonString());
            Assert.That(Lost(JsonNode.Parse(Repository.Read(Definition)), rendered, ""), Is.Empty);
        });
    }

    [TestCase("{}", "")]
    [TestCase("""{"availabilityGroups": ["ag1", {"name": "ag2", "availabilityMode": "configurationOnly"}]}""", "")]
    [TestCase("""{"availabilityGroups": ["AG1"]}""", "spec.availabilityGroups")]
    [TestCase("""{"availabilityGroups": [{"availabilityMode": "asynchronousCommit"}]}""", "spec.availabilityGroups")]
    [TestCase("""{"availabilityGroups": [{"name": "ag1", "availabilityMode": "sync"}]}""", "spec.availabilityGroups")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": [], "resources": {"requests": {"storage": "5Gi"}}}}""", "spec.instanceRootVolumeClaimTemplate.accessModes")]
    [TestCase("""{"instanceRootVolumeClaimTemplate": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "much"}}}}""", "spec.instanceRootVolumeClaimTemplate.resources.requests.storage")]
    [TestCase("""{"imagePullPolicy": "Sometimes"}""", "spec.imagePullPolicy")]
    [TestCase("""{"monitorPolicy": 6}""", "spec.monitorPolicy")]
    [TestCase("""{"memoryLimitMB": 0}""", "spec.memoryLimitMB")]
    [TestCase("""{"collation": "Latin1 General"}""", "spec.collation")]
    [TestCase("""{"saPassword": "secret"}""", "spec.saPassword")]
    public async Task The_schema_refuses_what_is_plainly_wrong_and_names_the_field(string change, string field)
    {
        var (code, answer) = await Api.Post(Group("mssql.microsoft.com/v1", "sqlservers") + "?dryRun=All", SqlServer("mssql1", change));
        Assert.That(code, Is.EqualTo(field.Length == 0 ? 201 : 422), answer.ToJsonString());
        if (field.Length > 0)
            Assert.That((string)answer["message"]!, Does.Contain($"is invalid: {field}"));
    }

    [Test]
    public async Task A_name_that_SQL_Server_would_cut_is_refused()
    {
        var (code, answer) = await Api.Post(Group("mssql.microsoft.com/v1", "sqlservers") + "?dryRun=All", SqlServer("orders-eu-west", "{}"));
        Assert.That((code, ((string)answer["message"]!).Contains("metadata.name", StringComparison.Ordinal)), Is.EqualTo((422, true)), answer.ToJsonString());
    }

    private static string SqlServer(string name, string change)
    {
        var document = Yaml.Parse(Repository.Read("deploy/samples/ag/sqlserver.yaml"))[0]!.AsObject();
        document["metadata"] = new JsonObject { ["name"] = name };
        foreach (var (key, value) in JsonNode.Parse(change)!.AsObject())
            document["spec"]![key] = value?.DeepClone();
        return document.ToJsonString();
    }

    private static IEnumerable<JsonNode> Documents(string file) =>
        Yaml.Parse(Repository.Read(file)).OfType<JsonObject>().SelectMany(x => x["items"] is JsonArray items ? items.OfType<JsonObject>() : [x]);

    /// <summary>What the executables ask for by group and version.</summary>
    private static IEnumerable<JsonNode> Sources() => Repository.Files("src", ".cs").SelectMany(file => Asked().Matches(Repository.Read(file)))
        .Where(m => m.Groups["group"].Success).Select(m => m.Groups["group"].Length == 0 ? m.Groups["version"].Value : $"{m.Groups["group"].Value}/{m.Groups["version"].Value}")
        .Distinct().Select(version => new JsonObject { ["apiVersion"] = version });

    private static IEnumerable<string> Lost(JsonNode? sent, JsonNode? received, string path) => (sent, received) switch
    {
        (JsonObject a, JsonObject b) => a.SelectMany(x => Lost(x.Value, b[x.Key], $"{path}.{x.Key}")),
        (JsonArray a, JsonArray b) when a.Count == b.Count => a.SelectMany((x, i) => Lost(x, b[i], $"{path}[{i}]")),
        (JsonArray { Count: 0 }, null) => [],
        // Written once, and never read back.
        _ when path.StartsWith(".stringData", StringComparison.Ordinal) => [],
        _ => JsonNode.DeepEquals(sent, received) ? [] : [path],
    };

    private async Task<string> CollectionOf(JsonNode document)
    {
        var (version, kind) = ((string)document["apiVersion"]!, (string)document["kind"]!);
        var root = version.Contains('/', StringComparison.Ordinal) ? $"/apis/{version}" : $"/api/{version}";
        var (code, resources) = await Api.Get(root);
        Assert.That(code, Is.EqualTo(200), root);
        var resource = resources["resources"]!.AsArray().First(x => Text(x, "kind") == kind && !Text(x, "name")!.Contains('/', StringComparison.Ordinal));
        return (bool)resource!["namespaced"]! ? $"{root}/namespaces/{Ns}/{resource["name"]}" : $"{root}/{resource["name"]}";
    }

    [GeneratedRegex("""(new|Untyped)\(("(?<group>[a-z0-9.]*)"|SqlServerGroup), "(?<version>v\d\w*)", "[a-z]+", "[A-Z]""")]
    private static partial Regex Asked();

    [GeneratedRegex("""[a-z]/v\d+(alpha|beta)\d+|"v\d+(alpha|beta)\d+"|/v\d+(alpha|beta)\d+/""")]
    private static partial Regex Unstable();
}
