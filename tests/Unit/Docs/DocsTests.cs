using System.Text.RegularExpressions;

namespace Unit.Docs;

/// <summary>What the pages for people name must exist.</summary>
[TestFixture]
internal sealed partial class DocsTests
{
    internal static readonly string Root = FindRoot();

    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(x => Path.GetRelativePath(Root, x));

    [TestCaseSource(nameof(Pages))]
    public void Every_path_in_code_marks_exists(string page)
    {
        var missing = Code().Matches(Prose(page))
            .Select(x => x.Groups[1].Value)
            .Where(x => Ours().IsMatch(x) && !x.Contains('<') && !x.Contains('*') && !x.Contains('…') && !x.Contains(' '))
            .Where(x => !File.Exists(Path.Combine(Root, x)) && !Directory.Exists(Path.Combine(Root, x)));
        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_link_to_a_file_of_ours_leads_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Root, page))!;
        var missing = Link().Matches(Prose(page))
            .Select(x => x.Groups[1].Value.Split('#')[0])
            .Where(x => x.Length > 0 && !x.Contains("://") && !x.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(x => !File.Exists(Path.Combine(folder, x)) && !Directory.Exists(Path.Combine(folder, x)));
        Assert.That(missing, Is.Empty);
    }

    private static string Prose(string page) => File.ReadAllText(Path.Combine(Root, page));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Agents.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("Agents.sln is not above the tests.");
    }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^(src|sandbox|tests|docs|deploy|docker|bench|eng|\.ci)/")]
    private static partial Regex Ours();
}
