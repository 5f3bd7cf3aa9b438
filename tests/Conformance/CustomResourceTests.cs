using System.Text.Json.Nodes;

namespace Conformance;

internal sealed class CustomResourceTests(Backend backend) : ApiServerFixture(backend)
{
    private const string Definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: widgets.example.org
        spec:
          group: example.org
          scope: Namespaced
          names: {kind: Widget, plural: widgets, shortNames: [wd]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}}
            additionalPrinterColumns:
            - {name: Size, type: integer, jsonPath: .spec.size}
            - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
            schema:
              openAPIV3Schema:
                type: object
                required: [spec]
                properties:
                  spec:
                    type: object
                    required: [size]
                    properties:
                      size: {type: integer, minimum: 1, maximum: 9}
                      mode: {type: string, enum: [fast, slow], default: slow}
                      code: {type: string, pattern: '^[a-z]+$', minLength: 2, maxLength: 4}
                      port: {x-kubernetes-int-or-string: true}
                      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                      tags: {type: object, additionalProperties: {type: string}}
                      parts:
                        type: array
                        maxItems: 2
                        x-kubernetes-list-type: map
                        x-kubernetes-list-map-keys: [name]
                        items:
                          type: object
                          required: [name]
                          properties:
                            name: {type: string}
                            weight: {type: integer, default: 7}
                  status:
                    type: object
                    properties:
                      phase: {type: string}
                      conditions:
                        type: array
                        x-kubernetes-list-type: map
                        x-kubernetes-list-map-keys: [type]
                        items: {type: object, required: [type], properties: {type: {type: string}, status: {type: string}}}
        """;

    private string Widgets => Group("example.org/v1", "widgets");

    [SetUp]
    public async Task Define()
    {
        var (code, crd) = await Api.Apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.org", "test", Definition);
        Assert.That(code, Is.EqualTo(200).Or.EqualTo(201), crd.ToJsonString());
        await Served("widgets");
    }

    private Task<JsonNode> Served(string plural) => Api.Until($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.example.org",
        (_, crd) => crd["status"]?["conditions"]?.AsArray().Any(c => Text(c, "type") == "Established" && Text(c, "status") == "True") == true);

    [Test]
    public async Task A_defined_kind_is_discovered()
    {
        var (_, group) = await Api.Get("/apis/example.org");
        Assert.That((string?)group["preferredVersion"]!["groupVersion"], Is.EqualTo("example.org/v1"));
        var (_, resources) = await Api.Get("/apis/example.org/v1");
        Assert.That(resources["resources"]!.AsArray().Select(r => (string?)r!["name"]), Is.EqualTo(new[] { "widgets", "widgets/status" }));
    }

    [Test]
    public async Task Defaults_are_filled_in_and_unknown_fields_pruned_except_where_preserved()
    {
        var made = await Api.Make(Widgets, Widget("a", """ "size":1,"port":"http","unknown":1,"free":{"x":{"y":1}},"tags":{"a":"b"},"parts":[{"name":"p","junk":1}] """));
        var spec = made["spec"]!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)spec["mode"], Is.EqualTo("slow"));
            Assert.That(spec["unknown"], Is.Null);
            Assert.That(spec["free"]!.ToJsonString(), Is.EqualTo("""{"x":{"y":1}}"""));
            Assert.That(spec["parts"]!.ToJsonString(), Is.EqualTo("""[{"name":"p","weight":7}]"""));
            Assert.That((int)made["metadata"]!["generation"]!, Is.EqualTo(1));
        });
        if (Minor < 25)
            return;
        var (code, status) = await Api.Post(Widgets + "?fieldValidation=Strict", Widget("b", """ "size":1,"unknown":1 """));
        Assert.That(code, Is.EqualTo(400));
        Assert.That((string?)status["message"], Is.EqualTo("Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.unknown\""));
    }

    [TestCase(""" "mode":"fast" """, "spec.size: Required value")]
    [TestCase(""" "size":"1" """, "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"")]
    [TestCase(""" "size":0 """, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1")]
    [TestCase(""" "size":10 """, "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9")]
    [TestCase(""" "size":1,"mode":"odd" """, "spec.mode: Unsupported value: \"odd\": supported values: \"fast\", \"slow\"")]
    [TestCase(""" "size":1,"code":"A1" """, "spec.code: Invalid value: \"A1\": spec.code in body should match '^[a-z]+$'")]
    [TestCase(""" "size":1,"code":"a" """, "spec.code: Invalid value: \"a\": spec.code in body should be at least 2 chars long")]
    [TestCase(""" "size":1,"code":"abcde" """, "spec.code: Too long: may not be more than 4 bytes", "spec.code: Invalid value: \"abcde\": spec.code in body should be at most 4 chars long")]
    [TestCase(""" "size":1,"port":true """, "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"")]
    [TestCase(""" "size":1,"tags":{"a":1} """, "spec.tags.a: Invalid value: \"integer\": spec.tags.a in body must be of type string: \"integer\"")]
    [TestCase(""" "size":1,"parts":[{"weight":1}] """, "spec.parts[0].name: Required value", "spec.parts.name: Required value")]
    [TestCase(""" "size":1,"parts":[{"name":"a"},{"name":"a"}] """, "spec.parts[1]: Duplicate value: {\"name\":\"a\"}", "spec.parts[1]: Duplicate value: map[string]interface {}{\"name\":\"a\"}")]
    [TestCase(""" "size":1,"parts":[{"name":"a"},{"name":"b"},{"name":"c"}] """, "spec.parts: Too many: 3: must have at most 2 items", "spec.parts: Invalid value: 3: spec.parts in body should have at most 2 items")]
    public async Task A_wrong_field_is_named(string spec, string expected, string? earlier = null)
    {
        // Some messages were put in better words after 1.20.
        if (earlier is not null && Minor == 20)
            expected = earlier;
        var (code, status) = await Api.Post(Widgets, Widget("a", spec));
        Assert.That(code, Is.EqualTo(422), status.ToJsonString());
        Assert.That((string?)status["message"], Is.EqualTo($"Widget.example.org \"a\" is invalid: {expected}"));
        Assert.That((string?)status["details"]!["causes"]![0]!["field"], Is.EqualTo(expected[..expected.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Test]
    public async Task Status_is_isolated_both_ways_and_does_not_count_generations()
    {
        var made = await Api.Make(Widgets, """{"apiVersion":"example.org/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":1},"status":{"phase":"Sneaky"}}""");
        Assert.That(made["status"], Is.Null);
        var (_, reported) = await Api.Merge(Widgets + "/a/status", """{"spec":{"size":5},"metadata":{"labels":{"x":"y"}},"status":{"phase":"Ready"}}""");
        Assert.That((string?)reported["status"]!["phase"], Is.EqualTo("Ready"));
        Assert.That((int)reported["spec"]!["size"]!, Is.EqualTo(1));
        Assert.That(reported["metadata"]!["labels"], Is.Null);
        Assert.That((int)reported["metadata"]!["generation"]!, Is.EqualTo(1));
        var (_, changed) = await Api.Merge(Widgets + "/a", """{"spec":{"size":2},"status":{"phase":"Wrong"}}""");
        Assert.That((string?)changed["status"]!["phase"], Is.EqualTo("Ready"));
        Assert.That((int)changed["metadata"]!["generation"]!, Is.EqualTo(2));
    }

    [Test]
    public async Task Keyed_lists_of_the_schema_are_applied_item_by_item()
    {
        // 1.20 takes all lists for atomic where a schema has a field of int-or-string.
        var definition = Definition.Replace("port: {x-kubernetes-int-or-string: true}", "port: {type: integer}", StringComparison.Ordinal)
            .Replace("widgets", "gizmos", StringComparison.Ordinal).Replace("Widget", "Gizmo", StringComparison.Ordinal).Replace("wd", "gz", StringComparison.Ordinal);
        await Api.Apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gizmos.example.org", "test", definition);
        await Served("gizmos");
        var path = Group("example.org/v1", "gizmos");
        await Api.Make(path, Widget("a", """ "size":1 """).Replace("Widget", "Gizmo", StringComparison.Ordinal));
        string Condition(string type) => $"{{apiVersion: example.org/v1, kind: Gizmo, metadata: {{name: a}}, status: {{conditions: [{{type: {type}, status: 'True'}}]}}}}";
        await Api.Apply(path + "/a/status", "one", Condition("Ready"));
        var (code, both) = await Api.Apply(path + "/a/status", "two", Condition("Synced"));
        Assert.That(code, Is.EqualTo(200), both.ToJsonString());
        Assert.That(both["status"]!["conditions"]!.AsArray().Select(c => (string?)c!["type"]), Is.EqualTo(new[] { "Ready", "Synced" }));
    }

    [Test]
    public async Task Strategic_merge_is_refused_for_custom_resources()
    {
        await Api.Make(Widgets, Widget("a", """ "size":1 """));
        Assert.That((await Api.Strategic(Widgets + "/a", """{"spec":{"size":2}}""")).Code, Is.EqualTo(415));
    }

    [Test]
    public async Task Printer_columns_show_in_tables()
    {
        await Api.Make(Widgets, Widget("a", """ "size":3 """));
        await Api.Merge(Widgets + "/a/status", """{"status":{"conditions":[{"type":"Other","status":"False"},{"type":"Ready","status":"True"}]}}""");
        var (_, table) = await Api.Get(Widgets, "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.That(table["columnDefinitions"]!.AsArray().Select(c => (string?)c!["name"]), Is.EqualTo(new[] { "Name", "Size", "Ready" }));
        Assert.That(table["rows"]![0]!["cells"]!.ToJsonString(), Is.EqualTo("""["a",3,"True"]"""));
    }

    [Test]
    public async Task Deleting_a_definition_deletes_its_objects_and_stops_serving()
    {
        var other = Definition.Replace("widgets", "gadgets", StringComparison.Ordinal).Replace("Widget", "Gadget", StringComparison.Ordinal)
            .Replace("wd", "gd", StringComparison.Ordinal);
        const string Crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.org";
        await Api.Apply(Crd, "test", other);
        await Served("gadgets");
        await Api.Make(Group("example.org/v1", "gadgets"), Widget("g", """ "size":1 """).Replace("Widget", "Gadget", StringComparison.Ordinal));
        await Api.Delete(Crd);
        await Api.Until(Crd, (code, _) => code == 404);
        Assert.That(async () => (int)(await Api.Http.GetAsync(Group("example.org/v1", "gadgets"))).StatusCode, Is.EqualTo(404).After(20).Seconds.PollEvery(50).MilliSeconds);
        await Api.Apply(Crd, "test", other);
        await Served("gadgets");
        Assert.That((await Api.Get(Group("example.org/v1", "gadgets"))).Body["items"]!.AsArray(), Is.Empty);
    }

    [Test]
    public async Task A_definition_without_a_structural_schema_is_invalid()
    {
        var crd = JsonNode.Parse("""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"bads.example.org"},
             "spec":{"group":"example.org","scope":"Namespaced","names":{"kind":"Bad","plural":"bads"},"versions":[{"name":"v1","served":true,"storage":true}]}}
            """)!;
        var (code, status) = await Api.Post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd.ToJsonString());
        Assert.That(code, Is.EqualTo(422));
        Assert.That((string?)status["message"], Does.Contain("spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"));
    }

    private static string Widget(string name, string spec) =>
        $$$"""{"apiVersion":"example.org/v1","kind":"Widget","metadata":{"name":"{{{name}}}"},"spec":{{{{spec}}}}}""";
}
