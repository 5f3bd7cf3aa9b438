namespace SqlServerSimulator.Hosting;

/// <summary>The files of an instance in one folder. Appends go straight to the operating system; a replaced file is never half written.</summary>
internal sealed class FileStore : IDisposable
{
    private readonly string directory;
    private readonly Dictionary<string, FileStream> open = new(StringComparer.Ordinal);

    public FileStore(string directory)
    {
        this.directory = directory;
        Directory.CreateDirectory(directory);
    }

    public byte[]? Read(string file)
    {
        Close(file);
        var path = PathOf(file);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    public void Replace(string file, byte[] content)
    {
        Close(file);
        var path = PathOf(file);
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    public void Append(string file, ReadOnlySpan<byte> bytes)
    {
        if (!open.TryGetValue(file, out var stream))
        {
            stream = new FileStream(PathOf(file), FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            open[file] = stream;
        }

        stream.Write(bytes);
    }

    public void Truncate(string file, long length)
    {
        Close(file);
        using var stream = new FileStream(PathOf(file), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        stream.SetLength(length);
    }

    public void Delete(string file)
    {
        Close(file);
        File.Delete(PathOf(file));
    }

    public void Dispose()
    {
        foreach (var stream in open.Values)
            stream.Dispose();
        open.Clear();
    }

    private string PathOf(string file)
    {
        var path = Path.GetFullPath(Path.Combine(directory, file));
        if (!path.StartsWith(Path.GetFullPath(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new ArgumentException($"'{file}' lies outside the data folder.", nameof(file));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private void Close(string file)
    {
        if (open.Remove(file, out var stream))
            stream.Dispose();
    }
}
