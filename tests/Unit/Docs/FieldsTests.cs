using System.Text.Json.Nodes;
using Agents.Operator;

namespace Unit.Docs;

/// <summary>The tables of fields in the reference say what the definition says.</summary>
[TestFixture]
internal sealed class FieldsTests
{
    private static readonly JsonObject Schema = CustomResourceDefinition.Document()["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!.AsObject();

    private static readonly Dictionary<string, string[]> Rows = File.ReadLines(Path.Combine(DocsTests.Root, "docs/reference.md"))
        .SkipWhile(x => x != "## Fields of `spec`").Skip(1).TakeWhile(x => !x.StartsWith("## ", StringComparison.Ordinal))
        .Where(x => x.StartsWith("| `", StringComparison.Ordinal)).Select(x => x.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(x => x[1].Trim('`'));

    [Test]
    public void Every_field_has_a_row_and_every_row_a_field() =>
        Assert.That(Rows.Keys, Is.EquivalentTo(Schema["properties"]!.AsObject().Select(x => x.Key)));

    [Test]
    public void Defaults_and_required_fields_are_those_of_the_definition()
    {
        var required = Schema["required"]!.AsArray().Select(x => (string)x!).ToHashSet();
        Assert.Multiple(() =>
        {
            foreach (var (field, row) in Rows)
            {
                var fallback = Schema["properties"]![field]!["default"]?.ToString().ToLowerInvariant();
                Assert.That(row[3].Contains("required", StringComparison.Ordinal), Is.EqualTo(required.Contains(field)), field);
                if (fallback is not null)
                    Assert.That(row[3].Trim('`').ToLowerInvariant(), Is.EqualTo(fallback), field);
            }
        });
    }

    [Test]
    public void Every_field_says_what_a_change_does() =>
        Assert.That(Rows.Values.Select(row => row[4]), Is.All.Match("^(in place|restart|next|refused)\\b"));

    [Test]
    public void Every_field_is_described_in_the_definition() =>
        Assert.That(Schema["properties"]!.AsObject().Where(x => (string?)x.Value!["description"] is not { Length: > 0 }).Select(x => x.Key), Is.Empty);
}
