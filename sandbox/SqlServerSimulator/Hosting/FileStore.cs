using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SqlServerSimulator.Hosting;

/// <summary>
/// The files of an instance in one folder. Appends go straight to the operating system, and to the disk when the host asks for it; a replaced
/// file is never half written, and is not there before what was written ahead of it.
/// </summary>
/// <param name="directory">The folder; made when it is missing.</param>
/// <param name="synchronize">Whether files are synchronized with the disk; without it they survive the death of the process, but not of the machine.</param>
internal sealed class FileStore(string directory, bool synchronize) : IDisposable
{
    private readonly string directory = Directory.CreateDirectory(directory).FullName;
    private readonly Dictionary<string, FileStream> open = new(StringComparer.Ordinal);
    private readonly HashSet<string> behind = new(StringComparer.Ordinal);
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);

    /// <summary>Another folder, in which files are known by their full path; empty for none.</summary>
    public string Backups { get; init; } = "";

    /// <summary>Whether something appended may not be on the disk yet.</summary>
    public bool IsBehind => behind.Count > 0;

    /// <summary>
    /// Takes the files that are behind in order to synchronize them elsewhere, until <see cref="Return"/>. A handle that is closed meanwhile has
    /// been synchronized by whoever closed it.
    /// </summary>
    public List<SafeFileHandle> Take()
    {
        taken.UnionWith(behind);
        behind.Clear();
        return [.. taken.Select(file => open[file].SafeFileHandle)];
    }

    public void Return() => taken.Clear();

    public byte[]? Read(string file)
    {
        Close(file);
        var path = PathOf(file);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    public void Replace(string file, byte[] content)
    {
        Close(file);
        Catch();
        var path = PathOf(file);
        using (var stream = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            stream.Write(content);
            Synchronize(stream);
        }

        File.Move(path + ".new", path, overwrite: true);
        SynchronizeFolder(path);
    }

    public void Append(string file, ReadOnlySpan<byte> bytes)
    {
        if (!open.TryGetValue(file, out var stream))
        {
            var path = PathOf(file);
            var isNew = !File.Exists(path);
            stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            open[file] = stream;
            if (isNew)
                SynchronizeFolder(path);
        }

        stream.Write(bytes);
        if (synchronize)
            behind.Add(file);
    }

    public void Truncate(string file, long length)
    {
        Close(file);
        using var stream = new FileStream(PathOf(file), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        stream.SetLength(length);
        Synchronize(stream);
    }

    public void Delete(string file)
    {
        behind.Remove(file);
        taken.Remove(file);
        Close(file);
        var path = PathOf(file);
        File.Delete(path);
        SynchronizeFolder(path);
    }

    /// <summary>Reads a file by its path on the server; null when it is missing or may not be read.</summary>
    public byte[]? ReadServerFile(string path)
    {
        try
        {
            return File.ReadAllBytes(ServerPath(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Creates a file by its path on the server, unless it is there.</summary>
    public bool CreateServerFile(string path, byte[] content)
    {
        try
        {
            var target = ServerPath(path);
            if (target.StartsWith(Path.GetFullPath(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var stream = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
            stream.Write(content);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Where a path on the server leads: /var/opt/mssql is this folder, and a relative path is under its "data".</summary>
    private string ServerPath(string path)
    {
        const string home = "/var/opt/mssql/";
        return path.StartsWith(home, StringComparison.Ordinal)
            ? Path.GetFullPath(Path.Combine(directory, path[home.Length..]))
            : Path.GetFullPath(path, Path.Combine(Path.GetFullPath(directory), "data"));
    }

    public void Dispose()
    {
        foreach (var file in open.Keys.ToList())
            Close(file);
    }

    // Writes before a replacement are on the disk before it.
    private void Catch()
    {
        foreach (var file in behind.Union(taken))
            Synchronize(open[file]);
        behind.Clear();
    }

    private void Synchronize(FileStream stream)
    {
        if (synchronize)
            RandomAccess.FlushToDisk(stream.SafeFileHandle);
    }

    // A name is on the disk when its folder is.
    private void SynchronizeFolder(string path)
    {
        if (!synchronize)
            return;
        using var folder = OpenFolder(Path.GetDirectoryName(path)!);
        RandomAccess.FlushToDisk(folder);
    }

    // .NET opens no folders.
    private static SafeFileHandle OpenFolder(string path)
    {
        var handle = open(path, 0);
        return handle >= 0 ? new SafeFileHandle(handle, ownsHandle: true) : throw new IOException($"The folder {path} cannot be opened.");

        [DllImport("libc", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
    }

    private string PathOf(string file)
    {
        var path = Path.GetFullPath(Path.Combine(directory, file));
        if (!IsIn(directory, path) && (Backups.Length == 0 || !IsIn(Path.GetFullPath(Backups), path)))
            throw new UnauthorizedAccessException($"'{file}' lies outside the data folder.");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static bool IsIn(string folder, string path) =>
        path.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private void Close(string file)
    {
        if (!open.Remove(file, out var stream))
            return;
        if (behind.Remove(file) | taken.Remove(file))
            Synchronize(stream);
        stream.Dispose();
    }
}
