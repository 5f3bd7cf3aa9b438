namespace Conformance;

/// <summary>Files of the repository, found from the test assembly upwards: the path that the compiler records is mapped.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IEnumerable<string> Files(string folder, params string[] extensions) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Where(x => extensions.Contains(Path.GetExtension(x))).Select(x => Path.GetRelativePath(Root, x)).Order(StringComparer.Ordinal);

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Agents.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Agents.sln");
        return folder;
    }
}
