namespace KubernetesEmulator.Nodes;

/// <summary>
/// A folder whose files change all at once, as the kubelet's: each file is a link through <c>..data</c>, which is itself a link
/// that one rename moves to the new content.
/// </summary>
internal static class AtomicFolder
{
    private const string Data = "..data";

    public static void Write(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        Directory.CreateDirectory(folder);
        var data = Path.Combine(folder, Data);
        if (Directory.Exists(data) && Same(data, files))
            return;

        var before = Directory.Exists(data) ? new DirectoryInfo(data).ResolveLinkTarget(returnFinalTarget: true)?.FullName : null;
        var content = Directory.CreateDirectory(Path.Combine(folder, ".." + Guid.NewGuid().ToString("n")));
        foreach (var (name, value) in files)
        {
            var path = Path.Combine(content.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, value);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var link = Path.Combine(folder, "..data_new");
        File.Delete(link);
        Directory.CreateSymbolicLink(link, content.Name);
        Posix.Rename(link, data);

        var top = files.Keys.Select(x => x.Split('/')[0]).ToHashSet();
        foreach (var name in top)
        {
            var path = Path.Combine(folder, name);
            if (new FileInfo(path).LinkTarget is null)
                File.CreateSymbolicLink(path, Path.Combine(Data, name));
        }

        foreach (var path in Directory.EnumerateFileSystemEntries(folder))
        {
            var name = Path.GetFileName(path);
            if (!name.StartsWith("..", StringComparison.Ordinal) && !top.Contains(name))
                File.Delete(path);
        }

        if (before is not null)
            Directory.Delete(before, recursive: true);
    }

    private static bool Same(string data, IReadOnlyDictionary<string, byte[]> files)
    {
        var present = Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories).ToDictionary(x => Path.GetRelativePath(data, x));
        return present.Count == files.Count
            && files.All(x => present.TryGetValue(x.Key, out var path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(x.Value));
    }
}
