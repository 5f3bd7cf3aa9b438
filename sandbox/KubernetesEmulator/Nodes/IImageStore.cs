namespace KubernetesEmulator.Nodes;

/// <summary>Finds the local program that stands for an image's program.</summary>
public interface IImageStore
{
    /// <param name="image">The container's image.</param>
    /// <param name="program">First word of the container's command, or null for the image's own entry point.</param>
    /// <returns>The program, or null when this machine does not have the image or the image does not have the program.</returns>
    ImageProgram? Resolve(string image, string? program);
}

/// <summary>A local program.</summary>
/// <param name="Executable">Path on this machine.</param>
/// <param name="Arguments">
/// Arguments before the container's own. <c>{podIP}</c>, <c>{podName}</c>, <c>{namespace}</c>, <c>{hostname}</c> and <c>{mount:/path}</c> (the
/// folder that stands for a path in the container) are filled in.
/// </param>
public sealed record ImageProgram(string Executable, params IReadOnlyList<string> Arguments);

/// <summary>An image: the repository it is known by, and its programs by their path in the image.</summary>
/// <param name="Repository">Matched against the end of the image's repository, such as <c>mssql/server</c>.</param>
/// <param name="EntryPoint">Path in the image of what runs without a command, or null when a command is required.</param>
/// <param name="Programs">By path in the image.</param>
public sealed record LocalImage(string Repository, string? EntryPoint, IReadOnlyDictionary<string, ImageProgram> Programs);

/// <summary>Images from a table; a program that the table lacks is looked for on this machine, so that shells work.</summary>
/// <param name="images">The table.</param>
public sealed class ImageStore(params IReadOnlyList<LocalImage> images) : IImageStore
{
    private static readonly string[] Folders = ["/usr/local/bin", "/usr/bin", "/bin"];

    /// <inheritdoc/>
    public ImageProgram? Resolve(string image, string? program)
    {
        var repository = Repository(image);
        var match = images.FirstOrDefault(x =>
            repository == x.Repository || repository.EndsWith("/" + x.Repository, StringComparison.Ordinal));
        if (match is null || (program ?? match.EntryPoint) is not { } name)
            return null;
        if (match.Programs.TryGetValue(name, out var known))
            return known;
        return OnThisMachine(name) is { } path ? new ImageProgram(path) : null;
    }

    internal static string Repository(string image)
    {
        var digest = image.IndexOf('@', StringComparison.Ordinal);
        if (digest >= 0)
            image = image[..digest];
        var tag = image.LastIndexOf(':');
        return tag > image.LastIndexOf('/') ? image[..tag] : image;
    }

    private static string? OnThisMachine(string program) =>
        program.Contains('/', StringComparison.Ordinal)
            ? File.Exists(program) ? program : null
            : Folders.Select(x => Path.Combine(x, program)).FirstOrDefault(File.Exists);
}
