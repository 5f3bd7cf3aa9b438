using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Unit.Docs;

/// <summary>What can be known of the image without building it.</summary>
[TestFixture]
internal sealed partial class ImageTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(DocsTests.Root, "docker/Dockerfile"));

    /// <summary>Folder and file name of each executable that ships.</summary>
    private static Dictionary<string, string> Executables => Directory.EnumerateFiles(Path.Combine(DocsTests.Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .Select(file => (File: file, Project: XDocument.Load(file)))
        .Where(x => x.Project.Descendants("OutputType").Any(type => type.Value == "Exe"))
        .ToDictionary(x => Path.GetFileName(Path.GetDirectoryName(x.File))!, x => x.Project.Descendants("AssemblyName").Single().Value);

    private static IEnumerable<string> LastStage => Lines.Skip(Array.FindLastIndex(Lines, line => line.StartsWith("FROM ", StringComparison.Ordinal)));

    [Test]
    public void Every_executable_is_published_and_has_its_path()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Executables, Has.Count.EqualTo(7));
            Assert.That(Loop("project"), Is.EquivalentTo(Executables.Keys));
            Assert.That(Loop("name").Select(name => $"mssql-server-k8s-{name}"), Is.EquivalentTo(Executables.Values));
        });
    }

    [Test]
    public void Every_command_in_a_manifest_is_a_path_of_the_image()
    {
        var commands = Directory.EnumerateFiles(Path.Combine(DocsTests.Root, "deploy"), "*.yaml", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(DocsTests.Root, "tests/Unit/Operator/Golden"), "*.json"))
            .SelectMany(file => Command().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.That(commands, Has.Count.GreaterThan(4).And.SubsetOf(Executables.Values.Select(name => $"/{name}")));
    }

    [Test]
    public void It_runs_as_a_numeric_user_that_is_not_root()
    {
        var user = LastStage.Single(line => line.StartsWith("USER ", StringComparison.Ordinal))["USER ".Length..].Split(':');
        Assert.That(user, Has.Length.EqualTo(2).And.All.Match("^[0-9]+$"));
        Assert.That(int.Parse(user[0], System.Globalization.CultureInfo.InvariantCulture), Is.EqualTo(10001), "as in the pods' security contexts");
    }

    [Test]
    public void The_last_stage_needs_no_shell_and_its_base_can_be_another()
    {
        Assert.Multiple(() =>
        {
            Assert.That(LastStage.Select(line => line.Split(' ')[0]).Where(word => word is "RUN" or "SHELL" or "HEALTHCHECK"), Is.Empty);
            Assert.That(LastStage.Where(line => line.StartsWith("ENTRYPOINT", StringComparison.Ordinal)), Is.EqualTo(new[] { "ENTRYPOINT [\"/mssql-server-k8s-operator\"]" }));
            foreach (var line in Lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)))
            {
                var argument = Base().Match(line).Groups[1].Value;
                Assert.That(Lines, Has.Some.StartsWith($"ARG {argument}="), line);
            }
        });
    }

    /// <summary>The context is only what is listed, so that neither tests nor secrets of a working folder get into a layer.</summary>
    [Test]
    public void The_context_holds_what_the_projects_take_from_outside_of_src()
    {
        var listed = File.ReadAllLines(Path.Combine(DocsTests.Root, "docker/Dockerfile.dockerignore"))
            .Where(line => line.StartsWith('!')).Select(line => line[1..]).ToList();
        var taken = Directory.EnumerateFiles(Path.Combine(DocsTests.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .SelectMany(file => XDocument.Load(file).Descendants().Attributes("Include").Select(include => (Folder: Path.GetDirectoryName(file)!, include.Value)))
            .Where(x => x.Value.StartsWith("..", StringComparison.Ordinal))
            .Select(x => Path.GetRelativePath(DocsTests.Root, Path.GetFullPath(x.Value, x.Folder)))
            .Concat(Directory.EnumerateFiles(DocsTests.Root, "*.props").Select(file => Path.GetFileName(file))).Append("global.json");
        Assert.That(taken.Where(path => !listed.Exists(entry => path == entry || path.StartsWith(entry + "/", StringComparison.Ordinal))), Is.Empty);
        Assert.That(listed.Where(entry => !Path.Exists(Path.Combine(DocsTests.Root, entry))), Is.Empty);
    }

    private static string[] Loop(string variable) =>
        Lines.Select(line => Words().Match(line)).Single(match => match.Groups[1].Value == variable).Groups[2].Value.Split(' ');

    [GeneratedRegex(@"for (\w+) in ([^;]+);")]
    private static partial Regex Words();

    [GeneratedRegex("(?:command: \\[|\"command\": \\[\\s*\")(/mssql-server-k8s-[a-z-]+)")]
    private static partial Regex Command();

    [GeneratedRegex(@"^FROM \$\{(\w+)\}")]
    private static partial Regex Base();
}
