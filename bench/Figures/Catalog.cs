namespace Bench.Figures;

/// <summary>All figures, in the order in which they are measured.</summary>
internal static class Catalog
{
    public static IReadOnlyList<Figure> Figures { get; } =
    [
        new StartToLogin(), new IdleMemory(), new SingleCommits(), new GroupCommits(), new GroupCommitLatency(),
        new IdleApiRequests(), new IdleApiBytes(), new FailoverApiRequests(),
    ];

    public static Figure? Find(string name) => Figures.FirstOrDefault(figure => figure.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
